# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delta CRLs: what they add to the complete CRL that they continue, and when they may (RFC 5280 5.2.4, 6.3.3 c)."""

from __future__ import annotations

from typing import Any

from ansible_collections.certops.rotation.tests.conformance.crl_cases import (
    DELTA,
    ODD,
    WORLD,
    fetched,
    given,
    leaf_with,
    point_at,
)
from ansible_collections.certops.rotation.tests.conformance.hierarchy import AT, CA_CRL, ROOT_CRL, issuing_ca
from ansible_collections.certops.rotation.tests.conformance.vector import Case, good, revoked, unknown, vector
from ansible_collections.certops.rotation.tests.support.pki import DAY, HOUR, issuing_point
from cryptography import x509

LEAF = WORLD.leaf.serial
HOLD = {LEAF: x509.ReasonFlags.certificate_hold}
FINAL = {LEAF: x509.ReasonFlags.key_compromise}
LIFTED = {LEAF: x509.ReasonFlags.remove_from_crl}
FRESHEST = (x509.FreshestCRL([point_at(DELTA)]), False)


def _base(revoked: Any = (), *, number: int | None = 5, **wanted: Any) -> bytes:
    return WORLD.ca_crl(revoked, number=number, **wanted)


def _stale_base(revoked: Any = (), **wanted: Any) -> bytes:
    return _base(revoked, this_update=AT - 9 * DAY, next_update=AT - DAY, revoked_at=AT - 10 * DAY, **wanted)


def _delta(revoked: Any = (), *, number: int | None = 7, base: int = 5, extra: Any = (), **wanted: Any) -> bytes:
    indicator = (x509.DeltaCRLIndicator(base), True)
    return WORLD.ca_crl(revoked, number=number, extra=[indicator, *extra], **wanted)


@vector
def a_clean_base_and_a_clean_delta_are_good() -> Case:
    """In neither of them."""
    return given([_base(), _delta()], good())


@vector
def a_delta_adds_a_revocation() -> Case:
    """Revoked since the complete CRL was made."""
    return given([_base(), _delta(FINAL)], revoked(revocation_reason="keyCompromise"))


@vector
def the_order_of_the_files_does_not_matter() -> Case:
    """The delta is given first."""
    return given([_delta(FINAL), _base()], revoked())


@vector
def a_delta_lifts_a_hold() -> Case:
    """On hold in the complete CRL, removeFromCRL in the delta (6.3.3 i to k)."""
    return given([_base(HOLD), _delta(LIFTED)], good())


@vector
def a_delta_makes_a_hold_final() -> Case:
    """On hold first, now revoked for good: the delta's entry counts."""
    return given([_base(HOLD), _delta(FINAL)], revoked(revocation_reason="keyCompromise"))


@vector
def a_delta_puts_on_hold() -> Case:
    """Clean in the complete CRL."""
    return given([_base(), _delta(HOLD)], revoked("on_hold"))


@vector
def a_hold_that_the_delta_does_not_mention_goes_on() -> Case:
    """A delta has only what changed."""
    return given([_base(HOLD), _delta()], revoked("on_hold"))


@vector
def what_was_revoked_for_good_is_not_lifted() -> Case:
    """removeFromCRL for a certificate whose key is compromised: it is for holds, and for what has expired (5.3.1)."""
    return given([_base(FINAL), _delta(LIFTED)], revoked(revocation_reason="keyCompromise"))


@vector
def lifting_what_was_never_listed_is_good() -> Case:
    """Held and lifted between two complete CRLs: a delta says so though its base knows nothing of it."""
    return given([_base(), _delta(LIFTED)], good())


@vector
def a_delta_alone_is_never_good() -> Case:
    """What was revoked before its base is not in it."""
    return given([_delta()], unknown("base_missing"))


@vector
def listed_in_a_delta_alone_is_revoked() -> Case:
    """Signed by the CA; no base can take that back."""
    return given([_delta(FINAL)], revoked())


@vector
def a_hold_lifted_in_a_delta_alone_is_unknown() -> Case:
    """The hold was lifted, but what the complete CRL says is not known."""
    return given([_delta(LIFTED)], unknown("base_missing"))


@vector
def a_stale_base_is_continued_by_a_fresh_delta() -> Case:
    """Both together are as fresh as the delta (5.2.4)."""
    return given([_stale_base(), _delta()], good())


@vector
def a_hold_in_a_stale_base_goes_on_by_a_fresh_delta() -> Case:
    """The same with a hold, which the delta does not lift."""
    return given([_stale_base(HOLD), _delta()], revoked("on_hold"))


@vector
def a_stale_delta_freshens_nothing() -> Case:
    """Both have run out."""
    old = _delta(this_update=AT - 3 * DAY, next_update=AT - DAY)
    return given([_stale_base(), old], unknown("stale"))


@vector
def a_stale_delta_lifts_no_hold() -> Case:
    """The complete CRL is fresh and has the certificate on hold; the delta that lifted it has run out."""
    old = _delta(LIFTED, this_update=AT - 3 * DAY, next_update=AT - DAY)
    return given([_base(HOLD), old], revoked("on_hold"))


