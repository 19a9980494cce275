# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A full CA on loopback: django-ca with ACME, OCSP and CRL, and somebody who answers its http-01 challenges.

with DjangoCa(tmp_path / "django-ca") as ca:
    ca.issuer()                      # an entry of rotate_issuers; its challenges are answered from ca.challenges
    ca.answer(token, text)           # or answer one by hand
    ca.publish()                     # what was revoked is in OCSP at once, and in the CRL only after this

Revocation by each of the three rights of RFC 8555 section 7.6 works here; Pebble knows two of them.
"""

from __future__ import annotations

import contextlib
import http.server
import importlib.util
import os
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

from ansible_collections.certops.rotation.tests.support.nginx import free_port
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

IS_HERE = importlib.util.find_spec("django_ca") is not None
_PROJECT = Path(__file__).resolve().parent / "django_ca_project"
_START_TIMEOUT = 30.0


class DjangoCa:
    """One CA with a database of its own. Ended by its own pid."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.challenges = place / "challenges"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.challenges.mkdir(parents=True)
        self._proxy = _ChallengeProxy(self.challenges)
        try:
            self._manage("make")
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
        self._proxy.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/django_ca"

    @property
    def directory_url(self) -> str:
        return f"{self.url}/acme/directory/"

    @property
    def root_pem(self) -> str:
        return self._certificate("Root")

    @property
    def issuing_pem(self) -> str:
        return self._certificate("Issuing")

    def issuer(self, **more: Any) -> dict[str, Any]:
        """The entry of ``rotate_issuers`` for this CA."""
        return {
            "type": "acme",
            "directory_url": self.directory_url,
            "state_dir": str(self.place / "state"),
            "terms_agreed": True,
            "check_caa": False,
            "timeout": 60,
            "trust_anchors": [self.root_pem],
            "challenge": {"type": "http-01", "method": "directory", "directory": str(self.challenges)},
            **more,
        }

    def answer(self, token: str, text: str) -> None:
        """Have the CA find ``text`` for a token, whatever the name."""
        (self.challenges / token).write_text(text)

    def publish(self) -> None:
        """Make the CRLs anew."""
        self._manage("publish")

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DJANGO_CA_PLACE": str(self.place),
            "DJANGO_CA_HOST": f"127.0.0.1:{self.port}",
            "DJANGO_SETTINGS_MODULE": "ca_settings",
            "PYTHONPATH": str(_PROJECT),
            # Port 80 of any name, without DNS and without root.
            "http_proxy": self._proxy.url,
            "no_proxy": "",
        }

    def _manage(self, what: str) -> None:
        command = [sys.executable, str(_PROJECT / "ca_manage.py"), what]
        ended = subprocess.run(
            command, env=self._environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False
        )
        if ended.returncode:
            raise AssertionError((ended.stdout + ended.stderr).decode("utf-8", "replace"))

    def _certificate(self, name: str) -> str:
        """From the CA's own database."""
        with contextlib.closing(sqlite3.connect(self.place / "db.sqlite3")) as connection:
            query = "SELECT pub FROM django_ca_certificateauthority WHERE name = ?"
            [(der,)] = connection.execute(query, (name,))
        return x509.load_der_x509_certificate(bytes(der)).public_bytes(Encoding.PEM).decode()

    def _start(self) -> None:
        with (self.place / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "django", "runserver", "--noreload", f"127.0.0.1:{self.port}"],
                env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        end = time.monotonic() + _START_TIMEOUT
        while True:
            try:
                direct.open(self.directory_url, timeout=5).close()
                return
            except OSError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise AssertionError((self.place / "server.log").read_text()) from None
                time.sleep(0.1)


class _ChallengeProxy:
    """An HTTP proxy through which every name has a web server, which answers from one folder."""

    def __init__(self, folder: Path) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                token = self.path.rpartition("/.well-known/acme-challenge/")[2]
                path = folder / token
                body = (
                    path.read_bytes() if token.replace("-", "").replace("_", "").isalnum() and path.is_file() else None
                )
                self.send_response(404 if body is None else 200)
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
