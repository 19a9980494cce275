# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-builder makes of the collection, and of the definition of an image with it; nothing is built."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml
from ansible_collections.certops.rotation.tests.support import playbook


def builder(*arguments: str, cwd: Path) -> str:
    command = [playbook.command("ansible-builder"), *arguments]
    run = subprocess.run(command, cwd=cwd, env=playbook.environment(), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr + run.stdout
    return run.stdout


def context_of(definition: str, place: Path) -> tuple[str, Path]:
    """The Containerfile, and what is copied into the image."""
    arguments = ["-f", str(playbook.REPOSITORY / definition), "-c", str(place), "--output-filename", "Containerfile"]
    builder("create", *arguments, cwd=place.parent)
    return (place / "Containerfile").read_text(), place / "_build"


def test_collection_says_what_it_needs_wherever_it_is_found(tmp_path: Path) -> None:
    found = yaml.safe_load(builder("introspect", str(playbook.COLLECTIONS), cwd=tmp_path))
    own = "# from collection certops.rotation"
    wanted = [line for line in (playbook.REPOSITORY / "requirements.txt").read_text().splitlines() if line[:1] != "#"]
    assert [one.partition(own)[0].strip() for one in found["python"] if own in one] == wanted
    assert f"openssl [platform:dpkg platform:rpm]  {own}" in found["system"]


def test_definition_of_the_collection_makes_an_image_with_what_it_needs(tmp_path: Path) -> None:
    containerfile, copied = context_of("meta/execution-environment.yml", tmp_path / "context")
    for name in ("requirements.txt", "bindep.txt"):
        assert not (copied / name).is_symlink()
        assert (copied / name).read_text() == (playbook.REPOSITORY / name).read_text()
        assert name in containerfile


def test_definition_of_the_image_has_the_collection_and_what_runs_it(tmp_path: Path) -> None:
    containerfile, copied = context_of("extensions/awx/execution-environment.yml", tmp_path / "context")
    wanted = yaml.safe_load((copied / "requirements.yml").read_text())["collections"]
    assert {one["name"] for one in wanted} == {"certops.rotation", "awx.awx"}
    assert "ansible-core>=2.17 ansible-runner" in containerfile and "/usr/bin/python3.11" in containerfile
