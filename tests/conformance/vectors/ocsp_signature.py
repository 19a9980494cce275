# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures of responses, of each kind, right and wrong (RFC 6960 section 4.3, RFC 4055, RFC 8410, RFC 8692)."""

from __future__ import annotations

from ansible_collections.certops.rotation.tests.conformance import der_writer as der
from ansible_collections.certops.rotation.tests.conformance.hierarchy import AT
from ansible_collections.certops.rotation.tests.conformance.keys import key
from ansible_collections.certops.rotation.tests.conformance.ocsp_cases import (
    answered,
    delegate,
    forged,
    resigned,
    signature_of,
    signed_by,
    world,
)
from ansible_collections.certops.rotation.tests.conformance.ocsp_writer import ocsp_response
from ansible_collections.certops.rotation.tests.conformance.vector import Case, Expected, good, unknown, vector
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

_PSS = "1.2.840.113549.1.1.10"
_MGF1 = "1.2.840.113549.1.1.8"
_SHA1 = der.sequence(der.oid("1.3.14.3.2.26"), der.NULL)
_SHA256 = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.NULL)
_SHA512 = der.sequence(der.oid("2.16.840.1.101.3.4.2.3"), der.NULL)


def _pss_parameters(digest: bytes, salt: int | None) -> bytes:
    """``salt`` None leaves the length out, which then is 20."""
    mask = der.sequence(der.oid(_MGF1), digest)
    return der.sequence(
        der.explicit(0, digest),
        der.explicit(1, mask),
        b"" if salt is None else der.explicit(2, der.integer(salt)),
    )


def _pss(parameters: bytes, chosen: hashes.HashAlgorithm, expected: Expected) -> Case:
    """Signed by an RSA delegate without salt, so that the bytes are the same each time."""
    rsa_key = key("rsa-leaf")
    scheme = padding.PSS(padding.MGF1(chosen), 0)
    response = resigned(
        signed_by(delegate(key=rsa_key)),
        der.sequence(der.oid(_PSS), parameters),
        lambda data: bytes(rsa_key.sign(data, scheme, chosen)),
    )
    return answered(response, expected)


@vector
def ecdsa_with_p384() -> Case:
    """A delegate with a P-384 key, SHA-384."""
    return answered(signed_by(delegate(key=key("p384-issuing")), algorithm=hashes.SHA384()), good())


@vector
def rsa_pkcs1() -> Case:
    """sha256WithRSAEncryption."""
    return answered(signed_by(delegate(key=key("rsa-leaf"))), good())


@vector
def rsa_pss() -> Case:
    """RSASSA-PSS with SHA-256; its parameters stand beside its OID (RFC 4055 3.1)."""
    return _pss(_pss_parameters(_SHA256, 0), hashes.SHA256(), good())


@vector
def rsa_pss_with_sha512() -> Case:
    """RSASSA-PSS with SHA-512, for the data and in the mask."""
    return _pss(_pss_parameters(_SHA512, 0), hashes.SHA512(), good())


@vector
def rsa_pss_without_parameters() -> Case:
    """In a signature the parameters must be there (RFC 4055 3.1): not guessed."""
    return _pss(b"", hashes.SHA256(), unknown("signature_unsupported"))


@vector
def rsa_pss_with_default_parameters_is_weak() -> Case:
    """An empty SEQUENCE means SHA-1, whose collisions can be made on purpose."""
    return _pss(der.sequence(), hashes.SHA256(), unknown("signature_weak"))


@vector
def rsa_pss_with_another_salt() -> Case:
    """The parameters say 20 octets of salt (by default), the signature has none."""
    return _pss(_pss_parameters(_SHA256, None), hashes.SHA256(), unknown("signature_invalid"))


@vector
def rsa_pss_with_a_negative_salt() -> Case:
    """A salt of -1 octets is nonsense."""
    return _pss(_pss_parameters(_SHA256, -1), hashes.SHA256(), unknown("unreadable"))


@vector
def rsa_pss_with_another_trailer() -> Case:
    """Only the trailer field 1 exists (RFC 4055 3.1)."""
    trailer = der.explicit(3, der.integer(2))
    parameters = der.sequence(der.explicit(0, _SHA256), der.explicit(2, der.integer(0)), trailer)
    return _pss(parameters, hashes.SHA256(), unknown("signature_unsupported"))


@vector
def ed25519() -> Case:
    """RFC 8410."""
    return answered(signed_by(delegate(key=key("ed25519-leaf"))), good())


@vector
def ed448() -> Case:
    """RFC 8410; the delegate itself is certified with ECDSA."""
    ed448_key = key("ed448-delegate")
    unsigned = ocsp_response(
        [world().single()],
        key=world().ca.key,
        responder=delegate(key=ed448_key).certificate,
        certificates=[delegate(key=ed448_key).certificate],
    )
    return answered(resigned(unsigned, der.sequence(der.oid("1.3.101.113")), ed448_key.sign), good())


@vector
def sha1_with_rsa_is_weak() -> Case:
    """sha1WithRSAEncryption: whoever gets a responder to sign what he chose may have signed something else with it."""
    return answered(signed_by(delegate(key=key("rsa-leaf")), algorithm=hashes.SHA1()), unknown("signature_weak"))


@vector
def sha1_with_ecdsa_is_weak() -> Case:
    """ecdsa-with-SHA1, from the CA itself."""
    response = world().sign_response([world().single()], algorithm=hashes.SHA1())
    return answered(response, unknown("signature_weak"))


@vector
def an_algorithm_of_another_kind_of_key() -> Case:
    """Says sha256WithRSAEncryption, but the CA's key is an elliptic curve's: such a signature cannot hold."""
    rsa = der.sequence(der.oid("1.2.840.113549.1.1.11"), der.NULL)
    response = resigned(world().response(), rsa, lambda data: der.sign(world().ca.key, data))
    return answered(response, unknown("signature_invalid"))


@vector
def an_algorithm_that_nobody_knows() -> Case:
    """An OID that stands for no signature."""
    odd = der.sequence(der.oid("1.3.6.1.4.1.55555.9"))
    response = resigned(world().response(), odd, lambda data: der.sign(world().ca.key, data))
    return answered(response, unknown("signature_unsupported"))


@vector
def one_turned_bit() -> Case:
    """The last bit of the signature."""
    return answered(forged(world().response()), unknown("signature_invalid"))


@vector
def one_turned_bit_in_what_was_signed() -> Case:
    """Unknown made good: ``[2]`` becomes ``[0]`` in the signed data."""
    said = world().response("unknown")
    return answered(said.replace(b"\x82\x00\x18", b"\x80\x00\x18"), unknown("signature_invalid"))


@vector
def an_empty_signature() -> Case:
    """A BIT STRING without bits."""
    algorithm = der.signature_algorithm(world().ca.key)
    return answered(resigned(world().response(), algorithm, lambda _data: b""), unknown("signature_invalid"))


@vector
def the_signature_of_another_response() -> Case:
    """A good response that bears the signature of an earlier one."""
    algorithm = der.signature_algorithm(world().ca.key)
    other = signature_of(world().response(produced_at=AT))
    return answered(resigned(world().response(), algorithm, lambda _data: other), unknown("signature_invalid"))
