"""How often one client may ask the API: a bucket per token, per person and per address."""

from __future__ import annotations

import time

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from talent.buckets import BUCKETS, address_of


class PerClient(BaseThrottle):
    """By token or user when somebody is signed in, else by address."""

    _wait = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        key, per_minute = self._bucket(request)
        self._wait = BUCKETS.take(key, per_minute, time.monotonic())
        return not self._wait

    def wait(self) -> float:
        return self._wait

    def _bucket(self, request: Request) -> tuple[str, int]:
        if request.auth is not None:
            return f"token:{request.auth.pk}", settings.API_REQUESTS_PER_MINUTE
        if request.user.is_authenticated:
            return f"user:{request.user.pk}", settings.API_REQUESTS_PER_MINUTE
        return f"address:{address_of(request)}", settings.API_ANONYMOUS_REQUESTS_PER_MINUTE


class PerAddress(PerClient):
    """For requests whose credentials were refused: nobody is signed in, so the address counts."""

    def _bucket(self, request: Request) -> tuple[str, int]:
        return f"address:{address_of(request)}", settings.API_ANONYMOUS_REQUESTS_PER_MINUTE
