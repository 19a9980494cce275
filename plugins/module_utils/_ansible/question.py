# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked about one certificate."""

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

    @property
    def serial(self) -> str:
        return serial_hex(self.certificate.serial_number)
