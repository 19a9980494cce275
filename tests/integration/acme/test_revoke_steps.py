# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that revoke, with real host modules and Pebble: a key signs on its host, or the account does, loudly."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.action import certificate_revoke, key_signature
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificate,
    spki_sha256,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import AcmeClient, open_acme_client
from ansible_collections.certops.rotation.tests.support import pebble
from ansible_collections.certops.rotation.tests.support.acme_orders import ordered
from ansible_collections.certops.rotation.tests.support.action import run_action, run_host_action
from ansible_collections.certops.rotation.tests.support.host_module import HostModules
from ansible_collections.certops.rotation.tests.support.pki import Authority, key_pem, make_key
from ansible_collections.certops.rotation.tests.support.witness import Leak

pytestmark = pytest.mark.skipif(not pebble.IS_HERE, reason="pebble is not installed")
PLACE = {"address": "127.0.0.1", "port": 443, "server_name": "shop.example.org"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pebble.Pebble]:
    place = tmp_path_factory.mktemp("acme") / "pebble"
    with pebble.Pebble(place, nonce_reject=50, environment={"PEBBLE_VA_ALWAYS_VALID": "1"}) as running:
        yield running


@pytest.fixture
def client(server: pebble.Pebble) -> AcmeClient:
    return open_acme_client(server.issuer())


class Shop:
    """A host with the key of a certificate that Pebble issued, and the steps on it."""

    def __init__(self, server: pebble.Pebble, client: AcmeClient, folder: Path, kind: str = "ec") -> None:
        self.server, self.folder = server, folder
        self.modules = HostModules(folder / "certops")
        self.key = make_key(kind)
        self.chain = ordered(client, ["shop.example.org"], self.key)
        self.facts = certificate_facts(read_certificate(self.chain.encode()))
        self.key_path = folder / "shop.key"
        self.key_path.touch(0o600)
        self.key_path.write_text(key_pem(self.key))
        self.results: list[dict[str, Any]] = []

    @property
    def issuers(self) -> dict[str, Any]:
        return {"public": self.server.issuer()}

    def rotation(self, **more: Any) -> dict[str, Any]:
        """The certificate is replaced, its successor proven, its key compromised."""
        return {
            "host": "web1",
            "name": "shop",
            "issuer": "public",
            "paths": {"key": str(self.key_path)},
            "decision": {"action": "rotate", "revocation_reason": "keyCompromise", "compromised": True},
            "served": [{**PLACE, "serial": self.facts.serial}],
            "predecessor": {
                "serial": self.facts.serial,
                "spki_sha256": self.facts.spki_sha256,
                "version": None,
                "certificate_pem": self.chain,
                "chain_pem": self.chain,
            },
            "issued": {"serial": "0b"},
            "proof": {"serial": "0b", "checked": [PLACE]},
            **more,
        }

    def sign(self, rotation: dict[str, Any], **more: Any) -> dict[str, Any]:
        arguments = {"rotations": [rotation], "issuers": self.issuers, "keep_going": True, **more}
        self.results.append(run_host_action(key_signature.ActionModule, arguments, self.modules))
        [found] = self.results[-1]["rotations"]
        return dict(found)

    def revoke(self, rotation: dict[str, Any], **more: Any) -> dict[str, Any]:
        arguments = {"rotations": {"web1": [rotation]}, "issuers": self.issuers, **more}
        self.results.append(run_action(certificate_revoke.ActionModule, arguments))
        [found] = self.results[-1]["rotations"]["web1"]
        return dict(found)

    @property
    def status(self) -> tuple[str, int]:
        said = self.server.revocation(self.facts.serial)
        return said["Status"], said.get("Reason", 0)


@pytest.mark.parametrize("kind", ["ec", "ec-secp384r1", "ec-secp521r1", "rsa"])
def test_key_signs_on_its_host_and_stays_there(
    server: pebble.Pebble, client: AcmeClient, tmp_path: Path, kind: str
) -> None:
    shop, leak = Shop(server, client, tmp_path, kind), Leak()
    leak.learn(shop.key_path)
    signed = shop.sign(shop.rotation())
    assert signed["revocation"]["state"] == "revoked" and signed["revocation"]["by"] == "certificate_key"
    assert "unsigned" not in signed and signed["times"]["revoked"]
    assert shop.status == ("Revoked", 1)
    # The step that comes next has nothing left to do, and nothing to warn of.
    after = shop.revoke(signed)
    assert after["revocation"] == signed["revocation"] and "warnings" not in after
    assert not shop.results[-1]["changed"] and shop.results[0]["changed"]
    texts = [json.dumps(shop.results).encode(), *(output.encode() for output in shop.modules.outputs)]
    log = [path.read_bytes() for path in server.place.rglob("*") if path.is_file()]
    assert len(leak) > 20 and leak.found_in([*texts, *log]) == []


