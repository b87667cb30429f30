"""A talent's figures over HTTP: what an agency sells on, with the sample behind each number."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import date, timedelta
from operator import itemgetter
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from scraping.types import Quality
from socials.api import examples
from socials.api.serializers import Count, PostSerializer
from socials.engagement import Basis, basis_of
from socials.intelligence import kept, summary
from socials.intelligence.types import FORMULAS, SPANS, Account, Intelligence, Series
from socials.models import Platform
from talent.api.conditional import unless_unchanged
from talent.api.errors import gone_is_404
from talent.api.schema import documented
from talent.api.serializers import Camel, Instant, OrNull, Query
from talent.api.views import ApiView, rendered
from talent.models import Talent

STATES = ("empty", "syncing", "ready", "partial", "error", "stale")
PARTS = ("likes", "comments", "shares", "saves")


class Rate(serializers.FloatField):
    """Percent, or an average; null where it is unknown."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"read_only": True, "allow_null": True} | options)


class GrowthSerializer(Camel):
    absolute = serializers.IntegerField()
    percent = Rate(help_text="Null when the earlier number was 0.")


class GrowthsSerializer(serializers.Serializer[Any]):
    """Followers now minus then; null where no point is that old (a day off counts)."""

    d7 = GrowthSerializer(allow_null=True)
    d30 = GrowthSerializer(allow_null=True)
    d90 = GrowthSerializer(allow_null=True)
    d365 = GrowthSerializer(allow_null=True)


class GrownAccountsSerializer(serializers.Serializer[Any]):
    """How many accounts each sum holds."""

    d7 = serializers.IntegerField()
    d30 = serializers.IntegerField()
    d90 = serializers.IntegerField()
    d365 = serializers.IntegerField()


class TotalsSerializer(Camel):
    """What may be added across platforms; sums calculated by Greenroom."""

    followers = Count(help_text="Sum over the accounts whose followers are known.")
    growth = GrowthsSerializer()
    posts_per_week = Rate()
    platforms = serializers.IntegerField(help_text="Platforms in the sum.")
    accounts = serializers.IntegerField(help_text="Accounts in the sum.")
    growth_accounts = GrownAccountsSerializer()
    oldest_fetched_at = Instant(help_text="When the oldest number of the sum was read.")


class SampleSerializer(Camel):
    """The posts behind the rates: "120 of 131 posts, 3 with hidden likes"."""

    posts_in_window = serializers.IntegerField(source="in_window")
    counted_by_followers = serializers.IntegerField(source="by_followers")
    counted_by_views = serializers.IntegerField(source="by_views")
    with_views = serializers.IntegerField()
    hidden_likes = serializers.IntegerField(help_text="Left out: their likes are not told.")
    without = serializers.DictField(
        child=serializers.IntegerField(), help_text="Part → counted posts that don't tell it."
    )
    posts_stored = serializers.IntegerField(source="stored")
    posts_on_platform = Count(source="on_platform")
    since = Instant(help_text="Where the posts begin: older ones may be on the platform alone.")


class AccountSerializer(Camel):
    """One account's figures; nothing here is mixed with another platform's."""

    platform = serializers.ChoiceField(choices=Platform.choices)
    connection_id = serializers.IntegerField()
    handle = serializers.CharField()
    followers = Count()
    followers_quality = serializers.ChoiceField(choices=[q.value for q in Quality])
    growth = GrowthsSerializer()
    engagement_rate_by_followers = Rate()
    engagement_rate_by_views = Rate()
    engagement_rate_basis = serializers.SerializerMethodField(
        help_text="The rate by which this platform's posts are ranked."
    )
    absent_parts = serializers.ListField(
        child=serializers.ChoiceField(choices=PARTS),
        help_text="Parts of the rates that no post of the window tells.",
    )
    average_views = Rate()
    median_views = Rate()
    view_definitions = serializers.ListField(
        child=serializers.CharField(), help_text="What counts as a view here."
    )
    posts_per_week = Rate()
    posts_in_window = serializers.IntegerField()
    posts_in_sample = serializers.IntegerField()
    sample = SampleSerializer()
    source = OrNull(help_text="Where the numbers come from.")  # type: ignore[assignment]
    fetched_at = Instant()
    posts_fetched_at = Instant(source="posts_at")
    partial = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]

    def get_engagement_rate_basis(self, account: Account) -> Basis:
        return basis_of(account.platform)


