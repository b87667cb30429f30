"""A talent's photo: picked in order, kept when its source fails, replaced when it changed."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from PIL import Image
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from socials.images import download, files, look, pick
from socials.images.due import due
from socials.images.pixels import Focus
from socials.images.refusals import NotAnImage, Unreachable
from socials.models import Connection, Photo, PhotoRun, Profile, SyncStatus
from talent.models import Activity, Talent, User

pytestmark = pytest.mark.django_db


def jpeg(colour: str = "teal", size: int = 320) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture(autouse=True)
def storage(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def cdn(httpserver: HTTPServer, settings: Any) -> HTTPServer:
    settings.SANDBOX_HOSTS = [f"{httpserver.host}:{httpserver.port}"]
    return httpserver


@pytest.fixture
def account(cdn: HTTPServer) -> Callable[..., Connection]:
    def make(
        talent: Talent, platform: str, content: bytes | None = None, **profile: Any
    ) -> Connection:
        handle = f"{platform.lower()}{Connection.objects.count()}"
        row = Connection.objects.create(
            talent=talent,
            platform=platform,
            handle=handle,
            handle_key=handle,
            profile_url=f"https://example.com/{handle}",
            sync_status=SyncStatus.READY,
        )
        if content is not None:
            cdn.expect_request(f"/{handle}.jpg").respond_with_data(
                content, content_type="image/jpeg"
            )
        Profile.objects.create(
            connection=row,
            source="test",
            fetched_at=timezone.now(),
            **{"avatar_url": cdn.url_for(f"/{handle}.jpg"), **profile},
        )
        return row

    return make


Make = Callable[..., Connection]


def test_instagram_wins_over_tiktok_and_youtube(jane: Talent, account: Make) -> None:
    account(jane, "YOUTUBE", jpeg("red"))
    account(jane, "TIKTOK", jpeg("green"))
    account(jane, "INSTAGRAM", jpeg("blue"))
    picked = pick.refresh(jane.pk)
    assert (picked.source, picked.outcome, picked.updated) == ("instagram", "successful", True)
    jane.refresh_from_db()
    assert jane.profile_image_source == "instagram"
    assert jane.last_profile_image_sync_at is not None
    assert jane.profile_image_url == picked.image_url


def test_the_next_platform_is_tried_when_one_fails(jane: Talent, account: Make) -> None:
    account(jane, "INSTAGRAM", b"<html>not an image</html>")
    account(jane, "TIKTOK", jpeg())
    picked = pick.refresh(jane.pk)
    assert picked.source == "tiktok"
    assert [(failure.platform, failure.code) for failure in picked.failed] == [
        ("INSTAGRAM", "NOT_AN_IMAGE")
    ]


def test_without_any_picture_initials_stay(jane: Talent, account: Make) -> None:
    account(jane, "INSTAGRAM", avatar_url="")
    picked = pick.refresh(jane.pk)
    assert (picked.source, picked.image_url, picked.outcome) == ("initials", "", "skipped")


def test_an_expired_link_keeps_the_picture_it_gave(
    jane: Talent, account: Make, cdn: HTTPServer
) -> None:
    row = account(jane, "INSTAGRAM", jpeg())
    first = pick.refresh(jane.pk)
    cdn.expect_request("/gone.jpg").respond_with_data("URL signature expired", status=403)
    Profile.objects.filter(connection=row).update(avatar_url=cdn.url_for("/gone.jpg"))
    again = pick.refresh(jane.pk, force=True)
    assert again.outcome == "failed"
    assert again.failed[0].code == "EXPIRED"
    assert again.image_url == first.image_url
    assert PhotoRun.objects.filter(outcome="failed", cause="EXPIRED").count() == 1


def test_a_new_address_of_the_same_picture_changes_nothing(
    jane: Talent, account: Make, cdn: HTTPServer
) -> None:
    row = account(jane, "INSTAGRAM", jpeg())
    first = pick.refresh(jane.pk)
    cdn.expect_request("/elsewhere.jpg").respond_with_data(jpeg(), content_type="image/jpeg")
    Profile.objects.filter(connection=row).update(avatar_url=cdn.url_for("/elsewhere.jpg"))
    again = pick.refresh(jane.pk, force=True)
    assert (again.updated, again.image_url) == (False, first.image_url)
    assert Photo.objects.get(connection=row).original_url.endswith("/elsewhere.jpg")


def test_a_placeholder_ends_the_old_picture(jane: Talent, account: Make, cdn: HTTPServer) -> None:
    row = account(jane, "INSTAGRAM", jpeg())
    pick.refresh(jane.pk)
    url = cdn.url_for("/v/44884218_345707102882519_2446069589734326272_n.jpg")
    Profile.objects.filter(connection=row).update(avatar_url=url)
    picked = pick.refresh(jane.pk, force=True)
    assert (picked.source, picked.outcome) == ("initials", "skipped")


@pytest.mark.parametrize(
    "url",
    [
        "http://scontent.cdninstagram.com/a.jpg",
        "https://evil.example/a.jpg",
        "https://cdninstagram.com.evil.example/a.jpg",
        "https://evilcdninstagram.com/a.jpg",
        "https://scontent.cdninstagram.com:8443/a.jpg",
        "https://user:pw@scontent.cdninstagram.com/a.jpg",
        "https://127.0.0.1/a.jpg",
        "file:///etc/passwd",
        "https://[::1/a.jpg",
        "javascript:alert(1)",
    ],
)
def test_only_the_platforms_own_servers_are_asked(jane: Talent, account: Make, url: str) -> None:
    account(jane, "INSTAGRAM", avatar_url=url)
    picked = pick.refresh(jane.pk)
    assert [failure.code for failure in picked.failed] == ["HOST_REFUSED"]


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest", "https://evil.example/", "http://127.0.0.1:1/"]
)
def test_a_redirect_elsewhere_is_refused(
    jane: Talent, account: Make, cdn: HTTPServer, target: str
) -> None:
    row = account(jane, "INSTAGRAM")
    cdn.expect_request("/away.jpg").respond_with_data("", 302, headers={"Location": target})
    Profile.objects.filter(connection=row).update(avatar_url=cdn.url_for("/away.jpg"))
    assert pick.refresh(jane.pk).failed[0].code == "HOST_REFUSED"


def test_a_redirect_to_another_server_of_the_platform_over_http_is_refused(
    jane: Talent, account: Make, cdn: HTTPServer
) -> None:
    row = account(jane, "INSTAGRAM")
    target = "http://scontent.cdninstagram.com/a.jpg"
    cdn.expect_request("/away.jpg").respond_with_data("", 302, headers={"Location": target})
    Profile.objects.filter(connection=row).update(avatar_url=cdn.url_for("/away.jpg"))
    assert pick.refresh(jane.pk).failed[0].code == "HOST_REFUSED"


def test_a_platforms_name_that_leads_to_a_private_address_is_not_connected_to(
    jane: Talent, account: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def rebound(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(2, 1, 6, "", ("10.0.0.7", port))]

    def connect(*_: Any) -> None:
        pytest.fail("a connection to a private address")

    monkeypatch.setattr("socket.getaddrinfo", rebound)
    monkeypatch.setattr("socket.socket.connect", connect)
    fetched = look.fetch(
        look.Account(
            1, 1, "INSTAGRAM", "https://scontent.cdninstagram.com/a.jpg", (".cdninstagram.com",)
        )
    )
    assert isinstance(fetched, Unreachable)
    assert asked[0] == "scontent.cdninstagram.com"


def test_all_hops_together_have_one_time_limit(
    jane: Talent, account: Make, cdn: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(request: Request) -> Response:
        time.sleep(0.4)
        step = int(request.args["step"]) + 1
        return Response("", 302, headers={"Location": f"/slow.jpg?step={step}"})

    monkeypatch.setattr(download, "LIMITS", replace(download.LIMITS, total_seconds=1))
    row = account(jane, "INSTAGRAM")
    cdn.expect_request("/slow.jpg").respond_with_handler(slow)
    Profile.objects.filter(connection=row).update(avatar_url=cdn.url_for("/slow.jpg?step=0"))
    began = time.monotonic()
    assert pick.refresh(jane.pk).failed[0].code == "UNREACHABLE"
    assert time.monotonic() - began < 1.6


def test_a_redirect_in_circles_ends(jane: Talent, account: Make, cdn: HTTPServer) -> None:
    row = account(jane, "INSTAGRAM")
    url = cdn.url_for("/round.jpg")
    cdn.expect_request("/round.jpg").respond_with_data("", 302, headers={"Location": url})
    Profile.objects.filter(connection=row).update(avatar_url=url)
    assert pick.refresh(jane.pk).failed[0].code == "UNREACHABLE"


def test_sixty_megabytes_are_cut_off_at_the_limit(
    jane: Talent, account: Make, cdn: HTTPServer
) -> None:
    sent = 0

    def endless(request: Request) -> Response:
        def stream() -> Iterator[bytes]:
            nonlocal sent
            for _ in range(60):
                sent += 1
                yield b"\xff\xd8" + bytes(1024 * 1024 - 2)

        return Response(stream(), content_type="image/jpeg")

    row = account(jane, "INSTAGRAM")
    cdn.expect_request("/huge.jpg").respond_with_handler(endless)
    Profile.objects.filter(connection=row).update(avatar_url=cdn.url_for("/huge.jpg"))
    assert pick.refresh(jane.pk).failed[0].code == "TOO_LARGE"
    assert sent < 30


def test_an_upload_wins_until_it_is_removed(jane: Talent, account: Make, alice: User) -> None:
    account(jane, "INSTAGRAM", jpeg("red"))
    pick.refresh(jane.pk)
    assert pick.upload(jane.pk, jpeg("gold"), actor=alice).source == "manual"
    assert pick.refresh(jane.pk, force=True).outcome == "skipped"
    jane.refresh_from_db()
    assert jane.profile_image_source == "manual"
    assert pick.remove_upload(jane.pk, actor=alice).source == "instagram"
    actions = set(Activity.objects.filter(actor_id=alice.pk).values_list("action", flat=True))
    assert {"profile_image.uploaded", "profile_image.removed"} <= actions


def test_a_refused_upload_changes_nothing(jane: Talent, account: Make, alice: User) -> None:
    with pytest.raises(NotAnImage):
        pick.upload(jane.pk, b"<svg/>", actor=alice)
    assert not Photo.objects.exists()


def test_staff_choose_among_the_accounts_and_set_the_focus(
    jane: Talent, account: Make, alice: User
) -> None:
    account(jane, "INSTAGRAM", jpeg("red"))
    youtube = account(jane, "YOUTUBE", _wide())
    pick.refresh(jane.pk)
    photo = Photo.objects.get(connection=youtube)
    chosen = pick.choose(jane.pk, photo.pk, actor=alice)
    assert chosen.source == "youtube"
    moved = pick.set_focus(jane.pk, photo.pk, Focus(0.0, 0.5), actor=alice)
    assert moved.image_url != chosen.image_url
    assert pick.choose(jane.pk, None, actor=alice).source == "instagram"


def _wide() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").rotate(90).resize((600, 200)).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def test_the_last_account_gone_means_initials(jane: Talent, account: Make) -> None:
    row = account(jane, "INSTAGRAM", jpeg())
    pick.refresh(jane.pk)
    row.delete()
    picked = pick.settle(jane.pk)
    assert (picked.source, picked.image_url) == ("initials", "")


def test_kept_photos_are_served_for_ever_and_only_those(
    jane: Talent, account: Make, client: Client
) -> None:
    account(jane, "INSTAGRAM", jpeg())
    url = pick.refresh(jane.pk).image_url
    answer = client.get(url)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/webp"
    assert "immutable" in answer["Cache-Control"]
    assert Image.open(io.BytesIO(b"".join(answer.streaming_content))).size == (512, 512)
    assert client.get(url, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert client.get("/media/photos/aa/../../settings.py").status_code == 404
    assert client.get(url.replace("-512", "-513")).status_code == 404


def test_files_that_nothing_uses_are_swept(jane: Talent, account: Make, storage: Path) -> None:
    account(jane, "INSTAGRAM", jpeg())
    pick.refresh(jane.pk)
    orphan = storage / "photos" / "ab" / f"{'ab' * 20}-64.webp"
    orphan.parent.mkdir(parents=True, exist_ok=True)
    orphan.write_bytes(b"x")
    long_ago = (timezone.now() - timedelta(hours=2)).timestamp()
    for file in storage.rglob("*.webp"):
        os.utime(file, (long_ago, long_ago))
    assert pick.sweep() == 1
    assert len(list(storage.rglob("*.webp"))) == 4


def test_a_lost_file_comes_back_with_the_crop_it_had(
    jane: Talent, account: Make, alice: User, storage: Path
) -> None:
    row = account(jane, "YOUTUBE", _wide())
    pick.refresh(jane.pk)
    photo = Photo.objects.get(connection=row)
    pick.set_focus(jane.pk, photo.pk, Focus(0.0, 0.5), actor=alice)
    for file in storage.rglob("*.webp"):
        file.unlink()
    again = pick.refresh(jane.pk, force=True)
    photo.refresh_from_db()
    assert again.outcome == "successful"
    assert (photo.focus_x, photo.focus_y) == (0.0, 0.5)
    assert sorted(f"photos/{file.parent.name}/{file.name}" for file in storage.rglob("*.webp")) == (
        sorted(files.paths(photo.name))
    )


def test_a_file_is_there_whole_or_not_at_all(
    jane: Talent, account: Make, storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    account(jane, "INSTAGRAM", jpeg())
    with monkeypatch.context() as disk:
        disk.setattr("os.fsync", full)
        picked = pick.refresh(jane.pk)
    assert [failure.code for failure in picked.failed] == ["NOT_KEPT"]
    assert (picked.outcome, picked.source) == ("failed", "initials")
    assert [file for file in storage.rglob("*") if file.is_file()] == []
    assert pick.refresh(jane.pk).source == "instagram"


def test_what_a_killed_worker_was_writing_is_swept(storage: Path) -> None:
    left = storage / "photos" / "ab" / ".0123456789abcdef.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    long_ago = (timezone.now() - timedelta(hours=2)).timestamp()
    os.utime(left, (long_ago, long_ago))
    assert pick.sweep() == 1
    assert not left.exists()


def test_the_daily_job_takes_the_oldest_first_and_leaves_fresh_ones(
    make_talent: Callable[..., Talent], account: Make
) -> None:
    now = timezone.now()
    ages = {"never": None, "two days": 48, "three days": 72, "an hour": 1}
    ids = {}
    for name, hours in ages.items():
        talent = make_talent(name)
        account(talent, "INSTAGRAM", jpeg())
        at = now - timedelta(hours=hours) if hours else None
        Talent.objects.filter(pk=talent.pk).update(last_profile_image_sync_at=at)
        ids[name] = talent.pk
    make_talent("without accounts")
    assert due() == [ids["never"], ids["three days"], ids["two days"]]
    assert due(limit=1) == [ids["never"]]
    assert ids["an hour"] in due(force=True)


def test_the_command_tells_what_happened_and_fails_when_one_did(
    make_talent: Callable[..., Talent], account: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    good = make_talent("Good")
    account(good, "INSTAGRAM", jpeg())
    call_command("sync_profile_images", "--dry-run")
    assert "1 photo would be looked at" in capsys.readouterr().out
    call_command("sync_profile_images")
    assert "1 successful, 0 failed, 0 skipped" in capsys.readouterr().out
    call_command("sync_profile_images", "--talent", str(good.pk))
    assert "0 successful, 0 failed, 1 skipped" in capsys.readouterr().out
    account(make_talent("Bad"), "TIKTOK", b"rubbish")
    with pytest.raises(SystemExit) as ended:
        call_command("sync_profile_images", "--json")
    assert ended.value.code == 1
    assert '"error": "NOT_AN_IMAGE"' in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["--limit", "0"], ["--min-hours", "-1"], ["--talent", "999999"]]
)
def test_the_command_refuses_bad_arguments(arguments: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("sync_profile_images", *arguments)
    assert refused.value.returncode == 2


def test_a_talent_who_is_deleted_meanwhile_stops_no_other(
    make_talent: Callable[..., Talent], account: Make
) -> None:
    talents = [make_talent(name) for name in ("Ann", "Ben", "Cas")]
    for talent in talents:
        account(talent, "INSTAGRAM", jpeg())
    refreshed = pick.refresh_many([talent.pk for talent in talents])
    done = [next(refreshed).talent_id]
    talents[1].delete()
    done += [picked.talent_id for picked in refreshed]
    assert done == [talents[0].pk, talents[2].pk]


def test_a_hundred_talents_cost_few_queries_each(
    make_talent: Callable[..., Talent], account: Make, django_assert_max_num_queries: Any
) -> None:
    talents = [make_talent(f"Talent {number}") for number in range(10)]
    for talent in talents:
        account(talent, "INSTAGRAM", jpeg())
    list(pick.refresh_many([talent.pk for talent in talents]))
    with django_assert_max_num_queries(3 + 10 * 8):
        list(pick.refresh_many([talent.pk for talent in talents], force=True))
