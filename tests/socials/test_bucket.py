"""Pictures in an S3-compatible bucket: kept there, shown from there, swept there."""

from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from moto.server import ThreadedMotoServer
from PIL import Image
from rest_framework.test import APIClient

from config.storage import place
from socials import erasure, tasks, thumbnails
from socials.images import files, pick
from socials.images.storage import keeper
from socials.models import Connection, Photo
from socials.sandbox import Sandbox
from talent.models import Talent, User
from tests.conftest import ROOT
from tests.intelligence import stage

pytestmark = pytest.mark.django_db

SECRET = "wJalr/XUtn+FEMI=K7"  # as they are: with a slash, unescaped


@pytest.fixture(scope="module")
def amazon() -> Iterator[str]:
    """A real HTTP server that speaks S3: its host and port."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(amazon: str, settings: Any) -> Iterator[Callable[..., str]]:
    """Use the bucket, with more options; tells its address."""

    def use(options: str = "", *, host: str = amazon) -> str:
        found = place(
            f"s3://AKIDEXAMPLE:{SECRET}@{host}/pictures/house?tls=off&region=eu-west-1{options}",
            public_url="http://127.0.0.1",
        )
        settings.STORAGES = {**settings.STORAGES, "default": found.storage}
        return f"http://{amazon}/pictures/house"

    requests.post(f"http://{amazon}/moto-api/reset", timeout=10)
    use()
    keeper.client.create_bucket(
        Bucket="pictures", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    return use


def png(colour: str = "teal") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (600, 400), colour).save(out, "PNG")
    return out.getvalue()


def names() -> list[str]:
    return sorted(path for path, _ in keeper.walk("photos"))


def test_an_upload_lies_in_the_bucket_and_a_browser_gets_it_from_there(
    bucket: Any, alice_api: APIClient, jane: Talent
) -> None:
    origin = bucket()
    image = SimpleUploadedFile("jane.png", png(), "image/png")
    answer = alice_api.put(f"/api/admin/talent/{jane.pk}/profile-image", {"image": image})
    url = answer.json()["data"]["profileImageUrl"]
    assert url.startswith("/media/photos/")  # the same wherever pictures lie
    assert len(names()) == 4

    shown = Client().get(url)
    assert shown.status_code == 302
    assert shown["Location"].startswith(f"{origin}/photos/")
    assert "X-Amz-Signature=" in shown["Location"]
    assert SECRET not in shown["Location"]
    assert shown["Cache-Control"] == "public, max-age=43200, immutable"
    got = requests.get(shown["Location"], timeout=10)
    assert got.status_code == 200
    assert got.headers["Content-Type"] == "image/webp"
    assert "immutable" in got.headers["Cache-Control"]
    assert Image.open(io.BytesIO(got.content)).size == (512, 512)


def test_a_public_address_is_used_as_it_is_and_remembered_for_a_year(
    bucket: Any, jane: Talent, alice: User, django_assert_num_queries: Any
) -> None:
    bucket("&public_url=https://photos.example.com/roster/")
    url = pick.upload(jane.pk, png(), actor=alice).image_url
    with django_assert_num_queries(0):
        shown = Client().get(url.replace("-512", "-64"))
    name = url.rpartition("/")[2].replace("-512", "-64")
    assert shown["Location"] == (
        f"https://photos.example.com/roster/house/photos/{name[:2]}/{name}"
    )
    assert "max-age=31536000" in shown["Cache-Control"]
    assert Client().get(url.replace("-512", "-513")).status_code == 404


def test_the_focus_is_moved_on_the_master_in_the_bucket(
    bucket: Any, jane: Talent, alice: User
) -> None:
    before = pick.upload(jane.pk, png(), actor=alice).image_url
    photo = Photo.objects.get()
    image = Image.linear_gradient("L").rotate(90).resize((600, 300)).convert("RGB")
    out = io.BytesIO()
    image.save(out, "WEBP")
    keeper.put(files.path(photo.name, "master"), out.getvalue())
    after = pick.set_focus(jane.pk, photo.pk, pick.Focus(0.0, 0.5), actor=alice).image_url
    assert after != before
    assert len(names()) == 8


def test_files_that_nothing_uses_are_swept_and_used_ones_stay(
    bucket: Any, jane: Talent, alice: User
) -> None:
    pick.upload(jane.pk, png("red"), actor=alice)
    pick.upload(jane.pk, png("gold"), actor=alice)
    keeper.put("photos/readme.txt", b"somebody else's")
    tasks.sweep_photos()
    assert len(names()) == 9  # a row may be just coming
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        tasks.sweep_photos()
    used = Photo.objects.get().name
    assert names() == sorted([*files.paths(used), "photos/readme.txt"])


def test_pictures_of_posts_lie_there_too_and_an_erasure_takes_all(
    bucket: Any,
    jane: Talent,
    alice: User,
    sandbox: Sandbox,
    platform_settings: dict[str, str],
    django_capture_on_commit_callbacks: Any,
) -> None:
    row = stage.account(jane, followers=1000)
    stage.post(
        row,
        posted_at=timezone.now() - timedelta(days=1),
        thumbnail_url=f"{sandbox.origin}/cdn/youtube/post/jane-1.jpg?s=640",
    )
    assert thumbnails.keep(jane.pk) == 1
    pick.upload(jane.pk, png(), actor=alice)
    (url,) = thumbnails.urls(list(row.posts.values_list("pk", flat=True))).values()
    assert requests.get(Client().get(url)["Location"], timeout=10).content.startswith(b"RIFF")
    with django_capture_on_commit_callbacks(execute=True):
        receipt = erasure.erase(jane.pk, actor=alice)
    assert receipt.erased["files"] == 5
    assert names() == []
    assert list(keeper.walk("thumbs")) == []


def test_a_bucket_that_is_away_changes_nothing_and_is_told_in_words(
    bucket: Any,
    alice_api: APIClient,
    jane: Talent,
    alice: User,
    sandbox: Sandbox,
    platform_settings: dict[str, str],
) -> None:
    row = stage.account(jane, followers=1000)
    row.profile.avatar_url = f"{sandbox.origin}/cdn/youtube/avatar/jane.jpg"
    row.profile.save()
    first = pick.upload(jane.pk, png(), actor=alice).image_url
    bucket(host="127.0.0.1:9")
    image = SimpleUploadedFile("jane.png", png("gold"), "image/png")
    answer = alice_api.put(f"/api/admin/talent/{jane.pk}/profile-image", {"image": image})
    assert answer.status_code == 503
    assert answer.json()["error"] == "UNAVAILABLE"
    assert "storage" in answer.json()["message"]
    Photo.objects.all().delete()
    picked = pick.refresh(jane.pk, force=True)
    assert [failure.code for failure in picked.failed] == ["NOT_KEPT"]
    assert Client().get(first).status_code == 302  # signing asks nobody
    assert Connection.objects.get().sync_status == "READY"


def test_the_content_policy_lets_pictures_come_from_the_bucket_and_nothing_else() -> None:
    script = "from config import settings; print(settings.CONTENT_SECURITY_POLICY['DIRECTIVES'])"
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
        "STORAGE_URL": "s3://KEY:SECRET@s3.eu-west-3.amazonaws.com/photos",
    }
    told = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    policy = ast.literal_eval(told)
    origin = "https://photos.s3.eu-west-3.amazonaws.com"
    assert policy["img-src"] == ["'self'", "data:", origin]
    assert [name for name, from_ in policy.items() if origin in from_] == ["img-src"]
