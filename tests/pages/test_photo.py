"""The Photo card: look for one, choose, upload, remove, crop; without JavaScript too."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from socials.images import files
from socials.images.pixels import render
from socials.models import Connection, Photo, Profile
from talent.models import Talent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def storage(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def picture(width: int, height: int, colour: str = "teal") -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", (width, height), colour)
    image.paste("gold", (0, 0, width // 3, height))
    image.save(out, "PNG")
    return out.getvalue()


def kept(talent: Talent, platform: str, content: bytes) -> Photo:
    handle = f"jane.{platform.lower()}"
    row = Connection.objects.create(
        talent=talent, platform=platform, handle=handle, handle_key=handle,
        profile_url="https://example.com/", sync_status="READY",
    )  # fmt: skip
    now = timezone.now()
    Profile.objects.create(connection=row, source="test", fetched_at=now)
    made = render(content)
    files.keep(made)
    return Photo.objects.create(
        talent=talent, connection=row, source=platform.lower(), name=made.name, content_hash="x",
        width=made.width, height=made.height, taken_at=now, checked_at=now,
    )  # fmt: skip


def said(client: Client, answer: Any) -> str:
    assert answer.status_code == 302
    return client.get(answer["Location"]).content.decode()


def test_an_upload_is_shown_and_its_removal_gives_way(alice_browser: Client, jane: Talent) -> None:
    image = SimpleUploadedFile("jane.png", picture(300, 300), "image/png")
    page = said(
        alice_browser, alice_browser.post(f"/talent/{jane.pk}/photo/upload", {"image": image})
    )
    assert "Photo uploaded. It stays until you remove it." in page
    assert "Remove uploaded photo" in page
    page = said(alice_browser, alice_browser.post(f"/talent/{jane.pk}/photo/remove"))
    assert "Uploaded photo removed. Initials are shown." in page


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<svg/>", "This file isn&#x27;t a JPEG, PNG or WebP image."),
        (picture(20, 20), "This image is smaller than 48 by 48 pixels."),
        (bytes(9_000_000), "This image is larger than 8 MB."),
    ],
)
def test_a_refused_upload_says_why_and_changes_nothing(
    alice_browser: Client, jane: Talent, content: bytes, words: str
) -> None:
    image = SimpleUploadedFile("jane.png", content, "image/png")
    page = said(
        alice_browser, alice_browser.post(f"/talent/{jane.pk}/photo/upload", {"image": image})
    )
    assert words in page
    assert not Photo.objects.exists()


def test_no_file_at_all_is_told(alice_browser: Client, jane: Talent) -> None:
    page = said(alice_browser, alice_browser.post(f"/talent/{jane.pk}/photo/upload"))
    assert "Choose a JPEG, PNG or WebP file first." in page


def test_another_accounts_picture_can_be_chosen_and_the_usual_order_is_one_press_away(
    alice_browser: Client, jane: Talent
) -> None:
    kept(jane, "INSTAGRAM", picture(200, 200))
    youtube = kept(jane, "YOUTUBE", picture(200, 200, "red"))
    page = alice_browser.get(f"/talent/{jane.pk}/settings").content.decode()
    assert "@jane.youtube" in page
    url = f"/talent/{jane.pk}/photo/choose"
    said(alice_browser, alice_browser.post(url, {"photo": youtube.pk}))
    jane.refresh_from_db()
    assert jane.profile_image_source == "youtube"
    said(alice_browser, alice_browser.post(url, {"photo": ""}))
    jane.refresh_from_db()
    assert jane.profile_image_source == "instagram"


def test_a_click_on_the_uncropped_picture_moves_the_crop(
    alice_browser: Client, jane: Talent
) -> None:
    photo = kept(jane, "INSTAGRAM", picture(600, 200))
    page = alice_browser.get(f"/talent/{jane.pk}/settings").content.decode()
    assert f"{photo.name}-master.webp" in page
    url = f"/talent/{jane.pk}/photo/focus"
    said(alice_browser, alice_browser.post(url, {"photo": photo.pk, "point.x": 0, "point.y": 40}))
    photo.refresh_from_db()
    assert photo.focus_x == 0
    said(alice_browser, alice_browser.post(url, {"photo": photo.pk, "corner": "1,0.5"}))
    photo.refresh_from_db()
    assert (photo.focus_x, photo.focus_y) == (1, 0.5)
    jane.refresh_from_db()
    assert photo.name in jane.profile_image_url


def test_a_square_picture_has_nothing_to_crop(alice_browser: Client, jane: Talent) -> None:
    photo = kept(jane, "INSTAGRAM", picture(300, 300))
    page = alice_browser.get(f"/talent/{jane.pk}/settings").content.decode()
    assert "-master.webp" not in page
    url = f"/talent/{jane.pk}/photo/focus"
    assert alice_browser.post(url, {"photo": photo.pk, "corner": "0.5,0"}).status_code == 404


def test_somebody_elses_picture_can_not_be_chosen(
    alice_browser: Client, jane: Talent, make_talent: Any
) -> None:
    foreign = kept(make_talent("Somebody Else"), "INSTAGRAM", picture(600, 200))
    for part, more in (("choose", {}), ("focus", {"corner": "0.5,0"})):
        answer = alice_browser.post(
            f"/talent/{jane.pk}/photo/{part}", {"photo": foreign.pk, **more}
        )
        assert answer.status_code == 404
    assert alice_browser.post(f"/talent/{jane.pk}/photo/choose", {"photo": "x"}).status_code == 404


@pytest.mark.parametrize("part", ["", "/upload", "/remove", "/choose", "/focus"])
def test_a_viewer_changes_no_photo(victor_browser: Client, jane: Talent, part: str) -> None:
    assert victor_browser.post(f"/talent/{jane.pk}/photo{part}").status_code == 403
