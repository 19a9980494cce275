# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host needs Python 3.8 and nothing from PyPI."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.gates.host_side import (
    host_files,
    host_modules,
    import_failures,
    library_files,
    syntax_too_new,
)

from tools.python_environments import find_python

# By the path that Ansible imports by, so that the names of the files are those of the import system.
PLUGINS = Path(__file__).resolve().parents[2] / "build/collections/ansible_collections/certops/rotation" / "plugins"
UTILS = "ansible_collections.certops.rotation.plugins.module_utils"


def broken(root: Path, path: str, code: str) -> Path:
    """A collection with one file, which a host cannot use; returns its plugins folder."""
    plugins = root / "ansible_collections" / "certops" / "rotation" / "plugins"
    errors = plugins / "module_utils" / "_core" / "errors.py"
    for place, text in ((errors, ""), (plugins / path, code)):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return plugins


def test_the_host_side_is_not_empty() -> None:
    assert {path.stem for path in host_modules(PLUGINS)} >= {"key_csr", "certificate_install", "key_retire"}
    assert len(library_files(PLUGINS)) > 10


def test_python_3_8_can_read_it() -> None:
    assert list(syntax_too_new(host_files(PLUGINS))) == []


def test_it_is_imported_where_no_library_is() -> None:
    assert import_failures(sys.executable, host_files(PLUGINS), PLUGINS, isolated=False) == []


def test_its_library_needs_only_the_standard_library() -> None:
    assert import_failures(sys.executable, library_files(PLUGINS), PLUGINS, isolated=True) == []


def test_a_real_python_3_8_imports_it() -> None:
    python = find_python("3.8")
    if python is None:
        pytest.skip("no Python 3.8 on this machine")
    assert import_failures(python, library_files(PLUGINS), PLUGINS, isolated=True) == []


@pytest.mark.parametrize(
    "code",
    [
        "match 1:\n    case _:\n        pass\n",
        "with (open('a') as a, open('b') as b):\n    pass\n",
        "try:\n    pass\nexcept* OSError:\n    pass\n",
    ],
)
def test_newer_syntax_is_named(tmp_path: Path, code: str) -> None:
    plugins = broken(tmp_path, "module_utils/_host/a.py", code)
    found = list(syntax_too_new(host_files(plugins)))
    assert len(found) == 1
    assert "_host/a.py:" in found[0]


@pytest.mark.parametrize("code", ["import cryptography", "def f():\n    pass\nimport yaml"])
def test_a_library_is_named(tmp_path: Path, code: str) -> None:
    plugins = broken(tmp_path, "module_utils/_host/a.py", code)
    for isolated in (True, False):
        found = import_failures(sys.executable, host_files(plugins), plugins, isolated=isolated)
        assert len(found) == 1
        assert found[0].startswith(f"{UTILS}._host.a: ")


def test_a_library_two_imports_away_from_a_host_module_is_named(tmp_path: Path) -> None:
    broken(tmp_path, "module_utils/_ansible/b.py", "import cryptography")
    broken(tmp_path, "module_utils/_host/a.py", "")
    plugins = broken(tmp_path, "modules/m.py", f"import {UTILS}._host.a\nfrom {UTILS}._ansible import b\n")
    found = import_failures(sys.executable, host_files(plugins), plugins, isolated=False)
    assert any("_ansible.b: ImportError: no cryptography on this host" in text for text in found)


def test_semantics_that_python_3_8_lacks_are_named(tmp_path: Path) -> None:
    python = find_python("3.8")
    if python is None:
        pytest.skip("no Python 3.8 on this machine")
    plugins = broken(tmp_path, "module_utils/_host/a.py", "from __future__ import annotations\nx = dict[str, int]\n")
    assert len(import_failures(python, library_files(plugins), plugins, isolated=True)) == 1
