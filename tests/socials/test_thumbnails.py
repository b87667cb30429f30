"""Posts' pictures: fetched in the background, kept, served, let go; no page shows a CDN's address."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from socials import connections, erasure, kits, tasks, thumbnails
from socials.models import Connection, Post, Thumbnail
from socials.sandbox import Sandbox
from talent.models import Talent, User
from tests.intelligence import stage

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path, platform_settings: dict[str, str]) -> Path:
    settings.MEDIA_ROOT = tmp_path
    cache.clear()
    return tmp_path


@pytest.fixture
def row(jane: Talent) -> Connection:
    return stage.account(jane, followers=1000)


def a_post(row: Connection, sandbox: Sandbox, number: int, **fields: Any) -> Post:
    return stage.post(
        row,
        **{
            "posted_at": timezone.now() - timedelta(days=number + 1),
            "thumbnail_url": f"{sandbox.origin}/cdn/youtube/post/jane-{number}.jpg?s=640",
        }
        | fields,
    )


def files(media: Path) -> list[Path]:
    return sorted(media.rglob("*.webp"))


def test_pictures_are_kept_and_served_from_here_for_ever(
    jane: Talent, row: Connection, sandbox: Sandbox
) -> None:
    post = a_post(row, sandbox, 0)
    assert thumbnails.keep(jane.pk) == 1
    assert thumbnails.keep(jane.pk) == 0  # once is enough
    (url,) = thumbnails.urls([post.pk]).values()
    assert url.startswith("/media/thumbs/")
    answer = Client().get(url)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/webp"
    assert "immutable" in answer["Cache-Control"]
    assert b"".join(answer.streaming_content).startswith(b"RIFF")
    assert Client().get(url, HTTP_IF_NONE_MATCH=answer["ETag"]).status_code == 304
    assert Client().get("/media/thumbs/00/" + "0" * 40 + ".webp").status_code == 404
    assert Client().get("/media/thumbs/00/secrets.txt").status_code == 404
    answer.close()


def test_the_page_asks_once_and_shows_the_picture_when_it_is_there(
    jane: Talent, row: Connection, sandbox: Sandbox, alice: User
) -> None:
    browser = Client()
    browser.force_login(alice, backend="talent.backends.RoleBackend")
    a_post(row, sandbox, 0)
    address = f"/talent/{jane.pk}/intelligence"
    first = browser.get(address)
    browser.get(address)
    assert OrmQ.objects.count() == 1  # two readers, one job
    assert "/cdn/" not in first.content.decode()
    tasks.keep_thumbnails(jane.pk)
    live = browser.get(f"{address}/live?version={first.context['version']}")
    assert live.status_code == 200  # the poll notices
    assert "/media/thumbs/" in live.content.decode()
    kit = Client().get(f"/kit/{kits.create(jane).token}").content.decode()
    assert "/media/thumbs/" in kit
    assert "/cdn/" not in kit


def test_only_the_newest_and_the_best_are_kept(
    jane: Talent, row: Connection, sandbox: Sandbox
) -> None:
    best = a_post(row, sandbox, 99, likes=900)
    for number in range(13):
        a_post(row, sandbox, number, likes=100 + number)
    old = a_post(row, sandbox, 200, likes=1)
    thumbnails.keep(jane.pk)
    kept = set(Thumbnail.objects.values_list("post_id", flat=True))
    assert best.pk in kept
    assert old.pk not in kept
    Post.objects.filter(pk=best.pk).update(likes=0)
    thumbnails.keep(jane.pk)
    assert best.pk not in set(Thumbnail.objects.values_list("post_id", flat=True))


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://evil.example/x.jpg", "HOST_REFUSED"),
        ("http://127.0.0.1:1/x.jpg", "HOST_REFUSED"),
        ("{origin}/cdn/nothing-here.txt", "EXPIRED"),
    ],
)
def test_what_is_refused_is_written_down_and_tried_again_after_a_day(
    jane: Talent, row: Connection, sandbox: Sandbox, url: str, code: str, media: Path
) -> None:
    a_post(row, sandbox, 0, thumbnail_url=url.format(origin=sandbox.origin))
    assert thumbnails.keep(jane.pk) == 0
    assert Thumbnail.objects.get().refused == code
    assert files(media) == []
    before = Thumbnail.objects.get().checked_at
    thumbnails.keep(jane.pk)
    assert Thumbnail.objects.get().checked_at == before
    Thumbnail.objects.update(checked_at=timezone.now() - timedelta(hours=25))
    thumbnails.keep(jane.pk)
    assert Thumbnail.objects.get().checked_at > before


def test_a_job_takes_no_more_than_its_share(
    jane: Talent, row: Connection, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "AT_ONCE", 2)
    for number in range(3):
        a_post(row, sandbox, number)
    assert thumbnails.keep(jane.pk) == 2
    assert thumbnails.keep(jane.pk) == 1


def test_files_of_a_deleted_account_are_swept_after_their_grace(
    jane: Talent, row: Connection, sandbox: Sandbox, media: Path
) -> None:
    a_post(row, sandbox, 0)
    thumbnails.keep(jane.pk)
    (file,) = files(media)
    tasks.sweep_thumbnails()
    assert file.exists()
    connections.disconnect(row.pk)
    assert not Thumbnail.objects.exists()
    tasks.sweep_thumbnails()
    assert file.exists()  # it may have been written for a row that is just coming
    hours_ago = time.time() - 7200
    os.utime(file, (hours_ago, hours_ago))
    tasks.sweep_thumbnails()
    assert not file.exists()


def test_an_erasure_takes_the_pictures_and_the_kept_figures_along(
    jane: Talent,
    row: Connection,
    sandbox: Sandbox,
    media: Path,
    alice: User,
    django_capture_on_commit_callbacks: Any,
) -> None:
    a_post(row, sandbox, 0)
    kits.create(jane)
    thumbnails.keep(jane.pk)
    with django_capture_on_commit_callbacks(execute=True):
        receipt = erasure.erase(jane.pk, actor=alice)
    assert files(media) == []
    assert receipt.erased["socials_thumbnail"] == 1
    assert receipt.erased["socials_kit_link"] == 1
