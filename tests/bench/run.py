# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: measures CRLs, a look at a fleet, ACME orders, and in labs of 20 to 200 hosts checks and rotations.

It prints a table, writes build/bench.json, and with --write-page the table and the plots in docs. Each script's result
is kept below build/bench, so that one can be measured again alone (`--only scale`) when the machine is quiet.

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

from tests.bench import plots  # noqa: E402
from tests.bench.peer import community_crypto  # noqa: E402
from tests.support.own_cache import own_cache  # noqa: E402

BENCH = ROOT / "tests" / "bench"
LAB = ROOT / "tests" / "lab" / "lab.py"
RESULT = ROOT / "build" / "bench.json"
RESULTS = ROOT / "build" / "bench"
PAGE = ROOT / "docs" / "benchmarks.md"
PLOTS = ROOT / "docs" / "plots"
CANNOT_RUN = 3
# Scripts by name, in the order of the table, and the hosts that they want.
IN_LAB = {"rotation": 20, "fifty_hosts": 50, "progress": 50, "scale": 200}
ALONE = ("crl", "fleet", "report", "acme_orders", "events")


def main() -> int:
    options = parser().parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    wanted = options.only or [*ALONE, *IN_LAB]
    left_out = {name: why for name in wanted if (why := why_not(name))}
    for name, why in left_out.items():
        print(f"bench: {name} skipped, {why}")
    for name in wanted:
        if name not in left_out and not measure(name, options):
            return 1
    rows = known_rows()
    RESULT.write_text(json.dumps(rows, indent=2) + "\n")
    print("\n" + (table := as_table(rows)))
    if options.write_page:
        write_page(table)
        plots.write(PLOTS, rows, RESULTS)
    if not all(row["ok"] for row in rows):
        return 1
    return CANNOT_RUN if left_out else 0


def why_not(name: str) -> str | None:
    """Why a script can't run here."""
    if name == "acme_orders" and not shutil.which("pebble"):
        return "pebble is not installed"
    if name == "events" and not shutil.which("java"):
        return "there is no Java, which ansible-rulebook needs"
    if name in IN_LAB and subprocess.run([sys.executable, str(LAB), "check"], check=False).returncode:
        return "the lab can't run here (the line above says why)"
    return None


def measure(name: str, options: argparse.Namespace) -> bool:
    """Run one script, in a lab if it needs one, and keep what it found."""
    result, hosts = RESULTS / f"{name}.rows.json", options.hosts or IN_LAB.get(name)
    result.unlink(missing_ok=True)
    if name == "fifty_hosts":
        community_crypto.fetch()
    lab = [sys.executable, str(LAB), "with", "--name", f"bench{os.getpid()}", "--hosts", str(hosts), "--"]
    script = [sys.executable, str(BENCH / f"{name}.py"), "--rounds", str(options.rounds), "--result", str(result)]
    command = [*lab, *script] if name in IN_LAB else script
    code = subprocess.run(command, cwd=ROOT, env=environment(), check=False).returncode
    if code or not result.exists():
        print(f"bench: {name} failed")
        return False
    return True


def known_rows() -> list[dict[str, Any]]:
    """What is measured, of this run and of earlier ones of single scripts."""
    files = (RESULTS / f"{name}.rows.json" for name in (*IN_LAB, *ALONE))
    return [row for file in files if file.exists() for row in json.loads(file.read_text())]


def environment() -> dict[str, str]:
    """Without what would slow Python down: byte code is to be cached, as it is for users. Nothing is left at home."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **own_cache(ROOT / "build" / "bench-cache")}


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only", action="append", choices=[*ALONE, *IN_LAB], help="this script; may be repeated")
    options.add_argument("--hosts", type=int, help="size of the labs, instead of what each script wants")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--write-page", action="store_true", help="put the table and the plots into docs")
    return options


def as_table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| what | hosts | measured | floor | floor measured | ratio | goal | held |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['name']} | {row['hosts']} | {row['seconds']:.3f} {row.get('unit', 's')} "
        f"| {row['floor']} | {row['floor_seconds']:.3f} {row.get('unit', 's')} "
        f"| {row['ratio']:.2f} | {goal_of(row)} |"
        for row in rows
    ]
    return "\n".join(lines)


def goal_of(row: dict[str, Any]) -> str:
    """Two columns: the goal, and whether it is held."""
    if row["goal"] is None:
        return "– | –"
    return f"≤ {row['goal']} | {'yes' if row['ok'] else '**no**'}"


def write_page(table: str) -> None:
    head, marker, _old = PAGE.read_text().partition("<!-- table -->\n")
    PAGE.write_text(f"{head}{marker}\n{table}\n")


if __name__ == "__main__":
    sys.exit(main())
