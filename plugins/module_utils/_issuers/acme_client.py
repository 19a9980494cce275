# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One ACME server, as one account: its directory, signed requests that come through, and the account's URL.

client = open_acme_client({"directory_url": "https://…/directory", "state_dir": "…"})
client.post(client.directory["revokeCert"], {"certificate": "…"})                      # by the account
client.post(url, payload, key=other_key, kid=False)                                    # by another key (jwk)
client.post_signed(url, lambda nonce: body)                                            # by a signature made elsewhere
"""

from __future__ import annotations

import json
import random
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import from_text
from ansible_collections.certops.rotation.plugins.module_utils._issuers import acme_account
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_config import AcmeConfig, read_config
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_jose import Jwk, signed
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_libraries import messages
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_network import Answer, Network
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_state import AcmeState, directory_for
from ansible_collections.certops.rotation.plugins.module_utils._issuers.trust_store import system_bundle

# With every second nonce refused, one request of four billion still fails.
_NONCES = 32
_TRIES = 4
_FIRST_PAUSE = 0.5
_FAILURE_HOLDS = 30.0
# What may be otherwise a little later. A server that does not listen is asked again too: front ends are restarted.
_MAY_PASS = frozenset({"acme_unreachable", "acme_timeout", "acme_unavailable", "acme_server_internal"})
_NEEDED = ("newNonce", "newAccount", "newOrder")


def open_acme_client(config: Mapping[str, Any] | AcmeConfig, name: str = "acme") -> AcmeClient:
    """The client for an entry of ``rotate_issuers``. Nothing is asked and nothing is made before the first use.

    :raises RotationError: ``issuer_invalid``.
    """
    return AcmeClient(config if isinstance(config, AcmeConfig) else read_config(name, config))


class AcmeClient:
    """Safe to use from many threads at once; a directory, an account and a pool of nonces for all of them."""

    def __init__(self, config: AcmeConfig) -> None:
        self.config = config
        self.state = AcmeState(directory_for(config.state_dir, config.directory_url))
        bundle = config.ca_bundle or system_bundle()
        self._network = Network(
            verify=str(bundle) if bundle else True, timeout=config.request_timeout, connections=config.concurrency + 4
        )
        self._lock = threading.RLock()
        self._directory: messages.Directory | None = None
        self._failure: tuple[float, RotationError | None] = (0.0, None)
        self._key: Jwk | None = None
        self._account_uri: str | None = None

    # --- who we are, and whom we talk to ---

    @property
    def directory(self) -> messages.Directory:
        """What the server offers: a mapping of RFC 8555 section 7.1.1. Fetched once; a failure is one for all threads.

        :raises RotationError: ``acme_directory_invalid``, ``acme_unreachable``, ``acme_tls_failed``, …
        """
        return self.reach(None)

    def reach(self, deadline: float | None) -> messages.Directory:
        """The directory, within ``deadline`` (of ``time.monotonic()``) where it has not been fetched yet."""
        with self._lock:
            failed_at, failure = self._failure
            if failure is not None and time.monotonic() - failed_at < _FAILURE_HOLDS:
                raise failure
            if self._directory is None:
                try:
                    self._directory = self._fetched_directory(deadline)
                except RotationError as error:
                    self._failure = (time.monotonic(), error)
                    raise
            return self._directory

    def offers(self, resource: str) -> str | None:
        """The URL of a resource that not every server has: ``renewalInfo``, ``revokeCert``, ``keyChange``."""
        try:
            url = self.directory[resource]
        except KeyError:
            return None
        return url if isinstance(url, str) and url else None

    @property
    def meta(self) -> Mapping[str, Any]:
        """The directory's ``meta``, as the server wrote it."""
        found = self._meta_of(self.directory)
        return found if isinstance(found, Mapping) else {}

    @property
    def key(self) -> Jwk:
        """The account's key; made if it may be. RotationError ``acme_account_key_missing``, …"""
        with self._lock:
            if self._key is None:
                self._key = acme_account.load_key(self.config, self.state)
            return self._key

    @property
    def thumbprint(self) -> str:
        """What a challenge's key authorization ends in (RFC 8555 section 8.1, RFC 7638)."""
        return acme_account.thumbprint(self.key)

    @property
    def account_uri(self) -> str:
        """The account's URL. The account is looked up by its key, and made if it may be."""
        with self._lock:
            if self._account_uri is None:
                self._account_uri = acme_account.ensure(self).uri
            return self._account_uri

    def adopt(self, key: Jwk, uri: str | None) -> None:
        """Be another account from here on, or the same with another key."""
        with self._lock:
            self._key, self._account_uri = key, uri

    # --- requests ---

    def get(self, url: str, *, deadline: float | None = None) -> Answer:
        """A resource that needs no signature."""
        return self._persistently(lambda: self._network.ask(url), deadline)

    def post(
        self,
        url: str,
        payload: Mapping[str, Any] | None,
        *,
        key: Jwk | None = None,
        kid: bool | str = True,
        deadline: float | None = None,
    ) -> Answer:
        """POST ``payload`` (None: POST-as-GET, RFC 8555 section 6.3), signed by the account or by ``key``.

        ``kid=False`` sends the public key instead of the account's URL; a text is the URL of an account.
        Tried again after ``badNonce``, and within the time limit after what may pass, no earlier than the server says.

        :param deadline: of ``time.monotonic()``; by default the issuer's timeout from now.
        :raises RotationError: ``acme_<type>`` for what the server refuses, and see ``acme_network``.
        """
        deadline = time.monotonic() + self.config.timeout if deadline is None else deadline
        try:
            return self._post(url, payload, key, kid, deadline)
        except RotationError as error:
            if error.code != "acme_account_does_not_exist" or key is not None or kid is not True:
                raise
        # The server has lost the account that an earlier run had found.
        self._forget_account()
        return self._post(url, payload, key, kid, deadline)

    def post_signed(self, url: str, sign: Callable[[bytes], str | bytes], *, deadline: float | None = None) -> Answer:
        """POST what ``sign(nonce)`` makes: a JWS in JSON. It is called again where the server wants another nonce."""

        def ask() -> Answer:
            for _again in range(_NONCES - 1):
                try:
                    return self._network.ask_signed(url, str(self.directory["newNonce"]), sign)
                except RotationError as error:
                    if error.code != "acme_bad_nonce":
                        raise
            return self._network.ask_signed(url, str(self.directory["newNonce"]), sign)

        return self._persistently(ask, deadline)

    def _post(
        self, url: str, payload: Mapping[str, Any] | None, key: Jwk | None, kid: bool | str, deadline: float
    ) -> Answer:
        signer, account = key or self.key, self.account_uri if kid is True else kid or None
        content = b"" if payload is None else json.dumps(payload).encode()
        return self.post_signed(url, lambda nonce: signed(content, signer, url=url, nonce=nonce, kid=account),
                                deadline=deadline)  # fmt: skip

    def _persistently(self, ask: Callable[[], Answer], deadline: float | None) -> Answer:
        end = time.monotonic() + self.config.timeout if deadline is None else deadline
        for number in range(_TRIES - 1):
            try:
                return ask()
            except RotationError as error:
                pause = _pause(error, number)
                if pause is None or time.monotonic() + pause >= end:
                    raise
            time.sleep(pause)
        return ask()

    def _forget_account(self) -> None:
        with self._lock:
            self.state.forget_account(self.thumbprint)
            self._account_uri = None

    def _fetched_directory(self, deadline: float | None) -> messages.Directory:
        url = self.config.directory_url
        try:
            found = self.get(url, deadline=deadline).json()
        except RotationError as error:
            if error.code != "acme_answer_invalid":
                raise
            raise _no_directory(url, error.message) from error
        missing = [name for name in _NEEDED if not _is_url(found.get(name))]
        if missing:
            raise _no_directory(url, f"it lacks {', '.join(missing)}")
        return messages.Directory(found)

    @staticmethod
    def _meta_of(directory: messages.Directory) -> Any:
        try:
            return directory["meta"]
        except KeyError:
            return None


def _pause(error: RotationError, number: int) -> float | None:
    """Seconds to wait before the next attempt; None if it would be of no use."""
    retry_at = error.facts.get("retry_at")
    if error.code != "acme_rate_limited" and error.code not in _MAY_PASS:
        return None
    if retry_at:
        return max(0.0, (from_text(str(retry_at)) - datetime.now(timezone.utc)).total_seconds()) + 1.0
    # Half of it at random: those who were sent away together do not come back together.
    return _FIRST_PAUSE * 2**number * random.uniform(0.5, 1.0) if error.code in _MAY_PASS else None


def _is_url(value: object) -> bool:
    return isinstance(value, str) and urllib.parse.urlsplit(value).scheme in ("https", "http")


def _no_directory(url: str, why: str) -> RotationError:
    return RotationError(
        "acme_directory_invalid",
        f"{url} is no ACME directory: {why}",
        remedy="Correct directory_url; it ends in /directory for most CAs.",
        url=url,
    )