def test_without_proof_the_key_does_not_sign(server: pebble.Pebble, client: AcmeClient, tmp_path: Path) -> None:
    shop = Shop(server, client, tmp_path)
    signed = shop.sign(shop.rotation(proof=None))
    assert signed["unsigned"]["code"] == "proof_missing" and "revocation" not in signed
    assert shop.modules.outputs == [] and shop.status[0] == "Valid"
    assert shop.sign(shop.rotation(proof=None, issued=None), revoke_first=True)["revocation"]["by"] == "certificate_key"


@pytest.mark.parametrize("fault", ["gone", "another"])
def test_account_revokes_loudly_where_the_key_cannot(
    server: pebble.Pebble, client: AcmeClient, tmp_path: Path, fault: str
) -> None:
    shop = Shop(server, client, tmp_path)
    codes = {"gone": "key_missing", "another": "key_mismatch"}
    if fault == "another":
        shop.key_path.write_text(key_pem(make_key()))
    else:
        shop.key_path.unlink()
    signed = shop.sign(shop.rotation())
    assert signed["unsigned"]["code"] == codes[fault] and "error" not in signed
    assert shop.status[0] == "Valid"
    after = shop.revoke(signed)
    assert (after["revocation"]["state"], after["revocation"]["by"]) == ("revoked", "account")
    assert "not by its own compromised key" in after["warnings"][0] and "unsigned" not in after
    assert shop.status == ("Revoked", 1)


@pytest.mark.parametrize(
    "change",
    [
        {"decision": {"action": "rotate", "revocation_reason": "superseded", "compromised": False}},
        {"decision": {"action": "keep", "revocation_reason": "keyCompromise", "compromised": True}},
        {"error": {"step": "verify", "code": "not_served", "msg": "…"}},
        {"predecessor": None},
        {"revocation": {"state": "revoked"}},
    ],
)
def test_nothing_else_is_signed(
    server: pebble.Pebble, client: AcmeClient, tmp_path: Path, change: dict[str, Any]
) -> None:
    shop = Shop(server, client, tmp_path)
    rotation = shop.rotation(**change)
    assert shop.sign(rotation) == rotation
    assert shop.modules.outputs == [] and shop.status[0] == "Valid"


def test_check_mode_asks_nobody(server: pebble.Pebble, client: AcmeClient, tmp_path: Path) -> None:
    shop = Shop(server, client, tmp_path)
    arguments = {
        "rotations": [shop.rotation()],
        "issuers": {"public": {"type": "acme", "directory_url": "https://[::1]:1/"}},
    }
    result = run_host_action(key_signature.ActionModule, arguments, shop.modules, check_mode=True)
    assert result["rotations"] == [shop.rotation()] and shop.modules.outputs == []


def test_used_alone_it_is_the_module(server: pebble.Pebble, client: AcmeClient, tmp_path: Path) -> None:
    shop = Shop(server, client, tmp_path)
    arguments = {"path": str(shop.key_path), "algorithm": "ES256", "data_b64": base64.b64encode(b"x").decode()}
    assert run_host_action(key_signature.ActionModule, arguments, shop.modules)["signature_b64"]


# --- certificates on their own ---


def alone(shop: Shop, entry: dict[str, Any], **more: Any) -> dict[str, Any]:
    arguments = {"certificates": [entry], "issuers": shop.issuers, "revoke_first": True, **more}
    shop.results.append(run_action(certificate_revoke.ActionModule, arguments))
    return shop.results[-1]


def test_leaked_key_revokes_a_certificate_that_somebody_else_ordered(
    server: pebble.Pebble, client: AcmeClient, tmp_path: Path
) -> None:
    shop, leak = Shop(server, client, tmp_path), Leak()
    leak.learn(shop.key_path)
    strangers = {"public": server.issuer(state_dir=str(tmp_path / "state"), create_account=False)}
    entry = {"pem": shop.chain, "key_path": str(shop.key_path), "reason": "keyCompromise"}
    result = alone(shop, entry, issuers=strangers)
    [one] = result["revocations"]
    assert (one["state"], one["by"]) == ("revoked", "certificate_key") and shop.status == ("Revoked", 1)
    assert result["rotations"]["localhost"][0].get("warnings") is None
    again = alone(shop, entry, issuers=strangers)
    assert again["revocations"][0]["state"] == "already_revoked" and not again["changed"]
    assert leak.found_in([json.dumps(shop.results).encode()]) == []


