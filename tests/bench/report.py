# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of 10,000 hosts: how long its page takes to be written and to be opened, and a wave to be added to it.

The floor of the page is the same report as one JSON text by the standard library, in the same run. The page is on disk
(temporary file, fsync, rename) when the clock stops, and its template is compiled after the clock has started. Each
measurement is a process of its own, with a browser of its own; the fastest counts. The page is open when its table
is drawn. For that there is no floor but the limit.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "build" / "collections"), str(ROOT)]

HOSTS = 10_000
OF_A_WAVE = 500
WRITTEN_GOAL = 3.0
OPEN_SECONDS = 2.0


def main() -> int:
    options = parser().parse_args()
    if options.measure:
        print(json.dumps(MEASUREMENTS[options.measure](options.folder)))
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-report-") as folder:
        rows = measured_rows(Path(folder), options.rounds)
    options.result.write_text(json.dumps(rows))
    return 0


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--measure", choices=list(MEASUREMENTS), help="one measurement, in this process")
    options.add_argument("--folder", type=Path)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--result", type=Path, default=ROOT / "build" / "report.json")
    return options


def measured_rows(folder: Path, rounds: int) -> list[dict[str, Any]]:
    from ansible_collections.certops.rotation.tests.support.browser import why_no_browser

    kinds = ["json", "page", "wave"]
    missing = why_no_browser()
    if missing:
        print(f"bench: opening the page skipped, {missing}")
    else:
        kinds.append("opened")
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _round in range(rounds):
        for kind in kinds:
            found[kind].append(measured(kind, folder))
    best = {kind: min(seconds) for kind, seconds in found.items()}
    floor = "the same report as JSON"
    rows = [
        row("report.html written", best["page"], floor, best["json"], WRITTEN_GOAL),
        row(f"a wave of {OF_A_WAVE} hosts added to report.json", best["wave"], floor, best["json"], None),
    ]
    if "opened" in best:
        rows.append(row("report.html opened in Chromium", best["opened"], "limit", OPEN_SECONDS, 1.0))
    return rows


def row(name: str, seconds: float, floor: str, floor_seconds: float, goal: float | None) -> dict[str, Any]:
    ratio = seconds / floor_seconds
    return {
        "name": name,
        "hosts": HOSTS,
        "seconds": seconds,
        "floor": floor,
        "floor_seconds": floor_seconds,
        "ratio": ratio,
        "goal": goal,
        "ok": goal is None or ratio <= goal,
    }


def measured(kind: str, folder: Path) -> float:
    command = [sys.executable, str(Path(__file__).resolve()), "--measure", kind, "--folder", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(json.loads(done.stdout))


def timed(work: Callable[[], Any]) -> float:
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure_json(_folder: Path) -> float:
    from ansible_collections.certops.rotation.tests.support.fleet_report import fleet_report

    report = fleet_report(HOSTS)
    return timed(lambda: json.dumps(report))


def measure_page(folder: Path) -> float:
    from ansible_collections.certops.rotation.plugins.plugin_utils.report_folder import ReportFolder
    from ansible_collections.certops.rotation.plugins.plugin_utils.report_formats import texts_of
    from ansible_collections.certops.rotation.tests.support.fleet_report import fleet_report

    report, place = fleet_report(HOSTS), ReportFolder(folder, "bench")
    return timed(lambda: place.write({"report.html": texts_of(report, ["html"])["html"]}))


def measure_wave(folder: Path) -> float:
    """What every wave of an incident waits for: read, merge, figures, write."""
    from ansible_collections.certops.rotation.plugins.module_utils._core.evidence import Incident, Run, make_report
    from ansible_collections.certops.rotation.plugins.plugin_utils.report_folder import ReportFolder
    from ansible_collections.certops.rotation.plugins.plugin_utils.report_formats import texts_of
    from ansible_collections.certops.rotation.tests.support.fleet_report import fleet_report, fleet_rotations

    place = ReportFolder(folder, "wave")
    place.write(
        {"report.json": texts_of(fleet_report(HOSTS), ["json"])["json"]},
    )
    wave = fleet_rotations(OF_A_WAVE)

    def work() -> None:
        with place.alone():
            report = make_report(wave, Run("next", "2026-11-21T03:00:00Z"), Incident("wave"), place.earlier())
            place.write({"report.json": texts_of(report, ["json"])["json"]})

    return timed(work)


def measure_opened(folder: Path) -> float:
    from ansible_collections.certops.rotation.tests.support.browser import address, browser

    with browser() as page:
        page.get("about:blank")
        started = time.perf_counter()
        page.get(address(folder / "bench" / "report.html"))
        shown = page.execute_script('return document.getElementById("shown").textContent')
        drawn = page.execute_script('return document.querySelectorAll("#table tbody tr").length')
        seconds = time.perf_counter() - started
    if shown != f"{HOSTS} of {HOSTS}" or drawn < 10:
        raise SystemExit(f"the page shows {shown}, {drawn} rows")
    return seconds


MEASUREMENTS: dict[str, Callable[[Path], float]] = {
    "json": measure_json,
    "page": measure_page,
    "wave": measure_wave,
    "opened": measure_opened,
}


if __name__ == "__main__":
    sys.exit(main())
