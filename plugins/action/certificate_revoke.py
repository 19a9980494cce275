# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Revoke predecessors once their successors are proven to be served; wait until the world can see it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text, from_text
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient
from ansible_collections.certops.rotation.plugins.module_utils._issuers.opened import OpenIssuers
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import (
    Issuer,
    Receipt,
    Revocation,
    Signer,
    TakesKeySignatures,
)
from ansible_collections.certops.rotation.plugins.modules.certificate_revoke import ARGUMENT_SPEC, REASONS
from ansible_collections.certops.rotation.plugins.plugin_utils.certificates_alone import (
    ALONE,
    CertificatesAlone,
    local_signer,
)
from ansible_collections.certops.rotation.plugins.plugin_utils.issuer_of_predecessor import (
    issuer_of_predecessor,
    predecessor_certificate,
    predecessor_pem,
    require_accepted_reason,
)
from ansible_collections.certops.rotation.plugins.plugin_utils.packing import unpack
from ansible_collections.certops.rotation.plugins.plugin_utils.predecessor import (
    Fate,
    fate,
    is_compromised,
    reason_of,
    require_proof,
    settle,
    settle_withheld,
)
from ansible_collections.certops.rotation.plugins.plugin_utils.revocation_hints import HintWatch, Told
from ansible_collections.certops.rotation.plugins.plugin_utils.revocation_sight import Sight, sight
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import (
    FleetAction,
    Rotation,
    active,
    by_host,
    label,
)
from ansible_collections.certops.rotation.plugins.plugin_utils.trust import issuers_anchors

_AT_ONCE = 16
_TO_CONFIRM = ("revoked", "already_revoked", "accepted_not_published")

Group = tuple[str, Issuer, list[Rotation]]
Looked = tuple[Rotation, Sight]


