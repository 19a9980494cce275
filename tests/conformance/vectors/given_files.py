# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CRLs and responses that are given as files: judged first, and without any network if one wants."""

from __future__ import annotations

from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import Note, RevocationPolicy
from ansible_collections.certops.rotation.tests.conformance.hierarchy import (
    AT,
    CA_CRL,
    OCSP,
    ROOT_CRL,
    hierarchy,
    issuing_ca,
    leaf_of,
)
from ansible_collections.certops.rotation.tests.conformance.ocsp_writer import Single, ocsp_response
from ansible_collections.certops.rotation.tests.conformance.vector import (
    Case,
    good,
    revoked,
    unknown,
    usual_case,
    vector,
)
from ansible_collections.certops.rotation.tests.support.pki import DAY, HOUR, issuing_point
from cryptography import x509
from cryptography.hazmat.primitives import serialization

OFFLINE = RevocationPolicy(fetch=False)


@vector
def given_crls_are_enough() -> Case:
    """The CRLs of CA and root are given, both clean: good, and nothing is asked."""
    world = hierarchy()
    return usual_case(good(asked=()), crls=[world.ca_crl(), world.root_crl])


@vector
def given_crls_may_be_pem() -> Case:
    """CRLs given as PEM, as private CAs write them."""
    world = hierarchy()
    pem = x509.load_der_x509_crl(world.ca_crl([world.leaf.serial])).public_bytes(serialization.Encoding.PEM)
    return usual_case(revoked(asked=()), crls=[pem, world.root_crl])


@vector
def given_crl_may_be_of_another_ca() -> Case:
    """A CRL of another CA among those given is passed by; the right one is fetched."""
    world = hierarchy()
    other = issuing_ca(world.root, "Another CA", key_name="issuing-2", serial=0x0C)
    return usual_case(good(asked=(CA_CRL,)), crls=[other.crl(), world.root_crl], pages={CA_CRL: world.ca_crl()})


@vector
def given_response_of_another_certificate_is_passed_by() -> Case:
    """A response about another certificate among those given is no reason for anything."""
    world = hierarchy()
    other = leaf_of(world.ca, key_name="leaf-2", serial=0x1002)
    response = world.sign_response([Single(other.certificate, world.ca.certificate, AT, "revoked")])
    return usual_case(good(), crls=[world.ca_crl(), world.root_crl], ocsp_responses=[response], policy=OFFLINE)


@vector
def given_stale_crl_sends_to_the_network() -> Case:
    """The CRL given has run out: that is no answer, so its pointer is followed."""
    world = hierarchy()
    old = world.ca_crl(this_update=AT - 9 * DAY, next_update=AT - 2 * DAY)
    return usual_case(good(asked=(CA_CRL,)), crls=[old, world.root_crl], pages={CA_CRL: world.ca_crl(number=2)})


@vector
def given_answer_is_not_checked_against_the_network() -> Case:
    """The CRL given is clean and fresh, the one on the network lists the leaf: what is given decides.

    So a verdict can be reproduced from files alone; who wants the newest, gives none.
    """
    world = hierarchy()
    pages = {CA_CRL: world.ca_crl([world.leaf.serial], number=2)}
    return usual_case(good(asked=()), crls=[world.ca_crl(), world.root_crl], pages=pages)


@vector
def nothing_given_and_nothing_fetched_is_not_asked() -> Case:
    """With fetch off and no files there is nothing to judge: unknown, for the reason that nobody was asked."""
    return usual_case(unknown("not_asked", "issuer_unknown", asked=()), policy=OFFLINE)


@vector
def given_for_the_leaf_only_leaves_the_issuer_unknown() -> Case:
    """With fetch off and only the CA's CRL given, nothing is known of the CA itself."""
    expected = unknown("issuer_unknown", "not_asked", asked=())
    return usual_case(expected, crls=[hierarchy().ca_crl()], policy=OFFLINE)


