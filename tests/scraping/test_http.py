"""The way out is bounded in time and bytes and tells no secret, whatever the other side does."""

from __future__ import annotations

import gzip
import io
import logging
import socket
import time
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scraping.errors import BadResponse, Failure, PlatformUnavailable
from scraping.http import Http, Limits, Reply, Unsent
from tests.scraping.hostile import Visit, hostile

SHORT = Limits(connect_seconds=0.4, read_seconds=0.4, total_seconds=0.5)
SECRET = "s3cr3t-token"


def ask(url: str, limits: Limits = SHORT, **options: Any) -> Reply:
    return Http(limits).get(url, platform="TIKTOK", **options)


def failure_of(url: str, limits: Limits = SHORT, **options: Any) -> tuple[Failure, float]:
    """The failure, and the seconds it took to come."""
    began = time.monotonic()
    with pytest.raises(Failure) as caught:
        ask(url, limits, **options)
    assert caught.value.platform == "TIKTOK"
    return caught.value, time.monotonic() - began


# --- time -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "slow",
    [
        pytest.param(lambda v: v.drip(b"HTTP/1.1 200 OK\r\n" * 50, every=0.05), id="status line"),
        pytest.param(
            lambda v: (v.send(b"HTTP/1.1 200 OK\r\n"), v.drip(b"X-A: b\r\n" * 50, every=0.05)),
            id="headers",
        ),
        pytest.param(
            lambda v: (
                v.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
                v.drip(b"[" * 500, every=0.05),
            ),
            id="body",
        ),
        pytest.param(
            lambda v: (
                v.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
                v.drip(b"1\r\n[\r\n" * 80, every=0.05),
            ),
            id="chunks",
        ),
        pytest.param(
            lambda v: v.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 50, every=0.02), id="continues"
        ),
        pytest.param(lambda v: time.sleep(1), id="silence"),
    ],
)
def test_an_answer_that_drips_ends_within_the_time_of_the_whole_call(slow: Any) -> None:
    with hostile(slow) as server:
        failure, seconds = failure_of(server.url)
    assert isinstance(failure, PlatformUnavailable)
    assert "in time" in failure.detail
    assert seconds < 1.0


def test_a_server_that_never_takes_the_call_ends_within_its_time() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        clogs = [socket.socket() for _ in range(4)]
        try:
            for clog in clogs:
                clog.setblocking(False)
                clog.connect_ex(deaf.getsockname())
            failure, seconds = failure_of(f"http://127.0.0.1:{deaf.getsockname()[1]}")
        finally:
            for clog in clogs:
                clog.close()
    assert isinstance(failure, PlatformUnavailable)
    assert seconds < 1.0


def test_a_handshake_that_never_ends_ends_within_the_calls_time() -> None:
    with hostile(lambda visit: None) as server:
        failure, seconds = failure_of(server.url.replace("http:", "https:"))
    assert isinstance(failure, PlatformUnavailable)
    assert seconds < 1.0


def test_a_name_that_is_looked_up_for_ever_ends_within_the_calls_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(2) or [])
    failure, seconds = failure_of("http://platform.test/")
    assert isinstance(failure, Unsent)
    assert seconds < 1.0


def test_a_read_time_out_is_shorter_than_the_whole_calls() -> None:
    limits = Limits(connect_seconds=1, read_seconds=0.2, total_seconds=5)
    with hostile(lambda visit: time.sleep(1)) as server:
        _, seconds = failure_of(server.url, limits)
    assert seconds < 1.0


def test_limits_from_one_setting_let_no_part_outlive_it() -> None:
    assert Limits.within(15) == Limits(5.0, 15, 15)
    assert Limits.within(2) == Limits(2, 2, 2)


# --- bytes ------------------------------------------------------------------------------------------


def small(max_bytes: int = 100_000) -> Limits:
    return Limits(1, 2, 5, max_bytes)


def test_a_body_that_is_too_large_is_refused_and_names_the_field() -> None:
    with hostile(lambda visit: visit.reply(b"x" * 200_000)) as server:
        failure, _ = failure_of(server.url, small())
    assert isinstance(failure, BadResponse)
    assert failure.field == "body"
    assert "larger than 100000 bytes" in failure.detail


