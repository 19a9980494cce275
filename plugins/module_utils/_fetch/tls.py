# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a TLS server sends: its chain and the stapled OCSP response, read without verifying either; judging comes later.

Verification is off on purpose: an expired, revoked or foreign certificate is exactly what must be seen and reported.
"""

from __future__ import annotations

import dataclasses
import errno
import functools
import ipaddress
import select
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TYPE_CHECKING, List, Tuple

from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import library
from ansible_collections.certops.rotation.plugins.module_utils._fetch import tls_alert
from ansible_collections.certops.rotation.plugins.module_utils._fetch.deadline import OutOfTimeError
from ansible_collections.certops.rotation.plugins.module_utils._fetch.side_by_side import SideBySide, Wait
from ansible_collections.certops.rotation.plugins.module_utils._fetch.starttls import StarttlsError
from ansible_collections.certops.rotation.plugins.module_utils._fetch.starttls_exchange import exchange

if TYPE_CHECKING:
    from OpenSSL import SSL, crypto
else:
    crypto = library("OpenSSL.crypto")
    SSL = library("OpenSSL.SSL")

# Old servers must be seen too; what is wrong with their keys and ciphers is not ours to judge here.
_CIPHERS = {None: b"DEFAULT:@SECLEVEL=0", "rsa": b"aRSA:@SECLEVEL=0", "ec": b"aECDSA:@SECLEVEL=0"}


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """One listener, and what to ask it for."""

    address: str
    port: int
    server_name: str | None = None
    key_type: str | None = None
    """``rsa`` or ``ec``: which of a server's two certificates is wanted (asked over TLS 1.2, whose ciphers name it)"""
    starttls: str | None = None
    """the protocol in which TLS is asked for first, one of ``starttls.PROTOCOLS``"""
    ip: str | None = None
    """which of the addresses of a host name to connect to; None: the first that answers"""


@dataclasses.dataclass(frozen=True)
class Fault:
    """What the network or the peer did instead of a handshake."""

    code: str
    """connection_refused, unreachable, timeout, reset, closed, name_not_resolved, not_tls, alert_<n>, tls_failed,
    invalid_endpoint, starttls_refused, starttls_protocol_error"""
    msg: str


@dataclasses.dataclass(frozen=True)
class Handshake:
    """What one handshake showed. With an ``error`` there may still be a chain: the peer may object after sending it."""

    endpoint: Endpoint
    chain: tuple[bytes, ...]
    """DER, the server's own certificate first"""
    staple: bytes | None
    tls_version: str | None
    error: Fault | None
    seconds: float


class _HandshakeError(Exception):
    def __init__(self, code: str, msg: str) -> None:
        super().__init__(msg)
        self.fault = Fault(code, msg)


def handshake(endpoint: Endpoint, *, timeout: float) -> Handshake:
    """Shake hands once. Never raises for what a network or a peer does; ``timeout`` covers all of it."""
    return handshakes([endpoint], timeout=timeout)[0]


def handshakes(
    endpoints: Sequence[Endpoint],
    *,
    timeout: float,
    concurrency: int = 32,
    per_second: float = 0,
    each: Callable[[Handshake], None] | None = None,
) -> list[Handshake]:
    """One handshake with each, ``concurrency`` at a time; the results are in the order of the endpoints.

    :param per_second: begin no more than that many a second, evenly; 0 for as fast as it goes.
    :param each: gets each result as soon as it is there.
    """
    together = SideBySide()
    shaken: list[Handshake] = []
    shake_all(
        together,
        endpoints,
        timeout=timeout,
        concurrency=concurrency,
        done=shaken.extend,
        per_second=per_second,
        each=each,
    )
    together.run()
    return shaken


def addresses_of(names: Iterable[str], *, timeout: float, concurrency: int = 32) -> dict[str, list[str]]:
    """All IP addresses, of either family, of each host name. Names that cannot be resolved in time have none."""
    together = SideBySide()
    found: dict[str, list[str]] = {}
    waiting = [name for name in dict.fromkeys(names) if not _is_ip_address(name)]

    def next_one() -> None:
        if waiting:
            name = waiting.pop()
            together.start(_all_of(name), timeout=timeout, done=lambda addresses: one_is_done(name, addresses))

    def one_is_done(name: str, addresses: list[str]) -> None:
        found[name] = addresses
        next_one()

    for _time in range(min(concurrency, len(waiting))):
        next_one()
    together.run()
    return found


def _all_of(name: str) -> Generator[Wait, None, list[str]]:
    try:
        resolved = yield from _resolved_beside(name, 0)
    except (_HandshakeError, OutOfTimeError):
        return []
    return list(dict.fromkeys(str(address[0]) for _family, address in resolved))


