"""A second factor for signing in: codes of an authenticator app (RFC 6238), or recovery codes.

A person is signed in only when the code was right as well, so that every page, the back office and
the API in a browser obey alike. API tokens are keys of programs and know no second factor.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from datetime import timedelta
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_otp.oath import TOTP

from talent.activity import record
from talent.models import RecoveryCode, SecondFactor, User

SECRET_BYTES = 20
CODES = 10
CODE_BYTES = 10
TOLERANCE = 1
"""Steps of 30 seconds by which a clock may be wrong, either way."""
TRIES = 5
PAUSE = timedelta(minutes=10)


class WrongCode(Exception):
    """Neither the app's code of now nor an unused recovery code."""


class Paused(Exception):
    """Too many wrong codes in a row: nothing is taken for a while."""


class AlreadyOn(Exception):
    """There is a second factor: it must be turned off before another one is set up."""


def begin(person: User) -> SecondFactor:
    """A new secret for the app, not yet in use. Raises AlreadyOn."""
    if person.second_factor_at:
        raise AlreadyOn
    secret = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
    factor, _ = SecondFactor.objects.update_or_create(user=person, defaults={"secret": secret})
    return factor


def pending(person: User) -> SecondFactor:
    """What was begun. Raises AlreadyOn, SecondFactor.DoesNotExist."""
    if person.second_factor_at:
        raise AlreadyOn
    return SecondFactor.objects.get(user=person)


def address(factor: SecondFactor) -> str:
    """What the QR code says to an authenticator app."""
    issuer = settings.AGENCY_NAME.replace(":", "")
    label = quote(f"{issuer}:{factor.user.username}")
    asked = urlencode({"secret": factor.secret, "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{label}?{asked}"


def confirm(person: User, code: str) -> list[str]:
    """Put it to use: the recovery codes, to be shown now and never again.

    Every other session of the person ends. Raises WrongCode, Paused.
    """
    _judge(person, code, recovery=False)
    with transaction.atomic():
        now = timezone.now()
        SecondFactor.objects.filter(user=person).update(confirmed_at=now)
        _stamp(person, on=True)
        record("second_factor.added", actor=person, object=str(person))
        return _new_codes(person)


def verify(person: User, code: str) -> None:
    """Whether the person has the second factor at hand. Raises WrongCode, Paused."""
    if _judge(person, code, recovery=True):
        left = person.recovery_codes.filter(used_at=None).count()
        record("second_factor.recovered", actor=person, object=str(person), details={"left": left})


def renew_codes(person: User, code: str) -> list[str]:
    """New recovery codes in place of the old ones. Raises WrongCode, Paused."""
    verify(person, code)
    with transaction.atomic():
        record("second_factor.codes_renewed", actor=person, object=str(person))
        return _new_codes(person)


def turn_off(person: User, code: str) -> None:
    """Raises WrongCode, Paused."""
    verify(person, code)
    with transaction.atomic():
        _forget(person)
        record("second_factor.removed", actor=person, object=str(person))


@transaction.atomic
def reset(person: User, *, actor: User | None = None) -> bool:
    """Take it away from somebody who lost it. False when there was none."""
    if not SecondFactor.objects.filter(user=person).exists():
        return False
    _forget(person)
    record(
        "second_factor.reset", actor=actor, object=str(person), details={"user": person.username}
    )
    return True


def _judge(person: User, code: str, *, recovery: bool) -> bool:
    """Whether it was a recovery code. One attempt at a time; a wrong one is counted.

    Raises WrongCode, Paused.
    """
    code = re.sub(r"[\s-]", "", code).lower()
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(user=person).first()
        if factor is None:
            raise WrongCode
        now = timezone.now()
        if factor.paused_until and factor.paused_until > now:
            raise Paused
        of_app = _is_of_app(factor, code)
        right = of_app or (recovery and _use_recovery_code(person, code))
        factor.failures = 0 if right else factor.failures + 1
        paused = factor.failures >= TRIES
        factor.paused_until = now + PAUSE if paused else None
        factor.failures %= TRIES
        factor.save(update_fields=["failures", "paused_until", "last_step"])
    if paused:
        record("second_factor.paused", object=str(person), details={"user": person.username})
    if not right:
        raise WrongCode
    return not of_app


def _is_of_app(factor: SecondFactor, code: str) -> bool:
    """Whether it is the app's code of now and later than the last one that was taken."""
    if not re.fullmatch(r"[0-9]{6}", code):
        return False
    clock = TOTP(base64.b32decode(factor.secret))
    right: bool = clock.verify(int(code), tolerance=TOLERANCE, min_t=factor.last_step + 1)
    if right:
        factor.last_step = clock.t()
    return right


def _use_recovery_code(person: User, code: str) -> bool:
    unused = person.recovery_codes.filter(digest=_digest(code), used_at=None)
    return bool(unused.update(used_at=timezone.now()))


def _new_codes(person: User) -> list[str]:
    person.recovery_codes.all().delete()
    plain = [
        base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode().lower() for _ in range(CODES)
    ]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=person, digest=_digest(code)) for code in plain
    )
    return ["-".join(re.findall("....", code)) for code in plain]


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _forget(person: User) -> None:
    SecondFactor.objects.filter(user=person).delete()
    person.recovery_codes.all().delete()
    _stamp(person, on=False)


def _stamp(person: User, *, on: bool) -> None:
    """Part of what a session is bound to: those from before it end."""
    person.second_factor_at = timezone.now() if on else None
    person.save(update_fields=["second_factor_at"])
