"""Two who want different things of one talent at the same moment: each gets a true answer."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection as database
from django.db import transaction
from django.test import Client
from PIL import Image
from rest_framework.test import APIClient

from socials.models import Connection
from talent.models import Talent, User
from tests.conftest import clients_waiting, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def meanwhile(
    client_of: Callable[[User], APIClient], alice: User
) -> Callable[..., Future[tuple[int, Any]]]:
    """Sends a manager's request from a thread of its own: status and body of the answer, later."""
    api = client_of(alice)

    def send(
        method: str, path: str, *, by: Client | None = None, **options: Any
    ) -> Future[tuple[int, Any]]:
        def ask() -> tuple[int, Any]:
            try:
                answer = getattr(by or api, method)(path, **options)
                return answer.status_code, answer.content if by else api_told(answer)
            finally:
                database.close()

        with_one = ThreadPoolExecutor(1)
        future = with_one.submit(ask)
        with_one.shutdown(wait=False)
        return future

    return send


def api_told(answer: Any) -> Any:
    return answer.json() if answer.content else None


def test_a_talent_and_its_account_may_be_deleted_by_two_at_once(
    jane: Talent, connect: Callable[..., Connection], meanwhile: Callable[..., Any]
) -> None:
    first, second = connect("INSTAGRAM"), connect("TIKTOK")
    with transaction.atomic():
        Connection.objects.select_for_update().get(pk=second.pk)  # a sync that is storing
        part = meanwhile("delete", f"/api/admin/socials/{second.pk}")
        until(lambda: clients_waiting() == 1, what="the account's deletion")
        whole = meanwhile("delete", f"/api/admin/talent/{jane.pk}")
        until(lambda: clients_waiting() == 2, what="the talent's deletion")
    assert (part.result(10)[0], whole.result(10)[0]) == (204, 204)
    assert not Connection.objects.filter(pk__in=[first.pk, second.pk]).exists()


def test_a_photo_for_a_talent_who_is_being_deleted_is_404(
    jane: Talent,
    read_account: Callable[..., Connection],
    meanwhile: Callable[..., Any],
    settings: Any,
    tmp_path: Path,
) -> None:
    settings.MEDIA_ROOT = tmp_path
    read_account()
    out = io.BytesIO()
    Image.new("RGB", (200, 200), "teal").save(out, "PNG")
    image = SimpleUploadedFile("photo.png", out.getvalue(), "image/png")
    path = f"/api/admin/talent/{jane.pk}/profile-image"
    with transaction.atomic():
        Talent.objects.select_for_update(no_key=True).get(pk=jane.pk)
        upload = meanwhile("put", path, data={"image": image}, format="multipart")
        until(lambda: clients_waiting() == 1, what="the upload")
        refresh = meanwhile("post", f"{path}/sync", data={}, format="json")
        until(lambda: clients_waiting() == 2, what="the refresh")
        jane.delete()
    for answer in (upload, refresh):
        status, told = answer.result(10)
        assert (status, told["error"]) == (404, "NOT_FOUND")


def test_a_press_on_a_page_for_an_account_that_is_being_deleted_is_not_found(
    read_account: Callable[..., Connection],
    meanwhile: Callable[..., Any],
    client: Client,
    alice: User,
) -> None:
    client.force_login(alice)
    client.raise_request_exception = False
    row = read_account()
    with transaction.atomic():
        Connection.objects.select_for_update().get(pk=row.pk)
        press = meanwhile("post", f"/connection/{row.pk}/sync", by=client)
        until(lambda: clients_waiting() == 1, what="the press")
        row.delete()
    status, page = press.result(10)
    assert status == 404
    assert b"<h1" in page
