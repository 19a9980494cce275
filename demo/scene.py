# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demonstration does and sees: the same world that the integration tests use."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import Endpoint, handshake
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld
from cryptography import x509

NAME = "shop"
SERVER_NAMES = ("shop.example.org", "www.shop.example.org")
_STAPLE_TRIES = 10


@dataclass(frozen=True)
class Served:
    """What a client gets from the shop, and what the published CRL and OCSP response say of it."""

    serial: str
    spki_sha256: str
    verdict: str
    staple: str


class Scene(LocalWorld):
    """One shop, its nginx and its certificate authority."""

    def open_shop(self) -> None:
        vhost = self.first_certificate(NAME, SERVER_NAMES, extra=self.snippet(NAME))
        self.start_nginx([vhost])

    def look(self) -> Served:
        """As a client: nginx fetches a staple after the first handshake, so a few are made."""
        found = self._look()
        for _attempt in range(_STAPLE_TRIES):
            if found.staple != "absent" or "ssl_stapling on" not in self._snippet_text():
                break
            time.sleep(0.1)
            found = self._look()
        return found

    def _look(self) -> Served:
        shown = handshake(Endpoint("127.0.0.1", self.port, SERVER_NAMES[0]), timeout=5)
        chain = [x509.load_der_x509_certificate(der) for der in shown.chain]
        facts, judge, now = certificate_facts(chain[0]), self.judging(), datetime.now(timezone.utc)
        verdict = judge.verdict(chain, at=now)
        reason = f" ({verdict.revocation_reason})" if verdict.revocation_reason else ""
        staple = judge.judge_staple(chain, shown.staple, at=now)
        return Served(facts.serial, facts.spki_sha256, verdict.status.value + reason, staple.status)

    def _snippet_text(self) -> str:
        snippet = self.root / NAME / "live" / "nginx.conf"
        return snippet.read_text() if snippet.exists() else ""

    @property
    def port(self) -> int:
        if self.nginx is None:
            raise AssertionError("the shop is not open")
        return self.nginx.vhosts[0].port

    def report_path(self) -> Path:
        return (self.place / "reports" / "latest").resolve() / "report.json"
