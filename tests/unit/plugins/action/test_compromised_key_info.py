# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action compromised_key_info, with real keys and certificates, and databases on loopback."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.action.compromised_key_info import ActionModule
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts, spki_sha256
from ansible_collections.certops.rotation.plugins.plugin_utils.packing import pack
from ansible_collections.certops.rotation.tests.support.action import run_action
from ansible_collections.certops.rotation.tests.support.http_server import HttpServer
from ansible_collections.certops.rotation.tests.support.key_database_server import (
    KeyDatabaseServer,
    attestation,
    crt_sh_row,
    issuance,
)
from ansible_collections.certops.rotation.tests.support.pki import Authority, key_pem, make_key
from ansible_collections.certops.rotation.tests.support.weak_keys import close_factors_key

ROOT = Authority.root()
KEY = make_key()
SHOP = ROOT.issue(["shop.example.org"], key=KEY)
UNKNOWN = ROOT.issue(["forgotten.example.org"], key=KEY)
SPKI = spki_sha256(KEY.public_key())
PLACE = {"address": "192.0.2.7", "port": 443, "server_name": "shop.example.org"}
ROTATIONS: dict[str, list[dict[str, Any]]] = {
    "web1": [{"name": "shop", "issuer": "internal", "served": [{**PLACE, "chain_pem": SHOP.chain_pem}]}],
    "web2": [{"name": "shop", "issuer": "internal", "served": []}],
}


@pytest.fixture
def there() -> Iterator[KeyDatabaseServer]:
    with HttpServer() as web:
        yield KeyDatabaseServer(web)


def ask(there: KeyDatabaseServer | None = None, **arguments: Any) -> dict[str, Any]:
    url = there.url if there else "http://127.0.0.1:1"
    urls = dict.fromkeys(("crt_sh_url", "certspotter_url", "pwnedkeys_url"), url)
    return run_action(ActionModule, {"cache_directory": "", "timeout": 5, **urls, **arguments})


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "leaked.pem"
    path.write_text(key_pem(KEY))
    return path


def test_private_key_leads_to_its_certificates_and_is_in_no_result(key_file: Path) -> None:
    result = ask(path=str(key_file), rotations=ROTATIONS)
    assert result["subject"] == {
        "kind": "private_key",
        "spki_sha256": SPKI,
        "key_type": "ec-secp256r1",
        "serial": None,
    }
    [found] = result["certificates"]
    assert found["serial"] == certificate_facts(SHOP.certificate).serial
    assert found["seen"] == [
        {"host": "web1", "name": "shop", "where": "served", "place": "192.0.2.7:443 (shop.example.org)"}
    ]
    assert (result["hosts"], result["compromised"], result["changed"]) == (["web1"], False, False)
    assert not any(line in json.dumps(result) for line in key_pem(KEY).splitlines()[1:-1])


@pytest.mark.parametrize("packed", [True, False])
def test_fingerprint_is_enough_and_gets_its_key_from_what_is_found(packed: bool) -> None:
    rotations = {host: pack(of_host) if packed else of_host for host, of_host in ROTATIONS.items()}
    result = ask(spki_sha256=SPKI.upper(), rotations=rotations)
    assert result["subject"]["kind"] == "fingerprint" and result["subject"]["key_type"] == "ec-secp256r1"
    assert result["hosts"] == ["web1"]


def test_certificate_as_text_names_its_serial() -> None:
    result = ask(content=SHOP.pem)
    assert result["subject"]["serial"] == certificate_facts(SHOP.certificate).serial
    assert result["certificates"] == [] and result["answers"] == []


def test_private_key_in_a_task_is_refused() -> None:
    result = ask(content=key_pem(KEY))
    assert result["failed"] and result["code"] == "private_key_in_task"


@pytest.mark.parametrize("given", [{}, {"spki_sha256": SPKI, "content": SHOP.pem}])
def test_exactly_one_subject_is_needed(given: dict[str, Any]) -> None:
    assert ask(**given)["code"] == "arguments_invalid"


