# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an nginx configuration says about TLS: from parsed files to the virtual hosts with their certificates.

``nginx -T`` prints each file once, in the order in which it is first read. The text is cut into files here
(``dumped_files``), parsed elsewhere (by crossplane, which wants files), and put together again here: includes are
looked up among the printed files, never on a disk, and directives are inherited as nginx does it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Dict, List, Mapping

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_listen import Listen, parse_listen

Directive = Mapping[str, Any]

_HEADER = re.compile(r"^# configuration file (/.*):$")
_DEEPEST_INCLUDE = 20
# A level that sets one of these replaces what outer levels said; ssl_certificate may stand several times in a level.
_INHERITED = (
    "ssl",
    "ssl_certificate",
    "ssl_certificate_key",
    "ssl_stapling",
    "ssl_stapling_file",
    "ssl_trusted_certificate",
)
# As a pattern it matches nothing before the first rotation, and then nginx does not mind.
_SNIPPET = re.compile(r"(.*/live/)(?:nginx|\*)\.conf\Z")


@dataclass(frozen=True)
class Problem:
    """Something in the configuration that cannot be taken care of, and where it is."""

    code: str
    file: str
    line: int
    text: str

    def as_dict(self) -> dict[str, Any]:
        return {"code": self.code, "file": self.file, "line": self.line, "text": self.text}


@dataclass(frozen=True)
class Vhost:
    """One certificate of one server block. A block with two certificates (RSA and ECDSA) makes two of them."""

    server_names: tuple[str, ...]
    listens: tuple[Listen, ...]
    certificate: str
    key: str
    trust: str | None
    staple: str | None
    stapling: bool
    snippet: str | None
    """Path of a ``live/nginx.conf`` that the block includes."""
    file: str
    line: int
    position: int = 0
    """0 for the first certificate of the block."""

    @property
    def source(self) -> str:
        return f"{self.file}:{self.line}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "server_names": list(self.server_names),
            "listeners": [{"address": address, "port": port} for one in self.listens for address, port in one.sockets],
            "certificate": self.certificate,
            "key": self.key,
            "trust": self.trust,
            "staple": self.staple,
            "stapling": self.stapling,
            "includes_snippet": self.snippet,
            "file": self.file,
            "line": self.line,
        }


def dumped_files(dump: str) -> dict[str, str]:
    """The files in the output of ``nginx -T``, path to text, the main one first. RotationError ``no_configuration``.

    What stands before the first header (warnings, "syntax is ok") is left out.
    """
    files: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for line in dump.splitlines():
        header = _HEADER.match(line)
        if header and header[1] not in files:
            lines = files.setdefault(header[1], [])
        elif lines is not None:
            lines.append(line)
    if not files:
        raise RotationError(
            "no_configuration",
            "The output of nginx -T holds no configuration file.",
            remedy="Run the command of rotate_nginx_dump on the host; its errors say what is wrong.",
        )
    return {path: "\n".join(text) + "\n" for path, text in files.items()}


