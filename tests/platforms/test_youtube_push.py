"""YouTube's push: what the hub is asked, what it may ask back, and which notices are believed."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import Client
from django.utils import timezone
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from scraping.errors import BadResponse
from socials import push
from socials.models import Connection, PushSubscription, SyncStatus
from socials.platforms.youtube import push as hub
from talent.models import Talent

JANE, LUCA = f"UC{'jane':0>22}", f"UC{'luca':0>22}"
NEW_FORM = f"https://www.youtube.com/feeds/videos.xml?channel_id={JANE}"
OLD_FORM = f"https://www.youtube.com/xml/feeds/videos.xml?channel_id={JANE}"

DOCUMENTED = f"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns="http://www.w3.org/2005/Atom">
 <link rel="hub" href="https://pubsubhubbub.appspot.com"/>
 <link rel="self" href="{OLD_FORM}"/>
 <title>YouTube video feed</title><updated>2015-04-01T19:05:24.552394234+00:00</updated>
 <entry><id>yt:video:VIDEO_ID</id><yt:videoId>VIDEO_ID</yt:videoId><yt:channelId>{JANE}</yt:channelId>
  <title>Video title</title><link rel="alternate" href="http://www.youtube.com/watch?v=VIDEO_ID"/>
  <author><name>Channel title</name><uri>http://www.youtube.com/channel/{JANE}</uri></author>
  <published>2015-03-06T21:40:57+00:00</published><updated>2015-03-09T19:05:24.552394234+00:00</updated></entry>
 <entry><yt:videoId>SECOND</yt:videoId><yt:channelId>{LUCA}</yt:channelId></entry>
 <entry><yt:videoId>VIDEO_ID</yt:videoId><yt:channelId>{JANE}</yt:channelId></entry>
 <entry><title>without ids</title></entry>
</feed>""".encode()

TOMBSTONE = f"""<feed xmlns:at="http://purl.org/atompub/tombstones/1.0" xmlns="http://www.w3.org/2005/Atom">
 <at:deleted-entry ref="yt:video:GONE" when="2018-07-26T17:43:36+00:00">
  <link href="https://www.youtube.com/watch?v=GONE"/>
  <at:by><name>Channel</name><uri>https://www.youtube.com/channel/{JANE}</uri></at:by>
 </at:deleted-entry></feed>""".encode()

BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]>
<feed xmlns="http://www.w3.org/2005/Atom"><title>&b;</title></feed>"""


# --- reading -------------------------------------------------------------------------------------


def test_a_notification_tells_each_video_once() -> None:
    assert hub.notices(DOCUMENTED) == (
        hub.Notice(JANE, "VIDEO_ID"),
        hub.Notice(LUCA, "SECOND"),
    )


def test_a_deleted_video_names_its_channel_by_who_deleted_it() -> None:
    assert hub.notices(TOMBSTONE) == (hub.Notice(JANE, "GONE", deleted=True),)


@pytest.mark.parametrize("body", [b"", b"<feed>", b"{}", b"<rss/>", BOMB, b"\xff\xfe\x00"])
def test_what_is_no_feed_is_one_failure(body: bytes) -> None:
    with pytest.raises(BadResponse):
        hub.notices(body)


@pytest.mark.parametrize("topic", [NEW_FORM, OLD_FORM])
def test_both_forms_of_a_topic_name_the_channel(topic: str) -> None:
    assert hub.channel_of(topic) == JANE


@pytest.mark.parametrize(
    "topic", ["", f"https://evil.example/feeds/videos.xml?channel_id={JANE}", f"{OLD_FORM}&x=1"]
)
def test_another_topic_names_none(topic: str) -> None:
    assert hub.channel_of(topic) == ""


def signed(body: bytes, secret: str, method: str = "sha1") -> str:
    return f"{method}={hmac.new(secret.encode(), body, method).hexdigest()}"


@pytest.mark.parametrize("method", ["sha1", "sha256"])
def test_a_right_signature_is_believed(method: str) -> None:
    assert hub.is_genuine(DOCUMENTED, signed(DOCUMENTED, "secret", method), "secret")


@pytest.mark.parametrize(
    "header", ["", "sha1=", "sha1=é", "md5=00", signed(DOCUMENTED, "other"), signed(b"x", "secret")]
)
def test_any_other_signature_is_not(header: str) -> None:
    assert not hub.is_genuine(DOCUMENTED, header, "secret")


def test_a_subscription_without_a_secret_believes_nothing() -> None:
    assert not hub.is_genuine(DOCUMENTED, signed(DOCUMENTED, ""), "")


# --- subscribing ---------------------------------------------------------------------------------


@pytest.fixture
def public(settings: Any) -> None:
    settings.PUBLIC_URL = "https://greenroom.example"


@pytest.fixture
def channel(jane: Talent) -> Callable[..., Connection]:
    def make(external_id: str = JANE, **fields: Any) -> Connection:
        return Connection.objects.create(
            talent=jane, platform="YOUTUBE", handle=external_id[-6:], handle_key=external_id[-6:],
            profile_url="https://www.youtube.com/", external_id=external_id,
            sync_status=SyncStatus.READY, **fields,
        )  # fmt: skip

    return make


class Hub:
    """A hub that answers as it is told and keeps what it was asked."""

    def __init__(self, server: HTTPServer, settings: Any) -> None:
        self.asked: list[dict[str, str]] = []
        self.answer = Response(status=202)
        server.expect_request("/subscribe", method="POST").respond_with_handler(self._serve)
        settings.PLATFORM_SETTINGS = {
            **settings.PLATFORM_SETTINGS,
            "YOUTUBE_HUB_URL": server.url_for("/subscribe"),
        }

    def _serve(self, request: Request) -> Response:
        form = parse_qs(request.get_data().decode())
        self.asked.append({name: values[0] for name, values in form.items()})
        return self.answer


@pytest.fixture
def the_hub(httpserver: HTTPServer, settings: Any, quiet_settings: None) -> Hub:
    return Hub(httpserver, settings)


def test_every_channel_is_asked_for_once(
    public: None, the_hub: Hub, channel: Callable[..., Connection]
) -> None:
    channel(JANE)
    channel(LUCA)
    channel("")
    assert push.renew() == 2
    assert push.renew() == 0
    [jane, _] = sorted(the_hub.asked, key=lambda asked: asked["hub.topic"])
    row = PushSubscription.objects.get(channel_id=JANE)
    assert jane == {
        "hub.callback": "https://greenroom.example/callbacks/youtube",
        "hub.mode": "subscribe",
        "hub.topic": OLD_FORM,
        "hub.verify": "async",
        "hub.secret": row.secret,
        "hub.lease_seconds": "777600",
    }
    assert len(row.secret) == 40


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:8000", "http://localhost:8000", "http://10.0.0.7", "https://studio.local", "http://[::1]"],
)  # fmt: skip
def test_it_is_off_where_the_hub_could_not_reach_us(
    the_hub: Hub, settings: Any, channel: Callable[..., Connection], address: str
) -> None:
    settings.PUBLIC_URL = address
    channel(JANE)
    assert push.renew() == 0
    assert the_hub.asked == []


def test_the_real_address_of_the_hub_takes_the_request(
    public: None, platform_settings: dict[str, str], channel: Callable[..., Connection]
) -> None:
    channel(JANE)
    assert push.renew() == 1


def test_a_hub_that_is_down_is_left_alone_until_it_said(
    public: None, the_hub: Hub, channel: Callable[..., Connection]
) -> None:
    channel(JANE)
    channel(LUCA)
    the_hub.answer = Response("Transient error", 503, {"Retry-After": "1200"})
    assert push.renew() == 0
    assert len(the_hub.asked) == 1
    waits = PushSubscription.objects.filter(refusals=1).values_list("ask_at", flat=True)
    assert [round((wait - timezone.now()).total_seconds(), -1) for wait in waits] == [1200]


def test_a_refused_topic_does_not_hold_up_the_others(
    public: None, the_hub: Hub, channel: Callable[..., Connection]
) -> None:
    channel(JANE)
    channel(LUCA)
    the_hub.answer = Response("Restricted topic", 400)
    push.renew()
    assert len(the_hub.asked) == 2


def test_a_channel_that_is_let_go_is_no_longer_listened_to(
    public: None, the_hub: Hub, channel: Callable[..., Connection]
) -> None:
    row = channel(JANE)
    push.renew()
    row.delete()
    push.renew()
    assert not PushSubscription.objects.exists()


# --- the callback --------------------------------------------------------------------------------


@pytest.fixture
def subscribed(channel: Callable[..., Connection]) -> Connection:
    PushSubscription.objects.create(channel_id=JANE, secret="s" * 40, ask_at=timezone.now())
    return channel(JANE)


def question(client: Client, **parameters: str) -> Any:
    asked = {
        "hub.mode": "subscribe",
        "hub.topic": NEW_FORM,
        "hub.challenge": "16832595826105906514",
        "hub.lease_seconds": "432000",
    }
    renamed = {f"hub.{name}": value for name, value in parameters.items()}
    return client.get("/callbacks/youtube", {**asked, **renamed})


def test_the_hub_gets_its_challenge_back_and_the_lease_is_kept(
    client: Client, subscribed: Connection
) -> None:
    reply = question(client)
    assert (reply.status_code, reply.content) == (200, b"16832595826105906514")
    assert reply.headers["Content-Type"].startswith("text/plain")
    row = PushSubscription.objects.get()
    assert row.state == "active"
    lease = row.lease_expires_at - timezone.now()
    assert timedelta(days=4, hours=23) < lease <= timedelta(days=5)
    assert row.ask_at < row.lease_expires_at - timedelta(days=1)


@pytest.mark.parametrize(
    "parameters",
    [
        {"topic": OLD_FORM.replace(JANE, LUCA)},
        {"topic": "https://evil.example/"},
        {"mode": "unsubscribe"},
        {"mode": "publish"},
        {"challenge": ""},
        {"mode": "denied", "reason": "no"},
    ],
)
def test_what_we_did_not_ask_for_is_refused(
    client: Client, subscribed: Connection, parameters: dict[str, str]
) -> None:
    assert question(client, **parameters).status_code == 404
    assert PushSubscription.objects.get().state != "active"


def test_an_end_is_agreed_to_once_nobody_wants_the_channel(client: Client, db: None) -> None:
    assert question(client, mode="unsubscribe").status_code == 200


def test_a_denial_is_kept_with_its_reason_and_asked_again_tomorrow(
    client: Client, subscribed: Connection
) -> None:
    question(client, mode="denied", reason="too many subscriptions")
    row = PushSubscription.objects.get()
    assert (row.state, row.reason) == ("denied", "too many subscriptions")
    assert row.ask_at > timezone.now() + timedelta(hours=23)


def test_a_stranger_can_not_deny_what_is_active(client: Client, subscribed: Connection) -> None:
    question(client)
    question(client, mode="denied", reason="bye")
    assert PushSubscription.objects.get().state == "active"


def notify(client: Client, body: bytes, secret: str = "s" * 40) -> Any:
    return client.post(
        "/callbacks/youtube",
        body,
        content_type="application/atom+xml",
        headers={"X-Hub-Signature": signed(body, secret)},
    )


@pytest.mark.parametrize("body", [DOCUMENTED, TOMBSTONE], ids=["video", "tombstone"])
def test_a_signed_notice_queues_a_sync_of_its_channel_alone(
    client: Client, subscribed: Connection, channel: Callable[..., Connection], body: bytes
) -> None:
    other = channel(LUCA)
    assert notify(client, body).status_code == 204
    subscribed.refresh_from_db()
    other.refresh_from_db()
    assert (subscribed.sync_status, subscribed.trigger) == ("PENDING", "push")
    assert other.sync_status == "READY"


@pytest.mark.parametrize("body", [DOCUMENTED, b"<html>", BOMB])
def test_a_notice_that_is_not_signed_by_the_hub_is_accepted_and_ignored(
    client: Client, subscribed: Connection, body: bytes
) -> None:
    assert notify(client, body, "wrong").status_code == 204
    subscribed.refresh_from_db()
    assert subscribed.sync_status == "READY"


def test_other_methods_are_told_which_are_allowed(client: Client, db: None) -> None:
    reply = client.put("/callbacks/youtube")
    assert (reply.status_code, reply.headers["Allow"]) == (405, "GET, POST")
