# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every cause, made for real. One function is one case: its name is the code that must be named first and alone.

A word behind two underscores tells variants of one cause apart. What a case starts ends with its ``ExitStack``.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable
from typing import Any

from ansible_collections.certops.rotation.tests.integration.diagnose.peers import crl_pem, deaf_port, openssl_server
from ansible_collections.certops.rotation.tests.integration.diagnose.world import NAME, Answer, Asked, World, pems
from ansible_collections.certops.rotation.tests.support.nginx import Vhost
from ansible_collections.certops.rotation.tests.support.pki import (
    DAY,
    HOUR,
    Authority,
    Issued,
    make_key,
    ocsp_error,
    utc_now,
)
from ansible_collections.certops.rotation.tests.support.starttls_servers import StarttlsServer
from ansible_collections.certops.rotation.tests.support.tls_server import (
    alerting_server,
    closed_port,
    plain_text_server,
    silent_server,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

Case = Callable[[World, contextlib.ExitStack], Any]
CASES: dict[str, Case] = {}


def case(made: Case) -> Case:
    CASES[made.__name__] = made
    return made


def code_of(name: str) -> str:
    return name.partition("__")[0]


def serve(world: World, issued: Issued, extra: str | None = None, *, primed: bool = False, **how: Any) -> None:
    world.start(world.vhost(issued, extra, **how))
    if primed:
        world.prime()


# Nothing wrong


def healthy_stapled(world: World, stack: contextlib.ExitStack) -> None:
    """All pointers, chain, trust file and staple as they should be."""
    serve(world, world.leaf(), primed=True)


def healthy_without_ocsp(world: World, stack: contextlib.ExitStack) -> None:
    """As Let's Encrypt has it: a CRL, no responder, no stapling."""
    serve(world, world.leaf(ocsp_urls=[]), "")


def healthy_published_as_files(world: World, stack: contextlib.ExitStack) -> None:
    """OCSP responses on a static web server, which takes no POST."""
    world.ca.takes_post = False
    serve(world, world.leaf(), primed=True)


def healthy_by_delegate(world: World, stack: contextlib.ExitStack) -> None:
    """The responder has a certificate of its own."""
    answer_signed_by(world, world.issuing.delegate())
    serve(world, world.leaf(), primed=True)


def healthy_staple_file(world: World, stack: contextlib.ExitStack) -> None:
    """Must-Staple, stapled from a file."""
    issued = world.leaf(must_staple=True)
    file = world.write("staple.der", world.issuing.ocsp(issued.certificate))
    serve(world, issued, f"ssl_stapling on;\nssl_stapling_file {file};")


def healthy_two_certificates(world: World, stack: contextlib.ExitStack) -> None:
    """RSA beside ECDSA in one server block."""
    issued, other = world.leaf(ocsp_urls=[]), world.leaf(ocsp_urls=[], key=make_key("rsa"))
    files = world.write("rsa.crt", other.chain_pem), world.write("rsa.key", other.key_pem)
    serve(world, issued, f"ssl_certificate {files[0]};\nssl_certificate_key {files[1]};")


def healthy_client_certificate(world: World, stack: contextlib.ExitStack) -> None:
    """nginx with a whole and fresh ssl_crl, and a client certificate in order."""
    client(world, stack)
    crls = crl_pem(world.issuing.crl()) + crl_pem(world.root.crl())
    serve(world, world.leaf(ocsp_urls=[]), mutual(world, crls))


def healthy_client_certificate_at_openssl(world: World, stack: contextlib.ExitStack) -> dict[str, Any]:
    """The same at a server that would answer with alerts."""
    client(world, stack)
    return at_openssl(world, stack, crl=world.issuing.crl())


def healthy_mail_server(world: World, stack: contextlib.ExitStack) -> dict[str, Any]:
    """STARTTLS."""
    return listener(stack.enter_context(StarttlsServer("smtp", world.leaf(ocsp_urls=[]))).port, starttls="smtp")


HEALTHY: list[Case] = [
    healthy_mail_server,
    healthy_stapled,
    healthy_without_ocsp,
    healthy_published_as_files,
    healthy_by_delegate,
    healthy_staple_file,
    healthy_two_certificates,
    healthy_client_certificate,
    healthy_client_certificate_at_openssl,
]


# Revoked, or unknown


@case
def certificate_revoked(world: World, stack: contextlib.ExitStack) -> None:
    """Revoked in CRL and OCSP, while nginx goes on stapling the good response that it fetched before."""
    issued = world.leaf()
    serve(world, issued, primed=True)
    world.publish([issued.serial])
    world.ca.ocsp = lambda asked: world.ca.signed(asked, "revoked")


@case
def certificate_revoked__crl_only(world: World, stack: contextlib.ExitStack) -> None:
    """Of a CA without OCSP, as most public ones are now."""
    issued = world.leaf(ocsp_urls=[])
    serve(world, issued, "")
    world.publish([issued.serial])


@case
def crl_stale(world: World, stack: contextlib.ExitStack) -> None:
    """The CRL that the CA publishes expired yesterday."""
    serve(world, world.leaf(ocsp_urls=[]), "")
    world.publish(this_update=utc_now() - 8 * DAY, next_update=utc_now() - DAY)


@case
def crl_not_available(world: World, stack: contextlib.ExitStack) -> None:
    """The CRL is not where the certificate says."""
    serve(world, world.leaf(ocsp_urls=[]), "")
    del world.ca.files["/ca.crl"]


@case
def crl_not_trusted(world: World, stack: contextlib.ExitStack) -> None:
    """The CRL is signed with a key that is not the CA's."""
    serve(world, world.leaf(ocsp_urls=[]), "")
    world.publish(key=Authority.root().key)


@case
def revocation_status_unknown(world: World, stack: contextlib.ExitStack) -> None:
    """Neither CRL nor responder is named, and nobody can tell."""
    serve(world, world.leaf(ocsp_urls=[], crl_urls=[]), "")


# The responder cannot be asked


@case
def responder_not_resolved(world: World, stack: contextlib.ExitStack) -> None:
    """The responder's name does not exist."""
    serve(world, world.leaf(ocsp_urls=["http://ocsp.certops.invalid/"]))


@case
def responder_refused(world: World, stack: contextlib.ExitStack) -> None:
    """Nothing listens at the responder's port."""
    serve(world, world.leaf(ocsp_urls=[f"http://127.0.0.1:{closed_port()}/"]))


@case
def responder_blocked(world: World, stack: contextlib.ExitStack) -> None:
    """Each SYN to the responder is dropped."""
    port = stack.enter_context(deaf_port())
    serve(world, world.leaf(ocsp_urls=[f"http://127.0.0.1:{port}/"]))


@case
def responder_proxied(world: World, stack: contextlib.ExitStack) -> None:
    """A proxy wants a password before it lets OCSP through."""
    serve(world, world.leaf())
    page = {"Content-Type": "text/html", "Via": "1.1 proxy.example.org"}
    world.ca.ocsp = lambda asked: Answer(b"<html>log in", 407, page)


@case
def responder_proxied__page(world: World, stack: contextlib.ExitStack) -> None:
    """A captive portal answers everything with its own page and status 200."""
    serve(world, world.leaf())
    world.ca.ocsp = lambda asked: Answer(b"<html>welcome", 200, {"Content-Type": "text/html"})


@case
def responder_slow(world: World, stack: contextlib.ExitStack) -> None:
    """A good answer, after more time than is granted."""
    serve(world, world.leaf())

    def late(asked: Asked) -> Answer:
        found = world.ca.good(asked)
        return Answer(found.body, silence=2.4)

    world.ca.ocsp = late


@case
def responder_slow__never(world: World, stack: contextlib.ExitStack) -> None:
    """The responder accepts the connection and says nothing in all the time there is."""
    serve(world, world.leaf())
    world.ca.ocsp = lambda asked: Answer(silence=6)


@case
def responder_http_error(world: World, stack: contextlib.ExitStack) -> None:
    """Status 503."""
    serve(world, world.leaf())
    world.ca.ocsp = lambda asked: Answer(b"down", 503)


@case
def responder_try_later(world: World, stack: contextlib.ExitStack) -> None:
    """tryLater."""
    serve(world, world.leaf())
    world.ca.ocsp = lambda asked: Answer(ocsp_error("try_later"))


@case
def responder_unauthorized(world: World, stack: contextlib.ExitStack) -> None:
    """unauthorized: the responder has no record of it."""
    issued = world.leaf()
    serve(world, issued)
    world.ca.known.clear()


@case
def responder_error(world: World, stack: contextlib.ExitStack) -> None:
    """internalError."""
    serve(world, world.leaf())
    world.ca.ocsp = lambda asked: Answer(ocsp_error("internal_error"))


# The responder's answer does not count


def answer_signed_by(world: World, signer: Issued) -> None:
    world.ca.ocsp = lambda asked: world.ca.good(asked, signer=signer)


@case
def ocsp_signer_expired(world: World, stack: contextlib.ExitStack) -> None:
    """The delegated responder's certificate ended an hour ago."""
    serve(world, world.leaf())
    answer_signed_by(world, world.issuing.delegate(not_before=utc_now() - 9 * DAY, not_after=utc_now() - HOUR))


@case
def ocsp_signer_without_purpose(world: World, stack: contextlib.ExitStack) -> None:
    """The delegate has serverAuth only."""
    serve(world, world.leaf())
    answer_signed_by(world, world.issuing.delegate(eku=[ExtendedKeyUsageOID.SERVER_AUTH]))


@case
def ocsp_signer_without_purpose__stapled(world: World, stack: contextlib.ExitStack) -> None:
    """nginx staples it all the same, where ssl_stapling_verify is off."""
    answer_signed_by(world, world.issuing.delegate(eku=[ExtendedKeyUsageOID.SERVER_AUTH]))
    serve(world, world.leaf(), "ssl_stapling on;", primed=True)


@case
def ocsp_signer_of_another_ca(world: World, stack: contextlib.ExitStack) -> None:
    """The delegate is certified by a root that has nothing to do with it."""
    serve(world, world.leaf())
    answer_signed_by(world, Authority.root("Foreign Root").delegate())


@case
def ocsp_signature_invalid(world: World, stack: contextlib.ExitStack) -> None:
    """The last bit of the response is wrong."""
    serve(world, world.leaf())

    def forged(asked: Asked) -> Answer:
        body = bytearray(world.ca.good(asked).body)
        body[-1] ^= 1
        return Answer(bytes(body))

    world.ca.ocsp = forged


@case
def ocsp_response_stale(world: World, stack: contextlib.ExitStack) -> None:
    """The responder gives out yesterday's answer."""
    serve(world, world.leaf())
    old = {"this_update": utc_now() - 3 * DAY, "next_update": utc_now() - DAY}
    world.ca.ocsp = lambda asked: world.ca.good(asked, **old)


# Stapling


@case
def stapling_off(world: World, stack: contextlib.ExitStack) -> None:
    """An OCSP URL in the certificate, and no ssl_stapling in the configuration."""
    serve(world, world.leaf(), "")


@case
def stapling_ignored(world: World, stack: contextlib.ExitStack) -> None:
    """ssl_stapling on, and no OCSP URL: what became of every site of Let's Encrypt in 2025."""
    serve(world, world.leaf(ocsp_urls=[]))


@case
def staple_not_primed(world: World, stack: contextlib.ExitStack) -> None:
    """Just reloaded: each worker fetches after its first handshake, and that one goes without."""
    world.start(world.vhost(world.leaf()), workers=2)


@case
def staple_stale(world: World, stack: contextlib.ExitStack) -> None:
    """ssl_stapling_file is loaded once, and served for ever."""
    issued = world.leaf()
    before, until = utc_now() - 3 * DAY, utc_now() - DAY
    old = world.issuing.ocsp(issued.certificate, this_update=before, next_update=until)
    file = world.write("staple.der", old)
    serve(world, issued, f"ssl_stapling on;\nssl_stapling_file {file};")


@case
def staple_of_another_certificate(world: World, stack: contextlib.ExitStack) -> None:
    """ssl_stapling_file belongs to the certificate before."""
    issued, before = world.leaf(), world.leaf()
    file = world.write("staple.der", world.issuing.ocsp(before.certificate))
    serve(world, issued, f"ssl_stapling on;\nssl_stapling_file {file};")


@case
def staple_invalid(world: World, stack: contextlib.ExitStack) -> None:
    """A response without nextUpdate, which clients must refuse (RFC 9919)."""
    issued = world.leaf()
    file = world.write("staple.der", world.issuing.ocsp(issued.certificate, no_next_update=True))
    serve(world, issued, f"ssl_stapling on;\nssl_stapling_file {file};")


@case
def staple_missing(world: World, stack: contextlib.ExitStack) -> None:
    """All is in order, but the responder does not like nginx's HTTP/1.0; only the error log tells."""
    world.ca.ocsp = lambda asked: Answer(status=505) if asked.version == "HTTP/1.0" else world.ca.good(asked)
    serve(world, world.leaf(), primed=True)


@case
def must_staple_without_staple(world: World, stack: contextlib.ExitStack) -> None:
    """Must-Staple, and stapling is off."""
    serve(world, world.leaf(must_staple=True), "")


@case
def must_staple_without_staple__no_responder(world: World, stack: contextlib.ExitStack) -> None:
    """Must-Staple in a certificate that names no responder any more: only reissuing helps."""
    serve(world, world.leaf(must_staple=True, ocsp_urls=[]))


# Trust file and chain


@case
def trust_without_issuer(world: World, stack: contextlib.ExitStack) -> None:
    """The issuer is the root, which is not sent, and the trust file holds another CA."""
    issued = world.leaf(by=world.root)
    world.ca.issuing = world.root
    serve(world, issued, world.stapling(trust=Authority.root("Another Root").pem))


@case
def trust_without_root(world: World, stack: contextlib.ExitStack) -> None:
    """ssl_trusted_certificate is the intermediate alone, and the responder has a certificate of its own."""
    issued = world.leaf()
    answer_signed_by(world, world.issuing.delegate())
    serve(world, issued, world.stapling(trust=world.issuing.pem), primed=True)


@case
def intermediate_missing(world: World, stack: contextlib.ExitStack) -> None:
    """The leaf alone is sent; its pointer leads to the intermediate, which few clients follow."""
    world.ca.files["/issuer.crt"] = world.issuing.pem.encode()
    issued = world.leaf(ca_issuers_urls=[f"{world.ca.url}/issuer.crt"])
    serve(world, issued, primed=True, chain=issued.pem)


@case
def intermediate_missing__no_pointer(world: World, stack: contextlib.ExitStack) -> None:
    """The leaf alone is sent, and nothing tells where its issuer is."""
    issued = world.leaf(ocsp_urls=[])
    serve(world, issued, "", chain=issued.pem)


@case
def chain_disordered(world: World, stack: contextlib.ExitStack) -> None:
    """Root before intermediate."""
    issued = world.leaf()
    chain = pems(issued.certificate, world.root.certificate, world.issuing.certificate)
    serve(world, issued, primed=True, chain=chain)


@case
def chain_invalid(world: World, stack: contextlib.ExitStack) -> None:
    """A certificate for clients, on a server."""
    serve(world, world.leaf(ocsp_urls=[], eku=[ExtendedKeyUsageOID.CLIENT_AUTH]), "")


@case
def root_not_trusted(world: World, stack: contextlib.ExitStack) -> None:
    """A private root that this machine does not know; the chain is sent with it."""
    other = Authority.root("Unknown Root")
    issued = other.intermediate("Unknown CA").issue([NAME])
    serve(world, issued, "", chain=issued.chain_pem + other.pem)


# The wrong certificate


@case
def old_certificate_served(world: World, stack: contextlib.ExitStack) -> None:
    """The files were replaced, and nobody reloaded."""
    old, new = world.leaf(), world.leaf(not_before=utc_now() - HOUR)
    serve(world, old, primed=True)
    assert world.nginx is not None
    world.nginx.vhosts[0].certificate.write_text(new.chain_pem)
    world.nginx.vhosts[0].key.write_text(new.key_pem)


@case
def old_certificate_served__revoked(world: World, stack: contextlib.ExitStack) -> None:
    """The same, and the old one is revoked by now: a reload is still all that is missing."""
    old_certificate_served(world, stack)
    assert world.nginx is not None
    serials = [serial for serial in world.ca.known if f"{serial}.crt" == world.nginx.vhosts[0].certificate.name]
    world.publish(serials)


@case
def old_certificate_at_some_addresses(world: World, stack: contextlib.ExitStack) -> dict[str, Any]:
    """One address was forgotten, and the certificate there is revoked."""
    old, new = world.leaf(), world.leaf(not_before=utc_now() - HOUR)
    first, second = world.vhost(new), world.vhost(old)
    world.start(first, second)
    world.prime()
    world.publish([old.serial])
    return {"listeners": [{"address": "127.0.0.1", "port": one.port} for one in (first, second)]}


@case
def certificate_expired(world: World, stack: contextlib.ExitStack) -> None:
    """It ended an hour ago."""
    serve(world, world.leaf(ocsp_urls=[], not_before=utc_now() - 9 * DAY, not_after=utc_now() - HOUR), "")


@case
def certificate_not_yet_valid(world: World, stack: contextlib.ExitStack) -> None:
    """It begins tomorrow."""
    serve(world, world.leaf(ocsp_urls=[], not_before=utc_now() + DAY), "")


@case
def name_not_in_certificate(world: World, stack: contextlib.ExitStack) -> None:
    """The server block has a certificate for another name."""
    serve(world, world.leaf("other.example.org"), primed=True)


# Client certificates


def client(world: World, stack: contextlib.ExitStack, *, by: Authority | None = None, **wanted: Any) -> Issued:
    """A client certificate, which the diagnosis is told to present."""
    wanted.setdefault("ocsp_urls", [])
    wanted.setdefault("eku", [ExtendedKeyUsageOID.CLIENT_AUTH])
    issued = world.leaf("client.example.org", by=by, **wanted)
    certificate = world.write("client.pem", issued.chain_pem)
    world.options["client_certificate"] = str(certificate)
    world.options["client_key"] = str(world.write("client.key", issued.key_pem))
    return issued


def at_openssl(world: World, stack: contextlib.ExitStack, **how: Any) -> dict[str, Any]:
    """The listener of an OpenSSL server, which answers with alerts."""
    own = world.leaf(ocsp_urls=[])
    port = stack.enter_context(openssl_server(world.place, own, world.issuing, **how))
    return {"listeners": [{"address": "127.0.0.1", "port": port}]}


def mutual(world: World, crls: str = "", how: str = "on") -> str:
    """Directives with which nginx verifies client certificates."""
    accepted = world.write("clients.pem", world.issuing.pem + world.root.pem)
    found = [f"ssl_client_certificate {accepted};", f"ssl_verify_client {how};", "ssl_verify_depth 3;"]
    return "\n".join([*found, *([f"ssl_crl {world.write('clients.crl', crls)};"] if crls else [])])


@case
def client_certificate_revoked(world: World, stack: contextlib.ExitStack) -> dict[str, Any]:
    """Alert 44, after a TLS 1.3 handshake that looked fine."""
    issued = client(world, stack)
    world.publish([issued.serial])
    return at_openssl(world, stack, crl=world.issuing.crl([issued.serial]))


@case
def client_certificate_revoked__not_published(world: World, stack: contextlib.ExitStack) -> dict[str, Any]:
    """Alert 44 from a peer that knows of the revocation before it is published."""
    issued = client(world, stack)
    return at_openssl(world, stack, crl=world.issuing.crl([issued.serial]))


@case
def client_certificate_revoked__nginx(world: World, stack: contextlib.ExitStack) -> None:
    """nginx sends no alert, but a page with status 400."""
    issued = client(world, stack)
    world.publish([issued.serial])
    crls = crl_pem(world.issuing.crl([issued.serial])) + crl_pem(world.root.crl())
    serve(world, world.leaf(ocsp_urls=[]), mutual(world, crls))


@case
def client_certificate_expired(world: World, stack: contextlib.ExitStack) -> dict[str, Any]:
    """The same alert 45 as for a stale CRL, but here it is true."""
    client(world, stack, not_before=utc_now() - 9 * DAY, not_after=utc_now() - HOUR)
    return at_openssl(world, stack, crl=world.issuing.crl())


@case
def client_certificate_required(world: World, stack: contextlib.ExitStack) -> dict[str, Any]:
    """Alert 116."""
    return at_openssl(world, stack, checks=False)


@case
def client_certificate_required__nginx(world: World, stack: contextlib.ExitStack) -> None:
    """nginx's page "No required SSL certificate was sent"."""
    serve(world, world.leaf(ocsp_urls=[]), mutual(world))


@case
def client_ca_not_accepted(world: World, stack: contextlib.ExitStack) -> None:
    """A client certificate of a CA that nginx does not name."""
    client(world, stack, by=Authority.root("Another Root"), crl_urls=[])
    serve(world, world.leaf(ocsp_urls=[]), mutual(world))


@case
def client_certificate_refused(world: World, stack: contextlib.ExitStack) -> dict[str, Any]:
    """A certificate for servers, presented as a client's."""
    client(world, stack, eku=[ExtendedKeyUsageOID.SERVER_AUTH])
    return at_openssl(world, stack, checks=False)


@case
def peer_crl_stale(world: World, stack: contextlib.ExitStack) -> dict[str, Any]:
    """Alert 45, although the client certificate is valid: the peer's CRL expired."""
    client(world, stack)
    old = world.issuing.crl(this_update=utc_now() - 8 * DAY, next_update=utc_now() - DAY)
    return at_openssl(world, stack, crl=old)


@case
def peer_crl_stale__nginx(world: World, stack: contextlib.ExitStack) -> None:
    """nginx read its ssl_crl at a reload, a week ago."""
    client(world, stack)
    old = world.issuing.crl(this_update=utc_now() - 8 * DAY, next_update=utc_now() - DAY)
    serve(world, world.leaf(ocsp_urls=[]), mutual(world, crl_pem(old) + crl_pem(world.root.crl())))


@case
def peer_crl_stale__reported(world: World, stack: contextlib.ExitStack) -> None:
    """A client's log has alert 45 about a server certificate that is in order."""
    serve(world, world.leaf(), primed=True)
    world.options["reported_alerts"] = [45]


@case
def peer_crl_missing(world: World, stack: contextlib.ExitStack) -> dict[str, Any]:
    """Alert 48, although the CA is known: the peer checks revocation and has no CRL."""
    client(world, stack)
    return at_openssl(world, stack)


@case
def peer_crl_missing__nginx(world: World, stack: contextlib.ExitStack) -> None:
    """nginx wants the CRL of each CA in the chain, the root's too."""
    client(world, stack)
    serve(world, world.leaf(ocsp_urls=[]), mutual(world, crl_pem(world.issuing.crl())))


@case
def peer_crl_missing__reported(world: World, stack: contextlib.ExitStack) -> None:
    """A client's log has alert 48, and the chain is whole."""
    serve(world, world.leaf(), primed=True)
    world.options["reported_alerts"] = [48]


@case
def peer_crl_missing__logged(world: World, stack: contextlib.ExitStack) -> None:
    """The same, and nobody said so: it is in the error log of nginx, which notes what clients answer."""
    noting = f"error_log {world.place / 'alerts.log'} info;"
    vhost = world.vhost(world.leaf(), world.stapling(noting))
    world.start(vhost)
    world.prime()
    at = f"127.0.0.1:{vhost.port}"
    checking = ["-CAfile", str(world.place / "root.pem"), "-crl_check", "-verify_return_error"]
    asking = ["openssl", "s_client", "-connect", at, "-servername", NAME, *checking]
    assert subprocess.run(asking, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False).returncode


@case
def peer_sees_revoked(world: World, stack: contextlib.ExitStack) -> None:
    """A client's log has alert 44, and no source calls the certificate revoked."""
    serve(world, world.leaf(), primed=True)
    world.options["reported_alerts"] = [44]


# Clocks


@case
def clock_skew_responder(world: World, stack: contextlib.ExitStack) -> None:
    """The CA's servers live in tomorrow."""
    world.ca.ahead = 86400.0
    serve(world, world.leaf(), primed=True)


# Dead ends


def listener(port: int, address: str = "127.0.0.1", **more: Any) -> dict[str, Any]:
    return {"listeners": [{"address": address, "port": port, **more}]}


@case
def endpoint_refused(world: World, stack: contextlib.ExitStack) -> dict[str, Any]:
    """Nothing listens."""
    return listener(closed_port())


@case
def endpoint_blocked(world: World, stack: contextlib.ExitStack) -> dict[str, Any]:
    """No SYN is answered."""
    return listener(stack.enter_context(deaf_port()))


@case
def endpoint_not_tls(world: World, stack: contextlib.ExitStack) -> dict[str, Any]:
    """A mail server talks at once, and not TLS."""
    return listener(stack.enter_context(plain_text_server()).port)


@case
def endpoint_not_tls__nginx(world: World, stack: contextlib.ExitStack) -> None:
    """nginx without ``ssl`` in its listen."""

    class Plain(Vhost):
        @property
        def text(self) -> str:
            return super().text.replace(" ssl;", ";", 1)

    tls = world.vhost(world.leaf(), "")
    world.start(Plain(tls.names, tls.certificate, tls.key))


@case
def endpoint_handshake_failed(world: World, stack: contextlib.ExitStack) -> dict[str, Any]:
    """The peer ends the handshake before it shows anything."""
    return listener(stack.enter_context(alerting_server(40)).port)


@case
def endpoint_handshake_failed__silent(world: World, stack: contextlib.ExitStack) -> dict[str, Any]:
    """The peer accepts the connection and never says a word."""
    return listener(stack.enter_context(silent_server(20)).port)


@case
def endpoint_not_tls__no_greeting(world: World, stack: contextlib.ExitStack) -> dict[str, Any]:
    """TLS at once, where a mail server was declared that asks for it first."""
    serve(world, world.leaf(), primed=True)
    assert world.nginx is not None
    return listener(world.nginx.vhosts[0].port, starttls="smtp")


@case
def host_look_failed(world: World, stack: contextlib.ExitStack) -> None:
    """The folder of the certificates is open to everybody, so nothing below it is believed."""
    world.modules.root.mkdir()
    world.modules.root.chmod(0o777)
    serve(world, world.leaf(), primed=True)


@case
def endpoint_name_not_resolved(world: World, stack: contextlib.ExitStack) -> dict[str, Any]:
    """The name of the endpoint does not exist."""
    return listener(443, "shop.certops.invalid")
