# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of one issuer, taken one by one; what is left at the end is a misspelling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def invalid(issuer: str, option: str, what: str) -> RotationError:
    """The error for a wrong option. It never repeats the value, which may be a secret."""
    return RotationError(
        "issuer_invalid",
        f"the option {option} of the issuer {issuer!r} {what}",
        remedy="Correct the entry in rotate_issuers.",
        issuer=issuer,
        option=option,
    )


class Options:
    """A dictionary that somebody wrote. Values may be text where a number or a truth is meant, as templates give it."""

    def __init__(self, issuer: str, given: Mapping[str, Any], prefix: str = "") -> None:
        self.issuer = issuer
        self.prefix = prefix
        self._left = {str(key): value for key, value in given.items()}

    def anything(self, name: str) -> Any:
        return self._left.pop(name, None)

    def text(self, name: str) -> str | None:
        value = self.anything(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self.invalid(name, "is not a text")
        return str.__str__(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; a single one may stand for a list."""
        value = self.anything(name)
        if value is None or value == "":
            return ()
        listed: Sequence[Any] = [value] if isinstance(value, str) else value
        if not isinstance(listed, (list, tuple)) or not all(isinstance(one, str) and one for one in listed):
            raise self.invalid(name, "is not a list of texts")
        return tuple(str.__str__(one) for one in listed)

    def path(self, name: str) -> Path | None:
        value = self.text(name)
        return Path(value).expanduser() if value else None

    def flag(self, name: str, default: bool) -> bool:
        value = self.anything(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word not in _TRUE + _FALSE:
            raise self.invalid(name, "is neither true nor false")
        return word in _TRUE

    def number(self, name: str, default: float, *, least: float) -> float:
        value = self.anything(name)
        try:
            number = float(default if value is None else value)
        except (TypeError, ValueError):
            raise self.invalid(name, "is not a number") from None
        if isinstance(value, bool) or not least <= number < 1e9:
            raise self.invalid(name, f"must be a number from {least:g} on")
        return number

    def one_of(self, name: str, known: Sequence[str], default: str) -> str:
        value = self.text(name) or default
        if value not in known:
            raise self.invalid(name, f"is one of {', '.join(known)}")
        return value

    def mapping(self, name: str) -> Mapping[str, Any] | None:
        value = self.anything(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self.invalid(name, "is not a dictionary")
        return value

    def inner(self, name: str) -> Options | None:
        """The options in a dictionary; None where there is none."""
        given = self.mapping(name)
        return None if given is None else Options(self.issuer, given, f"{self.prefix}{name}.")

    def command(self, name: str) -> tuple[str, ...]:
        """A program and its arguments; never a line for a shell."""
        value = self.anything(name)
        if not isinstance(value, (list, tuple)) or not value or not all(isinstance(one, str) for one in value):
            raise self.invalid(name, "is a list: the program, then its arguments")
        return tuple(str.__str__(one) for one in value)

    def no_more(self) -> None:
        """:raises RotationError: ``issuer_invalid`` if something is left that nobody asked for."""
        if self._left:
            unknown = ", ".join(sorted(self._left))
            raise invalid(self.issuer, f"{self.prefix}{unknown}", "is not known")

    def invalid(self, name: str, what: str) -> RotationError:
        return invalid(self.issuer, f"{self.prefix}{name}", what)
