"""A talent's browser on its way through a sandbox platform's consent page."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client

from scraping.http import Http, Limits
from socials import invites
from socials.models import Invite
from talent.models import Talent, User

HTTP = Http(Limits.within(10))


def invited(talent: Talent, *wanted: str, by: User | None = None, **options: Any) -> Invite:
    return invites.create(talent, wanted=wanted, actor=by, **options)


def start(client: Client, platform: str, invite: Invite, **query: str) -> str:
    """The platform's address to which the browser is sent."""
    answer = client.get(f"/oauth/{platform}/start", {"link": invite.token, **query})
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def consented(url: str, handle: str = "jane.smith", **more: str) -> str:
    """The path and query to which the platform sends the browser back."""
    answer = HTTP.get(url, params={"handle": handle, **more})
    assert answer.status == 302, answer.body
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


def refused(url: str) -> str:
    answer = HTTP.get(url, params={"cancel": "1"})
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


def go(client: Client, platform: str, invite: Invite, handle: str = "jane.smith", **m: str) -> Any:
    """To the platform, yes there, and back: the page "is this the right account?"."""
    back = consented(start(client, platform, invite), handle, **m)
    return client.get(back, follow=True)


def say(client: Client, page: Any, answer: str) -> Any:
    """Answer the question of that page."""
    return client.post(page.redirect_chain[-1][0], {"answer": answer}, follow=True)


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