def test_plan_has_the_host_that_holds_the_key_sign(server: pebble.Pebble, client: AcmeClient, tmp_path: Path) -> None:
    shop = Shop(server, client, tmp_path)
    own = {
        "key": {"path": str(shop.key_path), "spki_sha256": shop.facts.spki_sha256},
        "certificate": {"path": "/etc/ssl/shop.crt", "chain_pem": shop.chain},
    }
    installed: dict[str, Any] = {"live": None, "versions": [], "paths": own}
    seen = {"web1": [{"name": "shop", "issuer": "public", "installed": installed}]}
    arguments = {"keys": [spki_sha256(shop.key.public_key())], "reason": "keyCompromise", "seen": seen, "phase": "plan"}
    planned = run_action(certificate_revoke.ActionModule, {**arguments, "issuers": shop.issuers})
    assert planned["signing"] == ["web1"] and shop.status[0] == "Valid"
    [rotation] = planned["rotations"]["web1"]
    signed = shop.sign(rotation)
    assert signed["revocation"]["by"] == "certificate_key" and shop.status == ("Revoked", 1)


def test_compromise_by_the_account_is_loud(server: pebble.Pebble, client: AcmeClient, tmp_path: Path) -> None:
    shop = Shop(server, client, tmp_path)
    result = alone(shop, {"pem": shop.chain, "reason": "keyCompromise"})
    [rotation] = result["rotations"]["localhost"]
    assert rotation["revocation"]["by"] == "account" and "not asked to sign" in rotation["warnings"][0]
    again = alone(shop, {"pem": shop.chain, "reason": "keyCompromise"})
    assert "had been revoked before" in again["rotations"]["localhost"][0]["warnings"][0]


def test_reason_is_refused_before_the_ca_is_asked(server: pebble.Pebble, client: AcmeClient, tmp_path: Path) -> None:
    shop = Shop(server, client, tmp_path)
    result = alone(shop, {"pem": shop.chain, "reason": "privilegeWithdrawn"})
    assert result["code"] == "reason_not_accepted" and shop.status[0] == "Valid"
    wider = {"public": server.issuer(revocation_reasons=["privilegeWithdrawn"])}
    assert (
        alone(shop, {"pem": shop.chain, "reason": "privilegeWithdrawn"}, issuers=wider)["revocations"][0]["by"]
        == "account"
    )
    assert shop.status == ("Revoked", 9)


def test_certificate_of_a_foreign_ca_has_a_clear_error(
    server: pebble.Pebble, client: AcmeClient, tmp_path: Path
) -> None:
    shop, foreign = Shop(server, client, tmp_path), Authority.root("Somebody Else's Root").issue(["a.example.org"])
    result = alone(shop, {"pem": foreign.chain_pem, "reason": "superseded", "issuer": "public"})
    assert result["failed"] and "Somebody Else's Root" in result["msg"] and result["remedy"]


def test_predecessor_of_a_ca_that_nobody_configured_does_not_fail_the_rotation(
    server: pebble.Pebble, client: AcmeClient, tmp_path: Path
) -> None:
    """The first rotation away from another CA, or from another tool's account."""
    shop, foreign = Shop(server, client, tmp_path), Authority.root("Somebody Else's Root").issue(["shop.example.org"])
    facts = certificate_facts(foreign.certificate)
    routine = {"action": "rotate", "revocation_reason": "superseded", "compromised": False}
    replaced = {"serial": facts.serial, "spki_sha256": facts.spki_sha256, "certificate_pem": foreign.chain_pem}
    after = shop.revoke(shop.rotation(decision=routine, predecessor=replaced, served=[]))
    assert after["revocation"]["state"] == "skipped" and "error" not in after
    assert "Somebody Else's Root" in after["warnings"][0]
    strangers = {"public": server.issuer(state_dir=str(tmp_path / "state"))}
    other = shop.revoke(shop.rotation(decision=routine), issuers=strangers)
    assert other["revocation"]["state"] == "skipped" and "authorize" in other["warnings"][0]
