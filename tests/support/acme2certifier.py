# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another ACME server on loopback: acme2certifier with a CA of its own, with renewal information and dns-persist-01.

with Acme2Certifier(tmp_path / "a2c", dns=server.address) as server:
    server.issuer(challenge={"type": "dns-persist-01", "resolvers": [dns.address]})    # an entry of rotate_issuers

Its renewal information (RFC 9773) and its dns-persist-01 share no code with ours; Pebble as packaged has neither.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

from ansible_collections.certops.rotation.tests.support.nginx import free_port
from ansible_collections.certops.rotation.tests.support.pki import Authority, key_pem
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

IS_HERE = importlib.util.find_spec("acme2certifier") is not None
IDENTITY = "a2c.example"
RETRY_AFTER = 3600
VALIDITY_DAYS = 90
_SERVE = Path(__file__).resolve().parent / "acme2certifier_project" / "serve.py"
_START_TIMEOUT = 30.0


class Acme2Certifier:
    """One server with a database and a CA of its own. Ended by its own pid."""

    def __init__(self, place: Path, *, dns: str, window: str = "renewalthreshold_pctg: 85") -> None:
        """``window``: lines for its section on renewal information."""
        self.place = place
        self.port = free_port()
        self.root = Authority.root("acme2certifier root")
        self._issuing = self.root.intermediate("acme2certifier issuing")
        host, _colon, port = dns.partition(":")
        self._dns, self._window = (host, port), window
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.place.mkdir(parents=True)
        self._write_ca()
        (self.place / "acme_srv.cfg").write_text(self._configuration())
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            self._process.kill()
            self._process.wait()

    @property
    def directory_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/directory"

    @property
    def log(self) -> str:
        return (self.place / "server.log").read_text()

    def issuer(self, **more: Any) -> dict[str, Any]:
        """The entry of ``rotate_issuers`` for this CA."""
        return {
            "type": "acme",
            "directory_url": self.directory_url,
            "state_dir": str(self.place / "state"),
            "contact": ["ops@example.org"],
            "check_caa": False,
            "timeout": 60,
            "trust_anchors": [self.root.pem],
            **more,
        }

    def _write_ca(self) -> None:
        (self.place / "issued").mkdir()
        key = self.place / "ca.key"
        key.touch(0o600)
        key.write_text(key_pem(self._issuing.key))
        (self.place / "ca.pem").write_text(self._issuing.pem)
        (self.place / "root.pem").write_text(self.root.pem)
        # It writes what it revokes into this one.
        crl = x509.load_der_x509_crl(self._issuing.crl())
        (self.place / "ca.crl").write_bytes(crl.public_bytes(Encoding.PEM))

    def _configuration(self) -> str:
        return f"""
[DEFAULT]
dns_server_list: ["{self._dns[0]}"]
[Directory]
caaidentities: ["{IDENTITY}"]
[CAhandler]
handler_module: acme2certifier.cahandlers.openssl_ca_handler
issuing_ca_key: {self.place}/ca.key
issuing_ca_cert: {self.place}/ca.pem
issuing_ca_crl: {self.place}/ca.crl
ca_cert_chain_list: ["{self.place}/root.pem"]
cert_validity_days: {VALIDITY_DAYS}
cert_save_path: {self.place}/issued
[DBhandler]
handler: wsgi
dbfile: {self.place}/a2c.db
[Challenge]
dns_persist_01_support: True
dns_persist_allow_policy_wildcard: True
[Renewalinfo]
retry_after_timeout: {RETRY_AFTER}
{self._window}
"""

    def _start(self) -> None:
        environment = {**os.environ, "ACME_SRV_CONFIGFILE": str(self.place / "acme_srv.cfg")}
        with (self.place / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(_SERVE), str(self.port), self._dns[1]],
                cwd=self.place, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        end = time.monotonic() + _START_TIMEOUT
        while True:
            try:
                direct.open(self.directory_url, timeout=5).close()
                return
            except OSError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise AssertionError(self.log) from None
                time.sleep(0.1)
