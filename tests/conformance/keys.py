# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixed private keys of the vectors, by the name of their file in ``keys/``. Everyone knows them."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization

FOLDER = Path(__file__).parent / "keys"


@functools.cache
def key(name: str) -> Any:
    """``key("root")``: P-256, unless the name says otherwise (``rsa-root``, ``p384-issuing``, ``ed25519-issuing``)."""
    return serialization.load_pem_private_key((FOLDER / f"{name}.pem").read_bytes(), password=None)
