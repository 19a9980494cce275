# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where `openssl verify` and `openssl ocsp` are of another opinion than we are, and why we stay with ours."""

from __future__ import annotations

import dataclasses
import fnmatch

from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import Reason, RevocationStatus

WRITTEN_FOR = "OpenSSL 3.0."
GOOD, REVOKED, UNKNOWN = RevocationStatus.GOOD, RevocationStatus.REVOKED, RevocationStatus.UNKNOWN


@dataclasses.dataclass(frozen=True)
class Disagreement:
    """A vector, what we say of it, and what openssl says."""

    tool: str
    case: str
    ours: RevocationStatus
    reasons: frozenset[Reason]
    theirs: RevocationStatus
    said: str


@dataclasses.dataclass(frozen=True)
class Explanation:
    """Explains the disagreements of one kind: which tool, the two answers, and what tells this kind from others."""

    tool: str
    ours: RevocationStatus
    theirs: RevocationStatus
    why: str
    """why ours is right, with the section"""
    reasons: tuple[str, ...] = ()
    """one of them is among ours; empty: whatever ours are"""
    said: str = ""
    """stands in what openssl printed"""
    cases: tuple[str, ...] = ("*",)
    """patterns, one of which the vector's name matches"""

    def explains(self, found: Disagreement) -> bool:
        return (
            (self.tool, self.ours, self.theirs) == (found.tool, found.ours, found.theirs)
            and (not self.reasons or not found.reasons.isdisjoint(self.reasons))
            and self.said in found.said
            and any(fnmatch.fnmatch(found.case, pattern) for pattern in self.cases)
        )


_TIMES = (
    Explanation(
        "crl",
        GOOD,
        UNKNOWN,
        "openssl knows no tolerance: it refuses a CRL whose clock is ahead by a second. RFC 5280 6.3.3 leaves a"
        " tolerance to policy; ours is five minutes.",
        said="CRL is not yet valid",
    ),
    Explanation(
        "crl",
        GOOD,
        UNKNOWN,
        "The same at the other end; and in the very second of nextUpdate openssl calls a CRL expired, whereas RFC"
        " 5280 6.3.3 wants a new one only after it.",
        said="CRL has expired",
        cases=("validity_windows.*",),
    ),
    Explanation(
        "crl",
        GOOD,
        UNKNOWN,
        "openssl ends a certificate with the beginning of its last second; RFC 5280 4.1.2.5: through notAfter,"
        " inclusive.",
        said="certificate has expired",
        cases=("validity_windows.leaf_in_its_last_second_is_good",),
    ),
    Explanation(
        "crl",
        REVOKED,
        UNKNOWN,
        "openssl stops at the times of the CRL. A revocation for good is never taken back (RFC 5280 3.3), so a"
        " verified CRL proves it before and after its window too. (A fresh delta continues a hold in a CRL that"
        " has run out, 5.2.4.)",
        said="CRL has expired",
    ),
    Explanation(
        "crl",
        REVOKED,
        UNKNOWN,
        "The same with a CRL of a later time, which lists a revocation that was in force at the time judged for.",
        said="CRL is not yet valid",
    ),
    Explanation(
        "crl",
        UNKNOWN,
        GOOD,
        "nextUpdate must be there (RFC 5280 5.1.2.5); without it an old CRL could be replayed for ever.",
        reasons=("next_update_missing",),
    ),
    Explanation("crl", UNKNOWN, GOOD, "A policy of ours, max_age, that openssl does not have.", reasons=("stale",)),
    Explanation(
        "ocsp",
        UNKNOWN,
        GOOD,
        "`openssl ocsp` compares with the clock instead of -attime and only warns, so its times are switched off"
        " here. RFC 9919 5: thisUpdate and nextUpdate must be compared, and a response without nextUpdate be"
        " rejected.",
        reasons=("stale", "from_the_future", "next_update_missing"),
    ),
    Explanation(
        "ocsp",
        UNKNOWN,
        REVOKED,
        "The same: at the time judged for, the response had not been made, and the revocation had not happened.",
        reasons=("from_the_future",),
    ),
    Explanation(
        "ocsp",
        UNKNOWN,
        GOOD,
        "`openssl ocsp` does not look at the dates of the certificate asked about; responders forget those that"
        " have expired (RFC 6960 4.4.4).",
        reasons=("expired",),
    ),
)

