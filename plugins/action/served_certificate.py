# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify: hand-shake with every place until each has proven to serve the new certificate, or time is up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleError
from ansible.utils.display import Display
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_facts import live_version
from ansible_collections.certops.rotation.plugins.module_utils._core.served_proof import PlaceProof, Wanted
from ansible_collections.certops.rotation.plugins.modules.served_certificate import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.beyond import askable, look_beyond, predecessors
from ansible_collections.certops.rotation.plugins.plugin_utils.handshaking import (
    Place,
    listeners_addresses,
    places,
)
from ansible_collections.certops.rotation.plugins.plugin_utils.host_values import host_values
from ansible_collections.certops.rotation.plugins.plugin_utils.packing import unpack
from ansible_collections.certops.rotation.plugins.plugin_utils.plain_data import plain
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import (
    FleetAction,
    Rotation,
    action_of,
)
from ansible_collections.certops.rotation.plugins.plugin_utils.still_served import withhold
from ansible_collections.certops.rotation.plugins.plugin_utils.trust import judging
from ansible_collections.certops.rotation.plugins.plugin_utils.watching import HostWatch, Patience, Watch, watch_hosts

display = Display()

# More would only cost time: with so many workers each of them still gets a client soon.
_MOST_STAPLES_IN_A_ROW = 32
# Handshakes with one host, however many hosts there are.
_FEWEST_AT_ONCE = 4
_MOST_NAMED = 10


