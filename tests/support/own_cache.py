# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where tests keep what could be fetched again: not at the home of who runs them, but for the system of the lab."""

from __future__ import annotations

import os
from pathlib import Path


def own_cache(folder: Path | str) -> dict[str, str]:
    """Variables for programs that are started. The system that the lab boots is kept for all checkouts: it is big."""
    at_home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    lab = os.environ.get("CERTOPS_LAB_CACHE") or str(Path(at_home) / "certops-lab")
    return {"XDG_CACHE_HOME": str(folder), "CERTOPS_LAB_CACHE": lab}
