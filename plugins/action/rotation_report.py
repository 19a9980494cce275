# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the report of a run on the control node."""

from __future__ import annotations

import json
import os
import secrets
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core import report as reports
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.modules.rotation_report import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.packing import pack
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import FleetAction, Rotation

_FILE_NAME = "report.json"
_LATEST = "latest"


class ActionModule(FleetAction):
    step = "report"
    argument_spec = ARGUMENT_SPEC

    def work(self, rotations: dict[str, list[Rotation]]) -> dict[str, Any] | None:
        now = datetime.now(timezone.utc)
        run = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        report = reports.make_report(rotations, run=run, at=as_text(now), check_mode=self.check_mode)
        path = "" if self.check_mode else self._write(Path(self.options["directory"]), run, report)
        return {
            **({} if self.options["packed"] else {"report": report}),
            "path": path,
            "counts": report["counts"],
            "failures": reports.failures(rotations, self.options["fail_on"]),
            "lines": [*reports.as_lines(report), *([f"report: {path}"] if path else [])],
        }

    def returned(self, rotations: list[Rotation]) -> Any:
        """Nothing comes after the report, and the report has it all."""
        return pack([])

    def _write(self, directory: Path, run: str, report: dict[str, Any]) -> str:
        folder = directory / run
        try:
            folder.mkdir(parents=True)
            unfinished = folder / f".{_FILE_NAME}"
            unfinished.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
            unfinished.rename(folder / _FILE_NAME)
            self._point_latest_to(directory, run)
        except OSError as exc:
            raise RotationError(
                "report_not_written",
                f"The report can't be written below {directory}: {exc.strerror}",
                remedy="Choose another rotate_report_directory; what the run did is unaffected.",
                directory=str(directory),
            ) from exc
        return str(folder / _FILE_NAME)

    @staticmethod
    def _point_latest_to(directory: Path, run: str) -> None:
        link = directory / f".{_LATEST}-{run}"
        os.symlink(run, link)
        link.rename(directory / _LATEST)
