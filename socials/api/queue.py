"""How the queue is doing, for dashboards and alerts."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from socials import dashboard
from socials.api import examples
from socials.api.serializers import QueueStatsSerializer
from talent.api.schema import documented
from talent.api.views import ApiView, success


class QueueStats(ApiView):
    @documented(
        name="getQueueStats",
        example=examples.QUEUE_STATS,
        summary="Depth, ages, rates, workers, quotas and causes of failure",
        tag="Queue",
        answer=QueueStatsSerializer,
    )
    def get(self, request: Request) -> Response:
        return success(QueueStatsSerializer(dashboard.queue_stats()).data)
