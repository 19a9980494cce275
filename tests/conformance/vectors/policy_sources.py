# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies: which sources are asked, in which order, and that none of them makes good out of unknown."""

from __future__ import annotations

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import Prefer, RevocationPolicy
from ansible_collections.certops.rotation.tests.conformance.hierarchy import AT, CA_CRL, OCSP, ROOT_CRL, hierarchy
from ansible_collections.certops.rotation.tests.conformance.vector import (
    Case,
    Page,
    good,
    revoked,
    unknown,
    usual_case,
    vector,
)
from ansible_collections.certops.rotation.tests.support.pki import DAY, HOUR

TIMEOUT = RotationError("timeout", "no answer in time")


def _prefer(kind: str) -> RevocationPolicy:
    return RevocationPolicy(prefer=Prefer(kind))


@vector
def any_takes_the_crl_first() -> Case:
    """prefer any: the CRL answers, so the responder is not asked."""
    world = hierarchy()
    pages = {CA_CRL: world.ca_crl(), OCSP: world.response("revoked")}
    return usual_case(good(asked=(CA_CRL, ROOT_CRL)), pages=pages)


@vector
def any_takes_ocsp_where_the_crl_is_stale() -> Case:
    """prefer any: the CRL has run out, the responder says good: good."""
    world = hierarchy()
    pages = {CA_CRL: world.ca_crl(this_update=AT - 9 * DAY, next_update=AT - DAY), OCSP: world.response()}
    return usual_case(good(asked=(CA_CRL, OCSP, ROOT_CRL)), pages=pages)


@vector
def ocsp_asks_no_crl_of_a_certificate_with_a_responder() -> Case:
    """prefer ocsp: the responder alone is asked about the leaf; the CA names none, so its CRL is."""
    world = hierarchy()
    pages = {CA_CRL: world.ca_crl([world.leaf.serial]), OCSP: world.response()}
    return usual_case(good(asked=(OCSP, ROOT_CRL)), pages=pages, policy=_prefer("ocsp"))


@vector
def ocsp_does_not_fall_back_to_the_crl() -> Case:
    """prefer ocsp: the responder gives no answer in time; a clean CRL would be there, but it is not asked."""
    world = hierarchy()
    pages: dict[str, Page] = {CA_CRL: world.ca_crl(), OCSP: TIMEOUT}
    return usual_case(unknown("timeout"), pages=pages, policy=_prefer("ocsp"))


@vector
def ocsp_takes_the_crl_of_a_certificate_without_a_responder() -> Case:
    """prefer ocsp: most public certificates name no responder any more; their CRL is asked."""
    world = hierarchy(ocsp=False)
    pages = {CA_CRL: world.ca_crl([world.leaf.serial])}
    return usual_case(revoked(), world=world, pages=pages, policy=_prefer("ocsp"))


@vector
def crl_does_not_fall_back_to_ocsp() -> Case:
    """prefer crl: the CRL gives no answer in time; the responder is not asked."""
    pages: dict[str, Page] = {CA_CRL: TIMEOUT, OCSP: hierarchy().response()}
    return usual_case(unknown("timeout", asked=(CA_CRL, ROOT_CRL)), pages=pages, policy=_prefer("crl"))


@vector
def crl_takes_the_responder_of_a_certificate_without_a_crl() -> Case:
    """prefer crl: the leaf names a responder only, so that is asked."""
    world = hierarchy(crl=False)
    return usual_case(good(), world=world, pages={OCSP: world.response()}, policy=_prefer("crl"))


@vector
def both_asks_all() -> Case:
    """prefer both: responder and CRL are both asked, although the first says good."""
    world = hierarchy()
    pages = {CA_CRL: world.ca_crl(), OCSP: world.response()}
    return usual_case(good(asked=(OCSP, CA_CRL, ROOT_CRL)), pages=pages, policy=_prefer("both"))


@vector
def both_needs_only_one_good() -> Case:
    """prefer both: the CRL cannot be had, the responder says good: good, the failure stays in the evidence."""
    pages: dict[str, Page] = {CA_CRL: TIMEOUT, OCSP: hierarchy().response()}
    return usual_case(good(), pages=pages, policy=_prefer("both"))


@vector
def maximal_age_refuses_what_the_signer_calls_fresh() -> Case:
    """max_age of an hour, CRL and response are two hours old and valid for days: stale."""
    world = hierarchy()
    policy = RevocationPolicy(max_age=HOUR, judge_issuers=False)
    pages = {CA_CRL: world.ca_crl(this_update=AT - 2 * HOUR), OCSP: world.response(this_update=AT - 2 * HOUR)}
    return usual_case(unknown("stale"), pages=pages, policy=policy)


@vector
def maximal_age_does_not_forget_a_revocation() -> Case:
    """max_age of an hour, the CRL that lists the leaf is two hours old: revoked all the same."""
    world = hierarchy()
    policy = RevocationPolicy(max_age=HOUR, judge_issuers=False)
    pages = {CA_CRL: world.ca_crl([world.leaf.serial], this_update=AT - 2 * HOUR, revoked_at=AT - DAY)}
    return usual_case(revoked(), pages=pages, policy=policy)


@vector
def without_fetch_nothing_is_asked() -> Case:
    """fetch off: the pages are there, and nobody looks."""
    world = hierarchy()
    pages = {CA_CRL: world.ca_crl(), OCSP: world.response()}
    policy = RevocationPolicy(fetch=False)
    return usual_case(unknown("not_asked", "issuer_unknown", asked=()), pages=pages, policy=policy)
