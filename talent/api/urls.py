"""Addresses below ``/api`` that know people only, and the API's description of itself."""

from django.urls import path

from talent.api.activity import ActivityList
from talent.api.docs import Docs, Schema
from talent.api.profile import ProfileView

urlpatterns = [
    path("admin/activity", ActivityList.as_view(), name="api-activity"),
    path("profile", ProfileView.as_view(), name="api-profile"),
    path("schema", Schema.as_view(), name="api-schema"),
    path("docs", Docs.as_view(), name="api-docs"),
]
