"""The photo through the API: shapes, refusals, roles."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image
from rest_framework.test import APIClient

from socials.models import Connection, Profile
from talent.models import Talent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def storage(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def png(side: int = 200) -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (side, side), "teal").save(out, "PNG")
    return SimpleUploadedFile("photo.png", out.getvalue(), "image/png")


def account(talent: Talent, avatar_url: str) -> Connection:
    row = Connection.objects.create(
        talent=talent,
        platform="INSTAGRAM",
        handle="janesmith",
        handle_key="janesmith",
        profile_url="https://www.instagram.com/janesmith/",
        sync_status="READY",
    )
    Profile.objects.create(
        connection=row, source="test", fetched_at=timezone.now(), avatar_url=avatar_url
    )
    return row


def address(talent: Talent, more: str = "") -> str:
    return f"/api/admin/talent/{talent.pk}/profile-image{more}"


def test_a_talent_without_accounts_shows_initials(alice_api: APIClient, jane: Talent) -> None:
    body = alice_api.get(address(jane)).json()
    assert body == {
        "success": True,
        "data": {
            "talentId": jane.pk,
            "talentName": "Jane Smith",
            "profileImageUrl": None,
            "profileImageSource": "initials",
            "lastProfileImageSyncAt": None,
            "connectedPlatforms": [],
            "canAutoSync": False,
            "nextSyncRecommended": False,
        },
    }


def test_refreshing_without_accounts_fails_in_words(alice_api: APIClient, jane: Talent) -> None:
    answer = alice_api.post(address(jane, "/sync"), {}, format="json")
    assert answer.status_code == 502
    assert answer.json()["error"] == "SYNC_FAILED"
    assert (
        answer.json()["message"]
        == "Failed to sync profile image: No valid social accounts connected"
    )


def test_refreshing_takes_the_accounts_picture(
    alice_api: APIClient, jane: Talent, platform_settings: dict[str, str], sandbox: Any
) -> None:
    account(jane, f"{sandbox.origin}/cdn/youtube/avatar/janesmith.jpg?s=320")
    answer = alice_api.post(address(jane, "/sync"), {"forceRefresh": True}, format="json")
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["message"] == "Profile image updated from instagram"
    assert body["data"]["updated"] is True
    assert body["data"]["source"] == "instagram"
    assert body["data"]["imageUrl"].endswith("-512.webp")
    told = alice_api.get(address(jane)).json()["data"]
    assert told["connectedPlatforms"] == [
        {"platform": "instagram", "handle": "janesmith", "hasProfileImage": True}
    ]
    assert (told["canAutoSync"], told["nextSyncRecommended"]) == (True, False)


def test_a_picture_that_cant_be_had_says_why_and_keeps_what_there_is(
    alice_api: APIClient, jane: Talent
) -> None:
    account(jane, "https://evil.example/a.jpg")
    answer = alice_api.post(address(jane, "/sync"), {}, format="json")
    assert answer.status_code == 502
    assert answer.json()["message"] == (
        "Failed to sync profile image: Instagram: The picture is on a server that isn't "
        "the platform's. Initials stay."
    )


def test_an_upload_wins_and_its_removal_gives_way(alice_api: APIClient, jane: Talent) -> None:
    answer = alice_api.put(address(jane), {"image": png()}, format="multipart")
    assert answer.status_code == 200, answer.json()
    assert answer.json()["data"]["profileImageSource"] == "manual"
    assert answer.json()["data"]["canAutoSync"] is False
    removed = alice_api.delete(address(jane))
    assert removed.json()["data"]["profileImageSource"] == "initials"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "This file isn't a JPEG, PNG or WebP image.",
        ),
        (b"", "This file isn't a JPEG, PNG or WebP image."),
    ],
)
def test_what_is_no_photo_is_refused_by_name(
    alice_api: APIClient, jane: Talent, content: bytes, words: str
) -> None:
    file = SimpleUploadedFile("photo.jpg", content, "image/jpeg")
    answer = alice_api.put(address(jane), {"image": file}, format="multipart")
    assert answer.status_code == 400
    assert answer.json()["details"] == {"image": [words]}


def test_nine_megabytes_are_too_large(alice_api: APIClient, jane: Talent) -> None:
    file = SimpleUploadedFile("photo.jpg", bytes(9 * 1024 * 1024), "image/jpeg")
    answer = alice_api.put(address(jane), {"image": file}, format="multipart")
    assert (answer.status_code, answer.json()["error"]) == (413, "PAYLOAD_TOO_LARGE")


def test_json_instead_of_a_form_is_415_and_no_image_400(alice_api: APIClient, jane: Talent) -> None:
    assert alice_api.put(address(jane), {"image": "x"}, format="json").status_code == 415
    answer = alice_api.put(address(jane), {}, format="multipart")
    assert answer.status_code == 400
    assert "image" in answer.json()["details"]


def test_a_viewer_looks_and_changes_nothing(victor_api: APIClient, jane: Talent) -> None:
    assert victor_api.get(address(jane)).status_code == 200
    assert victor_api.post(address(jane, "/sync"), {}, format="json").status_code == 403
    assert victor_api.put(address(jane), {"image": png()}, format="multipart").status_code == 403
    assert victor_api.delete(address(jane)).status_code == 403


def test_an_unknown_talent_is_404(alice_api: APIClient) -> None:
    assert alice_api.get("/api/admin/talent/999999/profile-image").status_code == 404
    answer = alice_api.post("/api/admin/talent/999999/profile-image/sync", {}, format="json")
    assert answer.status_code == 404


def test_a_form_of_too_many_files_is_refused_as_the_senders_fault(
    alice_api: APIClient, jane: Talent
) -> None:
    files = {f"file{n}": SimpleUploadedFile("x.png", b"x", "image/png") for n in range(150)}
    answer = alice_api.put(address(jane), files, format="multipart")
    assert (answer.status_code, answer.json()["error"]) == (400, "VALIDATION_ERROR")
