# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A compromised key that Pebble certified revokes its own certificate in a rotation on nginx, and never travels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificate,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import open_acme_client
from ansible_collections.certops.rotation.tests.support import pebble
from ansible_collections.certops.rotation.tests.support.acme_orders import ordered
from ansible_collections.certops.rotation.tests.support.client import Sampler
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, must
from ansible_collections.certops.rotation.tests.support.nginx import Vhost
from ansible_collections.certops.rotation.tests.support.pki import key_pem, make_key
from ansible_collections.certops.rotation.tests.support.witness import Leak

pytestmark = pytest.mark.skipif(not pebble.IS_HERE, reason="pebble is not installed")
NAME = "shop.example.org"


class PublicShop(LocalWorld):
    """nginx serves what Pebble issued for a key made by hand; the successor comes from the internal CA."""

    def begin(self, server: pebble.Pebble) -> None:
        self.server = server
        self.issuers["public"] = server.issuer()
        key = make_key()
        chain = ordered(open_acme_client(server.issuer()), [NAME], key)
        self.facts = certificate_facts(read_certificate(chain.encode()))
        self.key_path, chain_path = self.pairs / "shop.key", self.pairs / "shop.crt"
        self.key_path.touch(0o600)
        self.key_path.write_text(key_pem(key))
        chain_path.write_text(chain)
        vhost = Vhost([NAME], chain_path, self.key_path, self.snippet("shop"))
        self.start_nginx([vhost])
        self.declare("shop", vhost)
        self.variables["rotate_deny_list"] = [self.facts.spki_sha256]

    @property
    def status_at_the_ca(self) -> tuple[str, int]:
        said = self.server.revocation(self.facts.serial)
        return said["Status"], said.get("Reason", 0)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pebble.Pebble]:
    place = tmp_path_factory.mktemp("acme") / "pebble"
    with pebble.Pebble(place, nonce_reject=20, environment={"PEBBLE_VA_ALWAYS_VALID": "1"}) as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, server: pebble.Pebble) -> Iterator[PublicShop]:
    with PublicShop(tmp_path / "world") as world:
        world.make_ca()
        world.begin(server)
        yield world


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("pipelining", ["0", "1"])
def test_compromised_key_signs_on_its_host_and_never_leaves_it(shop: PublicShop, pipelining: str, first: bool) -> None:
    shop.variables["rotate_revoke_first"] = first
    leak, temporary, log = Leak(), shop.place / "tmp", shop.place / "ansible.log"
    leak.learn(shop.key_path)
    temporary.mkdir()
    with Sampler(temporary, processes=True) as sampled:
        run = shop.rotate(
            "-vvv",
            "--diff",
            ANSIBLE_PIPELINING=pipelining,
            ANSIBLE_LOG_PATH=str(log),
            ANSIBLE_LOCAL_TEMP=str(temporary / "local"),
            ANSIBLE_REMOTE_TEMP=str(temporary / "remote"),
            TMPDIR=str(temporary),
        )
    must(run)
    assert shop.status_at_the_ca == ("Revoked", 1)
    rotation = shop.rotation("shop")
    revocation = rotation["revocation"]
    assert (revocation["by"], revocation["reason"]) == ("certificate_key", "keyCompromise")
    assert rotation["retirement"]["destroyed"] == [shop.facts.spki_sha256]
    earlier, later = ("revoked", "served") if first else ("served", "revoked")
    assert rotation["times"][earlier] <= rotation["times"][later]
    assert shop.served(NAME).spki_sha256 != shop.facts.spki_sha256
    assert len(leak) > 20 and not any("not by its own" in text for text in rotation["warnings"])
    assert leak.found_in([run.output.encode(), log.read_bytes(), *sampled.texts]) == []
    left = [path for path in [*shop.place.rglob("*"), *shop.server.place.rglob("*")] if path.is_file()]
    assert leak.found_in(path.read_bytes() for path in left) == []


def test_check_mode_revokes_nothing(shop: PublicShop) -> None:
    must(shop.rotate("--check"))
    assert shop.status_at_the_ca[0] == "Valid"


def test_leaked_key_is_revoked_by_the_playbook_through_its_host(shop: PublicShop) -> None:
    shop.inventory()
    variables: dict[str, Any] = {"revoke_keys": [shop.facts.spki_sha256], "revoke_reason": "keyCompromise"}

    def revoke(*arguments: str, **more: Any) -> Any:
        return shop.play("certops.rotation.revoke", *arguments, "-e", json.dumps({**variables, **more}))

    refused = revoke()
    assert refused.returncode != 0 and "still served at web1" in refused.output
    must(revoke("--check", revoke_first=True))
    assert shop.status_at_the_ca[0] == "Valid"
    done = must(revoke(revoke_first=True))
    assert "by certificate key" in done.output and shop.status_at_the_ca == ("Revoked", 1)
    assert "names neither CRL nor OCSP" in done.output
