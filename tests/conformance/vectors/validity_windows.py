# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times: of answers against their windows with the tolerance, to the second, and of the certificate itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import RevocationPolicy
from ansible_collections.certops.rotation.tests.conformance.crl_writer import crl
from ansible_collections.certops.rotation.tests.conformance.hierarchy import (
    AT,
    CA_CRL,
    OCSP,
    Hierarchy,
    hierarchy,
    issuing_ca,
    leaf_of,
    root_ca,
)
from ansible_collections.certops.rotation.tests.conformance.vector import (
    Case,
    Expected,
    good,
    revoked,
    unknown,
    usual_case,
    vector,
)
from ansible_collections.certops.rotation.tests.support.pki import DAY, HOUR
from cryptography import x509

SECOND = timedelta(seconds=1)
TOLERANCE = timedelta(minutes=5)  # the default
HOLD = x509.ReasonFlags.certificate_hold


def _crl_of(expected: Expected, *, policy: RevocationPolicy | None = None, **times: Any) -> Case:
    """The CA's clean CRL with these times, and no responder."""
    world = hierarchy(ocsp=False)
    policy = policy or RevocationPolicy()
    return usual_case(expected, world=world, pages={CA_CRL: world.ca_crl(**times)}, policy=policy)


def _response_of(expected: Expected, *, policy: RevocationPolicy | None = None, **times: Any) -> Case:
    """The CA's good response with these times, and no CRL."""
    world = hierarchy(crl=False)
    policy = policy or RevocationPolicy()
    return usual_case(expected, world=world, pages={OCSP: world.response(**times)}, policy=policy)


def _leaf_with(**dates: Any) -> Hierarchy:
    root = root_ca()
    ca = issuing_ca(root)
    return Hierarchy(root, ca, leaf_of(ca, crl_urls=[CA_CRL], **dates))


@vector
def crl_at_the_end_of_the_tolerance_is_fresh() -> Case:
    """nextUpdate passed five minutes ago, which is the tolerance: still fresh."""
    return _crl_of(good(), this_update=AT - DAY, next_update=AT - TOLERANCE)


@vector
def crl_a_second_after_the_tolerance_is_stale() -> Case:
    """nextUpdate passed a second more than the tolerance ago: stale."""
    return _crl_of(unknown("stale"), this_update=AT - DAY, next_update=AT - TOLERANCE - SECOND)


@vector
def crl_at_the_begin_of_the_tolerance_is_fresh() -> Case:
    """thisUpdate is in five minutes, which is the tolerance: the CA's clock is ahead, no more."""
    return _crl_of(good(), this_update=AT + TOLERANCE)


@vector
def crl_a_second_before_the_tolerance_is_from_the_future() -> Case:
    """thisUpdate is a second more than the tolerance ahead: from the future."""
    return _crl_of(unknown("from_the_future"), this_update=AT + TOLERANCE + SECOND)


@vector
def crl_that_ends_before_it_begins_is_stale() -> Case:
    """nextUpdate before thisUpdate, both within the tolerance: no such time exists."""
    world = hierarchy(ocsp=False)
    data = crl(world.ca.subject, key=world.ca.key, this_update=AT, next_update=AT - SECOND)
    return usual_case(unknown("stale"), world=world, pages={CA_CRL: data})


@vector
def crl_without_next_update_is_not_good() -> Case:
    """A CRL without nextUpdate could be replayed for ever (RFC 5280 5.1.2.5 requires it)."""
    world = hierarchy(ocsp=False)
    data = crl(world.ca.subject, key=world.ca.key, this_update=AT - HOUR, next_update=None)
    return usual_case(unknown("next_update_missing"), world=world, pages={CA_CRL: data})


@vector
def tolerance_of_zero_is_exact() -> Case:
    """Without tolerance an answer is good in the second of its nextUpdate."""
    return _crl_of(good(), policy=RevocationPolicy(tolerance=timedelta(0)), this_update=AT - DAY, next_update=AT)


@vector
def tolerance_of_zero_ends_with_the_second() -> Case:
    """Without tolerance an answer is stale a second after its nextUpdate."""
    policy = RevocationPolicy(tolerance=timedelta(0))
    return _crl_of(unknown("stale"), policy=policy, this_update=AT - DAY, next_update=AT - SECOND)


@vector
def response_at_the_end_of_the_tolerance_is_fresh() -> Case:
    """nextUpdate of an OCSP response passed five minutes ago, which is the tolerance (RFC 9919 5): fresh."""
    return _response_of(good(), this_update=AT - DAY, next_update=AT - TOLERANCE)


@vector
def response_a_second_after_the_tolerance_is_stale() -> Case:
    """nextUpdate of an OCSP response passed a second more than the tolerance ago: stale."""
    return _response_of(unknown("stale"), this_update=AT - DAY, next_update=AT - TOLERANCE - SECOND)


@vector
def response_at_the_begin_of_the_tolerance_is_fresh() -> Case:
    """thisUpdate of an OCSP response is in five minutes, which is the tolerance: fresh."""
    return _response_of(good(), this_update=AT + TOLERANCE)


@vector
def response_a_second_before_the_tolerance_is_from_the_future() -> Case:
    """thisUpdate of an OCSP response is a second more than the tolerance ahead: from the future."""
    return _response_of(unknown("from_the_future"), this_update=AT + TOLERANCE + SECOND)


@vector
def response_without_next_update_is_not_good() -> Case:
    """RFC 9919 section 5: a response without nextUpdate must be rejected."""
    return _response_of(unknown("next_update_missing"), no_next_update=True)


@vector
def response_produced_in_the_future_is_not_good() -> Case:
    """producedAt is a second more than the tolerance ahead, thisUpdate is past: from the future."""
    return _response_of(unknown("from_the_future"), produced_at=AT + TOLERANCE + SECOND)


