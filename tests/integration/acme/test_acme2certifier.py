# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A third ACME server, which no code of ours is part of: dns-persist-01 and renewal information as others read them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificate
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.jose import sign
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme import open_acme
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import open_acme_client
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import (
    Issued,
    Order,
    Receipt,
    Revocation,
)
from ansible_collections.certops.rotation.tests.support import acme2certifier
from ansible_collections.certops.rotation.tests.support.acme2certifier import Acme2Certifier
from ansible_collections.certops.rotation.tests.support.dns_server import DnsServer
from ansible_collections.certops.rotation.tests.support.internal_ca import order
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, Served, must
from ansible_collections.certops.rotation.tests.support.pki import Authority, make_key

pytestmark = pytest.mark.skipif(not acme2certifier.IS_HERE, reason="acme2certifier is not installed")
NAME = "shop.example.org"
RECORD = f"_validation-persist.{NAME}"


@pytest.fixture(scope="module")
def names() -> Iterator[DnsServer]:
    with DnsServer(["example.org"]) as made:
        yield made


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, names: DnsServer) -> Iterator[Acme2Certifier]:
    with Acme2Certifier(tmp_path_factory.mktemp("acme") / "a2c", dns=names.address) as running:
        yield running


def persisting(server: Acme2Certifier, names: DnsServer, **more: Any) -> dict[str, Any]:
    return server.issuer(challenge={"type": "dns-persist-01", "resolvers": [names.address], **more})


def set_record(server: Acme2Certifier, names: DnsServer, entry: dict[str, Any], name: str, more: str = "") -> None:
    account = open_acme_client(entry).account_uri
    names.set(f"_validation-persist.{name}", "TXT", f"{acme2certifier.IDENTITY}; accounturi={account}{more}")


def outcome(entry: dict[str, Any], wanted: Order) -> Issued | RotationError:
    [found] = open_acme("public", entry).issue([wanted])
    return found


def bought(server: Acme2Certifier, names: DnsServer, key: Any = None) -> Issued:
    entry = persisting(server, names)
    set_record(server, names, entry, NAME)
    issued = outcome(entry, order("shop", key=key))
    assert isinstance(issued, Issued), issued
    return issued


# --- the whole way ---


class Shop(LocalWorld):
    """nginx serves a certificate of the internal CA, which is revoked; the next comes from the public one."""

    def begin(self, entry: dict[str, Any]) -> Served:
        self.make_ca()
        self.issuers["public"] = entry
        # The certificates name neither CRL nor OCSP.
        self.variables["rotate_visible_deadline"] = 0
        vhost = self.first_certificate("shop", [NAME], extra=self.snippet("shop"))
        self.start_nginx([vhost])
        self.declare("shop", vhost, issuer="public")
        self.revoke("shop")
        return self.served(NAME)


def is_public(served: Served) -> bool:
    return "acme2certifier issuing" in served.chain[0].issuer.rfc4514_string()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(tmp_path / "world") as world:
        yield world


def test_from_revoked_to_served_with_a_record_that_is_set_once(shop: Shop, tmp_path: Path) -> None:
    with DnsServer(["example.org"]) as names, Acme2Certifier(tmp_path / "a2c", dns=names.address) as server:
        before = shop.begin(persisting(server, names))
        assert shop.rotate().returncode
        error = shop.rotation("shop")["error"]
        assert error["code"] == "acme_persist_record_missing" and shop.served(NAME).serial == before.serial
        # What it says is what is to be set, and nothing else is.
        record, text = error["remedy"].removeprefix("Set once: ").rstrip('"').split('. TXT "')
        names.set(record, "TXT", text)
        names.questions.clear()
        must(shop.rotate())
        first = shop.served(NAME)
        assert is_public(first) and first.serial != before.serial
        # Looked at by us, and then by the CA.
        assert names.questions.count((f"{RECORD}.", "TXT")) == 2
        assert must(shop.rotate()).changed == {"web1": 0}
        # The next one needs nothing of DNS: the record is there for good.
        shop.variables["rotate_force"] = True
        must(shop.rotate())
        second = shop.served(NAME)
        assert is_public(second) and second.serial != first.serial
        assert names.updates == [] and names.texts(RECORD) == [text]
        assert shop.rotation("shop")["revocation"]["by"] == "account"


def test_a_renewal_window_that_has_passed_rotates(shop: Shop, tmp_path: Path) -> None:
    """The server is set up to want everything back a second after it was issued."""
    window = "renewalthreshold_pctg: 0\nrenewal_window_duration: 1s"
    with (
        DnsServer(["example.org"]) as names,
        Acme2Certifier(tmp_path / "a2c", dns=names.address, window=window) as server,
    ):
        entry = persisting(server, names)
        set_record(server, names, entry, NAME)
        shop.begin(entry)
        must(shop.rotate())
        first = shop.served(NAME)
        must(shop.rotate())
        assert is_public(first) and shop.served(NAME).serial != first.serial
        [reason] = shop.rotation("shop")["decision"]["reasons"]
        assert reason["code"] == "renewal_overdue"


