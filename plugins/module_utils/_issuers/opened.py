# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The issuers of one run: each opened once, when it is first needed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificates
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Issuer
from ansible_collections.certops.rotation.plugins.module_utils._issuers.registry import open_issuer
from cryptography import x509


class OpenIssuers:
    """``rotate_issuers``, opened on demand. A failure is remembered too, and raised again for each who asks."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self._opened: dict[str, Issuer | RotationError] = {}

    def get(self, name: str) -> Issuer:
        """:raises RotationError: as ``open_issuer``."""
        if name not in self._opened:
            try:
                self._opened[name] = open_issuer(name, self._config)
            except RotationError as error:
                self._opened[name] = error
        found = self._opened[name]
        if isinstance(found, RotationError):
            raise found
        return found

    def working(self) -> Iterator[tuple[str, Issuer]]:
        """Those that can be opened."""
        for name in self._config:
            try:
                yield name, self.get(name)
            except RotationError:
                continue

    def anchors(self, files: Sequence[str] = ()) -> list[x509.Certificate]:
        """The roots of all issuers that can be opened and read, and the certificates in ``files``.

        :raises RotationError: ``trust_anchor_unreadable``, ``not_a_certificate``.
        """
        found: list[x509.Certificate] = []
        for _name, issuer in self.working():
            # One damaged CA must not keep the others' revocations from being seen.
            with contextlib.suppress(RotationError):
                found += issuer.trust_anchors()
        for name in files:
            try:
                content = Path(name).read_bytes()
            except OSError as error:
                raise RotationError(
                    "trust_anchor_unreadable", f"the trust anchor {name} cannot be read: {error.strerror}", path=name
                ) from error
            found += read_certificates(content, name)
        return found
