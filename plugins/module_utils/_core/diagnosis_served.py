# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is served: is it what should be served by now, and may it be?"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_cause import CONTROL_NODE, Cause, cause
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_seen import (
    Seen,
    certificates,
    entries,
    host_name,
    judged_at,
    place,
    servers,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import from_text


def served_causes(rotation: Seen) -> Iterator[Cause]:
    yield from _differing(rotation)
    yield from _not_reloaded(rotation)
    for one in certificates(rotation).values():
        yield from _outside_validity(rotation, one)
        if one.get("names_missing"):
            names, have = ", ".join(one["names_missing"]), ", ".join(one["names"])
            text = f"certificate {one['serial']} is shown to who asks for {names}; it names {have or 'nothing'}"
            yield cause("name_not_in_certificate", "certain", CONTROL_NODE, [text])


def _differing(rotation: Seen) -> Iterator[Cause]:
    """One name, several certificates: the newest is what was meant, and the others are old."""
    known = certificates(rotation)
    by_name: dict[object, list[Seen]] = {}
    for entry in entries(rotation):
        if entry.get("sha256"):
            by_name.setdefault(entry.get("server_name"), []).append(entry)
    for of_name in by_name.values():
        begins = {entry["sha256"]: known[entry["sha256"]]["not_before"] for entry in of_name}
        if len(begins) < 2:
            continue
        newest = max(begins, key=lambda sha256: (begins[sha256], sha256))
        evidence = [
            f"{place(entry)} serves certificate {known[entry['sha256']]['serial']} of {begins[entry['sha256']]}"
            + (" (the newest)" if entry["sha256"] == newest else "")
            for entry in of_name
        ]
        yield cause("old_certificate_at_some_addresses", "certain", CONTROL_NODE, evidence)


def _not_reloaded(rotation: Seen) -> Iterator[Cause]:
    shown = certificates(rotation)
    for server in servers(rotation):
        on_disk = [one for one in server.get("certificates") or () if one.get("sha256")]
        if not on_disk or not shown or {one["sha256"] for one in on_disk} & set(shown):
            continue
        evidence = [f"{one['path']} holds certificate {one['serial']} of {one['not_before']}" for one in on_disk]
        evidence += [f"served is certificate {one['serial']} of {one['not_before']}" for one in shown.values()]
        yield cause("old_certificate_served", "certain", host_name(rotation), evidence, fixable=True)


def _outside_validity(rotation: Seen, one: Seen) -> Iterator[Cause]:
    at = judged_at(rotation)
    what = f"certificate {one['serial']} is valid from {one['not_before']} to {one['not_after']}"
    if from_text(one["not_after"]) < at:
        yield cause("certificate_expired", "certain", CONTROL_NODE, [what])
    elif at < from_text(one["not_before"]):
        yield cause("certificate_not_yet_valid", "certain", CONTROL_NODE, [what])
