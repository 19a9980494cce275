# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking name servers: those of this machine, or others that are named. The only place that sends DNS messages.

``address``, ``address:port`` or ``[address]:port`` names a server.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ansible_collections.certops.rotation.plugins.module_utils._core.caa import CaaRecord
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import library

if TYPE_CHECKING:
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.nameserver
    import dns.query
    import dns.rcode
    import dns.rdatatype
    import dns.resolver
    import dns.tsig
    import dns.tsigkeyring
    import dns.update
else:
    dns = library("dns")
    for _part in ("exception", "flags", "message", "name", "nameserver", "query", "rcode", "rdatatype", "resolver",
                  "tsig", "tsigkeyring", "update"):  # fmt: skip
        library(f"dns.{_part}")

_PORT = 53
_MOST_ALIASES = 8


@dataclass(frozen=True)
class TransactionKey:
    """What a name server knows an updater by (RFC 8945)."""

    name: str
    secret: str = field(repr=False)
    algorithm: str = "hmac-sha256"


def server_address(text: str) -> tuple[str, int]:
    """Address and port. RotationError ``name_server_invalid``."""
    host, port = text.strip(), str(_PORT)
    if host.startswith("["):
        host, _bracket, rest = host[1:].partition("]")
        port = rest.removeprefix(":") if rest else port
    elif host.count(":") == 1:
        host, _colon, port = host.partition(":")
    try:
        return str(ipaddress.ip_address(host)), int(port)
    except ValueError:
        raise RotationError(
            "name_server_invalid",
            f"{text[:80]!r} names no name server",
            remedy="Write its IP address, with a port like 192.0.2.53:5353 where that is not 53.",
        ) from None


class NameServers:
    """A resolver; without ``servers`` this machine's own."""

    def __init__(self, servers: Sequence[str] = (), *, timeout: float = 5.0) -> None:
        self._servers = [server_address(one) for one in servers]
        self._timeout = timeout

    def texts(self, name: str) -> list[str]:
        """The TXT records of ``name``, aliases followed; none if there is no such name.

        :raises RotationError: ``name_servers_failed``.
        """
        return [b"".join(record.strings).decode("utf-8", "replace") for record in self._records(name, "TXT")]

    def caa(self, name: str) -> list[CaaRecord]:
        """The CAA records relevant for ``name``: its own or those of the nearest name above (RFC 8659 section 3).

        :raises RotationError: ``name_servers_failed``; with ``answered``, it was an answer that cannot be used.
        """
        labels = name.rstrip(".").split(".")
        for start in range(len(labels)):
            found = self._records(".".join(labels[start:]), "CAA")
            if found:
                return [_caa_record(one) for one in found]
        return []

    def alias(self, name: str) -> str | None:
        """What ``name`` is an alias of (CNAME); None if it is none.

        :raises RotationError: ``name_servers_failed``, also of servers that only know other zones.
        """
        try:
            answer = self._resolver().resolve(name, "CNAME", lifetime=self._timeout, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return None
        except (dns.exception.DNSException, OSError) as error:
            raise _failed(name, "CNAME", error) from error
        if answer.rrset is not None:
            return str(answer.rrset[0].target).rstrip(".").lower()
        if not answer.response.flags & (dns.flags.AA | dns.flags.RA):
            # A referral to those who might know.
            raise _failed(name, "CNAME", dns.resolver.NoNameservers())
        return None

    def zone_of(self, name: str) -> str:
        """The zone that ``name`` is in. RotationError ``name_servers_failed``."""
        try:
            return str(dns.resolver.zone_for_name(name, resolver=self._resolver(), lifetime=self._timeout))
        except (dns.exception.DNSException, OSError) as error:
            raise _failed(name, "SOA", error) from error

    def _records(self, name: str, kind: str) -> list[Any]:
        try:
            return list(self._resolver().resolve(name, kind, lifetime=self._timeout))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise _failed(name, kind, error) from error

    def _resolver(self) -> Any:
        try:
            resolver = dns.resolver.Resolver(configure=not self._servers)
        except (dns.exception.DNSException, OSError) as error:
            raise _failed("/etc/resolv.conf", "configuration", error) from error
        if self._servers:
            resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in self._servers]
        return resolver


