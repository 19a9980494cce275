# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people copy out of the documentation: commands, and blocks of YAML."""

from __future__ import annotations

import dataclasses
import functools
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUIDES = (*sorted((ROOT / "docs" / "docsite" / "rst").glob("*.rst")), *sorted((ROOT / "docs" / "site").glob("*.md")))
README = ROOT / "README.md"

_RST_BLOCK = re.compile(r"^( *)\.\. code-block:: *(\S+)\n((?:\1 +\S.*\n|[ \t]*\n)+)", re.MULTILINE)
_MD_BLOCK = re.compile(r"^()```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.page.name}:{self.line}"


@dataclasses.dataclass(frozen=True)
class Command:
    """``text`` is one line, without the prompt; options of ``.. code-block::`` and outputs are not among them."""

    page: Path
    line: int
    text: str

    @property
    def where(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    pattern = _MD_BLOCK if page.suffix == ".md" else _RST_BLOCK
    for found in pattern.finditer(text):
        first = text[: found.start(3)].count("\n") + 1
        yield Block(page, first, found[2], textwrap.dedent(found[3]))


@functools.cache
def commands() -> tuple[Command, ...]:
    """Of all guides what follows a prompt, and of the README all blocks that have no language."""
    found: list[Command] = []
    for page in (*GUIDES, README):
        for block in blocks(page):
            if block.language == "console" or (page == README and not block.language):
                found += _commands_in(block)
    return tuple(found)


def _commands_in(block: Block) -> Iterator[Command]:
    lines = iter(enumerate(block.text.splitlines(), block.line))
    for number, line in lines:
        if not _begins_command(block, line):
            continue
        text = line.removeprefix("$ ")
        while text.endswith("\\"):
            text = text[:-1].rstrip() + " " + next(lines, (0, ""))[1].strip()
        yield Command(block.page, number, text.partition("  #")[0].strip())


def _begins_command(block: Block, line: str) -> bool:
    if block.page != README:
        return line.startswith("$ ")
    # Drawings and folders are blocks without a language, too.
    return bool(re.match(r"(?:git|make|pip|ansible[a-z-]*|openssl|cd) ", line))
