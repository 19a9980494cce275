# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes that are no response, or not quite (RFC 6960 section 4.2.1)."""

from __future__ import annotations

from ansible_collections.certops.rotation.tests.conformance import der_writer as der
from ansible_collections.certops.rotation.tests.conformance.hierarchy import OCSP, ROOT_CRL
from ansible_collections.certops.rotation.tests.conformance.ocsp_cases import (
    ODD,
    altered,
    answered,
    basic_of,
    data_of,
    resigned,
    world,
)
from ansible_collections.certops.rotation.tests.conformance.ocsp_writer import wrapped
from ansible_collections.certops.rotation.tests.conformance.vector import Case, good, unknown, vector


@vector
def nothing() -> Case:
    """An empty answer."""
    return answered(b"", unknown("unreadable", asked=(OCSP, ROOT_CRL)))


@vector
def a_page_for_people() -> Case:
    """An HTML page of a proxy or a captive portal, with status 200."""
    return answered(b"<!DOCTYPE html><html><body>Please log in</body></html>", unknown("unreadable"))


@vector
def half_a_response() -> Case:
    """Cut off in the middle."""
    whole = world().response()
    return answered(whole[: len(whole) // 2], unknown("unreadable"))


@vector
def a_response_and_more() -> Case:
    """Bytes behind the response."""
    return answered(world().response() + b"\x05\x00", unknown("unreadable"))


@vector
def a_response_with_an_indefinite_length() -> Case:
    """BER where DER is wanted: the outermost length is not given."""
    return answered(b"\x30\x80" + world().response()[4:] + b"\x00\x00", unknown("unreadable"))


@vector
def success_without_a_response() -> Case:
    """``successful``, and no responseBytes."""
    return answered(der.sequence(der.enumerated(0)), unknown("unreadable"))


@vector
def a_status_without_name() -> Case:
    """responseStatus 4 is not used (RFC 6960 4.2.1)."""
    return answered(der.sequence(der.enumerated(4)), unknown("unreadable"))


@vector
def another_type_of_response() -> Case:
    """Only id-pkix-ocsp-basic is known; a valid basic response under another type is not looked at."""
    return answered(wrapped(basic_of(world().response()), ODD), unknown("unreadable"))


@vector
def a_later_version() -> Case:
    """ResponseData of a version that does not exist yet."""
    data = der.sequence(der.explicit(0, der.integer(1)), *data_of(world().response()))
    return answered(wrapped(der.signed(data, world().ca.key)), unknown("unreadable"))


@vector
def a_status_of_the_certificate_that_does_not_exist() -> Case:
    """certStatus ``[3]``: neither good nor revoked nor unknown."""
    return answered(altered(1, der.implicit(3)), unknown("unreadable"))


@vector
def a_megabyte_and_more() -> Case:
    """Larger than any response has reason to be; not even decoded."""
    return answered(der.octets(bytes(1 << 20)), unknown("too_large"))


@vector
def a_signature_whose_last_byte_has_unused_bits() -> Case:
    """A signature is whole octets; a BIT STRING that says otherwise is not decoded."""
    algorithm = der.signature_algorithm(world().ca.key)
    response = resigned(world().response(), algorithm, lambda data: der.sign(world().ca.key, data), unused=3)
    return answered(response, unknown("unreadable"))


@vector
def a_request_instead_of_a_response() -> Case:
    """A mirror: the responder sends back what it was asked."""
    return answered(lambda request: request, unknown("unreadable"))


@vector
def a_crl_instead_of_a_response() -> Case:
    """The root's CRL under the responder's URL."""
    return answered(world().root_crl, unknown("unreadable"))


@vector
def a_response_resigned_as_it_was() -> Case:
    """The other cases of this file and of the next take responses apart; put together again they are good."""
    algorithm = der.signature_algorithm(world().ca.key)
    return answered(resigned(world().response(), algorithm, lambda data: der.sign(world().ca.key, data)), good())
