# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changelog of a copy of the collection: which version it is, what waits to be released, and the release itself."""

from __future__ import annotations

import datetime
import re
import shutil
from pathlib import Path
from typing import Any

import yaml
from ansible.utils.version import SemanticVersion

from tests.gates.command import tool_environment
from tools.python_environments import DEV
from tools.release.refusal import Refused, must_run

VERSION_LINE = re.compile(r"^version:.*$", re.MULTILINE)


class Changelog:
    """:param tree: a copy of the collection, below a folder `ansible_collections`; it is changed."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self._galaxy_yml = tree / "galaxy.yml"
        self._file = tree / "changelogs" / "changelog.yaml"

    def version_of_galaxy_yml(self) -> str:
        return str(yaml.safe_load(self._galaxy_yml.read_text("utf-8"))["version"])

    def version(self) -> str:
        """The last one released; raises Refused if there is none."""
        if not self._releases():
            raise Refused("nothing was released yet")
        return max(self._releases(), key=SemanticVersion)

    def date(self) -> datetime.date:
        """Of the last release."""
        return datetime.date.fromisoformat(str(self._releases()[self.version()]["release_date"]))

    def waiting(self) -> list[Path]:
        """Fragments that no release has told of."""
        return sorted((self.tree / "changelogs" / "fragments").glob("*.y*ml"))

    def next_version(self) -> str:
        """What galaxy.yml says; or a number that is free, where it says one that was released."""
        version = self.version_of_galaxy_yml()
        if version not in self._releases() or not self.waiting():
            return version
        last = SemanticVersion(self.version())
        return f"{last.major}.{last.minor}.{(last.patch or 0) + 1}"

    def release(self, version: str) -> None:
        """Make the notes of the fragments. Where they are made and nothing waits, leave all as it is, so that the
        artifact can be built again from the commit of a release."""
        self._must_be_a_step(version)
        if not self.waiting() and version in self._releases():
            return
        if not self.waiting():
            raise Refused("changelogs/fragments is empty: there is nothing to release")
        self._galaxy_yml.write_text(
            VERSION_LINE.sub(f"version: {version}", self._galaxy_yml.read_text("utf-8")), "utf-8"
        )
        self._antsibull("lint")
        self._antsibull("release", "--version", version, "--reload-plugins")
        if self.waiting():
            raise Refused(f"antsibull-changelog left fragments over: {', '.join(each.name for each in self.waiting())}")

    def hand_over(self, tree: Path) -> None:
        """Bring what a release changes into the work tree that this is a copy of."""
        for name in ("galaxy.yml", "CHANGELOG.rst", "changelogs/changelog.yaml"):
            shutil.copyfile(self.tree / name, tree / name)
        for fragment in Changelog(tree).waiting():
            fragment.unlink()

    def _must_be_a_step(self, version: str) -> None:
        try:
            wanted = SemanticVersion(version)
        except ValueError as problem:
            raise Refused(f"{version} is not a version such as 1.2.3") from problem
        released = self._releases()
        if not released or (version == self.version() and not self.waiting()):
            return
        if wanted <= SemanticVersion(self.version()):
            raise Refused(
                f"{version} does not come after {self.version()}, which was released on {self.date()}: "
                "set `version` in galaxy.yml, or VERSION="
            )

    def _releases(self) -> dict[str, dict[str, Any]]:
        return yaml.safe_load(self._file.read_text("utf-8"))["releases"] or {}

    def _antsibull(self, *words: str) -> None:
        environ = tool_environment(DEV.python) | {"ANSIBLE_COLLECTIONS_PATH": str(self.tree.parents[2])}
        must_run(["antsibull-changelog", *words], environ, self.tree)
