"""The house's own applications: its commands, and the back office."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class HouseConfig(AppConfig):
    name = "config"
    label = "house"
    default = False


class GreenroomAdminConfig(AdminConfig):
    default_site = "config.admin.GreenroomAdminSite"
    default = False