def shake_all(
    together: SideBySide,
    endpoints: Sequence[Endpoint],
    *,
    timeout: float,
    concurrency: int,
    done: Callable[[list[Handshake]], None],
    per_second: float = 0,
    each: Callable[[Handshake], None] | None = None,
) -> None:
    """The same beside whatever else goes on ``together``; ``done`` gets the results when the last one is there."""
    shaken: dict[int, Handshake] = {}
    waiting = list(enumerate(endpoints))[::-1]
    pace = _Pace(per_second)

    def next_one() -> None:
        number, endpoint = waiting.pop()
        pause = pace.pause()
        if pause:
            together.later(pause, lambda: begin(number, endpoint))
        else:
            begin(number, endpoint)

    def begin(number: int, endpoint: Endpoint) -> None:
        together.start(_conversation(endpoint), timeout=timeout, done=lambda result: one_is_done(number, result))

    def one_is_done(number: int, result: Handshake) -> None:
        shaken[number] = result
        if each is not None:
            each(result)
        if waiting:
            next_one()
        elif len(shaken) == len(endpoints):
            done([shaken[number] for number in range(len(endpoints))])

    for _time in range(max(1, min(concurrency, len(endpoints)))):
        if waiting:
            next_one()
    if not endpoints:
        done([])


class _Pace:
    """Evenly, no more than that many a second; 0 is no limit."""

    def __init__(self, per_second: float) -> None:
        self._between = 1 / per_second if per_second > 0 else 0.0
        self._next = 0.0

    def pause(self) -> float:
        """Seconds until the one that asks may begin."""
        now = time.monotonic()
        moment = max(now, self._next)
        self._next = moment + self._between
        return moment - now if self._between else 0.0


def _conversation(endpoint: Endpoint) -> Generator[Wait, None, Handshake]:
    started, seen, error = time.monotonic(), _Seen(), None
    try:
        yield from _connect_and_shake(endpoint, seen)
    except _HandshakeError as failed:
        error = failed.fault
    except OutOfTimeError as exc:
        error = Fault("timeout", f"{exc} took too long")
    seconds = time.monotonic() - started
    return Handshake(endpoint, seen.chain, seen.staple or None, seen.tls_version, error, seconds)


class _Seen:
    """What a connection has shown so far."""

    def __init__(self) -> None:
        self.chain: tuple[bytes, ...] = ()
        self.staple = b""
        self.tls_version: str | None = None

    def look(self, connection: SSL.Connection) -> None:
        # As bytes: whether they can be read is for others to find out.
        certificates = connection.get_peer_cert_chain() or []
        self.chain = tuple(crypto.dump_certificate(crypto.FILETYPE_ASN1, each) for each in certificates)
        self.tls_version = connection.get_protocol_version_name() if self.chain else None


def _keep_staple(connection: SSL.Connection, staple: bytes, data: object) -> bool:
    seen = connection.get_app_data()
    if isinstance(seen, _Seen):
        seen.staple = staple
    return True


