# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name server on loopback, UDP and TCP, that takes dynamic updates signed with TSIG (RFC 2136, RFC 8945).

with DnsServer(["example.org"]) as dns:
    dns.set("shop.example.org", "CAA", '0 issue "ca.example"')
    dns.address          # "127.0.0.1:53535"
    dns.tsig             # {"name": …, "secret": …, "algorithm": …}, what an updater has to sign with
    dns.texts("_acme-challenge.shop.example.org"), dns.updates

Names without records of their own have the address 127.0.0.1.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Sequence
from typing import Any, Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.tsigkeyring
import dns.update

_TTL = 1


class DnsServer:
    """Authoritative for its zones; answers for everything else too. Ends with its ``with`` block."""

    def __init__(self, zones: Sequence[str], *, hidden_answers: int = 0, knows_others: bool = True) -> None:
        self.tsig = {
            "name": "updater.",
            "secret": "c2VjcmV0LW9mLXRlc3RzLW9ubHktMzItYnl0ZXMh",
            "algorithm": "hmac-sha256",
        }
        self.updates: list[tuple[str, str, str]] = []
        """(add or remove, name, text), as they came"""
        self.questions: list[tuple[str, str]] = []
        self.hidden_answers = hidden_answers
        """So many questions for TXT records are answered as if nothing had been set yet."""
        self._knows_others = knows_others
        """Without that, questions about other zones are refused, as by a server that is there for its own."""
        self.failing: set[str] = set()
        """Names that it says it cannot look up (SERVFAIL)."""
        self._zones = [dns.name.from_text(zone) for zone in zones]
        self._records: dict[tuple[str, str], list[str]] = {}
        self._ring = dns.tsigkeyring.from_text({self.tsig["name"]: ("hmac-sha256.", self.tsig["secret"])})
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        while True:
            self._tcp = socket.create_server(("127.0.0.1", 0))
            self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self._udp.bind(self._tcp.getsockname())
                break
            except OSError:
                self._tcp.close()
                self._udp.close()
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._serve_udp, self._serve_tcp)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        for sock in (self._tcp, self._udp):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(5)

    @property
    def address(self) -> str:
        host, port = self._tcp.getsockname()
        return f"{host}:{port}"

    def set(self, name: str, kind: str, *texts: str) -> None:
        """Replace the records of a name, written as in a zone file. A text for TXT is quoted here."""
        quoted = [f'"{text}"' if kind == "TXT" else text for text in texts]
        with self._lock:
            self._records[_key(name), kind] = quoted

    def texts(self, name: str) -> list[str]:
        with self._lock:
            return [one.strip('"') for one in self._records.get((_key(name), "TXT"), [])]

    # --- transport ---

    def _serve_udp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                wire, client = self._udp.recvfrom(65535)
                if not wire:
                    return
                self._udp.sendto(self._answered(wire), client)

    def _serve_tcp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _client = self._tcp.accept()
                threading.Thread(target=self._serve_connection, args=(connection,), daemon=True).start()

    def _serve_connection(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, struct.error):
            connection.settimeout(5)
            while True:
                [length] = struct.unpack("!H", connection.recv(2, socket.MSG_WAITALL))
                answer = self._answered(connection.recv(length, socket.MSG_WAITALL))
                connection.sendall(struct.pack("!H", len(answer)) + answer)

    # --- answers ---

    def _answered(self, wire: bytes) -> bytes:
        try:
            question = dns.message.from_wire(wire, keyring=self._ring)
        except (dns.tsig.BadTime, dns.tsig.BadSignature, dns.message.UnknownTSIGKey, dns.tsig.BadKey):
            refusal = dns.message.make_response(dns.message.from_wire(wire, question_only=True))
            refusal.set_rcode(dns.rcode.NOTAUTH)
            return refusal.to_wire()
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.AA | dns.flags.RA
        with self._lock:
            if isinstance(question, dns.update.UpdateMessage):
                self._update(question, answer)
            else:
                self._look_up(question, answer)
        return answer.to_wire()

    def _look_up(self, question: dns.message.Message, answer: dns.message.Message) -> None:
        [asked] = question.question
        name, kind = asked.name, dns.rdatatype.to_text(asked.rdtype)
        self.questions.append((str(name), kind))
        if _key(str(name)) in self.failing:
            answer.set_rcode(dns.rcode.SERVFAIL)
            return
        zone = next((one for one in self._zones if name.is_subdomain(one)), None)
        if zone is None and not self._knows_others:
            answer.set_rcode(dns.rcode.REFUSED)
            return
        name = self._followed(name, kind, answer)
        texts = self._records.get((_key(str(name)), kind))
        if kind == "TXT" and self.hidden_answers > 0:
            self.hidden_answers -= 1
            texts = None
        if texts is None and kind == "A" and not name.is_wild():
            texts = ["127.0.0.1"]
        if texts is None and kind == "SOA" and name in self._zones:
            texts = ["ns. hostmaster. 1 3600 600 86400 1"]
        if texts:
            answer.answer.append(dns.rrset.from_text(name, _TTL, "IN", kind, *texts))
        elif zone is not None:
            soa = dns.rrset.from_text(zone, _TTL, "IN", "SOA", "ns. hostmaster. 1 3600 600 86400 1")
            answer.authority.append(soa)

    def _followed(self, name: Any, kind: str, answer: dns.message.Message) -> Any:
        """The name that aliases lead to, with their records in the answer; for CNAME itself none is followed."""
        for _step in range(16):
            aliases = self._records.get((_key(str(name)), "CNAME"))
            if not aliases or kind == "CNAME":
                break
            answer.answer.append(dns.rrset.from_text(name, _TTL, "IN", "CNAME", *aliases))
            name = dns.name.from_text(aliases[0])
        return name

    def _update(self, question: dns.update.UpdateMessage, answer: dns.message.Message) -> None:
        zone = question.zone[0].name
        if not question.had_tsig or zone not in self._zones:
            answer.set_rcode(dns.rcode.REFUSED if zone in self._zones else dns.rcode.NOTAUTH)
            return
        for change in question.update:
            self._change(change)

    def _change(self, change: Any) -> None:
        key = (_key(str(change.name)), dns.rdatatype.to_text(change.rdtype))
        texts = [one.to_text() for one in change]
        is_removal = change.deleting == dns.rdataclass.NONE
        for text in texts:
            self.updates.append(("remove" if is_removal else "add", key[0], text.strip('"')))
        present = self._records.get(key, [])
        kept = [one for one in present if one not in texts]
        self._records[key] = kept if is_removal else [*kept, *texts]


def _key(name: str) -> str:
    return name.rstrip(".").lower()
