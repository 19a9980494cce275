# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates from a real ACME server: what an order needs, what it survives, what is refused before it is asked."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.ari import cert_id
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificate
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers import acme_account
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme import AcmeIssuer, open_acme
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import open_acme_client
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Issued, Order
from ansible_collections.certops.rotation.tests.support.acme_proxy import AcmeProxy
from ansible_collections.certops.rotation.tests.support.challenge_folder import ChallengeFolder
from ansible_collections.certops.rotation.tests.support.dns_server import DnsServer
from ansible_collections.certops.rotation.tests.support.http_server import HttpServer
from ansible_collections.certops.rotation.tests.support.internal_ca import order
from ansible_collections.certops.rotation.tests.support.pebble import IS_HERE, Pebble
from ansible_collections.certops.rotation.tests.support.playbook import COLLECTIONS
from cryptography import x509

pytestmark = pytest.mark.skipif(not IS_HERE, reason="pebble is not installed")
NAMES = ["shop.example.org", "www.example.org"]


def granted(issuer: AcmeIssuer, *orders: Order) -> list[Issued]:
    outcomes = issuer.issue(orders)
    for one in outcomes:
        if isinstance(one, RotationError):
            raise AssertionError(one.as_result())
    return [one for one in outcomes if isinstance(one, Issued)]


def refused(issuer: AcmeIssuer, wanted: Order) -> RotationError:
    [outcome] = issuer.issue([wanted])
    assert isinstance(outcome, RotationError)
    return outcome


def account_of(entry: dict[str, Any]) -> str:
    return open_acme_client(entry).account_uri


def leaf(issued: Issued) -> x509.Certificate:
    return read_certificate(issued.chain_pem.encode())


def names(issued: Issued) -> list[str]:
    value = leaf(issued).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(one.value) for one in value]


# --- orders ---


def test_a_chain_its_root_and_nothing_left_behind(pebble: Pebble, folder: ChallengeFolder) -> None:
    issuer = open_acme("pebble", pebble.issuer(challenge=folder.challenge))
    [issued] = granted(issuer, order("shop", NAMES))
    assert sorted(names(issued)) == NAMES
    assert issued.trust_pem.count("BEGIN CERTIFICATE") == 2
    assert issued.trust_pem.endswith(pebble.root_pem.strip() + "\n")
    assert (issued.is_new, issued.warnings, folder.left_over) == (True, (), [])
    assert issuer.issued(leaf(issued)) is True


def test_the_same_request_again_gets_the_same_certificate_from_the_same_order(
    pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy
) -> None:
    entry = pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url)
    wanted = order("shop", NAMES)
    [first] = granted(open_acme("pebble", entry), wanted)
    # Another process would open it anew; two hosts that share a certificate are one order.
    again = granted(open_acme("pebble", entry), wanted, wanted)
    assert [one.chain_pem for one in again] == [first.chain_pem] * 2
    assert [one.is_new for one in again] == [False] * 2
    assert len(proxy.orders) == 1


def test_an_order_url_that_is_handed_in_is_taken_up_where_the_state_is_lost(
    pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy, tmp_path: Path
) -> None:
    key = tmp_path / "account.key"
    entry = pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url, account_key=str(key))
    wanted = order("shop", NAMES)
    [first] = granted(open_acme("pebble", entry), wanted)
    lost = {**entry, "state_dir": str(tmp_path / "elsewhere")}
    known = Order(wanted.host, wanted.name, wanted.csr_pem, wanted.server_names, order=first.order)
    assert granted(open_acme("pebble", lost), known)[0].chain_pem == first.chain_pem
    assert len(proxy.orders) == 1


def test_an_order_url_of_another_server_is_asked_nothing(
    pebble: Pebble, folder: ChallengeFolder, tmp_path: Path
) -> None:
    """The record that it came from lies on a host, which may not be whose we think it is."""
    entry = pebble.issuer(challenge=folder.challenge, state_dir=str(tmp_path / "state"))
    wanted = order("shop", NAMES)
    with HttpServer() as stranger:
        elsewhere = stranger.url("/my-order/1")
        given = Order(wanted.host, wanted.name, wanted.csr_pem, wanted.server_names, order=elsewhere)
        [issued] = granted(open_acme("pebble", entry), given)
        assert stranger.requests == []
    assert issued.is_new and issued.order != elsewhere


