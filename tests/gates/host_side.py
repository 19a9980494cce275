# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on a host, and whether a host with an old and bare Python can run it."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ansible_collections.certops.rotation.tests.gates.collection_imports import closure, dotted_name, imports_of

OLDEST_PYTHON = (3, 8)
NOT_ON_A_HOST = ("cryptography", "OpenSSL", "yaml", "jinja2", "crossplane", "acme")
_REFUSE_AND_IMPORT = """\
import importlib, sys
root, refused, names = sys.argv[1], set(sys.argv[2].split(",")), sys.argv[3:]
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ImportError("no %s on this host" % name)
sys.meta_path.insert(0, Refuse())
sys.path.insert(0, root)
for name in names:
    try:
        importlib.import_module(name)
    except Exception as error:
        print("%s: %s: %s" % (name, type(error).__name__, error))
"""


def library_files(plugins: Path) -> list[Path]:
    """The part of the host side that needs nothing but the standard library, not even Ansible."""
    utils = plugins / "module_utils"
    return [utils / "_core" / "errors.py", *sorted((utils / "_host").glob("*.py"))]


def host_modules(plugins: Path) -> list[Path]:
    """Modules that use the host's room, and so run there."""
    room = ".module_utils._host"
    return [
        path
        for path in sorted((plugins / "modules").glob("*.py"))
        if any(found.is_ours and room in found.target for found in imports_of(path))
    ]


def host_files(plugins: Path) -> list[Path]:
    """Everything that Ansible sends to a host for those modules."""
    return closure([*host_modules(plugins), *library_files(plugins)], plugins)


def syntax_too_new(files: Iterable[Path]) -> Iterator[str]:
    """Files that the oldest Python of a host cannot read."""
    for path in files:
        try:
            ast.parse(path.read_text("utf-8"), str(path), feature_version=OLDEST_PYTHON)
        except SyntaxError as error:
            yield f"{path}:{error.lineno}: {error.msg}"


def import_failures(
    python: str, files: Sequence[Path], plugins: Path, *, isolated: bool, refused: Sequence[str] = NOT_ON_A_HOST
) -> list[str]:
    """One line for each file that `python` cannot import with the libraries in `refused` absent.

    Isolated means: the standard library and this collection are all there is.
    """
    collections = plugins.parents[3]
    names = [dotted_name(path, plugins) for path in files]
    options = ["-I", "-S"] if isolated else []
    done = subprocess.run(
        [python, *options, "-B", "-c", _REFUSE_AND_IMPORT, str(collections), ",".join(refused), *names],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return [*done.stdout.splitlines(), *done.stderr.splitlines()]
