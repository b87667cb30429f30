"""Accounts and what was read from them. A row's state moves here and nowhere else."""

from socials.models.alarm import Alarm
from socials.models.batch import Batch, BatchItem
from socials.models.connection import Connection, ConnectionType, Platform
from socials.models.duty import DeletionRequest, Heard
from socials.models.grant import Grant, Revocation
from socials.models.invite import Invite, Notice, PendingGrant
from socials.models.kit_link import KitLink, KitMetric
from socials.models.latency import Latency
from socials.models.limits import Circuit, DriftSighting, QuotaWindow, Worker
from socials.models.photo import Photo, PhotoRun
from socials.models.post import Post
from socials.models.profile import Profile
from socials.models.push import PushSubscription
from socials.models.roster_import import RosterImport
from socials.models.snapshot import Snapshot
from socials.models.states import Priority, SyncStatus, Trigger
from socials.models.sync_run import Outcome, SyncRun
from socials.models.thumbnail import Thumbnail
from socials.models.webhook import Delivery, Event, Webhook

__all__ = [
    "Alarm",
    "Batch",
    "BatchItem",
    "Circuit",
    "Connection",
    "ConnectionType",
    "DeletionRequest",
    "Delivery",
    "DriftSighting",
    "Event",
    "Grant",
    "Heard",
    "Invite",
    "KitLink",
    "KitMetric",
    "Latency",
    "Notice",
    "Outcome",
    "PendingGrant",
    "Photo",
    "PhotoRun",
    "Platform",
    "Post",
    "Priority",
    "Profile",
    "PushSubscription",
    "QuotaWindow",
    "Revocation",
    "RosterImport",
    "Snapshot",
    "SyncRun",
    "SyncStatus",
    "Thumbnail",
    "Trigger",
    "Webhook",
    "Worker",
]