def test_half_of_all_nonces_refused(tmp_path: Path) -> None:
    with (
        Pebble(tmp_path / "pebble", nonce_reject=50) as pebble,
        ChallengeFolder(tmp_path / "web", pebble.http_port) as folder,
    ):
        issuer = open_acme("pebble", pebble.issuer(challenge=folder.challenge))
        assert len(granted(issuer, *(order(f"shop{number}") for number in range(8)))) == 8


def test_fifty_orders_run_side_by_side_and_one_refusal_stops_none(pebble: Pebble, folder: ChallengeFolder) -> None:
    issuer = open_acme("pebble", pebble.issuer(challenge=folder.challenge))
    orders = [order(f"shop{number}") for number in range(49)]
    orders.insert(20, order("staple", must_staple=False))
    broken = Order("web1", "broken", "nonsense", ("broken.example.org",))
    outcomes = issuer.issue([*orders, broken])
    assert [isinstance(one, Issued) for one in outcomes] == [True] * 50 + [False]
    for wanted, outcome in zip(orders, outcomes[:50], strict=True):
        assert isinstance(outcome, Issued)
        assert names(outcome) == list(wanted.server_names)


def test_ip_addresses(pebble: Pebble, folder: ChallengeFolder) -> None:
    [issued] = granted(open_acme("pebble", pebble.issuer(challenge=folder.challenge)), order("ip", ["127.0.0.1"]))
    assert names(issued) == ["127.0.0.1"]


def test_a_profile_the_ca_does_not_have_is_refused_before_it_is_asked_and_one_it_cannot_know_is_a_warning(
    pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy
) -> None:
    entry = pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url, profile="tlsserver")
    [issued] = granted(open_acme("pebble", entry), order("shop"))
    assert "offers no profiles" in issued.warnings[0]
    assert "profile" not in proxy.orders[0]
    proxy.meta["profiles"] = {"classic": "x"}
    with pytest.raises(RotationError) as raised:
        open_acme("pebble", entry).issue([order("shop")])
    assert raised.value.code == "acme_invalid_profile"
    granted(open_acme("pebble", {**entry, "profile": "classic"}), order("shop"))
    assert [one.get("profile") for one in proxy.orders] == [None, "classic"]


def test_another_chain_is_preferred(tmp_path: Path) -> None:
    with (
        Pebble(tmp_path / "pebble", environment={"PEBBLE_ALTERNATE_ROOTS": "2"}) as pebble,
        ChallengeFolder(tmp_path / "web", pebble.http_port) as folder,
    ):
        other = pebble.managed("/roots/2").decode()
        name = read_certificate(other.encode()).subject.rfc4514_string().removeprefix("CN=")
        entry = pebble.issuer(challenge=folder.challenge, preferred_chain=name, trust_anchors=[other])
        [issued] = granted(open_acme("pebble", entry), order("shop"))
        assert issued.trust_pem.endswith(other.strip() + "\n")
        [default] = granted(open_acme("pebble", {**entry, "preferred_chain": "Nobody"}), order("blog"))
        assert "offers no chain that ends in 'Nobody'" in default.warnings[0]


# --- challenges ---


def rfc2136(dns: DnsServer, **more: Any) -> dict[str, Any]:
    return {"type": "dns-01", "method": "rfc2136", "server": dns.address, "tsig": dns.tsig, **more}


