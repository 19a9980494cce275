# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An entry of ``rotate_issuers`` with ``type: acme``, read and checked before anything is done."""

from __future__ import annotations

import ipaddress
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_known_cas import (
    KnownCa,
    Limit,
    known_ca,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_options import Options, invalid
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_keys import KEY_TYPES

DEFAULT_STATE = "~/.local/state/certops/acme"


@dataclass(frozen=True)
class ExternalAccount:
    """What a CA hands out to bind a new account to a customer (RFC 8555 section 7.3.4)."""

    kid: str
    hmac_key: str = field(repr=False)
    algorithm: str = "HS256"


@dataclass(frozen=True)
class Limits:
    """What a CA allows an account, as far as it is known; None: nothing is."""

    orders: Limit | None = None
    same_names: Limit | None = None


@dataclass(frozen=True)
class ChallengeConfig:
    """One way to prove control of a name: its type, how, and what that needs."""

    type: str
    method: str
    options: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class AcmeConfig:
    """Everything an ACME issuer needs. Never holds the account key, but may hold its PEM: not for logs."""

    name: str
    directory_url: str
    state_dir: Path
    account_key: Path | None = None
    account_key_content: str | None = field(default=None, repr=False)
    account_key_type: str = "ec-secp256r1"
    create_account: bool = True
    contact: tuple[str, ...] = ()
    terms_agreed: bool = False
    eab: ExternalAccount | None = None
    ca_bundle: Path | None = None
    profile: str | None = None
    challenges: tuple[ChallengeConfig, ...] = ()
    timeout: float = 180.0
    request_timeout: float = 30.0
    concurrency: int = 16
    ocsp: bool = True
    ari: bool = True
    max_names: int = 100
    limits: Limits = Limits()
    check_caa: bool = True
    revocation_reasons: tuple[str, ...] = ()
    resolvers: tuple[str, ...] = ()
    preferred_chain: str | None = None
    trust_anchors: str = ""
    trust_anchor_paths: tuple[Path, ...] = ()

    @property
    def known(self) -> KnownCa:
        """What is known of the CA beyond its directory."""
        return known_ca(self.directory_url)


def read_config(name: str, entry: Mapping[str, Any]) -> AcmeConfig:
    """:raises RotationError: ``issuer_invalid``, with the option that is wrong."""
    options = Options(name, {key: value for key, value in entry.items() if key not in ("type", "fallback")})
    url = _directory_url(options)
    known, profile = known_ca(url), options.text("profile")
    content = options.text("account_key_content")
    config = AcmeConfig(
        name=name,
        directory_url=url,
        state_dir=options.path("state_dir") or Path(DEFAULT_STATE).expanduser(),
        account_key=options.path("account_key"),
        account_key_content=content,
        account_key_type=options.one_of("account_key_type", KEY_TYPES, "ec-secp256r1"),
        create_account=options.flag("create_account", True),
        contact=_contact(options),
        terms_agreed=options.flag("terms_agreed", False),
        eab=_external_account(options),
        ca_bundle=options.path("ca_bundle"),
        profile=profile,
        challenges=_challenges(options),
        timeout=options.number("timeout", 180.0, least=1.0),
        request_timeout=options.number("request_timeout", 30.0, least=0.1),
        concurrency=int(options.number("concurrency", 16, least=1)),
        ocsp=options.flag("ocsp", known.ocsp),
        ari=options.flag("ari", True),
        max_names=int(options.number("max_names", known.most_names(profile), least=1)),
        limits=_limits(options, known),
        check_caa=options.flag("check_caa", True),
        revocation_reasons=options.texts("revocation_reasons"),
        resolvers=options.texts("resolvers"),
        preferred_chain=options.text("preferred_chain"),
        trust_anchors="\n".join(options.texts("trust_anchors")),
        trust_anchor_paths=tuple(Path(one).expanduser() for one in options.texts("trust_anchor_paths")),
    )
    options.no_more()
    if config.account_key and content:
        raise invalid(name, "account_key", "and account_key_content exclude each other")
    return config


def _directory_url(options: Options) -> str:
    url = options.text("directory_url") or ""
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    if not host or parts.scheme not in ("https", "http"):
        raise invalid(options.issuer, "directory_url", "is no https URL; Let's Encrypt's is"
                      " https://acme-v02.api.letsencrypt.org/directory")  # fmt: skip
    # RFC 8555 section 6.1. A server under test on this very machine may do without.
    if parts.scheme == "http" and not _is_loopback(host):
        raise invalid(options.issuer, "directory_url", "must be https: ACME without TLS protects nothing")
    if parts.username or parts.password:
        raise invalid(options.issuer, "directory_url", "must not hold credentials")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _contact(options: Options) -> tuple[str, ...]:
    contacts = options.texts("contact")
    return tuple(one if ":" in one else f"mailto:{one}" for one in contacts)


def _external_account(options: Options) -> ExternalAccount | None:
    inner = options.inner("eab")
    if inner is None:
        return None
    kid, hmac_key = inner.text("kid"), inner.text("hmac_key")
    algorithm = inner.one_of("algorithm", ("HS256", "HS384", "HS512"), "HS256")
    inner.no_more()
    if not kid or not hmac_key:
        raise invalid(options.issuer, "eab", "needs kid and hmac_key, as the CA handed them out")
    return ExternalAccount(kid, hmac_key, algorithm)


def _challenges(options: Options) -> tuple[ChallengeConfig, ...]:
    given = options.anything("challenge")
    if given is None:
        given = {"type": "http-01"}
    listed: Sequence[Any] = given if isinstance(given, (list, tuple)) else [given]
    if not listed:
        raise invalid(options.issuer, "challenge", "is empty")
    return tuple(_challenge(options.issuer, one) for one in listed)


def _challenge(issuer: str, given: Any) -> ChallengeConfig:
    if not isinstance(given, Mapping):
        raise invalid(issuer, "challenge", "is a dictionary like {type: http-01}, or a list of such")
    inner = Options(issuer, given, "challenge.")
    kind = inner.one_of("type", tuple(METHODS), "")
    methods = METHODS[kind]
    method = inner.one_of("method", methods, methods[0])
    rest = {key: value for key, value in given.items() if key not in ("type", "method")}
    return ChallengeConfig(kind, method, rest)


# The first method is what is meant when none is given.
METHODS: dict[str, tuple[str, ...]] = {
    "dns-01": ("rfc2136", "command"),
    "dns-persist-01": ("declared",),
    "http-01": ("stateless", "directory", "command", "webroot"),
}


def _limits(options: Options, known: KnownCa) -> Limits:
    inner = options.inner("limits")
    if inner is None:
        return Limits(known.orders, known.same_names)
    limits = Limits(_limit(inner, "orders", known.orders), _limit(inner, "same_names", known.same_names))
    inner.no_more()
    return limits


def _limit(options: Options, name: str, default: Limit | None) -> Limit | None:
    inner = options.inner(name)
    if inner is None:
        return default
    limit = Limit(int(inner.number("count", 0, least=1)), inner.number("hours", 0, least=0.01))
    inner.no_more()
    return limit
