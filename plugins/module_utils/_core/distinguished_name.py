# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing distinguished names as RFC 5280 section 7.1 does."""

from __future__ import annotations

import functools
import unicodedata
from typing import FrozenSet, Tuple, Union

from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509

Comparable = Tuple[FrozenSet[Tuple[str, Union[str, bytes]]], ...]


class KnownName:
    """A name, and what is made of it, once however often it is asked for."""

    def __init__(self, name: x509.Name) -> None:
        self.name = name

    @functools.cached_property
    def comparable(self) -> Comparable:
        return comparable(self.name)

    @functools.cached_property
    def text(self) -> str:
        return self.name.rfc4514_string()


def is_same_name(one: x509.Name, other: x509.Name) -> bool:
    """Do both name the same entity? Case, repeated spaces and the string type do not count (RFC 4518, in short)."""
    return one == other or comparable(one) == comparable(other)


def comparable(name: x509.Name) -> Comparable:
    """The same for all names of one entity; can be the key of a dictionary."""
    return tuple(frozenset((part.oid.dotted_string, _prepared(part.value)) for part in rdn) for rdn in name.rdns)


def _prepared(value: str | bytes) -> str | bytes:
    if isinstance(value, bytes):
        return value
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())
