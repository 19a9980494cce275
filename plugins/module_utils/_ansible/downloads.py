# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes from the network, each piece fetched once a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from ansible_collections.certops.rotation.plugins.module_utils._ansible.once import Once
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificates
from ansible_collections.certops.rotation.plugins.module_utils._core.chain import is_issued_by
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import Reason, Source
from ansible_collections.certops.rotation.plugins.module_utils._fetch.cache import entry_key
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import Fetched, Fetcher
from ansible_collections.certops.rotation.plugins.module_utils._fetch.keeper import Ask, Check, Keeper, Span

_MAX_SMALL = 1 << 20  # an OCSP response or a certificate, not a CRL
_ASKING = {
    "timeout": Reason.TIMEOUT,
    "name_not_resolved": Reason.NAME_NOT_RESOLVED,
    "http_error": Reason.HTTP_ERROR,
    "scheme_refused": Reason.UNSUPPORTED_POINTER,
    "address_refused": Reason.ADDRESS_REFUSED,
    "redirect_refused": Reason.REDIRECT_REFUSED,
    "too_large": Reason.TOO_LARGE,
    "url_refused": Reason.UNSUPPORTED_POINTER,
    "encoding_unsupported": Reason.UNREADABLE,
}


def reason_of(error: RotationError) -> Reason:
    """Why there is no answer, in the words of a verdict."""
    return _ASKING.get(error.code, Reason.UNREACHABLE)


def fetched_from(source: Source, fetched: Fetched) -> Source:
    """The source, with what is known of the way its bytes took."""
    return dataclasses.replace(
        source, seconds=fetched.seconds, cache_hit=fetched.cached is not None, cache_state=fetched.cached
    )


class Downloads:
    """Thread-safe. Failures are remembered too: what did not answer is not asked again in this run."""

    def __init__(self, http: Fetcher, keeper: Keeper | None = None) -> None:
        self._http = http
        self._keeper = keeper
        self._fetched: Once[tuple[str, bytes | None, bool], Fetched] = Once()
        self._certificates: Once[str, tuple[x509.Certificate, ...]] = Once()

    def get(self, url: str, check: Check | None = None) -> Fetched:
        """What is there, or a copy of it that ``check`` accepts. Without ``check``, nothing is kept for other runs.

        :raises RotationError: as ``HttpClient`` does.
        """

        def request(headers: Mapping[str, str]) -> Fetched:
            return self._http.get(url, headers=headers)

        return self._fetched.get((url, None, False), lambda: self._answer(entry_key("GET", url), request, check))

    def ask(self, url: str, body: bytes | None, *, fresh: bool = False, check: Check | None = None) -> Fetched:
        """A small answer: of an OCSP request in the URL (GET), or of ``body`` (POST).

        :param fresh: past all caches, on the way and here.
        :raises RotationError: as ``HttpClient`` does.
        """
        own = {"Cache-Control": "no-cache"} if fresh else {}

        def request(headers: Mapping[str, str]) -> Fetched:
            if body is None:
                return self._http.get(url, headers={**headers, **own}, max_bytes=_MAX_SMALL)
            wanted = {**headers, **own, "Content-Type": "application/ocsp-request"}
            return self._http.post(url, body, headers=wanted, max_bytes=_MAX_SMALL)

        key = entry_key("GET" if body is None else "POST", url, body)
        return self._fetched.get((url, body, fresh), lambda: self._answer(key, request, check, fresh))

    def certificates_at(self, url: str, issued: x509.Certificate | None = None) -> tuple[x509.Certificate, ...]:
        """What is offered there as certificates; none where there are none to be had. Nothing of it is verified.

        :param issued: what one of them should have signed: then they are kept for other runs.
        """
        return self._certificates.get(url, lambda: self._certificates_at(url, issued))

    def _answer(self, key: str, request: Ask, check: Check | None, fresh: bool = False) -> Fetched:
        if self._keeper is None or check is None:
            return request({})
        return self._keeper.answer(key, request, check, past_caches=fresh)

    def _certificates_at(self, url: str, issued: x509.Certificate | None) -> tuple[x509.Certificate, ...]:
        def request(headers: Mapping[str, str]) -> Fetched:
            return self._http.get(url, headers=headers, max_bytes=_MAX_SMALL)

        def check(data: bytes) -> Span | None:
            found = [one for one in read_certificates(data, url) if issued is not None and is_issued_by(issued, one)]
            return Span(found[0].not_valid_before_utc, found[0].not_valid_after_utc) if found else None

        try:
            fetched = self._answer(entry_key("GET", url), request, check if issued is not None else None)
            return tuple(read_certificates(fetched.body, url))
        except RotationError:
            return ()
