"""The back office of accounts: live state, sync now, disconnect, and the record of every attempt.

Everything that changes something makes the same call as the pages and the API. Tokens are never
shown, nor even read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from socials import connections, handles, platforms
from socials.erasure import erase
from socials.errors import CAUSES, InvalidHandle
from socials.models import (
    Circuit,
    Connection,
    DriftSighting,
    Grant,
    QuotaWindow,
    SyncRun,
    Worker,
)
from socials.models.moves import max_attempts
from socials.queries import state_of
from talent.admin import ReadOnly, TalentAdmin
from talent.models import Talent, User
from talent.templatetags.marks import WORDS


def pill(row: Connection) -> SafeString:
    """Where the sync stands, as a word in its colour."""
    state = state_of(row)
    return format_html('<span class="pill {}">{}</span>', state, WORDS[state])


def words(row: Connection) -> str:
    """Why it fails, in plain words."""
    cause = CAUSES.get(row.error_code)
    if cause is None:
        return ""
    return row.sync_error or cause.title.format(
        P=platforms.get(row.platform).name, h=handles.at(row.platform, row.handle), T="the talent"
    )


class Live:
    """What the list, the form and the talent's inline tell of a connection."""

    @admin.display(description="Account", ordering="handle")
    def account(self, row: Connection) -> str:
        return f"{row.get_platform_display()} {handles.at(row.platform, row.handle)}"

    @admin.display(description="State", ordering="sync_status")
    def state(self, row: Connection) -> SafeString:
        return pill(row)

    @admin.display(description="Attempt", ordering="attempt")
    def tries(self, row: Connection) -> str:
        return f"{row.attempt} of {max_attempts()}" if row.attempt else ""

    @admin.display(description="Why")
    def why(self, row: Connection) -> str:
        return words(row)

    @admin.display(description="Followers", ordering="profile__followers")
    def followers(self, row: Connection) -> str:
        profile = getattr(row, "profile", None)
        return f"{profile.followers:,}" if profile and profile.followers is not None else ""


class ConnectForm(forms.ModelForm[Connection]):
    """A new account: by handle, by link, or both."""

    handle = forms.CharField(required=False, max_length=2000)
    profile_url = forms.CharField(required=False, max_length=2000, label="Profile link")

    class Meta:
        model = Connection
        fields = ("talent", "platform", "handle", "profile_url")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        try:
            handles.parse(
                given.get("platform", ""), given.get("handle", ""), given.get("profile_url", "")
            )
        except InvalidHandle as refusal:
            field = {"profileUrl": "profile_url"}.get(refusal.field, refusal.field)
            self.add_error(field if field in self.fields else "handle", refusal.detail)
        return given


