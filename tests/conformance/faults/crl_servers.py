# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CRL servers that answer over HTTP as they should, with what they should not."""

from __future__ import annotations

from ansible_collections.certops.rotation.tests.conformance.faults.server import Answer, Asked, fault
from ansible_collections.certops.rotation.tests.conformance.hierarchy import AT, issuing_ca, root_ca
from ansible_collections.certops.rotation.tests.conformance.keys import key
from ansible_collections.certops.rotation.tests.support.pki import DAY, der, issuing_point
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization


@fault
def crl_nothing_wrong(asked: Asked) -> Answer:
    """For comparison: the CA's CRL, in which nothing is."""
    return Answer(asked.ca.crl())


@fault
def crl_revoked(asked: Asked) -> Answer:
    """For comparison: the certificate is listed."""
    return Answer(asked.ca.crl({asked.leaf.serial: x509.ReasonFlags.superseded}))


@fault
def crl_pem(asked: Asked) -> Answer:
    """In PEM, as private CAs like to publish it."""
    crl = x509.load_der_x509_crl(asked.ca.crl())
    return Answer(crl.public_bytes(serialization.Encoding.PEM))


@fault
def crl_expired(asked: Asked) -> Answer:
    """nextUpdate was yesterday."""
    return Answer(asked.ca.crl(this_update=AT - 8 * DAY, next_update=AT - DAY))


@fault
def crl_from_the_future(asked: Asked) -> Answer:
    """thisUpdate is tomorrow."""
    return Answer(asked.ca.crl(this_update=AT + DAY, next_update=AT + 2 * DAY))


@fault
def crl_other_shard(asked: Asked) -> Answer:
    """Well signed, but for the certificates of another distribution point."""
    return Answer(asked.ca.crl(point=issuing_point("http://crl.vectors.example/other-shard.crl")))


@fault
def crl_own_shard(asked: Asked) -> Answer:
    """For comparison: the shard of this distribution point."""
    return Answer(asked.ca.crl(point=issuing_point(asked.server.url("crl_own_shard"))))


@fault
def crl_for_cas_only(asked: Asked) -> Answer:
    """onlyContainsCACerts, and the certificate is a server's."""
    return Answer(asked.ca.crl(point=issuing_point(only_contains_ca_certs=True)))


@fault
def crl_some_reasons_only(asked: Asked) -> Answer:
    """onlySomeReasons: whoever was compromised stands in another CRL."""
    reasons = frozenset({x509.ReasonFlags.superseded})
    return Answer(asked.ca.crl(point=issuing_point(only_some_reasons=reasons)))


@fault
def crl_delta(asked: Asked) -> Answer:
    """A delta CRL where the complete one should be."""
    return Answer(asked.ca.crl(number=7, extra=[(x509.DeltaCRLIndicator(5), True)]))


@fault
def crl_critical_extension(asked: Asked) -> Answer:
    """An unknown critical extension."""
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")
    return Answer(asked.ca.crl(extra=[(odd, True)]))


@fault
def crl_of_another_ca(asked: Asked) -> Answer:
    """The CRL of some other CA."""
    return Answer(root_ca("Foreign Root", key_name="stranger", serial=0x0C).crl())


@fault
def crl_wrong_signer(asked: Asked) -> Answer:
    """The CA's name, another key's signature."""
    return Answer(asked.ca.crl(key=key("stranger")))


@fault
def crl_of_the_twin(asked: Asked) -> Answer:
    """The CRL of a CA of the same name with another key, which its authorityKeyIdentifier says."""
    twin = issuing_ca(root_ca(), key_name="issuing-2", serial=0x0D)
    return Answer(twin.crl())


@fault
def crl_sha384_signature(asked: Asked) -> Answer:
    """For comparison: another hash in the signature."""
    return Answer(asked.ca.crl(algorithm=hashes.SHA384()))


@fault
def crl_truncated(asked: Asked) -> Answer:
    """Cut off at two thirds, by whoever copied it; the length in HTTP is right."""
    whole = asked.ca.crl(range(0x6000, 0x6064))
    return Answer(whole[: len(whole) * 2 // 3])


@fault
def crl_with_more_behind(asked: Asked) -> Answer:
    """A line feed behind the DER."""
    return Answer(asked.ca.crl() + b"\n")


@fault
def crl_is_a_certificate(asked: Asked) -> Answer:
    """The CA's certificate where its CRL should be."""
    return Answer(der(asked.ca.certificate))
