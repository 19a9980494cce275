# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference of the event sources, which antsibull-docs does not know: from their DOCUMENTATION and EXAMPLES."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from antsibull_docs_parser.parser import Context, parse
from antsibull_docs_parser.rst import to_rst_plain

_TOP = """\
.. _event_sources_of_certops.rotation:

Event sources
=============

For ``ansible-rulebook``.

"""


def page(root: Path) -> str:
    folder = root / "extensions" / "eda" / "plugins" / "event_source"
    sources = (path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py")
    return _TOP + "\n".join(line for path in sources for line in _section(path))


def _section(path: Path) -> Iterator[str]:
    texts = _constants(path)
    documentation = yaml.safe_load(texts["DOCUMENTATION"])
    name = f"certops.rotation.{path.stem}"
    yield from (name, "-" * len(name), "", _rst(documentation["short_description"]), "")
    yield from (_rst(documentation["description"]), "")
    yield from _options(documentation["options"])
    if "EXAMPLES" in texts:
        yield from (".. code-block:: yaml", "")
        yield from (f"    {line}".rstrip() for line in texts["EXAMPLES"].strip().removeprefix("---").splitlines())
        yield ""


def _options(options: dict[str, Any]) -> Iterator[str]:
    yield from (".. list-table::", "   :header-rows: 1", "   :widths: 25 75", "")
    yield from ("   * - Option", "     - Meaning")
    for name, option in _with_those_inside("", options):
        facts = [option.get("type", "str")]
        if option.get("elements"):
            facts.append(f"of {option['elements']}")
        facts.append("required" if option.get("required") else f"default: {option.get('default')}")
        yield f"   * - ``{name}``"
        yield f"     - *{', '.join(facts)}*"
        yield ""
        yield from (f"       {line}".rstrip() for line in _rst(option["description"]).splitlines())


def _with_those_inside(outer: str, options: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, option in options.items():
        yield outer + name, option
        inner = f"{outer}{name}{'[]' if option.get('type') == 'list' else ''}."
        yield from _with_those_inside(inner, option.get("suboptions", {}))


def _rst(text: str | list[str]) -> str:
    return to_rst_plain(parse(text, Context(), errors="exception"))


def _constants(path: Path) -> dict[str, str]:
    """Module-level texts, read and not run."""
    return {
        target.id: node.value.value
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