class PointSerializer(Camel):
    """A day's followers; a day without a reading is absent."""

    date = serializers.DateField()
    platform = serializers.ChoiceField(choices=Platform.choices)
    connection_id = serializers.IntegerField()
    followers = serializers.IntegerField()


@extend_schema_field(PointSerializer(many=True))
class History(serializers.Field[Any, Any, Any, Any]):
    """Made without an object for each point: two years of three accounts are 2,000."""

    def to_representation(self, lines: Sequence[Series]) -> list[dict[str, Any]]:
        first = min((line.first for line in lines), default=date.max)
        told = [
            ((line.first - first).days + number, line, followers)
            for line in lines
            for number, followers in enumerate(line.followers)
            if followers is not None
        ]
        told.sort(key=itemgetter(0))  # accounts keep their order within a day
        return [
            {
                "date": (first + timedelta(days=number)).isoformat(),
                "platform": line.platform,
                "connectionId": line.connection_id,
                "followers": followers,
            }
            for number, line, followers in told
        ]


class MarkSerializer(Camel):
    """From this day on the account's views are counted in another way."""

    date = serializers.DateField()
    platform = serializers.ChoiceField(choices=Platform.choices)
    connection_id = serializers.IntegerField()
    before = serializers.CharField(help_text="The definition's name, as posts carry it.")
    after = serializers.CharField()
    message = serializers.CharField()


class BestPostSerializer(PostSerializer):
    platform = serializers.ChoiceField(choices=Platform.choices)
    connection_id = serializers.IntegerField()


class BestTimeSerializer(Camel):
    """Two hours of a weekday in which an account's posts earn more than its others."""

    platform = serializers.ChoiceField(choices=Platform.choices)
    connection_id = serializers.IntegerField()
    weekday = serializers.IntegerField(min_value=0, max_value=6, help_text="0 is Monday.")
    hour = serializers.IntegerField(min_value=0, max_value=22)
    posts = serializers.IntegerField()
    rate = serializers.FloatField()
    other_rate = serializers.FloatField()


class FlagSerializer(Camel):
    """An unusual move, with the numbers behind it."""

    kind = serializers.ChoiceField(
        choices=["follower_jump", "follower_drop", "engagement_collapse", "views_counted_anew"]
    )
    platform = serializers.ChoiceField(choices=Platform.choices)
    connection_id = serializers.IntegerField()
    message = serializers.CharField()
    evidence = serializers.DictField()


@extend_schema_field(
    {
        "type": "array",
        "minItems": 7,
        "maxItems": 7,
        "items": {
            "type": "array",
            "minItems": 24,
            "maxItems": 24,
            "items": {"type": "integer", "minimum": 0},
        },
    }
)
class Week(serializers.Field[Any, Any, Any, Any]):
    def to_representation(self, value: Any) -> list[list[int]]:
        return [list(day) for day in value]


class IntelligenceSerializer(Camel):
    talent_id = serializers.IntegerField()
    days = serializers.IntegerField()
    state = serializers.ChoiceField(choices=STATES)
    as_of = Instant(help_text="The newest good sync.")
    timezone = serializers.CharField(help_text="Of the posting times.")
    totals = TotalsSerializer()
    platforms = AccountSerializer(many=True)
    history = History(source="series")
    marks = MarkSerializer(many=True)
    best_posts = BestPostSerializer(many=True)
    posting_times = Week(help_text="Posts by weekday (Monday first) and hour.")
    best_times = BestTimeSerializer(many=True)
    flags = FlagSerializer(many=True)
    formulas = serializers.SerializerMethodField(help_text="How each number is made.")

    def get_formulas(self, found: Intelligence) -> dict[str, str]:
        return FORMULAS


