# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others make of the CA's work: openssl as verifier and OCSP client, nginx as the web server of its folder."""

from __future__ import annotations

import base64
import os
import pwd
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Judging
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Prefer,
    RevocationPolicy,
    RevocationStatus,
)
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_creation import Identity
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_ocsp import file_of, request_paths
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_upkeep import answer_urls
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Revocation
from ansible_collections.certops.rotation.tests.support.internal_ca import TestCa, leaf_of, make_ca, order
from ansible_collections.certops.rotation.tests.support.publisher import Publisher, plainest_request
from ansible_collections.certops.rotation.tests.support.tls_server import closed_port
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp


def openssl(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=20, check=False)


def get(url: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as answer:
        content: bytes = answer.read()
    return content


class World:
    """One certificate, and the files that openssl wants."""

    def __init__(self, ca: TestCa, folder: Path) -> None:
        self.ca = ca
        [self.issued] = ca.issued([order("shop", must_staple=True)])
        self.leaf = leaf_of(self.issued)
        names = ("leaf.pem", "issuer.pem", "root.pem")
        self.leaf_file, self.issuer_file, self.root_file = (folder / name for name in names)
        self.leaf_file.write_bytes(self.leaf.public_bytes(Encoding.PEM))
        opened = ca.open()
        self.issuer_file.write_bytes(opened.intermediate_certificate.public_bytes(Encoding.PEM))
        self.root_file.write_bytes(opened.root_certificate.public_bytes(Encoding.PEM))
        self.folder = folder

    def crl_pem(self) -> Path:
        pem = b"".join(self.ca.crl(name).public_bytes(Encoding.PEM) for name in ("intermediate.crl", "root.crl"))
        (self.folder / "crls.pem").write_bytes(pem)
        return self.folder / "crls.pem"

    def verify(self) -> subprocess.CompletedProcess[str]:
        return openssl(
            "verify", "-x509_strict", "-crl_check_all", "-CRLfile", self.crl_pem(), "-CAfile", self.root_file,
            "-untrusted", self.issuer_file, "-purpose", "sslserver",
            "-verify_hostname", "shop.example.org", self.leaf_file,
        )  # fmt: skip

    def ask(self, url: str, digest: str, *more: str) -> subprocess.CompletedProcess[str]:
        return openssl(
            "ocsp", "-url", url, "-issuer", self.issuer_file, f"-{digest}", "-cert", self.leaf_file,
            "-CAfile", self.root_file, "-verify_other", self.issuer_file, *more,
        )  # fmt: skip

    def revoke(self, reason: str = "superseded") -> None:
        self.ca.revoked([Revocation(self.issued.chain_pem, reason)])


@pytest.fixture(params=["ec", "rsa-2048"])
def world(request: pytest.FixtureRequest, tmp_path: Path, publisher: Publisher) -> World:
    kind = None if request.param == "ec" else request.param
    return World(make_ca(tmp_path, publisher.url, Identity(root_key_type=kind, intermediate_key_type=kind)), tmp_path)


def test_openssl_accepts_the_chain_with_its_crls(world: World) -> None:
    verified = world.verify()
    assert verified.returncode == 0, verified.stderr


def test_openssl_sees_the_revocation_in_the_crl(world: World) -> None:
    world.revoke()
    verified = world.verify()
    assert verified.returncode != 0
    assert "certificate revoked" in verified.stderr


def test_openssl_sees_the_revoked_intermediate(world: World) -> None:
    world.ca.revoked([Revocation(world.ca.open().chain_pem, "cACompromise")])
    assert "certificate revoked" in world.verify().stderr


def test_openssl_reads_the_crl_as_meant(world: World) -> None:
    world.revoke("keyCompromise")
    read = ("crl", "-in", world.ca.published / "intermediate.crl", "-inform", "DER", "-noout")
    shown = openssl(*read, "-text").stdout
    scope = "X509v3 Issuing Distribution Point: critical"
    for line in ("X509v3 CRL Number:", scope, "Only User Certificates", "Key Compromise"):
        assert line in shown
    assert "verify OK" in openssl(*read, "-CAfile", world.issuer_file).stderr


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
@pytest.mark.parametrize("nonce", [True, False])
def test_openssl_asks_by_post(world: World, publisher: Publisher, digest: str, nonce: bool) -> None:
    more = () if nonce else ("-no_nonce",)
    asked = world.ask(f"{publisher.url}/ocsp", digest, *more)
    assert "leaf.pem: good" in asked.stdout, asked.stderr
    assert "Response verify OK" in asked.stderr
    world.revoke("keyCompromise")
    asked = world.ask(f"{publisher.url}/ocsp", digest, *more)
    assert "leaf.pem: revoked" in asked.stdout and "Reason: keyCompromise" in asked.stdout


def test_unknown_certificate_is_answered_unauthorized(ca: TestCa, publisher: Publisher, tmp_path: Path) -> None:
    world = World(ca, tmp_path)
    shutil.rmtree(ca.published / "ocsp")
    assert "unauthorized" in world.ask(f"{publisher.url}/ocsp", "sha256").stdout


def test_publisher_understands_what_clients_add_to_a_request(ca: TestCa) -> None:
    leaf, issuer = leaf_of(ca.issued([order("shop")])[0]), ca.open().intermediate_certificate
    path = next(iter(request_paths(leaf, issuer)))
    plain = base64.b64decode(path)
    assert plainest_request(plain) == plain
    loaded = ocsp.load_der_ocsp_request(plain)
    builder = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, loaded.hash_algorithm)
    with_nonce = builder.add_extension(x509.OCSPNonce(b"n" * 32), critical=False).build()
    assert plainest_request(with_nonce.public_bytes(Encoding.DER)) == plain
    for broken in (b"", b"0", plain[:-1], b"\x30\x00", b"\xff" * 40):
        with pytest.raises(ValueError, match="cut short"):
            plainest_request(broken)


