# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be true of a certificate on the host, at any moment and after a rotation has come to its end."""

from __future__ import annotations

from ansible_collections.certops.rotation.tests.support.host_world import spki_of, spki_of_key
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, Served
from ansible_collections.certops.rotation.tests.support.witness import private_keys_below
from cryptography import x509


def assert_whole(world: LocalWorld, name: str, *, may_be: Served) -> None:
    """At the vhost's paths is a pair that belongs together, and clients get ``may_be`` or what is installed."""
    certificate, key = world.pairs / f"{name}.crt", world.pairs / f"{name}.key"
    spki = spki_of(x509.load_pem_x509_certificate(certificate.read_bytes()))
    assert spki == spki_of_key(key)
    served = world.served(f"{name}.example.org")
    assert served.spki_sha256 in (spki, may_be.spki_sha256)


def assert_untouched(world: LocalWorld, name: str, old: Served) -> None:
    """The old pair is served, whole, and not revoked by us; its key is there."""
    assert_whole(world, name, may_be=old)
    assert world.served(f"{name}.example.org").serial == old.serial
    assert old.spki_sha256 in private_keys_below(world.place).values()


def assert_finished(world: LocalWorld, name: str, old: Served, *, orders: int = 1) -> None:
    """A new pair is served and recorded as done with, the old one revoked and its key gone, with one order."""
    new = world.served(f"{name}.example.org")
    assert_whole(world, name, may_be=new)
    assert new.serial != old.serial
    assert new.spki_sha256 != old.spki_sha256
    certificates = {serial: reason for _name, serial, reason in world.ca_certificates()}
    assert certificates[old.serial] is not None
    assert certificates[new.serial] is None
    assert len(certificates) == 1 + orders
    assert set(private_keys_below(world.root).values()) == {new.spki_sha256}
    assert old.spki_sha256 not in private_keys_below(world.pairs).values()
    fates = [
        line.split()[2] for line in (world.root / name / "keys.log").read_text().splitlines() if old.spki_sha256 in line
    ]
    assert fates[-1].startswith("revoked:")
