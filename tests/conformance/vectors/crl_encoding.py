# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Extensions, versions and the very bytes of CRLs (RFC 5280 5.1 to 5.3). All of them are signed as they should be."""

from __future__ import annotations

from ansible_collections.certops.rotation.tests.conformance import der_writer as writer
from ansible_collections.certops.rotation.tests.conformance.crl_cases import (
    WORLD,
    entry,
    fetched,
    number_of,
    odd_extension,
    reason,
    written,
)
from ansible_collections.certops.rotation.tests.conformance.hierarchy import AT, CA_CRL, leaf_of
from ansible_collections.certops.rotation.tests.conformance.vector import Case, good, revoked, unknown, vector
from ansible_collections.certops.rotation.tests.support.pki import DAY, HOUR

OTHER = 0x2002
LEAF = WORLD.leaf.serial


def _with_entries(entries: bytes) -> bytes:
    """A CRL of the usual CA whose revokedCertificates have this content."""
    tbs = writer.sequence(
        writer.integer(1),
        writer.signature_algorithm(WORLD.ca.key),
        writer.name(WORLD.ca.subject),
        writer.utc_time(AT - HOUR),
        writer.utc_time(AT + 7 * DAY),
        writer.sequence(entries),
    )
    return writer.signed(tbs, WORLD.ca.key)


@vector
def an_unknown_critical_extension_keeps_good_away() -> Case:
    """What it changes about the CRL is not known, so an absence means nothing (5.2)."""
    return fetched(written(extensions=[odd_extension(critical=True)]), unknown("critical_extension"))


@vector
def listed_beside_an_unknown_critical_extension_is_revoked() -> Case:
    """Whatever the extension means, the CA has listed the certificate (5.2)."""
    return fetched(written(entries=[entry(LEAF)], extensions=[odd_extension(critical=True)]), revoked())


@vector
def an_unknown_extension_that_is_not_critical_does_no_harm() -> Case:
    """It may be passed over (5.2)."""
    return fetched(written(extensions=[odd_extension(critical=False)]), good())


@vector
def an_unknown_critical_extension_of_another_entry_spoils_the_crl() -> Case:
    """It may change whom the entries after it are about: the CRL must not be used at all (5.3)."""
    crl = written(entries=[entry(OTHER, odd_extension(critical=True))])
    return fetched(crl, unknown("critical_extension"))


@vector
def an_unknown_critical_extension_of_the_entry_itself_proves_nothing() -> Case:
    """As above; an entry that looks like ours may be about another certificate (5.3)."""
    return fetched(written(entries=[entry(LEAF, odd_extension(critical=True))]), unknown("critical_extension"))


@vector
def an_unknown_entry_extension_that_is_not_critical_does_no_harm() -> Case:
    """It may be passed over (5.3)."""
    return fetched(written(entries=[entry(LEAF, reason(1), odd_extension(critical=False))]), revoked())


@vector
def bytes_like_a_critical_extension_in_a_serial_do_no_harm() -> Case:
    """A serial number that holds the bytes of a BOOLEAN TRUE."""
    return fetched(written(entries=[entry(0x0101FF0101FF)]), good())


@vector
def a_crl_of_version_1_is_a_full_one() -> Case:
    """Without version, extensions and number: complete CRLs of version 1 must be processed (section 5)."""
    return fetched(written(version=None), good())


@vector
def listed_in_a_crl_of_version_1_is_revoked() -> Case:
    """The same with an entry."""
    return fetched(written(version=None, entries=[entry(LEAF)]), revoked())


@vector
def version_1_with_extensions_contradicts_itself() -> Case:
    """Extensions need version 2 (5.1.2.1): not good."""
    return fetched(written(version=None, extensions=[number_of(1)]), unknown("unsupported_version"))


@vector
def there_is_no_version_3() -> Case:
    """What else has changed then, nobody knows."""
    return fetched(written(version=3), unknown("unsupported_version"))


@vector
def an_empty_list_is_an_empty_list() -> Case:
    """revokedCertificates stands there with nothing in it; RFC 5280 5.1.2.6 wants it left out, many write it."""
    return fetched(_with_entries(b""), good())


@vector
def bytes_after_the_crl_are_refused() -> Case:
    """Nothing may follow; what does, was not signed."""
    return fetched(WORLD.ca_crl() + b"\x00", unknown("unreadable"))


@vector
def a_crl_cut_off_is_unreadable() -> Case:
    """The last byte is missing."""
    return fetched(WORLD.ca_crl()[:-1], unknown("unreadable"))


@vector
def a_web_page_is_unreadable() -> Case:
    """What a captive portal sends."""
    return fetched(b"<html><body>Sign in</body></html>", unknown("unreadable"))


