"""Mail to the people who run the house."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q

from talent.models import User
from talent.roles import Role


def addresses_of_managers() -> tuple[str, ...]:
    """Of every active manager and superuser who has one, in order."""
    may_write = Q(is_superuser=True) | Q(role=Role.MANAGER)
    staff = User.objects.filter(may_write, is_active=True, is_staff=True).exclude(email="")
    return tuple(staff.order_by("email").values_list("email", flat=True).distinct())


def mail_managers(subject: str, body: str) -> int:
    """One message to every active manager and superuser with an address, and to ADMINS.

    Nobody sees the others. Returns how many people it went to. Raises SMTPException or OSError
    when the mail server does not take it.
    """
    addresses = {*addresses_of_managers(), *(mail for _, mail in settings.ADMINS)}
    if addresses:
        EmailMessage(
            f"[{settings.AGENCY_NAME}] {subject}", body, None, bcc=sorted(addresses)
        ).send()
    return len(addresses)
