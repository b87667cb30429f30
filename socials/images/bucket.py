"""Pictures in an S3-compatible bucket; browsers get them from there, by a public or signed address."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage

from socials.images.storage import IMMUTABLE, Elsewhere

YEAR = int(timedelta(days=365).total_seconds())
SIGNED = int(timedelta(hours=24).total_seconds())
"""A signed address opens a file for so many seconds; a browser may remember it for half of them."""
AT_ONCE = 1000
"""Objects that one call deletes."""


class StorageDown(OSError):
    """The bucket does not answer, or refuses. ``str()`` holds no key and no address."""


class Bucket(S3Storage):  # type: ignore[misc]
    """``shown_at``: the address under which its files are public; empty: addresses are signed."""

    def __init__(self, **options: Any) -> None:
        self.shown_at: str = options.pop("shown_at", "")
        super().__init__(
            **options,
            querystring_expire=SIGNED,
            client_config=Config(
                s3={"addressing_style": options.get("addressing_style")},
                signature_version="s3v4",
                connect_timeout=3,
                read_timeout=10,
                retries={"mode": "standard", "total_max_attempts": 2},
                # Not every compatible server knows Amazon's newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    @cached_property
    def client(self) -> Any:
        """One for all threads, which a client (other than a resource) allows."""
        return self.connection.meta.client

    def put(self, path: str, content: bytes) -> None:
        self._call(
            "put_object",
            Key=self._key(path),
            Body=content,
            ContentType="image/webp",
            CacheControl=IMMUTABLE,
        )

    def remove(self, paths: Iterable[str]) -> None:
        keys = [{"Key": self._key(path)} for path in paths]
        for start in range(0, len(keys), AT_ONCE):
            part = {"Objects": keys[start : start + AT_ONCE], "Quiet": True}
            self._call("delete_objects", Delete=part)

    def walk(self, folder: str) -> Iterator[tuple[str, datetime]]:
        top = self._key("")
        more: dict[str, str] = {}
        while True:
            page = self._call("list_objects_v2", Prefix=self._key(f"{folder}/"), **more)
            for entry in page.get("Contents", ()):
                yield entry["Key"].removeprefix(top), entry["LastModified"]
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def exists(self, name: str) -> bool:
        try:
            return bool(super().exists(name))
        except (BotoCoreError, ClientError) as error:
            raise _down(error) from None

    def open(self, name: str, mode: str = "rb") -> Any:
        try:
            return super().open(name, mode)
        except (BotoCoreError, ClientError) as error:
            raise _down(error) from None

    def elsewhere(self, path: str) -> Elsewhere | None:
        if self.shown_at:
            return Elsewhere(f"{self.shown_at}/{quote(self._key(path))}", YEAR)
        params = {"Bucket": self.bucket_name, "Key": self._key(path)}
        url = self.client.generate_presigned_url("get_object", params, ExpiresIn=SIGNED)
        return Elsewhere(url, SIGNED // 2)

    def _key(self, path: str) -> str:
        return f"{self.location}/{path}" if self.location else path

    def _call(self, name: str, **options: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self.client, name)(Bucket=self.bucket_name, **options)
        except (BotoCoreError, ClientError) as error:
            raise _down(error) from None
        return answer


def _down(error: Exception) -> StorageDown:
    told = getattr(error, "response", {}).get("Error", {}).get("Code", "") or type(error).__name__
    return StorageDown(f"the picture storage can't be used ({told})")
