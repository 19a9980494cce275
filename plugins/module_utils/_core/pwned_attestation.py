# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof that pwnedkeys.com gives: a sentence signed by the private key itself (JWS, RFC 7515 section 7.2.2)."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.jose import algorithm_of, from_base64url, is_signed

_SENTENCE = b"key is pwned"


def verify_attestation(body: bytes, public_key: Any, spki_sha256: str) -> None:
    """The key in question signed that it is known to others; nobody without it can make that.

    :raises RotationError: ``attestation_invalid``, ``key_unsupported``.
    """
    expected = algorithm_of(public_key)
    try:
        jws = json.loads(body)
        protected, payload = str(jws["protected"]), str(jws["payload"])
        header, text = json.loads(from_base64url(protected)), from_base64url(payload)
        signature = from_base64url(str(jws["signature"]))
        named = str(header.get("kid") or spki_sha256)
        algorithm = header.get("alg")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise _invalid("it is no JSON Web Signature") from exc
    if algorithm != expected.name:
        raise _invalid(f"it is signed with {str(algorithm)[:20]!r}, and the key signs with {expected.name}")
    if named != spki_sha256:
        raise _invalid("it is about another key")
    if _SENTENCE not in text:
        raise _invalid("it says something else")
    if not is_signed(public_key, f"{protected}.{payload}".encode(), signature):
        raise _invalid("the key did not sign it")


def _invalid(why: str) -> RotationError:
    return RotationError("attestation_invalid", f"the proof that the key is known to others does not hold: {why}")
