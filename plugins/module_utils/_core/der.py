# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the outline of DER: where an element begins, ends, and what is in it. Nothing is copied.

``cryptography`` decodes values; a few rules of X.509 are about the very bytes instead (the issuer's name as it was
signed, the BIT STRING of a key, each extension of each SingleResponse), and re-encoding what was decoded need not
give the same bytes back. Lengths must be as short as they can be, as DER wants them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

SEQUENCE = 0x30
BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18


class NotDerError(ValueError):
    """The bytes are not DER, or not of the expected shape."""


class Element(NamedTuple):
    """One tag-length-value."""

    tag: int
    content: memoryview
    raw: memoryview

    def children(self) -> list[Element]:
        """The elements inside of a constructed element."""
        return list(elements(self.content))


def elements(data: memoryview) -> Iterator[Element]:
    """The elements that follow each other in ``data``; it must hold nothing else."""
    while data:
        element, data = read(data)
        yield element


def read(data: memoryview) -> tuple[Element, memoryview]:
    """The first element and the rest. Only definite lengths and one-byte tags, as all of PKIX has them."""
    content, end = span(data, 0, len(data))
    return Element(data[0], data[content:end], data[:end]), data[end:]


def span(data: bytes | memoryview, start: int, limit: int) -> tuple[int, int]:
    """Of the element that begins at ``start``, where its content begins, and where it ends, ``limit`` at most."""
    content = start + 2
    if limit < content:
        raise NotDerError("cut off in a header")
    length = data[start + 1]
    if data[start] & 0x1F == 0x1F:
        raise NotDerError("tag of several bytes")
    if length & 0x80:
        count = length & 0x7F
        content += count
        if not 1 <= count <= 8 or limit < content:
            raise NotDerError("length of an unsupported form")
        length = int.from_bytes(data[start + 2 : content], "big")
        if length < 0x80 or data[start + 2] == 0:
            raise NotDerError("length longer than it need be")
    end = content + length
    if end > limit:
        raise NotDerError("cut off in a value")
    return content, end


def parts(data: bytes, start: int, limit: int, most: int) -> list[bytes]:
    """The elements that follow each other from ``start`` on, whole; no more than the first ``most``."""
    found: list[bytes] = []
    while start < limit and len(found) < most:
        _content, end = span(data, start, limit)
        found.append(data[start:end])
        start = end
    return found


def sequence(data: bytes | memoryview) -> list[Element]:
    """The members of a SEQUENCE that fills ``data``."""
    element, rest = read(memoryview(data))
    if element.tag != SEQUENCE or rest:
        raise NotDerError("not one SEQUENCE")
    return element.children()


def encoded(tag: int, *contents: bytes | memoryview) -> bytes:
    """The tag-length-value of these contents, one after the other."""
    size = sum(map(len, contents))
    if size < 0x80:
        return bytes((tag, size)) + b"".join(contents)
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + b"".join(contents)
