# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demonstration says on the terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from demo.scene import Served


def announce(text: str) -> None:
    print(f"\n== {text}", flush=True)


def took(seconds: float) -> None:
    print(f"   ({seconds:.1f} s)", flush=True)


def show_served(title: str, served: Served) -> None:
    print(f"\n   {title}:")
    for name, value in rows(served).items():
        print(f"     {name:<16} {value}")
    sys.stdout.flush()


def show_before_and_after(before: Served, after: Served) -> None:
    print(f"\n   {'':<16} {'BEFORE':<44} AFTER")
    for (name, old), new in zip(rows(before).items(), rows(after).values(), strict=True):
        print(f"   {name:<16} {old:<44} {new}")
    sys.stdout.flush()


def rows(served: Served) -> dict[str, str]:
    return {
        "serial": served.serial,
        "key fingerprint": f"{served.spki_sha256[:40]}…",
        "verdict": served.verdict,
        "staple": served.staple,
    }


def show_seconds(report: Path) -> None:
    rotation = json.loads(report.read_text())["rotations"][0]
    print("\n   seconds per step: " + ", ".join(f"{step} {seconds:.1f}" for step, seconds in steps(rotation).items()))


def steps(rotation: Mapping[str, object]) -> dict[str, float]:
    seconds = rotation.get("seconds")
    return dict(seconds) if isinstance(seconds, dict) else {}


def verdict(rotated: int, again: int, before: Served, after: Served, report: Path) -> int:
    """The last lines; 0 if all that was promised came true."""
    show_seconds(report)
    print(f"   the report:       {report}")
    broken = [
        text
        for held, text in (
            (rotated == 0, f"the rotation ended with exit code {rotated}"),
            (again == 0, f"the second run ended with exit code {again}"),
            (before.verdict.startswith("revoked"), "the leaked certificate was not found revoked"),
            (after.verdict == "good", f"the new certificate is judged {after.verdict}"),
            (after.staple == "good", f"the new staple is {after.staple}"),
            (after.serial != before.serial, "the old serial is still served"),
            (after.spki_sha256 != before.spki_sha256, "the old key is still used"),
        )
        if not held
    ]
    print("\n" + ("Done: nothing is served under the leaked key any more." if not broken else "\n".join(broken)))
    return 1 if broken else 0
