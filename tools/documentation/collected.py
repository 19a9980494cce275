# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of the site that antsibull-docs does not write: copied from docs/, or made from code."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tools.documentation import ansible_labels, changes, event_sources, playbooks

_GUIDE = re.compile(r"\((?:\.\./)*(?:docs/)?docsite/rst/(guide_\w+)\.rst\)")


def collect(root: Path, pages: Path) -> None:
    shutil.copytree(root / "docs" / "site", pages, dirs_exist_ok=True)
    shutil.copy2(root / "README.md", pages)
    _project(root / "docs", pages / "project")
    (pages / "playbooks.rst").write_text(playbooks.page(root), "utf-8")
    (pages / "event_sources.rst").write_text(event_sources.page(root), "utf-8")
    (pages / "changelog.rst").write_text(changes.page(root), "utf-8")
    (pages / "ansible.inv").write_bytes(ansible_labels.inventory(pages / "collection"))


def _project(docs: Path, pages: Path) -> None:
    """What is Markdown in the repository stays so; links to guides lead to where the site has these."""
    (pages / "decisions").mkdir(parents=True)
    for text in [*docs.glob("*.md"), *docs.glob("decisions/*.md")]:
        place = pages / text.relative_to(docs)
        up = "../" * (len(place.relative_to(pages).parts))
        place.write_text(_GUIDE.sub(rf"({up}collection/docsite/\1.rst)", text.read_text("utf-8")), "utf-8")
    for picture in [*docs.glob("*.svg"), *docs.glob("plots/*.svg")]:
        place = pages / picture.relative_to(docs)
        place.parent.mkdir(exist_ok=True)
        shutil.copy2(picture, place)
    entries = "\n".join(path.stem for path in sorted(docs.glob("decisions/*.md")))
    (pages / "decisions" / "index.md").write_text(f"# Decisions\n\n```{{toctree}}\n{entries}\n```\n", "utf-8")
