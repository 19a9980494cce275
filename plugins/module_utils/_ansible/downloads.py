# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes from the network, each piece fetched once a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime

from ansible_collections.certops.rotation.plugins.module_utils._ansible.once import Once
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificates
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import Reason, Source
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import Fetched, Fetcher

_MAX_SMALL = 1 << 20  # an OCSP response or a certificate, not a CRL
_ASKING = {
    "timeout": Reason.TIMEOUT,
    "name_not_resolved": Reason.NAME_NOT_RESOLVED,
    "http_error": Reason.HTTP_ERROR,
    "scheme_refused": Reason.UNSUPPORTED_POINTER,
    "address_refused": Reason.ADDRESS_REFUSED,
    "redirect_refused": Reason.REDIRECT_REFUSED,
    "too_large": Reason.TOO_LARGE,
}


@dataclasses.dataclass(frozen=True)
class Span:
    """The time that verified information speaks for."""

    this_update: datetime
    next_update: datetime


Check = Callable[[bytes], "Span | None"]
"""Verifies what was received, whenever that was. None, or a RotationError, for what may not be kept for other runs."""


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

    def __init__(self, http: Fetcher) -> None:
        self._http = http
        self._fetched: Once[tuple[str, bytes | None, bool], Fetched] = Once()
        self._certificates: Once[str, tuple[x509.Certificate, ...]] = Once()

    def get(self, url: str, check: Check | None = None) -> Fetched:
        """What is there, or a copy of it that ``check`` accepts. Without ``check``, nothing is kept for other runs.

        :raises RotationError: as ``HttpClient`` does.
        """
        return self._fetched.get((url, None, False), lambda: self._http.get(url))

    def ask(self, url: str, request: bytes | None, *, fresh: bool = False, check: Check | None = None) -> Fetched:
        """A small answer: of an OCSP request in the URL (GET), or of ``request`` (POST).

        :param fresh: past all caches, on the way and here.
        :raises RotationError: as ``HttpClient`` does.
        """
        return self._fetched.get((url, request, fresh), lambda: self._ask(url, request, fresh))

    def certificates_at(self, url: str) -> tuple[x509.Certificate, ...]:
        """What is offered there as certificates; nothing of it is verified. None where there are none to be had."""
        return self._certificates.get(url, lambda: self._certificates_at(url))

    def _ask(self, url: str, request: bytes | None, fresh: bool) -> Fetched:
        headers = {"Cache-Control": "no-cache"} if fresh else {}
        if request is None:
            return self._http.get(url, headers=headers, max_bytes=_MAX_SMALL)
        headers["Content-Type"] = "application/ocsp-request"
        return self._http.post(url, request, headers=headers, max_bytes=_MAX_SMALL)

    def _certificates_at(self, url: str) -> tuple[x509.Certificate, ...]:
        try:
            return tuple(read_certificates(self._http.get(url, max_bytes=_MAX_SMALL).body, url))
        except RotationError:
            return ()
