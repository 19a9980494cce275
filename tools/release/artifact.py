# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that goes to Galaxy: built by ansible-galaxy, then packed again so that one source gives one file."""

from __future__ import annotations

import calendar
import datetime
import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from tests.gates.command import tool_environment
from tools.python_environments import DEV
from tools.release.refusal import Refused, must_run

MANIFEST, FILES = "MANIFEST.json", "FILES.json"
# What someone who installs the collection has a use for. Tests, demo and tools work in a clone only.
# .ansible-lint is there for Galaxy, which lints with it.
BELONGS = {
    ".ansible-lint", "CHANGELOG.rst", "CONTRIBUTING.md", "LICENSE", "README.md", "bindep.txt", "changelogs", "docs",
    "extensions", "meta", "playbooks", "plugins", "requirements.txt", "roles",
}  # fmt: skip
# Of tests: molecule's scenarios boot the lab, which is not in the artifact.
MISPLACED = ("extensions/molecule", "changelogs/fragments/")
MOST_BYTES = 1 << 20


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def build(tree: Path, output: Path, date: datetime.date) -> Path:
    """The artifact of the collection in `tree`; raises Refused."""
    command = ["ansible-galaxy", "collection", "build", "--force", "--output-path", str(output)]
    must_run(command, tool_environment(DEV.python), tree)
    (built,) = output.glob("*.tar.gz")
    _pack_again(built, date)
    return built


def _pack_again(path: Path, date: datetime.date) -> None:
    """ansible-galaxy takes files in the order of the file system and stamps them with the clock."""
    with tarfile.open(path, "r:gz") as archive:
        members = {member.name: member for member in archive.getmembers()}
        content = {name: archive.extractfile(member) for name, member in members.items()}
        data = {name: file.read() for name, file in content.items() if file is not None}
    _sort_manifest(data)
    packed = io.BytesIO()
    # Not gzip.open: its header would hold the time and the path.
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        # The manifests come first, as ansible-galaxy has them: who lists a collection reads no further.
        for name in [MANIFEST, FILES, *sorted(members.keys() - {MANIFEST, FILES})]:
            member = members[name]
            member.mtime = calendar.timegm(date.timetuple())
            member.size = len(data.get(name, b""))
            archive.addfile(member, io.BytesIO(data[name]) if name in data else None)
    path.write_bytes(packed.getvalue())


def _sort_manifest(data: dict[str, bytes]) -> None:
    files = json.loads(data[FILES])
    files["files"].sort(key=lambda file: str(file["name"]))
    data[FILES] = _as_ansible_galaxy_writes(files)
    manifest = json.loads(data[MANIFEST])
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(data[FILES]).hexdigest()
    data[MANIFEST] = _as_ansible_galaxy_writes(manifest)


def _as_ansible_galaxy_writes(document: Any) -> bytes:
    return json.dumps(document, indent=1).encode()


def must_hold_only_what_belongs(path: Path) -> None:
    with tarfile.open(path, "r:gz") as archive:
        members = archive.getmembers()
    links = [member.name for member in members if not (member.isfile() or member.isdir())]
    files = {member.name for member in members if member.isfile()} - {MANIFEST, FILES}
    strays = sorted(
        name
        for name in files
        if name.split("/")[0] not in BELONGS or name.startswith(MISPLACED) or "__pycache__" in name
    )
    missing = sorted(BELONGS - {member.name.split("/")[0] for member in members})
    if links or strays or missing:
        raise Refused(
            f"{path.name} holds what does not belong into it, see build_ignore in galaxy.yml, or lacks something: "
            f"links {links}, strays {strays}, missing {missing}"
        )
    if path.stat().st_size > MOST_BYTES:
        raise Refused(f"{path.name} has {path.stat().st_size} bytes; more than {MOST_BYTES} is no collection of ours")
