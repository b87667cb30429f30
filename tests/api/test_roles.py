"""Who may do what: every address below /api, every method, every kind of person.

An address without a row here fails the test, so that nobody adds one without deciding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from socials.models import Batch, Connection
from talent.models import User
from tests.api.conftest import a_message

PEOPLE = ("anonymous", "talent", "viewer", "manager", "superuser")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

READ = (401, 403, 200, 200, 200)
READ_BY_MANAGERS = (401, 403, 403, 200, 200)
NOT_OFFERED = (401, 405, 405, 405, 405)


def change(status: int) -> tuple[int, ...]:
    """For managers only; ``status`` is what an empty or harmless request gets from them."""
    return (401, 403, 403, status, status)


CONNECTION = "admin/socials/<int:connection_id>"
OPEN = "socials/oauth/callback"
WEBHOOK = "admin/webhooks/<int:webhook_id>"
MATRIX: dict[str, dict[str, tuple[int, ...]]] = {
    "admin/talent": {"GET": READ, "POST": change(400)},
    "admin/talent/<int:talent_id>": {"GET": READ, "PATCH": change(200), "DELETE": change(204)},
    "admin/talent/<int:talent_id>/social-connections": {"GET": READ},
    "admin/talent/<int:talent_id>/social-intelligence": {"GET": READ},
    "admin/talent/<int:talent_id>/kit-link": {
        "GET": (401, 403, 404, 404, 404),  # none is open
        "POST": change(201),
        "DELETE": change(204),
    },
    "admin/talent/<int:talent_id>/profile-image": {
        "GET": READ,
        "PUT": change(415),
        "DELETE": change(200),
    },
    "admin/talent/<int:talent_id>/profile-image/sync": {"POST": change(502)},
    "admin/batches": {"POST": change(400)},
    "admin/batches/<int:batch_id>": {"GET": READ},
    "admin/talent/<int:talent_id>/connect-link": {"POST": change(400), "DELETE": change(204)},
    # The browser session that began the flow decides here, and nothing else.
    OPEN: {"POST": (400,) * 5},
    "admin/socials/connect-manual": {"POST": change(400)},
    CONNECTION: {"GET": READ, "DELETE": change(204)},
    f"{CONNECTION}/sync": {"POST": change(202)},
    f"{CONNECTION}/posts": {"GET": READ},
    f"{CONNECTION}/history": {"GET": READ},
    f"{CONNECTION}/runs": {"GET": READ},
    "admin/webhooks": {"GET": READ_BY_MANAGERS, "POST": change(400)},
    WEBHOOK: {"GET": READ_BY_MANAGERS, "PATCH": change(200), "DELETE": change(204)},
    f"{WEBHOOK}/test": {"POST": change(202)},
    f"{WEBHOOK}/deliveries": {"GET": READ_BY_MANAGERS},
    f"{WEBHOOK}/deliveries/resend-failed": {"POST": change(202)},
    f"{WEBHOOK}/deliveries/<int:delivery_id>/resend": {"POST": change(202)},
    "admin/queue-stats": {"GET": READ},
    "admin/activity": {"GET": READ},
    "profile": {"GET": (401, 200, 200, 200, 200), "PATCH": (401, 200, 200, 200, 200)},
    "schema": {"GET": READ},
    "docs": {"GET": READ},
}


def addresses() -> Iterator[str]:
    """Every route below /api, as it is written."""
    for pattern in get_resolver().url_patterns:
        if isinstance(pattern, URLResolver) and str(pattern.pattern) == "api/":
            for inner in pattern.url_patterns:
                assert isinstance(inner, URLPattern)
                yield str(inner.pattern)


def test_every_address_of_the_api_has_its_row() -> None:
    found = list(addresses())
    assert sorted(found) == sorted(MATRIX)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("address", MATRIX)
@pytest.mark.parametrize("method", METHODS)
def test_everybody_gets_the_answer_that_is_written_down(
    request: pytest.FixtureRequest,
    client_of: Callable[[User], APIClient],
    read_account: Callable[..., Connection],
    person: str,
    address: str,
    method: str,
) -> None:
    row = read_account()
    users = {"talent": "tilda", "viewer": "victor", "manager": "alice", "superuser": "ruth"}
    who = users.get(person)
    client = client_of(request.getfixturevalue(who)) if who else APIClient()
    otherwise = (405,) * 5 if address == OPEN else NOT_OFFERED
    expected = MATRIX[address].get(method, otherwise)[PEOPLE.index(person)]
    answer: Any = client.generic(method, _url(address, row), "{}", content_type="application/json")
    assert answer.status_code == expected, answer.content
    deleted = answer.status_code == 204 and address in {"admin/talent/<int:talent_id>", CONNECTION}
    assert Connection.objects.filter(pk=row.pk).exists() is not deleted


def _url(address: str, row: Connection) -> str:
    batch = Batch.objects.create(kind=Batch.Kind.SYNC)
    filled = address.replace("<int:talent_id>", str(row.talent_id))
    filled = filled.replace("<int:batch_id>", str(batch.pk))
    if "<int:webhook_id>" in filled:
        message = a_message()
        filled = filled.replace("<int:webhook_id>", str(message.webhook_id))
        filled = filled.replace("<int:delivery_id>", str(message.pk))
    return "/api/" + filled.replace("<int:connection_id>", str(row.pk))
