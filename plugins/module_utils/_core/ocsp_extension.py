# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Critical extensions of an OCSP response, of the whole and of each SingleResponse.

Read from the DER: ``cryptography`` offers the extensions of a SingleResponse only where there is just one.
"""

from __future__ import annotations

import dataclasses

from ansible_collections.certops.rotation.plugins.module_utils._core import der

# CrlID, nonce (nobody asked, so nobody compares), archive cutoff, service locator, preferred algorithms, extended
# revoke: none of them changes what a response means to us. In a SingleResponse also the CRL entry extensions of
# RFC 6960 4.4.5.
_UNDERSTOOD = frozenset(bytes.fromhex(f"2b06010505073001{last}") for last in ("02", "03", "06", "07", "08", "09"))
_UNDERSTOOD_IN_SINGLES = _UNDERSTOOD | {b"\x55\x1d\x15", b"\x55\x1d\x18"}


@dataclasses.dataclass(frozen=True)
class UnknownCritical:
    """Where there are critical extensions that are not understood."""

    in_response: bool
    in_singles: tuple[bool, ...]


def unknown_critical(response_data: bytes) -> UnknownCritical:
    """For a ResponseData (RFC 6960 4.2.1); :raises NotDerError: if it is none."""
    fields = der.sequence(response_data)
    singles = next((field for field in fields if field.tag == der.SEQUENCE), None)
    if singles is None:
        raise der.NotDerError("no responses")
    after = fields[fields.index(singles) + 1 :]
    return UnknownCritical(
        in_response=_has_unknown(after, _UNDERSTOOD),
        in_singles=tuple(_has_unknown(single.children()[3:], _UNDERSTOOD_IN_SINGLES) for single in singles.children()),
    )


def _has_unknown(fields: list[der.Element], understood: frozenset[bytes]) -> bool:
    """``fields`` may hold ``[1] Extensions``; a SingleResponse's ``[0] nextUpdate`` is passed over."""
    for field in fields:
        if field.tag == 0xA1:
            return any(_is_unknown(each, understood) for each in der.sequence(field.content))
    return False


def _is_unknown(extension: der.Element, understood: frozenset[bytes]) -> bool:
    parts = extension.children()
    is_critical = len(parts) == 3 and any(parts[1].content)
    return is_critical and bytes(parts[0].content) not in understood
