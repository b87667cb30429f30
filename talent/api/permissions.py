"""What each role may do over HTTP: the rules of ``talent.roles``, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from talent.roles import can_read, can_write

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this module


class StaffReadsManagersWrite(BasePermission):
    """The default of every view."""

    message = "Viewers read and managers change. Ask an administrator for the role you need."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return can_read(request.user) if request.method in SAFE_METHODS else can_write(request.user)


class ManagersOnly(BasePermission):
    message = "Only managers may see or change this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return can_write(request.user)


class SignedIn(BasePermission):
    """Any person with an account: staff or talent."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user.is_authenticated)
