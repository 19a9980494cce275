# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release refuses, and that one source gives one artifact; on a small collection in a repository of its own.

Whether ours could be released is the gate `release-check`.
"""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

from tools.release import artifact, importer, installed, source
from tools.release.changelog import Changelog
from tools.release.refusal import Refused

CONFIG = Path(__file__).resolve().parents[2] / "changelogs" / "config.yaml"
DAY = datetime.date(2026, 1, 2)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "ansible_collections" / "certops" / "rotation"
    galaxy = {"namespace": "certops", "name": "rotation", "version": "1.2.0", "readme": "README.md", "authors": ["us"]}
    write(tree / "galaxy.yml", yaml.safe_dump(galaxy))
    write(tree / "README.md", "# Small\n")
    write(tree / "changelogs" / "config.yaml", CONFIG.read_text("utf-8"))
    releases = {"1.1.0": {"release_date": "2026-01-02", "changes": {"release_summary": "Before."}}}
    write(tree / "changelogs" / "changelog.yaml", yaml.safe_dump({"ancestor": None, "releases": releases}))
    write(tree / "changelogs" / "fragments" / "1.yaml", "---\nminor_changes:\n  - rotate - it does more.\n")
    for command in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=us", "-c", "user.email=us@x", "commit", "-qm1"],
    ):
        subprocess.run(["git", *command], cwd=tree, check=True)
    return tree


def test_release_makes_notes_of_fragments_in_a_copy_and_hands_them_over(tree: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy" / "ansible_collections" / "certops" / "rotation"
    source.copy_tree(tree, copy)
    changelog = Changelog(copy)
    changelog.release("1.3.0")
    source.must_be_clean(tree)  # until here
    changelog.hand_over(tree)
    after = Changelog(tree)
    assert after.version() == after.version_of_galaxy_yml() == after.next_version() == "1.3.0"
    assert "v1.3.0" in (notes := (tree / "CHANGELOG.rst").read_text()) and "it does more." in notes
    assert not after.waiting()
    built_again_from_the_commit_until_something_new_waits(after)


def built_again_from_the_commit_until_something_new_waits(changelog: Changelog) -> None:
    before = (changelog.tree / "changelogs" / "changelog.yaml").read_bytes()
    changelog.release("1.3.0")
    assert (changelog.tree / "changelogs" / "changelog.yaml").read_bytes() == before
    write(changelog.tree / "changelogs" / "fragments" / "2.yaml", "---\nbugfixes:\n  - rotate - mended.\n")
    assert changelog.next_version() == "1.3.1"
    with pytest.raises(Refused, match="does not come after"):
        changelog.release("1.3.0")


@pytest.mark.parametrize(
    ("version", "why"),
    [("1.1.0", "does not come after 1.1.0"), ("1.0.9", "does not come after"), ("new", "is not a version")],
)
def test_version_that_is_no_step_is_refused(tree: Path, version: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        Changelog(tree).release(version)
    source.must_be_clean(tree)


def test_nothing_to_release_is_refused(tree: Path) -> None:
    (tree / "changelogs" / "fragments" / "1.yaml").unlink()
    with pytest.raises(Refused, match="nothing to release"):
        Changelog(tree).release("1.2.0")


def test_fragment_that_is_wrong_is_refused(tree: Path) -> None:
    write(tree / "changelogs" / "fragments" / "1.yaml", "---\nminor_change:\n  - misspelt\n")
    with pytest.raises(Refused, match="minor_change"):
        Changelog(tree).release("1.2.0")


def test_work_tree_with_changes_is_refused(tree: Path) -> None:
    source.must_be_clean(tree)
    write(tree / "stray", "")
    with pytest.raises(Refused, match="stray"):
        source.must_be_clean(tree)


def test_one_source_gives_one_artifact(tree: Path, tmp_path: Path) -> None:
    first = artifact.build(tree, tmp_path / "first", DAY)
    os.utime(tree / "README.md", (1, 1))
    (tree / "README.md").rename(tree / "other")
    (tree / "other").rename(tree / "README.md")
    second = artifact.build(tree, tmp_path / "second", DAY)
    assert artifact.digest(first) == artifact.digest(second)


def test_artifact_with_strays_or_links_is_refused(tree: Path, tmp_path: Path) -> None:
    for name in artifact.BELONGS - {"README.md"}:
        write(tree / name / "it" if "." not in name and name != "LICENSE" else tree / name, "")
    for fragment in Changelog(tree).waiting():
        fragment.unlink()
    artifact.must_hold_only_what_belongs(artifact.build(tree, tmp_path / "fine", DAY))
    write(tree / "notes.txt", "")
    (tree / "docs" / "link").symlink_to("it")
    with pytest.raises(Refused, match=r"links \['docs/link'\], strays \['notes.txt'\]"):
        artifact.must_hold_only_what_belongs(artifact.build(tree, tmp_path / "not", DAY))


def test_artifact_keeps_ansible_galaxys_checksums(tree: Path, tmp_path: Path) -> None:
    """What was packed again can be installed and verified; only what it lacks is found missing."""
    write(tree / "playbooks" / "go.yml", "---\n- name: Go\n  hosts: all\n")
    (tree / "roles").mkdir()
    built = artifact.build(tree, tmp_path / "built", DAY)
    with tarfile.open(built) as archive:
        names = [member.name for member in archive.getmembers()]
    assert names[:2] == ["MANIFEST.json", "FILES.json"] and names[2:] == sorted(names[2:])
    write(tree / "plugins" / "modules" / "lost.py", "")
    with pytest.raises(Refused, match=r"artifact:\nmodule lost: not listed\Z"):
        installed.must_work(built, tree, tmp_path / "installed")


def test_undocumented_content_is_named() -> None:
    root = CONFIG.parents[1]
    known: dict[str, dict[str, dict[str, object]]] = {kind: {} for kind in ("module", "role", "callback")}
    said = list(installed.undocumented(root, json.loads(json.dumps(known))))
    assert {"module key_csr: not listed", "role rotate: not listed", "callback progress: not listed"} <= set(said)
    known["role"]["certops.rotation.rotate"] = {"error": "it is broken"}
    assert "role rotate: it is broken" in list(installed.undocumented(root, known))


@pytest.mark.parametrize(
    ("status", "output", "errors", "against"),
    [
        (0, f"Loading role check\n{importer.DONE}\n", "", []),
        (0, f"WARNING: no changelog\n{importer.DONE}\n", "", ["WARNING: no changelog"]),
        (0, f"{importer.DONE}\n", "walk error\n", ["walk error"]),
        (1, "ERROR: The import failed\n", "", ["ERROR: The import failed"]),
        (0, "Loading\n", "", ["it ended with status 0", "Loading"]),
        (-9, f"{importer.DONE}\n", "", ["it ended with status -9", importer.DONE]),
    ],
)
def test_whatever_the_importer_says_against_it_counts(
    status: int, output: str, errors: str, against: list[str]
) -> None:
    assert importer.complaints(status, output, errors) == against
