# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must come out of each fault, with the limits that ``__init__.py`` gives the client.

``requests``: how often the server must have been asked, where the number is part of the rule.
"""

from __future__ import annotations

import dataclasses

from ansible_collections.certops.rotation.tests.conformance.vector import Expected, good, revoked, unknown


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A verdict and a number of requests."""

    verdict: Expected
    requests: int | None = None


def _is(verdict: Expected, requests: int | None = None) -> Outcome:
    return Outcome(verdict, requests)


# Read it as a table: one line a fault.
EXPECTED: dict[str, Outcome] = {
    # a responder's answers
    "ocsp_nothing_wrong": _is(good(), 1),
    "ocsp_revoked": _is(revoked(revocation_reason="keyCompromise"), 1),
    "ocsp_malformed_request": _is(unknown("responder_error"), 2),
    "ocsp_internal_error": _is(unknown("responder_error"), 2),
    "ocsp_try_later": _is(unknown("responder_error"), 1),
    "ocsp_sig_required": _is(unknown("responder_error"), 1),
    "ocsp_unauthorized": _is(unknown("responder_error"), 2),
    "ocsp_unknown": _is(unknown("responder_says_unknown"), 2),
    "ocsp_sha1_only": _is(good(), 2),
    "ocsp_sha256_is_a_bad_request": _is(good(), 2),
    "ocsp_expired": _is(unknown("stale"), 2),
    "ocsp_expired_in_a_cache": _is(good(), 2),
    "ocsp_from_the_future": _is(unknown("from_the_future"), 1),
    "ocsp_produced_in_the_future": _is(unknown("from_the_future"), 1),
    "ocsp_no_next_update": _is(unknown("next_update_missing"), 1),
    "ocsp_wrong_serial": _is(unknown("other_certificate"), 2),
    "ocsp_wrong_issuer": _is(unknown("other_certificate"), 2),
    "ocsp_about_many": _is(revoked(), 1),
    "ocsp_foreign_signer": _is(unknown("responder_not_authorised"), 1),
    "ocsp_bad_signature": _is(unknown("signature_invalid"), 1),
    "ocsp_sha1_signature": _is(unknown("signature_weak"), 1),
    "ocsp_delegate": _is(good(), 1),
    "ocsp_delegate_without_purpose": _is(unknown("responder_not_authorised"), 1),
    "ocsp_delegate_expired": _is(unknown("responder_expired"), 1),
    "ocsp_delegate_not_yet_valid": _is(unknown("responder_expired"), 1),
    "ocsp_delegate_of_another_ca": _is(unknown("responder_not_authorised"), 1),
    "ocsp_delegate_of_the_root": _is(unknown("responder_not_authorised"), 1),
    "ocsp_delegate_without_nocheck": _is(unknown("responder_status_unknown"), 1),
    "ocsp_delegate_cleared": _is(good(), 1),
    "ocsp_delegate_revoked": _is(unknown("responder_revoked"), 1),
    "ocsp_nonce_repeated": _is(good(), 1),
    "ocsp_nonce_missing": _is(good(), 1),
    "ocsp_nonce_of_another": _is(unknown("nonce_mismatch"), 1),
    "ocsp_nonce_too_long": _is(unknown("nonce_mismatch"), 1),
    "ocsp_nonce_is_malformed": _is(unknown("responder_error"), 2),
    "ocsp_critical_extension": _is(unknown("critical_extension"), 1),
    "ocsp_critical_extension_of_the_answer": _is(unknown("critical_extension"), 1),
    "ocsp_mirror": _is(unknown("unreadable"), 1),
    "ocsp_wrong_content_type": _is(good(), 1),
    "ocsp_get_is_not_allowed": _is(good(), 2),
    "ocsp_second_of_two": _is(good(), 1),
    "ocsp_long_url": _is(good(), 1),
    # CRLs
    "crl_nothing_wrong": _is(good()),
    "crl_with_the_delegate": _is(good()),
    "crl_revoked": _is(revoked(revocation_reason="superseded"), 1),
    "crl_pem": _is(good(), 1),
    "crl_expired": _is(unknown("stale"), 1),
    "crl_from_the_future": _is(unknown("from_the_future"), 1),
    "crl_other_shard": _is(unknown("scope_mismatch"), 1),
    "crl_own_shard": _is(good(), 1),
    "crl_for_cas_only": _is(unknown("scope_mismatch"), 1),
    "crl_some_reasons_only": _is(unknown("partial_reasons"), 1),
    "crl_delta": _is(unknown("base_missing"), 1),
    "crl_critical_extension": _is(unknown("critical_extension"), 1),
    "crl_of_another_ca": _is(unknown("issuer_mismatch"), 1),
    "crl_wrong_signer": _is(unknown("signature_invalid"), 1),
    "crl_of_the_twin": _is(unknown("issuer_mismatch"), 1),
    "crl_sha384_signature": _is(good(), 1),
    "crl_truncated": _is(unknown("unreadable"), 1),
    "crl_with_more_behind": _is(unknown("unreadable"), 1),
    "crl_is_a_certificate": _is(unknown("unreadable"), 1),
    # HTTP: refusals
    "crl_not_found": _is(unknown("http_error"), 1),
    "crl_gone": _is(unknown("http_error"), 1),
    "crl_forbidden": _is(unknown("http_error"), 1),
    "crl_not_found_but_signed": _is(unknown("http_error"), 1),
    "crl_no_content": _is(unknown("http_error"), 1),
    "crl_not_modified": _is(unknown("http_error"), 1),
    "crl_half_of_it": _is(unknown("http_error"), 1),
    "crl_server_error": _is(unknown("http_error"), 1),
    "crl_server_error_that_passes": _is(good(), 2),
    "crl_unavailable_for_a_second": _is(good(), 2),
    "crl_unavailable_for_an_hour": _is(unknown("http_error"), 1),
    "ocsp_too_many_requests": _is(unknown("http_error"), 1),
    "ocsp_not_found": _is(unknown("http_error"), 2),
    "ocsp_server_error": _is(unknown("http_error"), 1),
    # HTTP: something else than what was asked for
    "ocsp_page_for_people": _is(unknown("unreadable"), 1),
    "crl_page_for_people": _is(unknown("unreadable"), 1),
    "ocsp_empty_body": _is(unknown("unreadable"), 1),
    "crl_empty_body": _is(unknown("unreadable"), 1),
    "ocsp_truncated": _is(unknown("unreadable"), 1),
    # silence and breaks
    "ocsp_never_answers": _is(unknown("timeout"), 1),
    "crl_never_answers": _is(unknown("timeout"), 1),
    "crl_drips": _is(unknown("timeout"), 1),
    "ocsp_drips": _is(unknown("timeout"), 1),
    "crl_reset": _is(unknown("unreachable"), 1),
    "crl_reset_that_passes": _is(good(), 2),
    "ocsp_reset": _is(unknown("unreachable"), 1),
    "crl_closed_without_a_word": _is(unknown("unreachable"), 1),
    "crl_reset_in_the_middle": _is(unknown("unreachable"), 1),
    # HTTP that is none, or not quite
    "crl_not_http": _is(unknown("unreachable"), 1),
    "crl_without_head": _is(unknown("unreachable"), 1),
    "crl_a_thousand_headers": _is(unknown("unreachable"), 1),
    "crl_a_long_header": _is(unknown("unreachable"), 1),
    "crl_longer_than_announced": _is(unknown("unreadable"), 1),
    "crl_shorter_than_announced": _is(unknown("unreachable"), 1),
    "crl_of_unknown_length": _is(good(), 1),
    "crl_of_a_negative_length": _is(good(), 1),
    "crl_in_chunks": _is(good(), 1),
    "crl_in_chunks_of_garbage": _is(unknown("unreachable"), 1),
    "crl_in_chunks_without_end": _is(unknown("unreachable"), 1),
    # too much of it
    "crl_endless": _is(unknown("too_large"), 1),
    "crl_announced_as_huge": _is(unknown("too_large"), 1),
    "ocsp_huge": _is(unknown("too_large"), 1),
    # encodings
    "crl_gzip": _is(good(), 1),
    "crl_deflate": _is(good(), 1),
    "crl_gzip_that_is_none": _is(unknown("unreadable"), 1),
    "crl_gzip_cut_off": _is(unknown("unreadable"), 1),
    "crl_gzip_bomb": _is(unknown("too_large"), 1),
    "crl_brotli": _is(unknown("unreadable"), 1),
    # other places
    "crl_moved": _is(good(), 1),
    "ocsp_moved": _is(good(), 2),
    "crl_moved_in_circles": _is(unknown("redirect_refused"), 4),
    "crl_moved_too_often": _is(unknown("redirect_refused"), 4),
    "crl_moved_nowhere": _is(unknown("http_error"), 1),
    "crl_moved_to_a_file": _is(unknown("redirect_refused"), 1),
    "crl_moved_to_ldap": _is(unknown("redirect_refused"), 1),
    "crl_moved_to_the_metadata_service": _is(unknown("address_refused"), 1),
    "crl_moved_with_a_password": _is(unknown("redirect_refused"), 1),
    "crl_moved_to_a_closed_port": _is(unknown("unreachable"), 1),
    "crl_at_a_private_address": _is(unknown("address_refused"), 0),
    "crl_at_a_closed_port": _is(unknown("unreachable"), 0),
    "crl_by_ldap": _is(unknown("unsupported_pointer"), 0),
    "crl_by_tls": _is(unknown("unreachable"), 0),
}
