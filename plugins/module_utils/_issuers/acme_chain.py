# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the CA's chains is wanted, and with which root it ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificates
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import oid, x509
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_config import AcmeConfig
from ansible_collections.certops.rotation.plugins.module_utils._issuers.trust_store import root_of, system_roots


class Roots:
    """The roots that certificates of one ACME CA end in: those given, else those that this machine trusts."""

    def __init__(self, config: AcmeConfig) -> None:
        self._config = config
        self._given: list[x509.Certificate] | None = None
        self._system: list[x509.Certificate] | None = None

    def given(self) -> list[x509.Certificate]:
        """Those of the options. RotationError ``trust_anchor_unreadable``, ``not_a_certificate``."""
        if self._given is None:
            found = read_certificates(self._config.trust_anchors.encode()) if self._config.trust_anchors else []
            for path in self._config.trust_anchor_paths:
                try:
                    found += read_certificates(path.read_bytes(), str(path))
                except OSError as error:
                    raise RotationError(
                        "trust_anchor_unreadable",
                        f"the trust anchor {path} cannot be read: {error.strerror}",
                        remedy="Correct trust_anchor_paths of the issuer, or make the file readable.",
                        path=str(path),
                    ) from error
            self._given = found
        return self._given

    def root_of(self, chain: Sequence[x509.Certificate]) -> x509.Certificate | None:
        """The root of a chain, if it is known."""
        found = root_of(chain, self.given())
        if found is None and not self.given():
            if self._system is None:
                self._system = system_roots()
            found = root_of(chain, self._system)
        return found


def without_root(chain: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """The leaf and its intermediates. Some CAs send their root too, which no client would take from a server."""
    return [chain[0], *(one for one in chain[1:] if one.subject != one.issuer)]


def is_preferred(chain: Sequence[x509.Certificate], name: str) -> bool:
    """Whether the chain ends below (or with) a CA of that common name; what other clients call preferred chain."""
    return any(name in _common_names(one) for one in (chain[-1].issuer, chain[-1].subject))


def _common_names(name: x509.Name) -> Iterable[str]:
    return [str(one.value) for one in name.get_attributes_for_oid(oid.NameOID.COMMON_NAME)]