class ActionModule(FleetAction):
    """Adds ``revocation`` with ``times.revoked`` and ``times.visible``, or ``error``."""

    step = "revoke"
    argument_spec = ARGUMENT_SPEC

    def work(self, rotations: dict[str, list[Rotation]]) -> dict[str, Any]:
        self._issuers = OpenIssuers(self.options["issuers"])
        self._signers: dict[str, Signer] = {}
        entries = self._entries()
        for rotation in self._rotations_of(entries) if entries else ():
            rotations.setdefault(rotation["host"], []).append(rotation)
        concerned = list(self.active(rotations))
        work = {"plan": self._plan, "revoke": self._revoke, "confirm": self._confirm}
        result = work[self.options["phase"]](concerned)
        everything = [one for of_host in rotations.values() for one in of_host]
        failures = [f"{label(one)}: {one['error']['msg']}" for one in everything if one.get("error")]
        return {**result, "lines": [_line(one) for one in result["revocations"]], "failures": failures}

    @property
    def _is_confirming(self) -> bool:
        return bool(self.options["phase"] == "confirm")

    # --- certificates on their own ---

    def _entries(self) -> list[dict[str, Any]]:
        """All certificates that are named, each as an entry of ``certificates``. An empty value counts as none."""
        lists = (("path", "paths"), ("serial", "serials"), ("spki_sha256", "keys"))
        named = [{what: value} for what, option in lists for value in self.options[option] if str(value).strip()]
        shared = {name: self.options[name] or None for name in ("reason", "issuer", "key_path", "passphrase")}
        entries = [{**shared, **_given(entry)} for entry in [*self.options["certificates"], *named]]
        if any(entry["reason"] not in REASONS for entry in entries):
            raise RotationError("arguments_invalid", f"a reason is needed to revoke for, one of {', '.join(REASONS)}")
        return entries

    def _rotations_of(self, entries: Sequence[dict[str, Any]]) -> list[Rotation]:
        seen = {str.__str__(host): unpack(of_host) for host, of_host in self.options["seen"].items()}
        if not (self.options["revoke_first"] or self._is_confirming or seen):
            raise RotationError(
                "proof_missing",
                "nothing proves that these certificates are not served any more",
                remedy="Give what fleet_status saw as seen, or set revoke_first to revoke them all the same.",
            )
        alone = CertificatesAlone(self._issuers, by_host(seen))
        return [one for entry in entries for one in self._meant(alone, entry)]

    def _meant(self, alone: CertificatesAlone, entry: dict[str, Any]) -> list[Rotation]:
        try:
            found = alone.rotations(entry)
        except RotationError as error:
            named = next(str(entry[what]) for what in ("path", "serial", "spki_sha256", "pem") if entry.get(what))
            failed: Rotation = {"host": ALONE, "name": named[:80], "is_alone": True}
            self.failing(failed, error)
            return [failed]
        for rotation in found:
            try:
                self._prepare(rotation, alone, entry)
            except RotationError as error:
                self.failing(rotation, error)
        return found

    def _prepare(self, rotation: Rotation, alone: CertificatesAlone, entry: dict[str, Any]) -> None:
        predecessor = rotation["predecessor"]
        if self._is_confirming:
            rotation["revocation"] = {"serial": predecessor["serial"], "reason": entry["reason"], "state": "revoked"}
            return
        served = alone.where_served(rotation)
        if served and not self.options["revoke_first"]:
            raise RotationError(
                "still_served",
                f"the certificate {predecessor['serial']} is still served at {', '.join(served[:5])}",
                remedy="Rotate it first. revoke_first revokes it all the same, and clients that check cannot connect.",
                places=served,
            )
        self._learn_signer(rotation, entry)

    def _learn_signer(self, rotation: Rotation, entry: dict[str, Any]) -> None:
        """The key at hand signs for its certificate."""
        if entry.get("key_path"):
            certificate = predecessor_certificate(rotation)
            sha256 = rotation["predecessor"]["sha256"]
            self._signers[sha256] = local_signer(entry["key_path"], entry.get("passphrase"), certificate)

    # --- plan ---

    def _plan(self, rotations: Sequence[Rotation]) -> dict[str, Any]:
        """All that can be told without asking a CA for anything, and which hosts have a key that should sign."""
        groups = self._by_issuer([one for one in rotations if self._is_to_be_revoked(one)])
        planned = [(name, issuer, one) for name, issuer, group in groups for one in group]
        signing = [
            one["host"]
            for _name, issuer, one in planned
            if one["host"] != ALONE and isinstance(issuer, TakesKeySignatures) and reason_of(one) == "keyCompromise"
        ]
        revocations = [self._planned(name, one) for name, _issuer, one in planned]
        return {"revocations": revocations, "signing": sorted(set(signing))}

    # --- revoke ---

    def _revoke(self, rotations: Sequence[Rotation]) -> dict[str, Any]:
        for rotation in rotations:
            # Those of a plan are certificates on their own, too.
            if rotation.get("is_alone") and self.options["key_path"] and not self._signer(rotation):
                try:
                    self._learn_signer(rotation, self.options)
                except RotationError as error:
                    self.failing(rotation, error)
        rotations = active(rotations)
        groups = self._by_issuer([one for one in rotations if self._is_to_be_revoked(one)])
        if self.check_mode:
            planned = [self._planned(name, one) for name, _issuer, group in groups for one in group]
            return {"changed": bool(planned), "revocations": planned}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            outcomes = list(pool.map(self._revoke_group, groups))
        changed = False
        for (_name, issuer, group), outcome in zip(groups, outcomes, strict=True):
            for rotation, one in zip(group, outcome, strict=True):
                changed |= self._note(rotation, one, issuer)
        return {"changed": changed, "revocations": _revocations(rotations)}

    def _is_to_be_revoked(self, rotation: Rotation) -> bool:
        """Settle all that needs no CA; True for what is left."""
        first = self.options["revoke_first"]
        found = fate(rotation, wanted=self.options["revoke_predecessor"], first=first)
        if found is Fate.ALREADY_REVOKED:
            since = (rotation.get("verdict") or {}).get("revoked_at")
            settle(rotation, "already_revoked", since)
            if since:
                self.stamp(rotation, "revoked", from_text(since))
        if found is Fate.WITHHELD:
            self._withhold(rotation)
        if found is Fate.NOT_WANTED:
            settle(rotation, "skipped", None)
            if is_compromised(rotation):
                self.warn(rotation, "the predecessor's key is compromised, and by your option it is not revoked")
        if found is not Fate.REVOKE:
            return False
        try:
            if not first and not self.check_mode and not rotation.get("is_alone") and self.options["phase"] != "plan":
                require_proof(rotation)
        except RotationError as error:
            self.failing(rotation, error)
            return False
        return True

    def _withhold(self, rotation: Rotation) -> None:
        settle_withheld(rotation)
        hosts = rotation["revocation"]["waits_for"]
        if hosts:
            serial, some = rotation["predecessor"]["serial"], ", ".join(hosts[:5]) + (", …" if hosts[5:] else "")
            self.warn(rotation, f"{serial} is not revoked yet, because {some} still serve it; a later run finishes")

    def _by_issuer(self, wanted: Sequence[Rotation]) -> list[Group]:
        """Rotations by the issuer of their predecessor, which need not be that of the successor."""
        groups: dict[str, Group] = {}
        for rotation in wanted:
            try:
                name, issuer = issuer_of_predecessor(rotation, self._issuers)
                require_accepted_reason(rotation, name, issuer)
                self._require_way(rotation, name, issuer)
                groups.setdefault(name, (name, issuer, []))[2].append(rotation)
            except RotationError as error:
                self._without_issuer(rotation, error)
        return list(groups.values())

    def _require_way(self, rotation: Rotation, name: str, issuer: Issuer) -> None:
        if self._signer(rotation) and not isinstance(issuer, TakesKeySignatures):
            raise RotationError(
                "key_not_asked",
                f"the issuer {name} takes no signature of the certificate's key",
                remedy="Leave key_path out: the issuer revokes its certificates without it.",
            )

    def _signer(self, rotation: Rotation) -> Signer | None:
        return self._signers.get(rotation["predecessor"].get("sha256") or "")

    def _without_issuer(self, rotation: Rotation, error: RotationError) -> None:
        """What another CA issued is not a failure of the rotation: it is done but for this."""
        if error.code != "issuer_not_configured" or rotation.get("is_alone"):
            return self.failing(rotation, error)
        already = bool(rotation["predecessor"].get("already_revoked"))
        if not self.check_mode:
            settle(rotation, "already_revoked" if already else "skipped", None)
        return self.warn(rotation, error.message)

    def _revoke_group(self, group: Group) -> Sequence[Receipt | RotationError]:
        """Those with a key at hand one by one, all others in one go."""
        _name, issuer, rotations = group
        outcomes: dict[int, Receipt | RotationError] = {}
        others = [one for one in rotations if self._signer(one) is None]
        revocations = [self._revocation(one) for one in others]
        try:
            answers = issuer.revoke(revocations) if others else []
            outcomes.update((id(one), answer) for one, answer in zip(others, answers, strict=True))
        except RotationError as error:
            outcomes.update((id(one), error) for one in others)
        for rotation in rotations:
            sign = self._signer(rotation)
            if sign is not None and isinstance(issuer, TakesKeySignatures):
                try:
                    outcomes[id(rotation)] = issuer.revoke_by_key(self._revocation(rotation), sign)
                except RotationError as error:
                    outcomes[id(rotation)] = error
        return [outcomes[id(one)] for one in rotations]

    def _revocation(self, rotation: Rotation) -> Revocation:
        return Revocation(predecessor_pem(rotation), reason_of(rotation), self.options["authorize"])

    def _note(self, rotation: Rotation, outcome: Receipt | RotationError, issuer: Issuer) -> bool:
        if isinstance(outcome, RotationError):
            if rotation.get("is_alone") or not _is_no_failure(outcome, rotation, issuer):
                self.failing(rotation, outcome)
            else:
                settle(rotation, "skipped", None)
                self.warn(rotation, f"{outcome.message}. {outcome.remedy}")
            return False
        settle(rotation, outcome.state, as_text(outcome.at), by=outcome.by)
        self.stamp(rotation, "revoked")
        for text in outcome.warnings:
            self.warn(rotation, text)
        if reason_of(rotation) == "keyCompromise" and outcome.by != "certificate_key":
            self._warn_of_account(rotation, issuer)
        return outcome.state != "already_revoked"

    def _warn_of_account(self, rotation: Rotation, issuer: Issuer) -> None:
        """Loud, because the CA now knows of one bad certificate, and not that the key is bad."""
        if not isinstance(issuer, TakesKeySignatures):
            return
        serial = rotation["predecessor"]["serial"]
        why = (rotation.pop("unsigned", None) or {}).get("msg") or "it was not asked to sign"
        by = rotation["revocation"]["by"]
        done = f"{serial} was revoked by the account" if by else f"{serial} had been revoked before"
        self.warn(
            rotation,
            f"{done}, not by its own compromised key ({why}): the CA may go on to certify that key, and other"
            " certificates with it stay valid",
        )

    def _planned(self, issuer: str, rotation: Rotation) -> dict[str, Any]:
        return {
            "host": rotation.get("host"),
            "name": rotation.get("name"),
            "serial": rotation["predecessor"]["serial"],
            "reason": reason_of(rotation),
            "issuer": issuer,
            "state": "planned",
        }

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
            certificate = predecessor_certificate(rotation)
        except RotationError as error:
            self.failing(rotation, error)
            return True
        return certificate.not_valid_after_utc <= datetime.now(timezone.utc)

    def _wait_for(self, pending: Sequence[Rotation]) -> None:
        """Look again and again until every source shows the revocation, or the deadline has passed."""
        anchors = issuers_anchors(self.step, self._issuers, self.options["trust_anchors"])
        http, pause = HttpClient(timeout=self.options["timeout"]), float(self.options["poll_interval"])
        deadline = time.monotonic() + self.options["deadline"]
        watch = HintWatch(self._issuers, pause=pause)
        without_source: list[Looked] = []
        while True:
            looked = self._look(pending, http, anchors)
            self._conclude([one for one in looked if one[1].seen_in and not one[1].missing], watch)
            without_source += [one for one in looked if one[1].has_no_source]
            left = [one for one in looked if one[1].missing]
            is_last = time.monotonic() + pause > deadline
            without_source = self._hinted_at(without_source, watch, is_last=is_last)
            pending = [rotation for rotation, _seen in left]
            if is_last or not (pending or without_source):
                break
            time.sleep(pause)
        self._conclude(left, watch)

    def _hinted_at(self, looked: Sequence[Looked], watch: HintWatch, *, is_last: bool) -> list[Looked]:
        """Conclude those that their CA has hinted at, or never will; the others are left, unless this is the end."""
        answers = watch.ask_in_turn([rotation for rotation, _seen in looked], at_once=is_last) if looked else []
        if answers is None:
            return list(looked)
        left = []
        for one, told in zip(looked, answers, strict=True):
            if told.may_come and not is_last:
                left.append(one)
            else:
                self._write_down(*one, told)
        return left

    def _look(self, pending: Sequence[Rotation], http: HttpClient, anchors: Sequence[x509.Certificate]) -> list[Looked]:
        """One look at each, with nothing remembered from the last; a CRL is fetched once for all of them."""
        judge = sight(http, anchors)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(zip(pending, pool.map(lambda one: judge(_chain(one)), pending), strict=True))

    def _conclude(self, looked: Sequence[Looked], watch: HintWatch) -> None:
        """Write down what was seen, and what the CA itself hints at."""
        for one, told in zip(looked, watch.ask([rotation for rotation, _seen in looked]), strict=True):
            self._write_down(*one, told)

    def _write_down(self, rotation: Rotation, seen: Sight, told: Told) -> None:
        """A hint decides only where the certificate names no source."""
        places = [*seen.seen_in, *([told.sign] if told.sign else [])]
        is_visible = bool(seen.seen_in or (told.sign and not seen.missing))
        rotation["revocation"].update(state="visible" if is_visible else "accepted_not_published", seen_in=places)
        if is_visible:
            self.stamp(rotation, "visible")
        serial = rotation["revocation"]["serial"]
        if seen.missing:
            self.warn(rotation, f"the revocation of {serial} is not yet to be seen in {', '.join(seen.missing)}")
        elif not places:
            text = f"the revocation of {serial} cannot be seen: the certificate names neither CRL nor OCSP"
            self.warn(rotation, text + (", and its CA does not hint at it yet" if told.may_come else ""))


