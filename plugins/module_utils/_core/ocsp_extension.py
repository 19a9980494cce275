# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Extensions of an OCSP response, of the whole and of each SingleResponse (RFC 6960 section 4.4).

Read from the DER: ``cryptography`` offers the extensions of a SingleResponse only where there is just one, and none of
them where one is there twice.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime, timezone

from ansible_collections.certops.rotation.plugins.module_utils._core import der

_NONCE = bytes.fromhex("2b0601050507300102")
_ARCHIVE_CUTOFF = bytes.fromhex("2b0601050507300106")
_INVALIDITY_DATE = b"\x55\x1d\x18"

# CrlID, nonce, archive cutoff, service locator, preferred algorithms, extended revoke: what they say is evaluated, or
# changes nothing for us. In a SingleResponse also the reason and the invalidity date of a CRL entry (RFC 6960 4.4.5).
_UNDERSTOOD = frozenset(bytes.fromhex(f"2b06010505073001{last}") for last in ("02", "03", "06", "07", "08", "09"))
_UNDERSTOOD_IN_SINGLES = _UNDERSTOOD | {b"\x55\x1d\x15", _INVALIDITY_DATE}

_LONGEST_NONCE = 128
_OCTET_STRING = 0x04
_EXTENSIONS = 0xA1
"""``[1] EXPLICIT Extensions``, in a ResponseData and in a SingleResponse"""


@dataclasses.dataclass(frozen=True)
class SingleExtensions:
    """What matters of the extensions of one SingleResponse."""

    has_unknown_critical: bool = False
    archive_cutoff: datetime | None = None
    invalidity_date: datetime | None = None


@dataclasses.dataclass(frozen=True)
class ResponseExtensions:
    """What matters of the extensions of a response."""

    has_unknown_critical: bool
    nonces: tuple[bytes | None, ...]
    """None for one that is malformed: not an OCTET STRING of 1 to 128 octets (RFC 9654 2.1)"""
    singles: tuple[SingleExtensions, ...]


def response_extensions(response_data: bytes) -> ResponseExtensions:
    """For a ResponseData (RFC 6960 4.2.1); :raises NotDerError: if it is none."""
    fields = der.sequence(response_data)
    singles = next((field for field in fields if field.tag == der.SEQUENCE), None)
    if singles is None:
        raise der.NotDerError("no responses")
    found = _extensions(fields[fields.index(singles) + 1 :])
    return ResponseExtensions(
        has_unknown_critical=any(each.critical and each.identifier not in _UNDERSTOOD for each in found),
        nonces=tuple(_nonce(each.value) for each in found if each.identifier == _NONCE),
        singles=tuple(_of_single(single) for single in singles.children()),
    )


@dataclasses.dataclass(frozen=True)
class _Extension:
    identifier: bytes
    critical: bool
    value: memoryview


def _of_single(single: der.Element) -> SingleExtensions:
    found = _extensions(single.children()[3:])
    return SingleExtensions(
        has_unknown_critical=any(each.critical and each.identifier not in _UNDERSTOOD_IN_SINGLES for each in found),
        archive_cutoff=_time(found, _ARCHIVE_CUTOFF),
        invalidity_date=_time(found, _INVALIDITY_DATE),
    )


def _extensions(fields: list[der.Element]) -> list[_Extension]:
    """``fields`` may hold ``[1] Extensions``; a SingleResponse's ``[0] nextUpdate`` is passed over."""
    for field in fields:
        if field.tag == _EXTENSIONS:
            return [_extension(each) for each in der.sequence(field.content)]
    return []


def _extension(element: der.Element) -> _Extension:
    parts = element.children()
    if not 2 <= len(parts) <= 3:
        raise der.NotDerError("not an extension")
    critical = len(parts) == 3 and any(parts[1].content)
    return _Extension(bytes(parts[0].content), critical, parts[-1].content)


def _nonce(value: memoryview) -> bytes | None:
    try:
        element, rest = der.read(value)
    except der.NotDerError:
        return None
    if element.tag != _OCTET_STRING or rest or not 1 <= len(element.content) <= _LONGEST_NONCE:
        return None
    return bytes(element.content)


def _time(found: list[_Extension], identifier: bytes) -> datetime | None:
    """The time that an extension holds. It is only shown, so one that cannot be read is one that is not there."""
    values = [bytes(each.value) for each in found if each.identifier == identifier]
    if len(values) != 1 or values[0][:2] != bytes((der.GENERALIZED_TIME, 15)) or not values[0].isascii():
        return None
    try:
        moment = datetime.strptime(values[0][2:].decode("ascii"), "%Y%m%d%H%M%SZ")
    except ValueError:
        return None
    return moment.replace(tzinfo=timezone.utc)
