# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""galaxy-importer, which Galaxy asks whether it takes an artifact: it must have nothing to say against it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.gates.command import tool_environment
from tools.python_environments import RELEASE
from tools.release.refusal import Refused

DONE = "Importer processing completed successfully"
COMPLAINTS = ("WARNING", "ERROR", "CRITICAL")
TIMEOUT = 600.0


def must_pass(artifact: Path, place: Path, *, lint: bool) -> None:
    """Raises Refused with every warning and error. `place` is for what the importer leaves behind."""
    place.mkdir(parents=True)
    # Its settings, whatever this machine has in /etc: Galaxy's defaults, which run everything but ansible-test.
    settings = place / "galaxy-importer.cfg"
    settings.write_text(f"[galaxy-importer]\nrun_ansible_lint = {lint}\nansible_local_tmp = {place / 'tmp'}\n", "utf-8")
    done = subprocess.run(
        [str(RELEASE.python), "-m", "galaxy_importer.main", str(artifact.resolve())],
        cwd=place,
        env=tool_environment(RELEASE.python) | {"GALAXY_IMPORTER_CONFIG": str(settings)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    against = complaints(done.returncode, done.stdout, done.stderr)
    if against:
        raise Refused("galaxy-importer does not take the artifact as it is:\n" + "\n".join(against))


def complaints(status: int, output: str, errors: str) -> list[str]:
    """What it has against the artifact. Its libraries warn on standard error, without a level."""
    said = [line for line in output.splitlines() if line.startswith(COMPLAINTS)] + errors.splitlines()
    if not said and (status or DONE not in output):
        said = [f"it ended with status {status}", *output.splitlines()[-5:]]
    return said