def _chain(rotation: Rotation) -> str:
    """The predecessor, and what is known of the CAs above it."""
    return predecessor_pem(rotation) + str(rotation["predecessor"].get("chain_pem") or "")


def _is_no_failure(error: RotationError, rotation: Rotation, issuer: Issuer) -> bool:
    """What a CA refuses because it is none of its own, or nobody accepts it any more, is done but for this."""
    if error.code == "certificate_expired":
        return True
    is_refusal_of_ca = bool(error.facts.get("type"))
    return is_refusal_of_ca and issuer.issued(predecessor_certificate(rotation)) is None


def _given(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if value}


def _line(revocation: dict[str, Any]) -> str:
    """What is, or would be, done about one certificate, in a line."""
    by = f", by {str(revocation['by']).replace('_', ' ')}" if revocation.get("by") else ""
    at = f" at {revocation['at']}" if revocation.get("at") else ""
    state = str(revocation["state"]).replace("_", " ")
    where = f"{revocation['host']}/{revocation['name']}"
    return f"{where}: {revocation['serial']} {state}{at} ({revocation['reason']}){by}"


def _revocations(rotations: Sequence[Rotation]) -> list[dict[str, Any]]:
    return [
        {"host": one.get("host"), "name": one.get("name"), **one["revocation"]}
        for one in rotations
        if one.get("revocation")
    ]
