# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an nginx configuration says about stapling and client certificates, with what is in the files that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_nginx import server_facts
from ansible_collections.certops.rotation.plugins.module_utils._host.nginx_files import log_lines, named_files
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl
from ansible_collections.certops.rotation.plugins.plugin_utils.nginx_dump import read_dump
from ansible_collections.certops.rotation.tests.support.pki import Authority, utc_now
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

ROOT = Authority.root()
ISSUING = ROOT.intermediate()
LEAF = ISSUING.issue()


def dump(place: Path, http: str = "", server: str = "") -> str:
    return (
        f"nginx: the configuration file is ok\n# configuration file {place}/nginx.conf:\n"
        f"error_log {place}/error.log;\nevents {{}}\nhttp {{\n{http}\n"
        f"server {{ listen 443 ssl; server_name shop.example.org; ssl_certificate leaf.crt;\n"
        f"ssl_certificate_key {place}/leaf.key;\n{server} }}\n}}\n"
    )


def seen(place: Path, http: str = "", server: str = "", warnings: list[str] | None = None) -> dict[str, Any]:
    text = dump(place, http, server)
    [found] = server_facts(read_dump(text), named_files(text, Openssl()), warnings or [])
    return found


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "leaf.crt").write_text(LEAF.chain_pem)
    (tmp_path / "leaf.key").write_text(LEAF.key_pem)
    return tmp_path


def test_settings_are_inherited_and_the_inner_one_counts(place: Path) -> None:
    found = seen(place, "ssl_stapling on;\nssl_stapling_verify on;\nresolver 192.0.2.1;", "ssl_stapling off;")
    assert (found["stapling"], found["verify"], found["resolvers"]) == (False, True, ["192.0.2.1"])


def test_relative_path_is_below_the_folder_of_the_main_file(place: Path) -> None:
    [certificate] = seen(place)["certificates"]
    assert certificate["path"] == f"{place}/leaf.crt" and certificate["sha256"]


@pytest.mark.parametrize(
    ("chain", "trust", "has_issuer", "has_root"),
    [
        (LEAF.chain_pem, ISSUING.pem + ROOT.pem, True, True),
        (LEAF.chain_pem, ISSUING.pem, True, False),
        (LEAF.chain_pem, None, True, False),
        (LEAF.pem, ISSUING.pem, True, False),
        (LEAF.pem, ROOT.pem, False, False),
        (LEAF.pem, Authority.root().pem, False, False),
        ("no certificate", ROOT.pem, None, None),
    ],
)
def test_issuer_and_root_are_looked_for_in_chain_and_trust_file(
    place: Path, chain: str, trust: str | None, has_issuer: bool | None, has_root: bool | None
) -> None:
    (place / "leaf.crt").write_text(chain)
    if trust:
        (place / "trust.pem").write_text(trust)
    found = seen(place, server="ssl_trusted_certificate trust.pem;" if trust else "")
    assert (found["has_issuer"], found["has_root"]) == (has_issuer, has_root)


def test_dates_of_each_crl_in_a_file_are_told(place: Path) -> None:
    crls = [x509.load_der_x509_crl(one.crl()).public_bytes(Encoding.PEM) for one in (ISSUING, ROOT)]
    (place / "clients.crl").write_bytes(b"".join(crls))
    found = seen(place, server="ssl_crl clients.crl; ssl_verify_client on;")
    assert [crl["issuer"] for crl in found["crls"]] == [one.subject.rfc4514_string() for one in (ISSUING, ROOT)]
    assert all(crl["next_update"] > utc_now().strftime("%Y-%m-%dT%H:%M:%SZ") for crl in found["crls"])


def test_no_key_is_read_though_it_stands_in_a_certificate_file(place: Path) -> None:
    (place / "leaf.crt").write_text(LEAF.key_pem + LEAF.chain_pem)
    found = named_files(dump(place), Openssl())
    assert "PRIVATE" not in str(found) and LEAF.key_pem.splitlines()[1] not in str(found)
    assert f"{place}/leaf.key" not in found


def test_missing_file_is_told_and_nothing_worse(place: Path) -> None:
    (place / "leaf.crt").unlink()
    assert named_files(dump(place), Openssl())[f"{place}/leaf.crt"] == {"error": "No such file or directory"}
    assert seen(place)["certificates"] == [{"path": f"{place}/leaf.crt", "sha256": None}]


def test_warning_belongs_to_the_block_whose_certificate_it_names(place: Path) -> None:
    mine, other = f'"ssl_stapling" ignored for certificate "{place}/leaf.crt"', 'for certificate "/etc/other.crt"'
    assert seen(place, warnings=[mine, other])["warnings"] == [mine]


def test_last_lines_about_tls_come_from_the_log_and_no_others(place: Path) -> None:
    lines = [f"{number} OCSP responder timed out" for number in range(30)] + ["GET /secret 200"]
    (place / "error.log").write_text("\n".join(lines))
    assert log_lines(dump(place), 2) == ["28 OCSP responder timed out", "29 OCSP responder timed out"]
    assert log_lines(dump(place / "nowhere"), 2) == []
