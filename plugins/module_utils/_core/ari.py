# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a CA wants a certificate to be replaced (RFC 9773): what it is asked for, what its answer means."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import DECODING_ERRORS, x509
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text, from_text

# RFC 9773 section 4.3.2: the interval that the server gives, within reason; and what to do where it gives none.
_SHORTEST, _LONGEST, _WITHOUT = timedelta(minutes=1), timedelta(days=1), timedelta(hours=6)
_FIRST_PAUSE = timedelta(minutes=1)
_SHOWN = 500
_NANOSECONDS = re.compile(r"(\.[0-9]{6})[0-9]+")


@dataclass(frozen=True)
class RenewalHint:
    """When the CA wants one certificate to be replaced, and why if it says so."""

    start: datetime
    end: datetime
    explanation_url: str | None = None

    def is_past(self, at: datetime) -> bool:
        """Wholly: that is how a CA says that it is going to revoke, or has revoked (section 4.3.1)."""
        return self.end <= at

    def chosen_time(self, cert_id: str) -> datetime:
        """A moment in the window, uniformly spread over certificates (section 4.2), the same at each run."""
        drawn = int.from_bytes(hashlib.sha256(cert_id.encode()).digest()[:6], "big") / 2**48
        return self.start + (self.end - self.start) * drawn

    def as_dict(self) -> dict[str, Any]:
        """As it stands in rotations."""
        return {
            "window": {"start": as_text(self.start), "end": as_text(self.end)},
            "explanation_url": self.explanation_url,
        }


def cert_id(certificate: x509.Certificate) -> str | None:
    """How the CA is told which certificate is meant (section 4.1); None where it has no authority key identifier."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
        key_identifier = extension.value.key_identifier
    except x509.ExtensionNotFound:
        return None
    except DECODING_ERRORS:
        return None
    if not key_identifier:
        return None
    serial = certificate.serial_number
    # The content of the DER INTEGER: a leading zero keeps it positive.
    content = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    return f"{_base64url(key_identifier)}.{_base64url(content)}"


def read_hint(body: Mapping[str, Any]) -> RenewalHint:
    """The hint in a RenewalInfo object (section 4.2).

    :raises RotationError: ``ari_invalid``; a window that ends before it starts is as good as no answer.
    """
    window = body.get("suggestedWindow")
    try:
        if not isinstance(window, Mapping):
            raise TypeError
        start, end = _moment(window["start"]), _moment(window["end"])
    except (RotationError, LookupError, TypeError, OverflowError) as error:
        raise RotationError("ari_invalid", "the renewal information has no window") from error
    if end <= start:
        raise RotationError("ari_invalid", "the window of the renewal information ends before it starts")
    return RenewalHint(start, end, _explanation(body.get("explanationURL")))


def next_question(at: datetime, wanted: datetime | None) -> datetime:
    """When to ask again, where the server answered and wanted to be asked at ``wanted``."""
    if wanted is None:
        return at + _WITHOUT
    return at + min(max(wanted - at, _SHORTEST), _LONGEST)


def next_question_after_failure(at: datetime, failures: int, *, may_pass: bool) -> datetime:
    """When to ask again where there was no answer of use: soon and then later for what may pass, else in 6 hours."""
    if not may_pass:
        return at + _WITHOUT
    return at + min(_FIRST_PAUSE * 2 ** min(failures, 12), _WITHOUT)


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _moment(text: object) -> datetime:
    if not isinstance(text, str):
        raise TypeError
    return from_text(_NANOSECONDS.sub(r"\1", text))


def _explanation(url: object) -> str | None:
    """A page for the operator; nothing that a terminal or a report would take for more than text."""
    if not isinstance(url, str) or not re.match(r"https?://[!-~]+\Z", url):
        return None
    return url[:_SHOWN]
