"""The page of a sandbox platform on which a person allows Greenroom in, and the way back."""

from __future__ import annotations

import html
from collections.abc import Mapping
from urllib.parse import urlencode

from socials.platforms.kit.sandbox import Response


def consent(
    platform: str,
    asked: Mapping[str, str],
    *,
    wants: str,
    refusable: Mapping[str, str],
    account: str = "Log in as",
) -> Response:
    """A form that asks again for the same with ``handle``, ``cancel``, and ``without.SCOPE`` ticked.

    ``refusable``: what the person may keep back, scope → words.
    """
    hidden = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in asked.items()
    )
    boxes = "".join(
        f"<p><label><input type=checkbox name='without.{html.escape(scope)}'> "
        f"keep {html.escape(words)} to myself</label></p>"
        for scope, words in refusable.items()
    )
    page = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{platform} (sandbox)</title>"
        "<meta name=viewport content='width=device-width'>"
        "<style>body{font:16px system-ui;max-width:24rem;margin:4rem auto}</style>"
        f"<h1>{platform} sandbox</h1><p>Greenroom asks for {wants}.</p>"
        f"<form>{hidden}<p><label>{account} <input name=handle value=jane.smith></label></p>"
        f"{boxes}<button>Allow</button> <button name=cancel value=1>Cancel</button></form></html>"
    )
    return Response(200, page.encode(), {"Content-Type": "text/html; charset=utf-8"})


def back(redirect_uri: str, answer: Mapping[str, str]) -> Response:
    """The browser is sent where the question came from, with the answer in the query."""
    return Response(302, b"", {"Location": f"{redirect_uri}?{urlencode(answer)}"})
