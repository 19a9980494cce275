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
    if len(data) < 2:
        raise NotDerError("cut off in a header")
    tag, length, header = data[0], data[1], 2
    if tag & 0x1F == 0x1F:
        raise NotDerError("tag of several bytes")
    if length & 0x80:
        count = length & 0x7F
        header += count
        if not 1 <= count <= 8 or len(data) < header:
            raise NotDerError("length of an unsupported form")
        length = int.from_bytes(data[2:header], "big")
        if length < 0x80 or data[2] == 0:
            raise NotDerError("length longer than it need be")
    end = header + length
    if end > len(data):
        raise NotDerError("cut off in a value")
    return Element(tag, data[header:end], data[:end]), data[end:]


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
