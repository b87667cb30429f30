"""New keys: every secret is encrypted with the first one, and nothing is lost on the way."""

from __future__ import annotations

import io
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection as database

from socials import rotation
from socials.models import Grant, Invite, Revocation
from talent.models import Talent
from tests.socials.grant_stage import granted
from tests.socials.oauth_stage import invited

pytestmark = pytest.mark.django_db


def stored() -> list[str]:
    """Everything that is in an encrypted column, as it lies in the database."""
    values: list[str] = []
    with database.cursor() as cursor:
        for model, columns in rotation.secrets():
            for column in columns:
                cursor.execute(f'SELECT "{column}" FROM {model._meta.db_table}')
                values += [value for (value,) in cursor.fetchall() if value]
    return values


def rotate() -> str:
    out = io.StringIO()
    call_command("rotate_token_keys", stdout=out)
    return out.getvalue()


@pytest.fixture
def secrets(jane: Talent, settings: Any, platform_settings: Any) -> Invite:
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    for number in range(5):
        granted(jane, handle=f"jane{number}", open_id=f"open-{number}")
    Revocation.take("TIKTOK", access_token="given up")
    return invited(jane)


def test_the_old_key_can_go_afterwards(secrets: Invite, settings: Any) -> None:
    [old] = settings.TOKEN_ENCRYPTION_KEYS
    new = Fernet.generate_key().decode()
    settings.TOKEN_ENCRYPTION_KEYS = [new, old]
    before = stored()
    assert "7 rows" in rotate()
    after = stored()
    assert len(after) == len(before) == 12
    assert not set(before) & set(after)
    settings.TOKEN_ENCRYPTION_KEYS = [new]
    assert {grant.access_token for grant in Grant.objects.all()} == {"act.0"}
    assert {grant.refresh_token for grant in Grant.objects.all()} == {"rft.0"}
    assert Revocation.objects.get().access_token == "given up"
    assert Revocation.objects.get().refresh_token == ""
    assert Invite.objects.get().token == secrets.token


def test_batches_leave_no_row_out(
    secrets: Invite, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    [old] = settings.TOKEN_ENCRYPTION_KEYS
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), old]
    assert sorted(rotation.rotate()) == [1, 1, 1, 2, 2]
    settings.TOKEN_ENCRYPTION_KEYS = settings.TOKEN_ENCRYPTION_KEYS[:1]
    assert len(list(Grant.objects.all())) == 5


def test_a_missing_key_is_named_and_nothing_is_spoilt(secrets: Invite, settings: Any) -> None:
    [old] = settings.TOKEN_ENCRYPTION_KEYS
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    before = stored()
    with pytest.raises(CommandError, match="TOKEN_ENCRYPTION_KEYS"):
        rotate()
    assert stored() == before
    with pytest.raises(ImproperlyConfigured):
        Grant.objects.first()
    settings.TOKEN_ENCRYPTION_KEYS = [old]
    assert Grant.objects.count() == 5


def test_every_token_column_is_among_them() -> None:
    names = {model.__name__ for model, _ in rotation.secrets()}
    assert names >= {"Grant", "Revocation", "Invite", "PendingGrant"}
