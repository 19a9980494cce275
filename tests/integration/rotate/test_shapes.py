# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host may look like: several certificates, RSA beside ECDSA, shared by several blocks, declared or found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.client import Sampler
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, Served, must
from ansible_collections.certops.rotation.tests.support.nginx import Vhost
from ansible_collections.certops.rotation.tests.support.pki import pem
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

ECDSA, RSA = {"type": "ecdsa", "curve": "secp256r1"}, {"type": "rsa", "size": 2048}


class Host(LocalWorld):
    """A vhost with two pairs, one pair in two vhosts, and one with our snippet."""

    before: dict[str, Served]
    run: playbook.Run
    texts: set[bytes]

    def open(self, *, declared: bool) -> None:
        second = self.first_certificate("dual-rsa", ["dual.example.org"], key="rsa")
        both = f"ssl_certificate {second.certificate}; ssl_certificate_key {second.key};"
        dual = self.first_certificate("dual-ecc", ["dual.example.org"], extra=both + self.snippet("dual-ecc"))
        shared = self.first_certificate("shared", ["a.example.org", "b.example.org"])
        shared.names = ["a.example.org"]
        other = Vhost(["b.example.org"], shared.certificate, shared.key)
        plain = self.first_certificate("plain", ["plain.example.org"], extra=self.snippet("plain"))
        self.start_nginx([dual, shared, other, plain])
        if declared:
            self.declare("dual-ecc", dual, key=ECDSA)
            paths = {"certificate": str(second.certificate), "key": str(second.key)}
            self.declare("dual-rsa", dual, key=RSA, paths=paths, companion_of="dual-ecc")
            listeners = [{"address": "127.0.0.1", "port": vhost.port} for vhost in (shared, other)]
            names = ["a.example.org", "b.example.org"]
            self.declare("shared", shared, server_names=names, listeners=listeners, stapling="off")
            self.declare("plain", plain)
        for name in ("dual-ecc", "dual-rsa", "shared", "plain"):
            self.revoke(name)

    def everywhere(self) -> dict[str, Served]:
        return {
            "ec": self.served("dual.example.org", key_type="ec"),
            "rsa": self.served("dual.example.org", key_type="rsa"),
            "a": self.served("a.example.org"),
            "b": self.served("b.example.org"),
            "plain": self.served("plain.example.org"),
        }


@pytest.fixture(scope="module", params=["declared", "found"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Host(tmp_path_factory.mktemp(request.param) / "world") as world:
        world.make_ca()
        world.open(declared=request.param == "declared")
        world.before = world.everywhere()
        with Sampler(world.pairs) as watched:
            world.run = world.rotate()
        world.texts = watched.texts
        yield world


def test_all_are_rotated_each_under_a_key_of_its_own(host: Host) -> None:
    must(host.run)
    after = host.everywhere()
    assert len({one.spki_sha256 for one in after.values()}) == 4
    assert not {one.serial for one in after.values()} & {one.serial for one in host.before.values()}
    assert all(host.status(chain_of(one)) == "good" for one in after.values())
    assert all(reason == "keyCompromise" for _name, _serial, reason in host.ca_certificates()[:4])
    assert len(host.ca_certificates()) == 8


def test_rsa_stays_rsa_and_ecdsa_stays_ecdsa(host: Host) -> None:
    ec, rsa = (host.served("dual.example.org", key_type=kind) for kind in ("ec", "rsa"))
    assert ec.serial != rsa.serial
    assert isinstance(ec.chain[0].public_key(), EllipticCurvePublicKey)
    assert isinstance(rsa.chain[0].public_key(), RSAPublicKey)
    assert (ec.staple, rsa.staple) == ("good", "good")


def test_one_certificate_in_two_blocks_is_one_rotation(host: Host) -> None:
    assert host.served("a.example.org").serial == host.served("b.example.org").serial
    [entry] = [one for one in host.report()["rotations"] if "a.example.org" in one["server_names"]]
    assert len({(one["port"], one["server_name"]) for one in entry["proof"]["checked"]}) >= 2


def test_paths_of_the_vhosts_are_links_and_never_held_half_a_file(host: Host) -> None:
    for path in sorted(host.pairs.iterdir()):
        assert path.is_symlink()
        assert path.resolve().is_relative_to(host.root)
    certificates = {text for text in host.texts if text.startswith(b"-----BEGIN CERT")}
    assert len(certificates) == 8  # four old ones, four new ones, and nothing in between


def test_second_run_changes_nothing(host: Host) -> None:
    assert must(host.rotate()).changed == {"web1": 0}


def chain_of(served: Served) -> str:
    return "".join(map(pem, served.chain))