def test_a_wildcard_and_its_base_by_dns_updates(tmp_path: Path) -> None:
    with DnsServer(["example.org"], hidden_answers=2) as dns, Pebble(tmp_path / "pebble", dns=dns.address) as pebble:
        issuer = open_acme("pebble", pebble.issuer(challenge=rfc2136(dns)))
        [issued] = granted(issuer, order("all", ["example.org", "*.example.org", "shop.example.org"]))
        assert sorted(names(issued)) == ["*.example.org", "example.org", "shop.example.org"]
        added = sorted(one[1:] for one in dns.updates if one[0] == "add")
        assert len([one for one in added if one[0] == "_acme-challenge.example.org"]) == 2
        assert sorted(one[1:] for one in dns.updates if one[0] == "remove") == added
        assert dns.texts("_acme-challenge.example.org") == []


def test_dns_01_by_a_command(tmp_path: Path, pebble: Pebble) -> None:
    script = tmp_path / "hook.py"
    script.write_text(
        "import json, os, urllib.request\n"
        f"base = 'http://127.0.0.1:{pebble.dns_management_port}/'\n"
        "action = {'provide': 'set-txt', 'withdraw': 'clear-txt'}[os.environ['ACME_ACTION']]\n"
        "data = {'host': os.environ['ACME_RECORD_NAME'] + '.', 'value': os.environ['ACME_RECORD_TEXT']}\n"
        "urllib.request.urlopen(urllib.request.Request(base + action, json.dumps(data).encode(), method='POST'))\n"
    )
    challenge = {"type": "dns-01", "method": "command", "command": [sys.executable, str(script)]}
    [issued] = granted(open_acme("pebble", pebble.issuer(challenge=challenge)), order("all", ["*.example.org"]))
    assert names(issued) == ["*.example.org"]


def test_http_01_by_a_command(folder: ChallengeFolder, pebble: Pebble) -> None:
    at = shlex.quote(str(folder.folder))
    script = (
        f'case $ACME_ACTION in provide) printf %s "$ACME_CONTENT" > {at}/$ACME_TOKEN;; *) rm {at}/$ACME_TOKEN;; esac'
    )
    challenge = {"type": "http-01", "method": "command", "command": ["sh", "-c", script]}
    granted(open_acme("pebble", pebble.issuer(challenge=challenge)), order("shop"))
    assert folder.left_over == []
    failing = {"type": "http-01", "method": "command", "command": ["sh", "-c", "echo no room; exit 3"]}
    error = refused(open_acme("pebble", pebble.issuer(challenge=failing)), order("shop2"))
    assert (error.code, "ended with 3: no room" in error.message) == ("challenge_failed", True)


def test_the_first_challenge_that_the_ca_offers_is_taken(tmp_path: Path) -> None:
    with (
        DnsServer(["example.org"]) as dns,
        Pebble(tmp_path / "pebble", dns=dns.address) as pebble,
        ChallengeFolder(tmp_path / "web", pebble.http_port) as folder,
    ):
        entry = pebble.issuer(challenge=[folder.challenge, rfc2136(dns)])
        granted(open_acme("pebble", entry), order("all", ["*.example.org", "shop.example.org"]))
        assert [one[1] for one in dns.updates if one[0] == "add"] == ["_acme-challenge.example.org"]
        assert folder.asked
        error = refused(open_acme("pebble", pebble.issuer(challenge=folder.challenge)), order("w", ["*.example.net"]))
        assert error.code == "acme_no_challenge"


def test_what_the_ca_finds_instead_of_the_answer_is_said(pebble: Pebble, folder: ChallengeFolder) -> None:
    elsewhere = {**folder.challenge, "directory": str(folder.root)}
    error = refused(open_acme("pebble", pebble.issuer(challenge=elsewhere)), order("shop"))
    assert error.code == "acme_unauthorized"
    assert "the CA did not accept the proof for shop.example.org" in error.message
    assert (error.facts["identifier"], folder.left_over) == ("shop.example.org", [])


def test_nobody_listens_where_the_ca_looks(pebble: Pebble, tmp_path: Path) -> None:
    (tmp_path / "nowhere").mkdir()
    challenge = {"type": "http-01", "method": "directory", "directory": str(tmp_path / "nowhere")}
    assert refused(open_acme("pebble", pebble.issuer(challenge=challenge)), order("shop")).code == "acme_connection"


