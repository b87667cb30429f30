"""Platforms that are shown with their link and never read."""

from socials.platforms.kit.platform import Platform

TWITTER = Platform(id="TWITTER", name="X")
LINKEDIN = Platform(id="LINKEDIN", name="LinkedIn")
