"""The house's own applications: its commands, and the back office."""

from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.core.management import call_command
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate

IDLE_SECONDS = 60
"""A session that stands still in a transaction for so long is ended, and its locks with it: the
machine behind it is frozen, or cut off, and what it holds must go to others."""


class HouseConfig(AppConfig):
    name = "config"
    label = "house"
    default = False

    def ready(self) -> None:
        # Django tells only of applications that have models, and we have none.
        post_migrate.connect(make_cache_table, sender=apps.get_app_config("talent"))
        connection_created.connect(limit_idle_transactions)
        if settings.SENTRY_DSN:
            # Whoever sends no reports does not load what sends them.
            from config import reports  # noqa: PLC0415

            reports.start(settings.SENTRY_DSN, environment=settings.PUBLIC_URL)


def limit_idle_transactions(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'")


def make_cache_table(*, using: str, **_: Any) -> None:
    """The cache's table comes with the migrations: nobody has to know that there is one."""
    call_command("createcachetable", database=using, verbosity=0)


class GreenroomAdminConfig(AdminConfig):
    default_site = "config.admin.GreenroomAdminSite"
    default = False
