# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changelog: what antsibull-changelog wrote at releases, and before it the fragments that wait for the next one."""

from __future__ import annotations

from pathlib import Path

import yaml


def page(root: Path) -> str:
    released = root / "CHANGELOG.rst"
    waiting = _waiting(root / "changelogs")
    parts = [released.read_text("utf-8")] if released.is_file() else ["Changelog\n=========\n"]
    if waiting:
        parts += ["Not released yet\n----------------\n", *waiting]
    return "\n".join(parts)


def _waiting(changelogs: Path) -> list[str]:
    titles = dict(yaml.safe_load((changelogs / "config.yaml").read_text("utf-8"))["sections"])
    found: dict[str, list[str]] = {}
    for fragment in sorted((changelogs / "fragments").glob("*.y*ml")):
        for section, changes in (yaml.safe_load(fragment.read_text("utf-8")) or {}).items():
            found.setdefault(section, []).extend(changes if isinstance(changes, list) else [changes])
    return [
        f"**{titles.get(section, section.replace('_', ' ').capitalize())}**\n\n"
        + "\n".join("* " + "\n  ".join(str(change).strip().splitlines()) for change in changes)
        + "\n"
        for section, changes in sorted(found.items(), key=lambda entry: [*titles, entry[0]].index(entry[0]))
    ]
