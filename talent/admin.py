"""The back office of people: talents, users and who did what. Changes go through the roster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.contrib.postgres.forms import SimpleArrayField
from django.db.models import QuerySet, URLField
from django.http import HttpRequest

from talent import roster, rules, second_factor, tokens
from talent.models import Activity, ApiToken, CreatorProfile, Talent, User
from talent.roles import Role

admin.site.unregister(Group)  # a role says what somebody may do; groups would be a second way


class ReadOnly(admin.ModelAdmin[Any]):
    """An admin that shows and never changes."""

    actions: Sequence[str] | None = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TalentForm(forms.ModelForm[Talent]):
    """Checks by the roster's own rules."""

    tags = SimpleArrayField(
        forms.CharField(), required=False, help_text="With commas between: food, travel"
    )

    class Meta:
        model = Talent
        fields = (
            "name",
            "email",
            "tags",
            "manager",
            "linked_user",
            "location",
            "timezone",
            "bio",
            "status",
        )

    def clean(self) -> dict[str, Any]:
        given = dict(super().clean() or {})
        plain = {
            name: value for name, value in given.items() if name not in {"manager", "linked_user"}
        }
        try:
            given |= rules.cleaned(**plain)
        except rules.RosterRefused as refusal:
            for field, texts in refusal.fields.items():
                self.add_error(field, texts)
        return given


class TalentAdmin(admin.ModelAdmin[Talent]):
    form = TalentForm
    list_display = ("name", "email", "manager", "status", "profile_image_source", "updated_at")
    list_filter = ("status", "profile_image_source", ("manager", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("manager",)
    list_per_page = 50
    search_fields = ("name", "email", "tags", "slug")
    ordering = ("name", "id")
    readonly_fields = (
        "slug",
        "profile_image_source",
        "last_profile_image_sync_at",
        "created_at",
        "updated_at",
    )
    autocomplete_fields = ("linked_user",)
    actions: Sequence[str] = ("archive", "restore")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "manager":
            staff = User.objects.filter(is_staff=True, is_active=True).exclude(
                role=Role.NONE, is_superuser=False
            )
            kwargs["queryset"] = staff.order_by("first_name", "username")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Talent, form: Any, change: bool) -> None:  # noqa: FBT001
        ids = {"manager": "manager_id", "linked_user": "linked_user_id"}
        fields = {
            ids.get(name, name): getattr(obj, ids.get(name, name))
            for name in (form.changed_data if change else form.cleaned_data)
        }
        if change:
            roster.update(obj.pk, actor=_actor(request), **fields)
            return
        status = fields.pop("status", Talent.Status.ACTIVE)
        added = roster.add(**fields, actor=_actor(request))
        if status != Talent.Status.ACTIVE:
            roster.update(added.pk, status=status, actor=_actor(request))
        obj.pk = added.pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: Talent) -> None:
        roster.delete(obj.pk, actor=_actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Talent]) -> None:
        for pk in queryset.values_list("pk", flat=True):
            roster.delete(pk, actor=_actor(request))

    def get_deleted_objects(self, objs: Iterable[Any], request: HttpRequest) -> Any:
        """Names only: the accounts' thousands of posts are not listed one by one."""
        names = [str(talent) for talent in objs]
        return names, {"talents, with all their accounts and numbers": len(names)}, set(), []

    @admin.action(description="Archive selected talents", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Talent]) -> None:
        self._each(request, queryset, roster.archive, "archived")

    @admin.action(
        description="Bring selected talents back from the archive", permissions=["change"]
    )
    def restore(self, request: HttpRequest, queryset: QuerySet[Talent]) -> None:
        self._each(request, queryset, roster.restore, "restored")

    def _each(
        self, request: HttpRequest, queryset: QuerySet[Talent], journey: Any, done: str
    ) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        for pk in ids:
            journey(pk, actor=_actor(request))
        self.message_user(request, f"{len(ids)} talents {done}.", messages.SUCCESS)


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User]):
    """Who signs in, and as what. Only superusers change it."""

    list_display = (
        "username",
        "name",
        "email",
        "role",
        "is_staff",
        "is_active",
        "has_second_factor",
        "last_login",
    )
    actions = ("reset_second_factor",)
    list_filter = ("role", "is_staff", "is_superuser", "is_active")
    filter_horizontal = ()
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "avatar_url")}),
        ("May do", {"fields": ("is_active", "is_staff", "role", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "email", "usable_password", "password1", "password2"),
            },
        ),
        ("May do", {"fields": ("is_staff", "role")}),
    )
    readonly_fields = ("last_login", "date_joined")

    @admin.display(description="Name", ordering="first_name")
    def name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description="Second factor", boolean=True, ordering="second_factor_at")
    def has_second_factor(self, user: User) -> bool:
        return user.second_factor_at is not None

    @admin.action(
        description="Take the second factor of selected users away", permissions=["change"]
    )
    def reset_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        done = [person for person in queryset if second_factor.reset(person, actor=_actor(request))]
        self.message_user(request, f"{len(done)} second factors taken away.", messages.SUCCESS)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnly):
    """Everybody's keys, by name and beginning: for superusers."""

    list_display = (
        "name",
        "hint",
        "user",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    )
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "user__role")
    list_select_related = ("user",)
    search_fields = ("name", "user__username", "=hint")
    ordering = ("-last_used_at", "-pk")
    fields = readonly_fields = list_display
    actions = ("revoke",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _actor(request).is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _actor(request).is_superuser

    @admin.action(description="Revoke selected tokens", permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        closed = sum(tokens.revoke_one(pk, actor=_actor(request)) for pk in ids)
        self.message_user(request, f"{closed} tokens revoked.", messages.SUCCESS)


@admin.register(CreatorProfile)
class CreatorProfileAdmin(ReadOnly):
    list_display = ("user", "tiktok_handle", "tiktok_followers", "scrape_status", "scraped_at")
    list_filter = ("scrape_status",)
    list_select_related = ("user",)
    search_fields = ("tiktok_handle", "user__username", "user__email")


class NounFilter(admin.SimpleListFilter):
    """What an event is about: the part of its action before the dot."""

    title = "what"
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(noun, noun.replace("_", " ").capitalize()) for noun in self.NOUNS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Activity]) -> QuerySet[Activity]:
        return queryset.filter(action__startswith=f"{self.value()}.") if self.value() else queryset

    NOUNS = ("talent", "connection", "profile_image", "invite", "grant", "kit", "webhook", "token",
             "second_factor")  # fmt: skip


@admin.register(Activity)
class ActivityAdmin(ReadOnly):
    list_display = ("at", "who", "action", "object", "talent_id")
    list_filter = (NounFilter, "at")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("object", "actor_name", "action", "=talent_id")
    ordering = ("-at", "-id")

    @admin.display(description="Who", ordering="actor_name")
    def who(self, event: Activity) -> str:
        return event.actor_name or "Greenroom"


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


admin.site.register(Talent, TalentAdmin)
