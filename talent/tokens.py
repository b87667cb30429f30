"""Issuing and revoking API tokens, as an operator asks for it."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from talent.activity import record
from talent.models import ApiToken, User
from talent.roles import Role

SUPERUSER = "superuser"
ROLES = (Role.VIEWER.value, Role.MANAGER.value, SUPERUSER)
LONGEST_LIFE = 3650
MOST_OWN = 20
"""Open tokens that a person can make for herself."""


class Refused(Exception):
    """The token can't be issued or revoked; the message says why and what to do."""


@transaction.atomic
def issue(
    username: str,
    *,
    name: str | None = None,
    days: int | None = None,
    create_staff: bool = False,
    role: str | None = None,
) -> str:
    """A new token's secret. Raises Refused: unknown or inactive user, senseless options."""
    if role and not create_staff:
        raise Refused("--role describes a user to be created: add --create-staff.")
    if days is not None and not 1 <= days <= LONGEST_LIFE:
        raise Refused(f"--days takes 1 to {LONGEST_LIFE}.")
    if name is not None and not 1 <= len(name) <= 100:
        raise Refused("--name takes 1 to 100 characters.")
    user = _staff(username, role) if create_staff else _known(username)
    if not user.is_active:
        raise Refused(f'The user "{username}" is not active: activate it in the admin first.')
    token, secret = ApiToken.issue(
        user,
        name=name or username[:100],
        expires_at=timezone.now() + timedelta(days=days) if days else None,
    )
    record("token.issued", object=str(token), details={"user": username})
    return secret


@transaction.atomic
def issue_own(person: User, *, name: str, days: int | None) -> str:
    """A new token of one's own: its secret. Raises Refused, whose message is for the field `name`."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 100:
        raise Refused("Give it a name of up to 100 characters, like Weekly report.")
    if person.api_tokens.usable().count() >= MOST_OWN:
        raise Refused(f"You have {MOST_OWN} tokens. Revoke one that you don't need.")
    token, secret = ApiToken.issue(
        person, name=name, expires_at=timezone.now() + timedelta(days=days) if days else None
    )
    record("token.issued", actor=person, object=str(token), details={"user": person.username})
    return secret


@transaction.atomic
def revoke_one(token_id: int, *, actor: User) -> bool:
    """Close a token of one's own; a superuser closes anybody's. False when it is not open to that."""
    may = ApiToken.objects.all() if actor.is_superuser else actor.api_tokens.all()
    token = may.select_related("user").filter(pk=token_id).first()
    if token is None or not may.filter(pk=token_id).revoke():
        return False
    record("token.revoked", actor=actor, object=str(token), details={"user": token.user.username})
    return True


@transaction.atomic
def revoke(name_or_secret: str) -> int:
    """How many open tokens were closed. Raises Refused when there was none."""
    tokens = ApiToken.objects.named(name_or_secret)
    open_ones = [str(token) for token in tokens.filter(revoked_at__isnull=True)]
    if not open_ones:
        raise Refused("No open token has this name or value.")
    revoked = tokens.revoke()
    for token in open_ones:
        record("token.revoked", object=token)
    return revoked


def _known(username: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise Refused(f'There is no user "{username}". Add --create-staff to make one.')
    return user


def _staff(username: str, role: str | None) -> User:
    """The staff user of this name, made if absent; one that is there keeps its role."""
    user = User.objects.filter(username=username).first()
    if user is None:
        return _new_staff(username, role or Role.MANAGER.value)
    actual = SUPERUSER if user.is_superuser else user.role
    if not user.is_staff or (role and role != actual):
        raise Refused(
            f'The user "{username}" is there already, '
            f"{'with the role ' + actual if user.is_staff and actual else 'without a staff role'}: "
            "change it in the admin, or take another name."
        )
    return user


def _new_staff(username: str, role: str) -> User:
    user = User(username=username, is_staff=True)
    user.is_superuser = role == SUPERUSER
    user.role = Role.MANAGER if role == SUPERUSER else Role(role)
    user.set_unusable_password()
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        raise Refused(" ".join(error.messages)) from None
    user.save()
    return user
