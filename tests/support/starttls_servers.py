# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers on loopback that begin in plain text and upgrade to TLS when they are asked to, as their protocols say.

    with StarttlsServer("smtp", leaf) as server:
        handshake(Endpoint("127.0.0.1", server.port, starttls="smtp"), timeout=5)

Each hangs up on what its protocol does not have. Whether they are right is checked with ``openssl s_client``.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from ansible_collections.certops.rotation.tests.support.pki import Issued
from ansible_collections.certops.rotation.tests.support.tls_server import LoopbackServer, TlsServer

XMPP_TLS = "urn:ietf:params:xml:ns:xmpp-tls"
LDAP_NAME = b"1.3.6.1.4.1.1466.20037"
STREAM = (
    "<?xml version='1.0'?><stream:stream id='7' from='im.example.org' version='1.0' xml:lang='en' "
    "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
)
FEATURES = (
    f"<stream:features><starttls xmlns='{XMPP_TLS}'><required/></starttls>"
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"
)


class WrongClientError(OSError):
    """The client said something that its protocol has not."""


class StarttlsServer(TlsServer):
    """:param injected: bytes that are sent together with the go-ahead."""

    def __init__(self, protocol: str, leaf: Issued, *, injected: bytes = b"", by_name: dict[str, Issued] | None = None):
        super().__init__(leaf, by_name=by_name)
        self._protocol, self._injected = protocol, injected
        self.heard: list[bytes] = []

    def _shake(self, sock: socket.socket) -> None:
        PROTOCOLS[self._protocol](_Peer(sock, self.heard), self._injected)
        super()._shake(sock)


def saying(*parts: bytes) -> LoopbackServer:
    """A peer that sends the first part at once, and each other one when the client has said something."""

    def serve(sock: socket.socket) -> None:
        for number, part in enumerate(parts):
            if number:
                sock.recv(4096)
            sock.sendall(part)
        while sock.recv(4096):
            pass

    return LoopbackServer(serve)


class _Peer:
    def __init__(self, sock: socket.socket, heard: list[bytes]) -> None:
        self._sock, self._heard = sock, heard

    def say(self, text: bytes | str) -> None:
        self._sock.sendall(text.encode() if isinstance(text, str) else text)

    def line(self) -> str:
        return self.until(b"\r\n").decode().strip()

    def until(self, end: bytes) -> bytes:
        """Byte by byte, so that nothing of TLS is read."""
        heard = b""
        while not heard.endswith(end):
            heard += self.exactly(1)
        return heard

    def exactly(self, length: int) -> bytes:
        heard = b""
        while len(heard) < length:
            more = self._sock.recv(length - len(heard))
            if not more:
                raise WrongClientError("closed")
            heard += more
        self._heard.append(heard)
        return heard

    def demand(self, right: bool) -> None:
        if not right:
            raise WrongClientError("this is not the protocol")


def _smtp(peer: _Peer, injected: bytes) -> None:
    peer.say("220-mx.example.org ESMTP\r\n220 be welcome\r\n")
    peer.demand(peer.line().upper().startswith("EHLO "))
    peer.say("250-mx.example.org\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 SIZE 1000\r\n")
    peer.demand(peer.line() == "STARTTLS")
    peer.say(b"220 2.0.0 go ahead\r\n" + injected)


def _ftp(peer: _Peer, injected: bytes) -> None:
    peer.say("220-welcome\r\n 220 is not the end\r\n220 now it is\r\n")
    while (line := peer.line()) != "AUTH TLS":
        peer.demand(line.upper() == "FEAT")
        peer.say("211-these\r\n AUTH TLS\r\n211 end\r\n")
    peer.say(b"234 go ahead\r\n" + injected)


def _imap(peer: _Peer, injected: bytes) -> None:
    peer.say("* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\r\n")
    tag, _space, command = peer.line().partition(" ")
    if command.upper() == "CAPABILITY":
        peer.say(f"* CAPABILITY IMAP4rev1 STARTTLS\r\n{tag} OK done\r\n")
        tag, _space, command = peer.line().partition(" ")
    peer.demand(command.upper() == "STARTTLS")
    peer.say(f"* OK something else\r\n{tag} OK begin\r\n".encode() + injected)


def _pop3(peer: _Peer, injected: bytes) -> None:
    peer.say("+OK POP3 <1896.697170952@mx.example.org>\r\n")
    peer.demand(peer.line() == "STLS")
    peer.say(b"+OK begin\r\n" + injected)


def _ldap(peer: _Peer, injected: bytes) -> None:
    header = peer.exactly(2)
    peer.demand(header[0] == 0x30)
    request = peer.exactly(header[1])
    peer.demand(request[3:4] == b"\x77" and LDAP_NAME in request)
    peer.say(ldap_answer(0) + injected)


def ldap_answer(result: int, diagnosis: bytes = b"", number: int = 1) -> bytes:
    """With lengths of four octets, as Active Directory writes them."""
    inner = b"\x0a\x01" + bytes([result]) + b"\x04\x00\x04" + bytes([len(diagnosis)]) + diagnosis
    inner += b"\x8a" + bytes([len(LDAP_NAME)]) + LDAP_NAME
    message = b"\x02\x01" + bytes([number]) + b"\x78\x84" + struct.pack(">I", len(inner)) + inner
    return b"\x30\x84" + struct.pack(">I", len(message)) + message


def _xmpp(peer: _Peer, injected: bytes) -> None:
    opening = b""
    while b"<stream:stream" not in opening:
        opening += peer.until(b">")
    peer.demand(b"version='1.0'" in opening or b'version="1.0"' in opening)
    peer.say(STREAM)
    peer.say(FEATURES)
    while not (asked := peer.until(b">")).strip().startswith(b"<starttls"):
        pass
    peer.demand(XMPP_TLS.encode() in asked)
    peer.say(f"<proceed xmlns='{XMPP_TLS}'/>".encode() + injected)


def _postgres(peer: _Peer, injected: bytes) -> None:
    peer.demand(peer.exactly(8) == struct.pack(">II", 8, 80877103))
    peer.say(b"S" + injected)


def mysql_greeting(capabilities: int = 0xFFFF, version: bytes = b"8.0.40") -> bytes:
    payload = b"\x0a" + version + b"\0" + struct.pack("<I", 7) + b"12345678\0" + struct.pack("<H", capabilities)
    payload += b"\x2d\x02\x00\xff\xc3\x15" + b"\0" * 10 + b"123456789012\0caching_sha2_password\0"
    return len(payload).to_bytes(3, "little") + b"\0" + payload


def _mysql(peer: _Peer, injected: bytes) -> None:
    peer.say(mysql_greeting() + injected)
    header = peer.exactly(4)
    peer.demand(header == b"\x20\0\0\x01")
    (flags,) = struct.unpack("<I", peer.exactly(32)[:4])
    peer.demand(flags & 0x0A00 == 0x0A00)


PROTOCOLS: dict[str, Callable[[_Peer, bytes], None]] = {
    "ftp": _ftp,
    "imap": _imap,
    "ldap": _ldap,
    "mysql": _mysql,
    "pop3": _pop3,
    "postgres": _postgres,
    "smtp": _smtp,
    "xmpp": _xmpp,
}
