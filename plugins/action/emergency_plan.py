# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan an emergency: who is concerned, who can be helped now, and what that will take."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.affected import Affected
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_sha256,
    certificate_spki_sha256,
    read_certificate,
    serial_hex,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.emergency import (
    TO_DO,
    Standing,
    Subject,
    action_of,
    affected_by,
    certificates_of,
    is_concerned,
    standing,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.evidence import incident_name
from ansible_collections.certops.rotation.plugins.module_utils._core.evidence_record import record_of
from ansible_collections.certops.rotation.plugins.module_utils._core.key_identity import from_fingerprint, identify
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text, from_text
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_emergency import decide_affected
from ansible_collections.certops.rotation.plugins.module_utils._issuers.opened import OpenIssuers
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import (
    KnowsItsBudget,
    KnowsItsCertificates,
)
from ansible_collections.certops.rotation.plugins.modules.emergency_plan import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.certificates_alone import normal_serial, read_file
from ansible_collections.certops.rotation.plugins.plugin_utils.deny_list_file import deny
from ansible_collections.certops.rotation.plugins.plugin_utils.emergency_text import Outlook, as_lines
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import FleetAction, Rotation

_NAMED = ("spki_sha256", "certificate_paths", "serials", "authorities")
# What a host and a wave took on two processors (docs/benchmarks.md), twice: replaced, then revoked and retired.
_SECONDS_PER_HOST, _SECONDS_PER_WAVE = 0.4, 5


class ActionModule(FleetAction):
    """Adds ``decision`` to every rotation, and leaves only those that are, or may be, concerned."""

    step = "plan"
    argument_spec = ARGUMENT_SPEC

    def validated_options(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """A question of a survey that nobody answered is an empty text, which names nothing."""
        options = super().validated_options(arguments)
        named = {name: [one for one in map(str.strip, options[name]) if one] for name in _NAMED}
        return {**options, **named}

    def work(self, rotations: dict[str, list[Rotation]]) -> dict[str, Any]:
        at, issuers = self.now(), OpenIssuers(self.options["issuers"])
        subject = self._subject(issuers)
        incident = incident_name(self.options["incident"] or _name(subject))
        since, made, failed = self._begun(incident, at)
        affected = affected_by(subject, rotations, since, made)
        denied = self._deny(affected, incident, at)
        for rotation in (one for of_host in rotations.values() for one in of_host):
            self._decide(rotation, affected, at)
        found, certificates = standing(rotations), certificates_of(rotations, affected)
        wanted = self._orders(rotations, found)
        orders = Counter({issuer: len(names) for issuer, names in wanted.items()})
        over_budget = _over_budget(wanted, issuers)
        counts = {
            "hosts": len(found.ready) + len(found.not_ready),
            "certificates": len(certificates),
            "orders": orders.total(),
            **{name: len(getattr(found, name)) for name in ("not_ready", "unknown", "not_affected")},
        }
        waves = _waves(rotations, found, self.options["waves"])
        seconds = round(_SECONDS_PER_HOST * len(found.ready) + _SECONDS_PER_WAVE * (len(waves) + 1))
        outlook = Outlook(incident, subject, found, counts, dict(orders), certificates, denied, seconds, over_budget)
        _leave_out(rotations, subject, as_text(since), failed)
        return {
            "changed": bool(denied),
            "affected": affected.as_dict(),
            "subject": {**subject.as_dict(), "drill": self.options["drill"]},
            "incident": incident,
            "started_at": as_text(since),
            "hosts": found.ready,
            "waves": waves,
            "server_names": _server_names(rotations),
            "not_ready": found.not_ready,
            "unknown": found.unknown,
            "denied": denied,
            "counts": counts,
            "orders": dict(orders),
            "over_budget": over_budget,
            "estimated_seconds": seconds,
            "lines": as_lines(outlook),
        }

    # --- what it is about ---

    def _subject(self, issuers: OpenIssuers) -> Subject:
        """:raises RotationError: ``arguments_invalid``, or why a file cannot be used."""
        options = self.options
        certificates = [read_certificate(read_file(path), path) for path in options["certificate_paths"]]
        keys = [from_fingerprint(one).spki_sha256 for one in options["spki_sha256"]]
        if options["key_path"]:
            path = options["key_path"]
            keys.append(identify(read_file(path), path, options["passphrase"]).spki_sha256)
        serials = frozenset(
            [normal_serial(one) for one in options["serials"]] + [serial_hex(one.serial_number) for one in certificates]
        )
        kind = self._kind(keys)
        reason = options["reason"] or ("superseded" if kind in ("ca", "all") else "keyCompromise")
        if reason == "keyCompromise":
            keys += [certificate_spki_sha256(one) for one in certificates]
            keys += [key for serial in options["serials"] for key in self._keys_of(normal_serial(serial), issuers)]
        names = frozenset(name for name in options["authorities"] if name in options["issuers"])
        return Subject(
            kind=kind,
            reason=reason,
            spki_sha256=frozenset(keys),
            serials=serials,
            certificates=frozenset(certificate_sha256(one) for one in certificates),
            authorities=tuple(options["authorities"]),
            issuers=names,
            authority_certificates=tuple(self._authorities(names, issuers)),
            everything=options["everything"],
        )

    def _kind(self, keys: list[str]) -> str:
        options = self.options
        given = {
            "all": options["everything"],
            "ca": options["authorities"],
            "key": keys,
            "certificate": options["certificate_paths"],
            "serial": options["serials"],
        }
        kinds = [kind for kind, value in given.items() if value]
        if not kinds:
            raise RotationError(
                "emergency_about_nothing",
                "nothing says what the emergency is about",
                remedy="Give a key, a fingerprint, a certificate, a serial number or a CA, or say that all have to go.",
            )
        return kinds[0]

    def _keys_of(self, serial: str, issuers: OpenIssuers) -> list[str]:
        """What the issuers know of a certificate that is served nowhere."""
        found = [
            chain[0]
            for _name, issuer in issuers.working()
            if isinstance(issuer, KnowsItsCertificates)
            for chain in issuer.find(serial=serial)
        ]
        return [certificate_spki_sha256(one) for one in found]

    def _authorities(self, names: frozenset[str], issuers: OpenIssuers) -> list[x509.Certificate]:
        found: list[x509.Certificate] = []
        for given in self.options["authorities"]:
            found += (
                issuers.get(given).trust_anchors() if given in names else [read_certificate(read_file(given), given)]
            )
        return found

    # --- what is known from before ---

    def _begun(self, incident: str, at: datetime) -> tuple[datetime, set[str], set[str]]:
        """When the incident began, the keys that were made in it, and the hosts that failed, as its report has them."""
        path = Path(self.options["report_directory"]) / incident / "report.json"
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
            since = from_text(report["incident"]["started_at"])
            made = {(entry.get("after") or {}).get("spki_sha256") for entry in report["rotations"]}
            failed = {str(entry.get("host")) for entry in report["rotations"] if entry.get("error")}
        except FileNotFoundError:
            # Times in rotations are whole seconds, and what is made from now on must not be older than this.
            return at.replace(microsecond=0), set(), set()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
            raise RotationError(
                "report_unreadable",
                f"the report of this incident, {path}, cannot be read: {exc}",
                remedy="Repair the file or move it away; or name the incident otherwise.",
                path=str(path),
            ) from exc
        return since, {str(one) for one in made if one}, failed

    def _deny(self, affected: Affected, incident: str, at: datetime) -> list[str]:
        path = self.options["deny_list_path"]
        if not path or self.check_mode or affected.reason != "keyCompromise" or not affected.spki_sha256:
            return []
        return deny(path, affected.spki_sha256, f"{as_text(at)} {incident}")

    # --- what it takes ---

    def _decide(self, rotation: Rotation, affected: Affected, at: datetime) -> None:
        decision = decide_affected(rotation, affected, at)
        rotation["decision"] = decision.as_dict()
        if decision.predecessor:
            rotation["predecessor"] = dict(decision.predecessor)
        self.stamp(rotation, "decided")

    def _orders(self, rotations: Mapping[str, list[Rotation]], found: Standing) -> dict[str, list[list[str]]]:
        """By issuer, the names of each certificate that is to be ordered."""
        wanted: dict[str, list[list[str]]] = {}
        for rotation in (one for host in found.ready for one in rotations[host]):
            if action_of(rotation) == "rotate" and not rotation.get("error"):
                issuer = str(rotation.get("issuer"))
                issuer = self.options["issuer_instead"].get(issuer, issuer)
                wanted.setdefault(issuer, []).append(list(rotation.get("server_names") or ()))
        return wanted


def _waves(rotations: Mapping[str, list[Rotation]], found: Standing, wanted: list[str]) -> list[str]:
    """One key for many hosts travels from the one that made it to all others, so these are in one wave."""
    due = [one for host in found.ready for one in rotations[host] if action_of(one) == "rotate"]
    return ["100%"] if any(one.get("shared") for one in due) else wanted


def _over_budget(wanted: Mapping[str, list[list[str]]], issuers: OpenIssuers) -> dict[str, str]:
    """By issuer, what it will not give in time; nobody is asked for it."""
    told: dict[str, str] = {}
    for name, orders in wanted.items():
        try:
            issuer = issuers.get(name)
            refused = issuer.over_budget(orders) if isinstance(issuer, KnowsItsBudget) else []
        except RotationError as error:
            told[name] = f"{name} cannot be used: {error.message} ({error.code}). {error.remedy}"
            continue
        if refused:
            told[name] = (
                f"{len(refused)} of the {len(orders)} orders from {name} would be refused: {refused[0].message}. "
            )
            told[name] += f"{refused[0].remedy} One certificate for all hosts of its names takes one order (shared)."
    return told


def _server_names(rotations: Mapping[str, list[Rotation]]) -> list[str]:
    due = (one for of_host in rotations.values() for one in of_host if action_of(one) in TO_DO)
    return sorted({name for one in due for name in one.get("server_names") or ()})


def _leave_out(rotations: dict[str, list[Rotation]], subject: Subject, since: str, failed: Collection[str]) -> None:
    """Leave out what is not concerned, and of what no earlier run of this incident has anything to say either.

    :param failed: hosts of which the report says that they failed; it has to learn what became of that.
    """
    named = Affected(subject.spki_sha256, subject.serials)
    for host in set(rotations) - set(failed):
        rotations[host] = [one for one in rotations[host] if is_concerned(one) or record_of(one, named, since)]
        if not rotations[host]:
            del rotations[host]


def _name(subject: Subject) -> str:
    """The incident's name, where what it is about tells it from others."""
    if subject.kind in ("ca", "all"):
        raise RotationError(
            "incident_unnamed",
            "an emergency about a CA, or about everything, needs a name",
            remedy="Set emergency_incident, for example ca-2026-11; run again with the same name to go on with it.",
        )
    if subject.kind == "serial":
        return f"serial-{min(subject.serials)[:32]}"
    return f"{subject.kind}-{min(subject.spki_sha256 or subject.certificates)[:16]}"
