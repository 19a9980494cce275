# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The suite of our own vectors: every module here is a topic, every function in it marked ``@vector`` a case.

Beside each topic lies ``TOPIC.sha256`` with a digest of each case's bytes, as of when it was written.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from ansible_collections.certops.rotation.tests.conformance.check import Check
from ansible_collections.certops.rotation.tests.conformance.vector import VECTORS, Vector, complaints

FOLDER = Path(__file__).parent


def all_vectors() -> list[Vector]:
    """Every case of every topic, in the order of their names."""
    for topic in pkgutil.iter_modules([str(FOLDER)]):
        importlib.import_module(f"{__name__}.{topic.name}")
    return [VECTORS[name] for name in sorted(VECTORS)]


def checks() -> Iterator[Check]:
    """The cases."""
    for each in all_vectors():
        yield Check(each.name, each.description, functools.partial(_check, each))


def _check(each: Vector) -> Sequence[str]:
    """Its verdict, and that its bytes are those of every other run."""
    case = each.make()
    found = complaints(case)
    known = digests().get(each.name)
    if known != case.digest():
        remedy = "--write-digests if that is meant"
        found.append(f"its bytes are not those in the .sha256 file: {remedy}" if known else f"no digest yet: {remedy}")
    return found


@functools.cache
def digests() -> dict[str, str]:
    """By the name of the case, from all ``.sha256`` files."""
    lines = [line.split() for path in FOLDER.glob("*.sha256") for line in path.read_text("ascii").splitlines()]
    return {name: digest for digest, name in lines}


def write_digests(word: str = "") -> None:
    """Take today's bytes as right, of the topics that have ``word`` in their name."""
    by_topic: dict[str, list[str]] = {}
    for each in all_vectors():
        topic = each.name.partition(".")[0]
        if word in topic:
            by_topic.setdefault(topic, []).append(f"{each.make().digest()}  {each.name}\n")
    for topic, lines in by_topic.items():
        (FOLDER / f"{topic}.sha256").write_text("".join(lines), "ascii")
