# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every cause that a diagnosis can name: its code, what it is, what to do, and what it explains.

The order is that of gravity: of two causes of the same certainty, the one further up is named first.
"""

from __future__ import annotations

import dataclasses

CERTAINTIES = ("certain", "likely", "possible")


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of cause."""

    code: str
    sentence: str
    remedy: str
    explains: frozenset[str] = frozenset()
    """codes of what follows from this cause, and is not named beside it"""
    fixable: bool = False
    """whether the collection can repair it where the files are its own"""


_ASKING = (
    "responder_not_resolved",
    "responder_refused",
    "responder_blocked",
    "responder_proxied",
    "responder_slow",
    "responder_http_error",
)
_ANSWERING = ("responder_try_later", "responder_unauthorized", "responder_error")
_SIGNING = (
    "ocsp_signer_expired",
    "ocsp_signer_without_purpose",
    "ocsp_signer_of_another_ca",
    "ocsp_signature_invalid",
)
_NO_STAPLE = frozenset({"must_staple_without_staple", "staple_not_primed", "staple_missing"})
_TO_ASK = frozenset({*_NO_STAPLE, "staple_stale"})
_BY_DATES = frozenset(
    {
        "certificate_expired",
        "certificate_not_yet_valid",
        "crl_stale",
        "staple_stale",
        "ocsp_response_stale",
        "ocsp_signer_expired",
        "peer_crl_stale",
    }
)
_BY_CLIENT_CRL = frozenset({"peer_crl_stale", "peer_crl_missing", "client_certificate_refused"})