@functools.lru_cache(maxsize=None)
def _context(key_type: str | None) -> SSL.Context:
    """One context a kind for the whole process: making one costs more than a handshake."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_verify(SSL.VERIFY_NONE)
    context.set_cipher_list(_CIPHERS[key_type])
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    if key_type is not None:
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
    context.set_ocsp_client_callback(_keep_staple)
    return context


def _shake(endpoint: Endpoint, sock: socket.socket, seen: _Seen) -> Generator[Wait, None, None]:
    connection = SSL.Connection(_context(endpoint.key_type), sock)
    connection.set_app_data(seen)
    connection.set_connect_state()
    connection.request_ocsp()
    name = _sni(endpoint)
    if name is not None:
        connection.set_tlsext_host_name(name)
    try:
        yield from _until_done(connection, sock)
    finally:
        seen.look(connection)


def _sni(endpoint: Endpoint) -> bytes | None:
    """The server name to send. RFC 6066 section 3 allows no IP addresses in it."""
    name = endpoint.server_name
    if name is None or _is_ip_address(name):
        return None
    try:
        return name.encode("ascii") if name.isascii() else name.encode("idna")
    except UnicodeError as exc:
        raise _HandshakeError("invalid_endpoint", f"{name!r} cannot be sent as a server name") from exc


def _until_done(connection: SSL.Connection, sock: socket.socket) -> Generator[Wait, None, None]:
    while True:
        try:
            connection.do_handshake()
            return
        except SSL.WantReadError:
            yield Wait(sock.fileno(), select.POLLIN, "the handshake")
        except SSL.WantWriteError:
            yield Wait(sock.fileno(), select.POLLOUT, "the handshake")
        except SSL.ZeroReturnError as exc:
            raise _HandshakeError("closed", "the peer closed the connection in the handshake") from exc
        except SSL.SysCallError as exc:
            raise _system_failure(exc.args[0] if exc.args else -1) from exc
        except SSL.Error as exc:
            raise _tls_failure(exc) from exc


def _system_failure(number: int) -> _HandshakeError:
    if number in (errno.ECONNRESET, errno.EPIPE):
        return _HandshakeError("reset", "the peer reset the connection in the handshake")
    if number > 0:
        return _HandshakeError(
            "unreachable", f"the connection broke in the handshake: {errno.errorcode.get(number, number)}"
        )
    return _HandshakeError("closed", "the peer closed the connection in the handshake")


def _tls_failure(error: SSL.Error) -> _HandshakeError:
    details = error.args[0] if error.args and isinstance(error.args[0], list) else []
    reasons = [detail[-1] for detail in details if detail]
    for reason in reasons:
        alert = tls_alert.number_of(reason)
        if alert is not None:
            return _HandshakeError(
                f"alert_{alert}", f"the peer ended the handshake with alert {alert} ({tls_alert.ALERTS[alert]})"
            )
        if tls_alert.is_not_tls(reason):
            return _HandshakeError("not_tls", f"the peer does not speak TLS ({reason})")
        if reason == "unexpected eof while reading":
            return _HandshakeError("closed", "the peer closed the connection in the handshake")
    return _HandshakeError("tls_failed", "the handshake failed: " + ("; ".join(reasons) or "no reason given"))


def _connect_and_shake(endpoint: Endpoint, seen: _Seen) -> Generator[Wait, None, None]:
    """With the first address that answers."""
    failure = _HandshakeError("name_not_resolved", f"{endpoint.address} has no address")
    addresses = yield from _addresses(endpoint)
    for family, address in addresses:
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            try:
                sock.setblocking(False)
                yield from _connect(sock, address, endpoint)
            except _HandshakeError as failed:
                failure = failed
                continue
            if endpoint.starttls is not None:
                yield from _ask_for_tls(endpoint, sock)
            yield from _shake(endpoint, sock, seen)
            return
    raise failure


def _ask_for_tls(endpoint: Endpoint, sock: socket.socket) -> Generator[Wait, None, None]:
    try:
        yield from exchange(sock, str(endpoint.starttls), endpoint.server_name or endpoint.address)
    except StarttlsError as failed:
        raise _HandshakeError(failed.code, str(failed)) from failed


def _connect(sock: socket.socket, address: tuple[object, ...], endpoint: Endpoint) -> Generator[Wait, None, None]:
    place = f"{endpoint.address} {f'({endpoint.ip}) ' if endpoint.ip else ''}port {endpoint.port}"
    try:
        number = sock.connect_ex(address)
    except (OSError, OverflowError, TypeError) as exc:
        raise _HandshakeError("invalid_endpoint", f"cannot connect to {place}: {exc}") from exc
    if number == errno.EINPROGRESS:
        yield Wait(sock.fileno(), select.POLLOUT, f"connecting to {place}")
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number == errno.ECONNREFUSED:
        raise _HandshakeError("connection_refused", f"nothing listens on {place}")
    if number == errno.ETIMEDOUT:
        raise _HandshakeError("timeout", f"connecting to {place} took too long")
    if number:
        raise _HandshakeError("unreachable", f"cannot connect to {place}: {errno.errorcode.get(number, number)}")
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


_Addresses = List[Tuple[socket.AddressFamily, Tuple[object, ...]]]


def _addresses(endpoint: Endpoint) -> Generator[Wait, None, _Addresses]:
    if not 0 < endpoint.port < 65536:
        raise _HandshakeError("invalid_endpoint", f"{endpoint.port} is not a TCP port")
    address = endpoint.ip or endpoint.address
    if _is_ip_address(address):
        return _resolve_literal(address, endpoint.port)
    return (yield from _resolved_beside(address, endpoint.port))


def _resolved_beside(name: str, port: int) -> Generator[Wait, None, _Addresses]:
    """In a thread of its own: the system's resolver knows no deadline. Out of time, the thread is left behind."""
    found: list[_Addresses] = []
    failed: list[_HandshakeError] = []
    reader, writer = socket.socketpair()

    def resolve() -> None:
        with writer:
            try:
                found.append(_resolve(name, port))
            except _HandshakeError as exc:
                failed.append(exc)

    threading.Thread(target=resolve, daemon=True).start()
    with reader:
        yield Wait(reader.fileno(), select.POLLIN, f"resolving {name}")
    if failed:
        raise failed[0]
    return found[0]


def _resolve(address: str, port: int) -> _Addresses:
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise _HandshakeError("name_not_resolved", f"{address} cannot be resolved: {exc}") from exc
    return [(family, where) for family, _kind, _protocol, _name, where in found]


# An address stays what it is; of a name, the answer may change.
_resolve_literal = functools.lru_cache(maxsize=4096)(_resolve)


@functools.lru_cache(maxsize=4096)
def _is_ip_address(text: str) -> bool:
    if not text[-1:].isdigit() and ":" not in text:
        return False  # a name, as nearly all that is asked about
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True
