"""The linked user's avatar stands in where no account has a picture; it is kept and served here."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django_q.models import OrmQ
from PIL import Image
from pytest_httpserver import HTTPServer

from socials import erasure, tasks
from socials.images import linked, pick
from talent.models import Talent, User

pytestmark = pytest.mark.django_db


def png(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (200, 200), colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def web(httpserver: HTTPServer, settings: Any) -> HTTPServer:
    settings.SANDBOX_HOSTS = [f"{httpserver.host}:{httpserver.port}"]
    httpserver.expect_request("/me.png").respond_with_data(png("teal"), content_type="image/png")
    return httpserver


@pytest.fixture
def user(web: HTTPServer) -> User:
    return User.objects.create_user("jane", "jane@example.com", avatar_url=web.url_for("/me.png"))


def jobs() -> int:
    return OrmQ.objects.count()


def test_linking_a_user_copies_the_avatar_in_the_background_and_the_pages_show_it(
    jane: Talent, user: User, alice: User, client: Client
) -> None:
    jane.linked_user = user
    jane.save()
    assert jobs() == 1
    client.force_login(alice, backend="talent.backends.RoleBackend")
    tasks.keep_linked_avatar(jane.pk)
    jane.refresh_from_db()
    assert jane.linked_image_url.startswith("/media/photos/")
    assert (jane.profile_image_url, jane.profile_image_source) == ("", "initials")
    small = jane.linked_image_url.replace("-512", "-128")
    for page in ("/", f"/talent/{jane.pk}"):
        shown = client.get(page).content.decode()
        assert f'src="{small}"' in shown
        assert "Photo from" not in shown  # its source is no platform
    assert b"".join(client.get(small).streaming_content).startswith(b"RIFF")
    assert linked.due() == []


def test_an_accounts_picture_and_an_upload_come_before_it(
    jane: Talent, user: User, alice: User
) -> None:
    Talent.objects.filter(pk=jane.pk).update(linked_user=user)
    tasks.keep_linked_avatar(jane.pk)
    uploaded = pick.upload(jane.pk, png("gold"), actor=alice).image_url
    jane.refresh_from_db()
    assert jane.shown_image_url == uploaded
    pick.remove_upload(jane.pk, actor=alice)
    jane.refresh_from_db()
    assert jane.shown_image_url == jane.linked_image_url != ""


def test_another_avatar_and_no_user_any_more_are_noticed(
    jane: Talent, user: User, web: HTTPServer
) -> None:
    Talent.objects.filter(pk=jane.pk).update(linked_user=user)
    tasks.keep_linked_avatar(jane.pk)
    jane.refresh_from_db()
    first = jane.linked_image_url
    user.save(update_fields=["last_login"])
    assert jobs() == 0
    web.expect_request("/other.png").respond_with_data(png("red"), content_type="image/png")
    user.avatar_url = web.url_for("/other.png")
    user.save()
    assert jobs() == 1
    tasks.keep_linked_avatar(jane.pk)
    jane.refresh_from_db()
    assert jane.linked_image_url not in ("", first)
    jane.linked_user = None
    jane.save(update_fields=["linked_user"])
    tasks.keep_linked_avatar(jane.pk)
    jane.refresh_from_db()
    assert jane.linked_image_url == ""


@pytest.mark.parametrize(
    "address",
    [
        "http://images.example/me.png",
        "https://127.0.0.1/me.png",
        "https://10.0.0.7/me.png",
        "https://images.example:8443/me.png",
        "https://ui-avatars.com/api/?name=Jane",
    ],
)
def test_an_unsafe_address_or_a_placeholder_leaves_initials_and_is_due_again(
    jane: Talent, user: User, address: str, media: Path
) -> None:
    User.objects.filter(pk=user.pk).update(avatar_url=address)
    Talent.objects.filter(pk=jane.pk).update(linked_user=user)
    tasks.keep_linked_avatar(jane.pk)
    jane.refresh_from_db()
    assert jane.linked_image_url == ""
    assert list(media.rglob("*.webp")) == []
    assert linked.due() == [jane.pk]
    tasks.refresh_all_photos()  # the daily round asks once more
    assert jobs() == 1


def test_its_files_are_not_swept_while_shown_and_go_with_an_erasure(
    jane: Talent,
    user: User,
    alice: User,
    media: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:
    Talent.objects.filter(pk=jane.pk).update(linked_user=user)
    tasks.keep_linked_avatar(jane.pk)
    for file in media.rglob("*.webp"):
        os.utime(file, (1, 1))
    tasks.sweep_photos()
    assert len(list(media.rglob("*.webp"))) == 4
    with django_capture_on_commit_callbacks(execute=True):
        erasure.erase(jane.pk, actor=alice)
    assert list(media.rglob("*.webp")) == []
