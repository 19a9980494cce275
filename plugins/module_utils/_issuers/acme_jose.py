# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and signatures of ACME requests, made with the library's JWS (RFC 8555 section 6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import ec, rsa
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_libraries import acme_jws, josepy

if TYPE_CHECKING:
    from typing import TypeAlias

    from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_keys import SigningKey

Jwk: TypeAlias = "josepy.JWKRSA | josepy.JWKEC"


def jwk_of(key: SigningKey) -> Jwk:
    """The key as JOSE has it. Like every key of the library, it shows nothing of itself in text."""
    if isinstance(key, rsa.RSAPrivateKey):
        return josepy.JWKRSA(key=josepy.ComparableRSAKey(key))
    return josepy.JWKEC(key=josepy.ComparableECKey(key))


def algorithm_for(key: Jwk) -> Any:
    """The signature algorithm that goes with the key (RFC 7518 section 3.1)."""
    if isinstance(key, josepy.JWKRSA):
        return josepy.RS256
    curve = key.key.curve
    if isinstance(curve, ec.SECP384R1):
        return josepy.ES384
    if isinstance(curve, ec.SECP521R1):
        return josepy.ES512
    return josepy.ES256


def signed(content: bytes, key: Jwk, *, url: str, nonce: bytes | None = None, kid: str | None = None) -> str:
    """A JWS in JSON. Without ``kid`` it carries the public key; without ``nonce`` it is one inside another."""
    return str(acme_jws.JWS.sign(content, key=key, alg=algorithm_for(key), nonce=nonce, url=url, kid=kid).json_dumps())


def public_jwk(key: Jwk) -> dict[str, Any]:
    """The public half, as it stands in messages."""
    return dict(key.public_key().to_partial_json())
