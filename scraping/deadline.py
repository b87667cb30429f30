"""The deadline of a whole call, kept by the connections that it is made over.

A read time-out starts anew with every byte, so that an answer which drips (its headers, too) could
hold a thread for hours. Here each read from the socket is given what is left of the call.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from http.client import HTTPResponse
from typing import Any, Final, NoReturn

import urllib3
from requests_hardened.ip_filter import InvalidIPAddress, filter_host
from urllib3.connection import HTTPConnection, HTTPSConnection

CHUNK: Final = 64 * 1024

_call = threading.local()


def begin(seconds: float) -> None:
    """The call of this thread that begins now may take so long."""
    _call.deadline = time.monotonic() + seconds


def remaining() -> float:
    """Seconds that are left to this thread's call; endless where none began."""
    return float(getattr(_call, "deadline", float("inf"))) - time.monotonic()


def _out_of_time() -> NoReturn:
    raise TimeoutError("the call's time is over")


class _Reader(io.RawIOBase):
    """A socket's bytes, none of them later than the call's deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._read_seconds = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = remaining()
        if left <= 0:
            _out_of_time()
        patience = left if self._read_seconds is None else min(left, self._read_seconds)
        self._sock.settimeout(patience)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_Reader(sock), CHUNK)


def _connected(
    host: str, port: int, seconds: float, options: Any, *, public_only: bool = False
) -> socket.socket:
    """A connection to the first address that answers, name look-up included in ``seconds``."""
    until = time.monotonic() + seconds
    last: OSError | None = None
    addresses = _addresses(host, port, seconds)
    if public_only:
        # Each address is judged and then connected to as it stands: no second look-up to fool us.
        for address in addresses:
            _refuse_private(str(address[4][0]), port)
    for family, kind, protocol, _, address in addresses:
        left = until - time.monotonic()
        if left <= 0:
            break
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options or ():
                sock.setsockopt(*option)
            sock.settimeout(left)
            sock.connect(address)
        except OSError as error:
            sock.close()
            last = error
        else:
            return sock
    raise last or TimeoutError("no address answered in time")


def _refuse_private(address: str, port: int) -> None:
    try:
        filter_host(address, port, allow_loopback=False)
    except InvalidIPAddress:
        raise OSError("the address is not public") from None


def _addresses(host: str, port: int, seconds: float) -> list[Any]:
    """``getaddrinfo``, which knows no time-out, in a thread that may be left behind."""
    found: list[Any] = []
    faults: list[OSError | UnicodeError] = []

    def look_up() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            faults.append(error)

    thread = threading.Thread(target=look_up, name="look-up", daemon=True)
    thread.start()
    thread.join(seconds)
    if faults:
        raise faults[0]
    if not found:
        raise TimeoutError("the name was not found in time")
    return found


class _Bound:
    """Mixed into urllib3's connections: they connect and answer within the call's deadline."""

    response_class: Any = _Answer
    public_only = False

    def request(self: Any, *args: Any, **options: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(max(remaining(), 0.001))
        super().request(*args, **options)  # type: ignore[misc]

    def _new_conn(self: Any) -> socket.socket:
        seconds = max(min(self.timeout or 5.0, remaining()), 0.001)
        try:
            sock = _connected(
                self._dns_host,
                self.port,
                seconds,
                self.socket_options,
                public_only=self.public_only,
            )
        except TimeoutError:
            raise urllib3.exceptions.ConnectTimeoutError(self, "no answer in time") from None
        except (OSError, UnicodeError):
            raise urllib3.exceptions.NewConnectionError(self, "not reached") from None
        sock.settimeout(max(remaining(), 0.001))  # what a TLS handshake may take
        return sock


class _Connection(_Bound, HTTPConnection):
    pass


class _SecureConnection(_Bound, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _PublicConnection(_Connection):
    public_only = True


class _SecurePublicConnection(_SecureConnection):
    public_only = True


class _PublicPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PublicConnection


class _SecurePublicPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecurePublicConnection


POOLS: Final = {"http": _Pool, "https": _SecurePool}
PUBLIC_POOLS: Final = {"http": _PublicPool, "https": _SecurePublicPool}
"""These refuse to connect to private addresses."""