KINDS: tuple[Kind, ...] = (
    Kind(
        "endpoint_name_not_resolved",
        "the name of the endpoint has no address",
        "correct the DNS record, or the address in rotate_certificates or diagnose_address",
        frozenset({"endpoint_refused", "endpoint_blocked", "host_not_reachable_by_ssh"}),
    ),
    Kind(
        "endpoint_refused",
        "nothing listens at the endpoint",
        "start the server, or correct the port; look at its error log for why it did not start",
    ),
    Kind(
        "endpoint_blocked",
        "no packet comes back from the endpoint: a firewall drops them, or the host is down",
        "open the port in the firewalls between here and there, or bring the host back",
        frozenset({"host_not_reachable_by_ssh"}),
    ),
    Kind(
        "endpoint_not_tls",
        "something answers at the endpoint, and it does not speak TLS",
        "correct the port, give the listener its starttls, or add ssl to nginx's listen",
    ),
    Kind(
        "endpoint_handshake_failed",
        "the handshake breaks off before a certificate is shown",
        "compare protocol versions and ciphers of both sides; look into the server's error log",
    ),
    Kind(
        "clock_skew_client",
        "the clock of this machine is wrong: certificates, CRLs and OCSP responses look expired or not yet valid",
        "set the clock and keep it with NTP (timedatectl set-ntp true); then look again",
        _BY_DATES | {"clock_skew_host", "clock_skew_responder", "clock_skew_unclear"},
    ),
    Kind(
        "clock_skew_host",
        "the clock of the host is wrong: its server takes fresh OCSP responses for stale or not yet valid ones",
        "set the clock of the host and keep it with NTP (timedatectl set-ntp true); then reload the server",
        _TO_ASK | {"clock_skew_unclear", "peer_crl_stale"},
    ),
    Kind(
        "clock_skew_responder",
        "the clock of the CA's server is wrong, so its answers are of another time",
        "tell the CA; nothing on this side is wrong",
        frozenset({"ocsp_response_stale", "crl_stale", "clock_skew_unclear"}),
    ),
    Kind(
        "clock_skew_unclear",
        "two clocks differ, and no third one tells which of them is wrong",
        "compare both with a third clock (chronyc tracking, timedatectl) and set the wrong one",
    ),
    Kind(
        "old_certificate_served",
        "the host has another certificate on disk than its server serves: a reload is missing",
        "reload the server; diagnose_fix does it",
        frozenset({"certificate_revoked", "certificate_expired", *_NO_STAPLE, "staple_of_another_certificate"}),
        fixable=True,
    ),
    Kind(
        "old_certificate_at_some_addresses",
        "some addresses of the name serve another certificate than the others",
        "bring the newer certificate to the addresses that the evidence names, and reload the servers there",
        frozenset({"certificate_revoked", "certificate_expired", "old_certificate_served"}),
    ),
    Kind(
        "certificate_revoked",
        "the certificate is revoked",
        "replace it under a fresh key: ansible-playbook certops.rotation.rotate",
        frozenset({*_TO_ASK, "stapling_off", "stapling_ignored", "certificate_expired"}),
    ),
    Kind(
        "client_certificate_revoked",
        "the client certificate is revoked, so the server refuses it (alert 44; under TLS 1.3 after the handshake)",
        "get a new client certificate under a fresh key; the old one will not be accepted again",
        _BY_CLIENT_CRL,
    ),
    Kind(
        "client_certificate_expired",
        "the client certificate is outside its validity",
        "renew the client certificate",
        _BY_CLIENT_CRL,
    ),
    Kind(
        "certificate_expired",
        "the certificate has expired",
        "replace it: ansible-playbook certops.rotation.rotate",
        frozenset({*_TO_ASK, "crl_stale", "ocsp_response_stale", "responder_unauthorized"}),
    ),
    Kind(
        "certificate_not_yet_valid",
        "the certificate is not valid yet",
        "wait, or have it issued again by a CA whose clock is right; check the clocks first",
    ),
    Kind(
        "name_not_in_certificate",
        "the certificate does not stand for the name that clients ask for",
        "have it issued for this name too, or correct server_name, so that the right server block answers",
    ),
    Kind(
        "intermediate_missing",
        "the server does not send the intermediate certificate, so clients that do not know it have no path",
        "let ssl_certificate name leaf and intermediates (fullchain.pem), not the leaf alone",
        frozenset({"trust_without_issuer", "root_not_trusted", "stapling_ignored", *_NO_STAPLE}),
    ),
    Kind(
        "chain_disordered",
        "the server sends its certificates in the wrong order, and strict clients give up",
        "write the leaf first, then each certificate followed by the one that signed it",
        frozenset({"root_not_trusted"}),
    ),
    Kind(
        "chain_invalid",
        "clients refuse the chain that the server sends",
        "have the certificate issued again, or correct the chain file as the evidence says",
        frozenset({"root_not_trusted"}),
    ),
    Kind(
        "root_not_trusted",
        "the chain is whole, but its root is not trusted here",
        "give the root in diagnose_trust_anchors or rotate_issuers, and install it where clients need it",
    ),
    *(
        Kind(code, sentence, remedy, _TO_ASK | {"ocsp_response_stale", "stapling_ignored"})
        for code, sentence, remedy in (
            (
                "responder_not_resolved",
                "the name of the OCSP responder cannot be resolved",
                "correct the resolver of the machine that the evidence names (/etc/resolv.conf, nginx's resolver)",
            ),
            (
                "responder_refused",
                "the OCSP responder refuses connections: nothing listens there, or a firewall rejects them",
                "ask the CA whether the responder runs; check firewalls for TCP to its port (80: OCSP is plain HTTP)",
            ),
            (
                "responder_blocked",
                "packets to the OCSP responder are dropped on the way",
                "open TCP to the responder's port (80, never UDP) in the firewall, or staple from a file",
            ),
            (
                "responder_proxied",
                "a proxy stands between and answers in place of the OCSP responder, or is the only way to it",
                "let the proxy pass OCSP through; nginx uses no proxy, so staple from a file (stapling: file)",
            ),
            (
                "responder_slow",
                "the OCSP responder accepts connections and answers too late",
                "tell the CA; until it is fast again, staple from a file (stapling: file)",
            ),
            (
                "responder_http_error",
                "the OCSP responder's web server answers with an HTTP error",
                "compare the URL in the certificate with what the CA documents; tell the CA",
            ),
            (
                "responder_try_later",
                "the OCSP responder is too busy (tryLater)",
                "wait some minutes and look again; staple from a file in the meantime",
            ),
            (
                "responder_unauthorized",
                "the OCSP responder has no record of the certificate, or will not tell (unauthorized)",
                "just issued: wait 15 minutes; expired: replace it; else the certificate names the wrong responder",
            ),
            (
                "responder_error",
                "the OCSP responder answers with an error, or with something that is no OCSP response",
                "tell the CA, with the evidence",
            ),
            (
                "ocsp_signer_expired",
                "the certificate of the OCSP responder has expired, so its answers count for nothing",
                "tell the CA: its responder needs a new certificate; no root store on this side helps",
            ),
            (
                "ocsp_signer_without_purpose",
                "the certificate that signed the OCSP response is not for OCSP signing (extendedKeyUsage)",
                "tell the CA: a delegated responder needs id-kp-OCSPSigning (RFC 6960 4.2.2.2)",
            ),
            (
                "ocsp_signer_of_another_ca",
                "the OCSP response is signed by a certificate that this CA did not issue",
                "tell the CA: the responder must be certified by the very CA of the certificate; "
                "updating root stores does not help",
            ),
            (
                "ocsp_signature_invalid",
                "the signature of the OCSP response does not hold",
                "something on the way changes it, or the responder is broken: compare from another network",
            ),
        )
    ),
    Kind(
        "ocsp_response_stale",
        "the OCSP responder answers with a response that has expired",
        "tell the CA; a cache on the way may also keep old answers",
        frozenset({"staple_stale", *_NO_STAPLE}),
    ),
    Kind(
        "crl_not_available",
        "the CRL that the certificate names cannot be fetched",
        "see the evidence for what is in the way; CAs must publish it (CA/B Forum BR 4.9.7)",
        frozenset({"peer_crl_missing"}),
    ),
    Kind(
        "crl_stale",
        "the CRL that the CA publishes has expired; clients that check CRLs refuse everything of this CA (alert 45)",
        "tell the CA; of an internal CA: ansible-playbook certops.rotation.internal_ca publishes a fresh one",
        frozenset({"peer_crl_stale"}),
    ),
    Kind(
        "crl_not_trusted",
        "the CRL does not count: its signature, its signer or its scope is wrong",
        "tell the CA, with the evidence",
    ),
    Kind(
        "trust_without_issuer",
        "neither chain file nor trust file of the server holds the certificate's issuer, so it can not be stapled",
        "let ssl_trusted_certificate name issuer, intermediates and root; fullchain.pem is not enough",
        _NO_STAPLE | {"stapling_ignored", "trust_without_root"},
        fixable=True,
    ),
    Kind(
        "trust_without_root",
        "ssl_stapling_verify is on and the trust file has no root, so the server refuses every OCSP response",
        "let ssl_trusted_certificate name issuer, intermediates and root; fullchain.pem has no root",
        _NO_STAPLE,
        fixable=True,
    ),
    Kind(
        "staple_of_another_certificate",
        "the stapled OCSP response is about another certificate",
        "one ssl_stapling_file belongs to one certificate: fetch one for this, and reload",
        frozenset({"must_staple_without_staple"}),
        fixable=True,
    ),
    Kind(
        "staple_stale",
        "the stapled OCSP response has expired, and is served for ever",
        "fetch a fresh one and reload (ansible-playbook certops.rotation.staple), and do so on a timer",
        frozenset({"must_staple_without_staple"}),
        fixable=True,
    ),
    Kind(
        "staple_invalid",
        "the stapled OCSP response does not count",
        "fetch another one and reload; the evidence tells what is wrong with it",
        frozenset({"must_staple_without_staple"}),
        fixable=True,
    ),
    Kind(
        "must_staple_without_staple",
        "the certificate demands a staple (Must-Staple) and the server sends none",
        "have it issued without Must-Staple, or staple from a file (stapling: file)",
        frozenset({"stapling_off", "stapling_ignored", "staple_not_primed", "staple_missing"}),
    ),
    Kind(
        "stapling_ignored",
        "nginx ignores ssl_stapling, with no more than a warning",
        "without an OCSP URL in the certificate take ssl_stapling out; else do what nginx's own words say",
        frozenset({"staple_not_primed", "staple_missing"}),
        fixable=True,
    ),
    Kind(
        "staple_not_primed",
        "some handshakes carry a staple and others none: each worker of nginx fetches its own, after its first one",
        "shake hands until every worker has one (diagnose_fix does), or staple from a file, which is there at once",
        frozenset({"staple_missing"}),
        fixable=True,
    ),
    Kind(
        "staple_missing",
        "stapling is on and no handshake carried a staple",
        "read the server's error log on OCSP; the evidence has its last words",
    ),
    Kind(
        "stapling_off",
        "the certificate names an OCSP responder and the server does not staple",
        "only clients that insist on a staple mind; for them, set ssl_stapling on or stapling: file",
    ),
    Kind(
        "client_ca_not_accepted",
        "the server does not accept client certificates of this CA",
        "add the CA to ssl_client_certificate on the server, or use a certificate of a CA that it names",
        _BY_CLIENT_CRL,
    ),
    Kind(
        "client_certificate_required",
        "the server wants a client certificate and got none",
        "give one in diagnose_client_certificate and diagnose_client_key",
    ),
    Kind(
        "peer_crl_stale",
        "the peer's copy of the CRL has expired: it answers alert 45 (certificate_expired) to a certificate in order",
        "fetch the CRL anew on the peer and reload it there (nginx reads ssl_crl at reload only), on a timer",
        frozenset({"client_certificate_refused"}),
    ),
    Kind(
        "peer_crl_missing",
        "the peer checks revocation and has no CRL of the issuer: it answers alert 48 (unknown_ca)",
        "give the peer the CRLs of the whole chain, the root's too, and reload it",
        frozenset({"client_certificate_refused"}),
    ),
    Kind(
        "client_certificate_refused",
        "the server refuses the client certificate",
        "look into the server's error log; compare the purpose of the certificate (clientAuth) and its chain",
    ),
    Kind(
        "peer_sees_revoked",
        "a peer says alert 44 to a certificate that no source calls revoked",
        "look which certificate it was shown (old copies behind other addresses), and which CRL it uses",
    ),
    Kind(
        "revocation_status_unknown",
        "whether the certificate is revoked could not be found out",
        "the reasons in the evidence are explained in the guide about verdicts",
    ),
    Kind(
        "host_not_reachable_by_ssh",
        "Ansible does not reach the host, while clients do reach its endpoint: nothing was looked at on the host",
        "make ssh work (ansible -m ping), then look again; what clients see is judged all the same",
    ),
    Kind(
        "host_look_failed",
        "the look at the host failed",
        "do what the message says, then look again; what clients see is judged all the same",
    ),
)

BY_CODE: dict[str, Kind] = {kind.code: kind for kind in KINDS}
RANK: dict[str, int] = {kind.code: number for number, kind in enumerate(KINDS)}
