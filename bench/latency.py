"""A platform that answers after a while: YouTube's wire for any channel, with fifty videos each.

``python -m bench.latency SECONDS FAULTS`` prints the port it listens on.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

VIDEOS = 50
STARTED = datetime.now(UTC).replace(microsecond=0)


def channel(handle: str) -> dict[str, object]:
    name = handle.lstrip("@")
    channel_id = name if name.startswith("UC") else f"UC{name:_>22}"
    return {
        "kind": "youtube#channel",
        "id": channel_id,
        "snippet": {
            "title": f"Channel {name}",
            "description": "A channel of the measurements.",
            "customUrl": f"@{name}",
            "thumbnails": {"high": {"url": f"https://yt3.ggpht.com/{channel_id}=s800"}},
        },
        "statistics": {
            "viewCount": "1234567", "subscriberCount": "45600", "videoCount": str(VIDEOS),
            "hiddenSubscriberCount": False,
        },
        "contentDetails": {"relatedPlaylists": {"uploads": f"UU{channel_id[2:]}"}},
    }  # fmt: skip


def entry(playlist: str, number: int) -> dict[str, object]:
    return {
        "kind": "youtube#playlistItem",
        "snippet": {"title": f"Video {number}", "playlistId": playlist},
        "contentDetails": {
            "videoId": f"{playlist[2:]}-{number}",
            "videoPublishedAt": _posted_at(number),
        },
        "status": {"privacyStatus": "public"},
    }


def video(video_id: str) -> dict[str, object]:
    number = int(video_id.rpartition("-")[2])
    return {
        "kind": "youtube#video",
        "id": video_id,
        "snippet": {
            "publishedAt": _posted_at(number),
            "title": f"Video {number}: how we made it, and what it cost",
            "thumbnails": {"high": {"url": f"https://i.ytimg.com/vi/{video_id}/hq.jpg"}},
        },
        "contentDetails": {"duration": "PT4M13S"},
        "statistics": {"viewCount": str(1000 + number), "likeCount": "73", "commentCount": "9"},
    }


def answer(target: str) -> list[dict[str, object]]:
    split = urlsplit(target)
    asked = {name: values[0] for name, values in parse_qs(split.query).items()}
    method = split.path.rpartition("/")[2]
    if method == "channels":
        names = asked["id"].split(",") if "id" in asked else [asked["forHandle"]]
        return [channel(name) for name in names if "nobody" not in name]
    if method == "playlistItems":
        return [entry(asked["playlistId"], number) for number in range(VIDEOS)]
    return [video(video_id) for video_id in asked["id"].split(",")]


async def serve(seconds: float, faults: float) -> None:
    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):  # whoever asked was killed
            await converse(reader, writer)
        writer.close()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            while (await reader.readline()).strip():
                pass
            began = asyncio.get_running_loop().time()
            body = json.dumps({"items": answer(line.split()[1].decode())}).encode()
            await asyncio.sleep(max(0.0, began + seconds - asyncio.get_running_loop().time()))
            status = b"503 Busy" if random.random() < faults else b"200 OK"  # noqa: S311
            writer.write(
                b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (status, len(body), body)
            )
            await writer.drain()

    server = await asyncio.start_server(receive, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def _posted_at(number: int) -> str:
    return (STARTED - timedelta(days=number + 1)).isoformat().replace("+00:00", "Z")


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), float(sys.argv[2])))
