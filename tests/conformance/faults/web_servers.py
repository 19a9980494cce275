# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that break in HTTP, or below it. What they would have to say, is right."""

from __future__ import annotations

import gzip
import zlib

from ansible_collections.certops.rotation.tests.conformance.faults.responders import response
from ansible_collections.certops.rotation.tests.conformance.faults.server import Answer, Asked, broken, fault

PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"
GZIP = {"Content-Encoding": "gzip"}
SMALL = 1 << 16


def moved(location: str, status: int = 302) -> Answer:
    return Answer(status=status, headers={"Location": location})


@fault
def crl_not_found(asked: Asked) -> Answer:
    """404, with a page."""
    return Answer(PAGE, status=404)


@fault
def crl_gone(asked: Asked) -> Answer:
    """410: the shard was given up."""
    return Answer(status=410)


@fault
def crl_forbidden(asked: Asked) -> Answer:
    """403 from a firewall."""
    return Answer(PAGE, status=403)


@fault
def crl_not_found_but_signed(asked: Asked) -> Answer:
    """A valid CRL in the body of a 404: an error page is not what was asked for."""
    return Answer(asked.ca.crl(), status=404)


@fault
def crl_no_content(asked: Asked) -> Answer:
    """204."""
    return Answer(status=204)


@fault
def crl_not_modified(asked: Asked) -> Answer:
    """304 to somebody who has nothing."""
    return Answer(status=304)


@fault
def crl_half_of_it(asked: Asked) -> Answer:
    """206: a part, although all was asked for."""
    return Answer(asked.ca.crl()[:50], status=206, headers={"Content-Range": "bytes 0-49/400"})


@fault
def crl_server_error(asked: Asked) -> Answer:
    """500, each time."""
    return Answer(status=500)


@broken(retries=1)
def crl_server_error_that_passes(asked: Asked) -> Answer:
    """500 the first time; asked again as the operator allows."""
    return Answer(status=500) if asked.count == 1 else Answer(asked.ca.crl())


@broken(retries=1)
def crl_unavailable_for_a_second(asked: Asked) -> Answer:
    """503 with ``Retry-After: 1``, and after that second all is well."""
    return Answer(status=503, headers={"Retry-After": "1"}) if asked.count == 1 else Answer(asked.ca.crl())


@broken(retries=1)
def crl_unavailable_for_an_hour(asked: Asked) -> Answer:
    """503 with ``Retry-After: 3600``: nobody waits for that."""
    return Answer(status=503, headers={"Retry-After": "3600"})


@fault
def ocsp_too_many_requests(asked: Asked) -> Answer:
    """429, which has nothing to do with the hash of the CertID."""
    return Answer(status=429, headers={"Retry-After": "60"})


@fault
def ocsp_not_found(asked: Asked) -> Answer:
    """404, for each hash."""
    return Answer(PAGE, status=404)


@fault
def ocsp_server_error(asked: Asked) -> Answer:
    """500, once and for all."""
    return Answer(status=500)


@fault
def ocsp_page_for_people(asked: Asked) -> Answer:
    """200 and the page of a captive portal."""
    return Answer(PAGE, headers={"Content-Type": "text/html"})


@fault
def crl_page_for_people(asked: Asked) -> Answer:
    """The same for a CRL."""
    return Answer(PAGE, headers={"Content-Type": "text/html"})


@fault
def ocsp_empty_body(asked: Asked) -> Answer:
    """200, and nothing."""
    return Answer()


@fault
def crl_empty_body(asked: Asked) -> Answer:
    """200, and nothing."""
    return Answer()


