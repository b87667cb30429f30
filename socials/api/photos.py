"""A talent's photo over HTTP: look, refresh, upload, remove."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from socials.api import rows
from socials.images import look, pick
from socials.images.pixels import MAX_BYTES, Focus
from socials.images.refusals import ImageRefused, NotKept, TooLarge
from socials.models import Connection
from talent.api.errors import PayloadTooLarge, SyncFailed, Unavailable
from talent.api.schema import documented
from talent.api.serializers import Camel, Flag, Instant, OrNull, Strict
from talent.api.views import ApiView, actor, success
from talent.models import ImageSource

TAG = "Photo"
FORM_BYTES = 64 * 1024
"""What a multipart form may weigh beside the image."""
FAILED = "Failed to sync profile image: "


class ConnectedPlatform(Camel):
    platform = serializers.CharField(help_text="In lower case.")
    handle = serializers.CharField()
    has_profile_image = serializers.BooleanField()


class ProfileImageSerializer(Camel):
    talent_id = serializers.IntegerField()
    talent_name = serializers.CharField()
    profile_image_url = OrNull()
    profile_image_source = serializers.ChoiceField(ImageSource.choices)
    last_profile_image_sync_at = Instant()
    connected_platforms = ConnectedPlatform(many=True)
    can_auto_sync = serializers.BooleanField(
        help_text="An account could give a photo, and none is uploaded."
    )
    next_sync_recommended = serializers.BooleanField(
        help_text="It is 24 hours since the accounts were looked at."
    )


class RefreshedImageSerializer(Camel):
    talent_id = serializers.IntegerField()
    source = serializers.ChoiceField(ImageSource.choices)  # type: ignore[assignment]
    image_url = OrNull()
    synced_at = Instant()
    updated = serializers.BooleanField(help_text="Whether the photo is another one now.")


PHOTO = "https://greenroom.example/media/photos/3f/3f9c1d2e7b6a5048-512.webp"
IMAGE = {
    "talentId": 3,
    "talentName": "Jane Smith",
    "profileImageUrl": PHOTO,
    "profileImageSource": "instagram",
    "lastProfileImageSyncAt": "2026-01-10T12:00:00Z",
    "connectedPlatforms": [
        {"platform": "instagram", "handle": "janesmith", "hasProfileImage": True},
        {"platform": "youtube", "handle": "janesmith", "hasProfileImage": False},
    ],
    "canAutoSync": True,
    "nextSyncRecommended": False,
}
UPLOADED = IMAGE | {"profileImageSource": "manual", "canAutoSync": False}
REFRESHED = {
    "talentId": 3,
    "source": "instagram",
    "imageUrl": PHOTO,
    "syncedAt": "2026-01-10T12:00:00Z",
    "updated": True,
}


class RefreshImage(Strict):
    force_refresh = Flag(
        required=False, default=False, help_text="Also accounts looked at within 24 hours."
    )


class ImageUpload(Strict):
    image = serializers.FileField(
        allow_empty_file=True, help_text="JPEG, PNG or WebP, at most 8 MB, not animated."
    )
    focus_x = serializers.FloatField(required=False, default=0.5, min_value=0, max_value=1)
    focus_y = serializers.FloatField(required=False, default=0.5, min_value=0, max_value=1)


class ProfileImageSync(ApiView):
    @documented(
        name="syncProfileImage",
        example=REFRESHED,
        summary="Refresh the photo from the talent's accounts",
        description="Answers when the accounts' pictures have been looked at, within seconds. "
        "When they can't be read the photo stays as it was.",
        tag=TAG,
        body=RefreshImage,
        answer=RefreshedImageSerializer,
        errors=(404, 502),
    )
    def post(self, request: Request, talent_id: int) -> Response:
        body = RefreshImage(data=request.data)
        body.is_valid(raise_exception=True)
        rows.existing_talent(talent_id)
        if not _accounts(talent_id).filter(platform__in=look.ORDER).exists():
            raise SyncFailed(FAILED + "No valid social accounts connected")
        picked = pick.refresh(talent_id, force=body.validated_data["force_refresh"])
        if picked.outcome == "failed":
            raise SyncFailed(FAILED + picked.reason)
        return success(RefreshedImageSerializer(picked).data, message=_told(picked))


class ProfileImage(ApiView):
    @property
    def parser_classes(self) -> list[Any]:  # type: ignore[override]
        return [MultiPartParser]

    @documented(
        name="getProfileImage",
        example=IMAGE,
        summary="The photo, and the accounts that could give one",
        tag=TAG,
        answer=ProfileImageSerializer,
        errors=(404,),
    )
    def get(self, request: Request, talent_id: int) -> Response:
        return _answer(talent_id)

    @documented(
        name="uploadProfileImage",
        example=UPLOADED,
        summary="Upload a photo",
        description="It wins over the accounts' pictures until it is removed. The crop is square, "
        "around the focus point (shares of width and height).",
        tag=TAG,
        body={"multipart/form-data": ImageUpload},
        answer=ProfileImageSerializer,
        errors=(404,),
    )
    def put(self, request: Request, talent_id: int) -> Response:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BYTES + FORM_BYTES:
            raise PayloadTooLarge(TooLarge.words)
        rows.existing_talent(talent_id)
        body = ImageUpload(data=cast("QueryDict", request.data).dict())
        body.is_valid(raise_exception=True)
        form = body.validated_data
        if form["image"].size > MAX_BYTES:
            raise PayloadTooLarge(TooLarge.words)
        try:
            pick.upload(
                talent_id,
                form["image"].read(),
                focus=Focus(form["focus_x"], form["focus_y"]),
                actor=actor(request),
            )
        except NotKept as fault:
            raise Unavailable(str(fault)) from None
        except ImageRefused as refusal:
            raise ValidationError({"image": [str(refusal)]}) from None
        return _answer(talent_id)

    @documented(
        name="deleteProfileImage",
        example=IMAGE,
        summary="Remove the uploaded photo and go back to the accounts'",
        tag=TAG,
        answer=ProfileImageSerializer,
        errors=(404,),
    )
    def delete(self, request: Request, talent_id: int) -> Response:
        rows.existing_talent(talent_id)
        pick.remove_upload(talent_id, actor=actor(request))
        return _answer(talent_id)


def _told(picked: pick.Picked) -> str:
    if picked.source == ImageSource.MANUAL:
        return "The uploaded photo stays until it is removed"
    if picked.source == ImageSource.INITIALS:
        return "No profile photo found. Initials stay."
    return f"Profile image updated from {picked.source}"


def _accounts(talent_id: int) -> QuerySet[Connection]:
    rows = Connection.objects.filter(talent=talent_id).select_related("photo")
    return rows.order_by("platform", "handle_key")


def _answer(talent_id: int) -> Response:
    talent = rows.existing_talent(talent_id)
    accounts = list(_accounts(talent_id))
    able = any(row.platform in look.ORDER for row in accounts)
    uploaded = talent.profile_image_source == ImageSource.MANUAL
    looked = talent.last_profile_image_sync_at
    age = timedelta(hours=settings.PROFILE_IMAGE_MIN_HOURS)
    facts = {
        "talent_id": talent.pk,
        "talent_name": talent.name,
        "profile_image_url": talent.profile_image_url,
        "profile_image_source": talent.profile_image_source,
        "last_profile_image_sync_at": looked,
        "connected_platforms": [
            {
                "platform": row.platform.lower(),
                "handle": row.handle,
                "has_profile_image": hasattr(row, "photo"),
            }
            for row in accounts
        ],
        "can_auto_sync": able and not uploaded,
        "next_sync_recommended": able
        and not uploaded
        and (looked is None or looked < timezone.now() - age),
    }
    return success(ProfileImageSerializer(facts).data)
