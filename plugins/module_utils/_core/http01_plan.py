# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From nginx's configuration to what is missing there for stateless http-01: lines to add, servers to make.

The answer to every challenge of an ACME account is ``<token>.<thumbprint of the account's key>``, so one file that is
included in the server blocks of port 80 answers all of them, for ever: nothing is put on a host for an order.
There is one such file for each issuer. It has an ``if``, no location, and is included in front of all else, because
there it also answers in blocks that redirect everything (see ``nginx_answer``).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_answer import answer_of
from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_config import Configuration, ServerBlock
from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_listen import ANY_IPV4, ANY_IPV6
from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_reached import (
    Socket,
    reached_sockets,
    sockets_on,
)

_BLOCK = re.compile(r"\s*server\s*(?:#[^\n]*\n\s*)*\{")
_SNIPPET = re.compile(r"http-01\.(.+)\.conf\Z")


@dataclass(frozen=True)
class Wanted:
    """A name that is to be validated, and for which issuer."""

    name: str
    issuer: str
    thumbprint: str


@dataclass(frozen=True)
class Insertion:
    """Where an include line is to be added: behind ``column`` of ``line``, which reads ``text`` now."""

    file: str
    line: int
    column: int
    text: str
    issuer: str
    include: str

    @property
    def sentence(self) -> str:
        return f"add this line behind `server {{` in {self.file}:{self.line}: {self.include}"


@dataclass
class NewServer:
    """A server block of ours, for the names of one issuer."""

    issuer: str
    server_names: list[str] = field(default_factory=list)
    listens: list[str] = field(default_factory=list)


@dataclass
class Http01Plan:
    """What would make nginx answer. A name is in one of ``configured``, ``errors``, or needs what the rest says."""

    configured: dict[str, str] = field(default_factory=dict)
    """Names that are answered by what is on disk already, with the place: a reload may be all that is missing."""
    insertions: dict[str, list[Insertion]] = field(default_factory=dict)
    servers: list[NewServer] = field(default_factory=list)
    """The whole content of our own server file; empty if it is to stay as it is."""
    errors: dict[str, RotationError] = field(default_factory=dict)


def snippet_path(root: str, issuer: str) -> str:
    """The file that answers for the account of ``issuer``; the host module calls it the same."""
    return f"{root}/http-01.{issuer}.conf"


def plan_http01(
    configuration: Configuration,
    texts: Mapping[str, str],
    wanted: Sequence[Wanted],
    *,
    root: str,
    server_path: str,
    port: int = 80,
) -> Http01Plan:
    """What is missing for the names in ``wanted``.

    :param texts: the files of the configuration as they are printed, for the lines to change.
    :param server_path: the file for server blocks of our own.
    """
    return _Planning(configuration, texts, root, server_path, port).plan(wanted)


