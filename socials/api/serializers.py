"""The JSON of talents, connections, posts, runs and the queue: made here and nowhere else."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from scraping.types import PostKind, Quality
from socials.api.rows import ListedPost
from socials.engagement import Basis, basis_of, rate_of_post
from socials.models import (
    Circuit,
    Connection,
    ConnectionType,
    Outcome,
    Platform,
    Profile,
    SyncStatus,
    Trigger,
)
from socials.models.moves import max_attempts
from talent.api.serializers import Camel, Instant, OrNull
from talent.models import ImageSource, Talent

COUNTED = ("followers", "following", "posts")
SOMETIMES_COUNTED = ("likes", "views")


class Count(serializers.IntegerField):
    """A number, null where the platform does not tell it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"read_only": True, "allow_null": True} | options)


class QualitySerializer(serializers.Serializer[Any]):
    """How far each number can be trusted."""

    followers = serializers.ChoiceField(choices=[q.value for q in Quality])
    following = serializers.ChoiceField(choices=[q.value for q in Quality])
    posts = serializers.ChoiceField(choices=[q.value for q in Quality])
    likes = serializers.ChoiceField(choices=[q.value for q in Quality], required=False)
    views = serializers.ChoiceField(choices=[q.value for q in Quality], required=False)


class AccountProfileSerializer(Camel):
    display_name = OrNull()
    bio = serializers.CharField(allow_null=True, allow_blank=True)
    avatar_url = OrNull(help_text="The platform's address of the picture.")
    followers = Count()
    following = Count()
    posts = Count()
    likes = Count()
    views = Count()
    verified = serializers.BooleanField(allow_null=True)
    private = serializers.BooleanField(allow_null=True)
    fetched_at = Instant(allow_null=False)
    quality = serializers.SerializerMethodField()

    @extend_schema_field(QualitySerializer)
    def get_quality(self, profile: Profile) -> dict[str, str]:
        told = profile.quality
        known = {name: told.get(name, Quality.UNKNOWN) for name in COUNTED}
        return known | {
            name: told[name]
            for name in SOMETIMES_COUNTED
            if told.get(name, Quality.UNKNOWN) != Quality.UNKNOWN
        }


class ConnectionSerializer(Camel):
    """A talent's account on a platform, and where its sync stands."""

    # Takes rows of ``rows.connections``.

    id = serializers.IntegerField()
    talent_id = serializers.IntegerField()
    platform = serializers.ChoiceField(choices=Platform.choices)
    handle = serializers.CharField()
    profile_url = serializers.CharField()
    connected = serializers.BooleanField(help_text="False while the talent must reconnect.")
    connection_type = serializers.ChoiceField(choices=ConnectionType.choices)
    sync_status = serializers.ChoiceField(choices=SyncStatus.choices)
    error_code = OrNull()
    sync_error = OrNull(help_text="The error in plain words, with what to do.")
    attempt = serializers.IntegerField(help_text="Attempts begun.")
    max_attempts = serializers.SerializerMethodField()
    next_attempt_at = Instant()
    last_synced_at = Instant()
    next_refresh_at = Instant()
    expires_at = Instant(source="grant.expires_at", default=None)
    scopes = serializers.SerializerMethodField()
    external_id = OrNull(help_text="The platform's own id of the account, once known.")
    source = OrNull(help_text="Where the numbers come from.")  # type: ignore[assignment]
    profile = serializers.SerializerMethodField()
    partial = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]
    posts_stored = serializers.IntegerField()
    created_at = Instant(allow_null=False)
    updated_at = Instant(allow_null=False)

    def get_max_attempts(self, connection: Connection) -> int:
        return max_attempts()

    def get_scopes(self, connection: Connection) -> list[str]:
        grant = getattr(connection, "grant", None)
        return list(grant.scopes) if grant else []

    @extend_schema_field(AccountProfileSerializer(allow_null=True))
    def get_profile(self, connection: Connection) -> dict[str, Any] | None:
        profile = getattr(connection, "profile", None)
        return AccountProfileSerializer(profile).data if profile else None


class TalentConnectionSerializer(Camel):
    """A connection in short."""

    id = serializers.IntegerField()
    platform = serializers.ChoiceField(choices=Platform.choices)
    handle = serializers.CharField()
    sync_status = serializers.ChoiceField(choices=SyncStatus.choices)
    followers = Count(source="profile.followers", default=None)


class ManagerSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField(source="__str__")


