# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The issuers of one run: each opened once, when it is first needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificates
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Issuer
from ansible_collections.certops.rotation.plugins.module_utils._issuers.registry import open_issuer


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

    def anchors(self, files: Sequence[str], notes: list[str]) -> list[x509.Certificate]:
        """The roots of all issuers that can be opened and read, and the certificates in ``files``.

        :param notes: gets a sentence for each issuer that cannot.
        :raises RotationError: ``trust_anchor_unreadable``, ``not_a_certificate``.
        """
        found: list[x509.Certificate] = []
        for name in self._config:
            # One damaged CA must not keep the others' revocations from being seen.
            try:
                found += self.get(name).trust_anchors()
            except RotationError as error:
                notes.append(f"issuer {name}: {error.message} ({error.code})")
        for path in files:
            found += _certificates_in(path)
        return found


def _certificates_in(path: str) -> list[x509.Certificate]:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise RotationError(
            "trust_anchor_unreadable",
            f"the trust anchor {path} cannot be read: {error.strerror}",
            remedy="Correct rotate_trust_anchors, or make the file readable.",
            path=path,
        ) from error
    return read_certificates(content, path)
