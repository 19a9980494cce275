# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where this machine's own apt gets Debian from, for mmdebstrap: mirrors, proxies and checks as configured here."""

from __future__ import annotations

from certops_lab.command import run
from certops_lab.errors import LabError

_FORMAT = "$(RELEASE)|$(COMPONENT)|$(REPO_URI)|$(ORIGIN)"
_SETTINGS = ("Acquire::http", "Acquire::https", "Acquire::Check-", "Acquire::Retries")


def sources_for(suite: str) -> list[str]:
    """One-line entries for `suite` and its updates out of this machine's sources, none if it has none."""
    try:
        targets = run(["apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages"])
    except LabError:
        return []
    wanted = (suite, f"{suite}-updates", f"{suite}-security")
    lines = []
    for target in targets.splitlines():
        release, component, uri, origin = target.split("|")
        # Before the first `apt-get update` the origin is not known and printed as written.
        if release in wanted and component == "main" and origin in ("Debian", "$(ORIGIN)"):
            lines.append(f"deb {uri} {release} main")
    return lines if any(line.endswith(f" {suite} main") for line in lines) else []


def settings() -> list[str]:
    """The machine's apt settings that decide whether a download works, as configuration lines."""
    lines = run(["apt-config", "dump", "Acquire"]).splitlines()
    return [line for line in lines if line.startswith(_SETTINGS) and not line.endswith(' "";')]
