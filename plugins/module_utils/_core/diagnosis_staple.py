# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Staples: there, missing, or of no use; and what the server's configuration has to do with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_cause import CONTROL_NODE, Cause, cause
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_revocation import cause_of_finding
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_seen import (
    Seen,
    certificates,
    entries,
    host_name,
    host_view,
    place,
    servers,
)

_OF_REASON = {"stale": "staple_stale", "other_certificate": "staple_of_another_certificate"}
_DEMANDS = "the certificate demands a staple: clients such as Firefox refuse the handshakes without one"


def staple_causes(rotation: Seen) -> Iterator[Cause]:
    for sha256, one in certificates(rotation).items():
        serving = [entry for entry in entries(rotation) if entry.get("sha256") == sha256]
        carried = [staple for entry in serving for staple in entry.get("staples") or ()]
        if not carried:
            continue
        yield from _of_no_use(rotation, serving)
        missing = sum(1 for staple in carried if staple is None)
        if missing and missing < len(carried):
            yield _not_primed(serving, one)
        elif missing:
            yield from _missing(rotation, one, len(carried))
    yield from _ignored(rotation)


def _of_no_use(rotation: Seen, serving: Sequence[Seen]) -> Iterator[Cause]:
    is_ours = _is_ours(rotation)
    for entry in serving:
        for staple in entry["staples"]:
            if staple is None or staple["status"] in ("good", "revoked"):
                continue
            said = f"stapled at {place(entry)}: {staple['detail']}" + _until(staple)
            yield _cause(staple, said, is_ours)


def _cause(staple: Seen, said: str, is_ours: bool) -> Cause:
    for reason in staple["reasons"]:
        if reason in _OF_REASON:
            return cause(_OF_REASON[reason], "certain", CONTROL_NODE, [said], fixable=is_ours)
    found = cause_of_finding(staple["reasons"], staple["detail"], CONTROL_NODE, said, "certain")
    return found or cause("staple_invalid", "certain", CONTROL_NODE, [said], fixable=is_ours)


def _until(staple: Seen) -> str:
    return f" (nextUpdate {staple['next_update']})" if staple.get("next_update") else ""


def _not_primed(serving: Sequence[Seen], one: Seen) -> Cause:
    evidence = [
        f"{place(entry)}: {sum(staple is not None for staple in entry['staples'])} of {len(entry['staples'])} "
        "handshakes carried a staple"
        for entry in serving
    ]
    evidence += [_DEMANDS] if one["must_staple"] else []
    return cause("staple_not_primed", "certain", CONTROL_NODE, evidence, fixable=True)


def _missing(rotation: Seen, one: Seen, handshakes: int) -> Iterator[Cause]:
    seen = f"none of {handshakes} handshakes carried a staple for certificate {one['serial']}"
    if one["must_staple"]:
        without = "" if one["ocsp_urls"] else "; it names no OCSP responder, so there is nothing to staple: reissue it"
        states = [f"{server['source']}: ssl_stapling is {_state(server)}" for server in servers(rotation)]
        yield cause("must_staple_without_staple", "certain", CONTROL_NODE, [seen, _DEMANDS + without, *states])
    if not one["ocsp_urls"]:
        return
    blocks = servers(rotation)
    if not any(server["stapling"] for server in blocks):
        evidence = [seen, *(f"{server['source']}: ssl_stapling is off" for server in blocks)]
        yield cause("stapling_off", "possible", host_name(rotation) if blocks else CONTROL_NODE, evidence)
        return
    for server in blocks:
        if server["stapling"]:
            yield from _in_configuration(rotation, server, seen)


def _state(server: Seen) -> str:
    return "on" if server["stapling"] else "off"


def _in_configuration(rotation: Seen, server: Seen, seen: str) -> Iterator[Cause]:
    where, source, is_ours = host_name(rotation), server["source"], _is_ours(rotation, server.get("trust"))
    trust = server.get("trust") or "no ssl_trusted_certificate"
    if server.get("has_issuer") is False:
        said = [seen, f"{source}: neither ssl_certificate nor {trust} holds the issuer"]
        yield cause("trust_without_issuer", "certain", where, said, fixable=is_ours)
    elif server["verify"] and not server.get("staple_file") and server.get("has_root") is False:
        said = [seen, f"{source}: ssl_stapling_verify is on, and {trust} leads to no root", *_log(rotation)]
        certainty = "certain" if _log(rotation) else "likely"
        yield cause("trust_without_root", certainty, where, said, fixable=is_ours)
    yield cause("staple_missing", "likely", where, [seen, f"{source}: ssl_stapling is on", *_log(rotation)])


def _ignored(rotation: Seen) -> Iterator[Cause]:
    """nginx tells it in a warning, and whoever reads those?"""
    for server in servers(rotation):
        is_ours = _is_ours(rotation, server.get("trust"))
        for warning in server.get("warnings") or ():
            if "issuer certificate not found" in warning:
                yield cause(
                    "trust_without_issuer", "certain", host_name(rotation), [warning], fixable=_is_ours(rotation)
                )
            else:
                is_harmless = "no OCSP responder URL" in warning
                certainty = "possible" if is_harmless else "certain"
                yield cause("stapling_ignored", certainty, host_name(rotation), [warning], fixable=is_ours)


def _log(rotation: Seen) -> list[str]:
    return [f"error log: {line}" for line in (host_view(rotation).get("log") or ())[-2:]]


def _is_ours(rotation: Seen, path: str | None = None) -> bool:
    """Whether the file that the server reads is in a folder of ours, so that it can be written anew."""
    if not (rotation.get("installed") or {}).get("live"):
        return False
    named = path or next((server["staple_file"] for server in servers(rotation) if server.get("staple_file")), "")
    return f"/{rotation['name']}/live/" in named or named == (rotation.get("paths") or {}).get("staple")
