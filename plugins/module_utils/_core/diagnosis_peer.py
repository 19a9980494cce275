# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other side: what a peer's alerts mean, those about a client certificate and those about the server's.

Alert 45 and alert 48 need not be about the certificate's dates or its CA: OpenSSL sends them too where its CRL has
expired, or where it has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timezone

from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_cause import CONTROL_NODE, Cause, cause
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_seen import (
    Seen,
    certificates,
    client_certificate,
    client_view,
    host_name,
    host_view,
    judged_at,
    place,
    servers,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import from_text

_REVOKED, _EXPIRED, _UNKNOWN_CA, _REQUIRED = 44, 45, 48, 116
# What servers say before TLS 1.3 had an alert for it; and what nginx answers over HTTP, since it sends no alert.
_REQUIRED_ONCE = 40
_NGINX_WANTS_ONE = "No required SSL certificate was sent"
_NGINX_REFUSES = "The SSL certificate error"
_ALERT_IN_LOG = re.compile(
    r"^(?P<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) .*\bSSL alert number (?P<alert>\d+)\b.*, server: \S*:(?P<port>\d+)"
)


def peer_causes(rotation: Seen) -> Iterator[Cause]:
    own, at = client_certificate(rotation), judged_at(rotation)
    if own is not None:
        yield from _own_state(own, at)
    yield from _crls_of_server(rotation, at)
    for talk in client_view(rotation).get("talks") or ():
        if own is None or not talk["presented"]:
            yield from _without(talk)
        else:
            yield from _refused(rotation, talk, own)
    yield from _reported(rotation)


def _own_state(own: Seen, at: datetime) -> Iterator[Cause]:
    verdict = own["verdict"]
    if verdict["status"] == "revoked":
        since = f" since {verdict['revoked_at']}" if verdict.get("revoked_at") else ""
        text = f"client certificate {own['serial']} is revoked{since}, reason: {verdict['revocation_reason']}"
        yield cause("client_certificate_revoked", "certain", CONTROL_NODE, [text])
    if not from_text(own["not_before"]) <= at <= from_text(own["not_after"]):
        text = f"client certificate {own['serial']} is valid from {own['not_before']} to {own['not_after']}"
        yield cause("client_certificate_expired", "certain", CONTROL_NODE, [text])


def _crls_of_server(rotation: Seen, at: datetime) -> Iterator[Cause]:
    """nginx reads ``ssl_crl`` at a reload, and never looks whether it expires."""
    for server in servers(rotation):
        for crl in server.get("crls") or ():
            if crl.get("next_update") and from_text(crl["next_update"]) < at:
                text = (
                    f"{server['source']}: the CRL of {crl['issuer']} in {server['crl']} expired at {crl['next_update']}"
                )
                yield cause(
                    "peer_crl_stale", "certain", host_name(rotation), [text, "every client certificate is refused"]
                )


def _without(talk: Seen) -> Iterator[Cause]:
    said = _said(talk)
    if talk["alert"] == _REQUIRED or _NGINX_WANTS_ONE in talk["says"]:
        yield cause("client_certificate_required", "certain", CONTROL_NODE, [said])
    elif talk["alert"] == _REQUIRED_ONCE and talk["shown"]:
        yield cause("client_certificate_required", "likely", CONTROL_NODE, [said])


def _refused(rotation: Seen, talk: Seen, own: Seen) -> Iterator[Cause]:
    said, alert = _said(talk), talk["alert"]
    if alert is None and _NGINX_REFUSES not in talk["says"]:
        return
    if talk["accepted"] and not set(talk["accepted"]) & set(own["issuers"]):
        accepted = f"it accepts those of {'; '.join(talk['accepted'])}, and ours is of {own['issuer']}"
        yield cause("client_ca_not_accepted", "certain", CONTROL_NODE, [said, accepted])
    elif alert == _REVOKED:
        yield cause("client_certificate_revoked", "likely", CONTROL_NODE, [said])
    elif alert == _EXPIRED:
        dates = f"but client certificate {own['serial']} is valid until {own['not_after']}, so it is the peer's CRL"
        yield cause("peer_crl_stale", "likely", CONTROL_NODE, [said, dates])
    elif alert == _UNKNOWN_CA:
        known = f"but the server itself names {own['issuer']} as acceptable" if talk["accepted"] else ""
        yield cause("peer_crl_missing", "likely", CONTROL_NODE, [said, *([known] if known else [])])
    elif alert is None and (missing := _blocks_without_crl(rotation, own)):
        yield cause("peer_crl_missing", "certain", host_name(rotation), [said, *missing])
    else:
        yield cause("client_certificate_refused", "likely", CONTROL_NODE, [said])


def _blocks_without_crl(rotation: Seen, own: Seen) -> list[str]:
    """nginx wants the CRL of each CA in the chain, as soon as it has one at all."""
    return [
        f"{server['source']}: {server['crl']} has no CRL of {issuer}"
        for server in servers(rotation)
        if server.get("crl")
        for issuer in own["issuers"]
        if issuer not in {crl["issuer"] for crl in server.get("crls") or ()}
    ]


def _said(talk: Seen) -> str:
    if talk["alert"] is not None:
        when = "after the handshake" if talk["after_handshake"] else "in the handshake"
        return f"{place(talk)} answers alert {talk['alert']} ({talk['alert_name']}) {when}"
    return f"{place(talk)} answers HTTP {talk['status']}: {talk['says']}"


def _reported(rotation: Seen) -> Iterator[Cause]:
    """Alerts that clients are known to send at the sight of the server's certificate."""
    shown = [one for one in certificates(rotation).values() if one["verdict"]["status"] != "revoked"]
    if not shown:
        return
    since = min(from_text(one["not_before"]) for one in shown)
    serials = ", ".join(one["serial"] for one in shown)
    alerts = {
        **_logged(rotation, since),
        **{number: [] for number in client_view(rotation).get("reported_alerts") or ()},
    }
    where = {number: host_name(rotation) if lines else CONTROL_NODE for number, lines in alerts.items()}
    if _REVOKED in alerts:
        text = f"no source calls certificate {serials} revoked"
        yield cause("peer_sees_revoked", "likely", where[_REVOKED], [text, *alerts[_REVOKED]])
    if _EXPIRED in alerts:
        text = f"a client answers alert 45, and certificate {serials} is within its validity"
        yield cause("peer_crl_stale", "likely", where[_EXPIRED], [text, *alerts[_EXPIRED]])
    if _UNKNOWN_CA in alerts and not any(one.get("chain_error") for one in shown):
        text = f"a client answers alert 48, and the chain of certificate {serials} is whole"
        yield cause("peer_crl_missing", "likely", where[_UNKNOWN_CA], [text, *alerts[_UNKNOWN_CA]])


def _logged(rotation: Seen, since: datetime) -> dict[int, list[str]]:
    """Alerts that nginx noted on these ports since then, each with its last line; it does so at the level ``info``.

    The log's times have no zone; what little that can be wrong by is about alerts that an earlier certificate got.
    """
    ports = {str(listener["port"]) for listener in rotation.get("listeners") or ()}
    found: dict[int, list[str]] = {}
    for line in host_view(rotation).get("log") or ():
        noted = _ALERT_IN_LOG.search(line)
        if noted and noted["port"] in ports and _moment(noted["time"]) >= since:
            found[int(noted["alert"])] = [f"error log: {line}"]
    return found


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y/%m/%d %H:%M:%S").replace(tzinfo=timezone.utc)