@vector
def pem_of_something_else_is_unreadable() -> Case:
    """PEM, but no CRL in it."""
    return fetched(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", unknown("unreadable"))


@vector
def a_length_in_too_many_bytes_is_refused() -> Case:
    """BER, not DER: the length of the whole list in three bytes where two would do."""
    crl = WORLD.ca_crl()
    return fetched(crl[:1] + b"\x83\x00" + crl[2:], unknown("unreadable"))


@vector
def a_serial_number_with_a_superfluous_zero_is_refused() -> Case:
    """02 03 00 10 01 is not the DER of 0x1001, and must not be a way not to be found."""
    bad = writer.sequence(writer.tlv(2, b"\x00\x10\x01"), writer.utc_time(AT - HOUR))
    return fetched(_with_entries(bad), unknown("unreadable"))


@vector
def an_entry_without_a_time_is_refused() -> Case:
    """One malformed entry, of another certificate: the list cannot be relied upon."""
    return fetched(_with_entries(writer.sequence(writer.integer(OTHER))), unknown("unreadable"))


@vector
def a_day_that_does_not_exist_is_refused() -> Case:
    """Revoked on 30 February."""
    bad = writer.sequence(writer.integer(OTHER), writer.tlv(0x17, b"260230000000Z"))
    return fetched(_with_entries(bad), unknown("unreadable"))


@vector
def a_leap_day_exists() -> Case:
    """Revoked on 29 February 2024."""
    leap = writer.sequence(writer.integer(LEAF), writer.tlv(0x17, b"240229000000Z"))
    return fetched(_with_entries(leap), revoked())


@vector
def generalized_time_is_a_time() -> Case:
    """Revoked in a year that UTCTime cannot express would be odd; but a GeneralizedTime may stand there."""
    other = writer.sequence(writer.integer(OTHER), writer.generalized_time(AT - DAY))
    own = writer.sequence(writer.integer(LEAF), writer.generalized_time(AT - DAY))
    return fetched(_with_entries(other + own), revoked(revoked_at=AT - DAY))


@vector
def bytes_between_entries_are_refused() -> Case:
    """Something between two entries that is none: the leaf's entry after it must not be lost."""
    own = writer.sequence(writer.integer(LEAF), writer.utc_time(AT - DAY))
    return fetched(_with_entries(own + writer.NULL + own), unknown("unreadable"))


@vector
def an_extension_twice_in_an_entry_is_refused() -> Case:
    """Two reasons: which one holds? (4.2 allows each extension once)"""
    return fetched(written(entries=[entry(OTHER, reason(1), reason(6))]), unknown("unreadable"))


@vector
def a_reason_that_does_not_exist_is_not_guessed() -> Case:
    """Reason 7 is not assigned; what is listed so is not called revoked, and never good."""
    return fetched(written(entries=[entry(LEAF, reason(7))]), unknown("unreadable"))


@vector
def a_hold_can_be_lifted_in_a_delta_crl_only() -> Case:
    """removeFromCRL in a complete CRL (5.3.1 forbids it): neither revoked nor good."""
    return fetched(written(entries=[entry(LEAF, reason(8))]), unknown("misplaced_entry"))


@vector
def serial_numbers_of_twenty_bytes_are_found() -> Case:
    """The longest that RFC 5280 allows; another entry differs in the first byte only."""
    serial = int("7f" + "a5" * 19, 16)
    leaf = leaf_of(WORLD.ca, serial=serial, crl_urls=[CA_CRL])
    crl = written(entries=[entry(serial ^ (1 << 152)), entry(serial, reason(4))])
    return fetched(crl, revoked(revocation_reason="superseded"), chain=leaf.chain)


@vector
def a_serial_number_that_differs_in_its_first_byte_is_another() -> Case:
    """The last nineteen bytes are those of the leaf's."""
    serial = int("7f" + "a5" * 19, 16)
    leaf = leaf_of(WORLD.ca, serial=serial, crl_urls=[CA_CRL])
    return fetched(written(entries=[entry(serial ^ (1 << 152))]), good(), chain=leaf.chain)


@vector
def odd_serial_numbers_of_others_do_no_harm() -> Case:
    """Zero, negative ones and one of 200 bytes are forbidden, but seen; the entry after them is found."""
    odd = [entry(0), entry(-1), entry(-0x1001), entry(1 << 1599), entry(LEAF)]
    return fetched(written(entries=odd), revoked())


@vector
def a_negative_serial_number_is_not_its_positive_twin() -> Case:
    """-0xEFFF has the bytes 10 01 without a sign before them only in a careless reading of 0x1001."""
    return fetched(written(entries=[entry(LEAF - 0x10000), entry(-LEAF)]), good())


@vector
def entries_with_long_extensions_are_walked_through() -> Case:
    """Lengths of one, two and three bytes, one after the other, and the leaf behind them."""
    long = [writer.extension("1.3.6.1.4.1.55555.2", writer.octets(bytes(size))) for size in (10, 200, 70_000)]
    crl = written(entries=[*(entry(OTHER + i, each) for i, each in enumerate(long)), entry(LEAF, reason(3))])
    return fetched(crl, revoked(revocation_reason="affiliationChanged"))


@vector
def many_shapes_of_entries_are_all_understood() -> Case:
    """A hundred entries, each with an extension of another length; the leaf is the last of a different hundred."""
    odd = [
        entry(OTHER + size, writer.extension("1.3.6.1.4.1.55555.2", writer.octets(bytes(size)))) for size in range(100)
    ]
    return fetched(written(entries=[*odd, *(entry(0x9000 + i) for i in range(99)), entry(LEAF)]), revoked())
