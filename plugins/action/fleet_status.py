# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Detect: all handshakes of the fleet at once, then one verdict for each certificate that was seen."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ansible.utils.display import Display
from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Judging
from ansible_collections.certops.rotation.plugins.module_utils._ansible.result import to_result
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    check_readable,
    read_certificates,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.declaration import probe, rotations_from_request
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_facts import live_pair, served_pairs
from ansible_collections.certops.rotation.plugins.module_utils._core.remembered import remembered
from ansible_collections.certops.rotation.plugins.module_utils._core.shared_keys import shared_keys
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import (
    Endpoint,
    Handshake,
    handshakes,
)
from ansible_collections.certops.rotation.plugins.modules.fleet_status import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.beside import beside
from ansible_collections.certops.rotation.plugins.plugin_utils.handshaking import (
    Place,
    listeners_addresses,
    places,
    read_chain,
    served_entry,
    shown_facts,
)
from ansible_collections.certops.rotation.plugins.plugin_utils.host_values import host_values
from ansible_collections.certops.rotation.plugins.plugin_utils.plain_data import plain
from ansible_collections.certops.rotation.plugins.plugin_utils.renewal_hints import add_renewal_hints
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import FleetAction, Rotation, active
from ansible_collections.certops.rotation.plugins.plugin_utils.trust import judging

display = Display()

_SECONDS_BETWEEN_LINES = 5.0
_WEIGHT = {"revoked": 0, "unknown": 1, "good": 2}


class ActionModule(FleetAction):
    """One pass over every listener × server name."""

    step = "detect"
    argument_spec = ARGUMENT_SPEC

    def given_rotations(self) -> dict[str, list[Rotation]]:
        hosts, variable = self.options["hosts"], self.options["request"]
        if hosts is None or not variable:
            return super().given_rotations()
        requests = host_values(self, self.task_vars, variable, hosts)
        return {host: self._declared(host, plain(requests[host])) for host in hosts}

    def work(self, rotations: dict[str, list[Rotation]]) -> dict[str, Any]:
        at, only_new = self.now(), self.options["only_new"]
        new = [one for one in self.active(rotations) if not only_new or one.get("served") is None]
        new += self._blind(rotations)
        if new or not only_new:
            judge = judging(self.step, self.options)
            self._look(new, rotations, _Eyes(judge, at))
            add_renewal_hints(new, self.options["issuers"], at)
        for rotation in new:
            self.stamp(rotation, "detected", at)
        waiting = [one for one in self.active(rotations) if _is_another_installed(one)] if only_new else []
        if waiting:
            _judge_installed(waiting, judging(self.step, self.options), at)
        served = ((host, entry) for host, of_host in rotations.items() for one in of_host for entry in _served(one))
        return {"summary": summary(rotations), "shared_keys": shared_keys(served)}

    def _declared(self, host: str, request: Mapping[str, Any]) -> list[Rotation]:
        declared = rotations_from_request(host, request)
        return declared or ([probe(host, request)] if self.options["probe"] else [])

    def _blind(self, rotations: Mapping[str, list[Rotation]]) -> list[Rotation]:
        """Hosts that could not be looked at and have nothing declared: asked for what others serve."""
        names, variable = self.options["also_ask"], self.options["request"]
        if not names or not variable:
            return []
        blind = {host: of_host[0] for host, of_host in rotations.items() if of_host and all(map(_is_blind, of_host))}
        requests = host_values(self, self.task_vars, variable, list(blind))
        for host, rotation in blind.items():
            rotation.update(listeners=probe(host, plain(requests[host]))["listeners"], server_names=list(names))
        return list(blind.values())

    def _look(self, new: Sequence[Rotation], rotations: Mapping[str, list[Rotation]], eyes: _Eyes) -> None:
        """Fill ``served`` and ``verdict`` of all new rotations."""
        addresses = listeners_addresses(new, self.options["timeout"])
        asked = [(one, place) for one in new for place in places(one, rotations[one["host"]], addresses)]
        # Two rotations may look at one place; it is asked once. Many places may show one certificate.
        distinct = list(dict.fromkeys(place.endpoint for _rotation, place in asked))
        shown: dict[_Shown, None] = {}
        progress = _Progress(len(distinct))
        with beside(eyes.look, len(distinct)) as looking:

            def seen(handshake: Handshake) -> None:
                progress.one_more()
                what = (handshake.chain, handshake.staple)
                if handshake.chain and what not in shown:
                    shown[what] = None
                    looking.give(what)

            results = handshakes(
                distinct,
                timeout=self.options["timeout"],
                concurrency=self.options["concurrency"],
                per_second=self.options["rate_limit"],
                each=seen,
            )
            looks = dict(zip(shown, looking.results(), strict=True))
            _note(new, asked, dict(zip(distinct, results, strict=True)), looks)


