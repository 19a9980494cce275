# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is claimed when several sources speak: any verified "revoked" wins, good needs one of full scope."""

from __future__ import annotations

from ansible_collections.certops.rotation.tests.conformance.hierarchy import AT, CA_CRL, OCSP, ROOT_CRL, hierarchy
from ansible_collections.certops.rotation.tests.conformance.vector import Case, good, revoked, unknown, vector
from ansible_collections.certops.rotation.tests.support.pki import DAY, HOUR


@vector
def clean_crls_are_good() -> Case:
    """The leaf is in no CRL of its CA, the CA in none of the root: good, and OCSP need not be asked."""
    world = hierarchy()
    return Case(
        chain=world.chain,
        anchors=world.anchors,
        pages={CA_CRL: world.ca_crl(), ROOT_CRL: world.root_crl},
        expected=good(asked=(CA_CRL, ROOT_CRL)),
    )


@vector
def listed_in_the_crl_is_revoked() -> Case:
    """Listed in the CA's CRL: revoked, with time and reason as they stand there (RFC 5280 6.3.3)."""
    world = hierarchy()
    return Case(
        chain=world.chain,
        anchors=world.anchors,
        pages={CA_CRL: world.ca_crl({world.leaf.serial: None}), ROOT_CRL: world.root_crl, OCSP: world.response()},
        expected=revoked(revoked_at=AT - 2 * HOUR, revocation_reason="unspecified"),
    )


@vector
def a_stale_response_alone_is_unknown() -> Case:
    """An OCSP response whose nextUpdate has passed by more than the tolerance says nothing about now (RFC 9919 5)."""
    world = hierarchy(crl=False)
    return Case(
        chain=world.chain,
        anchors=world.anchors,
        pages={OCSP: world.response(this_update=AT - 3 * DAY, next_update=AT - DAY), ROOT_CRL: world.root_crl},
        expected=unknown("stale"),
    )
