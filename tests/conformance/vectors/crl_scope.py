# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which certificates and reasons does a CRL speak for? (RFC 5280 5.2.5 and 6.3.3 b, d, e)"""

from __future__ import annotations

from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import RevocationPolicy
from ansible_collections.certops.rotation.tests.conformance.crl_cases import (
    WORLD,
    fetched,
    given,
    leaf_with,
    point_at,
)
from ansible_collections.certops.rotation.tests.conformance.hierarchy import CA_CRL, ROOT_CRL
from ansible_collections.certops.rotation.tests.conformance.vector import Case, good, revoked, unknown, vector
from ansible_collections.certops.rotation.tests.support.pki import issuing_point
from cryptography import x509
from cryptography.x509.oid import NameOID

SHARD_2 = "http://crl.vectors.example/2.crl"
KEY_COMPROMISE = frozenset({x509.ReasonFlags.key_compromise, x509.ReasonFlags.ca_compromise})
OTHER_REASONS = frozenset({
    x509.ReasonFlags.affiliation_changed,
    x509.ReasonFlags.superseded,
    x509.ReasonFlags.cessation_of_operation,
    x509.ReasonFlags.certificate_hold,
    x509.ReasonFlags.privilege_withdrawn,
    x509.ReasonFlags.aa_compromise,
})  # fmt: skip
SHARD_NAME = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "shard 1")])


def _partial(reasons: frozenset[x509.ReasonFlags], url: str = CA_CRL, revoked: Any = ()) -> bytes:
    return WORLD.ca_crl(revoked, point=issuing_point(url, only_some_reasons=reasons))


@vector
def a_full_crl_needs_no_scope() -> Case:
    """No issuingDistributionPoint: for all certificates of the CA and all reasons."""
    return fetched(WORLD.ca.crl(), good())


@vector
def another_shard_is_never_good() -> Case:
    """Someone on the way answers with the CA's other shard, in which the leaf is never found (6.3.3 b 2 i)."""
    return fetched(WORLD.ca.crl(point=issuing_point(SHARD_2)), unknown("scope_mismatch"))


@vector
def listed_in_another_shard_is_revoked_all_the_same() -> Case:
    """A serial number belongs to one certificate of its issuer, whichever shard it stands in."""
    return fetched(WORLD.ca.crl([WORLD.leaf.serial], point=issuing_point(SHARD_2)), revoked())


@vector
def one_name_of_the_shard_is_enough() -> Case:
    """The shard has two URLs; one of them is in the certificate, byte for byte."""
    names = [x509.UniformResourceIdentifier(url) for url in (SHARD_2, CA_CRL)]
    return fetched(WORLD.ca.crl(point=issuing_point(full_name=names)), good())


@vector
def urls_are_compared_byte_for_byte() -> Case:
    """The same host in capitals is another URL (CA/B Forum BR 7.2.2.1)."""
    crl = WORLD.ca.crl(point=issuing_point("http://CRL.vectors.example/ca.crl"))
    return fetched(crl, unknown("scope_mismatch"))


@vector
def a_shard_is_nothing_to_a_certificate_without_points() -> Case:
    """A shard given as a file, and a certificate that names none."""
    return given([WORLD.ca_crl()], unknown("scope_mismatch"), leaf=leaf_with())


@vector
def a_shard_named_like_the_issuer_is_for_certificates_without_points() -> Case:
    """6.3.3, last paragraph: without distribution points, the certificate's own is that with the issuer's name."""
    point = issuing_point(full_name=[x509.DirectoryName(WORLD.ca.subject)])
    return given([WORLD.ca.crl(point=point)], good(), leaf=leaf_with())


@vector
def each_distribution_point_has_its_own_crl() -> Case:
    """Two points: at the first stands another shard, at the second the right one."""
    leaf = leaf_with(point_at(CA_CRL), point_at(SHARD_2))
    other = WORLD.ca.crl(point=issuing_point("http://crl.vectors.example/3.crl"))
    pages = {SHARD_2: WORLD.ca.crl(point=issuing_point(SHARD_2))}
    return fetched(other, good(asked=(CA_CRL, SHARD_2, ROOT_CRL)), chain=leaf.chain, pages=pages)