@dataclass
class Configuration:
    """The parsed files of one nginx, and what was found wrong on the way through them."""

    files: Mapping[str, Sequence[Directive]]
    main: str
    problems: list[Problem] = field(default_factory=list)

    def vhosts(self) -> list[Vhost]:
        """Every server block of ``http`` and ``stream`` that does TLS with certificates from files."""
        found: list[Vhost] = []
        for placed in self._walk(self.files[self.main], self.main):
            if placed.name in ("http", "stream"):
                found.extend(self._of_context(placed))
        return found

    def _of_context(self, context: Placed) -> list[Vhost]:
        inherited = self._settings(context, {})
        servers = [placed for placed in self.level(context) if placed.name == "server"]
        listens = [self._listens(server, context.name) for server in servers]
        # `ssl` belongs to the socket: one block that says it makes TLS of all blocks that listen there.
        tls_sockets = {
            socket for of_server in listens for one in of_server if one.ssl and not one.is_udp for socket in one.sockets
        }
        found: list[Vhost] = []
        for server, of_server in zip(servers, listens):
            settings = self._settings(server, inherited)
            found.extend(self._of_server(server, settings, of_server, tls_sockets))
        return found

    def _of_server(
        self, server: Placed, settings: Settings, listens: Sequence[Listen], tls_sockets: set[tuple[str, int]]
    ) -> Iterator[Vhost]:
        everywhere = _word(settings, "ssl") == "on"
        tls = [one for one in listens if everywhere or one.ssl or tls_sockets.intersection(one.sockets)]
        usable = tuple(self._reachable(server, tls))
        if not usable:
            return
        names = self._names(server)
        for position, (certificate, key) in enumerate(self._pairs(server, settings)):
            yield Vhost(
                server_names=names,
                listens=usable,
                certificate=certificate,
                key=key,
                trust=self._path(settings, "ssl_trusted_certificate"),
                staple=self._path(settings, "ssl_stapling_file"),
                stapling=_word(settings, "ssl_stapling") == "on",
                snippet=self._snippet(server),
                file=server.file,
                line=server.line,
                position=position,
            )

    def _listens(self, server: Placed, context: str) -> list[Listen]:
        found = []
        for placed in self.level(server):
            if placed.name == "listen":
                listen = parse_listen(placed.args)
                if listen is None:
                    self._report("listen_not_understood", placed, f"listen {' '.join(placed.args)}")
                else:
                    found.append(listen)
        # A server of http without `listen` serves port 80, never TLS by itself.
        return found or ([Listen("0.0.0.0", (80,), ssl=False)] if context == "http" else [])

    def _reachable(self, server: Placed, listens: Sequence[Listen]) -> Iterator[Listen]:
        """Those to which a TLS client can connect over TCP; the others are reported."""
        for listen in listens:
            if listen.is_unix:
                self._report("unix_socket", server, f"unix:{listen.address} cannot be checked from outside")
            elif listen.is_udp:
                # Beside QUIC there is TCP on the same port in practice; only a block without it deserves a word.
                if not any(not other.is_udp and not other.is_unix for other in listens):
                    self._report("quic_only", server, "only QUIC: cannot be checked with a TLS handshake over TCP")
            elif listen.has_proxy_protocol:
                self._report("proxy_protocol", server, f"{listen.address} expects the PROXY protocol")
            else:
                yield listen

    def _pairs(self, server: Placed, settings: Settings) -> Iterator[tuple[str, str]]:
        """Certificate and key paths of a server block that are files; everything else is reported."""
        certificates, keys = settings.get("ssl_certificate", []), settings.get("ssl_certificate_key", [])
        if not certificates:
            self._report("no_certificate", server, "TLS without ssl_certificate")
        for certificate, key in zip(certificates, keys):
            values = [" ".join(certificate.args), " ".join(key.args)]
            if any("$" in value for value in values):
                self._report("variable_in_path", certificate, " ".join(values))
            elif any(value.startswith("data:") for value in values):
                self._report("inline_pair", certificate, "data: in place of a file")
            elif any(value.startswith(("engine:", "store:")) for value in values):
                self._report("key_not_a_file", certificate, values[1].partition(":")[0] + ": in place of a file")
            else:
                yield self.absolute(values[0]), self.absolute(values[1])

    def _snippet(self, server: Placed) -> str | None:
        for directive in server.block:
            if directive["directive"] == "include":
                match = _SNIPPET.fullmatch(self.absolute(directive["args"][0]))
                if match:
                    return match[1] + "nginx.conf"
        return None

    def _settings(self, level: Placed, outer: Settings) -> Settings:
        """The inheritable directives that hold in ``level``, those of nested blocks left out."""
        own: Settings = {}
        for placed in self.level(level):
            if placed.name in _INHERITED:
                own.setdefault(placed.name, []).append(placed)
        return {**outer, **own}

    def http_servers(self) -> list[ServerBlock]:
        """Every server block of ``http``, in nginx's order, with or without TLS."""
        return [
            ServerBlock(server, self._names(server), tuple(self._listens(server, context.name)))
            for context in self.top("http")
            for server in self.level(context)
            if server.name == "server"
        ]

    def top(self, name: str) -> Iterator[Placed]:
        """The blocks of that name outside of all others."""
        return (placed for placed in self._walk(self.files[self.main], self.main) if placed.name == name)

    def reads(self, context: Placed, path: str) -> bool:
        """Whether a file at ``path`` would be read as a part of the block, directly or through its includes."""
        return any(path == pattern or _matches(path, pattern) for pattern in self._patterns(context.block))

    def _patterns(self, directives: Sequence[Directive], depth: int = 0) -> Iterator[str]:
        for directive in directives:
            if directive["directive"] == "include" and directive["args"] and depth < _DEEPEST_INCLUDE:
                include = Placed(directive, "")
                yield self.absolute(include.args[0])
                for path in self._included(include):
                    yield from self._patterns(self.files[path], depth + 1)

    def _names(self, server: Placed) -> tuple[str, ...]:
        return tuple(name for placed in self.level(server) if placed.name == "server_name" for name in placed.args)

    def level(self, placed: Placed) -> Iterator[Placed]:
        """The directives directly in a block, those of included files in the place of the include."""
        return self._walk(placed.block, placed.file)

    def _walk(self, directives: Sequence[Directive], file: str, depth: int = 0) -> Iterator[Placed]:
        """The directives of one level, those of included files in the place of the include."""
        for directive in directives:
            placed = Placed(directive, file)
            if placed.name != "include":
                yield placed
            elif depth >= _DEEPEST_INCLUDE:
                self._report("include_too_deep", placed, placed.args[0])
            else:
                for path in self._included(placed):
                    yield from self._walk(self.files[path], path, depth + 1)

    def _included(self, include: Placed) -> list[str]:
        pattern = self.absolute(include.args[0]) if include.args else ""
        if pattern in self.files:
            return [pattern]
        matching = sorted(path for path in self.files if _matches(path, pattern))
        # A pattern may match nothing; a plain file that was printed nowhere means that the dump is not complete.
        if not matching and not re.search(r"[*?\[]", pattern):
            self._report("include_missing", include, pattern)
        return matching

    def _path(self, settings: Settings, name: str) -> str | None:
        values = settings.get(name)
        if not values or "$" in values[-1].args[0]:
            return None
        return self.absolute(values[-1].args[0])

    def absolute(self, path: str) -> str:
        """``path`` as nginx sees it: relative ones start at the folder of the main file."""
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.main), path))

    def _report(self, code: str, placed: Placed, text: str) -> None:
        problem = Problem(code, placed.file, placed.line, text)
        if problem not in self.problems:
            self.problems.append(problem)


@dataclass(frozen=True)
class Placed:
    """A directive, and the file it stands in."""

    directive: Directive
    file: str

    @property
    def source(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def name(self) -> str:
        return str(self.directive["directive"])

    @property
    def args(self) -> list[str]:
        return list(self.directive["args"])

    @property
    def line(self) -> int:
        return int(self.directive["line"])

    @property
    def block(self) -> Sequence[Directive]:
        return self.directive.get("block") or []


@dataclass(frozen=True)
class ServerBlock:
    """One server block, and where and under which names it is reached."""

    placed: Placed
    names: tuple[str, ...]
    listens: tuple[Listen, ...]


Settings = Dict[str, List[Placed]]


def _word(settings: Settings, name: str) -> str | None:
    values = settings.get(name)
    return values[-1].args[0] if values and values[-1].args else None


def _matches(path: str, pattern: str) -> bool:
    """As glob(3) does it: a wildcard matches within one folder, and no leading dot."""
    parts, patterns = path.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(
        fnmatchcase(part, wanted) and (not part.startswith(".") or wanted.startswith("."))
        for part, wanted in zip(parts, patterns)
    )