_CHAINS = (
    Explanation(
        "crl",
        GOOD,
        UNKNOWN,
        "openssl takes the first certificate of the CA and finds no anchor above it; the other one, of the root"
        " that is trusted, stands beside it. RFC 5280 6.1 wants a path, not the first one.",
        cases=("chain_issuers.cross_signed_ca_is_judged_on_the_path_to_the_anchor",),
    ),
    Explanation(
        "crl",
        REVOKED,
        UNKNOWN,
        "openssl stops at the missing anchor. That the direct issuer revoked the leaf is verified all the same,"
        " and it is told beside chain_untrusted.",
        reasons=("chain_untrusted",),
    ),
)

_CRLS = (
    Explanation(
        "crl",
        GOOD,
        UNKNOWN,
        "-crl_check_all wants a CRL for the trust anchor too, and this one is bound to a distribution point that"
        " the anchor does not name. The anchor is no part of the path (RFC 5280 6.1).",
        said="error 44 at 2 depth lookup",
    ),
    Explanation(
        "crl",
        GOOD,
        UNKNOWN,
        "The last paragraph of RFC 5280 6.3.3: a CRL of the certificate's issuer counts also if it is bound to no"
        " point, or to one that is named like the issuer. openssl does not take that way.",
        cases=(
            "crl_scope.a_crl_without_scope_counts_for_the_point_it_was_found_at",
            "crl_scope.a_shard_named_like_the_issuer_is_for_certificates_without_points",
        ),
    ),
    Explanation(
        "crl",
        UNKNOWN,
        GOOD,
        "The certificate names an issuer of CRLs and no place; this CRL is for a place (RFC 5280 6.3.3 b 2 i).",
        reasons=("scope_mismatch",),
        cases=("crl_indirect.a_point_that_is_only_an_issuer_takes_no_other_shard",),
    ),
    Explanation(
        "crl",
        UNKNOWN,
        GOOD,
        "Where a point has a cRLIssuer, its CRL must say that it is indirect (RFC 5280 6.3.3 b 1), even where that"
        " issuer is the CA itself, which should not have been named (4.2.1.13).",
        reasons=("scope_mismatch",),
        cases=("crl_indirect.a_ca_that_names_itself_as_crl_issuer_must_say_indirect",),
    ),
    Explanation(
        "crl",
        REVOKED,
        UNKNOWN,
        "A serial belongs to one certificate of its issuer, so an entry in another shard is about it too; scope"
        " matters only for what is absent (RFC 5280 5.2.5).",
        cases=("crl_scope.listed_in_another_shard_is_revoked_all_the_same",),
    ),
    Explanation(
        "crl",
        REVOKED,
        UNKNOWN,
        "RFC 5280 5.2: with an unknown critical extension a CRL may not be used for what is absent; that what it"
        " lists is revoked should be told still.",
        said="unhandled critical CRL extension",
    ),
    Explanation(
        "crl",
        UNKNOWN,
        GOOD,
        "certificateIssuer, which is critical, in a CRL that is not indirect: it must not be there (RFC 5280"
        " 5.3.3), so it cannot be told whose certificates the entries are.",
        cases=("crl_indirect.entries_for_others_in_a_direct_crl_spoil_it",),
    ),
    Explanation(
        "crl",
        UNKNOWN,
        GOOD,
        "removeFromCRL in a complete CRL, where it must not be (RFC 5280 5.3.1). openssl takes it as not revoked.",
        reasons=("misplaced_entry",),
    ),
    Explanation(
        "crl",
        UNKNOWN,
        REVOKED,
        "A reason that RFC 5280 5.3.1 does not assign. It could mean that a revocation is lifted, so neither is"
        " claimed.",
        cases=("crl_encoding.a_reason_that_does_not_exist_is_not_guessed",),
    ),
    Explanation(
        "crl",
        UNKNOWN,
        GOOD,
        "An extension stands twice (RFC 5280 4.2), or extensions in version 1 (5.1.2.1): what signs such things"
        " is not understood.",
        reasons=("unreadable", "unsupported_version"),
    ),
    Explanation(
        "crl",
        REVOKED,
        GOOD,
        "Two CRLs of the same issuer, one clean, one not. openssl takes the first and looks no further; any"
        " verified revocation counts.",
        cases=("given_files.given_answer_is_not_checked_against_the_network",),
    ),
)

_DELTAS = (
    Explanation(
        "crl",
        GOOD,
        REVOKED,
        "A hold in the complete CRL is lifted by a delta CRL (RFC 5280 5.2.4). openssl takes a delta only where"
        " freshestCRL stands in the certificate or the CRL; 6.3.3 lets whoever has one use it.",
        cases=("crl_delta.*",),
    ),
    Explanation("crl", REVOKED, GOOD, "The same where the delta CRL lists the certificate.", cases=("crl_delta.*",)),
    Explanation(
        "crl",
        GOOD,
        UNKNOWN,
        "The complete CRL has run out, a fresh delta CRL continues it: together they are as new as the delta (RFC"
        " 5280 5.2.4). openssl wants both to be fresh.",
        said="CRL has expired",
        cases=("crl_delta.*",),
    ),
    Explanation(
        "crl",
        REVOKED,
        UNKNOWN,
        "A delta CRL without its base cannot clear, but what it lists is revoked.",
        said="unable to get certificate CRL",
        cases=("crl_delta.listed_in_a_delta_alone_is_revoked",),
    ),
)

