# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP with an ACME server: the library's network client, shared by many threads, bounded, and with our errors."""

from __future__ import annotations

import collections
import contextlib
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._fetch.deadline import OutOfTimeError, within
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import USER_AGENT
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_errors import refusal, retry_time
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_libraries import (
    ACME_ERRORS,
    acme_client,
    acme_jws,
    requests,
)

_MOST_BYTES = 1 << 20
_MOST_REDIRECTS = 3
_JOSE = {"Content-Type": "application/jose+json"}
# Of an answer that is no problem document, enough to recognise a proxy's page by.
_QUOTED = 120


@dataclass(frozen=True)
class Answer:
    """What the server said to one request that it granted."""

    url: str
    status: int
    headers: requests.structures.CaseInsensitiveDict[str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """:raises RotationError: ``acme_answer_invalid``."""
        decoded = _json_object(self.body)
        if decoded is None:
            raise RotationError(
                "acme_answer_invalid",
                f"{self.url} answers with {_described(self.headers, self.body)} instead of JSON",
                remedy="Check directory_url, and what proxy is in between.",
                url=self.url,
                status=self.status,
            )
        return decoded

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def location(self) -> str:
        """The Location header. RotationError ``acme_answer_invalid`` without one."""
        if not self.headers.get("Location"):
            raise RotationError("acme_answer_invalid", f"{self.url} answers without a Location", url=self.url)
        return str(self.headers["Location"])

    @property
    def retry_at(self) -> datetime | None:
        return retry_time(self.headers.get("Retry-After"), datetime.now(timezone.utc))

    def links(self, relation: str) -> list[str]:
        """URLs of the Link headers with that relation."""
        listed = requests.utils.parse_header_links(self.headers.get("Link", ""))
        return [str(one["url"]) for one in listed if one.get("rel") == relation and one.get("url")]


class _BoundedAdapter(requests.adapters.HTTPAdapter):
    """Reads answers of bounded size."""

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs["stream"] = True
        response = super().send(request, *args, **kwargs)
        content = bytearray()
        for chunk in response.iter_content(1 << 14):
            content += chunk
            if len(content) > _MOST_BYTES:
                raise requests.exceptions.ContentDecodingError("the answer is longer than an ACME server's can be")
        response._content, response._content_consumed = bytes(content), True
        return response


class Network(acme_client.ClientNetwork):
    """The library's client for any number of threads: one pool of nonces, one pool of connections.

    Every answer's nonce is used, that of a refusal too (RFC 8555 section 6.5): the library drops those.
    """

    def __init__(self, *, verify: str | bool, timeout: float, connections: int) -> None:
        super().__init__(verify_ssl=verify, user_agent=USER_AGENT, timeout=timeout)  # type: ignore[arg-type]
        # The newest is taken first: the oldest may have been forgotten.
        self._fresh: collections.deque[bytes] = collections.deque(maxlen=256)
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, _BoundedAdapter(pool_connections=4, pool_maxsize=connections))
        self.session.max_redirects = _MOST_REDIRECTS
        # No credentials from a netrc file.
        self.session.auth = _unchanged

    def ask(self, url: str) -> Answer:
        """GET without a signature: directories and renewal information."""
        return _granted(self._exchange("GET", url), url)

    def ask_signed(self, url: str, new_nonce_url: str, body_for: Any) -> Answer:
        """POST what ``body_for(nonce)`` makes.

        :raises RotationError: also ``acme_bad_nonce``; another nonce is at hand then.
        """
        body = body_for(self._nonce(new_nonce_url))
        response = self._exchange("POST", url, data=body, headers=dict(_JOSE), allow_redirects=False)
        self._keep_nonce(response)
        return _granted(response, url)

    def _nonce(self, new_nonce_url: str) -> bytes:
        with contextlib.suppress(IndexError):
            return self._fresh.pop()
        response = self._exchange("HEAD", new_nonce_url, allow_redirects=True)
        _granted(response, new_nonce_url)
        nonce = _nonce_of(response)
        if nonce is None:
            raise RotationError(
                "acme_answer_invalid",
                f"{new_nonce_url} gives no nonce",
                remedy="Check directory_url.",
                url=new_nonce_url,
            )
        return nonce

    def _keep_nonce(self, response: Any) -> None:
        nonce = _nonce_of(response)
        if nonce is not None:
            self._fresh.append(nonce)

    def _exchange(self, method: str, url: str, **more: Any) -> Any:
        # The library bounds each wait for a byte, and neither the whole answer nor the system's resolver.
        patience = 2 * self._default_timeout
        with _our_errors(url):
            return within(patience, lambda: self._send_request(method, url, **more))


