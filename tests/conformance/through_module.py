# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Vectors through the module ``revocation_info``: options in, JSON out, files on disk, and real HTTP.

The pages of a vector are served by a proxy on loopback, to which the environment sends the module. Left out are vectors
that a module cannot be given: those with a staple (it comes with a handshake), with failures that are no HTTP answer,
and without any anchor (which means those of the system).
"""

from __future__ import annotations

import base64
import contextlib
import functools
import http.server
import os
import tempfile
import threading
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from ansible_collections.certops.rotation.plugins.module_utils._ansible.result import to_result
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import COULD_NOT_ASK
from ansible_collections.certops.rotation.plugins.modules import revocation_info
from ansible_collections.certops.rotation.tests.conformance.check import Check
from ansible_collections.certops.rotation.tests.conformance.vector import Case, Vector, judge
from ansible_collections.certops.rotation.tests.conformance.vectors import all_vectors
from ansible_collections.certops.rotation.tests.support.pki import pem
from ansible_collections.certops.rotation.tests.support.run_main import run_main

FIELDS = "status revoked_at revocation_reason invalidity_date is_soft notes decided_at".split()


class PageProxy(http.server.ThreadingHTTPServer):
    """Answers for every host from the pages of the case that is being judged."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.case: Case | None = None

    def answer(self, url: str, body: bytes | None) -> bytes | None:
        """What stands at a URL, None if nothing does."""
        pages = self.case.pages if self.case else {}
        place = max((page for page in pages if url == page or url.startswith(f"{page}/")), key=len, default=None)
        page = pages[place] if place is not None else None
        if place is None or page is None or isinstance(page, (bytes, RotationError)):
            return page if isinstance(page, bytes) else None
        return page(base64.b64decode(urllib.parse.unquote(url[len(place) + 1 :])) if body is None else body)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: PageProxy

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes | None) -> None:
        content = self.server.answer(self.path, body)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_arguments: Any) -> None:
        """Quiet."""


def checks() -> Iterator[Check]:
    """One for each vector that a module can be given."""
    with _proxy() as proxy:
        for each in all_vectors():
            case = each.make()
            if _can_be_given(case):
                yield Check(each.name, each.description, functools.partial(_compare, each, proxy))


@contextlib.contextmanager
def _proxy() -> Iterator[PageProxy]:
    with PageProxy() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            address = f"http://127.0.0.1:{server.server_port}"
            others = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
            with mock.patch.dict(os.environ, {**others, "http_proxy": address}, clear=True):
                yield server
        finally:
            server.shutdown()
            thread.join()


def _can_be_given(case: Case) -> bool:
    has_failures = any(isinstance(page, RotationError) for page in case.pages.values())
    return bool(case.anchors) and case.staple is None and not has_failures and not _misses_a_page(case)


def _misses_a_page(case: Case) -> bool:
    """A URL without a page is unreachable in a vector, and an HTTP error here."""
    verdict, _asked = judge(case)
    return any(COULD_NOT_ASK.intersection(each.reasons) for each in verdict.evidence)


def _compare(each: Vector, proxy: PageProxy) -> Sequence[str]:
    case = each.make()
    proxy.case = case
    with tempfile.TemporaryDirectory() as folder:
        result = run_main(revocation_info, **_options(case, Path(folder)))
    if "certificates" not in result:
        return [f"the module says {result.get('msg')}"]
    verdict = result["certificates"][0]["verdict"]
    expected, _asked = judge(each.make())
    wanted = to_result(expected)
    found = [f"{name} {verdict[name]!r}, expected {wanted[name]!r}" for name in FIELDS if verdict[name] != wanted[name]]
    if sorted(verdict["reasons"]) != sorted(wanted["reasons"]) or result["status"] != wanted["status"]:
        found.append(f"{result['status']} {verdict['reasons']}, expected {wanted['status']} {wanted['reasons']}")
    return found


def _options(case: Case, folder: Path) -> dict[str, Any]:
    """The case as options of the module, with all its bytes in files."""
    policy = case.policy
    trusted = {f"trusted{number}.pem": pem(each).encode() for number, each in enumerate(policy.trusted_responders)}
    return {
        "certificates": [{"path": str(_written(folder, "chain.pem", "".join(map(pem, case.chain)).encode()))}],
        "trust_anchor_paths": [str(_written(folder, "anchors.pem", "".join(map(pem, case.anchors)).encode()))],
        "trusted_responder_paths": [str(_written(folder, name, data)) for name, data in trusted.items()],
        "crl_paths": [str(_written(folder, name, data)) for name, data in case.given.crls],
        "ocsp_response_paths": [str(_written(folder, name, data)) for name, data in case.given.ocsp_responses],
        "at": as_text(case.at),
        "prefer": policy.prefer.value,
        "tolerance": int(policy.tolerance.total_seconds()),
        "max_age": None if policy.max_age is None else int(policy.max_age.total_seconds()),
        "judge_issuers": policy.judge_issuers,
        "nonce": policy.nonce,
        "fetch": policy.fetch,
        "retries": 0,
        "cache_dir": str(folder / "cache"),
    }


def _written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path
