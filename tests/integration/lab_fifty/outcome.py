# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts that have the key, and what must hold when an emergency has come to its end."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.certops.rotation.tests.support.lab_fleet import ISSUERS, LabFleet, Shown
from ansible_collections.certops.rotation.tests.support.witness import crl_says

HOSTS = [f"web{number:02}" for number in range(1, 51)]
SHOP, API, OTHERS = HOSTS[:15], HOSTS[15:30], HOSTS[30:]
HAVING_IT = [*SHOP, *API]
CERTIFICATES = {"shop": SHOP, "api": API, **{host: [host] for host in OTHERS}}
LEAKED = ("shop", "api")

TIMES = {"detected", "decided", "issued", "validated", "installed", "served", "revoked", "visible", "retired"}


def entries(report: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By host, what the report says of its certificate."""
    found = {entry["host"]: entry for entry in report["rotations"]}
    assert len(found) == len(report["rotations"])
    return found


def only(hosts: Collection[str], before: Mapping[str, Shown]) -> dict[str, Shown]:
    return {host: before[host] for host in hosts}


def assert_replaced(fleet: LabFleet, hosts: Collection[str], before: Mapping[str, Shown]) -> None:
    """Each of these hosts has a key and a certificate of its own, and serves them; the old key is gone."""
    now, on_disk = fleet.shown(hosts), fleet.keys_on(hosts)
    keys = [now[host].spki_sha256 for host in hosts]
    assert len(set(keys)) == len(keys)
    for host in hosts:
        assert now[host].serial != before[host].serial and now[host].spki_sha256 != before[host].spki_sha256, host
        assert on_disk[host] == {now[host].spki_sha256}, host


def assert_reported(
    fleet: LabFleet, report: Mapping[str, Any], before: Mapping[str, Shown], *, away: Collection[str] = ()
) -> None:
    """The report says of all these hosts: replaced, verified, the old serial revoked and visible; and so it is.

    :param away: hosts that served nothing when the certificate that they had was revoked because of others.
    """
    told, now = entries(report), fleet.shown(before)
    served: dict[str, list[str]] = {}
    revoked: dict[str, list[str]] = {}
    for host, old in before.items():
        entry, times = told[host], _times(told[host])
        assert not entry.get("error"), (host, entry["error"])
        assert (entry["before"]["serial"], entry["after"]["serial"]) == (old.serial, now[host].serial), host
        assert entry["proof"]["serial"] == now[host].serial and entry["proof"]["checked"], host
        assert set(times) >= TIMES, (host, times)
        assert (entry["revocation"]["serial"], entry["revocation"]["state"]) == (old.serial, "visible"), host
        if host not in away:
            served.setdefault(old.serial, []).append(times["served"])
            revoked.setdefault(old.serial, []).append(times["revoked"])
    for serial in served:
        assert is_revoked(fleet, serial), serial
        # New proven before old revoked, on whichever host that certificate was.
        assert max(served[serial]) <= min(revoked[serial])


def _times(entry: Mapping[str, Any]) -> dict[str, str]:
    """Of what was revoked before it was the host's turn, its CA tells the moment."""
    return {"revoked": entry["revocation"].get("at"), **entry["times"]}


def is_revoked(fleet: LabFleet, serial: str) -> bool:
    """For keyCompromise, by the books of its CA and by the CRL that it publishes."""
    said = {crl_says(fleet.published / name / "intermediate.crl", serial) for name in ISSUERS}
    revoked = fleet.revoked().get(serial) == "keyCompromise"
    assert ("Key Compromise" in said) == revoked, (serial, said)
    return revoked
