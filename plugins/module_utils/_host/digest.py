# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SHA-256 as this collection writes it. Python's hashlib loads OpenSSL's library, which many steps never need."""

from __future__ import annotations


def sha256_hex(data: bytes) -> str:
    """Lower-case hexadecimal."""
    import hashlib

    return hashlib.sha256(data).hexdigest()
