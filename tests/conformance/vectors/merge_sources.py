# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is claimed when several sources speak: any verified "revoked" wins, good needs one of full scope."""

from __future__ import annotations

from datetime import datetime, timezone

from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import Note, Prefer, RevocationPolicy
from ansible_collections.certops.rotation.tests.conformance.hierarchy import AT, CA_CRL, OCSP, ROOT_CRL, hierarchy
from ansible_collections.certops.rotation.tests.conformance.keys import key
from ansible_collections.certops.rotation.tests.conformance.ocsp_writer import ocsp_response
from ansible_collections.certops.rotation.tests.conformance.vector import (
    Case,
    good,
    revoked,
    unknown,
    usual_case,
    vector,
)
from ansible_collections.certops.rotation.tests.support.pki import DAY, HOUR, issuing_point, ocsp_error
from cryptography import x509

BOTH = RevocationPolicy(prefer=Prefer.BOTH)
COMPROMISED = x509.ReasonFlags.key_compromise
HOLD = x509.ReasonFlags.certificate_hold
KEY_COMPROMISE, CERTIFICATE_HOLD = 1, 6  # CRLReason as OCSP has it


@vector
def clean_crls_are_good() -> Case:
    """The leaf is in no CRL of its CA, the CA in none of the root: good, and OCSP need not be asked."""
    return usual_case(good(asked=(CA_CRL, ROOT_CRL), notes=()), pages={CA_CRL: hierarchy().ca_crl()})


@vector
def listed_in_the_crl_is_revoked() -> Case:
    """Listed in the CA's CRL: revoked, with time and reason as they stand there (RFC 5280 6.3.3)."""
    world = hierarchy()
    pages = {CA_CRL: world.ca_crl({world.leaf.serial: None}), OCSP: world.response()}
    return usual_case(revoked(revoked_at=AT - 2 * HOUR, revocation_reason="unspecified"), pages=pages)


@vector
def invalidity_date_is_told() -> Case:
    """An entry with an invalidityDate: since when the key is suspected stands in the verdict (RFC 5280 5.3.2)."""
    world = hierarchy()
    suspected = AT - 5 * DAY
    extra = [(x509.InvalidityDate(suspected.replace(tzinfo=None)), False)]
    pages = {CA_CRL: world.ca_crl({world.leaf.serial: COMPROMISED}, entry_extra=extra)}
    return usual_case(revoked(invalidity_date=suspected, revocation_reason="keyCompromise"), pages=pages)


@vector
def a_stale_response_alone_is_unknown() -> Case:
    """An OCSP response whose nextUpdate has passed by more than the tolerance says nothing about now (RFC 9919 5)."""
    world = hierarchy(crl=False)
    pages = {OCSP: world.response(this_update=AT - 3 * DAY, next_update=AT - DAY)}
    return usual_case(unknown("stale"), world=world, pages=pages)


@vector
def crl_unreachable_and_ocsp_good_is_good() -> Case:
    """The CRL cannot be fetched, the CA's responder says good: one verified source of full scope is enough."""
    return usual_case(good(asked=(CA_CRL, OCSP, ROOT_CRL)), pages={OCSP: hierarchy().response()})


@vector
def crl_revoked_wins_over_ocsp_good() -> Case:
    """The CRL lists the leaf, a newer response says good: revoked wins, and the contradiction is told."""
    world = hierarchy()
    pages = {CA_CRL: world.ca_crl([world.leaf.serial]), OCSP: world.response()}
    return usual_case(revoked(notes=(Note.SOURCES_DISAGREE,)), pages=pages, policy=BOTH)


@vector
def ocsp_revoked_wins_over_a_newer_clean_crl() -> Case:
    """OCSP says revoked since two hours, a CRL of an hour ago is clean: revoked wins, the contradiction is told."""
    world = hierarchy()
    pages = {CA_CRL: world.ca_crl(), OCSP: world.response("revoked", reason=KEY_COMPROMISE)}
    expected = revoked(notes=(Note.SOURCES_DISAGREE,), revocation_reason="keyCompromise")
    return usual_case(expected, pages=pages, policy=BOTH)