def place_of(name: str, alias_of: Callable[[str], str | None]) -> str:
    """The name that a record of ``name`` really stands at, aliases followed.

    :raises RotationError: ``dns_alias_loop``, and what ``alias_of`` raises.
    """
    passed = [name.rstrip(".").lower()]
    while (target := alias_of(passed[-1])) is not None:
        if target in passed or len(passed) > _MOST_ALIASES:
            raise RotationError(
                "dns_alias_loop",
                f"{name} is an alias that leads nowhere: {' → '.join([*passed, target])}"[:500],
                remedy="Correct its CNAME records: the last name must be no alias itself.",
                name=name,
            )
        passed.append(target)
    return passed[-1]


class ZoneUpdater:
    """Adds and removes TXT records with dynamic updates (RFC 2136), signed if there is a key."""

    def __init__(self, server: str, *, key: TransactionKey | None, timeout: float = 10.0) -> None:
        self._host, self._port = server_address(server)
        self._timeout = timeout
        self._signing = _signing(key) if key else {}

    def change(
        self, zone: str, *, add: Sequence[tuple[str, str]] = (), remove: Sequence[tuple[str, str]] = (), ttl: int = 60
    ) -> None:
        """One update for all (name, text). Other records of these names stay.

        :raises RotationError: ``dns_update_refused``, ``name_servers_failed``.
        """
        update = dns.update.UpdateMessage(zone, **self._signing)
        for name, text in add:
            update.add(_absolute(name), ttl, "TXT", _quoted(text))
        for name, text in remove:
            update.delete(_absolute(name), "TXT", _quoted(text))
        answer = self._asked(update, zone)
        if answer.rcode() != dns.rcode.NOERROR:
            raise _refused(self._host, zone, dns.rcode.to_text(answer.rcode()))

    def _asked(self, update: Any, zone: str) -> Any:
        try:
            return dns.query.tcp(update, self._host, port=self._port, timeout=self._timeout)
        except (dns.tsig.PeerError, dns.tsig.BadSignature, dns.exception.FormError) as error:
            # An answer without the signature that was due, too: the server does not know the key.
            raise _refused(self._host, zone, f"TSIG: {str(error) or type(error).__name__}") from error
        except (dns.exception.DNSException, OSError, EOFError) as error:
            raise _failed(zone, "update", error) from error


def _caa_record(record: Any) -> CaaRecord:
    return CaaRecord(record.flags, record.tag.decode("ascii", "replace"), record.value.decode("utf-8", "replace"))


def _signing(key: TransactionKey) -> Mapping[str, Any]:
    try:
        ring = dns.tsigkeyring.from_text({key.name: (f"{key.algorithm}.", key.secret)})
        algorithm = dns.name.from_text(f"{key.algorithm}.")
    except (dns.exception.DNSException, ValueError, TypeError):
        # What the library says might quote the secret.
        raise RotationError(
            "tsig_key_invalid",
            f"the TSIG key {key.name} cannot be used",
            remedy="Give its secret in base64, and an algorithm like hmac-sha256.",
        ) from None
    return {"keyring": ring, "keyname": _absolute(key.name), "keyalgorithm": algorithm}


def _absolute(name: str) -> str:
    return name.rstrip(".") + "."


def _quoted(text: str) -> str:
    """A TXT record's text as a zone file has it, in strings of at most 255 bytes."""
    return " ".join(f'"{part}"' for part in _cut(text.replace("\\", "\\\\").replace('"', '\\"')))


def _cut(text: str) -> Iterator[str]:
    for start in range(0, len(text), 200):
        yield text[start : start + 200]


def _failed(name: str, kind: str, error: Exception) -> RotationError:
    return RotationError(
        "name_servers_failed",
        f"the name servers do not answer for {name} ({kind}): {str(error) or type(error).__name__}"[:300],
        remedy="Check the control node's name servers, or name others in resolvers.",
        name=name,
        answered=_has_answered(error),
    )


def _has_answered(error: Exception) -> bool:
    """Whether some server said something, if only that it failed to look the name up."""
    tried = error.kwargs.get("errors") or () if isinstance(error, dns.resolver.NoNameservers) else ()
    return any(attempt[-1] is not None for attempt in tried)


def _refused(server: str, zone: str, why: str) -> RotationError:
    return RotationError(
        "dns_update_refused",
        f"the name server {server} refuses the update of {zone}: {why}",
        remedy="Let the TSIG key change TXT records of this zone; check its name, secret, algorithm, both clocks.",
        server=server,
        zone=zone,
    )