@fault
def ocsp_truncated(asked: Asked) -> Answer:
    """Half of the response, and an orderly end of it."""
    whole = response(asked)
    return Answer(whole[: len(whole) // 2])


@broken(timeout=0.4)
def ocsp_never_answers(asked: Asked) -> Answer:
    """The connection is accepted, and then nothing."""
    return Answer(response(asked), silence=30)


@broken(timeout=0.4)
def crl_never_answers(asked: Asked) -> Answer:
    """The same for a CRL."""
    return Answer(asked.ca.crl(), silence=30)


@broken(timeout=0.4)
def crl_drips(asked: Asked) -> Answer:
    """A byte now and then, so that no single read takes long; the request as a whole does."""
    return Answer(asked.ca.crl(), drip=0.1)


@broken(timeout=0.4)
def ocsp_drips(asked: Asked) -> Answer:
    """The same from a responder."""
    return Answer(response(asked), drip=0.1)


@fault
def crl_reset(asked: Asked) -> Answer:
    """The connection is reset instead of an answer."""
    return Answer(raw=b"", reset=True)


@broken(retries=1)
def crl_reset_that_passes(asked: Asked) -> Answer:
    """Reset the first time, asked again."""
    return Answer(raw=b"", reset=True) if asked.count == 1 else Answer(asked.ca.crl())


@fault
def ocsp_reset(asked: Asked) -> Answer:
    """The same from a responder."""
    return Answer(raw=b"", reset=True)


@fault
def crl_closed_without_a_word(asked: Asked) -> Answer:
    """An orderly end of the connection before any answer."""
    return Answer(raw=b"")


@fault
def crl_reset_in_the_middle(asked: Asked) -> Answer:
    """Reset after half of the CRL."""
    body = asked.ca.crl()
    return Answer(body[: len(body) // 2], headers={"Content-Length": str(len(body))}, reset=True)


@fault
def crl_not_http(asked: Asked) -> Answer:
    """Another service listens on that port."""
    return Answer(raw=b"220 mail.vectors.example ESMTP\r\n")


@fault
def crl_without_head(asked: Asked) -> Answer:
    """The bare CRL, as HTTP/0.9 would send it."""
    return Answer(raw=asked.ca.crl())


@fault
def crl_a_thousand_headers(asked: Asked) -> Answer:
    """More header fields than anybody needs."""
    return Answer(asked.ca.crl(), headers={f"X-Field-{number}": "x" for number in range(1000)})


@fault
def crl_a_long_header(asked: Asked) -> Answer:
    """A header field of 100,000 bytes."""
    return Answer(asked.ca.crl(), headers={"X-Field": "x" * 100_000})


@fault
def crl_longer_than_announced(asked: Asked) -> Answer:
    """A Content-Length that cuts the CRL."""
    return Answer(asked.ca.crl(), headers={"Content-Length": "100"})


@fault
def crl_shorter_than_announced(asked: Asked) -> Answer:
    """A Content-Length of more than comes."""
    return Answer(asked.ca.crl(), headers={"Content-Length": "100000"})


@fault
def crl_of_unknown_length(asked: Asked) -> Answer:
    """No Content-Length: the end of the connection is the end of the CRL, as in HTTP/1.0."""
    return Answer(asked.ca.crl(), headers={"Content-Length": ""})


@fault
def crl_of_a_negative_length(asked: Asked) -> Answer:
    """``Content-Length: -1``."""
    return Answer(asked.ca.crl(), headers={"Content-Length": "-1"})


@fault
def crl_in_chunks(asked: Asked) -> Answer:
    """For comparison: chunked, as it should be."""
    body = asked.ca.crl()
    chunks = b"64\r\n" + body[:100] + b"\r\n" + b"%x\r\n" % (len(body) - 100) + body[100:] + b"\r\n0\r\n\r\n"
    return Answer(chunks, headers={"Transfer-Encoding": "chunked", "Content-Length": ""})


@fault
def crl_in_chunks_of_garbage(asked: Asked) -> Answer:
    """Chunked, with a size that is no number."""
    return Answer(b"zz\r\nnonsense\r\n", headers={"Transfer-Encoding": "chunked", "Content-Length": ""})


@fault
def crl_in_chunks_without_end(asked: Asked) -> Answer:
    """Chunked, and the last chunk never comes."""
    body = asked.ca.crl()
    chunks = b"%x\r\n" % len(body) + body + b"\r\n"
    return Answer(chunks, headers={"Transfer-Encoding": "chunked", "Content-Length": ""})


@broken(max_bytes=SMALL)
def crl_endless(asked: Asked) -> Answer:
    """Zeros without end and without length."""
    return Answer(bytes(4096), headers={"Content-Length": ""}, endless=True)


@broken(max_bytes=SMALL)
def crl_announced_as_huge(asked: Asked) -> Answer:
    """A Content-Length of a tebibyte, and the bytes to it."""
    return Answer(bytes(4096), headers={"Content-Length": str(1 << 40)}, endless=True)


@fault
def ocsp_huge(asked: Asked) -> Answer:
    """Two mebibytes from a responder: more than any response has reason to have, whatever CRLs are allowed."""
    return Answer(response(asked) + bytes(2 << 20))


@fault
def crl_gzip(asked: Asked) -> Answer:
    """Compressed, although nobody asked for that: a web server with ``ca.crl.gz`` on its disk."""
    return Answer(gzip.compress(asked.ca.crl()), headers=GZIP)


@fault
def crl_deflate(asked: Asked) -> Answer:
    """The same with deflate."""
    return Answer(zlib.compress(asked.ca.crl()), headers={"Content-Encoding": "deflate"})


@fault
def crl_gzip_that_is_none(asked: Asked) -> Answer:
    """Said to be compressed, and is not."""
    return Answer(asked.ca.crl(), headers=GZIP)


@fault
def crl_gzip_cut_off(asked: Asked) -> Answer:
    """Compressed, and the end is missing."""
    return Answer(gzip.compress(asked.ca.crl())[:-12], headers=GZIP)


@broken(max_bytes=SMALL)
def crl_gzip_bomb(asked: Asked) -> Answer:
    """Ten mebibytes of zeros in ten kilobytes."""
    return Answer(gzip.compress(bytes(10 << 20)), headers=GZIP)


@fault
def crl_brotli(asked: Asked) -> Answer:
    """An encoding that the client does not know."""
    return Answer(asked.ca.crl(), headers={"Content-Encoding": "br"})


@fault
def crl_moved(asked: Asked) -> Answer:
    """For comparison: a redirect to where the CRL is."""
    return moved(asked.server.url("crl_nothing_wrong"), 301)


@fault
def ocsp_moved(asked: Asked) -> Answer:
    """For comparison: a redirect, request and all."""
    return Answer(response(asked)) if asked.rest.startswith("/moved") else moved(f"/ocsp/moved/moved{asked.rest}", 307)


@fault
def crl_moved_in_circles(asked: Asked) -> Answer:
    """A redirect to itself."""
    return moved(asked.server.url("crl_moved_in_circles"))


@fault
def crl_moved_too_often(asked: Asked) -> Answer:
    """One redirect more than is followed."""
    return Answer(asked.ca.crl()) if asked.count > 4 else moved(asked.server.url("crl_moved_too_often", "/on"))


@fault
def crl_moved_nowhere(asked: Asked) -> Answer:
    """302 without Location."""
    return Answer(status=302)


@fault
def crl_moved_to_a_file(asked: Asked) -> Answer:
    """A redirect to ``file:``."""
    return moved("file:///etc/passwd")


@fault
def crl_moved_to_ldap(asked: Asked) -> Answer:
    """A redirect to ``ldap:``."""
    return moved("ldap://127.0.0.1/cn=CA?certificateRevocationList")


@fault
def crl_moved_to_the_metadata_service(asked: Asked) -> Answer:
    """A redirect to where a cloud tells secrets: link-local addresses are never asked."""
    return moved("http://169.254.169.254/latest/meta-data/")


@fault
def crl_moved_with_a_password(asked: Asked) -> Answer:
    """A redirect to a URL with a user name and a password."""
    return moved(f"http://user:password@127.0.0.1:{asked.server.port}/crl/nothing_wrong")


@fault
def crl_moved_to_a_closed_port(asked: Asked) -> Answer:
    """A redirect to where nobody listens."""
    return moved("http://127.0.0.1:9/ca.crl")


@broken(allow_private=False)
def crl_at_a_private_address(asked: Asked) -> Answer:
    """The operator allows public addresses only, and this is loopback."""
    return Answer(asked.ca.crl())


@broken(urls=lambda server: ["http://127.0.0.1:9/ca.crl"])
def crl_at_a_closed_port(asked: Asked) -> Answer:
    """Nobody listens there."""
    return Answer(asked.ca.crl())


@broken(urls=lambda server: ["ldap://127.0.0.1/cn=CA?certificateRevocationList"])
def crl_by_ldap(asked: Asked) -> Answer:
    """The only pointer is of a scheme that is not spoken."""
    return Answer(asked.ca.crl())


@broken(urls=lambda server: [f"https://127.0.0.1:{server.port}/crl/by_tls"])
def crl_by_tls(asked: Asked) -> Answer:
    """https, where plain HTTP is spoken."""
    return Answer(asked.ca.crl())