class _Planning:
    def __init__(
        self, configuration: Configuration, texts: Mapping[str, str], root: str, server_path: str, port: int
    ) -> None:
        self.configuration, self.texts, self.root, self.server_path = configuration, texts, root, server_path
        self.port = port
        self.blocks = configuration.http_servers()
        self.sockets = sockets_on(self.blocks, port)
        self.found = Http01Plan()
        self.claimed: dict[str, Wanted] = {}
        self.own = {server.issuer: server for server in self._own_servers()}
        self.own_changed = False

    def plan(self, wanted: Sequence[Wanted]) -> Http01Plan:
        for one in wanted:
            try:
                self._plan(one)
            except RotationError as error:
                self.found.errors[one.name] = error
                self.found.insertions.pop(one.name, None)
        if self.own_changed:
            self.found.servers = [server for server in self.own.values() if server.server_names]
        return self.found

    def _plan(self, wanted: Wanted) -> None:
        sources: list[str] = []
        for address in self._addresses(wanted.name):
            reached = reached_sockets(self.sockets, address, wanted.name)
            if not reached:
                self._add_server(wanted, [_listen(address, self.port)])
            for socket in reached:
                sources.extend(self._in_block(wanted, socket))
        if sources and wanted.name not in self.found.insertions:
            self.found.configured[wanted.name] = sources[0]

    def _addresses(self, name: str) -> list[str]:
        """Where nginx does TLS for the name: there, on the other port, it has to answer too."""
        found: dict[str, None] = {}
        for block in self.blocks:
            tls = [one for one in block.listens if one.ssl and not one.is_unix and not one.is_udp]
            if tls and _has(block, name):
                for listen in tls:
                    found[listen.address] = None
                    if listen.takes_ipv4 or listen.address == ANY_IPV6:
                        found[ANY_IPV4] = None
        return list(found) or [ANY_IPV4, *([ANY_IPV6] if ANY_IPV6 in self.sockets else [])]

    def _in_block(self, wanted: Wanted, socket: Socket) -> Iterator[str]:
        """See to it that the block which answers for the name answers rightly; yields where it does already."""
        if socket.is_tls:
            raise _not_answered(
                f"port {self.port} of {socket.address} speaks TLS, and the challenge comes as plain HTTP",
                f"Take ssl off the listen directives of port {self.port}, or use dns-01 for this certificate.",
            )
        block = socket.block_for(wanted.name)
        answer = answer_of(self.configuration, block.placed, wanted.name)
        snippet = snippet_path(self.root, wanted.issuer)
        if answer.file == snippet:
            yield answer.source  # whatever thumbprint is in it now, the file will have the right one
        elif answer.thumbprint == wanted.thumbprint:
            yield answer.source
        elif block.placed.file == self.server_path:
            self._add_server(wanted, [_listen(socket.address, self.port)])
        elif answer.thumbprint or self._includes(block, snippet):
            raise _not_answered(
                f"{answer.source} answers for {wanted.name} before our file is read: {answer.text}",
                f"Move `include {snippet};` to the first line of {block.placed.source}. One server block answers for "
                "one ACME account: let several issuers use the same account key, or give each name a block of its own.",
            )
        elif answer.is_of_another_client:
            raise _not_answered(
                f"{answer.source} belongs to another ACME client: {answer.text}",
                f"If that is no longer used, put `include {snippet};` behind `server {{` of {block.placed.source}.",
            )
        else:
            self._insert(wanted, block, snippet)

    def _insert(self, wanted: Wanted, block: ServerBlock, snippet: str) -> None:
        other = self.claimed.setdefault(block.placed.source, wanted)
        if other.thumbprint != wanted.thumbprint:
            raise _not_answered(
                f"{block.placed.source} is to answer for {wanted.name} ({wanted.issuer}) and for {other.name} "
                f"({other.issuer}), which are different ACME accounts",
                "Let both issuers use the same account key, or give each name a server block of its own on port "
                f"{self.port}.",
            )
        place = self._behind_brace(block)
        if place is None:
            raise _not_answered(
                f"nothing answers the challenge for {wanted.name} in {block.placed.source}",
                f"Put `include {snippet};` behind `server {{` there.",
            )
        line, column, text = place
        include = f"include {snippet_path(self.root, other.issuer)};"
        spot = Insertion(block.placed.file, line, column, text, other.issuer, include)
        here = self.found.insertions.setdefault(wanted.name, [])
        if spot not in here:
            here.append(spot)

    def _behind_brace(self, block: ServerBlock) -> tuple[int, int, str] | None:
        """Line, column and text of the line with the block's opening brace; None where it cannot be told."""
        lines = self.texts.get(block.placed.file, "").splitlines()
        begin = block.placed.line - 1
        match = _BLOCK.match("\n".join(lines[begin : begin + 20]))
        if match is None or sum(one.placed.source == block.placed.source for one in self.blocks) > 1:
            return None
        before = match[0].split("\n")
        line = begin + len(before)
        return line, len(before[-1]), lines[line - 1]

    def _includes(self, block: ServerBlock, snippet: str) -> bool:
        return any(placed.file == snippet for placed in self.configuration.level(block.placed))

    def _add_server(self, wanted: Wanted, listens: Iterable[str]) -> None:
        context = next(self.configuration.top("http"), None)
        if context is None or not self.configuration.reads(context, self.server_path):
            source = context.source if context else self.configuration.main
            raise _not_answered(
                f"nothing listens on port {self.port} for {wanted.name}, and nginx does not read {self.server_path}",
                f"Put `include {self.server_path};` into the http block ({source}), or set "
                "rotate_http01_server_path to a file that nginx reads.",
            )
        server = self.own.setdefault(wanted.issuer, NewServer(wanted.issuer))
        for other in self.own.values():
            if other is not server and wanted.name in other.server_names:
                other.server_names.remove(wanted.name)
        _add(server.server_names, [wanted.name])
        _add(server.listens, listens)
        self.own_changed = True

    def _own_servers(self) -> Iterator[NewServer]:
        """What our own server file holds now."""
        for block in self.blocks:
            if block.placed.file == self.server_path:
                included = {placed.file for placed in self.configuration.level(block.placed)} - {self.server_path}
                for path in included:
                    match = _SNIPPET.match(posixpath.basename(path))
                    if match:
                        listens = [
                            _listen(address, port) for listen in block.listens for address, port in listen.sockets
                        ]
                        yield NewServer(match[1], list(block.names), listens)


def _has(block: ServerBlock, name: str) -> bool:
    return Socket("", 0, (block,), block, is_tls=False).named_block(name) is not None


def _listen(address: str, port: int) -> str:
    """What stands behind ``listen`` for this socket."""
    if address == ANY_IPV4:
        return str(port)
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _add(known: list[str], more: Iterable[str]) -> None:
    known.extend(one for one in more if one not in known)


def _not_answered(message: str, remedy: str) -> RotationError:
    return RotationError("challenge_not_answered", message[0].upper() + message[1:], remedy=remedy)
