# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a response about now? (RFC 9919 sections 3.2.4 and 5)"""

from __future__ import annotations

from datetime import timedelta

from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import RevocationPolicy
from ansible_collections.certops.rotation.tests.conformance import der_writer as der
from ansible_collections.certops.rotation.tests.conformance.hierarchy import AT, OCSP, ROOT_CRL
from ansible_collections.certops.rotation.tests.conformance.ocsp_cases import (
    CERTIFICATE_HOLD,
    InTurn,
    altered,
    answered,
    forged,
    world,
)
from ansible_collections.certops.rotation.tests.conformance.vector import Case, good, revoked, unknown, vector
from ansible_collections.certops.rotation.tests.support.pki import DAY, HOUR

SECOND_OF_TIME = timedelta(seconds=1)
TOLERANCE = RevocationPolicy().tolerance


@vector
def the_last_second_of_next_update_counts() -> Case:
    """At nextUpdate itself a response still speaks: it must not be earlier than the current time (RFC 9919 5)."""
    policy = RevocationPolicy(tolerance=timedelta(0))
    return answered(world().response(next_update=AT), good(), policy=policy)


@vector
def expired_within_the_tolerance_is_good() -> Case:
    """Clocks differ; a small configurable period after nextUpdate is allowed (RFC 9919 5)."""
    return answered(world().response(next_update=AT - TOLERANCE), good())


@vector
def expired_beyond_the_tolerance_is_stale() -> Case:
    """One second more, and the response is rejected as stale; asked for again past caches, it is still the same."""
    stale = world().response(next_update=AT - TOLERANCE - SECOND_OF_TIME)
    return answered(stale, unknown("stale", asked=(OCSP, OCSP, ROOT_CRL)))


@vector
def an_expired_response_from_a_cache_is_asked_for_again() -> Case:
    """A cache on the way kept the expired response: one retry with no-cache gets the new one (RFC 9919 7.2)."""
    old = world().response(this_update=AT - 9 * DAY, next_update=AT - 2 * DAY)
    return answered(InTurn([old, world().response()]), good(asked=(OCSP, OCSP, ROOT_CRL)))


@vector
def an_expired_response_is_asked_for_again_only_once() -> Case:
    """The retry gets an expired response as well: that was it; no third request."""
    old = world().response(this_update=AT - 9 * DAY, next_update=AT - 2 * DAY)
    older = world().response(this_update=AT - 19 * DAY, next_update=AT - 12 * DAY)
    return answered(InTurn([older, old, world().response()]), unknown("stale", asked=(OCSP, OCSP, ROOT_CRL)))


@vector
def a_forged_retry_is_no_answer() -> Case:
    """Expired first, and what comes past the caches is not signed as it should be."""
    old = world().response(this_update=AT - 9 * DAY, next_update=AT - 2 * DAY)
    return answered(InTurn([old, forged(world().response())]), unknown("signature_invalid"))


@vector
def from_the_future_is_unknown() -> Case:
    """thisUpdate later than now by more than the tolerance: not a response for now (RFC 9919 5)."""
    return answered(world().response(this_update=AT + TOLERANCE + SECOND_OF_TIME), unknown("from_the_future"))


@vector
def from_the_future_within_the_tolerance_is_good() -> Case:
    """The responder's clock is a little ahead."""
    return answered(world().response(this_update=AT + TOLERANCE), good())


@vector
def produced_in_the_future_is_unknown() -> Case:
    """producedAt is when it was signed (RFC 9919 3.2.4). What will be signed tomorrow cannot be known today."""
    return answered(world().response(produced_at=AT + DAY), unknown("from_the_future"))


@vector
def produced_long_ago_for_now_is_good() -> Case:
    """Responses are made in advance (RFC 6960 2.5); producedAt says nothing against it, only the updates count."""
    return answered(world().response(produced_at=AT - 2 * DAY), good())


@vector
def without_next_update_good_is_unknown() -> Case:
    """A response without nextUpdate could be replayed for ever, so it is rejected (RFC 9919 5)."""
    return answered(world().response(no_next_update=True), unknown("next_update_missing"))


@vector
def without_next_update_revoked_is_revoked() -> Case:
    """The same that says revoked: that cannot get out of date, so a replay does no harm."""
    return answered(world().response("revoked", no_next_update=True), revoked())


@vector
def next_update_before_this_update_is_stale() -> Case:
    """No time lies between them, so there is none that it speaks for; both within the tolerance of now."""
    minute = timedelta(minutes=1)
    return answered(world().response(this_update=AT + minute, next_update=AT - minute), unknown("stale"))


@vector
def older_than_the_policy_wants_is_stale() -> Case:
    """``max_age``: the operator wants newer answers than the responder thinks are new enough."""
    response = world().response(this_update=AT - 2 * DAY)
    return answered(response, unknown("stale"), policy=RevocationPolicy(max_age=DAY))


@vector
def expired_but_revoked_is_revoked() -> Case:
    """A revocation is for ever: an expired response proves it as well as a fresh one, and needs no retry."""
    old = world().response("revoked", this_update=AT - 9 * DAY, next_update=AT - 2 * DAY, revoked_at=AT - 10 * DAY)
    return answered(old, revoked(revoked_at=AT - 10 * DAY, asked=(OCSP, ROOT_CRL)))


@vector
def expired_and_on_hold_is_unknown() -> Case:
    """A hold may have been lifted since (RFC 5280 5.3.1), so an expired response says nothing about now."""
    old = world().response("revoked", reason=CERTIFICATE_HOLD, next_update=AT - 2 * DAY, revoked_at=AT - 10 * DAY)
    return answered(old, unknown("stale"))


@vector
def not_yet_revoked_then_is_not_revoked() -> Case:
    """Judged for a time before the revocation, with a response of after it: it does not say what was then."""
    response = world().response("revoked", revoked_at=AT - 2 * HOUR)
    return answered(response, unknown("from_the_future", exactly=False), at=AT - 12 * HOUR)


@vector
def revoked_before_the_time_judged_for_is_revoked() -> Case:
    """A response of later also proves that the certificate was revoked by then."""
    response = world().response("revoked", revoked_at=AT - 18 * HOUR)
    return answered(response, revoked(revoked_at=AT - 18 * HOUR), at=AT - 12 * HOUR)


@vector
def fractions_of_a_second_are_unreadable() -> Case:
    """GeneralizedTime in a response has no fractions of a second (RFC 9919 3.2.4)."""
    fraction = der.tlv(0x18, b"20261120110000.5Z")
    return answered(altered(2, fraction), unknown("unreadable"))


@vector
def utc_time_is_unreadable() -> Case:
    """The times of a response are GeneralizedTime (RFC 6960 4.2.1), never UTCTime as in certificates."""
    return answered(altered(2, der.utc_time(AT - HOUR)), unknown("unreadable"))


@vector
def an_expired_certificate_is_not_asked_about() -> Case:
    """Responders may forget expired certificates (RFC 9919 3.2.3), so they are not asked (4.2): expired."""
    return answered(world().response(), unknown("expired", exactly=False, asked=(ROOT_CRL,)), at=AT + 31 * DAY)
