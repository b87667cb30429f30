"""The signed-in user's own profile. The one address that speaks snake_case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from talent import profile
from talent.api.permissions import SignedIn
from talent.api.schema import documented
from talent.api.serializers import Instant, OrNull, Strict, Text
from talent.api.views import ApiView, success
from talent.models import CreatorProfile, ScrapeStatus, UserSettings

if TYPE_CHECKING:
    from talent.models import User


class Creator(serializers.Serializer[Any]):
    display_name = OrNull()
    tiktok_followers = serializers.IntegerField(allow_null=True)
    hearts = serializers.IntegerField(allow_null=True, help_text="Likes received in all.")
    videos = serializers.IntegerField(allow_null=True)
    following = serializers.IntegerField(allow_null=True)
    verified = serializers.BooleanField(allow_null=True)
    avatar_url = OrNull()
    bio = OrNull()
    scrape_status = serializers.ChoiceField(ScrapeStatus.choices, allow_null=True)
    scrape_error = OrNull(help_text="Why the last scrape failed; null when it did not.")
    scraped_at = Instant(allow_null=True)


class Profile(serializers.Serializer[Any]):
    email = serializers.CharField()
    display_name = serializers.CharField()
    company = serializers.CharField()
    role = serializers.CharField(help_text="What the person does, in her own words.")
    avatar_url = serializers.CharField()
    tiktok_handle = serializers.CharField(help_text="Without @; empty when none is linked.")
    creator = Creator(allow_null=True)


READ = {
    "display_name": "Jane Smith",
    "tiktok_followers": 120345,
    "hearts": 2400000,
    "videos": 312,
    "following": 180,
    "verified": True,
    "avatar_url": "https://p16-sign-va.tiktokcdn.com/jane.jpeg",
    "bio": "Food and travel",
    "scrape_status": "READY",
    "scrape_error": None,
    "scraped_at": "2026-01-10T12:00:00Z",
}
JANE = {
    "email": "jane@agency.example",
    "display_name": "Jane Smith",
    "company": "Smith Studios",
    "role": "Creator",
    "avatar_url": "",
    "tiktok_handle": "janesmith",
    "creator": READ,
}
CHANGED = JANE | {
    "tiktok_handle": "jane.smith",
    "creator": dict.fromkeys(READ) | {"scrape_status": "PENDING"},
}


class ProfileChange(Strict):
    display_name = Text(required=False, min_length=1, max_length=100)
    company = Text(required=False, allow_blank=True, max_length=100)
    role = Text(required=False, allow_blank=True, max_length=100)
    tiktok_handle = Text(
        required=False,
        allow_blank=True,
        max_length=500,
        help_text="`@name`, `name` or a profile URL; an empty string unlinks the account.",
    )

    def get_fields(self) -> dict[str, Any]:
        return serializers.Serializer.get_fields(self)


class ProfileView(ApiView):
    permission_classes = [SignedIn]

    @documented(
        name="getProfile",
        example=JANE,
        summary="Your own profile",
        tag="Profile",
        answer=Profile,
    )
    def get(self, request: Request) -> Response:
        return success(_shown(cast("User", request.user)))

    @documented(
        name="changeProfile",
        example=CHANGED,
        summary="Change your profile; a new TikTok handle is scraped in the background",
        tag="Profile",
        body=ProfileChange,
        answer=Profile,
    )
    def patch(self, request: Request) -> Response:
        body = ProfileChange(data=request.data)
        body.is_valid(raise_exception=True)
        user = cast("User", request.user)
        profile.change(user, body.validated_data)
        return success(_shown(user))


def _shown(user: User) -> dict[str, Any]:
    own: UserSettings = profile.settings_of(user)
    creator: CreatorProfile | None = profile.creator_of(user)
    return dict(
        Profile(
            {
                "email": user.email,
                "display_name": own.display_name or user.get_full_name(),
                "company": own.company,
                "role": own.role,
                "avatar_url": user.avatar_url,
                "tiktok_handle": creator.tiktok_handle if creator else "",
                "creator": creator,
            }
        ).data
    )