@vector
def the_second_point_is_asked_where_the_first_is_silent() -> Case:
    """Nothing is to be had at the first URL."""
    leaf = leaf_with(point_at(SHARD_2), point_at(CA_CRL))
    return fetched(WORLD.ca_crl(), good(asked=(SHARD_2, CA_CRL, ROOT_CRL)), chain=leaf.chain)


@vector
def a_point_without_a_url_cannot_be_asked() -> Case:
    """The certificate names its CRL by a directory name only."""
    point = x509.DistributionPoint([x509.DirectoryName(WORLD.ca.subject)], None, None, None)
    return fetched(WORLD.ca_crl(), unknown("unsupported_pointer"), chain=leaf_with(point).chain)


@vector
def relative_names_continue_the_name_of_the_issuer() -> Case:
    """Certificate and CRL both name their point relative to the CA (nameRelativeToCRLIssuer)."""
    leaf = leaf_with(x509.DistributionPoint(None, SHARD_NAME, None, None))
    return given([WORLD.ca.crl(point=issuing_point(relative_name=SHARD_NAME))], good(), leaf=leaf)


@vector
def a_relative_name_is_the_same_as_the_full_one() -> Case:
    """The certificate names its point in full, the CRL relative to the CA."""
    name = x509.Name([*WORLD.ca.subject.rdns, SHARD_NAME])
    leaf = leaf_with(x509.DistributionPoint([x509.DirectoryName(name)], None, None, None))
    return given([WORLD.ca.crl(point=issuing_point(relative_name=SHARD_NAME))], good(), leaf=leaf)


@vector
def another_relative_name_is_another_point() -> Case:
    """The certificate is in shard 1, the CRL is shard 2."""
    leaf = leaf_with(x509.DistributionPoint(None, SHARD_NAME, None, None))
    other = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "shard 2")])
    return given([WORLD.ca.crl(point=issuing_point(relative_name=other))], unknown("scope_mismatch"), leaf=leaf)


@vector
def for_user_certificates_only_is_for_a_leaf() -> Case:
    """onlyContainsUserCerts, as Let's Encrypt has it in each of its CRLs."""
    return fetched(WORLD.ca.crl(point=issuing_point(CA_CRL, only_contains_user_certs=True)), good())


@vector
def for_user_certificates_only_is_not_for_a_ca() -> Case:
    """The root's CRL is for leaves only, so nothing is known of the sub-CA (6.3.3 b 2 ii)."""
    root_crl = WORLD.root.crl(point=issuing_point(ROOT_CRL, only_contains_user_certs=True))
    expected = unknown("issuer_unknown", "scope_mismatch")
    return fetched(WORLD.ca_crl(), expected, pages={ROOT_CRL: root_crl})


@vector
def for_cas_only_is_for_a_ca() -> Case:
    """The root's CRL is for CAs only, which the sub-CA is."""
    root_crl = WORLD.root.crl(point=issuing_point(ROOT_CRL, only_contains_ca_certs=True))
    return fetched(WORLD.ca_crl(), good(), pages={ROOT_CRL: root_crl})


@vector
def for_cas_only_is_not_for_a_leaf() -> Case:
    """6.3.3 b 2 iii."""
    crl = WORLD.ca.crl(point=issuing_point(CA_CRL, only_contains_ca_certs=True))
    return fetched(crl, unknown("scope_mismatch"))


@vector
def for_attribute_certificates_only_is_for_no_certificate() -> Case:
    """6.3.3 b 2 iv."""
    crl = WORLD.ca.crl(point=issuing_point(only_contains_attribute_certs=True))
    return fetched(crl, unknown("scope_mismatch"))


@vector
def some_reasons_are_not_all() -> Case:
    """Not revoked because of its key; for what else it may be, no CRL is there."""
    return fetched(_partial(KEY_COMPROMISE), unknown("partial_reasons"))