def test_a_refused_order_is_not_taken_up_again(pebble: Pebble, folder: ChallengeFolder) -> None:
    wanted = order("shop")
    elsewhere = {**folder.challenge, "directory": str(folder.root)}
    assert refused(open_acme("pebble", pebble.issuer(challenge=elsewhere)), wanted).code == "acme_unauthorized"
    assert granted(open_acme("pebble", pebble.issuer(challenge=folder.challenge)), wanted)


# --- killed in between ---

_ISSUE = """
import json, sys
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme import open_acme
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Order
entry, csr, names = json.loads(sys.stdin.read())
print(open_acme("pebble", entry).issue([Order("web1", "shop", csr, tuple(names))]))
"""


@pytest.mark.parametrize("moment", ["/certZ/", "/finalize-order/", "/order-plz"])
def test_a_killed_run_is_continued(
    pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy, moment: str, tmp_path: Path
) -> None:
    """kill -9 of a real process while it waits for the certificate, for the end of finalize, or for its order."""
    import json

    entry = pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url)
    wanted = order("shop", NAMES)
    proxy.hold(moment)
    process = subprocess.Popen(
        [sys.executable, "-c", _ISSUE], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
    )  # fmt: skip
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps([entry, wanted.csr_pem, wanted.server_names]).encode())
        process.stdin.close()
        assert proxy.held.wait(30)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    proxy.release.set()
    finalized = proxy.asked("/finalize-order/")
    [issued] = granted(open_acme("pebble", entry), wanted)
    assert sorted(names(issued)) == NAMES
    # Killed before the order's URL was known, another order is all that can be made.
    assert len(proxy.orders) == (2 if moment == "/order-plz" else 1)
    if moment != "/order-plz":
        assert proxy.asked("/finalize-order/") == finalized == 1
    assert issued.is_new is (moment == "/order-plz")


# --- accounts ---


def test_external_account_binding(tmp_path: Path) -> None:
    with Pebble(tmp_path / "pebble", eab=True) as pebble, ChallengeFolder(tmp_path / "web", pebble.http_port) as folder:
        entry = pebble.issuer(challenge=folder.challenge)
        without = {name: value for name, value in entry.items() if name != "eab"}
        with pytest.raises(RotationError) as raised:
            open_acme("pebble", without).issue([order("shop")])
        assert raised.value.code == "acme_external_account_required"
        wrong = {**entry, "eab": {**entry["eab"], "kid": "nobody"}}
        with pytest.raises(RotationError) as raised:
            open_acme("pebble", wrong).issue([order("shop")])
        assert raised.value.code == "acme_unauthorized"
        assert granted(open_acme("pebble", entry), order("shop"))


def test_terms_are_agreed_to_by_the_user_alone(pebble: Pebble) -> None:
    with pytest.raises(RotationError) as raised:
        account_of(pebble.issuer(terms_agreed=False))
    assert raised.value.code == "acme_terms_not_agreed"
    assert raised.value.facts["terms"].startswith("data:text/plain")


def test_an_account_is_made_once_found_again_by_its_key_and_kept_up_to_date(
    pebble: Pebble, proxy: AcmeProxy, tmp_path: Path
) -> None:
    key = tmp_path / "keys" / "account.key"
    entry = pebble.issuer(
        directory_url=proxy.directory_url, account_key=str(key), contact=["admin@example.org"], terms_agreed=True
    )
    uri = open_acme_client(entry).account_uri
    assert key.stat().st_mode & 0o777 == 0o600
    asked = proxy.asked("/sign-me-up")
    assert open_acme_client(entry).account_uri == uri
    assert proxy.asked("/sign-me-up") == asked
    # A lost state, no terms, no right to make one: it is there.
    lost = {**entry, "state_dir": str(tmp_path / "other"), "terms_agreed": False, "create_account": False}
    assert open_acme_client(lost).account_uri == uri
    changed = open_acme_client({**entry, "contact": ["mailto:other@example.org"]})
    assert changed.account_uri == uri
    assert changed.post(uri, None).json()["contact"] == ["mailto:other@example.org"]
    content = {name: value for name, value in entry.items() if name != "account_key"}
    from_vault = {**content, "account_key_content": key.read_text(), "state_dir": str(tmp_path / "third")}
    assert open_acme_client(from_vault).account_uri == uri


