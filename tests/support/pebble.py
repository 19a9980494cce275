# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real ACME server on loopback: Pebble, with a DNS server that says whatever it is told. Ended by their own pids.

with Pebble(tmp_path / "pebble") as pebble:
    pebble.issuer(challenge={"type": "http-01", "method": "directory", "directory": "…"})   # an entry of rotate_issuers
    pebble.root_pem
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from ansible_collections.certops.rotation.tests.support.nginx import free_port

PROGRAM, DNS_PROGRAM = shutil.which("pebble"), shutil.which("pebble-challtestsrv")
IS_HERE = bool(PROGRAM and DNS_PROGRAM)
EAB_KID, EAB_KEY = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
_START_TIMEOUT = 15.0


class Pebble:
    """One server with a CA of its own, new at each start."""

    def __init__(
        self,
        place: Path,
        *,
        eab: bool = False,
        nonce_reject: int = 0,
        retry_after: int = 1,
        dns: str | None = None,
        environment: Mapping[str, str] | None = None,
        validity: int = 3600,
    ) -> None:
        self.place = place
        self.port, self.management_port, self.http_port = free_port(), free_port(), free_port()
        self.dns_port, self.dns_management_port = free_port(), free_port()
        self._dns = dns
        self._eab, self._retry_after, self._validity = eab, retry_after, validity
        self._environment = {
            **os.environ,
            "PEBBLE_VA_NOSLEEP": "1",
            "PEBBLE_WFE_NONCEREJECT": str(nonce_reject),
            **(environment or {}),
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.place.mkdir(parents=True)
        self._make_certificate()
        (self.place / "config.json").write_text(json.dumps(self._config()))
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            process.wait()

    @property
    def directory_url(self) -> str:
        return f"https://127.0.0.1:{self.port}/dir"

    @property
    def ca_bundle(self) -> Path:
        """What the certificate of the server itself is trusted by."""
        return self.place / "server.pem"

    @property
    def resolver(self) -> str:
        """The DNS server that Pebble asks."""
        return self._dns or f"127.0.0.1:{self.dns_port}"

    @property
    def root_pem(self) -> str:
        return self.managed("/roots/0").decode()

    @property
    def intermediate_pem(self) -> str:
        return self.managed("/intermediates/0").decode()

    def issuer(self, **more: Any) -> dict[str, Any]:
        """The entry of ``rotate_issuers`` for this server."""
        return {
            "type": "acme",
            "directory_url": self.directory_url,
            "ca_bundle": str(self.ca_bundle),
            "state_dir": str(self.place / "state"),
            "terms_agreed": True,
            "check_caa": False,
            "timeout": 60,
            "trust_anchors": [self.root_pem],
            **({"eab": {"kid": EAB_KID, "hmac_key": EAB_KEY}} if self._eab else {}),
            **more,
        }

    def managed(self, path: str) -> bytes:
        """What the management interface says: roots, intermediates, the status of certificates."""
        return self._fetched(f"https://127.0.0.1:{self.management_port}{path}")

    def revocation(self, serial: str) -> dict[str, Any]:
        """``{"Status": "Revoked", "Reason": …}`` of a certificate, by its serial in hex."""
        answer: dict[str, Any] = json.loads(self.managed(f"/cert-status-by-serial/{serial.lstrip('0')}"))
        return answer

    def dns(self, action: str, **data: Any) -> None:
        """Tell the DNS server: ``dns("set-txt", host="_acme-challenge.a.test.", value="…")``, ``dns("add-a", …)``."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.dns_management_port}/{action}", json.dumps(data).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            answer.read()

    def _fetched(self, url: str) -> bytes:
        trust = ssl.create_default_context(cafile=str(self.ca_bundle))
        with urllib.request.urlopen(url, timeout=5, context=trust) as answer:
            content: bytes = answer.read()
        return content

    def _make_certificate(self) -> None:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-keyout", "server.key", "-out", "server.pem", "-days", "30", "-subj", "/CN=pebble",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
            cwd=self.place, check=True, capture_output=True,
        )  # fmt: skip

    def _config(self) -> dict[str, Any]:
        keys = {"externalAccountMACKeys": {EAB_KID: EAB_KEY}} if self._eab else {}
        return {
            "pebble": {
                "listenAddress": f"127.0.0.1:{self.port}",
                "managementListenAddress": f"127.0.0.1:{self.management_port}",
                "certificate": "server.pem",
                "privateKey": "server.key",
                "httpPort": self.http_port,
                "tlsPort": free_port(),
                "ocspResponderURL": "",
                "externalAccountBindingRequired": self._eab,
                **keys,
                "certificateValidityPeriod": self._validity,
                "retryAfter": {"authz": self._retry_after, "order": self._retry_after},
            }
        }

    def _start(self) -> None:
        if self._dns is None:
            self._run("dns", [
                str(DNS_PROGRAM), "-defaultIPv6", "", "-defaultIPv4", "127.0.0.1",
                "-dns01", f"127.0.0.1:{self.dns_port}", "-http01", "", "-https01", "", "-tlsalpn01", "",
                "-management", f"127.0.0.1:{self.dns_management_port}",
            ])  # fmt: skip
        self._run("pebble", [str(PROGRAM), "-config", "config.json", "-dnsserver", self.resolver])
        end = time.monotonic() + _START_TIMEOUT
        while True:
            try:
                self.managed("/roots/0")
                self._fetched(self.directory_url)
                return
            except OSError:
                if time.monotonic() > end or any(one.poll() is not None for one in self._processes):
                    raise AssertionError((self.place / "pebble.log").read_text()) from None
                time.sleep(0.05)

    def _run(self, name: str, command: list[str]) -> None:
        with (self.place / f"{name}.log").open("wb") as log:
            self._processes.append(
                subprocess.Popen(
                    command, cwd=self.place, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            )
