# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A key is fresh, or it is said where it was seen."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.fresh_key import refuse_known_key

KEY, OTHER = "a" * 64, "b" * 64


def log(*fates: str, key: str = KEY) -> dict[str, Any]:
    return {"installed": {"keys_log": [{"spki_sha256": key, "fate": fate} for fate in fates]}}


def version(name: str, key: str = KEY) -> dict[str, Any]:
    return {"installed": {"versions": [{"version": name, "spki_sha256": key}]}}


PREPARED = {"prepared": {"version": "v2", "resumed": False}}
RESUMED = {"prepared": {"version": "v2", "resumed": True}}
RECEIVER = {"share": {"role": "receiver"}, **PREPARED}


@pytest.mark.parametrize(
    "rotation",
    [
        {},
        {"predecessor": None, "served": None, "installed": None},
        {"predecessor": {"spki_sha256": OTHER}, "served": [{"spki_sha256": OTHER}, {"error": {"code": "timeout"}}]},
        {**log("created", "revoked:keyCompromise", key=OTHER), **PREPARED},
        {**log("created"), **RESUMED},
        {**version("v2"), **RESUMED},
        {**version("v1", OTHER), **PREPARED},
        {**log("received"), **RESUMED},
        {**log("received", "abandoned"), **RECEIVER},
        {"installed": {**log("received", "live", "abandoned")["installed"], **version("v1")["installed"]}, **RECEIVER},
    ],
)
def test_fresh_key_passes(rotation: dict[str, Any]) -> None:
    refuse_known_key(rotation, KEY, [OTHER])


@pytest.mark.parametrize(
    ("rotation", "where"),
    [
        ({"predecessor": {"spki_sha256": KEY}}, "the predecessor has it"),
        ({"served": [{"spki_sha256": OTHER}, {"spki_sha256": KEY}]}, "it is served now"),
        ({**log("created"), **PREPARED}, "keys.log has it as created"),
        ({**log("created", "revoked:keyCompromise"), **RESUMED}, "keys.log has it as revoked:keyCompromise"),
        ({**log("live"), **RESUMED}, "keys.log has it as live"),
        ({**version("v1"), **RESUMED}, "version v1 has it"),
        ({**log("received", "abandoned"), **PREPARED}, "keys.log has it as abandoned"),
        ({**log("received", "live", "retired"), **RECEIVER}, "keys.log has it as retired"),
        ({**log("created", "abandoned"), **RECEIVER}, "keys.log has it as abandoned"),
        (
            {
                "installed": {**log("received", "live")["installed"], **version("v1")["installed"], "live": "v1"},
                **RECEIVER,
            },
            "version v1 has it",
        ),
    ],
)
def test_key_that_was_seen_is_refused_with_where(rotation: dict[str, Any], where: str) -> None:
    with pytest.raises(RotationError) as caught:
        refuse_known_key(rotation, KEY, [])
    assert caught.value.code == "key_known"
    assert caught.value.message.endswith(where)
    assert caught.value.facts == {"spki_sha256": KEY}


def test_denied_key_is_refused_whatever_else_is_known() -> None:
    with pytest.raises(RotationError, match="deny list"):
        refuse_known_key(RESUMED, KEY, {KEY})
