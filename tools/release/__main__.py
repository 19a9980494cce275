# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tools.release [--version X.Y.Z]` makes a release; `--check` tries all of it and leaves nothing behind."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.python_environments import ROOT
from tools.release import artifact, importer, installed, source
from tools.release.changelog import Changelog
from tools.release.refusal import Refused

PLACE = ROOT / "build" / "release"
NEXT = """\
{artifact}
sha256 {digest}
The changelog and galaxy.yml of the work tree say {version} now. What is left to do, once you have read them:
  git add --all CHANGELOG.rst changelogs galaxy.yml
  git commit -m 'Release {version}' && git tag -a -m 'Release {version}' {version} && git push origin HEAD {version}
  ansible-galaxy collection publish {artifact}"""


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    try:
        return try_release() if options.check else release(options.version or None)
    except Refused as refusal:
        print(f"release: {refusal}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=__doc__)
    what = options.add_mutually_exclusive_group()
    what.add_argument("--version", help="instead of the one in galaxy.yml")
    what.add_argument("--check", action="store_true", help="of the work tree as it is; without ansible-lint")
    return options


def try_release() -> int:
    """ansible-lint is left out: the gate `lint` runs it with the same profile on more than the artifact holds."""
    with tempfile.TemporaryDirectory(prefix="certops-release-") as folder:
        place = Path(folder)
        changelog = Changelog(staged(place))
        changelog.release(changelog.next_version())
        made = proven(place, changelog, lint=False)
        print(f"{made.name}: {made.stat().st_size // 1024} KiB, would be released")
    return 0


def release(version: str | None) -> int:
    source.must_be_clean(ROOT)
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    changelog = Changelog(staged(PLACE))
    changelog.release(version or changelog.version_of_galaxy_yml())
    made = proven(PLACE, changelog, lint=True)
    changelog.hand_over(ROOT)
    kept = shutil.copy(made, PLACE)
    print(
        NEXT.format(
            artifact=Path(kept).relative_to(ROOT), digest=artifact.digest(Path(kept)), version=changelog.version()
        )
    )
    return 0


def staged(place: Path) -> Path:
    """A copy of the collection under a path that Ansible's tools accept."""
    tree = place / "source" / "ansible_collections" / "certops" / "rotation"
    source.copy_tree(ROOT, tree)
    return tree


def proven(place: Path, changelog: Changelog, *, lint: bool) -> Path:
    """The artifact, once everything was asked of it; raises Refused."""
    made = artifact.build(changelog.tree, place / "built", changelog.date())
    artifact.must_hold_only_what_belongs(made)
    again = artifact.build(changelog.tree, place / "built-again", changelog.date())
    if artifact.digest(made) != artifact.digest(again):
        raise Refused(f"{made} and {again} were built of the same source and differ")
    importer.must_pass(made, place / "importer", lint=lint)
    installed.must_work(made, changelog.tree, place / "installed")
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
