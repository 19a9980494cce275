# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On a Python without a library everything imports, and the first use says what is missing and what to do."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

COLLECTION = "ansible_collections.certops.rotation.plugins"
WITHOUT = """\
import json, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == sys.argv[1]:
            raise ImportError("no " + name)
sys.meta_path.insert(0, Refuse())
sys.path[:0] = json.loads(sys.argv[2])
%s
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
try:
    %s
except RotationError as error:
    print(json.dumps(error.as_result()))
"""


@pytest.mark.parametrize(
    ("library", "package", "imported", "used"),
    [
        (
            "cryptography",
            "cryptography",
            f"from {COLLECTION}.module_utils._core.certificate import read_certificates",
            "read_certificates(b'0\\x03\\x02\\x01\\x00')",
        ),
        (
            "cryptography",
            "cryptography",
            f"from pathlib import Path; from {COLLECTION}.module_utils._issuers.ca_keys import _parse_key",
            "_parse_key(Path('ca.key'), b'-----BEGIN PRIVATE KEY-----', None)",
        ),
        (
            "cryptography",
            "cryptography",
            f"from {COLLECTION}.module_utils._issuers.ca_request import read_request\n"
            f"from {COLLECTION}.module_utils._issuers.protocol import Order",
            "read_request(Order('web1', 'shop', 'PEM', ('shop.example.org',), False, None), allowed_names=[])",
        ),
        (
            "OpenSSL",
            "pyOpenSSL",
            f"from {COLLECTION}.module_utils._fetch.tls import Endpoint, handshakes",
            "import socket; server = socket.create_server(('127.0.0.1', 0)); "
            "handshakes([Endpoint('127.0.0.1', server.getsockname()[1])], timeout=5)",
        ),
        (
            "crossplane",
            "crossplane",
            f"from {COLLECTION}.plugin_utils.nginx_dump import read_dump",
            "read_dump('# configuration file /nginx.conf:\\nevents {}\\n')",
        ),
    ],
    ids=["certificates", "keys", "requests", "handshakes", "nginx"],
)
def test_first_use_names_the_package(library: str, package: str, imported: str, used: str) -> None:
    script = WITHOUT % (imported, used)
    path = json.dumps([entry for entry in sys.path if entry])
    done = subprocess.run(
        [sys.executable, "-c", script, library, path], capture_output=True, text=True, timeout=60, check=False
    )
    error = json.loads(done.stdout or "{}")
    assert error.get("code") == "library_missing", done.stderr
    assert package in error["msg"] and package in error["remedy"]
