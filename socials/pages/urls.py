"""Pages of the roster, of each talent's accounts, and of the syncs."""

from __future__ import annotations

from django.urls import path

from socials.pages import (
    callbacks,
    callbacks_youtube,
    connect,
    connections,
    invites,
    photo,
    sync,
    talent_list,
    talent_page,
)

urlpatterns = [
    path("", talent_list.talent_list, name="talent-list"),
    path("talents/live", talent_list.talent_list_live, name="talent-list-live"),
    path("talent/new", talent_page.talent_new, name="talent-new"),
    path("talent/<int:talent_id>", talent_page.talent_overview, name="talent-overview"),
    path("talent/<int:talent_id>/profiles", connections.talent_profiles, name="talent-profiles"),
    path("talent/<int:talent_id>/profiles/live", connections.connections_live, name="connections-live"),
    path("talent/<int:talent_id>/profiles/check", connections.account_check, name="account-check"),
    path("talent/<int:talent_id>/activity", talent_page.talent_activity, name="talent-activity"),
    path("talent/<int:talent_id>/settings", talent_page.talent_settings, name="talent-settings"),
    path("talent/<int:talent_id>/sync", connections.talent_sync, name="talent-sync"),
    path("talent/<int:talent_id>/photo", photo.talent_photo, name="talent-photo"),
    path("talent/<int:talent_id>/photo/upload", photo.photo_upload, name="photo-upload"),
    path("talent/<int:talent_id>/photo/remove", photo.photo_remove, name="photo-remove"),
    path("talent/<int:talent_id>/photo/choose", photo.photo_choose, name="photo-choose"),
    path("talent/<int:talent_id>/photo/focus", photo.photo_focus, name="photo-focus"),
    path("talent/<int:talent_id>/archive", talent_page.talent_archive, name="talent-archive"),
    path("talent/<int:talent_id>/restore", talent_page.talent_restore, name="talent-restore"),
    path("talent/<int:talent_id>/delete", talent_page.talent_delete, name="talent-delete"),
    path("connection/<int:connection_id>/sync", connections.connection_sync, name="connection-sync"),
    path("connection/<int:connection_id>/delete", connections.connection_delete, name="connection-delete"),
    path("connection/<int:connection_id>/reconnect", invites.connection_reconnect, name="connection-reconnect"),
    path("invites", invites.invites_page, name="invites"),
    path("invites/<int:invite_id>/off", invites.invite_off, name="invite-off"),
    path("talent/<int:talent_id>/invite", invites.invite_create, name="invite-create"),
    path("talent/<int:talent_id>/invite/off", invites.invite_revoke, name="invite-revoke"),
    path("sync", sync.sync, name="sync"),
    path("callbacks/youtube", callbacks_youtube.youtube, name="callback-youtube"),
    path("connect/<str:token>", connect.connect, name="connect"),
    path("connect/<str:token>/disconnect/<int:connection_id>", connect.connect_disconnect, name="connect-disconnect"),
    path("oauth/<str:platform>/start", connect.oauth_start, name="oauth-start"),
    path("oauth/<str:platform>/callback", connect.oauth_callback, name="oauth-callback"),
    path("oauth/<str:platform>/confirm/<str:pending_id>", connect.oauth_confirm, name="oauth-confirm"),
    path("callbacks/meta/deauthorize", callbacks.meta_deauthorize, name="meta-deauthorize"),
    path("callbacks/meta/data-deletion", callbacks.meta_data_deletion, name="meta-data-deletion"),
    path("callbacks/meta/deletion/<str:code>", callbacks.meta_deletion, name="meta-deletion"),
    path("callbacks/tiktok", callbacks.tiktok, name="tiktok-webhook"),
]  # fmt: skip
