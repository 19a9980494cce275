# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A leaked key that a public CA certified signs its own revocations, on hosts that have it, when all are replaced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificate,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import open_acme_client
from ansible_collections.certops.rotation.tests.support import pebble
from ansible_collections.certops.rotation.tests.support.acme_orders import ordered
from ansible_collections.certops.rotation.tests.support.local_fleet import SERVER_NAME, LocalFleet
from ansible_collections.certops.rotation.tests.support.local_world import must
from ansible_collections.certops.rotation.tests.support.pki import key_pem, make_key
from ansible_collections.certops.rotation.tests.support.witness import Leak

pytestmark = pytest.mark.skipif(not pebble.IS_HERE, reason="pebble is not installed")
HOSTS = ["web1", "web2"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[pebble.Pebble]:
    environment = {"PEBBLE_VA_ALWAYS_VALID": "1"}
    with pebble.Pebble(tmp_path / "pebble", nonce_reject=20, environment=environment) as running:
        yield running


def test_leaked_key_revokes_all_its_certificates_and_never_travels(fleet: LocalFleet, server: pebble.Pebble) -> None:
    fleet.start(HOSTS)
    key = make_key()
    serials = []
    for host in HOSTS:
        chain = ordered(open_acme_client(server.issuer()), [SERVER_NAME], key)
        serials.append(certificate_facts(read_certificate(chain.encode())).serial)
        (fleet.pairs / f"{host}.crt").write_text(chain)
        fleet.key_of(host).write_text(key_pem(key))
        fleet.fleet[host].stop()
        fleet.fleet[host].start()
    fleet.issuers["public"] = server.issuer()
    # Pebble publishes neither CRL nor OCSP.
    fleet.variables["rotate_visible_deadline"] = 0
    leak = Leak()
    leak.learn(fleet.key_of("web1"))
    run = must(fleet.emergency({"emergency_spki_sha256": [fleet.served_by("web1").spki_sha256]}, "-vvv"))
    assert [server.revocation(serial)["Reason"] for serial in serials] == [1, 1]
    assert {entry["revocation"]["by"] for entry in fleet.entries().values()} <= {"certificate_key", None}
    assert "certificate_key" in {entry["revocation"]["by"] for entry in fleet.entries().values()}
    assert not any(fleet.served_by(host).serial in serials for host in HOSTS)
    assert leak.found_in([run.output.encode()]) == []
