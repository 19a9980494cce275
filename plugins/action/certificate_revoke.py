# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Revoke predecessors once their successors are proven to be served; wait until the world can see it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificate,
    to_pem,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient
from ansible_collections.certops.rotation.plugins.module_utils._issuers.opened import OpenIssuers
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Issuer, Receipt, Revocation
from ansible_collections.certops.rotation.plugins.modules.certificate_revoke import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.predecessor import (
    Fate,
    fate,
    is_compromised,
    reason_of,
    require_proof,
)
from ansible_collections.certops.rotation.plugins.plugin_utils.revocation_sight import Sight, sight
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import FleetAction, Rotation
from ansible_collections.certops.rotation.plugins.plugin_utils.trust import issuers_anchors

_AT_ONCE = 16
_TO_CONFIRM = ("revoked", "already_revoked", "accepted_not_published")
# Certificates that belong to no rotation stand under this host in the result.
_ALONE = "localhost"

Group = tuple[Issuer, list[Rotation]]


class ActionModule(FleetAction):
    """Adds ``revocation`` with ``times.revoked`` and ``times.visible``, or ``error``."""

    step = "revoke"
    argument_spec = ARGUMENT_SPEC

    def work(self, rotations: dict[str, list[Rotation]]) -> dict[str, Any]:
        self._issuers = OpenIssuers(self.options["issuers"])
        if self.options["certificates"]:
            rotations.setdefault(_ALONE, []).extend(self._rotations_of_certificates())
        active = list(self.active(rotations))
        return self._confirm(active) if self._is_confirming else self._revoke(active)

    @property
    def _is_confirming(self) -> bool:
        return bool(self.options["phase"] == "confirm")

    # --- certificates on their own ---

    def _rotations_of_certificates(self) -> list[Rotation]:
        if not self.options["revoke_first"] and not self._is_confirming:
            raise RotationError(
                "proof_missing",
                "nothing proves that these certificates are not served any more",
                remedy="Set revoke_first to revoke them all the same.",
            )
        return [self._rotation_of(entry) for entry in self.options["certificates"]]

    def _rotation_of(self, entry: dict[str, Any]) -> Rotation:
        what = entry["path"] or "the certificate in pem"
        rotation: Rotation = {"host": _ALONE, "name": what, "issuer": entry["issuer"], "is_alone": True}
        try:
            certificate = read_certificate(_content(entry), what)
            serial = certificate_facts(certificate).serial
        except RotationError as error:
            self.failing(rotation, error)
            return rotation
        rotation["predecessor"] = {"serial": serial, "certificate_pem": to_pem(certificate)}
        rotation["decision"] = {"action": "finish", "revocation_reason": entry["reason"], "compromised": True}
        if self._is_confirming:
            rotation["revocation"] = {"serial": serial, "reason": entry["reason"], "state": "revoked"}
        return rotation

    # --- revoke ---

    def _revoke(self, rotations: Sequence[Rotation]) -> dict[str, Any]:
        groups = self._by_issuer([one for one in rotations if self._is_to_be_revoked(one)])
        if self.check_mode:
            planned = [_planned(one) for _issuer, group in groups for one in group]
            return {"changed": bool(planned), "revocations": planned}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            outcomes = list(pool.map(_revoke_group, groups))
        changed = False
        for (_issuer, group), outcome in zip(groups, outcomes, strict=True):
            for rotation, one in zip(group, outcome, strict=True):
                changed |= self._note(rotation, one)
        return {"changed": changed, "revocations": _revocations(rotations)}

    def _is_to_be_revoked(self, rotation: Rotation) -> bool:
        """Settle all that needs no CA; True for what is left."""
        first = self.options["revoke_first"]
        found = fate(rotation, wanted=self.options["revoke_predecessor"], first=first)
        if found is Fate.ALREADY_REVOKED:
            _settle(rotation, "already_revoked", (rotation.get("verdict") or {}).get("revoked_at"))
        if found is Fate.NOT_WANTED:
            _settle(rotation, "skipped", None)
            if is_compromised(rotation):
                self.warn(rotation, "the predecessor's key is compromised, and by your option it is not revoked")
        if found is not Fate.REVOKE:
            return False
        try:
            if not first and not self.check_mode:
                require_proof(rotation)
        except RotationError as error:
            self.failing(rotation, error)
            return False
        return True

    def _by_issuer(self, wanted: Sequence[Rotation]) -> list[Group]:
        """Rotations by the issuer of their predecessor, which need not be that of the successor."""
        groups: dict[str, Group] = {}
        for rotation in wanted:
            try:
                name, issuer = self._issuer_of(rotation)
                groups.setdefault(name, (issuer, []))[1].append(rotation)
            except RotationError as error:
                self._without_issuer(rotation, error)
        return list(groups.values())

    def _issuer_of(self, rotation: Rotation) -> tuple[str, Issuer]:
        """:raises RotationError: ``issuer_not_configured``, or whatever is wrong with the certificate or the issuer."""
        certificate = read_certificate(_pem(rotation).encode(), "the predecessor")
        name = rotation.get("issuer")
        # The rotation's issuer comes first, and is asked even if it cannot tell whether the certificate is its own.
        if name and self._issuers.get(name).issued(certificate) is not False:
            return name, self._issuers.get(name)
        for other, issuer in self._issuers.working():
            if other != name and issuer.issued(certificate):
                return other, issuer
        by = certificate.issuer.rfc4514_string()
        raise RotationError(
            "issuer_not_configured",
            f"{rotation['predecessor']['serial']} was issued by {by}, which is none of the issuers: revoke it there",
            remedy="Add that CA to the issuers, or revoke the certificate with the CA's own means.",
            issuer=by,
        )

    def _without_issuer(self, rotation: Rotation, error: RotationError) -> None:
        """What another CA issued is not a failure of the rotation: it is done but for this."""
        if error.code != "issuer_not_configured" or rotation.get("is_alone"):
            return self.failing(rotation, error)
        already = bool(rotation["predecessor"].get("already_revoked"))
        if not self.check_mode:
            _settle(rotation, "already_revoked" if already else "skipped", None)
        return self.warn(rotation, error.message)

    def _note(self, rotation: Rotation, outcome: Receipt | RotationError) -> bool:
        if isinstance(outcome, RotationError):
            self.failing(rotation, outcome)
            return False
        _settle(rotation, outcome.state, as_text(outcome.at))
        self.stamp(rotation, "revoked")
        for text in outcome.warnings:
            self.warn(rotation, text)
        return outcome.state != "already_revoked"

    # --- confirm ---

    def _confirm(self, rotations: Sequence[Rotation]) -> dict[str, Any]:
        pending = [one for one in rotations if (one.get("revocation") or {}).get("state") in _TO_CONFIRM]
        pending = [one for one in pending if not self._is_expired(one)]
        if pending and not self.check_mode:
            self._wait_for(pending)
        return {"revocations": _revocations(rotations)}

    def _is_expired(self, rotation: Rotation) -> bool:
        """CRLs need not list what has expired, and nobody accepts it any more."""
        try:
            certificate = read_certificate(_pem(rotation).encode(), "the predecessor")
        except RotationError as error:
            self.failing(rotation, error)
            return True
        return certificate.not_valid_after_utc <= datetime.now(timezone.utc)

    def _wait_for(self, pending: Sequence[Rotation]) -> None:
        """Look again and again until every source shows the revocation, or the deadline has passed."""
        anchors = issuers_anchors(self.step, self._issuers, self.options["trust_anchors"])
        http = HttpClient(timeout=self.options["timeout"])
        deadline = time.monotonic() + self.options["deadline"]
        while True:
            left = []
            for rotation, seen in self._look(pending, http, anchors):
                if seen.is_everywhere:
                    self._seen(rotation, seen)
                else:
                    left.append((rotation, seen))
            pending = [rotation for rotation, _seen in left]
            if not pending:
                return
            if time.monotonic() + self.options["poll_interval"] > deadline:
                break
            time.sleep(self.options["poll_interval"])
        for rotation, seen in left:
            self._not_everywhere(rotation, seen)

    def _look(
        self, pending: Sequence[Rotation], http: HttpClient, anchors: Sequence[x509.Certificate]
    ) -> list[tuple[Rotation, Sight]]:
        """One look at each, with nothing remembered from the last; a CRL is fetched once for all of them."""
        judge = sight(http, anchors)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(zip(pending, pool.map(lambda one: judge(_chain(one)), pending), strict=True))

    def _seen(self, rotation: Rotation, seen: Sight) -> None:
        rotation["revocation"].update(state="visible", seen_in=seen.seen_in)
        self.stamp(rotation, "visible")

    def _not_everywhere(self, rotation: Rotation, seen: Sight) -> None:
        if seen.seen_in:
            self._seen(rotation, seen)
        else:
            rotation["revocation"].update(state="accepted_not_published", seen_in=[])
        places = ", ".join(seen.missing) or "any source: it names none"
        self.warn(rotation, f"the revocation of {rotation['revocation']['serial']} is not yet to be seen in {places}")