def test_a_body_without_end_is_cut_and_its_connection_closed() -> None:
    cut: list[bool] = []

    def endless(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        try:
            for _ in range(10_000):
                visit.send(b"x" * 65_536)
        except OSError:
            cut.append(True)

    with hostile(endless) as server:
        failure, _ = failure_of(server.url, small())
    assert isinstance(failure, BadResponse)
    assert cut == [True]


def bomb(megabytes: int) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb") as packed:
        for _ in range(megabytes):
            packed.write(b"\0" * 1024 * 1024)
    return buffer.getvalue()


@pytest.mark.parametrize("encodings", ["gzip", "deflate", "gzip, gzip"])
def test_a_bomb_of_compressed_zeros_is_counted_as_it_unpacks(encodings: str) -> None:
    packed = bomb(100)
    if encodings == "deflate":
        packed = zlib.compress(b"\0" * 100 * 1024 * 1024)
    if encodings == "gzip, gzip":
        packed = gzip.compress(packed)
    with hostile(lambda visit: visit.reply(packed, f"Content-Encoding: {encodings}")) as server:
        tracemalloc.start()
        try:
            failure, _ = failure_of(server.url, small(1_000_000))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert isinstance(failure, BadResponse)
    assert peak < 12_000_000


def test_a_good_gzip_body_is_unpacked() -> None:
    packed = gzip.compress(b'{"a": 1}')
    with hostile(lambda visit: visit.reply(packed, "Content-Encoding: gzip")) as server:
        assert ask(server.url).json() == {"a": 1}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda v: v.reply(b"no gzip", "Content-Encoding: gzip"), id="false gzip"),
        pytest.param(
            lambda v: (
                v.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"),
                v.connection.close(),
            ),
            id="cut body",
        ),
        pytest.param(lambda v: (v.send(b"220 smtp ready\r\n"), v.connection.close()), id="not HTTP"),
        pytest.param(lambda v: v.connection.close(), id="nothing"),
        pytest.param(lambda v: v.send(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500), id="headers"),
        pytest.param(lambda v: v.send(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 90_000), id="a header"),
        pytest.param(
            lambda v: v.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            id="chunk size",
        ),
        pytest.param(
            lambda v: v.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
            id="two lengths",
        ),
    ],
)  # fmt: skip
def test_what_is_not_an_answer_is_one_typed_failure_that_names_the_field(answer: Any) -> None:
    with hostile(answer) as server:
        failure, seconds = failure_of(server.url)
    assert isinstance(failure, (BadResponse, PlatformUnavailable))
    assert failure.field == "body"
    assert seconds < 1.0


# --- manners ----------------------------------------------------------------------------------------


def test_a_redirect_is_handed_on_and_never_followed() -> None:
    with (
        hostile(lambda visit: visit.reply(b"elsewhere")) as elsewhere,
        hostile(
            lambda visit: visit.reply(b"", f"Location: {elsewhere.url}", status="302 Found")
        ) as server,
    ):
        reply = ask(server.url)
        assert (reply.status, reply.headers["location"]) == (302, elsewhere.url)
        assert elsewhere.requests == []


def test_nothing_is_sent_twice() -> None:
    with hostile(lambda visit: visit.connection.close()) as server:
        failure_of(server.url)
        assert len(server.requests) == 1


def test_the_connection_is_kept_alive_and_no_cookie_comes_back() -> None:
    with hostile(lambda visit: visit.reply(b"{}", "Set-Cookie: tracker=1; Path=/")) as server:
        http = Http(SHORT)
        for _ in range(3):
            http.post(server.url, json={"a": 1})
        assert server.connections == 1
        assert not any(b"cookie" in request.lower() for request in server.requests)


def test_a_broken_answer_spoils_only_its_own_connection() -> None:
    answers = iter([b"x" * 300_000, b'{"good": true}'])
    with hostile(lambda visit: visit.reply(next(answers))) as server:
        http = Http(small())
        with pytest.raises(BadResponse):
            http.get(server.url)
        assert http.get(server.url).json() == {"good": True}


