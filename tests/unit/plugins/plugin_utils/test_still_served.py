# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One certificate on many hosts: whoever still serves it keeps it from being revoked."""

from __future__ import annotations

from typing import Any

from ansible_collections.certops.rotation.plugins.plugin_utils.predecessor import Fate, fate, settle_withheld
from ansible_collections.certops.rotation.plugins.plugin_utils.still_served import withhold

OLD = {"serial": "0a", "spki_sha256": "aa"}


def rotation(host: str, *, proven: bool = True, serial: str = "0a") -> dict[str, Any]:
    place = {"address": f"{host}.example.org", "port": 443, "server_name": "shop.example.org"}
    served = {**place, "serial": serial, "spki_sha256": "aa"}
    proof = {"proof": {"serial": "0b", "checked": [place]}} if proven else {}
    decision = {"action": "rotate", "compromised": True, "revocation_reason": "keyCompromise"}
    return {"host": host, "served": [served], "predecessor": dict(OLD), "decision": decision, **proof}


def test_nothing_is_withheld_when_all_are_done() -> None:
    both = [rotation("web1"), rotation("web2")]
    withhold(both)
    assert [fate(one, wanted=True, first=False) for one in both] == [Fate.REVOKE, Fate.REVOKE]


def test_host_that_failed_holds_back_the_revocation_of_the_others() -> None:
    done, failed = rotation("web1"), rotation("web2", proven=False)
    withhold([done, failed])
    assert done["withheld"] == {"hosts": ["web2"]}
    assert fate(done, wanted=True, first=False) is Fate.WITHHELD
    assert fate(done, wanted=True, first=True) is Fate.REVOKE
    settle_withheld(done)
    assert (done["revocation"]["state"], done["revocation"]["waits_for"]) == ("waiting", ["web2"])
    # Nothing is final about it: the run that finishes revokes.
    withhold([done, rotation("web2")])
    assert fate(done, wanted=True, first=False) is Fate.REVOKE


def test_host_outside_of_the_run_counts_as_well() -> None:
    done = rotation("web1")
    withhold([done], [rotation("web9", proven=False)])
    assert done["withheld"] == {"hosts": ["web9"]}


def test_another_certificate_with_the_same_serial_number_does_not_count() -> None:
    done, other = rotation("web1"), rotation("web9", proven=False)
    other["served"][0]["spki_sha256"] = "bb"
    withhold([done], [other])
    assert "withheld" not in done


def test_proof_of_this_run_is_newer_than_what_was_seen() -> None:
    done = rotation("web1")
    withhold([done, rotation("web2")], [rotation("web2", proven=False)])
    assert "withheld" not in done


def test_wave_holds_back_whoever_serves_it() -> None:
    done = rotation("web1")
    withhold([done], hold=True)
    assert done["withheld"] == {"hosts": []}
    assert fate(done, wanted=True, first=False) is Fate.WITHHELD
