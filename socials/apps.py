from django.apps import AppConfig


class SocialsConfig(AppConfig):
    name = "socials"

    def ready(self) -> None:
        # Models are loaded only now; importing them is what makes them listen.
        import socials.authorisation  # noqa: PLC0415
        import socials.checks  # noqa: PLC0415
        import socials.erasure  # noqa: PLC0415
        import socials.images.linked  # noqa: F401, PLC0415
