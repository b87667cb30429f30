"""The demo roster: people to look at, some of whose accounts go wrong on purpose."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from socials import cast
from socials.models import Connection, Snapshot
from socials.platforms.kit.sandbox import Mood, mood_of
from talent.models import Talent, User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def debug(settings: Any) -> None:
    settings.DEBUG = True


def load(*arguments: str) -> str:
    out = io.StringIO()
    call_command("demo", *arguments, stdout=out)
    return out.getvalue()


def counts() -> tuple[int, int, int, int]:
    return (
        Talent.objects.count(),
        User.objects.count(),
        Connection.objects.count(),
        Snapshot.objects.count(),
    )


def test_it_adds_talents_with_managers_tags_and_accounts_on_every_platform() -> None:
    load()
    assert Talent.objects.count() == len(cast.PEOPLE) >= 24
    assert not Talent.objects.filter(manager=None).exists()
    assert not Talent.objects.filter(tags=[]).exists()
    assert set(Connection.objects.values_list("platform", flat=True)) == {
        "INSTAGRAM", "TIKTOK", "YOUTUBE", "TWITTER", "LINKEDIN",
    }  # fmt: skip


def test_some_accounts_go_wrong_on_purpose() -> None:
    load()
    moods = {mood_of(handle) for handle in Connection.objects.values_list("handle", flat=True)}
    assert {
        Mood.NONEXISTENT, Mood.PRIVATE, Mood.RATELIMITED, Mood.FLAKY, Mood.DOWN, Mood.GARBLED,
    } <= moods  # fmt: skip


def test_the_past_of_a_channel_is_cut_to_three_figures_as_youtube_tells_it() -> None:
    load()
    past = Snapshot.objects.filter(connection__platform="YOUTUBE")
    told = past.values_list("followers", flat=True)
    assert max(told) > 1000
    assert all(len(str(number).rstrip("0")) <= 3 for number in told)


def test_loading_it_again_changes_nothing() -> None:
    load()
    before = counts()
    load()
    assert counts() == before


def test_loading_it_again_keeps_a_password_that_was_changed() -> None:
    load()
    user = User.objects.get(username=cast.MANAGER.username)
    user.set_password("another-password")
    user.save()
    load()
    user.refresh_from_db()
    assert user.check_password("another-password")


@pytest.mark.parametrize("staff", [cast.MANAGER, cast.VIEWER], ids=lambda staff: staff.role)
def test_the_printed_staff_can_sign_in(staff: cast.Staff) -> None:
    told = load()
    assert f"Sign in as {staff.username} / {cast.PASSWORD} ({staff.role})" in told
    page = Client().post("/login", {"username": staff.username, "password": cast.PASSWORD})
    assert page.status_code == 302


def test_in_production_it_wants_a_yes(settings: Any) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="--yes"):
        load()
    assert counts() == (0, 0, 0, 0)
    load("--yes")
    assert Talent.objects.count() == len(cast.PEOPLE)
