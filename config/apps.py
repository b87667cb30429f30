"""The house's own applications: its commands, and the back office."""

from typing import Any

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig
from django.core.management import call_command
from django.db.models.signals import post_migrate


class HouseConfig(AppConfig):
    name = "config"
    label = "house"
    default = False

    def ready(self) -> None:
        # Django tells only of applications that have models, and we have none.
        post_migrate.connect(make_cache_table, sender=apps.get_app_config("talent"))


def make_cache_table(*, using: str, **_: Any) -> None:
    """The cache's table comes with the migrations: nobody has to know that there is one."""
    call_command("createcachetable", database=using, verbosity=0)


class GreenroomAdminConfig(AdminConfig):
    default_site = "config.admin.GreenroomAdminSite"
    default = False