@vector
def given_revoked_wins_over_given_good() -> Case:
    """A CRL that lists the leaf and a good response are given: revoked wins, whichever comes first."""
    world = hierarchy()
    crls = [world.root_crl, world.ca_crl([world.leaf.serial])]
    expected = revoked(notes=(Note.SOURCES_DISAGREE,))
    return usual_case(expected, crls=crls, ocsp_responses=[world.response()], policy=OFFLINE)


@vector
def given_response_newer_than_given_crl_is_propagation() -> Case:
    """A clean CRL of an hour ago and a response that says revoked since half an hour: revoked, the CRL will follow."""
    world = hierarchy()
    response = world.response("revoked", revoked_at=AT - HOUR / 2, this_update=AT - HOUR / 4)
    expected = revoked(notes=(Note.PROPAGATION,), asked=())
    crls = [world.ca_crl(), world.root_crl]
    return usual_case(expected, crls=crls, ocsp_responses=[response], policy=OFFLINE)


@vector
def older_and_newer_crl_given_is_revoked_by_the_newer() -> Case:
    """CRL number 1 is clean, number 2 lists the leaf, both are fresh: revoked; the older one only lags."""
    world = hierarchy()
    newer = world.ca_crl([world.leaf.serial], number=2, this_update=AT - HOUR / 2, revoked_at=AT - HOUR / 2)
    expected = revoked(notes=(Note.PROPAGATION,), asked=())
    return usual_case(expected, crls=[world.ca_crl(), newer, world.root_crl], policy=OFFLINE)


@vector
def a_newer_clean_crl_for_some_reasons_is_no_contradiction() -> Case:
    """Revoked since an hour; an older full CRL is clean, and a newer one that is for key compromise only.

    The newer one may be right: the revocation is for another reason. So the full one lags, and nobody disagrees.
    """
    world = hierarchy()
    point = issuing_point(CA_CRL, only_some_reasons=frozenset({x509.ReasonFlags.key_compromise}))
    crls = [world.ca_crl(this_update=AT - 2 * HOUR), world.ca_crl(point=point, this_update=AT - HOUR / 4)]
    response = world.response("revoked", reason=4, revoked_at=AT - HOUR)
    expected = revoked(notes=(Note.PROPAGATION,), revocation_reason="superseded")
    return usual_case(expected, crls=[*crls, world.root_crl], ocsp_responses=[response], policy=OFFLINE)


@vector
def given_response_for_the_issuer_counts_for_the_issuer() -> Case:
    """A response of the root about the CA is given, it says revoked: the leaf falls with it."""
    world = hierarchy()
    single = Single(world.ca.certificate, world.root.certificate, AT, "revoked", reason=2)
    about_ca = ocsp_response([single], key=world.root.key, responder=world.root.certificate)
    expected = revoked("issuer_revoked", revocation_reason="cACompromise", asked=())
    return usual_case(expected, ocsp_responses=[about_ca, world.response()], policy=OFFLINE)


@vector
def judged_for_a_moment_in_the_past() -> Case:
    """The files of last week, judged for last week: good then, whatever is known now."""
    world = hierarchy()
    then = AT - 12 * HOUR
    crls = [
        world.ca_crl(this_update=then - HOUR, next_update=then + HOUR),
        world.root.crl(this_update=then - HOUR, next_update=then + HOUR),
    ]
    pages = {CA_CRL: world.ca_crl([world.leaf.serial]), OCSP: world.response("revoked"), ROOT_CRL: world.root_crl}
    return usual_case(good(decided_at=then, asked=()), crls=crls, pages=pages, at=then)


@vector
def garbage_given_is_told_and_does_not_hide_the_rest() -> Case:
    """A file that is no CRL among those given: the others are judged."""
    world = hierarchy()
    return usual_case(good(), crls=[b"not a CRL", world.ca_crl(), world.root_crl], policy=OFFLINE)


@vector
def garbage_alone_is_unreadable() -> Case:
    """Only a file that is no CRL: unknown, because it cannot be read."""
    policy = RevocationPolicy(fetch=False, judge_issuers=False)
    return usual_case(unknown("unreadable"), crls=[b"not a CRL"], policy=policy)
