# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a client asks for TLS in protocols that begin without it. No sockets here: what to say, and what must come back.

Each protocol is a generator of ``Turn``. It is sent the bytes that the turn waits for, returns when the TLS handshake
may begin, and raises ``StarttlsError`` otherwise.
"""

from __future__ import annotations

import struct
import xml.parsers.expat
from collections.abc import Callable, Generator
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

_MOST_SHOWN = 200


@dataclass(frozen=True)
class Turn:
    """Say this; then wait for as many bytes, or for all up to the end mark (and with it), or for nothing."""

    say: bytes = b""
    until: bytes = b""
    length: int = 0


@dataclass(frozen=True)
class Asking:
    """Who is asked, and who asks."""

    name: str
    """of the server: the server name, or else the address"""
    own_address: str


class StarttlsError(Exception):
    """``starttls_refused``: the server says no. ``starttls_protocol_error``: it says what its protocol has not."""

    def __init__(self, code: str, msg: str) -> None:
        super().__init__(msg)
        self.code = code


def ask_for_tls(protocol: str, asking: Asking) -> Generator[Turn, bytes, None]:
    """The conversation up to the go-ahead, in one of ``PROTOCOLS``."""
    return PROTOCOLS[protocol](asking)


def _smtp(asking: Asking) -> Generator[Turn, bytes, None]:
    """RFC 3207. Multi-line replies as in RFC 5321 section 4.2."""
    yield from _expect(b"", 220, "greets with")
    # RFC 5321 section 4.1.1.1: who has no name gives the address.
    literal = f"IPv6:{asking.own_address}" if ":" in asking.own_address else asking.own_address
    extensions = yield from _expect(f"EHLO [{literal}]\r\n".encode("ascii", "replace"), 250, "answers EHLO with")
    if "STARTTLS" not in (line[4:].strip().upper() for line in extensions[1:]):
        raise _refused("the server does not offer STARTTLS")
    yield from _expect(b"STARTTLS\r\n", 220, "answers STARTTLS with")


def _ftp(_asking: Asking) -> Generator[Turn, bytes, None]:
    """RFC 4217 section 4; 120 is a greeting that promises another one (RFC 959 section 5.4)."""
    code, lines = yield from _reply(b"")
    if code == 120:
        code, lines = yield from _reply(b"")
    _demand(code, 220, "greets with", lines)
    yield from _expect(b"AUTH TLS\r\n", 234, "answers AUTH TLS with")


def _expect(say: bytes, wanted: int, doing: str) -> Generator[Turn, bytes, list[str]]:
    code, lines = yield from _reply(say)
    _demand(code, wanted, doing, lines)
    return lines


def _demand(code: int, wanted: int, doing: str, lines: list[str]) -> None:
    if code != wanted:
        raise _refused(f"the server {doing} {_shown(lines[-1])}")


def _reply(say: bytes) -> Generator[Turn, bytes, tuple[int, list[str]]]:
    """``220 text``, or ``220-text`` and further lines up to ``220 text``."""
    lines = [_text((yield Turn(say, until=b"\n")))]
    code = lines[0][:3]
    if len(code) < 3 or not (code.isascii() and code.isdigit()) or lines[0][3:4] not in ("", " ", "-"):
        raise _error(f"the server says {_shown(lines[0])} where a reply with a code must be")
    if lines[0][3:4] == "-":
        while lines[-1][:4].rstrip() != code:
            lines.append(_text((yield Turn(until=b"\n"))))
    return int(code), lines


def _imap(_asking: Asking) -> Generator[Turn, bytes, None]:
    """RFC 9051 section 6.2.1. After PREAUTH (section 7.1.4) it is too late for STARTTLS."""
    greeting = _text((yield Turn(until=b"\n")))
    kind = greeting.upper().split(" ")[1:2]
    if not greeting.startswith("* ") or kind not in (["OK"], ["PREAUTH"], ["BYE"]):
        raise _error(f"the server greets with {_shown(greeting)}")
    if kind != ["OK"]:
        raise _refused(f"the server greets with {_shown(greeting)}")
    line = _text((yield Turn(b"a1 STARTTLS\r\n", until=b"\n")))
    while line.startswith("* "):
        if line.upper().startswith("* BYE"):
            raise _refused(f"the server answers STARTTLS with {_shown(line)}")
        line = _text((yield Turn(until=b"\n")))
    tag, _space, answer = line.partition(" ")
    word = answer.upper().partition(" ")[0]
    if tag != "a1" or word not in ("OK", "NO", "BAD"):
        raise _error(f"the server answers STARTTLS with {_shown(line)}")
    if word != "OK":
        raise _refused(f"the server answers STARTTLS with {_shown(line)}")


def _pop3(_asking: Asking) -> Generator[Turn, bytes, None]:
    """RFC 2595 section 4."""
    for say, doing in ((b"", "greets with"), (b"STLS\r\n", "answers STLS with")):
        line = _text((yield Turn(say, until=b"\n")))
        word = line.partition(" ")[0].upper()
        if word == "-ERR":
            raise _refused(f"the server {doing} {_shown(line)}")
        if word != "+OK":
            raise _error(f"the server {doing} {_shown(line)}")


# RFC 4511 section 4.14.1: message 1, an extended request (APPLICATION 23) with this name.
_LDAP_STARTTLS = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
_LDAP_EXTENDED_RESPONSE = 0x78
_LONGEST_LDAP_ANSWER = 8192


def _ldap(_asking: Asking) -> Generator[Turn, bytes, None]:
    """RFC 4511 section 4.14. BER with definite lengths (section 5.1), which need not be the shortest."""
    header = yield Turn(_LDAP_STARTTLS, length=2)
    length = header[1]
    if length & 0x80:
        digits = length & 0x7F
        if not 0 < digits <= 4:
            raise _error("the server's answer is no LDAP message")
        length = int.from_bytes((yield Turn(length=digits)), "big")
    if header[0] != 0x30 or not 0 < length <= _LONGEST_LDAP_ANSWER:
        raise _error("the server's answer is no LDAP message")
    message = yield Turn(length=length)
    try:
        _tag, number, rest = _ber(message)
        tag, answer, _controls = _ber(rest)
        _tag, result, rest = _ber(answer)
        _tag, _matched, rest = _ber(rest)
        _tag, diagnosis, _rest = _ber(rest)
    except IndexError as exc:
        raise _error("the server's answer is no LDAP message") from exc
    # Message 0 is a notice that the server disconnects (section 4.4.1).
    if tag != _LDAP_EXTENDED_RESPONSE or number not in (b"\x00", b"\x01") or not result:
        raise _error("the server's answer is no answer to an LDAP extended request")
    if number != b"\x01" or int.from_bytes(result, "big") != 0:
        said = f": {_shown(_text(diagnosis))}" if diagnosis else ""
        raise _refused(f"the server answers StartTLS with result {int.from_bytes(result, 'big')}{said}")


def _ber(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag and content of the first element, and what is after it. IndexError if it is cut off."""
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    if len(data) < start + length:
        raise IndexError("cut off")
    return data[0], data[start : start + length], data[start + length :]