@vector
def some_reasons_are_enough_for_revoked() -> Case:
    """Listed in a CRL for some reasons: no other can take that back."""
    return fetched(_partial(KEY_COMPROMISE, revoked=[WORLD.leaf.serial]), revoked())


@vector
def two_crls_for_all_reasons_together_are_good() -> Case:
    """Two files, each for some reasons, all of them together (6.3.3 l)."""
    return given([_partial(KEY_COMPROMISE), _partial(OTHER_REASONS)], good())


@vector
def two_crls_for_nearly_all_reasons_are_not_good() -> Case:
    """The same, but nobody speaks for certificateHold."""
    rest = OTHER_REASONS - {x509.ReasonFlags.certificate_hold}
    return given([_partial(KEY_COMPROMISE), _partial(rest)], unknown("partial_reasons"))


@vector
def listed_in_the_second_of_two_partial_crls_is_revoked() -> Case:
    """Clean in the first."""
    crls = [_partial(KEY_COMPROMISE), _partial(OTHER_REASONS, revoked=[WORLD.leaf.serial])]
    return given(crls, revoked())


@vector
def partial_crls_at_two_points_are_good_together() -> Case:
    """Each distribution point has the CRL for the reasons that it names itself."""
    leaf = leaf_with(point_at(CA_CRL, reasons=KEY_COMPROMISE), point_at(SHARD_2, reasons=OTHER_REASONS))
    pages = {SHARD_2: _partial(OTHER_REASONS, SHARD_2)}
    expected = good(asked=(CA_CRL, SHARD_2, ROOT_CRL))
    return fetched(_partial(KEY_COMPROMISE), expected, chain=leaf.chain, pages=pages)


@vector
def a_stale_partial_crl_covers_nothing() -> Case:
    """As above, but the second CRL has run out."""
    leaf = leaf_with(point_at(CA_CRL, reasons=KEY_COMPROMISE), point_at(SHARD_2, reasons=OTHER_REASONS))
    point = issuing_point(SHARD_2, only_some_reasons=OTHER_REASONS)
    at = WORLD.ca.at
    old = WORLD.ca_crl(point=point, this_update=at.replace(day=1), next_update=at.replace(day=8))
    expected = unknown("partial_reasons", "stale")
    return fetched(_partial(KEY_COMPROMISE), expected, chain=leaf.chain, pages={SHARD_2: old})


@vector
def a_point_for_some_reasons_makes_its_crl_partial() -> Case:
    """The CRL claims all reasons, but the certificate asks it about its key only (6.3.3 d 2)."""
    leaf = leaf_with(point_at(CA_CRL, reasons=KEY_COMPROMISE))
    return fetched(WORLD.ca_crl(), unknown("partial_reasons"), chain=leaf.chain)


@vector
def a_crl_without_scope_counts_for_the_point_it_was_found_at() -> Case:
    """Two points for some reasons each; at the first stands a full CRL, at the second nothing."""
    leaf = leaf_with(point_at(CA_CRL, reasons=KEY_COMPROMISE), point_at(SHARD_2, reasons=OTHER_REASONS))
    return fetched(WORLD.ca.crl(), unknown("partial_reasons", "unreachable"), chain=leaf.chain)


@vector
def a_file_and_a_fetched_crl_cover_all_reasons_together() -> Case:
    """The CRL for the first reasons is given as a file, that for the others is fetched."""
    leaf = leaf_with(point_at(CA_CRL))
    return fetched(_partial(OTHER_REASONS), good(), chain=leaf.chain, crls=[_partial(KEY_COMPROMISE)])


@vector
def offline_nothing_is_asked() -> Case:
    """There are pointers, but this run does not fetch, and no file is about the certificate."""
    return given([], unknown("not_asked", asked=()))


@vector
def files_of_others_are_no_answer() -> Case:
    """A CRL of the root only, given as a file; the leaf's own is fetched then."""
    return fetched(WORLD.ca_crl(), good(asked=(CA_CRL,)), crls=[WORLD.root_crl], policy=RevocationPolicy())
