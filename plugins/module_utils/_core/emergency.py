# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what leaked to what has to go, and how far each host is from having replaced it. Pure: no network, no clock."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ansible_collections.certops.rotation.plugins.module_utils._core.affected import Affected
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_sha256,
    certificate_spki_sha256,
    read_certificates,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.chain import is_issued_by
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.key_use import find_certificates
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_facts import (
    Pair,
    live_pair,
    served_pairs,
    superseded,
)

if TYPE_CHECKING:
    from typing import TypeAlias

Rotation: TypeAlias = "Mapping[str, Any]"

TO_DO = frozenset({"rotate", "repair", "finish"})
_VERSION_TIME = "%Y%m%dT%H%M%S%z"


@dataclass(frozen=True)
class Subject:
    """What the emergency is about, as the operator said it."""

    kind: str
    """key, certificate, serial, ca or all"""
    reason: str
    spki_sha256: frozenset[str] = frozenset()
    serials: frozenset[str] = frozenset()
    certificates: frozenset[str] = frozenset()
    authorities: tuple[str, ...] = ()
    """The names or files of CAs, as they were given"""
    issuers: frozenset[str] = frozenset()
    """Those of them that are names of issuers"""
    authority_certificates: tuple[x509.Certificate, ...] = ()
    everything: bool = False

    @property
    def is_about_keys(self) -> bool:
        """Whether the keys themselves are in other hands, and so every certificate of theirs has to go."""
        return self.reason == "keyCompromise"

    def as_dict(self) -> dict[str, Any]:
        """As the report has it."""
        lists = {name: sorted(getattr(self, name)) for name in ("spki_sha256", "serials", "certificates")}
        return {"kind": self.kind, **lists, "authorities": list(self.authorities), "reason": self.reason}


def affected_by(
    subject: Subject, rotations: Mapping[str, Sequence[Rotation]], since: datetime, made: Collection[str]
) -> Affected:
    """What has to go. Of a CA, or of everything, what was made since the incident began is the replacement already.

    :param since: when the incident began.
    :param made: SHA-256 of public keys that were made in it.
    """
    serials = subject.serials
    found = find_certificates(rotations, lambda facts: facts.serial in serials) if serials else []
    keys = subject.spki_sha256 | {one.facts.spki_sha256 for one in found if subject.is_about_keys}
    affected = Affected(frozenset(keys), serials, subject.certificates, subject.reason)
    if subject.everything or subject.authorities:
        swept = {
            sha256
            for of_host in rotations.values()
            for rotation in of_host
            for sha256, chain_pem in _before_the_incident(rotation, since, made)
            if _is_meant(subject, rotation, chain_pem)
        }
        affected = replace(affected, certificates=affected.certificates | swept)
    return affected


def _pairs(rotation: Rotation) -> Iterator[Pair]:
    yield from served_pairs(rotation)
    live = live_pair(rotation)
    if live is not None:
        yield live


def _before_the_incident(rotation: Rotation, since: datetime, made: Collection[str]) -> Iterator[tuple[str, str]]:
    """What was there before, as SHA-256 and chain: also what a run replaced that was killed before its end."""
    for pair in _pairs(rotation):
        if not _is_made_since(rotation, pair, since, made):
            yield pair.sha256, pair.chain_pem
    unfinished, live = superseded(rotation), live_pair(rotation)
    if unfinished and live is not None and _is_made_since(rotation, live, since, made):
        chain_pem = str(unfinished.get("chain_pem") or unfinished.get("certificate_pem") or "")
        with contextlib.suppress(RotationError):
            yield certificate_sha256(read_certificates(chain_pem.encode())[0]), chain_pem


def _is_made_since(rotation: Rotation, pair: Pair, since: datetime, made: Collection[str]) -> bool:
    if pair.spki_sha256 in made:
        return True
    live = live_pair(rotation)
    if live is None or live.version is None or live.sha256 != pair.sha256:
        return False
    try:
        return datetime.strptime(live.version.partition("-")[0], _VERSION_TIME) >= since
    except ValueError:
        return False


def _is_meant(subject: Subject, rotation: Rotation, chain_pem: str) -> bool:
    if subject.everything:
        return True
    if rotation.get("issuer") in subject.issuers and not subject.authority_certificates:
        # A CA of which no certificate is at hand: what the operator declared is all there is to go by.
        return True
    try:
        chain = read_certificates(chain_pem.encode())
    except RotationError:
        return False
    keys = {certificate_spki_sha256(ca) for ca in subject.authority_certificates}
    return any(certificate_spki_sha256(one) in keys for one in chain[1:]) or any(
        is_issued_by(one, ca) for one in chain for ca in subject.authority_certificates
    )


@dataclass
class Standing:
    """The hosts of the fleet, by what can be said of them now."""

    ready: list[str] = field(default_factory=list)
    """Concerned, and nothing is known to be in the way"""
    not_ready: dict[str, str] = field(default_factory=dict)
    """Concerned, and why it cannot be rotated now"""
    unknown: dict[str, str] = field(default_factory=dict)
    """Perhaps concerned, and why that is not known"""
    not_affected: list[str] = field(default_factory=list)


def standing(rotations: Mapping[str, Sequence[Rotation]]) -> Standing:
    """Where each host stands, once ``decision`` says for each of its rotations what would be done."""
    found = Standing()
    for host, of_host in rotations.items():
        due = [one for one in of_host if action_of(one) in TO_DO]
        faults = [fault for one in of_host if (fault := _fault(one))]
        if due and any(one.get("error") for one in due):
            found.not_ready[host] = faults[0]
        elif due:
            found.ready.append(host)
        elif faults:
            found.unknown[host] = faults[0]
        else:
            found.not_affected.append(host)
    return found


def action_of(rotation: Rotation) -> str | None:
    return (rotation.get("decision") or {}).get("action")


def is_concerned(rotation: Rotation) -> bool:
    """Has to be rotated, or could not be looked at well enough to tell."""
    return action_of(rotation) in TO_DO or _fault(rotation) is not None


def _fault(rotation: Rotation) -> str | None:
    """Why it is not known, or cannot be done; None if nothing is in the way."""
    error = rotation.get("error")
    if error:
        return f"{error.get('msg')} ({error.get('code')})"
    if action_of(rotation) not in TO_DO and rotation.get("installed") is None and not served_pairs(rotation):
        places = [entry.get("error") or {} for entry in rotation.get("served") or ()]
        what = next((one.get("msg") for one in places if one.get("msg")), "nothing was looked at")
        return f"nothing is served that could be seen, and the host was not looked at: {what}"
    return None


def certificates_of(rotations: Mapping[str, Sequence[Rotation]], affected: Affected) -> dict[str, list[str]]:
    """By SHA-256 of each affected certificate, the hosts that serve it or have it live."""
    found: dict[str, list[str]] = {}
    for host, of_host in rotations.items():
        for rotation in of_host:
            for pair in _pairs(rotation):
                why = affected.why(spki_sha256=pair.spki_sha256, serial=pair.serial, sha256=pair.sha256)
                if why and host not in found.setdefault(pair.sha256, []):
                    found[pair.sha256].append(host)
    return found
