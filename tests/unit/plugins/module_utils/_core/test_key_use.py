# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a key is used, told from rotations alone."""

from __future__ import annotations

from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts
from ansible_collections.certops.rotation.plugins.module_utils._core.key_use import Holding, Sighting, key_use
from ansible_collections.certops.rotation.tests.support.pki import Authority, Issued, make_key

ROOT = Authority.root()
ISSUING = ROOT.intermediate()
KEY = make_key()
SHOP = ISSUING.issue(["shop.example.org"], key=KEY)
SAME_KEY = ISSUING.issue(["www.example.org"], key=KEY)
OTHER = ISSUING.issue(["other.example.org"])
SPKI = certificate_facts(SHOP.certificate).spki_sha256


def serial(issued: Issued) -> str:
    return certificate_facts(issued.certificate).serial


def served(issued: Issued, port: int = 443) -> dict[str, Any]:
    return {"address": "192.0.2.7", "port": port, "server_name": "shop.example.org", "chain_pem": issued.chain_pem}


def rotation(name: str = "shop", **more: Any) -> dict[str, Any]:
    return {"name": name, "issuer": "internal", **more}


def version(spki: str = SPKI, issued: Issued | None = None, **more: Any) -> dict[str, Any]:
    chain = issued.chain_pem if issued else None
    return {"version": "v1", "has_key": True, "spki_sha256": spki, "chain_pem": chain, "record": {}, **more}


def test_nothing_is_found_in_nothing() -> None:
    use = key_use({"web1": [], "web2": [rotation()]}, SPKI)
    assert (use.certificates, use.holdings, use.hosts) == ([], [], [])


def test_every_certificate_with_the_key_is_found_once_with_all_its_places() -> None:
    rotations = {
        "web1": [rotation(served=[served(SHOP), served(SHOP, 8443), served(OTHER, 9443)])],
        "web2": [rotation("www", served=[served(SAME_KEY), {"error": {"code": "timeout"}}])],
        "web3": [rotation(served=[served(SHOP)])],
        "web4": [rotation(served=[served(OTHER)])],
    }
    use = key_use(rotations, SPKI)
    assert [one.facts.serial for one in use.certificates] == [serial(SHOP), serial(SAME_KEY)]
    assert [sighting.host for sighting in use.certificates[0].sightings] == ["web1", "web1", "web3"]
    assert use.certificates[0].sightings[1].place == "192.0.2.7:8443 (shop.example.org)"
    assert use.certificates[0].issuer == "internal"
    assert use.certificates[0].chain_pem == SHOP.chain_pem
    assert use.hosts == ["web1", "web2", "web3"]


def test_key_of_a_ca_is_found_in_the_chain() -> None:
    ca_key = certificate_facts(ISSUING.certificate).spki_sha256
    use = key_use({"web1": [rotation(served=[served(SHOP)])]}, ca_key)
    [found] = use.certificates
    assert found.facts.is_ca and found.facts.spki_sha256 == ca_key
    assert found.pem == found.chain_pem == ISSUING.pem


def test_what_is_on_the_host_is_found() -> None:
    installed = {
        "live": "v1",
        "versions": [
            version(issued=SHOP),
            version(version="v0", has_key=False),
            version("0" * 64, version="v2", record={"supersedes": {"version": "v9", "chain_pem": SAME_KEY.chain_pem}}),
        ],
        "keys_log": [{"spki_sha256": SPKI, "fate": "created", "version": "v1"}, {"spki_sha256": "0" * 64}],
        "paths": {
            "certificate": {"path": "/etc/ssl/shop.crt", "chain_pem": SHOP.chain_pem},
            "key": {"path": "/etc/ssl/shop.key", "spki_sha256": SPKI},
        },
    }
    use = key_use({"web1": [rotation(installed=installed)]}, SPKI)
    assert use.holdings == [
        Holding("web1", "shop", "live", "v1", has_key=True),
        Holding("web1", "shop", "version", "v0", has_key=False),
        Holding("web1", "shop", "path", path="/etc/ssl/shop.key", has_key=True),
        Holding("web1", "shop", "past", "v1", fate="created"),
    ]
    assert [one.sightings for one in use.certificates] == [
        [
            Sighting("web1", "shop", "installed", "v1"),
            Sighting("web1", "shop", "installed", "/etc/ssl/shop.crt"),
        ],
        [Sighting("web1", "shop", "superseded", "v9")],
    ]
    assert use.hosts == ["web1"]


def test_host_where_the_key_was_destroyed_is_not_named_as_using_it() -> None:
    installed = {
        "live": "v2",
        "versions": [version(has_key=False)],
        "keys_log": [{"spki_sha256": SPKI, "fate": "retired"}],
    }
    use = key_use({"web1": [rotation(installed=installed)]}, SPKI)
    assert len(use.holdings) == 2 and use.hosts == []


def test_chain_that_cannot_be_read_is_passed_by() -> None:
    entry = {
        "address": "192.0.2.7",
        "port": 443,
        "chain_pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    }
    assert key_use({"web1": [rotation(served=[entry])]}, SPKI).certificates == []


def test_prepared_key_is_found() -> None:
    use = key_use({"web1": [rotation(prepared={"version": "v3", "spki_sha256": SPKI})]}, SPKI)
    assert [one.where for one in use.holdings] == ["prepared"] and use.hosts == ["web1"]