class TalentSerializer(Camel):
    """A person whom the agency represents."""

    # Takes rows of ``rows.talents``.

    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()
    email = serializers.CharField(allow_blank=True)
    bio = serializers.CharField(allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField())
    location = serializers.CharField(allow_blank=True)
    timezone = serializers.CharField(help_text="Of the posting times.")
    status = serializers.ChoiceField(choices=Talent.Status.choices)
    manager = ManagerSerializer(allow_null=True)
    linked_user_id = serializers.IntegerField(allow_null=True)
    profile_image_url = OrNull()
    profile_image_source = serializers.ChoiceField(choices=ImageSource.choices)
    last_profile_image_sync_at = Instant()
    total_followers = Count(help_text="Sum over the accounts whose followers are known.")
    connections = TalentConnectionSerializer(source="connections.all", many=True)
    created_at = Instant(allow_null=False)
    updated_at = Instant(allow_null=False)


class PostSerializer(Camel):
    """One published item; a metric that the platform doesn't tell is null."""

    # Takes rows of ``rows.posts``.

    id = serializers.IntegerField()
    external_id = serializers.CharField()
    kind = serializers.ChoiceField(choices=[kind.value for kind in PostKind])
    caption = serializers.CharField(allow_blank=True)
    url = OrNull()
    thumbnail_url = OrNull()
    posted_at = Instant()
    duration_seconds = serializers.FloatField(allow_null=True)
    likes = Count()
    comments = Count()
    shares = Count()
    saves = Count()
    views = Count()
    reach = Count()
    engagement_rate = serializers.SerializerMethodField(
        help_text="Percent: interactions ÷ followers or views, as `engagementRateBasis` says."
    )
    engagement_rate_basis = serializers.SerializerMethodField()
    deleted_at = Instant()

    def get_engagement_rate(self, post: ListedPost) -> float | None:
        return rate_of_post(post, platform=post.platform, followers=post.followers)

    def get_engagement_rate_basis(self, post: ListedPost) -> Basis:
        return basis_of(post.platform)


class HistoryPointSerializer(Camel):
    """One day (UTC); a day without a reading is absent."""

    date = serializers.DateField()
    followers = Count()
    following = Count()
    posts = Count()
    views = Count()
    engagement_rate = serializers.FloatField(allow_null=True)


class RunSerializer(Camel):
    id = serializers.IntegerField()
    trigger = serializers.ChoiceField(choices=Trigger.choices)
    started_at = Instant(allow_null=False)
    finished_at = Instant(allow_null=False)
    duration_ms = serializers.IntegerField()
    attempt = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    error_code = OrNull()
    message = OrNull()
    source = OrNull()  # type: ignore[assignment]
    calls = serializers.IntegerField(help_text="Requests made to the platform.")
    units = serializers.IntegerField(help_text="Units of the platform's quota.")
    posts_seen = serializers.IntegerField(source="posts_delivered")
    posts_new = serializers.IntegerField()


class WorkerSerializer(Camel):
    id = serializers.CharField()
    host = serializers.CharField()
    started_at = Instant(allow_null=False)
    heartbeat_at = Instant(allow_null=False)
    busy = serializers.IntegerField(help_text="Connections in hand.")


class QuotaSerializer(Camel):
    used = serializers.IntegerField()
    limit = serializers.IntegerField()
    resets_at = Instant(allow_null=False)


class FreshnessSerializer(Camel):
    target = serializers.IntegerField(help_text="Minutes.")
    within_target = serializers.IntegerField()
    stale = serializers.IntegerField()
    covered = serializers.IntegerField(
        allow_null=True,
        help_text="Accounts that the quota can keep within the target; null where none is counted.",
    )


class PlatformQueueSerializer(Camel):
    pending = serializers.IntegerField()
    syncing = serializers.IntegerField()
    error = serializers.IntegerField()
    circuit = serializers.ChoiceField(choices=Circuit.State.choices)
    quota = QuotaSerializer(allow_null=True)
    freshness = FreshnessSerializer()


class QueueStatsSerializer(Camel):
    pending = serializers.IntegerField()
    syncing = serializers.IntegerField()
    error = serializers.IntegerField()
    oldest_pending_seconds = serializers.FloatField(allow_null=True)
    throughput_per_minute = serializers.FloatField()
    succeeded_24h = serializers.IntegerField()
    failed_24h = serializers.IntegerField()
    success_rate_24h = serializers.FloatField(allow_null=True, help_text="Percent.")
    p50_seconds = serializers.FloatField(allow_null=True)
    p95_seconds = serializers.FloatField(allow_null=True)
    workers = WorkerSerializer(many=True)
    platforms = serializers.DictField(child=PlatformQueueSerializer())
    errors_by_cause = serializers.DictField(child=serializers.IntegerField())