class IntelligenceQuery(Query):
    days = serializers.IntegerField(
        required=False, default=30, min_value=1, max_value=kept.MOST_DAYS
    )


GROWTH: dict[str, Any] = dict.fromkeys((f"d{span}" for span in SPANS), None) | {
    "d7": {"absolute": 845, "percent": 0.71}
}
EXAMPLE: dict[str, Any] = {
    "talentId": 3,
    "days": 30,
    "state": "ready",
    "asOf": "2026-01-10T12:00:00Z",
    "timezone": "Europe/Lisbon",
    "totals": {
        "followers": 120345,
        "growth": GROWTH,
        "postsPerWeek": 2.8,
        "platforms": 1,
        "accounts": 1,
        "growthAccounts": {"d7": 1, "d30": 0, "d90": 0, "d365": 0},
        "oldestFetchedAt": "2026-01-10T12:00:00Z",
    },
    "platforms": [
        {
            "platform": "INSTAGRAM",
            "connectionId": 12,
            "handle": "janesmith",
            "followers": 120345,
            "followersQuality": "exact",
            "growth": GROWTH,
            "engagementRateByFollowers": 3.91,
            "engagementRateByViews": 5.02,
            "engagementRateBasis": "followers",
            "absentParts": ["shares", "saves"],
            "averageViews": 94310.5,
            "medianViews": 90112.0,
            "viewDefinitions": ["instagram.view_count.paid-and-organic.2025-04-21"],
            "postsPerWeek": 2.8,
            "postsInWindow": 12,
            "postsInSample": 11,
            "sample": {
                "postsInWindow": 12,
                "countedByFollowers": 11,
                "countedByViews": 7,
                "withViews": 8,
                "hiddenLikes": 1,
                "without": {},
                "postsStored": 50,
                "postsOnPlatform": 842,
                "since": "2025-12-11T12:00:00Z",
            },
            "source": "instagram_business_discovery",
            "fetchedAt": "2026-01-10T12:00:00Z",
            "postsFetchedAt": "2026-01-10T12:00:00Z",
            "partial": [],
        }
    ],
    "history": [
        {"date": "2026-01-10", "platform": "INSTAGRAM", "connectionId": 12, "followers": 120345}
    ],
    "marks": [],
    "bestPosts": [examples.POST | {"platform": "INSTAGRAM", "connectionId": 12}],
    "postingTimes": [[0] * 24 for _ in range(7)],
    "bestTimes": [],
    "flags": [],
    "formulas": FORMULAS,
}


class SocialIntelligence(ApiView):
    @documented(
        name="getSocialIntelligence",
        example=EXAMPLE,
        summary="Audience, growth, engagement, best posts and times of a talent",
        description="Per account, over a window of `days`. Across platforms only followers and "
        "posts per week are added. Made for polling, as connections are.",
        tag="Intelligence",
        answer=IntelligenceSerializer,
        query=IntelligenceQuery,
        errors=(404,),
        polled=True,
    )
    def get(self, request: Request, talent_id: int) -> HttpResponseBase:
        days = IntelligenceQuery.read(request.query_params)["days"]
        with gone_is_404(Talent):
            version = kept.version_of(talent_id)
            return unless_unchanged(
                request, (version, days), lambda: _answer(talent_id, days, version)
            )


def _answer(talent_id: int, days: int, version: object) -> HttpResponse:
    """The answer as bytes, which are made once for each version."""
    body = kept.unless_moved("json", talent_id, days, version, lambda: _packed(talent_id, days))
    return HttpResponse(zlib.decompress(body), content_type="application/json")


def _packed(talent_id: int, days: int) -> bytes:
    figures = summary.intelligence(talent_id, days=days)
    return zlib.compress(rendered(IntelligenceSerializer(figures).data), level=1)
