# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option that sounds like a secret says whether it is one (CVE-2020-25646 was an option that did not)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

SOUNDS_SECRET = ("key", "secret", "token", "passphrase", "password")
# With these in its name an option of a role is a secret; a "key" may be a path, a type or a fingerprint.
IS_SECRET = ("secret", "passphrase", "password")
# By name they are none, but the passphrase of a CA may be in them.
HOLDS_SECRETS = "issuers"


def silent_options(spec: Mapping[str, Any], where: str) -> Iterator[str]:
    """Options of an argument spec, and of its suboptions, that should state no_log and do not."""
    for name, option in spec.items():
        place = f"{where}.{name}"
        names = [name, *option.get("aliases", ())]
        if any(word in each.lower() for each in names for word in SOUNDS_SECRET) and "no_log" not in option:
            yield f"{place}: no_log is not stated"
        yield from silent_options(option.get("options") or {}, place)


def shown_secrets(spec: Mapping[str, Any], where: str) -> Iterator[str]:
    """Options that are secrets by their name or hold some, and would be logged."""
    for name, option in spec.items():
        place = f"{where}.{name}"
        is_secret = any(word in name.lower() for word in IS_SECRET)
        holds_some = name.endswith(HOLDS_SECRETS) and option.get("type") == "dict"
        if (is_secret or holds_some) and not option.get("no_log", False):
            yield f"{place}: a secret without no_log: true"
        yield from shown_secrets(option.get("options") or {}, place)


def role_specs(document: Mapping[str, Any], role: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(where, options) of each entry point in a role's argument_specs.yml."""
    for entry_point, spec in (document.get("argument_specs") or {}).items():
        yield f"{role}.{entry_point}", spec.get("options") or {}
