# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sources of revocation information are asked."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import serial_hex
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509


@dataclasses.dataclass(frozen=True)
class Question:
    """Which certificate, certified by whom, judged for when."""

    certificate: x509.Certificate
    issuer: x509.Certificate
    at: datetime
    path: tuple[x509.Certificate, ...] = ()
    """from the certificate to its trust anchor; empty if it leads to none"""
    others: tuple[x509.Certificate, ...] = ()
    """certificates that came along"""
    pending: frozenset[str] = frozenset()
    """SHA-256 of the certificates whose status was asked for first, and cannot be found out without this answer"""

    @property
    def serial(self) -> str:
        return serial_hex(self.certificate.serial_number)