@vector
def answer_of_just_the_maximal_age_is_fresh() -> Case:
    """max_age is a day, thisUpdate was a day ago: fresh, to the second."""
    return _crl_of(good(), policy=RevocationPolicy(max_age=DAY, judge_issuers=False), this_update=AT - DAY)


@vector
def answer_a_second_older_than_the_maximal_age_is_stale() -> Case:
    """max_age is a day, thisUpdate was a day and a second ago: stale, though its signer calls it fresh."""
    policy = RevocationPolicy(max_age=DAY, judge_issuers=False)
    return _crl_of(unknown("stale"), policy=policy, this_update=AT - DAY - SECOND)


@vector
def leaf_in_its_last_second_is_good() -> Case:
    """notAfter is the time judged for, and the last second counts (RFC 5280 4.1.2.5)."""
    world = _leaf_with(not_after=AT)
    return usual_case(good(), world=world, pages={CA_CRL: world.ca_crl()})


@vector
def leaf_after_its_last_second_is_expired() -> Case:
    """notAfter was a second ago, the CRL is clean: CAs forget expired certificates, so unknown; nothing is asked."""
    world = _leaf_with(not_after=AT - SECOND)
    pages = {CA_CRL: world.ca_crl()}
    expected = unknown("expired", asked=())
    return usual_case(expected, world=world, pages=pages, policy=RevocationPolicy(judge_issuers=False))


@vector
def expired_leaf_that_is_listed_is_revoked() -> Case:
    """Expired, but a CRL that is given lists it still: what is known is told."""
    world = _leaf_with(not_after=AT - SECOND)
    return usual_case(revoked(), world=world, crls=[world.ca_crl([world.leaf.serial])])


@vector
def leaf_in_its_first_second_is_good() -> Case:
    """notBefore is the time judged for: valid."""
    world = _leaf_with(not_before=AT)
    return usual_case(good(), world=world, pages={CA_CRL: world.ca_crl()})


@vector
def leaf_before_its_first_second_is_not_yet_valid() -> Case:
    """notBefore is in a second: not yet valid, so not good, although the CRL is clean."""
    world = _leaf_with(not_before=AT + SECOND)
    return usual_case(unknown("not_yet_valid"), world=world, pages={CA_CRL: world.ca_crl()})


@vector
def later_crl_proves_a_revocation_that_was_in_force() -> Case:
    """Judged for a time before the CRL, which lists the leaf as revoked before that time: revoked then already."""
    world = hierarchy(ocsp=False)
    data = world.ca_crl([world.leaf.serial], this_update=AT + DAY, revoked_at=AT - HOUR)
    return usual_case(revoked(revoked_at=AT - HOUR), world=world, pages={CA_CRL: data})


@vector
def later_crl_with_a_later_revocation_says_nothing_of_before() -> Case:
    """Judged for a time before the CRL and before the revocation it lists: then it was not revoked, nor proven good."""
    world = hierarchy(ocsp=False)
    data = world.ca_crl([world.leaf.serial], this_update=AT + DAY, revoked_at=AT + HOUR)
    return usual_case(unknown("from_the_future"), world=world, pages={CA_CRL: data})


@vector
def later_revocation_counts_up_to_the_tolerance() -> Case:
    """The same, revoked five minutes after the time judged for, which is the tolerance: revoked."""
    world = hierarchy(ocsp=False)
    data = world.ca_crl([world.leaf.serial], this_update=AT + DAY, revoked_at=AT + TOLERANCE)
    return usual_case(revoked(), world=world, pages={CA_CRL: data})


@vector
def later_hold_says_nothing_of_before() -> Case:
    """A later CRL has the leaf on hold since before: holds come and go, so only a CRL of the time can tell."""
    world = hierarchy(ocsp=False)
    data = world.ca_crl({world.leaf.serial: HOLD}, this_update=AT + DAY, revoked_at=AT - HOUR)
    return usual_case(unknown("from_the_future"), world=world, pages={CA_CRL: data})


def _without_pointers(lifetime: timedelta, begin: datetime) -> Hierarchy:
    root = root_ca()
    ca = issuing_ca(root)
    return Hierarchy(root, ca, leaf_of(ca, not_before=begin, not_after=begin + lifetime - SECOND))


@vector
def seven_days_without_pointers_is_short_lived() -> Case:
    """Seven days, to the second, and no pointers (BR 1.6.1): it needs none, so unknown, but softly."""
    world = _without_pointers(7 * DAY, AT - DAY)
    return usual_case(unknown("short_lived", is_soft=True), world=world)


@vector
def a_second_more_than_seven_days_is_not_short_lived() -> Case:
    """Seven days and a second, and no pointers: it should have some."""
    world = _without_pointers(7 * DAY + SECOND, AT - DAY)
    return usual_case(unknown("no_pointer", is_soft=False), world=world)


@vector
def ten_days_were_short_lived_before_march_2026() -> Case:
    """Issued on 2026-03-14 for ten days: short-lived by the rules of that day (BR 1.6.1)."""
    begin = datetime.fromisoformat("2026-03-14T23:59:59+00:00")
    world = _without_pointers(10 * DAY, begin)
    root_crl = world.root.crl(this_update=begin, next_update=begin + 30 * DAY)
    expected = unknown("short_lived", is_soft=True)
    return usual_case(expected, world=world, crls=[root_crl], at=begin + DAY)


@vector
def short_lived_with_an_unreachable_pointer_is_not_soft() -> Case:
    """Short-lived, but it names a CRL, and that is unreachable: something is wrong, and it is not hidden."""
    world = _leaf_with(not_before=AT - DAY, not_after=AT + 2 * DAY)
    return usual_case(unknown("unreachable", is_soft=False), world=world)