def _is_blind(rotation: Rotation) -> bool:
    return bool(rotation.get("error")) and not rotation.get("listeners")


class _Progress:
    """A line now and then, while a look at many places goes on."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._done = 0
        self._told = time.monotonic()

    def one_more(self) -> None:
        self._done += 1
        now = time.monotonic()
        if now - self._told >= _SECONDS_BETWEEN_LINES:
            self._told = now
            display.display(f"fleet_status: {self._done} of {self._places} places asked")


_Shown = tuple[tuple[bytes, ...], "bytes | None"]
"""a chain, and a stapled response"""
_Look = tuple["dict[str, Any] | None", "dict[str, Any] | None"]
"""what is said of it in an entry of ``served``, and the verdict on a certificate"""
_NOTHING: _Look = (None, None)


_as_data = remembered(to_result)


class _Eyes:
    """What is told of a chain and a staple. The same always, so that it need be found out only once."""

    def __init__(self, judge: Judging, at: datetime) -> None:
        self._judge, self._at = judge, at

    def look(self, shown: _Shown) -> _Look:
        ders, staple = shown
        facts = shown_facts(ders, staple, self._judge, self._at)
        if "sha256" not in facts:
            return facts, None
        return facts, {"serial": facts["serial"], **self.verdict(read_chain(ders), staple)}

    def verdict(self, chain: Sequence[x509.Certificate], staple: bytes | None = None) -> dict[str, Any]:
        try:
            check_readable(chain)
        except RotationError as error:
            return {"status": "unknown", "reasons": [error.code], "evidence": []}
        verdict = vars(self._judge.verdict(chain, at=self._at, staple=staple))
        result = {name: to_result(each) for name, each in verdict.items() if name != "evidence"}
        # That about a CA is one for all its certificates.
        return {**result, "evidence": [_as_data(each) for each in verdict["evidence"]]}


def _note(
    new: Sequence[Rotation],
    asked: Iterable[tuple[Rotation, Place]],
    seen: Mapping[Endpoint, Handshake],
    looks: Mapping[_Shown, _Look],
) -> None:
    """One verdict for each certificate that is served, whoever serves it; each rotation gets the worst of its own."""
    for rotation in new:
        rotation.update(served=[], verdict={"status": "unknown", "reasons": ["unreachable"], "evidence": []})
    verdicts: dict[str, dict[str, Any]] = {}
    for rotation, place in asked:
        handshake = seen[place.endpoint]
        facts, verdict = looks.get((handshake.chain, handshake.staple), _NOTHING)
        entry = served_entry(place, handshake, facts)
        rotation["served"].append(entry)
        if verdict is not None:
            verdict = verdicts.setdefault(entry["sha256"], verdict)
            entry["status"] = verdict["status"]
            before = rotation["verdict"]
            if "serial" not in before or _WEIGHT[verdict["status"]] < _WEIGHT[before["status"]]:
                rotation["verdict"] = verdict


def _is_another_installed(rotation: Mapping[str, Any]) -> bool:
    live = live_pair(rotation)
    return live is not None and any(pair.sha256 != live.sha256 for pair in served_pairs(rotation))


def _judge_installed(rotations: Sequence[Rotation], judge: Judging, at: datetime) -> None:
    """Where another certificate is served than is installed, it matters whether the installed one may be served."""
    lives = [live_pair(rotation) for rotation in rotations]
    chains = {live.sha256: live.chain_pem for live in lives if live is not None}
    eyes = _Eyes(judge, at)

    def verdict(chain_pem: str) -> dict[str, Any]:
        try:
            return eyes.verdict(read_certificates(chain_pem.encode()))
        except RotationError as error:
            return {"status": "unknown", "reasons": [error.code], "evidence": []}

    with beside(verdict, len(chains)) as judging_them:
        for chain_pem in chains.values():
            judging_them.give(chain_pem)
        verdicts = dict(zip(chains, judging_them.results(), strict=True))
    for rotation, live in zip(rotations, lives, strict=True):
        if live is not None:
            rotation["installed"]["verdict"] = verdicts[live.sha256]


def _served(rotation: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return rotation.get("served") or ()


def summary(rotations: Mapping[str, list[Rotation]]) -> dict[str, int]:
    """What was found, in numbers."""
    everything = [one for of_host in rotations.values() for one in of_host]
    judged = [one for one in active(everything) if one.get("verdict")]
    counts = {status: sum(1 for one in judged if one["verdict"]["status"] == status) for status in _WEIGHT}
    entries = [entry for one in everything for entry in _served(one)]
    return {
        "rotations": len(everything),
        "endpoints": len(entries),
        **counts,
        "unreachable": sum(1 for entry in entries if entry.get("error")),
        "failed": len(everything) - len(active(everything)),
    }
