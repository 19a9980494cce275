# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account at an ACME CA (RFC 8555 section 7.3): its key, finding or making it, new contacts, new key, its end."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import (
    ec,
    exceptions,
    rsa,
    serialization,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_config import AcmeConfig
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_jose import (
    Jwk,
    jwk_of,
    public_jwk,
    signed,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_libraries import josepy, messages
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_state import AcmeState
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_files import (
    create_exclusively,
    sync_directory,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_keys import generate_key, key_pem

if TYPE_CHECKING:
    from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import AcmeClient

KEY_FILE = "account.key"


def thumbprint(key: Jwk) -> str:
    """RFC 7638, base64url without padding."""
    return str(josepy.b64encode(key.thumbprint()).decode())


# --- the key ---


def key_file(config: AcmeConfig, state: AcmeState) -> Path:
    """Where the account's key lies, unless its content is given."""
    return config.account_key or state.directory / KEY_FILE


def load_key(config: AcmeConfig, state: AcmeState) -> Jwk:
    """The account's key: the content given, or the file, which is made if there is none and it may be made.

    :raises RotationError: ``acme_account_key_missing``, ``acme_account_key_exposed``, ``acme_account_key_invalid``.
    """
    if config.account_key_content:
        return _parsed(config.account_key_content.encode(), "account_key_content")
    path = key_file(config, state)
    if not path.exists() and config.create_account:
        _make_key(path, config.account_key_type, state)
    return _parsed(_private_content(path), str(path))


def _make_key(path: Path, key_type: str, state: AcmeState) -> None:
    state.make_directory()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        create_exclusively(path, key_pem(generate_key(key_type), None), mode=0o600)
    except OSError as error:
        raise _key_missing(path, error.strerror or str(error)) from error


def _private_content(path: Path) -> bytes:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_bytes()
    except OSError as error:
        raise _key_missing(path, error.strerror or str(error)) from error
    if mode & 0o077:
        raise RotationError(
            "acme_account_key_exposed",
            f"the account key {path} has mode {mode:04o}: others than its owner may read it",
            remedy="Find out who has read it. If nobody has, set its mode to 0600; else give the account a new key.",
            path=str(path),
        )
    return content


def _parsed(content: bytes, source: str) -> Jwk:
    """The reason that the parser gives is left out, because it may quote the key."""
    try:
        key = serialization.load_pem_private_key(content, None)
    except (ValueError, TypeError, exceptions.UnsupportedAlgorithm):
        key = None
    if not isinstance(key, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)):
        raise RotationError(
            "acme_account_key_invalid",
            f"{source} is no unencrypted RSA or elliptic curve key in PEM",
            remedy="Give the account's key as PEM; from an encrypted one, through a vault.",
        )
    return jwk_of(key)


def _key_missing(path: Path, why: str) -> RotationError:
    return RotationError(
        "acme_account_key_missing",
        f"the account key {path} cannot be used: {why}",
        remedy="Restore it, give account_key or account_key_content, or set create_account to have one made.",
        path=str(path),
    )


# --- finding or making ---


@dataclass(frozen=True)
class Ensured:
    """An account that is there, and what that took."""

    uri: str
    is_new: bool = False
    is_updated: bool = False


def ensure(client: AcmeClient) -> Ensured:
    """The account: found in memory, or by its key; made where it may be; its contacts brought up to date.

    :raises RotationError: ``acme_account_missing``, ``acme_terms_not_agreed``, ``acme_external_account_required``,
        ``acme_roll_over_unfinished``.
    """
    config, contact = client.config, json.dumps(client.config.contact)
    known = client.state.account(client.thumbprint)
    if known and known[1] == contact:
        return Ensured(known[0])
    uri = known[0] if known else find(client, client.key)
    if uri is None:
        _require_finished_roll_over(client)
        ensured = Ensured(_create(client), is_new=True)
    elif config.contact:
        client.post(uri, {"contact": list(config.contact)}, kid=uri)
        ensured = Ensured(uri, is_updated=True)
    else:
        ensured = Ensured(uri)
    client.state.remember_account(client.thumbprint, ensured.uri, contact)
    return ensured


def known_thumbprint(config: AcmeConfig, state: AcmeState) -> str | None:
    """The thumbprint of the issuer's key, if there is one. None is made."""
    try:
        return thumbprint(load_key(dataclasses.replace(config, create_account=False), state))
    except RotationError:
        return None


def known_account(config: AcmeConfig, state: AcmeState) -> str | None:
    """The URL of the account with the issuer's key, if both are known here. Nobody is asked, and nothing is made."""
    own = known_thumbprint(config, state)
    known = state.account(own) if own else None
    return known[0] if known else None


def find(client: AcmeClient, key: Jwk) -> str | None:
    """The URL of the account with that key (RFC 8555 section 7.3.1); None if there is none."""
    try:
        answer = client.post(client.directory["newAccount"], {"onlyReturnExisting": True}, key=key, kid=False)
    except RotationError as error:
        if error.code == "acme_account_does_not_exist":
            return None
        raise
    return answer.location


def _create(client: AcmeClient) -> str:
    config, meta = client.config, client.meta
    if not config.create_account:
        raise RotationError(
            "acme_account_missing",
            f"{config.directory_url} has no account with this key, and none may be made",
            remedy="Set create_account, or give the key of the account that exists.",
        )
    if meta.get("termsOfService") and not config.terms_agreed:
        raise RotationError(
            "acme_terms_not_agreed",
            f"the CA {config.name} wants its terms of service agreed to: {meta['termsOfService']}",
            remedy="Read them; if you agree, set terms_agreed: true for this issuer.",
            terms=str(meta["termsOfService"]),
        )
    if meta.get("externalAccountRequired") and not config.eab:
        raise RotationError(
            "acme_external_account_required",
            f"the CA {config.name} binds accounts to customers, and no eab is given",
            remedy="Register with the CA, and give what it hands out as eab: {kid, hmac_key}.",
        )
    wanted = {
        "contact": list(config.contact),
        "termsOfServiceAgreed": config.terms_agreed,
        "externalAccountBinding": _binding(client),
    }
    registration = {name: value for name, value in wanted.items() if value}
    return client.post(client.directory["newAccount"], registration, key=client.key, kid=False).location


def _binding(client: AcmeClient) -> dict[str, Any] | None:
    eab = client.config.eab
    if eab is None:
        return None
    try:
        return dict(
            messages.ExternalAccountBinding.from_data(
                client.key.public_key(), eab.kid, eab.hmac_key.rstrip("="), client.directory, eab.algorithm
            )
        )
    except (ValueError, TypeError):
        # What the library says might quote the secret.
        raise RotationError(
            "issuer_invalid",
            f"the option eab.hmac_key of the issuer {client.config.name!r} is not base64url",
            remedy="Give it exactly as the CA handed it out.",
            issuer=client.config.name,
            option="eab.hmac_key",
        ) from None


# --- a new key, and the end ---


def roll_over(client: AcmeClient) -> str:
    """Give the account a fresh key (RFC 8555 section 7.3.5); returns its thumbprint.

    The new key is on disk before the CA hears of it, and takes the old one's name afterwards. A run that was killed in
    between is continued by the next: the CA tells which of the two it knows.

    :raises RotationError: ``acme_key_not_replaceable``, and what the CA refuses.
    """
    config, state = client.config, client.state
    if config.account_key_content:
        raise RotationError(
            "acme_key_not_replaceable",
            "the account key is given as content, and only its owner can put a new one there",
            remedy="Use account_key, a file, for the roll-over; then store the new file's content in the vault.",
        )
    old, path = client.key, key_file(config, state)
    waiting = _waiting_key(path)
    if not waiting.exists():
        _make_key(waiting, config.account_key_type, state)
    new = _parsed(_private_content(waiting), str(waiting))
    uri = find(client, new)
    if uri is None:
        uri = client.account_uri
        _change_key(client, uri, old, new)
    state.forget_account(thumbprint(old))
    state.remember_account(thumbprint(new), uri, json.dumps(config.contact))
    os.replace(waiting, path)
    sync_directory(path.parent)
    client.adopt(new, uri)
    return thumbprint(new)


def _change_key(client: AcmeClient, uri: str, old: Jwk, new: Jwk) -> None:
    url = client.offers("keyChange")
    if url is None:
        raise RotationError("acme_not_offered", f"the CA {client.config.name} does not let accounts change their key")
    content = json.dumps({"account": uri, "oldKey": public_jwk(old)}).encode()
    client.post(url, json.loads(signed(content, new, url=url)))


def _waiting_key(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _require_finished_roll_over(client: AcmeClient) -> None:
    """The CA does not know the key. Where a roll-over was cut short, that is no reason to make another account."""
    if client.config.account_key_content:
        return
    waiting = _waiting_key(key_file(client.config, client.state))
    if waiting.exists():
        raise RotationError(
            "acme_roll_over_unfinished",
            f"the CA does not know the account key, and {waiting} waits to take its place",
            remedy="Run the roll-over again; it goes on where it was.",
            path=str(waiting),
        )


def deactivate(client: AcmeClient) -> str:
    """End the account (RFC 8555 section 7.3.6); returns its URL. There is no way back."""
    uri = client.account_uri
    client.post(uri, {"status": "deactivated"})
    client.state.forget_account(client.thumbprint)
    return uri
