# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parameters of an RSASSA-PSS signature (RFC 4055 section 3.1).

``cryptography`` reads them for certificates and CRLs, not for OCSP responses.
"""

from __future__ import annotations

from ansible_collections.certops.rotation.plugins.module_utils._core import der
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import hashes, padding

_MGF1 = bytes.fromhex("2a864886f70d010108")
_NAMES = {
    bytes.fromhex("2b0e03021a"): "SHA1",
    bytes.fromhex("608648016503040201"): "SHA256",
    bytes.fromhex("608648016503040202"): "SHA384",
    bytes.fromhex("608648016503040203"): "SHA512",
}
_LONGEST_SALT = 512  # octets of a signature of 4096 bits: no salt is as long


def pss_parameters(algorithm: der.Element) -> tuple[padding.PSS, hashes.HashAlgorithm]:
    """The padding and the hash of an AlgorithmIdentifier whose OID is id-RSASSA-PSS.

    :raises NotDerError: for parameters that are absent, malformed, or name what is not used for signatures.
    """
    parts = algorithm.children()
    if len(parts) != 2 or parts[1].tag != der.SEQUENCE:
        raise der.NotDerError("no parameters of RSASSA-PSS")
    fields = {field.tag: _only(field) for field in parts[1].children()}
    if not fields.keys() <= {0xA0, 0xA1, 0xA2, 0xA3}:
        raise der.NotDerError("not parameters of RSASSA-PSS")
    if 0xA3 in fields and _number(fields[0xA3]) != 1:
        raise der.NotDerError("an unknown trailer field")
    algorithm_of_hash = _hash(fields[0xA0]) if 0xA0 in fields else hashes.SHA1()
    mask = _mask(fields[0xA1]) if 0xA1 in fields else hashes.SHA1()
    salt = _number(fields[0xA2]) if 0xA2 in fields else 20
    return padding.PSS(padding.MGF1(mask), salt), algorithm_of_hash


def _only(field: der.Element) -> der.Element:
    inner = field.children()
    if len(inner) != 1:
        raise der.NotDerError("not one value in an explicit tag")
    return inner[0]


def _hash(identifier: der.Element) -> hashes.HashAlgorithm:
    parts = identifier.children()
    name = _NAMES.get(bytes(parts[0].content)) if parts else None
    if name is None:
        raise der.NotDerError("an unknown hash")
    found: hashes.HashAlgorithm = getattr(hashes, name)()
    return found


def _mask(identifier: der.Element) -> hashes.HashAlgorithm:
    parts = identifier.children()
    if len(parts) != 2 or bytes(parts[0].content) != _MGF1:
        raise der.NotDerError("an unknown mask generation function")
    return _hash(parts[1])


def _number(element: der.Element) -> int:
    number = int.from_bytes(element.content, "big", signed=True)
    if element.tag != der.INTEGER or not 0 <= number <= _LONGEST_SALT:
        raise der.NotDerError("not a small number")
    return number
