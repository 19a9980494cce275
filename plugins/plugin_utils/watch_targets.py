# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the event source ``revocation`` watches: its options, and the file with more, read again when it changes."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.yaml import yaml_load
from ansible.module_utils.errors import UnsupportedError
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.naming import shown
from ansible_collections.certops.rotation.plugins.module_utils._core.starttls import STARTTLS_PORTS, usual_port
from ansible_collections.certops.rotation.plugins.plugin_utils.certificates_alone import normal_serial

logger = logging.getLogger("certops.rotation.revocation")

_LABELS: dict[str, dict[str, Any]] = {
    "host": {"type": "str"},
    "name": {"type": "str"},
    "issuer": {"type": "str"},
}
TARGETS_SPEC: dict[str, dict[str, Any]] = {
    "endpoints": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            **_LABELS,
            "address": {"type": "str", "required": True},
            "port": {"type": "int"},
            "server_name": {"type": "str"},
            "starttls": {"type": "str", "choices": sorted(STARTTLS_PORTS)},
        },
    },
    "certificates": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {**_LABELS, "path": {"type": "path"}, "content": {"type": "str"}},
        "mutually_exclusive": [("path", "content")],
        "required_one_of": [("path", "content")],
    },
    "serials": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            **_LABELS,
            "serial": {"type": "str", "required": True},
            "issuer_certificate": {"type": "path"},
            "crl_url": {"type": "str"},
        },
        "required_together": [("issuer_certificate", "crl_url")],
        "required_one_of": [("issuer", "issuer_certificate")],
    },
}
ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    **TARGETS_SPEC,
    "targets_file": {"type": "path"},
    "issuers": {"type": "dict", "default": {}},
    "trust_anchors": {"type": "list", "elements": "path", "default": []},
    "interval": {"type": "float", "default": 300.0},
    "jitter": {"type": "float", "default": 0.1},
    "timeout": {"type": "float", "default": 10.0},
    "concurrency": {"type": "int", "default": 32},
    "rate_limit": {"type": "float", "default": 0.0},
    "revalidate": {"type": "bool", "default": True},
    "cache_dir": {"type": "path"},
    "unknown_after": {"type": "int", "default": 3},
    "repeat_after": {"type": "float", "default": 86400.0},
    "hosts_per_event": {"type": "int", "default": 1000},
    "state_path": {"type": "path"},
}

# What ansible-rulebook gives a source that asks for feedback.
OF_THE_ENGINE = frozenset({"feedback", "eda_feedback_queue"})
# (least, most) of what is a number. Jitter only shortens an interval, so it is never wholly away.
_LIMITS = {
    "interval": (1, 86400),
    "jitter": (0, 0.9),
    "timeout": (0.1, 300),
    "concurrency": (1, 1024),
    "rate_limit": (0, float("inf")),
    "unknown_after": (0, float("inf")),
    "repeat_after": (0, float("inf")),
    "hosts_per_event": (1, 5000),
}
# It becomes part of --limit, where other characters are patterns.
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,252}\Z")


@dataclass(frozen=True)
class Target:
    """One thing to watch. Exactly one of address, path, content and serial is given."""

    host: str | None = None
    """its inventory name"""
    name: str | None = None
    issuer: str | None = None
    address: str | None = None
    port: int = 443
    server_name: str | None = None
    starttls: str | None = None
    path: str | None = None
    content: str | None = None
    serial: str | None = None
    issuer_certificate: str | None = None
    crl_url: str | None = None

    def as_rotation(self) -> dict[str, Any]:
        """As other steps have it, so that the same places are asked."""
        listener = {"address": self.address, "port": self.port, "starttls": self.starttls}
        names = [self.server_name] if self.server_name else []
        return {"host": self.host, "name": self.name, "server_names": names, "listeners": [listener]}


def read_options(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the event source, complete and checked.

    :raises RotationError: ``options_invalid``, ``serial_invalid``.
    """
    given = {name: value for name, value in arguments.items() if name not in OF_THE_ENGINE}
    options = _validated(ARGUMENT_SPEC, given, "the event source certops.rotation.revocation")
    for name, (least, most) in _LIMITS.items():
        if not least <= options[name] <= most:
            raise _invalid(f"{name} is {options[name]:g}, and must be from {least:g} to {most:g}")
    if not options["targets_file"] and not any(options[kind] for kind in TARGETS_SPEC):
        raise _invalid("there is nothing to watch: give endpoints, certificates, serials or targets_file")
    targets_from(options)
    return options


def targets_from(given: Mapping[str, Any]) -> list[Target]:
    """The targets in checked options, or in a checked file. RotationError ``options_invalid``, ``serial_invalid``."""
    found = [Target(**{**one, "port": one["port"] or usual_port(one["starttls"])}) for one in given["endpoints"]]
    found += [Target(**one) for one in given["certificates"]]
    found += [Target(**{**one, "serial": normal_serial(one["serial"])}) for one in given["serials"]]
    for target in found:
        if target.host is not None and not _HOST.match(target.host):
            raise _invalid(f"the host {shown(target.host)} is not the name of one host in an inventory")
        if not 0 < target.port < 65536:
            raise _invalid(f"{target.port} is not a TCP port")
    return list(dict.fromkeys(found))


class Targets:
    """Those of the options, and those of ``targets_file`` as it is now."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._own = targets_from(options)
        self._path: str | None = options["targets_file"]
        self._version: tuple[int, ...] | None = None
        self._of_file: list[Target] = []

    def now(self) -> list[Target]:
        """A file that has become unreadable, or wrong, is said to be so; what it held before goes on being watched.

        :raises RotationError: for one that never was right: ``targets_file_unreadable``, ``options_invalid``.
        """
        if self._path is not None:
            try:
                self._read(self._path)
            except RotationError as error:
                if self._version is None:
                    raise
                logger.error("%s; what it held before is still watched (%s)", error.message, error.code)
        return list(dict.fromkeys([*self._own, *self._of_file]))

    def _read(self, path: str) -> None:
        try:
            state = os.stat(path)
            version = (state.st_ino, state.st_size, state.st_mtime_ns)
            if version == self._version:
                return
            content = yaml_load(Path(path).read_text("utf-8"))
        except OSError as error:
            raise _unreadable(path, str(error.strerror)) from error
        except Exception as error:  # what the YAML library raises is no one class
            raise _unreadable(path, "it is no YAML") from error
        if not isinstance(content, Mapping):
            raise _unreadable(path, f"it holds no mapping with {', '.join(TARGETS_SPEC)}")
        self._of_file = targets_from(_validated(TARGETS_SPEC, content, path))
        self._version = version


def _validated(spec: Mapping[str, Any], given: Mapping[str, Any], where: str) -> dict[str, Any]:
    result = ArgumentSpecValidator(spec).validate(dict(given))
    if result.error_messages:
        # Of what it does not know, the validator says the name and nothing else.
        said = (f"unknown option {one}" if isinstance(one, UnsupportedError) else str(one) for one in result.errors)
        raise _invalid(f"{where}: {'; '.join(said)}")
    checked: dict[str, Any] = result.validated_parameters
    return checked


def _invalid(why: str) -> RotationError:
    return RotationError(
        "options_invalid", why, remedy="Correct the arguments of the source in the rulebook, or the targets file."
    )


def _unreadable(path: str, why: str) -> RotationError:
    return RotationError(
        "targets_file_unreadable",
        f"the targets in {path} cannot be read: {why}",
        remedy="Correct the file, or make it readable; it is read again at the next poll.",
        path=path,
    )