def _unchanged(request: Any) -> Any:
    return request


def _nonce_of(response: Any) -> bytes | None:
    """The nonce of an answer. One that is no base64url (RFC 8555 section 6.5.1) is as good as none."""
    text = response.headers.get(Network.REPLAY_NONCE_HEADER)
    if not text:
        return None
    try:
        decoded: bytes = acme_jws.Header._fields["nonce"].decode(text)
    except ACME_ERRORS:
        return None
    return decoded


def _granted(response: Any, url: str) -> Answer:
    """The answer, unless it is a refusal."""
    headers, body = response.headers, bytes(response.content)
    if response.status_code < 300:
        return Answer(url, response.status_code, headers, body)
    retry_at = retry_time(headers.get("Retry-After"), datetime.now(timezone.utc))
    problem = _json_object(body)
    if problem is not None and (problem.get("type") or problem.get("detail")):
        raise refusal(problem, url=url, status=response.status_code, retry_at=retry_at)
    raise RotationError(
        "acme_unavailable"
        if response.status_code in (408, 429) or response.status_code >= 500
        else "acme_answer_invalid",
        f"{url} answers HTTP {response.status_code} with {_described(headers, body)}",
        remedy="Check directory_url, what proxy is in between, and the CA's status page.",
        url=url,
        status=response.status_code,
        **({"retry_at": retry_at.strftime("%Y-%m-%dT%H:%M:%SZ")} if retry_at else {}),
    )


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        decoded = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return decoded if isinstance(decoded, dict) else None


def _described(headers: Any, body: bytes) -> str:
    if not body:
        return "nothing"
    kind = str(headers.get("Content-Type") or "data").partition(";")[0]
    quoted = "".join(one if one.isprintable() else " " for one in body[:_QUOTED].decode("utf-8", "replace"))
    return f"{kind} ({' '.join(quoted.split())!r})"


@contextlib.contextmanager
def _our_errors(url: str) -> Iterator[None]:
    """What the HTTP library raises, as coded errors."""
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise _untrusted(url, error) from error
    except requests.exceptions.ProxyError as error:
        raise _unreachable(url, "its proxy does not work", error) from error
    except (requests.exceptions.Timeout, OutOfTimeError) as error:
        raise RotationError(
            "acme_timeout",
            f"{url} does not answer in time",
            remedy="Check the network between the control node and the CA; request_timeout gives it longer.",
            url=url,
        ) from error
    except requests.exceptions.ConnectionError as error:
        raise _unreachable(url, _innermost(error), error) from error
    except requests.exceptions.RequestException as error:
        raise RotationError(
            "acme_answer_invalid", f"{url} does not answer as a web server should: {_innermost(error)}", url=url
        ) from error
    except OSError as error:
        # What requests says of a bundle that does not exist.
        raise RotationError(
            "acme_ca_bundle_unreadable",
            f"TLS with {url} cannot be set up: {error}",
            remedy="Correct ca_bundle.",
            url=url,
        ) from error


def _unreachable(url: str, why: str, error: Exception) -> RotationError:
    return RotationError(
        "acme_unreachable",
        f"{url} cannot be reached: {why}",
        remedy="Check directory_url, and the name servers, routes and proxy (https_proxy) of the control node.",
        url=url,
    )


def _untrusted(url: str, error: Exception) -> RotationError:
    cause = _cause_of(error, ssl.SSLError)
    why = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or _innermost(error)
    return RotationError(
        "acme_tls_failed",
        f"{url} cannot be trusted: {why}",
        remedy="Check the server's certificate and both clocks. A private ACME CA's own root goes into ca_bundle.",
        url=url,
        reason=str(why),
    )


def _cause_of(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    """The first of the exceptions behind ``error`` that is of ``kind``."""
    return next((one for one in _behind(error) if isinstance(one, kind)), None)


def _innermost(error: BaseException) -> str:
    """What the system said, rather than what each layer above made of it."""
    said = [one.strerror for one in _behind(error) if isinstance(one, OSError) and isinstance(one.strerror, str)]
    return (said[-1] if said else str(error))[:_QUOTED]


def _behind(error: BaseException) -> Iterator[BaseException]:
    """``error`` and those it came from; the HTTP libraries wrap in four ways."""
    waiting: list[Any] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
            yield one
