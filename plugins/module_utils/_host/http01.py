# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have nginx answer ACME's http-01: files written, configuration tested, reloaded, or all as it was before."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.atomic_write import read_file, write_file
from ansible_collections.certops.rotation.plugins.module_utils._host.clock import iso, utc_now
from ansible_collections.certops.rotation.plugins.module_utils._host.command import run
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import FileOptions
from ansible_collections.certops.rotation.plugins.module_utils._host.http01_texts import (
    plain_path,
    server_text,
    snippet_path,
    snippet_text,
    with_include,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.service import Reload, Service
from ansible_collections.certops.rotation.plugins.module_utils._host.undo import Undo

BACKUPS = ".http-01-before"
_LIMIT = 8 * 1024 * 1024
_CONTEXT = "security.selinux"
_NAME = "http-01"


@dataclass(frozen=True)
class LikeFile(FileOptions):
    """Files that look as one that is there: a configuration file of somebody else keeps owner, mode and label."""

    label: bytes | None = None

    def _label(self, descriptor: int) -> None:
        if self.label is not None:
            os.setxattr(descriptor, _CONTEXT, self.label)


@dataclass(frozen=True)
class Change:
    """One file that is to have another content."""

    path: str
    before: bytes | None
    after: bytes
    options: FileOptions
    is_foreign: bool = False
    shown: tuple[str, str] = ("", "")
    """What a diff shows: of a file that is not ours only the line, because there can be secrets in it."""

    @property
    def diff(self) -> dict[str, str]:
        return {
            "before_header": self.path,
            "after_header": self.path,
            "before": self.shown[0],
            "after": self.shown[1],
        }


class Http01Setup:
    """What is to be changed for the module's options. Nothing is written before ``carry_out``."""

    def __init__(self, params: dict[str, Any], options: FileOptions, service: Service) -> None:
        self.root, self._options, self._service = params["root"], options, service
        self._params = params
        self._lines: dict[str, list[str]] = {}
        self.to_add: list[dict[str, Any]] = []
        self.inserted: list[dict[str, Any]] = []
        self.changes = [*self._snippets(), *self._server_file(), *self._insertions()]
        self.test_warnings = ""

    @property
    def needs_reload(self) -> bool:
        """A snippet that is made for the first time is read by nothing yet."""
        return any(change.is_foreign or change.before is not None for change in self.changes) or any(
            change.path == self._params["server_path"] for change in self.changes
        )

    def _snippets(self) -> list[Change]:
        texts = {
            snippet_path(self.root, given["issuer"]): snippet_text(given["issuer"], given["thumbprint"])
            for given in self._params["responders"]
        }
        return [change for path, text in texts.items() for change in self._own(path, text)]

    def _server_file(self) -> list[Change]:
        if not self._params["servers"]:
            return []
        path = plain_path(self._params["server_path"])
        if not os.path.isdir(os.path.dirname(path)):
            raise RotationError("paths_invalid", f"There is no folder for {path}")
        return self._own(path, server_text(self.root, self._params["servers"]))

    def _own(self, path: str, text: str) -> list[Change]:
        before, after = _content(path), text.encode("ascii")
        if before == after:
            return []
        shown = (before or b"").decode("utf-8", "replace")
        return [Change(path, before, after, self._options, shown=(shown, text))]

    def _insertions(self) -> list[Change]:
        """From the last line to the first, so that line numbers stay right."""
        changed: dict[str, list[tuple[dict[str, Any], str]]] = {}
        for given in sorted(self._params["includes"], key=lambda one: one["line"], reverse=True):
            path = os.path.realpath(given["path"])
            lines = self._lines.setdefault(path, _lines(path))
            include = "include {};".format(snippet_path(self.root, given["issuer"]))
            after = with_include(lines, given, include)
            if after is None:
                continue
            if not self._params["adopt"]:
                self.to_add.append({"path": given["path"], "line": given["line"], "include": include})
                continue
            self._lines[path] = after
            changed.setdefault(path, []).append((given, include))
        return [self._foreign(path, places) for path, places in changed.items()]

    def _foreign(self, path: str, places: list[tuple[dict[str, Any], str]]) -> Change:
        found = os.stat(path)
        label = os.getxattr(path, _CONTEXT) if _CONTEXT in os.listxattr(path) else None
        options = LikeFile(uid=found.st_uid, gid=found.st_gid, mode=stat.S_IMODE(found.st_mode), label=label)
        for given, include in places:
            self.inserted.append({"path": path, "line": given["line"], "include": include})
        shown = "".join("{text}\n".format(**given) for given, _include in reversed(places))
        after = "".join("{}\n    {}\n".format(given["text"], include) for given, include in reversed(places))
        content = "\n".join(self._lines[path]).encode("utf-8", "surrogateescape")
        return Change(path, _content(path), content, options, is_foreign=True, shown=(shown, after))

    def carry_out(self) -> Reload | None:
        """Write, test, reload. On any error everything is as it was before."""
        undo, reload = Undo(), self.needs_reload or self._params["reload"]
        if reload:
            self._service.master()
        self._back_up()
        try:
            for change in self.changes:
                undo.write(_NAME, change.path, change.after, change.options)
            if not reload:
                undo.keep()
                return None
            self.test_warnings = self._service.test()
            self._prove_server_file()
        except (RotationError, OSError) as error:
            raise self._back(undo, error, reloaded=False) from error
        try:
            done = self._service.reload()
        except RotationError as error:
            raise self._back(undo, error, reloaded=True) from error
        undo.keep()
        return done

    def _back_up(self) -> None:
        """Keep what somebody else's files were. Not beside them: nginx might read the copy too."""
        now = re.sub(r"\W", "", iso(utc_now()))
        for change in self.changes:
            if change.is_foreign and change.before is not None:
                folder = os.path.join(self.root, BACKUPS)
                if not os.path.isdir(folder):
                    os.mkdir(folder, 0o700)
                copy = os.path.join(folder, "{}.{}".format(change.path.strip("/").replace("/", "_")[-180:], now))
                write_file(copy, change.before, replace(self._options, mode=0o600))
                for one in self.inserted:
                    if one["path"] == change.path:
                        one["backup"] = copy

    def _prove_server_file(self) -> None:
        """nginx must read our server file, or its blocks are not there."""
        path = self._params["server_path"]
        dump = self._params["nginx_dump"]
        if not self._params["servers"] or not dump:
            return
        printed = run(dump)
        if f"# configuration file {path}:" not in printed.output.decode("utf-8", "replace").splitlines():
            raise RotationError(
                "challenge_not_answered",
                f"nginx does not read {path}, in which port 80 would be served",
                remedy=f"Put `include {path};` into the http block, or set rotate_http01_server_path.",
                output=printed.tail,
            )

    def _back(self, undo: Undo, error: Exception, *, reloaded: bool) -> RotationError:
        failures = undo.back({_NAME})
        undo.keep()
        again = self._reload_again() if reloaded else ""
        if isinstance(error, RotationError):
            code, message, remedy, facts = error.code, error.message, error.remedy, dict(error.facts)
        else:
            code, message, remedy, facts = "storage_failed", str(error), "", {}
        message += "; all files are as they were before" if not failures else "; the way back failed in part: "
        facts.update(after_back=again, back_failed=failures)
        return RotationError(code, message + "; ".join(failures), remedy=remedy, **facts)

    def _reload_again(self) -> str:
        try:
            self._service.test()
            self._service.reload()
        except RotationError as error:
            return f"{error.code}: {error.message}"
        return "reloaded"


def _content(path: str) -> bytes | None:
    try:
        return read_file(path, _LIMIT)
    except FileNotFoundError:
        return None


def _lines(path: str) -> list[str]:
    found = _content(path)
    if found is None:
        raise RotationError("configuration_changed", f"{path} is not there any more", remedy="Run again.")
    return found.decode("utf-8", "surrogateescape").split("\n")
