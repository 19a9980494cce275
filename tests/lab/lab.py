# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line of the lab: real systemd hosts on this machine. See README.md beside this file."""

from __future__ import annotations

import sys

from certops_lab.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
