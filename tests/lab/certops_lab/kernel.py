# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of the kernel that hosts in number run into."""

from __future__ import annotations

from pathlib import Path

# Every systemd needs several inotify instances; at the usual 128 the boots beyond some 20 hosts die.
_AT_LEAST = {
    "fs/inotify/max_user_instances": 8192,
    "fs/inotify/max_user_watches": 524288,
}


def raise_limits() -> None:
    """Raise what is too low; nothing is ever lowered, also not afterwards: others may have come to need it."""
    for name, wanted in _AT_LEAST.items():
        setting = Path("/proc/sys") / name
        if int(setting.read_text()) < wanted:
            setting.write_text(str(wanted))