def test_no_account_is_made_where_none_may_be(pebble: Pebble, tmp_path: Path) -> None:
    with pytest.raises(RotationError) as raised:
        account_of(pebble.issuer(create_account=False))
    assert raised.value.code == "acme_account_key_missing"
    assert not list((tmp_path / "pebble" / "state").rglob("*.key"))


def test_a_new_account_key(pebble: Pebble, folder: ChallengeFolder) -> None:
    entry = pebble.issuer(challenge=folder.challenge)
    client = open_acme_client(entry)
    uri, old = client.account_uri, client.thumbprint
    new = acme_account.roll_over(client)
    assert (new != old, client.account_uri, client.thumbprint) == (True, uri, new)
    assert open_acme_client(entry).account_uri == uri
    assert granted(open_acme("pebble", entry), order("shop"))


def test_a_roll_over_that_was_cut_short_is_continued(pebble: Pebble, proxy: AcmeProxy) -> None:
    """The CA has the new key and the file has the old: neither is a second account made, nor is the first one lost."""
    entry = pebble.issuer(directory_url=proxy.directory_url)
    client = open_acme_client(entry)
    uri = client.account_uri
    key = acme_account.key_file(client.config, client.state)
    old = key.read_bytes()
    acme_account.roll_over(client)
    key.rename(key.with_name(key.name + ".new"))
    key.write_bytes(old)
    key.chmod(0o600)
    client.state.forget_account(open_acme_client(entry).thumbprint)
    with pytest.raises(RotationError) as raised:
        account_of(entry)
    assert raised.value.code == "acme_roll_over_unfinished"
    continued = open_acme_client(entry)
    acme_account.roll_over(continued)
    assert continued.account_uri == uri
    assert open_acme_client(entry).account_uri == uri


def test_an_account_that_ended_orders_nothing(pebble: Pebble, folder: ChallengeFolder) -> None:
    entry = pebble.issuer(challenge=folder.challenge)
    acme_account.deactivate(open_acme_client(entry))
    with pytest.raises(RotationError) as raised:
        open_acme("pebble", entry).issue([order("shop")])
    assert raised.value.code == "acme_unauthorized"


def test_a_server_that_has_lost_the_account_gets_it_anew(
    pebble: Pebble, folder: ChallengeFolder, tmp_path: Path
) -> None:
    entry = pebble.issuer(challenge=folder.challenge)
    client = open_acme_client(entry)
    client.state.remember_account(client.thumbprint, client.account_uri + "0", "[]")
    assert granted(open_acme("pebble", entry), order("shop"))


# --- what the CA says ---


TYPES = (
    "accountDoesNotExist alreadyRevoked badCSR badPublicKey badRevocationReason badSignatureAlgorithm caa compound"
    " connection dns externalAccountRequired incorrectResponse invalidContact malformed orderNotReady rateLimited"
    " rejectedIdentifier serverInternal tls unauthorized unsupportedContact unsupportedIdentifier userActionRequired"
).split()


def test_each_error_type_has_a_code_and_a_way_out(pebble: Pebble, proxy: AcmeProxy) -> None:
    """RFC 8555 section 6.7."""
    codes = set()
    for error in TYPES:
        proxy.refuse("/order-plz", error)
        found = refused(open_acme("pebble", pebble.issuer(directory_url=proxy.directory_url, timeout=1)), order("shop"))
        codes.add(found.code)
        assert found.code.replace("_", "") == f"acme{error}".lower()
        assert "refused for the test" in found.message
        assert len(found.remedy) > 20
    assert len(codes) == len(TYPES) == 23


def test_nonces_that_are_never_good_end_the_trying(pebble: Pebble, proxy: AcmeProxy) -> None:
    proxy.refuse("/sign-me-up", "badNonce", status=400)
    with pytest.raises(RotationError) as raised:
        account_of(pebble.issuer(directory_url=proxy.directory_url))
    assert raised.value.code == "acme_bad_nonce"
    assert 30 < proxy.asked("/sign-me-up") < 40


