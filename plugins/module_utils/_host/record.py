# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``record.json`` of a version: what is known about one release, and the state from which a killed run goes on."""

from __future__ import annotations

import json
import os
from typing import Any, Dict

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.atomic_write import read_file, write_file
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import FileOptions

FILE_NAME = "record.json"
STATES = ("prepared", "installed", "served", "revoked", "visible", "retired", "rolled_back", "abandoned")
_FIXED = ("version", "created_at", "request", "spki_sha256")
_LIMIT = 1024 * 1024

Record = Dict[str, Any]


def read_record(version_folder: str) -> Record:
    """The record, or an empty one if it is missing or torn: such a version is never live and never used again."""
    try:
        record = json.loads(read_file(os.path.join(version_folder, FILE_NAME), _LIMIT))
    except (FileNotFoundError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def record_bytes(record: Record) -> bytes:
    """The record as it stands in the file; equal records give equal bytes."""
    return (json.dumps(record, indent=2, sort_keys=True) + "\n").encode("utf-8")


def write_record(version_folder: str, record: Record, options: FileOptions) -> None:
    """Replace the record by temporary file, fsync and rename."""
    write_file(os.path.join(version_folder, FILE_NAME), record_bytes(record), options)


def updated(record: Record, update: Record) -> Record:
    """The record with newer facts; times are merged, and what was true at the key's birth stays."""
    state = update.get("state")
    if state is not None and state not in STATES:
        raise RotationError("state_invalid", f"{str(state)[:40]!r} is not a state of a version")
    kept = {key: record[key] for key in _FIXED if record.get(key) is not None}
    times = dict(record.get("times") or {}, **(update.get("times") or {}))
    return dict(dict(record, **update), times=times, **kept)
