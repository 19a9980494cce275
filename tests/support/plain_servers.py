# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Server blocks without TLS, in files of their own as on a usual host: for what stands on port 80 there."""

from __future__ import annotations

import http.client
from pathlib import Path

from ansible_collections.certops.rotation.tests.support.nginx import Vhost

WELL_KNOWN = "/.well-known/acme-challenge/"


class ConfD(Vhost):
    """``conf.d/*.conf``, which each nginx of the tests includes. As a vhost, its port only shows that nginx is up."""

    def __init__(self, prefix: Path) -> None:
        super().__init__(("conf.d.invalid",), Path("/dev/null"), Path("/dev/null"))
        self.folder = prefix / "conf.d"
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def text(self) -> str:
        return f"\n    server {{ listen 127.0.0.1:{self.port}; return 204; }}\n    types_hash_max_size 2048;\n"

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path


def challenge_answer(port: int, name: str, token: str = "a-token", address: str = "127.0.0.1") -> tuple[int, str]:
    """Status and text of what a CA would be answered."""
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", WELL_KNOWN + token, headers={"Host": name})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()
