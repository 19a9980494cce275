# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server block of nginx answers to a request for an ACME challenge (RFC 8555 section 8.3).

The directives of the rewrite module (``if``, ``return``, ``rewrite``) that stand in the server block itself run first
and in their order, before nginx looks for a location: a ``return 301`` there hides every location, and is itself hidden
by an ``if`` with a ``return`` in front of it. (Tried with nginx 1.22; it is also what ngx_http_rewrite_module says.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_config import Configuration, Placed
from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_reached import matches

WELL_KNOWN = "/.well-known/acme-challenge/"
_PATH = WELL_KNOWN + "AsTokensAreMadeOfTheseCharacters-_0123456789"
_ANSWER = re.compile(r"\$\{?\w+\}?\.([A-Za-z0-9_-]{43})\Z")
# What these hold in such a request; the value of others is not known here.
_SAME_AS_PATH = ("$uri", "$request_uri", "$document_uri")


@dataclass(frozen=True)
class Answer:
    """What decides in a block, and with which thumbprint it answers, if it does."""

    thumbprint: str | None = None
    source: str = ""
    file: str = ""
    text: str = ""
    is_of_another_client: bool = False
    """A location for challenges that does not answer by itself: a folder, or a server behind."""


def answer_of(configuration: Configuration, server: Placed, name: str) -> Answer:
    """What the block answers to a challenge for ``name``."""
    directives = list(configuration.level(server))
    for placed in directives:
        answer = _of_server_level(configuration, placed, name)
        if answer is not None:
            return answer
    location = _location(directives)
    if location is None:
        return Answer(None, server.source, server.file, "the block has no location for challenges")
    return _of_location(configuration, location)


def _of_server_level(configuration: Configuration, placed: Placed, name: str) -> Answer | None:
    """The answer, if this directive gives one before any location is looked for."""
    if placed.name == "if":
        condition = _holds(placed.args, name)
        if condition is False:
            return None
        inner = (_of_server_level(configuration, one, name) for one in configuration.level(placed))
        answer = next((one for one in inner if one is not None), None)
        # What cannot be foreseen is not counted on.
        return answer if answer is None or condition else Answer(None, placed.source, placed.file, answer.text)
    if placed.name == "return":
        return _of_return(placed)
    if placed.name == "rewrite" and placed.args and matches(placed.args[0], _PATH):
        return Answer(None, placed.source, placed.file, "rewrite " + " ".join(placed.args))
    return None


def _of_return(placed: Placed) -> Answer:
    answer = _ANSWER.match(placed.args[1]) if len(placed.args) == 2 and placed.args[0] == "200" else None
    text = "return " + " ".join(placed.args)
    return Answer(answer[1] if answer else None, placed.source, placed.file, text)


def _holds(condition: list[str], name: str) -> bool | None:
    """Whether the condition of an ``if`` holds for the request; None if that cannot be known."""
    known: Mapping[str, str] = {
        **dict.fromkeys(_SAME_AS_PATH, _PATH),
        **dict.fromkeys(("$host", "$http_host"), name.lower()),
        "$scheme": "http",
        "$request_method": "GET",
        **dict.fromkeys(("$https", "$args", "$query_string"), ""),
    }
    value = known.get(condition[0]) if condition else None
    if value is None:
        return None
    if len(condition) == 1:
        return value not in ("", "0")
    if len(condition) != 3:
        return None
    operator, wanted = condition[1:]
    if operator in ("=", "!="):
        return (value == wanted) == (operator == "=")
    found = matches(wanted, value, ignore_case=operator.endswith("*"))
    return found == (not operator.startswith("!"))


def _of_location(configuration: Configuration, location: Placed) -> Answer:
    returned = [one for one in configuration.level(location) if one.name == "return"]
    if returned:
        answer = _of_return(returned[0])
        if answer.thumbprint:
            return answer
    is_theirs = any("acme-challenge" in arg for arg in location.args) and not returned
    text = "location " + " ".join(location.args)
    return Answer(None, location.source, location.file, text, is_of_another_client=is_theirs)


def _location(directives: list[Placed]) -> Placed | None:
    """The location of the request: exact, then ``^~``, then the first expression, then the longest prefix."""
    locations = [one for one in directives if one.name == "location" and one.args]
    prefixes = [one for one in locations if _parts(one)[0] in ("", "^~") and _PATH.startswith(_parts(one)[1])]
    longest = max(prefixes, key=lambda one: len(_parts(one)[1]), default=None)
    if longest is not None and _parts(longest)[0] == "^~":
        return longest
    return next(_expressions(locations), longest)


def _expressions(locations: list[Placed]) -> Iterator[Placed]:
    for one in locations:
        modifier, pattern = _parts(one)
        if modifier in ("~", "~*") and matches(pattern, _PATH, ignore_case=modifier == "~*"):
            yield one


def _parts(location: Placed) -> tuple[str, str]:
    """Modifier and pattern; a named location has the modifier ``@``, which no request can have."""
    args = location.args
    if len(args) > 1:
        return args[0], args[1]
    if args[0].startswith("@"):
        return "@", args[0]
    # "=/path" and "~expression" may be written without a space.
    match = re.match(r"(\^~|=|~\*|~)(.+)", args[0])
    return (match[1], match[2]) if match else ("", args[0])
