"""The product's settings with the tests' own platform in YouTube's place, for real processes."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS

INSTALLED_APPS = ["tests.engine.stage_app.StageConfig", *INSTALLED_APPS]
