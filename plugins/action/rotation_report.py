# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the report of a run, or continue that of an incident, on the control node."""

from __future__ import annotations

import secrets
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core import report as reports
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.evidence import (
    Incident,
    Run,
    incident_name,
    make_report,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text, from_text
from ansible_collections.certops.rotation.plugins.module_utils._core.report_problems import problems
from ansible_collections.certops.rotation.plugins.modules.rotation_report import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.packing import pack
from ansible_collections.certops.rotation.plugins.plugin_utils.report_folder import LATEST, ReportFolder, write_textfile
from ansible_collections.certops.rotation.plugins.plugin_utils.report_formats import FILE_NAMES, PROMETHEUS, texts_of
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import FleetAction, Rotation

_MOST_FAILURES_IN_STATS = 50


class ActionModule(FleetAction):
    step = "report"
    argument_spec = ARGUMENT_SPEC

    def work(self, rotations: dict[str, list[Rotation]]) -> dict[str, Any] | None:
        if self.options["existing"]:
            return self._again()
        now = datetime.now(timezone.utc)
        run = Run(
            f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
            as_text(now),
            self.check_mode,
            frozenset(self.options["fail_on"]),
            self.options["wave"],
        )
        if self.options["incident"]:
            report, paths = self._continue(rotations, run)
        else:
            report = make_report(rotations, run)
            paths = self._write(ReportFolder(Path(self.options["directory"]), run.name), report)
        result = self._told(report, paths, reports.as_lines(report))
        return {**result, "failures": reports.failures(rotations, self.options["fail_on"])}

    def _told(self, report: dict[str, Any], paths: dict[str, str], lines: list[str]) -> dict[str, Any]:
        path = paths.get("json", "")
        return {
            **({} if self.options["packed"] else {"report": report}),
            "path": path,
            "paths": paths,
            "counts": report["counts"],
            "lines": [*lines, *([f"report: {path}"] if path else [])],
            "problems": problems(report, self.options["fail_if"]),
            **({"ansible_stats": _stats(report, path)} if self.options["stats"] else {}),
        }

    def _again(self) -> dict[str, Any]:
        """A report that is there, as it is, in other formats. Slices that go on with it meanwhile are waited for."""
        name, directory = self.options["existing"], Path(self.options["directory"])
        if name == LATEST:
            name = (directory / LATEST).resolve().name
        folder = ReportFolder(directory, name if name == LATEST else incident_name(name))
        report = folder.existing()
        paths = {"json": str(folder.path / FILE_NAMES["json"])}
        if not self.check_mode:
            with folder.alone():
                report = folder.existing()
                try:
                    paths |= self._write(folder, report, again=True)
                except (AttributeError, LookupError, TypeError, ValueError) as exc:
                    what = f"It holds what no run has written ({type(exc).__name__}: {exc})."
                    raise folder.not_shown(RotationError("report_damaged", what)) from exc
        return {**self._told(report, paths, reports.as_lines(report, of_all_runs=True)), "failures": {}}

    def returned(self, rotations: list[Rotation]) -> Any:
        """Nothing comes after the report, and the report has it all."""
        return pack([])

    def _continue(self, rotations: dict[str, list[Rotation]], run: Run) -> tuple[dict[str, Any], dict[str, str]]:
        """Load, merge, write, alone with the folder."""
        incident = self._incident()
        folder = ReportFolder(Path(self.options["directory"]), incident.name)
        if self.check_mode:
            return _continued(folder, rotations, run, incident), {}
        with folder.alone():
            try:
                report = _continued(folder, rotations, run, incident)
            except RotationError as error:
                own = self._write(ReportFolder(folder.directory, run.name), make_report(rotations, run))
                error.message += f" This run is reported in {own['json']}."
                raise
            return report, self._write(folder, report)

    def _incident(self) -> Incident:
        started_at = self.options["started_at"]
        return Incident(
            incident_name(self.options["incident"]),
            self.options["subject"],
            as_text(from_text(started_at)) if started_at else "",
        )

    def _write(self, folder: ReportFolder, report: dict[str, Any], *, again: bool = False) -> dict[str, str]:
        """The report in all formats; where each is. ``again``: what it says stays as it is."""
        if self.check_mode:
            return {}
        formats = [*([] if again else ["json"]), *(one for one in self.options["formats"] if one != "json")]
        texts = texts_of(report, formats)
        folder.write({FILE_NAMES[one]: text for one, text in texts.items()}, is_latest=not again)
        paths = {one: str(folder.path / FILE_NAMES[one]) for one in texts}
        if PROMETHEUS in texts and self.options["textfile_directory"]:
            name = f"certops_{(report['incident'] or {}).get('name') or 'rotation'}.prom"
            paths["textfile"] = write_textfile(Path(self.options["textfile_directory"]), name, texts[PROMETHEUS])
        return paths


def _continued(
    folder: ReportFolder, rotations: dict[str, list[Rotation]], run: Run, incident: Incident
) -> dict[str, Any]:
    """What the report in the folder is continued to; RotationError where it is not one that can be."""
    earlier = folder.earlier()
    try:
        return make_report(rotations, run, incident, earlier)
    except (AttributeError, LookupError, TypeError, ValueError) as exc:
        if earlier is None:
            raise
        # Somebody has edited it: it is JSON, and yet not what a report is made of.
        damaged = RotationError("report_damaged", f"It holds what no run has written ({type(exc).__name__}: {exc}).")
        raise folder.not_continued(damaged) from exc


def _stats(report: dict[str, Any], path: str) -> dict[str, Any]:
    """What ``set_stats`` would set: a summary for the artifacts of AWX, small however large the fleet is."""
    incident = report["incident"] or {}
    summary = {
        "path": path,
        "incident": incident.get("name", ""),
        "written_at": report["written_at"],
        "counts": report["counts"],
        "clock": report["clock"],
        "metrics": report["metrics"],
        "failed": len(report["failures"]),
        "unknown": len(report["unknowns"]),
        "failures": report["failures"][:_MOST_FAILURES_IN_STATS],
    }
    return {"data": {"certops_report": summary}, "aggregate": False, "per_host": False}
