# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of an OCSP response that ``cryptography`` does not offer, or not at once (RFC 6960 section 4.2.1)."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.certops.rotation.plugins.module_utils._core import der
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import ocsp, serialization, x509


def signature_algorithm(response: ocsp.OCSPResponse) -> der.Element:
    """The AlgorithmIdentifier of a successful response, with its parameters."""
    return _basic(response)[1]


def certificates(response: ocsp.OCSPResponse) -> Iterator[x509.Certificate]:
    """Those that are sent along, decoded one by one: the library takes seconds for a thousand of them.

    :raises ValueError: at one that cannot be decoded.
    """
    for field in _basic(response)[3:]:
        for each in der.sequence(field.content):
            yield x509.load_der_x509_certificate(bytes(each.raw))


def _basic(response: ocsp.OCSPResponse) -> list[der.Element]:
    """The members of the BasicOCSPResponse: data, algorithm, signature, certificates if any."""
    explicit = der.sequence(response.public_bytes(serialization.Encoding.DER))[1]
    return der.sequence(explicit.children()[0].children()[1].content)
