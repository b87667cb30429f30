"""The ledger in the back office: read only, newest first."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from scraping.models import ScrapeRun


@admin.register(ScrapeRun)
class ScrapeRunAdmin(admin.ModelAdmin[ScrapeRun]):
    list_display = (
        "started_at", "provider", "platform", "actor", "outcome", "handles_delivered",
        "handles_asked", "items", "cost_usd", "duration_ms", "error_code",
    )  # fmt: skip
    list_filter = ("provider", "platform", "outcome", "error_code")
    search_fields = ("provider_run_id",)
    date_hierarchy = "started_at"
    ordering = ("-started_at",)

    def has_add_permission(self, request: Any) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return False
