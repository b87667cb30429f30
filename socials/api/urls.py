"""Addresses below ``/api/admin`` of the roster, its accounts and the queue."""

from django.urls import path

from socials.api.batches import BatchDetail, BatchList
from socials.api.connections import (
    ConnectionDetail,
    ConnectionHistory,
    ConnectionPosts,
    ConnectionRuns,
    ConnectionSync,
    ConnectManually,
    TalentConnections,
)
from socials.api.intelligence import SocialIntelligence
from socials.api.invites import ConnectLinks, OAuthCallback
from socials.api.kits import KitLinkOfTalent
from socials.api.photos import ProfileImage, ProfileImageSync
from socials.api.queue import QueueStats
from socials.api.talents import TalentDetail, TalentList
from socials.api.webhooks import (
    DeliveryList,
    DeliveryResend,
    DeliveryResendFailed,
    WebhookDetail,
    WebhookList,
    WebhookTest,
)

urlpatterns = [
    path("admin/talent", TalentList.as_view(), name="api-talents"),
    path("admin/talent/<int:talent_id>", TalentDetail.as_view(), name="api-talent"),
    path(
        "admin/talent/<int:talent_id>/social-connections",
        TalentConnections.as_view(),
        name="api-talent-connections",
    ),
    path("admin/socials/connect-manual", ConnectManually.as_view(), name="api-connect-manual"),
    path("admin/socials/<int:connection_id>", ConnectionDetail.as_view(), name="api-connection"),
    path(
        "admin/socials/<int:connection_id>/sync",
        ConnectionSync.as_view(),
        name="api-connection-sync",
    ),
    path(
        "admin/socials/<int:connection_id>/posts",
        ConnectionPosts.as_view(),
        name="api-connection-posts",
    ),
    path(
        "admin/socials/<int:connection_id>/history",
        ConnectionHistory.as_view(),
        name="api-connection-history",
    ),
    path(
        "admin/socials/<int:connection_id>/runs",
        ConnectionRuns.as_view(),
        name="api-connection-runs",
    ),
    path(
        "admin/talent/<int:talent_id>/social-intelligence",
        SocialIntelligence.as_view(),
        name="api-social-intelligence",
    ),
    path("admin/talent/<int:talent_id>/kit-link", KitLinkOfTalent.as_view(), name="api-kit-link"),
    path(
        "admin/talent/<int:talent_id>/profile-image",
        ProfileImage.as_view(),
        name="api-profile-image",
    ),
    path(
        "admin/talent/<int:talent_id>/profile-image/sync",
        ProfileImageSync.as_view(),
        name="api-profile-image-sync",
    ),
    path(
        "admin/talent/<int:talent_id>/connect-link",
        ConnectLinks.as_view(),
        name="api-connect-link",
    ),
    path("socials/oauth/callback", OAuthCallback.as_view(), name="api-oauth-callback"),
    path("admin/batches", BatchList.as_view(), name="api-batches"),
    path("admin/batches/<int:batch_id>", BatchDetail.as_view(), name="api-batch"),
    path("admin/webhooks", WebhookList.as_view(), name="api-webhooks"),
    path("admin/webhooks/<int:webhook_id>", WebhookDetail.as_view(), name="api-webhook"),
    path("admin/webhooks/<int:webhook_id>/test", WebhookTest.as_view(), name="api-webhook-test"),
    path(
        "admin/webhooks/<int:webhook_id>/deliveries",
        DeliveryList.as_view(),
        name="api-webhook-deliveries",
    ),
    path(
        "admin/webhooks/<int:webhook_id>/deliveries/resend-failed",
        DeliveryResendFailed.as_view(),
        name="api-webhook-resend-failed",
    ),
    path(
        "admin/webhooks/<int:webhook_id>/deliveries/<int:delivery_id>/resend",
        DeliveryResend.as_view(),
        name="api-webhook-resend",
    ),
    path("admin/queue-stats", QueueStats.as_view(), name="api-queue-stats"),
]