def _content(entry: dict[str, Any]) -> bytes:
    if not entry["path"]:
        return str(entry["pem"]).encode()
    try:
        return Path(entry["path"]).read_bytes()
    except OSError as error:
        raise RotationError(
            "certificate_unreadable", f"{entry['path']} cannot be read: {error.strerror}", path=entry["path"]
        ) from error


def _pem(rotation: Rotation) -> str:
    predecessor = rotation.get("predecessor") or {}
    return str(predecessor.get("certificate_pem") or predecessor.get("chain_pem") or "")


def _chain(rotation: Rotation) -> str:
    """The predecessor, and what is known of the CAs above it."""
    return _pem(rotation) + str(rotation["predecessor"].get("chain_pem") or "")


def _settle(rotation: Rotation, state: str, at: str | None) -> None:
    rotation["revocation"] = {
        "serial": rotation["predecessor"]["serial"],
        "reason": reason_of(rotation),
        "state": state,
        "at": at,
        "seen_in": [],
    }


def _revoke_group(group: Group) -> Sequence[Receipt | RotationError]:
    issuer, rotations = group
    try:
        return issuer.revoke([Revocation(_pem(rotation), reason_of(rotation)) for rotation in rotations])
    except RotationError as error:
        return [error] * len(rotations)


def _planned(rotation: Rotation) -> dict[str, Any]:
    return {
        "host": rotation.get("host"),
        "name": rotation.get("name"),
        "serial": rotation["predecessor"]["serial"],
        "reason": reason_of(rotation),
    }


def _revocations(rotations: Sequence[Rotation]) -> list[dict[str, Any]]:
    return [
        {"host": one.get("host"), "name": one.get("name"), **one["revocation"]}
        for one in rotations
        if one.get("revocation")
    ]
