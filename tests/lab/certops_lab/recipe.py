# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every lab host is made of. Data only: a change here gives the rootfs another name in the cache."""

from __future__ import annotations

import hashlib
import json

SUITE = "bookworm"

PACKAGES = (
    "ca-certificates",
    "dbus",
    "iproute2",
    "nginx-light",
    "openssh-server",
    "openssl",
    "procps",
    "python3",
    "python3-minimal",
    "systemd",
    "systemd-sysv",
)

FILES = {
    # PAM opens a logind session per connection and DNS lookups wait for a server that isn't there: both cost seconds.
    "etc/ssh/sshd_config.d/lab.conf": (
        "UsePAM no\nUseDNS no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n"
        "MaxSessions 50\nMaxStartups 50\nPrintMotd no\n"
    ),
    "etc/systemd/journald.conf.d/lab.conf": "[Journal]\nStorage=volatile\nRuntimeMaxUse=8M\n",
    # Nothing to ask: a name that is not in /etc/hosts fails at once.
    "etc/resolv.conf": "# no resolver in the lab: names are in /etc/hosts\n",
    # systemd makes one at first boot, so that no two hosts are the same machine.
    "etc/machine-id": "",
    "etc/hostname": "",
}

MASKED_UNITS = (
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "console-getty.service",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
    "getty.target",
    "systemd-logind.service",
    "systemd-networkd.service",
    "systemd-pstore.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
)

# Made by the package at build time; each host gets a key of its own when it is made.
REMOVED = ("etc/ssh/ssh_host_*",)

# Half of the size, and never read by a test.
EXCLUDED_PATHS = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")


def digest() -> str:
    """Short name of this recipe for the cache."""
    recipe = [SUITE, PACKAGES, FILES, MASKED_UNITS, REMOVED, EXCLUDED_PATHS]
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]