@vector
def ocsp_revoked_and_an_older_clean_crl_is_propagation() -> Case:
    """OCSP says revoked since half an hour, the clean CRL is older than that: revoked, and the CRL will follow.

    CAs publish a CRL within a day of a revocation (BR 4.9.7), so this is no contradiction.
    """
    world = hierarchy()
    pages = {CA_CRL: world.ca_crl(), OCSP: world.response("revoked", revoked_at=AT - HOUR / 2, this_update=AT)}
    return usual_case(revoked(notes=(Note.PROPAGATION,), revoked_at=AT - HOUR / 2), pages=pages, policy=BOTH)


@vector
def ocsp_revoked_at_the_second_of_the_clean_crl_is_propagation() -> Case:
    """Revoked in the very second of the clean CRL's thisUpdate: it may have been made just before, so propagation."""
    world = hierarchy()
    pages = {CA_CRL: world.ca_crl(), OCSP: world.response("revoked", revoked_at=AT - HOUR)}
    return usual_case(revoked(notes=(Note.PROPAGATION,)), pages=pages, policy=BOTH)


@vector
def ocsp_unknown_and_a_clean_crl_is_good_with_a_note() -> Case:
    """The responder does not know a certificate that is in no CRL: good by the CRL, and the disagreement is told.

    It may be one that the CA never issued (RFC 6960 2.2); a CRL cannot tell that.
    """
    world = hierarchy()
    pages = {CA_CRL: world.ca_crl(), OCSP: world.response("unknown")}
    return usual_case(good(notes=(Note.SOURCES_DISAGREE,)), pages=pages, policy=BOTH)


@vector
def not_issued_wins_over_a_clean_crl() -> Case:
    """Revoked as certificateHold since 1970 is how responders say "never issued" (RFC 6960 2.2): revoked."""
    world = hierarchy()
    response = world.response("revoked", reason=CERTIFICATE_HOLD, revoked_at=datetime(1970, 1, 1, tzinfo=timezone.utc))
    pages = {CA_CRL: world.ca_crl(), OCSP: response}
    return usual_case(revoked("revoked", "not_issued", exactly=False), pages=pages, policy=BOTH)


@vector
def forged_revoked_crl_does_not_count() -> Case:
    """A CRL in the CA's name that lists the leaf, signed with a stranger's key, beside a good response: good.

    Only what is verified wins; else anyone on the way could take a site down.
    """
    world = hierarchy()
    pages = {CA_CRL: world.ca_crl([world.leaf.serial], key=key("stranger")), OCSP: world.response()}
    return usual_case(good(), pages=pages, policy=BOTH)


@vector
def forged_good_response_does_not_count() -> Case:
    """A good response signed with a stranger's key beside a CRL that lists the leaf: revoked."""
    world = hierarchy()
    forged = ocsp_response([world.single()], key=key("stranger"), responder=world.ca.certificate)
    pages = {CA_CRL: world.ca_crl([world.leaf.serial]), OCSP: forged}
    return usual_case(revoked(notes=()), pages=pages, policy=BOTH)


@vector
def revoked_in_a_stale_crl_wins_over_ocsp_good() -> Case:
    """Listed for good in a CRL that has run out, and a fresh good response: a revocation is for ever, so revoked."""
    world = hierarchy()
    since = AT - 10 * DAY
    old = world.ca_crl([world.leaf.serial], this_update=AT - 9 * DAY, next_update=AT - 2 * DAY, revoked_at=since)
    expected = revoked(revoked_at=since, notes=(Note.SOURCES_DISAGREE,))
    return usual_case(expected, pages={CA_CRL: old, OCSP: world.response()}, policy=BOTH)


@vector
def hold_in_a_stale_crl_is_lifted_by_ocsp_good() -> Case:
    """On hold in a CRL that has run out, and a fresh good response: holds can be lifted, so good (RFC 5280 5.3.1)."""
    world = hierarchy()
    old = world.ca_crl({world.leaf.serial: HOLD}, this_update=AT - 9 * DAY, next_update=AT - 2 * DAY)
    return usual_case(good(), pages={CA_CRL: old, OCSP: world.response()}, policy=BOTH)