def test_parameters_json_and_forms_travel_encoded() -> None:
    with hostile(lambda visit: visit.reply(b"{}")) as server:
        http = Http(SHORT)
        http.get(server.url, params={"fields": "a.b(c){d}"})
        http.post(server.url, json={"ü": [1]})
        http.post(server.url, data={"code": "a*0!b+c"})
    query, json, form = server.requests
    assert b"fields=a.b%28c%29%7Bd%7D" in query
    assert b"Content-Type: application/json" in json
    assert json.endswith(b'{"\\u00fc":[1]}')
    assert form.endswith(b"code=a%2A0%21b%2Bc")


# --- secrets ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9", "http://no.such.host.invalid", "nonsense", "http://[", "http://x:99999"],
)
def test_an_address_that_leads_nowhere_was_certainly_not_reached(url: str) -> None:
    failure, _ = failure_of(url)
    assert isinstance(failure, Unsent)


def test_no_failure_and_no_log_line_carries_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def everything(failure: BaseException | None) -> str:
        told = ""
        while failure is not None:
            told += f"{failure!r} {failure} {vars(failure)}"
            failure = failure.__cause__ or failure.__context__
        return told

    answers = [
        lambda v: v.connection.close(),
        lambda v: v.reply(b"x" * 200_000),
        lambda v: v.send(b"HTTP/1.1 200 OK\r\nbad header\r\nContent-Length: 2\r\n\r\n{}"),
        lambda v: v.reply(SECRET.encode()),
    ]
    told = ""
    for answer in answers:
        with hostile(answer) as server:
            try:
                reply = Http(small()).get(
                    f"{server.url}/?access_token={SECRET}",
                    headers={"Authorization": f"Bearer {SECRET}"},
                )
                told += repr(reply)
                reply.json()
            except Failure as failure:
                told += everything(failure)
    for bad in (f"{SECRET}\r\nX: y", f"{SECRET}…"):
        with pytest.raises(Failure) as caught, hostile(lambda v: v.reply(b"")) as server:
            Http(small()).get(server.url, headers={"Authorization": bad})
        told += everything(caught.value)
    assert SECRET not in told
    assert SECRET not in caplog.text


# --- their clock -------------------------------------------------------------------------------------

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "wait"),
    [
        ("120", timedelta(minutes=2)),
        ("99999999999999999999", timedelta(days=1)),
        ("Sat, 10 Jan 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Sat, 10 Jan 2026 12:05:00 -0000", timedelta(minutes=5)),
        ("Fri, 31 Dec 9999 23:59:59 -1200", timedelta(days=1)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", timedelta(0)),
        ("Fri, 31 Dec 99999999999999999999 23:59:59 GMT", None),
        ("Sat, 10 Jan 2026 12:05:00 +99999999999999999999", None),
        ("Sat, 10 Jan 2026 23:59:60 GMT", None),
        ("-5", None),
        ("1e9", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_wait_is_believed_for_a_day_at_most_and_only_where_it_is_one(
    told: str, wait: timedelta | None
) -> None:
    reply = Reply(429, {"retry-after": told, "date": told}, b"")
    assert reply.retry_at(NOON) == (None if wait is None else NOON + wait)
    assert reply.date is None or reply.date.tzinfo is not None


# --- JSON -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html></html>", b'{"a": ', b"[" * 200_000, b'{"a":' * 100_000, b"\xff\xfe\xfd", b"{'a': 1}",
        b"1" * 5000, b'{"a": 1} trailing',
    ],
    ids=["empty", "html", "cut", "deep list", "deep object", "bytes", "quotes", "digits", "rest"],
)  # fmt: skip
def test_a_body_that_is_not_json_is_a_bad_response_of_its_platform(body: bytes) -> None:
    with pytest.raises(BadResponse) as caught:
        Reply(200, {}, body, "YOUTUBE").json()
    assert (caught.value.platform, caught.value.field) == ("YOUTUBE", "body")
    assert caught.value.__context__ is None


def test_nan_and_infinity_are_null_and_a_key_told_twice_counts_last() -> None:
    body = b'{"a": NaN, "b": -Infinity, "c": 1, "c": 2}'
    assert Reply(200, {}, body).json() == {"a": None, "b": None, "c": 2}
