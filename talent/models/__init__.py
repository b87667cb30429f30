"""People: who signs in, who is represented, and who did what."""

from talent.models.activity import Activity
from talent.models.api_token import ApiToken
from talent.models.creator_profile import CreatorProfile, ScrapeStatus, UserSettings
from talent.models.second_factor import RecoveryCode, SecondFactor
from talent.models.talent import ImageSource, Talent
from talent.models.user import User

__all__ = [
    "Activity",
    "ApiToken",
    "CreatorProfile",
    "ImageSource",
    "RecoveryCode",
    "ScrapeStatus",
    "SecondFactor",
    "Talent",
    "User",
    "UserSettings",
]