@vector
def hold_in_a_stale_crl_alone_is_unknown() -> Case:
    """On hold in a CRL that has run out, and nothing else: the hold may be over or not, so unknown."""
    world = hierarchy(ocsp=False)
    old = world.ca_crl({world.leaf.serial: HOLD}, this_update=AT - 9 * DAY, next_update=AT - 2 * DAY)
    return usual_case(unknown("stale"), world=world, pages={CA_CRL: old})


@vector
def hold_is_revoked_while_it_lasts() -> Case:
    """On hold in a fresh CRL, a good response beside it: revoked with the word on_hold, and that is told."""
    world = hierarchy()
    pages = {CA_CRL: world.ca_crl({world.leaf.serial: HOLD}), OCSP: world.response()}
    expected = revoked("on_hold", revocation_reason="certificateHold", notes=(Note.SOURCES_DISAGREE,))
    return usual_case(expected, pages=pages, policy=BOTH)


@vector
def final_revocation_says_more_than_a_hold() -> Case:
    """On hold by the CRL, revoked for good by OCSP later: the final one is what is reported."""
    world = hierarchy()
    later = world.response("revoked", reason=KEY_COMPROMISE, revoked_at=AT - HOUR)
    pages = {CA_CRL: world.ca_crl({world.leaf.serial: HOLD}, revoked_at=AT - 4 * HOUR), OCSP: later}
    expected = revoked(revocation_reason="keyCompromise", revoked_at=AT - HOUR)
    return usual_case(expected, pages=pages, policy=BOTH)


@vector
def the_earliest_revocation_counts() -> Case:
    """Two sources give two times: the earlier is when trust ended."""
    world = hierarchy()
    pages = {
        CA_CRL: world.ca_crl([world.leaf.serial], revoked_at=AT - 2 * HOUR),
        OCSP: world.response("revoked", revoked_at=AT - 3 * HOUR),
    }
    return usual_case(revoked(revoked_at=AT - 3 * HOUR, notes=()), pages=pages, policy=BOTH)


@vector
def the_gravest_reason_counts() -> Case:
    """The CRL gives no reason, the response keyCompromise: the key must not be used again, so that is what is told."""
    world = hierarchy()
    pages = {
        CA_CRL: world.ca_crl([world.leaf.serial], revoked_at=AT - 3 * HOUR),
        OCSP: world.response("revoked", reason=KEY_COMPROMISE),
    }
    return usual_case(revoked(revoked_at=AT - 3 * HOUR, revocation_reason="keyCompromise"), pages=pages, policy=BOTH)


@vector
def partial_crl_is_completed_by_ocsp() -> Case:
    """A clean CRL for key compromise only, and a good response: the response is of full scope, so good."""
    world = hierarchy()
    point = issuing_point(CA_CRL, only_some_reasons=frozenset({COMPROMISED}))
    return usual_case(good(), pages={CA_CRL: world.ca_crl(point=point), OCSP: world.response()})


@vector
def partial_crl_alone_is_unknown() -> Case:
    """A clean CRL for key compromise only, and no responder: it may be revoked for another reason (RFC 5280 6.3.3)."""
    world = hierarchy(ocsp=False)
    point = issuing_point(CA_CRL, only_some_reasons=frozenset({COMPROMISED}))
    return usual_case(unknown("partial_reasons"), world=world, pages={CA_CRL: world.ca_crl(point=point)})


@vector
def what_every_source_failed_for_is_told() -> Case:
    """CRL unreachable, and the responder answers tryLater, which is unsigned: unknown, with both reasons."""
    pages = {OCSP: ocsp_error("try_later")}
    return usual_case(unknown("unreachable", "responder_error"), pages=pages)


@vector
def unsigned_error_does_not_hide_a_clean_crl() -> Case:
    """The responder answers unauthorized: an unsigned word proves nothing (RFC 6960 2.3), the clean CRL does."""
    pages = {CA_CRL: hierarchy().ca_crl(), OCSP: ocsp_error("unauthorized")}
    return usual_case(good(notes=()), pages=pages, policy=BOTH)