def test_rate_limits_tell_when_to_try_again(pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy) -> None:
    proxy.refuse("/order-plz", "rateLimited", status=429, retry_after="Sat, 28 Nov 2126 00:00:00 GMT")
    entry = pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url)
    found = refused(open_acme("pebble", entry), order("shop"))
    assert (found.code, found.facts["retry_at"]) == ("acme_rate_limited", "2126-11-28T00:00:00Z")
    assert "2126-11-28" in found.message


@pytest.mark.parametrize(("error", "status"), [("rateLimited", 429), ("serverInternal", 503)])
def test_a_short_wait_that_the_ca_wants_is_waited(
    pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy, error: str, status: int
) -> None:
    proxy.refuse("/order-plz", error, status=status, retry_after="1", times=1)
    entry = pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url)
    started = time.monotonic()
    assert granted(open_acme("pebble", entry), order("shop"))
    assert time.monotonic() - started >= 1


def test_subproblems_are_told(pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy) -> None:
    part = {
        "type": "urn:ietf:params:acme:error:caa",
        "detail": "CAA forbids",
        "identifier": {"type": "dns", "value": "www.example.org"},
    }
    proxy.refuse("/order-plz", "compound", subproblems=[part])
    entry = pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url)
    found = refused(open_acme("pebble", entry), order("shop"))
    assert "www.example.org: CAA forbids" in found.message
    assert "CAA records" in found.remedy


def test_an_order_that_takes_too_long_is_left_for_the_next_run(
    pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy
) -> None:
    wanted = order("shop")
    entry = pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url)
    stuck = b'{"status": "processing"}'
    proxy.say("/my-order/", stuck, Content_Type="application/json", Retry_After="3600")
    found = refused(open_acme("pebble", entry), wanted)
    assert (found.code, found.facts["status"]) == ("acme_order_timeout", "processing")
    proxy.say("/my-order/", stuck, times=0)
    assert granted(open_acme("pebble", entry), wanted)
    assert len(proxy.orders) == 1


def test_a_finalization_that_got_lost_is_done_again(pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy) -> None:
    proxy.refuse("/finalize-order/", "orderNotReady", times=1)
    entry = pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url)
    assert granted(open_acme("pebble", entry), order("shop"))
    proxy.say("/finalize-order/", b'{"status": "ready"}', times=1, Content_Type="application/json")
    assert granted(open_acme("pebble", entry), order("blog"))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/order-plz", b"<html>"), ("/order-plz", b"{}"), ("/my-order/", b"[]"), ("/authZ/", b'{"status": "pending"}'),
        ("/authZ/", b"\xff\xfe"), ("/finalize-order/", b"no"), ("/certZ/", b"{}"), ("/certZ/", b""),
    ],
)  # fmt: skip
def test_garbage_in_any_answer_is_an_error_and_no_traceback(
    pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy, path: str, body: bytes
) -> None:
    proxy.say(path, body, Content_Type="application/json")
    entry = pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url)
    assert refused(open_acme("pebble", entry), order("shop")).code == "acme_answer_invalid"


def test_a_token_that_would_leave_the_folder_is_no_token(
    pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy
) -> None:
    challenge = {"type": "http-01", "url": "x", "token": "../../evil", "status": "pending"}
    body = {"status": "pending", "identifier": {"type": "dns", "value": "a.example.org"}, "challenges": [challenge]}
    proxy.say("/authZ/", str(body).replace("'", '"').encode(), Content_Type="application/json")
    entry = pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url)
    assert refused(open_acme("pebble", entry), order("shop")).code == "acme_answer_invalid"
    assert not (folder.root / "evil").exists()


def test_a_certificate_for_another_key_is_not_taken(pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy) -> None:
    proxy.say("/certZ/", pebble.intermediate_pem.encode())
    entry = pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url)
    found = refused(open_acme("pebble", entry), order("shop"))
    assert "another key" in found.message


