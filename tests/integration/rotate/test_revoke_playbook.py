# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `revoke`, with the internal CA and a real nginx: by serial, by file, by key; refused while served."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificate,
)
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, must
from ansible_collections.certops.rotation.tests.support.playbook import Run


def revoke(world: LocalWorld, *arguments: str, **variables: Any) -> Run:
    world.inventory()
    return world.play("certops.rotation.revoke", *arguments, "-e", json.dumps(variables))


@pytest.fixture
def forgotten(shop: LocalWorld) -> Any:
    """A certificate of the CA that nobody serves."""
    vhost = shop.first_certificate("forgotten", ["forgotten.example.org"])
    return certificate_facts(read_certificate(vhost.certificate.read_bytes()))


def reasons(world: LocalWorld) -> dict[str, str | None]:
    return {name: reason for name, _serial, reason in world.ca_certificates()}


@pytest.mark.parametrize("what", ["revoke_serials", "revoke_files", "revoke_keys"])
def test_what_nobody_serves_is_revoked_and_seen(shop: LocalWorld, forgotten: Any, what: str) -> None:
    named = {
        "revoke_serials": forgotten.serial,
        "revoke_files": str(shop.pairs / "forgotten.crt"),
        "revoke_keys": forgotten.spki_sha256,
    }
    variables = {what: [named[what]], "revoke_reason": "cessationOfOperation"}
    planned = must(revoke(shop, "--check", **variables))
    assert f"{forgotten.serial} planned (cessationOfOperation)" in planned.output
    assert reasons(shop) == {"shop": None, "forgotten": None}
    done = must(revoke(shop, **variables))
    assert f"{forgotten.serial} visible at" in done.output
    assert reasons(shop) == {"shop": None, "forgotten": "cessationOfOperation"}
    again = must(revoke(shop, **variables))
    assert f"{forgotten.serial} visible at" in again.output and again.changed == {"web1": 0}


def test_what_is_served_is_refused_unless_first(shop: LocalWorld) -> None:
    serial = shop.served("shop.example.org").serial
    refused = revoke(shop, revoke_serials=[serial], revoke_reason="superseded")
    assert refused.returncode != 0 and "still served at web1" in refused.output
    assert reasons(shop) == {"shop": None}
    must(revoke(shop, revoke_serials=[serial], revoke_reason="superseded", revoke_first=True))
    assert reasons(shop) == {"shop": "superseded"}


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"revoke_serials": ["0a0b"], "revoke_reason": "superseded"}, "no certificate with the serial 0a0b"),
        ({"revoke_serials": ["0a0b"], "revoke_reason": "boredom"}, "revoke_reason"),
        ({"revoke_serials": ["0a0b"]}, "revoke_reason"),
    ],
)
def test_what_cannot_be_done_is_said(shop: LocalWorld, variables: dict[str, Any], said: str) -> None:
    refused = revoke(shop, **variables)
    assert refused.returncode != 0 and said in refused.output
