# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stapled responses: evidence like any other, but the server that staples is the one that may be in the wrong."""

from __future__ import annotations

from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import Note, RevocationPolicy
from ansible_collections.certops.rotation.tests.conformance.hierarchy import (
    AT,
    CA_CRL,
    ROOT_CRL,
    Hierarchy,
    hierarchy,
    issuing_ca,
    leaf_of,
    root_ca,
)
from ansible_collections.certops.rotation.tests.conformance.keys import key
from ansible_collections.certops.rotation.tests.conformance.ocsp_writer import Single, ocsp_response
from ansible_collections.certops.rotation.tests.conformance.vector import (
    Case,
    good,
    revoked,
    unknown,
    usual_case,
    vector,
)
from ansible_collections.certops.rotation.tests.support.pki import DAY, HOUR

OFFLINE = RevocationPolicy(fetch=False, judge_issuers=False)


def _world() -> Hierarchy:
    return hierarchy(ocsp=False)


@vector
def good_staple_alone_is_good() -> Case:
    """A fresh good staple of the CA, and nothing may be fetched: good."""
    world = _world()
    return usual_case(good(asked=()), world=world, staple=world.response(), policy=OFFLINE)


@vector
def good_staple_does_not_end_the_search() -> Case:
    """A good staple, and the CRL lists the leaf: servers go on stapling the last good response, so the CRL is asked."""
    world = _world()
    staple = world.response(this_update=AT - DAY)
    pages = {CA_CRL: world.ca_crl([world.leaf.serial])}
    expected = revoked(notes=(Note.PROPAGATION,), asked=(CA_CRL, ROOT_CRL))
    return usual_case(expected, world=world, staple=staple, pages=pages)


@vector
def good_staple_made_after_the_revocation_is_a_contradiction() -> Case:
    """The same, but the staple was made after the CRL's revocation: revoked, and the sources disagree."""
    world = _world()
    pages = {CA_CRL: world.ca_crl([world.leaf.serial])}
    expected = revoked(notes=(Note.SOURCES_DISAGREE,))
    return usual_case(expected, world=world, staple=world.response(), pages=pages)


@vector
def good_staple_and_unreachable_crl_is_good() -> Case:
    """A good staple, and the CRL is unreachable: the staple is a verified source of full scope."""
    world = _world()
    return usual_case(good(), world=world, staple=world.response())


@vector
def revoked_staple_is_revoked_at_once() -> Case:
    """A server that staples its own revocation: no more is asked about the leaf."""
    world = _world()
    pages = {CA_CRL: world.ca_crl()}
    expected = revoked(asked=(ROOT_CRL,), revocation_reason="keyCompromise")
    return usual_case(expected, world=world, staple=world.response("revoked", reason=1), pages=pages)


@vector
def stale_staple_is_worth_nothing() -> Case:
    """nginx serves a stapling file for ever; its good ran out yesterday: unknown."""
    world = _world()
    staple = world.response(this_update=AT - 3 * DAY, next_update=AT - DAY)
    return usual_case(unknown("stale", "not_asked"), world=world, staple=staple, policy=OFFLINE)


@vector
def stale_staple_does_not_harm_a_clean_crl() -> Case:
    """A stale staple beside a clean CRL: good by the CRL."""
    world = _world()
    staple = world.response(this_update=AT - 3 * DAY, next_update=AT - DAY)
    return usual_case(good(), world=world, staple=staple, pages={CA_CRL: world.ca_crl()})


@vector
def stale_staple_that_says_revoked_is_revoked() -> Case:
    """A response that ran out yesterday and said revoked: revocations are for ever."""
    world = _world()
    staple = world.response("revoked", revoked_at=AT - 4 * DAY, this_update=AT - 3 * DAY, next_update=AT - DAY)
    return usual_case(revoked(revoked_at=AT - 4 * DAY), world=world, staple=staple)


@vector
def staple_of_another_certificate_is_worth_nothing() -> Case:
    """The staple is good for another certificate of the CA (one file for RSA and ECDSA): not for this one."""
    world = _world()
    other = leaf_of(world.ca, key_name="leaf-2", serial=0x1002)
    staple = world.sign_response([Single(other.certificate, world.ca.certificate, AT)])
    return usual_case(unknown("other_certificate", "not_asked"), world=world, staple=staple, policy=OFFLINE)


@vector
def staple_of_the_same_serial_of_another_ca_is_worth_nothing() -> Case:
    """The staple has the right serial, but the hashes of another issuer (RFC 6960 4.1.1)."""
    world = _world()
    other = issuing_ca(root_ca(), "Another CA", key_name="issuing-2", serial=0x0C)
    staple = world.sign_response([Single(world.leaf.certificate, other.certificate, AT)])
    return usual_case(unknown("other_certificate", "not_asked"), world=world, staple=staple, policy=OFFLINE)


@vector
def forged_staple_is_worth_nothing() -> Case:
    """The staple is signed with the key of the server itself: it does not clear itself."""
    world = _world()
    staple = ocsp_response([world.single()], key=world.leaf.key, responder=world.ca.certificate)
    return usual_case(unknown("signature_invalid", "not_asked"), world=world, staple=staple, policy=OFFLINE)


@vector
def forged_revoked_staple_does_not_count() -> Case:
    """A staple that says revoked, signed with a stranger's key, beside a clean CRL: good."""
    world = _world()
    staple = ocsp_response([world.single("revoked")], key=key("stranger"), responder=world.ca.certificate)
    return usual_case(good(notes=()), world=world, staple=staple, pages={CA_CRL: world.ca_crl()})


@vector
def garbage_staple_is_unreadable() -> Case:
    """A staple that is no OCSP response at all: unreadable, never an exception."""
    return usual_case(unknown("unreadable", "not_asked"), world=_world(), staple=b"\x30\x03garbage", policy=OFFLINE)


@vector
def staple_that_does_not_know_the_leaf_is_told() -> Case:
    """A staple with the status unknown beside a clean CRL: good by the CRL, and the sources disagree."""
    world = _world()
    expected = good(notes=(Note.SOURCES_DISAGREE,))
    return usual_case(expected, world=world, staple=world.response("unknown"), pages={CA_CRL: world.ca_crl()})


@vector
def staple_with_a_sha1_cert_id_is_good() -> Case:
    """CertID hashes of SHA-1, as most responders have them, are no signature: good (RFC 9919 3.1.1)."""
    world = _world()
    return usual_case(good(), world=world, staple=world.response(algorithm="sha1"), policy=OFFLINE)


@vector
def staple_cannot_clear_the_issuer() -> Case:
    """A good staple for the leaf, and the root's CRL is stale: the CA's status is unknown, so the leaf's is too."""
    world = _world()
    pages = {ROOT_CRL: world.root.crl(this_update=AT - 9 * DAY, next_update=AT - 2 * HOUR)}
    return usual_case(unknown("issuer_unknown", "stale"), world=world, staple=world.response(), pages=pages)
