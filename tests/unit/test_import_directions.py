# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rooms of plugins/ use each other in one direction only."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.gates.import_directions import violations

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
OURS = "ansible_collections.certops.rotation"
UTILS = f"{OURS}.plugins.module_utils"


def tree(root: Path, path: str, code: str) -> Path:
    plugins = root / "plugins"
    (plugins / path).parent.mkdir(parents=True, exist_ok=True)
    (plugins / path).write_text(code)
    return plugins


def test_this_collection_obeys() -> None:
    assert violations(PLUGINS) == []


@pytest.mark.parametrize(
    ("path", "code", "said"),
    [
        ("module_utils/_core/a.py", f"from {UTILS}._fetch.http import get", "_core may not import from _fetch"),
        ("module_utils/_core/a.py", "import socket", "_core is pure and may not import socket"),
        ("module_utils/_core/a.py", "from os import environ", "_core is pure and may not import os"),
        ("module_utils/_core/a.py", "import urllib.request", "_core is pure and may not import urllib.request"),
        ("module_utils/_core/a.py", "import ansible.errors", "_core may not import ansible.errors"),
        ("module_utils/_core/a.py", "from datetime import datetime\nx = datetime.now()", ":2: time is an argument"),
        ("module_utils/_core/a.py", "x = open('/etc/passwd')", "_core is pure and may not call open()"),
        ("module_utils/_host/a.py", "import cryptography", "_host may not import cryptography"),
        ("module_utils/_host/a.py", "def f():\n    import yaml", ":2: _host may not import yaml"),
        ("module_utils/_host/a.py", f"from {UTILS}._core.certificate import x", "nothing of _core but errors"),
        ("module_utils/_fetch/a.py", f"from {UTILS}._ansible.result import x", "_fetch may not import from _ansible"),
        ("module_utils/_issuers/a.py", f"from {UTILS}._host.openssl import x", "_issuers may not import from _host"),
        ("module_utils/_issuers/a.py", "from ..certificate import x", "relative import"),
        ("module_utils/_core/__init__.py", "from .verdict import Verdict", "__init__.py is not empty"),
        ("modules/a.py", f"from {OURS}.tests.support.pki import x", "plugins may not import"),
        ("modules/a.py", f"from {OURS} import plugins", "plugins may not import"),
        ("modules/a.py", "import cryptography", "modules may not import cryptography"),
        ("action/a.py", "from ansible_collections.community.crypto.plugins import x", "is another collection"),
        ("helpers/a.py", "", "helpers is no room"),
    ],
)
def test_a_wrong_import_is_named_with_file_and_line(tmp_path: Path, path: str, code: str, said: str) -> None:
    found = violations(tree(tmp_path, path, code))
    assert len(found) == 1
    assert found[0].startswith(f"plugins/{path}:")
    assert said in found[0]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("module_utils/_core/a.py", "from urllib.parse import urlsplit\nfrom cryptography import x509"),
        ("module_utils/_core/a.py", f"from {UTILS}._core.verdict import Verdict"),
        ("module_utils/_host/a.py", f"import os\nfrom {UTILS}._core.errors import RotationError"),
        ("action/a.py", f"from {OURS}.plugins.modules.key_csr import ARGUMENT_SPEC"),
        ("module_utils/_core/__init__.py", ""),
    ],
)
def test_a_right_import_is_not_named(tmp_path: Path, path: str, code: str) -> None:
    assert violations(tree(tmp_path, path, code)) == []