class ActionModule(FleetAction):
    """Adds ``proof`` and ``times.served``, or ``error`` and ``needs_rollback``; ``withheld`` where others serve it."""

    step = "verify"
    argument_spec = ARGUMENT_SPEC

    def work(self, rotations: dict[str, list[Rotation]]) -> dict[str, Any]:
        concerned = [one for one in self.active(rotations) if self._is_concerned(one)]
        if concerned and not self.check_mode:
            self._prove(concerned, rotations)
            own = [one for of_host in rotations.values() for one in of_host]
            seen = [one for of_host in self.options["seen"].values() for one in unpack(of_host)]
            withhold(own, [*seen, *self._beyond(own)], hold=self.options["hold"])
        rollback = [host for host, of_host in rotations.items() if any(one.get("needs_rollback") for one in of_host)]
        return {"rollback": rollback}

    def _is_concerned(self, rotation: Rotation) -> bool:
        """A decision is not asked of those who use this step alone."""
        if not (rotation.get("issued") or {}).get("serial"):
            return False
        action = action_of(rotation)
        return action in (None, "repair", "finish") or (action == "rotate" and bool(rotation.get("installation")))

    def _prove(self, concerned: Sequence[Rotation], rotations: Mapping[str, list[Rotation]]) -> None:
        judge = judging(self.step, self.options)
        addresses = listeners_addresses(concerned, self.options["timeout"])
        by_host: dict[str, list[Watch]] = {}
        for one in concerned:
            found = places(one, rotations[one["host"]], addresses)
            by_host.setdefault(one["host"], []).append(self._watch(one, found))
        patience = self._patience(len(by_host))
        watch_hosts([HostWatch(watches, judge, self.now, patience) for watches in by_host.values()])
        for watches in by_host.values():
            for watch in watches:
                self._conclude(watch)

    def _beyond(self, own: Sequence[Rotation]) -> list[Rotation]:
        """What other hosts serve that may be a predecessor; nobody is asked where there is nothing to revoke."""
        others, certificates = self.options["others"], predecessors(own)
        if not others or not certificates or self.options["hold"]:
            return []
        asked = askable(self._requests(others), certificates, set(self.options["probed"]))
        found, silent = look_beyond(asked, timeout=self.options["timeout"], concurrency=self.options["concurrency"])
        if silent:
            more = f" and {len(silent) - _MOST_NAMED} more" if len(silent) > _MOST_NAMED else ""
            display.warning(
                "verify: these did not answer, so whether they serve a certificate that is replaced here is not known: "
                f"{', '.join(silent[:_MOST_NAMED])}{more}"
            )
        return found

    def _requests(self, hosts: Sequence[str]) -> dict[str, Any]:
        """What others declare. A mistake in it is for a run of theirs, and must not fail this one."""
        found: dict[str, Any] = {}
        for host in hosts:
            try:
                found.update(host_values(self, self.task_vars, self.options["request"], [host]))
            except AnsibleError as error:
                display.warning(f"verify: {host} is not asked what it serves: {error}")
        return {host: plain(request) for host, request in found.items()}

    def _patience(self, hosts: int) -> Patience:
        own = {name: self.options[name] for name in ("deadline", "staple_deadline", "interval", "timeout")}
        return Patience(**own, at_once=max(_FEWEST_AT_ONCE, self.options["concurrency"] // hosts))

    def _watch(self, rotation: Rotation, where: Sequence[Place]) -> Watch:
        issued = rotation["issued"]
        wanted = Wanted(
            serial=issued["serial"],
            spki_sha256=issued["spki_sha256"],
            in_a_row=max(1, self.options["consecutive"]),
            staples_in_a_row=self._staples_in_a_row(rotation),
        )
        silent = {
            (one["address"], one.get("ip"), one["port"], one["server_name"])
            for one in rotation.get("served") or ()
            if one.get("error") and not one.get("serial")
        }
        # With nothing served anywhere before, it is a first issue, and every place has to begin to answer.
        if not any(one.get("serial") for one in rotation.get("served") or ()):
            silent = set()
        proofs = []
        for place in where:
            key = (place.endpoint.address, place.endpoint.ip, place.endpoint.port, place.server_name)
            proofs.append((place, PlaceProof(wanted, was_silent_before=key in silent)))
        return Watch(rotation, proofs)

    def _staples_in_a_row(self, rotation: Rotation) -> int:
        """How many stapled handshakes in a row it takes to have met every worker; 0 where nothing is stapled."""
        mode = stapling_of(rotation)
        issued = rotation["issued"]
        if mode not in ("nginx", "file") or not (issued.get("ocsp_urls") or mode == "file"):
            return self.options["consecutive"] if issued.get("must_staple") else 0
        if mode == "file":
            return int(self.options["consecutive"])
        workers = ((rotation.get("installation") or {}).get("reload") or {}).get("new_workers") or 0
        return min(max(self.options["consecutive"], 2 * int(workers)), _MOST_STAPLES_IN_A_ROW)

    def _conclude(self, watch: Watch) -> None:
        rotation, now = watch.rotation, datetime.now(timezone.utc)
        if not watch.is_served:
            return self._fail(rotation, not_served(watch))
        silent = [str(place) for place, proof in watch.proofs if proof.is_still_silent]
        if silent:
            self.warn(rotation, f"not checked, because nothing answered before either: {', '.join(silent)}")
        if not watch.is_stapled:
            error = staple_missing(watch)
            if watch.must_staple:
                return self._fail(rotation, error)
            self.warn(rotation, error.message)
        elif stapling_of(rotation) == "file" and any(proof.unstapled for _place, proof in watch.proofs):
            self.warn(rotation, "some handshakes were not stapled, although the staple is installed as a file")
        rotation["proof"] = {
            "serial": rotation["issued"]["serial"],
            "spki_sha256": rotation["issued"]["spki_sha256"],
            "checked": [proof.as_checked(as_text(now)) for _place, proof in watch.proofs if not proof.is_still_silent],
            "at": as_text(now),
        }
        self.stamp(rotation, "served", now)
        return None

    def _fail(self, rotation: Rotation, error: RotationError) -> None:
        rotation["needs_rollback"] = may_go_back(rotation)
        if action_of(rotation) == "rotate" and not rotation["needs_rollback"]:
            error.remedy += " The new release stays: its predecessor must never be served again, or is not there."
        self.failing(rotation, error)


def stapling_of(rotation: Mapping[str, Any]) -> str:
    """How the release that is live is stapled: off, nginx or file."""
    installation = rotation.get("installation") or {}
    record = (live_version(rotation) or {}).get("record") or {}
    return str(installation.get("stapling") or record.get("stapling") or "off")


def may_go_back(rotation: Mapping[str, Any]) -> bool:
    """Whether the predecessor may be served again: never one that is revoked, or whose key is compromised."""
    decision, predecessor = rotation.get("decision") or {}, rotation.get("predecessor")
    if decision.get("action") != "rotate" or not predecessor or not (rotation.get("installation") or {}).get("changed"):
        return False
    return not decision.get("compromised") and not predecessor.get("already_revoked")


def not_served(watch: Watch) -> RotationError:
    seen = {str(place): proof.what_was_seen() for place, proof in watch.proofs if not proof.is_served}
    places_seen = "; ".join(f"{place} {what}" for place, what in list(seen.items())[:5])
    serial = watch.rotation["issued"]["serial"]
    return RotationError(
        "not_served",
        f"the new certificate {serial} is not served: {places_seen or 'there is no listener to ask'}",
        remedy="Look whether the vhost uses the release's paths, and whether the listeners are this server's.",
        serial=serial,
        seen=seen,
    )


def staple_missing(watch: Watch) -> RotationError:
    seen = {
        str(place): ((proof.last.get("staple") or {}).get("detail") or (proof.last.get("staple") or {}).get("status"))
        for place, proof in watch.proofs
        if not proof.is_stapled
    }
    places_seen = "; ".join(f"{place}: {what}" for place, what in list(seen.items())[:5])
    return RotationError(
        "staple_missing",
        f"the new certificate is served without a good staple: {places_seen}",
        remedy="Look whether the vhost includes live/nginx.conf, and whether the host reaches resolver and responder.",
        seen=seen,
    )