@vector
def listed_in_a_stale_delta_is_revoked() -> Case:
    """Revoked for good in a delta that has run out, and not yet in the complete CRL."""
    old = _delta(FINAL, this_update=AT - 3 * DAY, next_update=AT - DAY, revoked_at=AT - 4 * DAY)
    return given([_base(), old], revoked())


@vector
def a_base_older_than_the_delta_wants_is_not_continued() -> Case:
    """BaseCRLNumber 6 and a complete CRL with number 5: what changed in between is in neither (5.2.4 c)."""
    return given([_stale_base(), _delta(base=6)], unknown("stale"))


@vector
def a_newer_base_may_be_continued_too() -> Case:
    """BaseCRLNumber 3 and a complete CRL with number 5: the delta says all that changed since 3."""
    return given([_stale_base(), _delta(base=3)], good())


@vector
def a_delta_older_than_the_base_is_passed_over() -> Case:
    """The complete CRL with number 8 came after the delta with number 7, which has a hold lifted since (5.2.4 d)."""
    return given([_base(number=8), _delta(HOLD)], good())


@vector
def a_delta_without_a_number_continues_nothing() -> Case:
    """RFC 5280 5.2.3 requires CRLNumber in deltas, and without it their order is not known."""
    return given([_stale_base(), _delta(number=None)], unknown("stale"))


@vector
def a_base_without_a_number_is_continued_by_nothing() -> Case:
    """Whether the delta continues it cannot be told."""
    return given([_stale_base(number=None), _delta()], unknown("stale"))


@vector
def a_delta_of_another_scope_continues_nothing() -> Case:
    """The delta is of the CA's full CRL, the complete CRL a shard (6.3.3 c 2)."""
    return given([_stale_base(), _delta(point=None)], unknown("stale"))


@vector
def a_delta_signed_with_another_key_continues_nothing() -> Case:
    """The CA changed its key in between: both CRLs verify, but the delta is not of the same key (6.3.3 c 3, h)."""
    renewed = issuing_ca(WORLD.root, key_name="issuing-2", serial=0x0F)
    indicator = (x509.DeltaCRLIndicator(5), True)
    delta = renewed.crl(number=7, extra=[indicator], point=issuing_point(CA_CRL))
    return given([_stale_base(), delta], unknown("stale"), others=[renewed.certificate])


@vector
def the_newest_delta_counts() -> Case:
    """Held by the delta with number 6, released by that with number 7."""
    return given([_base(), _delta(HOLD, number=6), _delta(LIFTED)], good())


@vector
def a_delta_that_is_not_understood_is_not_used() -> Case:
    """An unknown critical extension in the delta; the complete CRL has run out."""
    odd = (x509.UnrecognizedExtension(x509.ObjectIdentifier(ODD), b"\x05\x00"), True)
    return given([_stale_base(), _delta(extra=[odd])], unknown("stale"))


@vector
def a_forged_delta_is_not_used() -> Case:
    """A delta in the CA's name that lifts the hold, signed by a stranger."""
    forged = bytearray(_delta(LIFTED))
    forged[-1] ^= 1
    return given([_base(HOLD), bytes(forged)], revoked("on_hold"))


@vector
def the_crl_says_where_its_deltas_are() -> Case:
    """freshestCRL in the complete CRL (5.2.6)."""
    expected = revoked(asked=(CA_CRL, DELTA, ROOT_CRL))
    return fetched(_base(extra=[FRESHEST]), expected, pages={DELTA: _delta(FINAL)})


@vector
def the_certificate_says_where_deltas_are() -> Case:
    """freshestCRL in the certificate (4.2.1.15)."""
    leaf = leaf_with(point_at(CA_CRL), extra=[FRESHEST])
    expected = good(asked=(CA_CRL, DELTA, ROOT_CRL))
    return fetched(_base(HOLD), expected, pages={DELTA: _delta(LIFTED)}, chain=leaf.chain)


@vector
def a_delta_that_cannot_be_had_is_not_needed() -> Case:
    """The complete CRL is fresh and speaks for itself."""
    return fetched(_base(extra=[FRESHEST]), good(asked=(CA_CRL, DELTA, ROOT_CRL)))


@vector
def a_delta_where_a_complete_crl_should_be_is_not_good() -> Case:
    """The certificate's URL has a delta CRL."""
    return fetched(_delta(), unknown("base_missing"))


@vector
def a_delta_given_as_a_file_continues_a_fetched_crl() -> Case:
    """Brought along by the operator, while the CA still publishes its old complete CRL."""
    return fetched(_base(HOLD), good(), crls=[_delta(LIFTED), WORLD.root_crl])


@vector
def a_revocation_later_than_the_judged_time_by_delta() -> Case:
    """Judged for before the delta was made, which is from the future then; the complete CRL speaks for itself."""
    later = _delta(FINAL, this_update=AT + HOUR, next_update=AT + DAY, revoked_at=AT + HOUR)
    return given([_base(), later], good())
