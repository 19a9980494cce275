# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that are safe: of certificates as folders, of servers in requests, handshakes and configuration files.

Everything that comes from a variable, a configuration file or a certificate passes here before it becomes part of a
path, a command or a template.
"""

from __future__ import annotations

import ipaddress
import re

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

_CERTIFICATE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_ALLOWED_IN_CERTIFICATE_NAME = re.compile(r"[A-Za-z0-9._-]")
# Underscores are no part of host names (RFC 1123 section 2.1) but stand in real certificates and DNS.
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z")
_ALLOWED_IN_SERVER_NAME = re.compile(r"[A-Za-z0-9._*:-]")
_TOP_LABEL_OF_DIGITS = re.compile(r"[0-9]+\Z")


def certificate_name(name: object) -> str:
    """``name``, which is safe as the name of a folder. RotationError ``name_invalid``."""
    if not isinstance(name, str):
        raise _invalid("the name of a certificate", name, "it is not text")
    if not _CERTIFICATE_NAME.match(name):
        raise _invalid("the name of a certificate", name, _why_no_certificate_name(name))
    if ".." in name:
        raise _invalid("the name of a certificate", name, "it contains '..'")
    return name


def server_name(name: object) -> str:
    """``name`` as it belongs into a certificate: a DNS name in lower case and A-labels, or an IP address in its
    canonical form. RotationError ``name_invalid``.

    A wildcard may be the whole leftmost label only (RFC 9525 section 6.3).
    """
    if not isinstance(name, str):
        raise _invalid("a server name", name, "it is not text")
    address = ip_address(name)
    if address is not None:
        return address
    try:
        ascii_name = _to_ascii(name)
    except UnicodeError as exc:
        raise _invalid("a server name", name, _offending(name, _ALLOWED_IN_SERVER_NAME) or str(exc)) from exc
    problem = _dns_problem(ascii_name)
    if problem:
        raise _invalid("a server name", name, problem)
    return ascii_name


def server_names(names: object) -> list[str]:
    """All of ``names`` in their canonical form and order, without repetitions. RotationError ``name_invalid``."""
    if not isinstance(names, (list, tuple)):
        raise _invalid("server_names", names, "it is not a list")
    return list(dict.fromkeys(server_name(name) for name in names))


def ip_address(text: str) -> str | None:
    """The canonical form of an IP address (with or without brackets), None if it is none. Zones are refused."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if "%" in bare:
        return None
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return None


def covers(pattern: str, name: str) -> bool:
    """Whether a certificate with ``pattern`` among its names is one for ``name`` (both canonical).

    A wildcard stands for exactly one label, and only another wildcard certificate name is covered by itself.
    """
    if pattern == name:
        return True
    if not pattern.startswith("*.") or name.startswith("*.") or ip_address(name):
        return False
    first, dot, rest = name.partition(".")
    return bool(first and dot) and rest == pattern[2:]


def canonical(name: str) -> str:
    """``name`` in canonical form if it has one, lower case otherwise: for comparing what certificates say."""
    try:
        return server_name(name)
    except RotationError:
        return name.lower()


def certificate_name_from(text: str) -> str:
    """A certificate name made of a server name: ``*.example.org`` becomes ``wildcard.example.org``."""
    readable = text.replace("*", "wildcard")
    safe = re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9._-]", "-", readable)).strip("-._")[:100]
    return certificate_name(safe or "certificate")


def shown(value: object) -> str:
    """``value`` for a message: escaped, at most some 80 characters, so that no line or terminal is broken by it."""
    text = ascii(value)
    return text if len(text) <= 80 else text[:60] + "…" + text[-10:]


def _to_ascii(name: str) -> str:
    """``name`` in lower case and A-labels."""
    if name.isascii():
        return name.lower()
    return ".".join(
        label if label == "*" else label.encode("idna").decode("ascii") for label in name.split(".")
    ).lower()


def _dns_problem(name: str) -> str:
    """Why ``name`` is no DNS name; empty if it is one."""
    if not name:
        return "it is empty"
    if len(name) > 253:
        return "it is longer than 253 characters"
    offending = _offending(name, _ALLOWED_IN_SERVER_NAME)
    if offending:
        return offending
    labels = name.split(".")
    rest = labels[1:] if labels[0] == "*" else labels
    if "*" in "".join(rest) or not rest:
        return "a wildcard must be the whole first label, as in *.example.org"
    for label in rest:
        if not _LABEL.match(label):
            return f"the label {shown(label)} is not one of a DNS name"
    if _TOP_LABEL_OF_DIGITS.match(labels[-1]):
        return "it looks like an IP address, but is none"
    return ""


def _why_no_certificate_name(name: str) -> str:
    if not name:
        return "it is empty"
    offending = _offending(name, _ALLOWED_IN_CERTIFICATE_NAME)
    if offending:
        return offending
    if len(name) > 100:
        return "it is longer than 100 characters"
    return f"it begins with {shown(name[0])}"


def _offending(name: str, allowed: re.Pattern[str]) -> str:
    """Which characters of ``name`` are not allowed, in words; empty if all are."""
    found = list(dict.fromkeys(character for character in name if not allowed.match(character)))
    if not found:
        return ""
    return "it contains " + ", ".join(shown(character) for character in found[:5]) + (" and more" if found[5:] else "")


def _invalid(what: str, value: object, why: str) -> RotationError:
    return RotationError(
        "name_invalid",
        f"{shown(value)} cannot be {what}: {why}.",
        remedy="A certificate's name has letters, digits, '.', '_', '-'; server names are DNS names or IP addresses.",
        name=shown(value),
    )