_SIGNERS = (
    Explanation(
        "crl",
        GOOD,
        UNKNOWN,
        "openssl wants a CRL for the certificate of who signs CRLs too, and one that this signer did not sign"
        " itself. A CRL key that the CA itself certified, and that names no pointers or only its own CRLs, could"
        " never be judged so; RFC 5280 6.3.3 f wants its path validated, no more.",
        said="[CRL path]",
        cases=("crl_signer.*", "crl_indirect.a_crl_issuer_below_a_sub_ca_may"),
    ),
    Explanation(
        "crl",
        REVOKED,
        UNKNOWN,
        "The same, and the CRL lists the sub-CA.",
        said="[CRL path]",
        cases=("crl_signer.the_sub_ca_is_revoked_by_the_roots_key_for_crls",),
    ),
    Explanation(
        "crl",
        GOOD,
        UNKNOWN,
        "The CRL does not say which key signed it. openssl tries the CA's first certificate only; the other one"
        " of the same name did sign it.",
        said="CRL signature failure",
        cases=("crl_signer.without_key_identifier_the_signer_is_found_by_name",),
    ),
    Explanation(
        "crl",
        UNKNOWN,
        GOOD,
        "SHA-1 signatures can be forged by whoever has a say in what is signed; openssl takes them at its default"
        " security level (BR 7.1.3.2.1 forbids them since 2026-09-15).",
        reasons=("signature_weak",),
    ),
    Explanation("ocsp", UNKNOWN, GOOD, "The same for responses.", reasons=("signature_weak",)),
    Explanation(
        "ocsp",
        GOOD,
        UNKNOWN,
        "CA and delegate bear the same name, and the response names its signer. openssl tries the first of that"
        " name only.",
        cases=("ocsp_signer.a_delegate_named_like_the_ca",),
    ),
    Explanation(
        "ocsp",
        UNKNOWN,
        GOOD,
        "openssl does not look at the dates of a responder that the operator trusts; an expired key is not kept safe.",
        reasons=("responder_expired",),
    ),
    Explanation(
        "ocsp",
        UNKNOWN,
        GOOD,
        "keyUsage of the responder's certificate does not allow signatures (RFC 5280 4.2.1.3); openssl does not look.",
        reasons=("responder_not_authorised",),
        cases=("ocsp_signer.a_delegate_whose_key_is_not_for_signatures",),
    ),
    Explanation(
        "ocsp",
        UNKNOWN,
        GOOD,
        "A responder's answer about its own certificate: whoever stole its key would give the same.",
        reasons=("responder_not_authorised",),
        cases=("ocsp_signer.a_responder_does_not_vouch_for_itself",),
    ),
    Explanation(
        "ocsp",
        UNKNOWN,
        GOOD,
        "A responder's certificate without id-pkix-ocsp-nocheck is to be judged itself (RFC 6960 4.2.2.2.1);"
        " without the CRL, which is not at hand here, that cannot be done. openssl does not try.",
        reasons=("responder_status_unknown",),
    ),
    Explanation("ocsp", UNKNOWN, REVOKED, "The same.", reasons=("responder_status_unknown",)),
)

_RESPONSES = (
    Explanation(
        "ocsp",
        UNKNOWN,
        GOOD,
        "An unknown critical extension: the response must not be used (RFC 6960 4.4, RFC 5280 4.2). openssl"
        " passes it by.",
        reasons=("critical_extension",),
    ),
    Explanation(
        "ocsp",
        UNKNOWN,
        REVOKED,
        "The same beside a hold, which may be lifted by what is not understood.",
        reasons=("critical_extension",),
    ),
    Explanation(
        "ocsp",
        REVOKED,
        GOOD,
        "Several answers about the same certificate: openssl takes the first; any verified revocation counts.",
        cases=("ocsp_status.revoked_beside_good_is_revoked",),
    ),
    Explanation(
        "ocsp",
        UNKNOWN,
        GOOD,
        "The same with an answer that does not know the certificate: never good.",
        cases=("ocsp_status.unknown_beside_good_is_unknown",),
    ),
)

EXPLANATIONS = (*_TIMES, *_CHAINS, *_CRLS, *_DELTAS, *_SIGNERS, *_RESPONSES)
