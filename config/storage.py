"""STORAGE_URL: an S3-compatible bucket for the pictures, in place of a folder of this machine.

``s3://KEY:SECRET@HOST[:PORT]/BUCKET[/FOLDER]?region=…&public_url=…&tls=off``
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit

from config.env import stop

EXAMPLE = "s3://KEY:SECRET@s3.eu-central-1.amazonaws.com/BUCKET?region=eu-central-1"
KNOWN = ("public_url", "region", "tls")
_HOST = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?", re.IGNORECASE
)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9-]{2,40}")
_AMAZON = re.compile(r"s3[.-](?:dualstack\.)?([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where pictures lie. ``shown_from`` is the origin from which browsers load them."""

    backend: str
    options: dict[str, Any]
    shown_from: str = ""

    @property
    def storage(self) -> dict[str, Any]:
        """Django's description of the storage."""
        return {"BACKEND": self.backend, "OPTIONS": self.options}


DISK = Place("socials.images.storage.Disk", {})


def place(address: str, *, public_url: str) -> Place:
    """Where STORAGE_URL says; a folder of this machine when it is empty. Stops a senseless one.

    ``public_url`` is Greenroom's own address: pages over https show no pictures over http.
    """
    if not address:
        return DISK
    head, _, query = address.partition("?")
    if not head.startswith("s3://"):
        _refuse(f"must be like {EXAMPLE}")
    # From the last @: a secret may hold any sign, also unescaped.
    keys, at, path = head.removeprefix("s3://").rpartition("@")
    key, colon, secret = keys.partition(":")
    if not (at and key and colon and secret):
        _refuse(f"needs a key and a secret before the host, like {EXAMPLE}")
    host, bucket, folder = _parts(path)
    options = _options(query)
    if not find_spec("boto3") or not find_spec("storages"):
        _refuse("needs more packages: pip install -r requirements/s3.txt", see="")
    scheme = "http" if options.get("tls") == "off" else "https"
    if scheme == "http" and public_url.startswith("https:") and "public_url" not in options:
        _refuse(
            "has tls=off, but pages over https can't show it; add &public_url=https://photos.example.com"
        )
    return _bucket(
        scheme, host, bucket, folder, keys=(unquote(key), unquote(secret)), options=options
    )


def _bucket(
    scheme: str, host: str, bucket: str, folder: str, *, keys: tuple[str, str], options: Any
) -> Place:
    amazon = _AMAZON.fullmatch(host)
    # Amazon's way; a certificate for *.s3… holds no bucket with a dot in its name.
    by_name = host.endswith(".amazonaws.com") and "." not in bucket
    shown_at = options.get("public_url", "")
    own = f"{scheme}://{bucket}.{host}" if by_name else f"{scheme}://{host}"
    return Place(
        "socials.images.bucket.Bucket",
        {
            "access_key": keys[0],
            "secret_key": keys[1],
            "endpoint_url": f"{scheme}://{host}",
            "region_name": options.get("region") or (amazon[1] if amazon else "us-east-1"),
            "bucket_name": bucket,
            "location": folder,
            "addressing_style": "virtual" if by_name else "path",
            "shown_at": shown_at,
        },
        shown_from=_origin(shown_at) if shown_at else own,
    )


def _parts(path: str) -> tuple[str, str, str]:
    """Host, bucket and folder."""
    host, _, rest = path.partition("/")
    bucket, _, folder = rest.partition("/")
    found = _HOST.fullmatch(host)
    if not found or int(found[1] or 443) not in range(1, 65_536):
        _refuse(f"needs a host, like {EXAMPLE}")
    if not _BUCKET.fullmatch(bucket):
        _refuse(f"needs a bucket's name behind the host, like {EXAMPLE}")
    folder = unquote(folder).strip("/")
    if ".." in folder.split("/"):
        _refuse("has a folder with .. in it")
    return host, bucket, folder


def _options(query: str) -> dict[str, str]:
    told = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := sorted(set(told) - set(KNOWN)):
        _refuse(f"has the unknown option {', '.join(unknown)}; known: {', '.join(KNOWN)}")
    if told.get("tls", "on") not in ("on", "off"):
        _refuse("has a tls that is neither on nor off")
    if "region" in told and not _REGION.fullmatch(told["region"]):
        _refuse("has a region that is none, write it like region=eu-central-1")
    if "public_url" in told and not _origin(told["public_url"]):
        _refuse(
            "has a public_url that is none, write it like public_url=https://photos.example.com"
        )
    return told | ({"public_url": told["public_url"].rstrip("/")} if "public_url" in told else {})


def _origin(address: str) -> str:
    """Scheme and host of a web address; empty when it is none."""
    try:
        parts = urlsplit(address)
        fine = parts.scheme in ("http", "https") and _HOST.fullmatch(parts.netloc)
    except ValueError:
        return ""
    extra = parts.query or parts.fragment
    return f"{parts.scheme}://{parts.netloc}" if fine and not extra else ""


def _refuse(why: str, *, see: str = " See .env.example.") -> NoReturn:
    stop(f"STORAGE_URL {why}.{see}")
