from django.apps import AppConfig


class SocialsConfig(AppConfig):
    name = "socials"
