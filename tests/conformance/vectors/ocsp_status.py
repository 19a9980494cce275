# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a responder can say, and what it means for the certificate (RFC 6960 sections 2.2, 2.3 and 4.2.1)."""

from __future__ import annotations

from datetime import datetime, timezone

from ansible_collections.certops.rotation.tests.conformance import der_writer as der
from ansible_collections.certops.rotation.tests.conformance.hierarchy import AT, OCSP, ROOT_CRL
from ansible_collections.certops.rotation.tests.conformance.ocsp_cases import (
    CERTIFICATE_HOLD,
    SECOND,
    about_two_responders,
    answered,
    answered_by_two,
    world,
)
from ansible_collections.certops.rotation.tests.conformance.vector import Case, good, revoked, unknown, vector
from ansible_collections.certops.rotation.tests.support.pki import DAY, HOUR, ocsp_error

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@vector
def good_is_good() -> Case:
    """The CA itself signs that the certificate is not known to be revoked, for now: good (RFC 6960 2.2)."""
    return answered(world().response(), good(asked=(OCSP, ROOT_CRL)))


@vector
def revoked_has_time_and_reason() -> Case:
    """Revoked, with the time and the reason of the response."""
    expected = revoked(revoked_at=AT - 2 * HOUR, revocation_reason="keyCompromise")
    return answered(world().response("revoked", reason=1), expected)


@vector
def revoked_without_reason_is_unspecified() -> Case:
    """A reason that is left out is ``unspecified`` (RFC 5280 5.3.1)."""
    return answered(world().response("revoked"), revoked(revocation_reason="unspecified"))


@vector
def revoked_for_a_number_without_name_is_revoked() -> Case:
    """CRLReason 7 is not used and says nothing (RFC 5280 5.3.1); that the certificate is revoked stands."""
    return answered(world().response("revoked", reason=7), revoked(revocation_reason="unspecified"))


@vector
def revoked_with_remove_from_crl_is_revoked() -> Case:
    """removeFromCRL belongs into delta CRLs. In a response that says revoked, it does not lift anything."""
    return answered(world().response("revoked", reason=8), revoked())


@vector
def revoked_from_tomorrow_on_is_revoked() -> Case:
    """A fresh response with a revocation time in the future: the CA has decided, so nobody may rely on it any more."""
    return answered(world().response("revoked", revoked_at=AT + DAY), revoked(revoked_at=AT + DAY))


@vector
def hold_is_revoked_and_says_so() -> Case:
    """certificateHold is revoked for as long as it lasts (RFC 5280 5.3.1), and told apart, since it can end."""
    expected = revoked("on_hold", revocation_reason="certificateHold")
    return answered(world().response("revoked", reason=CERTIFICATE_HOLD), expected)


@vector
def never_issued_is_revoked_and_says_so() -> Case:
    """certificateHold since 1970 is how a responder says that it never issued the certificate (RFC 6960 2.2)."""
    response = world().response("revoked", reason=CERTIFICATE_HOLD, revoked_at=EPOCH)
    return answered(response, revoked("revoked", "not_issued", revoked_at=EPOCH))


@vector
def unknown_is_not_good() -> Case:
    """The responder does not know the certificate: no kind of good. SHA-1 is tried too, and says the same."""
    return answered(world().response("unknown"), unknown("responder_says_unknown", asked=(OCSP, OCSP, ROOT_CRL)))


@vector
def the_date_of_the_compromise_is_told() -> Case:
    """invalidityDate, a CRL entry extension, may stand in singleExtensions (RFC 6960 4.4.5)."""
    when = der.extension("2.5.29.24", der.generalized_time(AT - 9 * DAY))
    response = world().response("revoked", reason=1, extensions=(when,))
    return answered(response, revoked(invalidity_date=AT - 9 * DAY))


@vector
def revoked_beside_good_is_revoked() -> Case:
    """Two answers about the same certificate in one response: a verified "revoked" wins, wherever it stands."""
    here = world()
    response = here.sign_response([here.single(), here.single("revoked", algorithm="sha1")])
    return answered(response, revoked())


@vector
def unknown_beside_good_is_unknown() -> Case:
    """A responder that says good and unknown of the same certificate vouches for nothing."""
    here = world()
    response = here.sign_response([here.single(), here.single("unknown", algorithm="sha1")])
    return answered(response, unknown("responder_says_unknown"))


@vector
def good_beside_an_expired_good_is_good() -> Case:
    """Of two answers about the same certificate one has expired; the other speaks for now."""
    here = world()
    old = here.single(algorithm="sha1", this_update=AT - 9 * DAY, next_update=AT - 5 * DAY)
    return answered(here.sign_response([old, here.single()]), good())


@vector
def malformed_request_proves_nothing() -> Case:
    """Errors are unsigned (RFC 6960 2.3). This one may be about the SHA-256 CertID, so SHA-1 is tried."""
    return answered(ocsp_error("malformed_request"), unknown("responder_error", asked=(OCSP, OCSP, ROOT_CRL)))


@vector
def internal_error_proves_nothing() -> Case:
    """internalError: unsigned, so neither good nor revoked. Some responders fail like that on SHA-256 CertIDs."""
    return answered(ocsp_error("internal_error"), unknown("responder_error", asked=(OCSP, OCSP, ROOT_CRL)))


@vector
def try_later_proves_nothing() -> Case:
    """tryLater: the responder is busy, so it is not asked once more with SHA-1."""
    return answered(ocsp_error("try_later"), unknown("responder_error", asked=(OCSP, ROOT_CRL)))


@vector
def signature_required_proves_nothing() -> Case:
    """sigRequired: another hash does not sign the request (which RFC 9919 3.1.2 tells us not to do)."""
    return answered(ocsp_error("sig_required"), unknown("responder_error", asked=(OCSP, ROOT_CRL)))


@vector
def unauthorized_proves_nothing() -> Case:
    """unauthorized: no record of this certificate (RFC 9919 3.2.3), perhaps only none under a SHA-256 CertID."""
    return answered(ocsp_error("unauthorized"), unknown("responder_error", asked=(OCSP, OCSP, ROOT_CRL)))


@vector
def a_busy_responder_is_passed_over() -> Case:
    """tryLater from the first responder: the second is asked at once."""
    return answered_by_two(ocsp_error("try_later"), about_two_responders(), good(asked=(OCSP, SECOND, ROOT_CRL)))


@vector
def an_error_with_a_good_response_in_it_is_an_error() -> Case:
    """responseBytes belong only to ``successful`` (RFC 6960 4.2.1). What an error carries does not count."""
    body = world().response()
    response_bytes = body[body.index(b"\xa0") :]
    return answered(der.sequence(der.enumerated(6), response_bytes), unknown("responder_error"))
