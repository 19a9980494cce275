# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this machine trusts: its bundle of roots, for TLS with a CA and to complete a chain with its root."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificates
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import exceptions, x509

_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem")
_CANNOT_SIGN = (ValueError, TypeError, exceptions.InvalidSignature, exceptions.UnsupportedAlgorithm)


def system_bundle() -> Path | None:
    """The file with the roots that this machine trusts."""
    named = ssl.get_default_verify_paths().cafile
    return next((Path(path) for path in (named, *_BUNDLES) if path and Path(path).is_file()), None)


def system_roots() -> list[x509.Certificate]:
    """The roots that this machine trusts; none where its bundle cannot be read."""
    bundle = system_bundle()
    if bundle is None:
        return []
    # Old roots have serials that RFC 5280 does not allow, which reading them says aloud.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return read_certificates(bundle.read_bytes(), str(bundle))
        except (OSError, RotationError):
            return []


def has_signed(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether ``issuer``'s name and key made ``certificate``."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except _CANNOT_SIGN:
        return False
    return True


def root_of(chain: Sequence[x509.Certificate], roots: Iterable[x509.Certificate]) -> x509.Certificate | None:
    """The root that the last certificate of ``chain`` leads to; None if it is none of ``roots``."""
    last = chain[-1]
    for root in roots:
        if root.subject == last.issuer and has_signed(root, last):
            return root
    return None
