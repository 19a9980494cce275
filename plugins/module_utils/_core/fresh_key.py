# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof that a certificate's key was never seen before, from what the host told of its past."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError


def refuse_known_key(rotation: Mapping[str, Any], spki_sha256: str, deny_list: Collection[str]) -> None:
    """:raises RotationError: ``key_known``, saying where the key was seen."""
    where = _seen(rotation, spki_sha256, deny_list)
    if where:
        raise RotationError(
            "key_known",
            f"the key {spki_sha256[:16]}… is not fresh: {where}",
            remedy="Nothing was touched. Find out who made this key; a run from now on makes another one.",
            spki_sha256=spki_sha256,
        )


def _seen(rotation: Mapping[str, Any], spki_sha256: str, deny_list: Collection[str]) -> str | None:
    if spki_sha256 in deny_list:
        return "it is on the deny list"
    if spki_sha256 == (rotation.get("predecessor") or {}).get("spki_sha256"):
        return "the predecessor has it"
    if any(entry.get("spki_sha256") == spki_sha256 for entry in rotation.get("served") or ()):
        return "it is served now"
    installed = rotation.get("installed") or {}
    # The look came before the key was made; a resumed key is in the log, as created and nothing else.
    resumed = (rotation.get("prepared") or {}).get("resumed")
    for fact in installed.get("keys_log") or ():
        if fact.get("spki_sha256") == spki_sha256 and not (resumed and fact.get("fate") == "created"):
            return f"keys.log has it as {fact.get('fate')}"
    prepared = (rotation.get("prepared") or {}).get("version")
    for version in installed.get("versions") or ():
        if version.get("spki_sha256") == spki_sha256 and version.get("version") != prepared:
            return f"version {version.get('version')} has it"
    return None
