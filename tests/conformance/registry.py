# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The suites of `make conformance`. A new one: a module with ``checks() -> Iterable[Check]``, and a line here."""

from __future__ import annotations

import dataclasses

_HERE = "ansible_collections.certops.rotation.tests.conformance"


@dataclasses.dataclass(frozen=True)
class Suite:
    """A suite with fewer checks than ``floor`` has lost some, and fails."""

    name: str
    module: str
    floor: int


SUITES = (
    Suite("pkits", f"{_HERE}.pkits", 76),
    Suite("samples", f"{_HERE}.samples", 229),
    Suite("vectors", f"{_HERE}.vectors", 450),
    Suite("faults", f"{_HERE}.faults", 120),
    Suite("second_opinion", f"{_HERE}.second_opinion", 390),
    Suite("properties", f"{_HERE}.properties", 19),
    Suite("module", f"{_HERE}.through_module", 420),
)
