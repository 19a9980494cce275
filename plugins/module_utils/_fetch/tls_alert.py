# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS alerts by number (RFC 8446 section 6, and older ones that servers still send), and OpenSSL's words for them."""

from __future__ import annotations

ALERTS = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    30: "decompression_failure",
    40: "handshake_failure",
    41: "no_certificate",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    60: "export_restriction",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_cancelled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    111: "certificate_unobtainable",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    114: "bad_certificate_hash_value",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
}

_BY_WORDS = {name.replace("_", " "): number for number, name in ALERTS.items()}
# OpenSSL up to 3.1 says "sslv3 alert …", 3.2 "ssl/tls alert …", 4.0 "tls alert …"; two alerts have other words.
_PREFIXES = ("tls alert ", "ssl/tls alert ", "sslv3 alert ", "tlsv1 alert ", "tlsv13 alert ", "tlsv1 ")
_BY_WORDS["decryption failed or bad record mac"] = 20
_BY_WORDS["unknown psk identity"] = 115

_NOT_TLS = frozenset(
    {
        "wrong version number",
        "packet length too long",
        "http request",
        "https proxy request",
        "record layer failure",
        "bad record type",
        "not sslv2 handshake",
        "record too small",
    }
)


def number_of(reason: str) -> int | None:
    """The alert that OpenSSL's ``reason`` reports as received, None for any other reason."""
    for prefix in _PREFIXES:
        if reason.startswith(prefix):
            return _BY_WORDS.get(reason[len(prefix) :])
    return None


def is_not_tls(reason: str) -> bool:
    """Does ``reason`` say that the peer answered with something that is no TLS record?"""
    return reason in _NOT_TLS