@admin.register(Connection)
class ConnectionAdmin(Live, admin.ModelAdmin[Connection]):
    list_display = (
        "account",
        "talent",
        "state",
        "why",
        "tries",
        "last_synced_at",
        "next_attempt_at",
        "followers",
    )
    list_filter = ("platform", "sync_status", "error_code", "connection_type", "connected")
    list_select_related = ("talent", "profile")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("handle", "talent__name", "=external_id")
    ordering = ("-updated_at", "-id")
    autocomplete_fields = ("talent",)
    actions = ("sync_now",)
    change_form_template = "admin/socials/connection/change_form.html"
    fieldsets = (
        (None, {"fields": ("talent", "account", "link", "external_id", "connection_type")}),
        (
            "Sync",
            {
                "fields": (
                    "state", "tries", "why", "error_code", "sync_error", "next_attempt_at",
                    "last_synced_at", "next_refresh_at", "freshness_minutes", "runs",
                )
            },
        ),
        ("Numbers", {"fields": ("followers", "source", "partial")}),
        ("Access", {"fields": ("connected", "grant_facts")}),
        ("Dates", {"fields": ("created_at", "updated_at")}),
    )  # fmt: skip

    class Media:
        js = ("admin.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        return super().get_queryset(request).defer("held_reading", "metadata")

    def get_form(
        self, request: HttpRequest, obj: Connection | None = None, change: bool = False, **kwargs: Any  # noqa: FBT001, FBT002
    ) -> Any:  # fmt: skip
        if obj is None:
            kwargs |= {"form": ConnectForm, "fields": ConnectForm.Meta.fields}
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Connection | None = None) -> Any:
        if obj is None:
            return ((None, {"fields": ConnectForm.Meta.fields}),)
        return super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Connection | None = None) -> Any:
        if obj is None:
            return ()
        shown = [name for _, options in self.fieldsets for name in options["fields"]]
        return tuple(name for name in shown if name != "freshness_minutes")

    def save_model(self, request: HttpRequest, obj: Connection, form: Any, change: bool) -> None:  # noqa: FBT001
        if change:
            obj.save(update_fields=["freshness_minutes", "updated_at"])
            return
        row, created = connections.connect(
            obj.talent,
            obj.platform,
            handle=form.cleaned_data["handle"],
            profile_url=form.cleaned_data["profile_url"],
            actor=_actor(request),
        )
        obj.pk = row.pk
        obj.refresh_from_db()
        if not created:
            self.message_user(request, f"{obj.talent} has this account already.", messages.WARNING)

    def response_change(self, request: HttpRequest, obj: Connection) -> HttpResponse:
        if "_sync" in request.POST:
            connections.request_sync(obj.pk, actor=_actor(request))
            self.message_user(request, "Queued for a sync.", messages.SUCCESS)
            return HttpResponseRedirect(request.path)
        return super().response_change(request, obj)

    def delete_model(self, request: HttpRequest, obj: Connection) -> None:
        connections.disconnect(obj.pk, actor=_actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        for pk in list(queryset.values_list("pk", flat=True)):
            connections.disconnect(pk, actor=_actor(request))

    def get_deleted_objects(self, objs: Iterable[Any], request: HttpRequest) -> Any:
        """Accounts only: their thousands of posts are not listed one by one."""
        names = [self.account(row) for row in objs]
        return names, {"accounts, with their posts, history and grants": len(names)}, set(), []

    @admin.action(description="Sync selected accounts now", permissions=["change"])
    def sync_now(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        queued = 0
        for pk, platform in list(queryset.values_list("pk", "platform")):
            if platforms.get(platform).syncs:
                connections.request_sync(pk, actor=_actor(request))
                queued += 1
        self.message_user(request, f"{queued} accounts queued for a sync.", messages.SUCCESS)

    @admin.display(description="Profile")
    def link(self, row: Connection) -> SafeString:
        return format_html('<a href="{0}" rel="noreferrer">{0}</a>', row.profile_url)

    @admin.display(description="Attempts")
    def runs(self, row: Connection) -> SafeString:
        address = reverse("admin:socials_syncrun_changelist")
        return format_html('<a href="{}?connection__id={}">Every attempt</a>', address, row.pk)

    @admin.display(description="Grant")
    def grant_facts(self, row: Connection) -> str:
        """Scopes and dates; the tokens stay where they are."""
        facts = Grant.objects.filter(pk=row.pk).values("scopes", "granted_at", "expires_at").first()
        if facts is None:
            return "None: read without the talent's access"
        until = f", until {facts['expires_at']:%d %b %Y}" if facts["expires_at"] else ""
        return f"{', '.join(facts['scopes'])} (since {facts['granted_at']:%d %b %Y}{until})"


class ConnectionInline(Live, admin.TabularInline[Connection, Talent]):
    model = Connection
    extra = 0
    can_delete = False
    show_change_link = True
    verbose_name_plural = "accounts"
    fields = readonly_fields = ("account", "state", "tries", "followers", "last_synced_at", "why")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        rows = super().get_queryset(request).select_related("profile")
        return rows.defer("held_reading", "metadata").order_by("platform", "id")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


admin.site.unregister(Talent)


@admin.register(Talent)
class TalentWithAccounts(TalentAdmin):
    """The talent's admin, with what socials knows."""

    inlines = (ConnectionInline,)
    actions = ("archive", "restore", "sync_accounts", "erase_everywhere")
    list_display = ("name", "email", "manager", "status", "followers", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Talent]:
        accounts = Connection.objects.filter(talent=OuterRef("pk")).order_by().values("talent")
        followers = accounts.annotate(sum=Sum("profile__followers")).values("sum")
        return super().get_queryset(request).annotate(sum=Subquery(followers))

    @admin.display(description="Followers", ordering="sum")
    def followers(self, talent: Talent) -> str:
        total = getattr(talent, "sum", None)
        return "" if total is None else f"{total:,}"

    @admin.action(description="Sync all accounts of selected talents", permissions=["change"])
    def sync_accounts(self, request: HttpRequest, queryset: QuerySet[Talent]) -> None:
        rows = Connection.objects.filter(talent__in=queryset.values("pk"))
        ids = [row.pk for row in rows.only("pk", "platform") if platforms.get(row.platform).syncs]
        for pk in ids:
            connections.request_sync(pk, actor=_actor(request))
        self.message_user(request, f"{len(ids)} accounts queued for a sync.", messages.SUCCESS)

    @admin.action(description="Erase selected talents everywhere…", permissions=["delete"])
    def erase_everywhere(
        self, request: HttpRequest, queryset: QuerySet[Talent]
    ) -> HttpResponse | None:
        """Asks first; then erases and shows each receipt."""
        if request.POST.get("confirmed") != "erase":
            context = {
                **self.admin_site.each_context(request),
                "title": "Erase everywhere?",
                "talents": list(queryset.order_by("name")),
                "opts": self.opts,
                "checkbox": ACTION_CHECKBOX_NAME,
            }
            return TemplateResponse(request, "admin/talent/talent/erase.html", context)
        for pk in list(queryset.values_list("pk", flat=True)):
            receipt = erase(pk, actor=_actor(request))
            told = ", ".join(f"{number} {table}" for table, number in receipt.erased.items())
            self.message_user(request, f"Talent {pk} erased: {told}.", messages.SUCCESS)
        return None


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnly):
    list_display = (
        "finished_at",
        "account",
        "trigger",
        "attempt",
        "outcome",
        "seconds",
        "source",
        "calls",
        "units",
        "posts_new",
        "message",
    )
    list_filter = ("outcome", "platform", "trigger", "error_code")
    list_select_related = ("connection",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("connection__handle", "=worker")
    ordering = ("-finished_at", "-id")

    @admin.display(description="Account")
    def account(self, run: SyncRun) -> str:
        return f"{run.connection.get_platform_display()} {run.connection.handle}"

    @admin.display(description="Seconds", ordering="duration_ms")
    def seconds(self, run: SyncRun) -> str:
        return f"{run.duration_ms / 1000:.2f}"


@admin.register(Circuit)
class CircuitAdmin(ReadOnly):
    list_display = (
        "platform",
        "source",
        "state",
        "opened_at",
        "probe_at",
        "blocked_until",
        "error_code",
    )
    list_filter = ("state", "platform")


@admin.register(QuotaWindow)
class QuotaWindowAdmin(ReadOnly):
    list_display = ("bucket", "used", "cap", "starts_at", "ends_at")
    search_fields = ("bucket",)
    ordering = ("-starts_at", "bucket")
    show_full_result_count = False


@admin.register(Worker)
class WorkerAdmin(ReadOnly):
    list_display = ("id", "host", "pid", "started_at", "heartbeat_at", "busy")
    ordering = ("id",)


@admin.register(DriftSighting)
class DriftSightingAdmin(ReadOnly):
    list_display = ("source", "path", "times", "first_seen_at", "last_seen_at")
    list_filter = ("platform",)
    search_fields = ("path", "source")
    ordering = ("-last_seen_at",)


def _actor(request: HttpRequest) -> User:
    return cast(User, request.user)
