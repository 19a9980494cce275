# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof that a certificate's key was never seen before, from what the host told of its past."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

# What a key that another host shares may have met here, and be received again: it was given up, not replaced.
_GIVEN_UP = frozenset({"received", "live", "abandoned"})


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
    is_receiver = (rotation.get("share") or {}).get("role") == "receiver"
    prepared = rotation.get("prepared") or {}
    fates = [fact.get("fate") for fact in installed.get("keys_log") or () if fact.get("spki_sha256") == spki_sha256]
    # The look came before the key was made; a resumed key is in the log, as created or received and nothing else.
    if prepared.get("resumed") and set(fates) <= {"created", "received"}:
        fates = []
    may_come_again = is_receiver and fates[:1] == ["received"] and set(fates) <= _GIVEN_UP
    if fates and not may_come_again:
        return f"keys.log has it as {fates[-1]}"
    versions = installed.get("versions") or ()
    spared = {prepared.get("version")}
    if may_come_again:
        spared |= {one.get("version") for one in versions} - {installed.get("live")}
    for version in versions:
        if version.get("spki_sha256") == spki_sha256 and version.get("version") not in spared:
            return f"version {version.get('version')} has it"
    return None
