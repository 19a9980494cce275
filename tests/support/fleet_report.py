# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of an incident in a fleet of any size, as rotations of real runs make it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.evidence import Incident, Run, make_report
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text

BEGAN = datetime(2026, 11, 21, 1, 0, tzinfo=timezone.utc)
LEAKED = "5e" * 32
ERRORS = (
    ("install", "config_test_failed", "nginx: [emerg] unknown directive", "Correct the configuration, then run again."),
    ("host", "host_unreachable", "No route to host", "Bring the host back and run the same playbook again."),
)
_HOSTS_OF_A_WAVE = 400


def fleet_report(hosts: int, *, seed: int = 7) -> dict[str, Any]:
    """Three of five hosts had the leaked key; one in a hundred fails, one in a hundred has a silent listener."""
    subject = {"kind": "key", "spki_sha256": [LEAKED], "serials": [], "reason": "keyCompromise", "drill": False}
    incident = Incident("leaked-key", subject, as_text(BEGAN))
    return make_report(
        fleet_rotations(hosts, seed=seed), Run("20261121T023000Z-4f1a2b", as_text(after(5400))), incident
    )


def fleet_rotations(hosts: int, *, seed: int = 7) -> dict[str, list[dict[str, Any]]]:
    dice = random.Random(seed)
    return {f"web{number:05}": [rotation(number, dice)] for number in range(hosts)}


def after(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def rotation(number: int, dice: random.Random) -> dict[str, Any]:
    host, serial, new = f"web{number:05}", f"{dice.getrandbits(120):030x}", f"{dice.getrandbits(120):030x}"
    place = {"address": f"192.0.2.{number % 250}", "port": 443, "server_name": f"shop{number}.example.org"}
    is_affected = number % 5 < 3
    served = {
        **place,
        "serial": serial,
        "spki_sha256": LEAKED if is_affected else f"{dice.getrandbits(256):064x}",
        "sha256": f"{number:064x}",
        "not_after": as_text(after(86400 * 60)),
    }
    made: dict[str, Any] = {
        "host": host,
        "name": "shop",
        "server_names": [place["server_name"]],
        "issuer": "internal",
        "served": [served],
        "verdict": verdict(),
        "times": {"detected": as_text(after(40 + number % 20)), "decided": as_text(after(61))},
        "seconds": {"detect": 0.412, "decide": 0.003},
        "decision": {"action": "keep", "reasons": [{"code": "not_affected", "text": "it is not affected"}]},
    }
    if number % 100 == 7:
        made["served"].append({**place, "port": 8443, "error": {"code": "connection_refused", "msg": "refused"}})
    return _replaced(made, number, serial, new, place) if is_affected else made


def _replaced(made: dict[str, Any], number: int, serial: str, new: str, place: dict[str, Any]) -> dict[str, Any]:
    begin = 90 + 240 * (number // _HOSTS_OF_A_WAVE) + number % 60
    reasons = [{"code": "affected", "text": f"its key {LEAKED[:16]}… is one of those that have to go"}]
    made.update(
        wave=str(1 + number // _HOSTS_OF_A_WAVE),
        decision={"action": "rotate", "reasons": reasons, "compromised": True, "revocation_reason": "keyCompromise"},
        predecessor={"serial": serial, "spki_sha256": LEAKED, "version": None},
        issued={"serial": new, "spki_sha256": f"{number:064x}", "issuer": "internal", "issuer_name": "CN=Example CA"},
    )
    made["times"].update(issued=as_text(after(begin)), validated=as_text(after(begin + 1)))
    if number % 100 == 50:
        step, code, msg, remedy = ERRORS[number // 100 % 2]
        made["error"] = {"step": step, "code": code, "msg": msg, "remedy": remedy, "facts": {}}
        return made
    verbs = ("installed", "served", "revoked", "visible", "retired")
    made["times"].update({verb: as_text(after(begin + 10 * nth)) for nth, verb in enumerate(verbs, 1)})
    made["proof"] = {"serial": new, "checked": [{**place, "staple": "good", "at": made["times"]["served"]}]}
    made["revocation"] = {
        "serial": serial,
        "reason": "keyCompromise",
        "state": "visible",
        "at": made["times"]["revoked"],
        "by": "certificate_key",
        "seen_in": [{"kind": "crl", "url": "http://ca.example.org/1.crl", "at": made["times"]["visible"]}],
    }
    made["retirement"] = {"destroyed": [LEAKED], "at": made["times"]["retired"]}
    return made


def verdict() -> dict[str, Any]:
    evidence = {
        "source": {"kind": "crl", "url": "http://ca.example.org/1.crl", "method": "GET"},
        "status": "good",
        "this_update": as_text(BEGAN),
        "next_update": as_text(after(86400)),
        "sha256": "c0" * 32,
    }
    return {"status": "good", "reasons": [], "evidence": [evidence], "decided_at": as_text(after(50))}
