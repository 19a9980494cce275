# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate request as the CA reads it: proof that the key is held, strong enough, and for the ordered names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import spki_sha256
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import ec, exceptions, rsa, x509
from ansible_collections.certops.rotation.plugins.module_utils._core.weak_key import unfitness
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_names import (
    canonical_names,
    check_policy,
    requested_names,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Order

if TYPE_CHECKING:
    from typing import TypeAlias

LeafKey: TypeAlias = "ec.EllipticCurvePublicKey | rsa.RSAPublicKey"


@dataclass(frozen=True)
class Request:
    """An order whose request was found in order."""

    order: Order
    public_key: LeafKey
    spki_sha256: str
    names: tuple[str, ...]


def read_request(order: Order, *, allowed_names: Sequence[str]) -> Request:
    """The order's request, checked.

    :raises RotationError: ``csr_invalid``, ``key_weak``, ``csr_names_differ``, ``name_invalid``,
        ``ca_refused``.
    """
    csr = _parse(order)
    key = _sound_key(csr)
    names = canonical_names(order.server_names)
    if not names:
        raise RotationError("ca_refused", f"the order of {order.name} has no name", remedy="Give it server_names.")
    asked = requested_names(csr)
    if asked != names:
        raise RotationError(
            "csr_names_differ",
            f"the request of {order.name} is for {', '.join(asked) or 'no name'},"
            f" and the order is for {', '.join(names)}",
            remedy="Have the key and the request made again for the ordered names.",
            requested=list(asked),
            ordered=list(names),
        )
    check_policy(names, allowed_names)
    return Request(order, key, spki_sha256(key), names)


def _parse(order: Order) -> x509.CertificateSigningRequest:
    try:
        csr = x509.load_pem_x509_csr(order.csr_pem.encode())
        # The signature proves that who asks holds the private key (RFC 2986 section 3).
        if not csr.is_signature_valid:
            raise RotationError("csr_invalid", f"the signature of {order.name}'s request does not verify")
        return csr
    except (ValueError, exceptions.UnsupportedAlgorithm) as error:
        raise RotationError("csr_invalid", f"what {order.name} sent is not a certificate request: {error}") from error


def _sound_key(csr: x509.CertificateSigningRequest) -> LeafKey:
    try:
        key = csr.public_key()
    except (ValueError, exceptions.UnsupportedAlgorithm) as error:
        raise RotationError("csr_invalid", f"the request's public key cannot be read: {error}") from error
    why = unfitness(key)
    if why is not None or not isinstance(key, (ec.EllipticCurvePublicKey, rsa.RSAPublicKey)):
        raise RotationError("key_weak", f"the request's key is refused: {why}", remedy="Make another key.")
    return key
