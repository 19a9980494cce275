# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: measures CRLs, a look at a fleet, and rotations in a lab.

It prints a table, and writes build/bench.json and docs/benchmarks.md.

Every figure is a ratio to a floor measured in the same run, because machines differ and are noisy.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support.own_cache import own_cache  # noqa: E402

BENCH = ROOT / "tests" / "bench"
LAB = ROOT / "tests" / "lab" / "lab.py"
RESULT = ROOT / "build" / "bench.json"
PAGE = ROOT / "docs" / "benchmarks.md"
CANNOT_RUN = 3


def main() -> int:
    options = parser().parse_args()
    RESULT.parent.mkdir(exist_ok=True)
    rows: list[dict[str, Any]] = []
    for script in ("crl.py", "fleet.py", *_acme_scripts()):
        found = rows_of([], script, options.rounds)
        if found is None:
            return 1
        rows += found
    if subprocess.run([sys.executable, str(LAB), "check"], check=False).returncode:
        print("\n" + as_table(rows))
        print("bench: rotations skipped, the lab can't run here (the line above says why)")
        return CANNOT_RUN if all(row["ok"] for row in rows) else 1
    lab = [sys.executable, str(LAB), "with", "--name", f"bench{os.getpid()}", "--hosts", str(options.hosts), "--"]
    in_lab = rows_of(lab, "rotation.py", options.rounds)
    if in_lab is None:
        return 1
    rows = [*in_lab, *rows]
    RESULT.write_text(json.dumps(rows, indent=2) + "\n")
    table = as_table(rows)
    print("\n" + table)
    if options.write_page:
        write_page(table)
    return 0 if all(row["ok"] for row in rows) else 1


def _acme_scripts() -> list[str]:
    """Those that need an ACME server."""
    if shutil.which("pebble"):
        return ["acme_orders.py"]
    print("bench: ACME skipped, pebble is not installed")
    return []


def rows_of(prefix: list[str], script: str, rounds: int) -> list[dict[str, Any]] | None:
    """What one of the benchmarks beside this file has measured; None if it failed."""
    RESULT.unlink(missing_ok=True)
    command = [*prefix, sys.executable, str(BENCH / script), "--rounds", str(rounds), "--result", str(RESULT)]
    code = subprocess.run(command, cwd=ROOT, env=environment(), check=False).returncode
    if code or not RESULT.exists():
        print(f"bench: {script} failed")
        return None
    found: list[dict[str, Any]] = json.loads(RESULT.read_text())
    return found


def environment() -> dict[str, str]:
    """Without what would slow Python down: byte code is to be cached, as it is for users. Nothing is left at home."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **own_cache(ROOT / "build" / "bench-cache")}


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--hosts", type=int, default=20)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--write-page", action="store_true", help="put the table into docs/benchmarks.md")
    return options


def as_table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| what | hosts | measured | floor | floor measured | ratio | goal | held |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['name']} | {row['hosts']} | {row['seconds']:.3f} {row.get('unit', 's')} "
        f"| {row['floor']} | {row['floor_seconds']:.3f} {row.get('unit', 's')} "
        f"| {row['ratio']:.2f} | ≤ {row['goal']} | {'yes' if row['ok'] else '**no**'} |"
        for row in rows
    ]
    return "\n".join(lines)


def write_page(table: str) -> None:
    head, marker, _old = PAGE.read_text().partition("<!-- table -->\n")
    PAGE.write_text(f"{head}{marker}\n{table}\n")


if __name__ == "__main__":
    sys.exit(main())