_XMPP_TLS = "urn:ietf:params:xml:ns:xmpp-tls"
_XMPP_STREAM = "http://etherx.jabber.org/streams"


class _XmppStream:
    """What the server has said of its stream. RFC 6120 section 4.2; names are ``namespace element``."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self._depth = 0
        self._parser = xml.parsers.expat.ParserCreate("UTF-8", " ")
        # Newer releases of expat put off what is not complete; here nothing may wait, and all is short.
        if hasattr(self._parser, "SetReparseDeferralEnabled"):
            self._parser.SetReparseDeferralEnabled(False)
        self._parser.StartDoctypeDeclHandler = self._forbidden
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end

    def feed(self, data: bytes) -> None:
        try:
            self._parser.Parse(data, False)
        except xml.parsers.expat.ExpatError as exc:
            raise _error("the server's answer is no XMPP stream") from exc

    def _forbidden(self, *_declared: object) -> None:
        """Section 11.1: no document type, and so no entities."""
        raise _error("the server's stream has a document type declaration")

    def _begin(self, name: str, _attributes: object) -> None:
        if self._depth == 0 and name != f"{_XMPP_STREAM} stream":
            raise _error("the server's answer is no XMPP stream")
        self._depth += 1

    def _end(self, name: str) -> None:
        self._depth -= 1
        self.ended.append(name)


def _xmpp(asking: Asking) -> Generator[Turn, bytes, None]:
    """RFC 6120 section 5.4, as a client. Nothing may follow the ``>`` of ``<proceed/>``, not even white space."""
    stream = _XmppStream()
    opening = (
        f"<?xml version='1.0'?><stream:stream to={quoteattr(asking.name)} version='1.0' xml:lang='en' "
        f"xmlns='jabber:client' xmlns:stream='{_XMPP_STREAM}'>"
    )
    yield from _xmpp_element(stream, opening, f"{_XMPP_STREAM} features")
    if f"{_XMPP_TLS} starttls" not in stream.ended:
        raise _refused("the server does not offer STARTTLS")
    yield from _xmpp_element(stream, f"<starttls xmlns='{_XMPP_TLS}'/>", f"{_XMPP_TLS} proceed")


def _xmpp_element(stream: _XmppStream, say: str, wanted: str) -> Generator[Turn, bytes, None]:
    turn = Turn(say.encode(), until=b">")
    while wanted not in stream.ended:
        stream.feed((yield turn))
        turn = Turn(until=b">")
        if {f"{_XMPP_TLS} failure", f"{_XMPP_STREAM} error", f"{_XMPP_STREAM} stream"} & set(stream.ended):
            raise _refused("the server ends the stream: " + ", ".join(one.rpartition(" ")[2] for one in stream.ended))


_POSTGRES_SSL_REQUEST = struct.pack(">II", 8, 80877103)


def _postgres(_asking: Asking) -> Generator[Turn, bytes, None]:
    """SSLRequest of the PostgreSQL frontend/backend protocol: one byte answers."""
    answer = yield Turn(_POSTGRES_SSL_REQUEST, length=1)
    if answer == b"N":
        raise _refused("the server does not offer TLS")
    if answer == b"E":
        raise _refused("the server answers SSLRequest with an error")
    if answer != b"S":
        raise _error(f"the server answers SSLRequest with {answer!r}")


_MYSQL_SSL = 0x0800
_MYSQL_ASKED = 0x0200 | _MYSQL_SSL | 0x8000  # protocol 4.1, TLS, its passwords
_MYSQL_LONGEST_GREETING = 1024


def _mysql(_asking: Asking) -> Generator[Turn, bytes, None]:
    """Handshake V10 of the MySQL protocol, which MariaDB has too; SSLRequest is not answered."""
    header = yield Turn(length=4)
    length = int.from_bytes(header[:3], "little")
    if not 0 < length <= _MYSQL_LONGEST_GREETING or header[3] != 0:
        raise _error("the server does not greet as MySQL does")
    greeting = yield Turn(length=length)
    if greeting[0] == 0xFF:
        raise _refused(f"the server greets with an error: {_shown(_text(greeting[3:]))}")
    version, nul, rest = greeting[1:].partition(b"\0")
    if greeting[0] != 10 or not version or not nul or len(rest) < 15:
        raise _error("the server does not greet as MySQL does")
    if not int.from_bytes(rest[13:15], "little") & _MYSQL_SSL:
        raise _refused("the server does not offer TLS")
    yield Turn(struct.pack("<IIIB23x", 32 | 1 << 24, _MYSQL_ASKED, 1 << 24, 45))


PROTOCOLS: dict[str, Callable[[Asking], Generator[Turn, bytes, None]]] = {
    "ftp": _ftp,
    "imap": _imap,
    "ldap": _ldap,
    "mysql": _mysql,
    "pop3": _pop3,
    "postgres": _postgres,
    "smtp": _smtp,
    "xmpp": _xmpp,
}


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r\n")


def _shown(text: str) -> str:
    """What a peer said, fit for a message."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in text[:_MOST_SHOWN])
    return f'"{plain}"'


def _refused(msg: str) -> StarttlsError:
    return StarttlsError("starttls_refused", msg)


def _error(msg: str) -> StarttlsError:
    return StarttlsError("starttls_protocol_error", msg)
