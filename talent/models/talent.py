"""A person whom the agency represents."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Upper


class ImageSource(models.TextChoices):
    """Where the profile photo comes from."""

    INSTAGRAM = "instagram"
    TIKTOK = "tiktok"
    YOUTUBE = "youtube"
    MANUAL = "manual"
    INITIALS = "initials"


class TalentQuerySet(models.QuerySet["Talent"]):
    def active(self) -> TalentQuerySet:
        return self.filter(status=Talent.Status.ACTIVE)

    def held(self) -> TalentQuerySet:
        """Locked until the transaction ends, against other changes but not against new rows that
        name the talent. Locks are taken in one order: the talent, its accounts by id, the rest."""
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)


class Talent(models.Model):
    class Status(models.TextChoices):
        ACTIVE = "active"
        ARCHIVED = "archived"

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=220, unique=True)
    email = models.EmailField(blank=True)
    bio = models.TextField(blank=True)
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    location = models.CharField(max_length=120, blank=True)
    timezone = models.CharField(max_length=64, default="UTC")
    manager = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="managed_talents",
    )
    linked_user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="talent",
    )
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    profile_image_url = models.CharField(max_length=2000, blank=True)
    profile_image_source = models.CharField(
        max_length=16,
        choices=ImageSource.choices,
        default=ImageSource.INITIALS,
        db_index=True,
    )
    last_profile_image_sync_at = models.DateTimeField(null=True, blank=True, db_index=True)
    linked_image_url = models.CharField(
        max_length=2000,
        blank=True,
        default="",
        db_default="",
        help_text="Our copy of the linked user's avatar.",
    )
    linked_image_from = models.CharField(
        max_length=2000,
        blank=True,
        default="",
        db_default="",
        help_text="The address that this copy was made of.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TalentQuerySet.as_manager()

    class Meta:
        db_table = "talent_talent"
        indexes = [
            models.Index("status", Upper("name"), "id", name="talent_by_name"),
            models.Index("status", models.F("created_at").desc(), "id", name="talent_by_age"),
            models.Index(fields=["status", "manager"], name="talent_by_status"),
            GinIndex(fields=["tags"], name="talent_tags"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["active", "archived"]),
                name="talent_status_known",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    profile_image_source__in=[source.value for source in ImageSource]
                ),
                name="talent_image_source_known",
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="talent_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def shown_image_url(self) -> str:
        """The photo, else the linked user's avatar, else nothing: initials are shown."""
        return self.profile_image_url or self.linked_image_url

    @property
    def first_name(self) -> str:
        return self.name.split()[0] if self.name.split() else self.name
