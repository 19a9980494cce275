# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Detect: all handshakes of the fleet at once, then one verdict for each certificate that was seen."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from ansible.utils.display import Display
from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Judging
from ansible_collections.certops.rotation.plugins.module_utils._ansible.result import to_result
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificates
from ansible_collections.certops.rotation.plugins.module_utils._core.declaration import probe, rotations_from_request
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_facts import live_pair, served_pairs
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import Handshake, handshakes
from ansible_collections.certops.rotation.plugins.modules.fleet_status import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.fewer_collections import fewer_collections
from ansible_collections.certops.rotation.plugins.plugin_utils.handshaking import Place, places, served_entry
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
        with fewer_collections():
            return self._looked_at(rotations)

    def _looked_at(self, rotations: dict[str, list[Rotation]]) -> dict[str, Any]:
        at, only_new = self.now(), self.options["only_new"]
        new = [one for one in self.active(rotations) if not only_new or one.get("served") is None]
        if new or not only_new:
            judge = judging(self.step, self.options)
            self._look(new, rotations, judge, at)
            _judge(new, judge, at)
            add_renewal_hints(new, self.options["issuers"], at)
        for rotation in new:
            self.stamp(rotation, "detected", at)
        waiting = [one for one in self.active(rotations) if _is_another_installed(one)] if only_new else []
        if waiting:
            _judge_installed(waiting, judging(self.step, self.options), at)
        return {"summary": summary(rotations)}

    def _declared(self, host: str, request: Mapping[str, Any]) -> list[Rotation]:
        declared = rotations_from_request(host, request)
        return declared or ([probe(host, request)] if self.options["probe"] else [])

    def _look(
        self, new: Sequence[Rotation], rotations: Mapping[str, list[Rotation]], judge: Judging, at: datetime
    ) -> None:
        """Fill ``served`` of all new rotations."""
        asked: list[tuple[Rotation, Place]] = []
        for rotation in new:
            rotation["served"] = []
            asked.extend((rotation, place) for place in places(rotation, rotations[rotation["host"]]))
        # Two rotations may look at one place; it is asked once.
        distinct = list(dict.fromkeys(place.endpoint for _rotation, place in asked))
        results = handshakes(
            distinct,
            timeout=self.options["timeout"],
            concurrency=self.options["concurrency"],
            per_second=self.options["rate_limit"],
            progress=_Progress(len(distinct)),
        )
        seen: dict[Any, Handshake] = dict(zip(distinct, results, strict=True))
        for rotation, place in asked:
            rotation["served"].append(served_entry(place, seen[place.endpoint], judge, at))
            rotation.setdefault("_staples", {}).setdefault(
                rotation["served"][-1].get("sha256"), seen[place.endpoint].staple
            )


class _Progress:
    """A line now and then, while a look at many places goes on."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._told = time.monotonic()

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now - self._told >= _SECONDS_BETWEEN_LINES:
            self._told = now
            display.display(f"fleet_status: {done} of {self._places} places asked")


def _judge(new: Sequence[Rotation], judge: Judging, at: datetime) -> None:
    """One verdict for each certificate that is served, whoever serves it; each rotation gets the worst of its own."""
    chains: dict[str, tuple[str, bytes | None]] = {}
    for rotation in new:
        staples = rotation.pop("_staples", {})
        for entry in rotation["served"]:
            if entry.get("sha256"):
                chains.setdefault(entry["sha256"], (entry["chain_pem"], staples.get(entry["sha256"])))
    verdicts = _verdicts(chains, judge, at)
    for rotation in new:
        found = []
        for entry in rotation["served"]:
            if entry.get("sha256"):
                verdict = {"serial": entry["serial"], **verdicts[entry["sha256"]]}
                entry["status"] = verdict["status"]
                found.append(verdict)
        unseen = {"status": "unknown", "reasons": ["unreachable"], "evidence": []}
        rotation["verdict"] = min(found, key=lambda verdict: _WEIGHT[verdict["status"]], default=unseen)


def _is_another_installed(rotation: Mapping[str, Any]) -> bool:
    live = live_pair(rotation)
    return live is not None and any(pair.sha256 != live.sha256 for pair in served_pairs(rotation))


def _judge_installed(rotations: Sequence[Rotation], judge: Judging, at: datetime) -> None:
    """Where another certificate is served than is installed, it matters whether the installed one may be served."""
    lives = [live_pair(rotation) for rotation in rotations]
    chains = {live.sha256: (live.chain_pem, None) for live in lives if live is not None}
    verdicts = _verdicts(chains, judge, at)
    for rotation, live in zip(rotations, lives, strict=True):
        if live is not None:
            rotation["installed"]["verdict"] = verdicts[live.sha256]


def _verdicts(
    chains: Mapping[str, tuple[str, bytes | None]], judge: Judging, at: datetime
) -> dict[str, dict[str, Any]]:
    known: dict[x509.Certificate, x509.Certificate] = {}

    def verdict(chain_pem: str, staple: bytes | None) -> dict[str, Any]:
        try:
            leaf, *issuers = read_certificates(chain_pem.encode())
            # A thousand chains name a few issuers, and what is decoded of those stays in memory.
            chain = [leaf, *(known.setdefault(issuer, issuer) for issuer in issuers)]
        except RotationError as error:
            return {"status": "unknown", "reasons": [error.code], "evidence": []}
        result: dict[str, Any] = to_result(judge.verdict(chain, at=at, staple=staple))
        return result

    if not chains:
        return {}
    # Judging waits for CRLs and responders, not for the processor.
    with ThreadPoolExecutor(max_workers=min(16, len(chains))) as pool:
        found = pool.map(lambda given: verdict(*given), chains.values())
        return dict(zip(chains, found, strict=True))


def summary(rotations: Mapping[str, list[Rotation]]) -> dict[str, int]:
    """What was found, in numbers."""
    everything = [one for of_host in rotations.values() for one in of_host]
    judged = [one for one in active(everything) if one.get("verdict")]
    counts = {status: sum(1 for one in judged if one["verdict"]["status"] == status) for status in _WEIGHT}
    entries = [entry for one in everything for entry in one.get("served") or ()]
    return {
        "rotations": len(everything),
        "endpoints": len(entries),
        **counts,
        "unreachable": sum(1 for entry in entries if entry.get("error")),
        "failed": len(everything) - len(active(everything)),
    }