# --- before the CA is asked ---


def test_nothing_is_asked_for_what_cannot_be(pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy) -> None:
    entry = pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url, ocsp=False, max_names=2)
    issuer = open_acme("pebble", entry)
    staple = order("staple", must_staple=True)
    many = order("many", [f"{one}.example.org" for one in "abc"])
    codes = [one.code for one in issuer.issue([staple, many]) if isinstance(one, RotationError)]
    assert codes == ["must_staple_impossible", "too_many_names"]
    assert proxy.requests == []


def test_budgets_are_kept_over_runs(pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy) -> None:
    limits = {"orders": {"count": 4, "hours": 1}, "same_names": {"count": 2, "hours": 1}}
    entry = pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url, limits=limits)
    for _twice in range(2):
        granted(open_acme("pebble", entry), order("shop"))
    requests = len(proxy.requests)
    names = [[f"{name}.example.org"] for name in ("shop", "other0", "other1", "other2")]
    # A plan asks beforehand: the first is once too often, and of the new names two are left.
    assert {one.code for one in open_acme("pebble", entry).over_budget(names)} == {"acme_budget_exceeded"}
    assert len(open_acme("pebble", entry).over_budget(names)) == 2 and len(proxy.requests) == requests
    assert refused(open_acme("pebble", entry), order("shop")).code == "acme_budget_exceeded"
    outcomes = open_acme("pebble", entry).issue([order(f"other{number}") for number in range(4)])
    assert sum(isinstance(one, Issued) for one in outcomes) == 2
    left = [one for one in outcomes if isinstance(one, RotationError)]
    assert {one.code for one in left} == {"acme_budget_exceeded"}
    assert left[0].facts["retry_at"] > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert len(proxy.orders) == 4


# --- renewal information ---


def test_the_predecessor_is_named_and_left_out_where_it_has_a_successor(
    pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy
) -> None:
    issuer = open_acme("pebble", pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url))
    [first] = granted(issuer, order("shop"))
    assert "replaces" not in proxy.orders[0]
    proxy.offer_hints()
    issuer = open_acme("pebble", pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url))
    name = cert_id(leaf(first))
    granted(issuer, order("shop", predecessor_pem=first.chain_pem))
    assert proxy.orders[1]["replaces"] == name
    proxy.replaced(str(name))
    [third] = granted(issuer, order("shop", predecessor_pem=first.chain_pem))
    assert [one.get("replaces") for one in proxy.orders[2:]] == [name, None]
    assert third.warnings == ()


def test_a_certificate_of_another_ca_is_not_named(pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy) -> None:
    proxy.offer_hints()
    issuer = open_acme("pebble", pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url))
    granted(issuer, order("shop", predecessor_pem=pebble.ca_bundle.read_text()))
    assert "replaces" not in proxy.orders[0]


def test_hints_are_asked_for_no_more_often_than_the_ca_wants(
    pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy
) -> None:
    entry = pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url)
    [issued] = granted(open_acme("pebble", entry), order("shop"))
    certificate = leaf(issued)
    at = certificate.not_valid_before_utc
    # A directory without it is silently not used.
    assert open_acme("pebble", entry).renewal_hint(certificate, at=at) is None
    proxy.hint(
        str(cert_id(certificate)), "2026-11-20T00:00:00Z", "2026-11-20T01:00:00Z", explanation="https://x.example/"
    )
    for _twice in range(2):
        hint = open_acme("pebble", entry).renewal_hint(certificate, at=at)
        assert hint is not None
        assert hint.explanation_url == "https://x.example/"
    assert proxy.asked("/renewal-info/") == 1
    later = at + (certificate.not_valid_after_utc - at) / 2
    open_acme("pebble", entry).renewal_hint(certificate, at=later)
    assert open_acme("pebble", entry).renewal_hint(certificate, at=certificate.not_valid_after_utc) is None
    assert open_acme("pebble", {**entry, "ari": False}).renewal_hint(certificate, at=at) is None