# --- dns-persist-01: the CA's own judgement, with ours switched off ---


@pytest.mark.parametrize(
    ("written", "is_good"),
    [
        ("{identity}; accounturi={account}", True),
        ("{identity}; accounturi={account}; persistUntil={later}", True),
        ("{identity}; accounturi={account}; persistUntil={earlier}", False),
        ("{identity}; accounturi={account}0", False),
        ("other.example; accounturi={account}", False),
        ("{identity}; policy=wildcard", False),
    ],
)
def test_the_ca_and_we_read_a_record_alike(
    server: Acme2Certifier, names: DnsServer, written: str, is_good: bool
) -> None:
    now = datetime.now(timezone.utc)
    account = open_acme_client(persisting(server, names)).account_uri
    words = {
        "identity": acme2certifier.IDENTITY,
        "account": account,
        "later": int((now + timedelta(days=1)).timestamp()),
        "earlier": int((now - timedelta(days=1)).timestamp()),
    }
    names.set("_validation-persist.alike.example.org", "TXT", written.format(**words))
    ours = outcome(persisting(server, names), order("alike"))
    theirs = outcome(persisting(server, names, check=False), order("alike"))
    if is_good:
        assert isinstance(ours, Issued) and isinstance(theirs, Issued), (ours, theirs)
    else:
        assert isinstance(ours, RotationError) and ours.code == "acme_persist_record_missing"
        assert isinstance(theirs, RotationError) and theirs.code == "acme_unauthorized"


@pytest.mark.parametrize("policy", ["", "; policy=wildcard"])
def test_a_wildcard_needs_its_policy(server: Acme2Certifier, names: DnsServer, policy: str) -> None:
    entry, wanted = persisting(server, names), order("wild", ["*.wild.example.org"])
    set_record(server, names, entry, "wild.example.org", policy)
    ours, theirs = outcome(entry, wanted), outcome(persisting(server, names, check=False), wanted)
    if policy:
        assert isinstance(ours, Issued) and isinstance(theirs, Issued)
    else:
        assert isinstance(ours, RotationError) and ours.code == "acme_persist_record_missing"
        assert isinstance(theirs, RotationError) and theirs.code == "acme_unauthorized"


# --- renewal information ---


def test_the_window_is_found_by_our_name_for_the_certificate(server: Acme2Certifier, names: DnsServer) -> None:
    """The name is made of key identifier and serial number: whoever gets a byte of it wrong gets 404 here."""
    entry = persisting(server, names)
    certificates = [read_certificate(bought(server, names).chain_pem.encode()) for _more in range(8)]
    # Among them, most likely, one whose serial number has a leading zero in DER.
    for certificate in certificates:
        at = certificate.not_valid_before_utc + timedelta(days=1)
        answer = open_acme("public", entry).renewal_hint_now(certificate, at=at)
        assert answer is not None
        hint, _url = answer
        assert hint.end == certificate.not_valid_after_utc
        assert hint.end - hint.start == timedelta(days=acme2certifier.VALIDITY_DAYS) * 0.15


def test_it_is_asked_no_more_often_than_the_server_wants(server: Acme2Certifier, names: DnsServer) -> None:
    entry = persisting(server, names)
    certificate = read_certificate(bought(server, names).chain_pem.encode())
    at = datetime.now(timezone.utc)

    def asked_at(moment: datetime) -> int:
        before = server.log.count("/acme/renewal-info/")
        assert open_acme("public", entry).renewal_hint(certificate, at=moment) is not None
        return server.log.count("/acme/renewal-info/") - before

    interval = timedelta(seconds=acme2certifier.RETRY_AFTER)
    assert asked_at(at) == 1
    assert asked_at(at + interval - timedelta(minutes=1)) == 0
    assert asked_at(at + interval + timedelta(minutes=1)) == 1


def test_nothing_is_said_of_a_certificate_that_the_server_does_not_know(
    server: Acme2Certifier, names: DnsServer
) -> None:
    foreign = Authority.root("Somebody Else").intermediate().issue([NAME]).certificate
    issuer = open_acme("public", persisting(server, names))
    assert issuer.renewal_hint(foreign, at=datetime.now(timezone.utc)) is None


# --- revocation ---


def test_the_account_revokes_and_the_key_is_refused_clearly(server: Acme2Certifier, names: DnsServer) -> None:
    """This server does not let a certificate's own key revoke it, whatever RFC 8555 section 7.6 says."""
    key = make_key()
    revocation = Revocation(bought(server, names, key).chain_pem, "superseded")
    issuer = open_acme("public", persisting(server, names))
    with pytest.raises(RotationError) as refused:
        issuer.revoke_by_key(revocation, lambda data: sign(key, data))
    assert refused.value.code == "acme_account_does_not_exist" and "is not revoked" in refused.value.message
    first, second = issuer.revoke([revocation])[0], issuer.revoke([revocation])[0]
    assert isinstance(first, Receipt) and (first.state, first.by) == ("revoked", "account")
    assert isinstance(second, Receipt) and second.state == "already_revoked"