def test_missing_file_is_named(tmp_path: Path) -> None:
    result = ask(path=str(tmp_path / "absent.pem"))
    assert result["code"] == "file_unreadable" and "absent.pem" in result["msg"]


def test_databases_are_asked_and_what_only_they_know_is_told(there: KeyDatabaseServer) -> None:
    there.crt_sh(SPKI, [crt_sh_row(SHOP.certificate, 1), crt_sh_row(UNKNOWN.certificate, 2)])
    there.certspotter("shop.example.org", [issuance(UNKNOWN.certificate)])
    there.certspotter("shop.example.org", [], after="1")
    there.pwnedkeys(SPKI, attestation(KEY))
    result = ask(
        there,
        content=SHOP.pem,
        rotations=ROTATIONS,
        transparency=["crt_sh", "certspotter"],
        databases=["pwnedkeys"],
    )
    assert result["not_answered"] == [] and result["compromised"]
    [elsewhere] = result["elsewhere"]
    assert elsewhere["serial"] == certificate_facts(UNKNOWN.certificate).serial
    assert elsewhere["certificate_pem"] == UNKNOWN.pem


def test_silence_of_the_databases_stops_nothing(there: KeyDatabaseServer) -> None:
    result = ask(there, content=SHOP.pem, rotations=ROTATIONS, transparency=["crt_sh"], databases=["pwnedkeys"])
    assert result["not_answered"] == ["crt_sh"]  # pwnedkeys said 404: not listed
    assert [answer["is_known"] for answer in result["answers"]] == [None, False]
    assert result["hosts"] == ["web1"] and not result["compromised"]


def test_nothing_is_asked_unless_told_to(there: KeyDatabaseServer) -> None:
    ask(there, content=SHOP.pem, rotations=ROTATIONS)
    assert there.web.requests == []


def test_only_the_fingerprint_and_names_leave(there: KeyDatabaseServer, key_file: Path) -> None:
    ask(
        there,
        path=str(key_file),
        transparency=["crt_sh", "certspotter"],
        databases=["pwnedkeys"],
        domains=["a.test.net"],
    )
    asked = {path.partition("?")[0]: path for _method, path in there.web.requests}
    assert set(asked) == {"/", "/issuances", f"/{SPKI}"}
    assert "domain=a.test.net" in asked["/issuances"]


def test_key_that_anybody_can_compute_is_compromised(tmp_path: Path) -> None:
    weak = close_factors_key()
    path = tmp_path / "weak.pem"
    path.write_text(key_pem(weak))
    result = ask(path=str(path))
    assert [found["code"] for found in result["weaknesses"]] == ["close_factors"] and result["compromised"]
    assert str(weak.private_numbers().p) not in json.dumps(result)


def test_blocklist_is_read(tmp_path: Path) -> None:
    path = tmp_path / "known"
    path.write_text(f"# leaked\n{SPKI}\n")
    listed: dict[str, Any] = {"blocklist_paths": [str(path)]}
    for result in (ask(content=SHOP.pem, **listed), ask(spki_sha256=SPKI, **listed)):
        assert [found["code"] for found in result["weaknesses"]] == ["blocklisted"] and result["compromised"]


def test_badkeys_that_is_not_installed_is_said_not_to_have_answered() -> None:
    if importlib.util.find_spec("badkeys") is None:
        result = ask(content=SHOP.pem, databases=["badkeys"])
        assert result["not_answered"] == ["badkeys"]
        assert result["answers"][0]["error"]["code"] == "library_missing"
    else:
        weak = ROOT.issue(["weak.example.org"], key=close_factors_key())
        result = ask(content=weak.pem, databases=["badkeys"])
        assert "badkeys_fermat" in [found["code"] for found in result["weaknesses"]]
        assert str(close_factors_key().private_numbers().p) not in json.dumps(result)
