# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an emergency can be about, other than a key: certificates, serial numbers, a CA, everything."""

from __future__ import annotations

import pytest
from ansible_collections.certops.rotation.tests.support.local_fleet import LocalFleet
from ansible_collections.certops.rotation.tests.support.local_world import must
from ansible_collections.certops.rotation.tests.support.pki import Authority, key_pem

HOSTS = ["web1", "web2"]


@pytest.mark.parametrize("what", ["certificate", "serial"])
def test_certificate_or_its_serial_number_means_its_key(fleet: LocalFleet, what: str) -> None:
    fleet.start([*HOSTS, "web3"], same_key=HOSTS)
    before = {host: fleet.served_by(host) for host in ("web1", "web2", "web3")}
    given = {
        "certificate": {"emergency_certificate_paths": [str(fleet.pairs / "web1.crt")]},
        "serial": {"emergency_serials": [before["web1"].serial.upper()]},
    }
    must(fleet.emergency(given[what]))
    # The other certificate of that key has to go as well.
    assert [fleet.served_by(host).serial == before[host].serial for host in before] == [False, False, True]


def test_all_certificates_of_a_ca(fleet: LocalFleet) -> None:
    """A host with a certificate of another CA is left alone; a second run does not rotate what the first has."""
    fleet.start([*HOSTS, "web3"])
    other = Authority.root("Another CA").issue(["shop.example.org"])
    (fleet.pairs / "web3.crt").write_text(other.chain_pem)
    fleet.key_of("web3").write_text(key_pem(other.key))
    fleet.fleet["web3"].stop()
    fleet.fleet["web3"].start()
    before = {host: fleet.served_by(host) for host in [*HOSTS, "web3"]}
    values = {"emergency_authorities": ["internal"], "emergency_incident": "ca-drill-1"}
    unnamed = fleet.emergency({"emergency_authorities": ["internal"]})
    assert unnamed.returncode != 0 and "incident_unnamed" in unnamed.output
    must(fleet.emergency(values))
    after = {host: fleet.served_by(host) for host in before}
    assert [after[host].serial == before[host].serial for host in before] == [False, False, True]
    assert {entry["revocation"]["reason"] for entry in fleet.entries().values()} == {"superseded"}
    assert not (fleet.place / "deny_list").exists()
    must(fleet.emergency(values))
    assert {host: fleet.served_by(host) for host in before} == after


def test_everything_once(fleet: LocalFleet) -> None:
    fleet.start(HOSTS)
    before = {fleet.served_by(host).serial for host in HOSTS}
    values = {"emergency_everything": True, "emergency_incident": "heartbleed", "emergency_reason": "keyCompromise"}
    must(fleet.emergency(values))
    after = {fleet.served_by(host).serial for host in HOSTS}
    assert not before & after
    must(fleet.emergency(values))
    assert {fleet.served_by(host).serial for host in HOSTS} == after


def test_nothing_is_said_about_what_it_is(fleet: LocalFleet) -> None:
    fleet.start(HOSTS[:1])
    run = fleet.emergency({})
    assert run.returncode != 0 and "emergency_about_nothing" in run.output


def test_certificate_of_the_ca_that_is_given_up_is_ordered_elsewhere(fleet: LocalFleet) -> None:
    fleet.start(HOSTS[:1])
    fleet.add_ca("second")
    before = fleet.served_by("web1")
    must(
        fleet.emergency(
            {
                "emergency_authorities": ["internal"],
                "emergency_incident": "ca-lost",
                "emergency_issuer_instead": {"internal": "second"},
            }
        )
    )
    assert fleet.served_by("web1").aki != before.aki