# --- nginx as the web server ---


class Nginx:
    """An nginx on loopback that serves one folder."""

    def __init__(self, folder: Path, published: Path, merge_slashes: str) -> None:
        self.port = closed_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "nginx").mkdir()
        user = f"user {pwd.getpwuid(os.geteuid()).pw_name};" if os.geteuid() == 0 else ""
        self.configuration = folder / "nginx.conf"
        self.configuration.write_text(
            f"""{user} worker_processes 1; daemon off; pid {folder}/nginx/pid; error_log {folder}/nginx/error.log;
            events {{ worker_connections 64; }}
            http {{
                access_log off;
                client_body_temp_path {folder}/nginx/body; proxy_temp_path {folder}/nginx/proxy;
                fastcgi_temp_path {folder}/nginx/fastcgi; uwsgi_temp_path {folder}/nginx/uwsgi;
                scgi_temp_path {folder}/nginx/scgi;
                server {{
                    listen 127.0.0.1:{self.port};
                    root {published};
                    merge_slashes {merge_slashes};
                    types {{ application/pkix-crl crl; application/pkix-cert crt; }}
                    location /ocsp/ {{ types {{ }} default_type application/ocsp-response; }}
                }}
            }}"""
        )

    def __enter__(self) -> Nginx:
        self.process = subprocess.Popen(
            ["nginx", "-c", str(self.configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"},
        )  # fmt: skip
        for _attempt in range(100):
            try:
                get(self.url + "/root.crt")
                return self
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.02)
        self.__exit__()
        raise AssertionError((self.configuration.parent / "nginx" / "error.log").read_text())

    def __exit__(self, *exc: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)


@pytest.fixture(params=["on", "off"])
def nginx(request: pytest.FixtureRequest, tmp_path: Path, ca: TestCa) -> Iterator[Nginx]:
    with Nginx(tmp_path, ca.published, request.param) as running:
        yield running


def with_a_slash_pair(ca: TestCa) -> Any:
    """A certificate whose OCSP request has two slashes in a row, which one in some dozens of certificates has."""
    issuer = ca.open().intermediate_certificate
    for batch in range(60):
        issued = ca.issued([order(f"slash{batch}-{number}") for number in range(20)])
        for one in issued:
            leaf = leaf_of(one)
            if any("//" in path for path in request_paths(leaf, issuer)):
                return leaf
    raise AssertionError("no certificate with two slashes in a row")


def test_nginx_serves_every_answer_under_its_get_path(ca: TestCa, nginx: Nginx) -> None:
    issued = ca.issued([order(f"web{number}") for number in range(30)])
    issuer = ca.open().intermediate_certificate
    leaves = [leaf_of(one) for one in issued]
    leaves.append(with_a_slash_pair(ca))
    for leaf in leaves:
        for path in request_paths(leaf, issuer):
            stored = (ca.published / "ocsp" / file_of(path)).read_bytes()
            assert ocsp.load_der_ocsp_response(stored).serial_number == leaf.serial_number
            # Encoded wholly as RFC 9919 wants it, and with the slash as it is, as some clients send it.
            for url in (quote(path, safe=""), quote(path, safe="/"), quote(path, safe="/+=")):
                assert get(f"{nginx.url}/ocsp/{url}") == stored


def test_nginx_serves_what_clients_fetch(ca: TestCa, nginx: Nginx) -> None:
    for name in ("root.crl", "intermediate.crl", "root.crt", "intermediate.crt"):
        assert get(f"{nginx.url}/{name}") == (ca.published / name).read_bytes()
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(f"{nginx.url}/ocsp/MFIw")
    assert caught.value.code == 404
    caught.value.close()


def test_names_of_files_and_urls_are_short_enough(ca: TestCa) -> None:
    ca.issued([order(f"web{number}") for number in range(10)])
    with ca.open().store.reading() as records:
        found = [answer for record in records.answered(at=ca.clock()) for answer in answer_urls(ca.open(), record)]
    for url, file in found:
        assert max(len(part) for part in file.parts) <= 255
        # RFC 9919 section 3: GET is for URLs of up to 255 bytes.
        assert len(url) <= 255
        assert (ca.published / file).is_file()


def test_publication_behind_nginx_is_found_whole(tmp_path: Path) -> None:
    """The base URL is nginx itself, so that the CA's own check runs against it."""
    port = closed_port()
    folder = tmp_path / "ca-behind-nginx"
    folder.mkdir()
    ca = make_ca(folder, f"http://127.0.0.1:{port}")
    server = Nginx(tmp_path, ca.published, "off")
    server.configuration.write_text(server.configuration.read_text().replace(str(server.port), str(port)))
    server.url = f"http://127.0.0.1:{port}"
    with server:
        [issued] = ca.issued([order("shop")])
        assert issued.warnings == ()
        [receipt] = ca.revoked([Revocation(issued.chain_pem, "superseded")])
        assert getattr(receipt, "state", receipt) == "revoked"


def test_our_own_judge_finds_the_whole_chain_good_then_revoked(ca: TestCa) -> None:
    [issued] = ca.issued([order("shop")])
    chain = x509.load_pem_x509_certificates(issued.chain_pem.encode())
    policy = RevocationPolicy(prefer=Prefer.BOTH, judge_issuers=True)

    def judging() -> Judging:
        return Judging(http=HttpClient(timeout=5), policy=policy, anchors=ca.issuer().trust_anchors())

    now = datetime.now(timezone.utc)
    verdict = judging().verdict(chain, at=now)
    assert verdict.status is RevocationStatus.GOOD, verdict
    assert judging().good_staple(chain, at=now)
    ca.revoked([Revocation(issued.chain_pem, "keyCompromise")])
    verdict = judging().verdict(chain, at=now)
    assert (verdict.status, verdict.revocation_reason) == (RevocationStatus.REVOKED, "keyCompromise")
