# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""badkeys, where it is installed: more checks than our own, and lists of keys that leaked. An optional library."""

from __future__ import annotations

import importlib
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import serialization
from ansible_collections.certops.rotation.plugins.module_utils._core.weak_key import Weakness

# Advice on sizes, which we judge ourselves.
_NO_WEAKNESS = frozenset({"rsawarnings"})


def badkeys_weaknesses(public_key: Any) -> tuple[list[Weakness], str]:
    """What badkeys has against the key, and a note on what it could not look at.

    Only the names of its findings are taken: some of them hold factors of the modulus.

    :raises RotationError: ``library_missing``, ``badkeys_failed``.
    """
    badkeys = _library()
    pem = public_key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    without_lists = [name for name in badkeys.defaultchecks if name != "blocklist"]
    found = _names(badkeys, pem, without_lists)
    try:
        found += _names(badkeys, pem, ["blocklist"])
        note = ""
    except RotationError:
        note = "badkeys has no block lists here: run badkeys --update-bl"
    return [Weakness(f"badkeys_{name}", f"badkeys: {name}", True) for name in found], note


def _library() -> Any:
    try:
        return importlib.import_module("badkeys")
    except ImportError as error:
        raise RotationError(
            "library_missing",
            f"the Python library badkeys cannot be imported: {error}",
            remedy="install badkeys for the Python that runs Ansible, or leave it out of databases",
            library="badkeys",
        ) from error


def _names(badkeys: Any, pem: str, checks: list[str]) -> list[str]:
    try:
        results = badkeys.checkpubkey(pem, checks=checks)["results"]
    except (Exception, SystemExit) as error:  # it is beta, and ends the program where its lists are missing
        raise RotationError("badkeys_failed", f"badkeys failed: {type(error).__name__}") from error
    return sorted(name for name in results if name not in _NO_WEAKNESS)
