# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nginx needs on a host to answer ACME's http-01 without a file for each order: texts, and lines to insert."""

from __future__ import annotations

import os
import re
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.names import (
    checked_folder_name,
    is_folder_name,
    is_ip_address,
)

_THUMBPRINT = r"[A-Za-z0-9_-]{43}"
_LISTEN = r"(?:\[[0-9A-Fa-f:.]+\]:|[A-Za-z0-9.-]+:)?[0-9]{1,5}"
_SERVER_NAME = r"(?:\*\.)?[A-Za-z0-9_.-]{1,253}"
_PLAIN_PATH = r"/[A-Za-z0-9/._@%+=:,-]+"

# ``if`` and not a location: with what stands in the server block itself it is carried out before any location is looked
# for, so it also answers in blocks that redirect everything. It holds nothing but ``return``, which is safe in an if.
_SNIPPET = """\
# Made by certops.rotation: answers ACME's http-01 for the account of the issuer "{issuer}".
# Include it behind `server {{`, in front of everything else.
if ($uri ~ "^/\\.well-known/acme-challenge/([-_A-Za-z0-9]+)$") {{
    return 200 "$1.{thumbprint}";
}}
"""
_SERVER = """\
server {{
    include {include};
{listens}
    server_name {names};
    return 404;
}}
"""
_HEAD = "# Made by certops.rotation: port 80 for names that had none, for ACME's http-01 alone.\n"


def snippet_path(root: str, issuer: str) -> str:
    """The file that answers for the account of ``issuer``."""
    if not is_folder_name(issuer):
        raise RotationError(
            "name_invalid",
            f"{issuer[:120]!r} cannot be a part of a file's name",
            remedy="Call the issuer by letters, digits, dots, dashes and underscores.",
        )
    return plain_path(os.path.join(root, f"http-01.{issuer}.conf"))


def snippet_text(issuer: str, thumbprint: str) -> str:
    """The content of that file."""
    if not re.fullmatch(_THUMBPRINT, thumbprint):
        raise RotationError("thumbprint_invalid", f"{thumbprint[:80]!r} is no thumbprint of a key (RFC 7638)")
    return _SNIPPET.format(issuer=checked_folder_name(issuer), thumbprint=thumbprint)


def server_text(root: str, servers: list[dict[str, Any]]) -> str:
    """The content of our file with server blocks."""
    return _HEAD + "".join(_server(root, given) for given in servers)


def _server(root: str, given: dict[str, Any]) -> str:
    names, listens = given["server_names"], given["listens"] or ["80"]
    for listen in listens:
        if not re.fullmatch(_LISTEN, listen):
            raise RotationError("arguments_invalid", f"{listen[:80]!r} is nothing that nginx can listen on")
    for name in names:
        if not is_ip_address(name) and not re.fullmatch(_SERVER_NAME, name):
            raise RotationError("name_invalid", f"{name[:120]!r} is neither a DNS name nor an IP address")
    return _SERVER.format(
        include=snippet_path(root, given["issuer"]),
        listens="\n".join(f"    listen {listen};" for listen in listens),
        names=" ".join(names) or '""',
    )


def with_include(lines: list[str], given: dict[str, Any], include: str) -> list[str] | None:
    """The lines of a file with the include line behind ``given``'s column; None if it is there already.

    RotationError ``configuration_changed`` if the line is not what was seen.
    """
    at, column = given["line"] - 1, given["column"] or given["text"].find("{") + 1
    seen = lines[at].rstrip("\r") if 0 <= at < len(lines) else ""
    rest, after = seen[column:], lines[at + 1] if at + 1 < len(lines) else ""
    if seen == given["text"] and after.strip() == include:
        return None
    if seen != given["text"] or seen[column - 1 : column] != "{":
        raise RotationError(
            "configuration_changed",
            "{path}:{line} is not what it was when it was looked at".format(**given),
            remedy="Run again; the configuration is then read anew.",
            expected=given["text"][:200],
        )
    indentation = seen[: len(seen) - len(seen.lstrip())] + "    "
    if not rest.strip() or rest.strip().startswith("#"):
        return [*lines[: at + 1], indentation + include, *lines[at + 1 :]]
    return [*lines[:at], seen[:column], indentation + include, indentation + rest.strip(), *lines[at + 1 :]]


def plain_path(path: str) -> str:
    """A path that needs no quotes in nginx's configuration."""
    if not re.fullmatch(_PLAIN_PATH, path):
        raise RotationError("paths_invalid", f"{path[:200]!r} cannot be named in nginx's configuration")
    return path
