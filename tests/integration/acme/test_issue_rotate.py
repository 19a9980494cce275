# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rotate.yml with real ACME servers: from a revoked certificate to a new serial that a real nginx serves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.ari import cert_id
from ansible_collections.certops.rotation.tests.support import django_ca
from ansible_collections.certops.rotation.tests.support.acme_proxy import AcmeProxy
from ansible_collections.certops.rotation.tests.support.challenge_folder import ChallengeFolder
from ansible_collections.certops.rotation.tests.support.dns_server import DnsServer
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, Served, must
from ansible_collections.certops.rotation.tests.support.pebble import IS_HERE, Pebble
from ansible_collections.certops.rotation.tests.support.plain_servers import ConfD

pytestmark = pytest.mark.skipif(not IS_HERE, reason="pebble is not installed")
NAME = "shop.example.org"


class Shop(LocalWorld):
    """nginx serves a certificate of the internal CA, and a public CA is to issue the next."""

    def begin(self, entry: dict[str, Any], *more: Any, names: list[str] | None = None, **options: Any) -> None:
        self.issuers["public"] = entry
        # Pebble publishes neither CRL nor OCSP.
        self.variables["rotate_visible_deadline"] = 0
        vhost = self.first_certificate("shop", names or [NAME], extra=self.snippet("shop"))
        self.start_nginx([vhost, *more])
        self.declare("shop", vhost, issuer="public", **options)

    def issuer_of(self, served: Served) -> str:
        return served.chain[0].issuer.rfc4514_string()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(tmp_path / "world") as world:
        world.make_ca()
        yield world


def test_by_http_01_from_a_folder_that_nginx_shows(shop: Shop, pebble: Pebble, tmp_path: Path) -> None:
    answers = tmp_path / "answers"
    answers.mkdir()
    conf_d = ConfD(shop.place / "nginx")
    conf_d.write(
        "http.conf",
        f"server {{ listen 127.0.0.1:{pebble.http_port}; location /.well-known/acme-challenge/"
        f" {{ alias {answers}/; }} }}",
    )
    challenge = {"type": "http-01", "method": "directory", "directory": str(answers)}
    shop.begin(pebble.issuer(challenge=challenge), conf_d)
    shop.revoke("shop")
    before = shop.served(NAME)
    must(shop.rotate())
    after = shop.served(NAME)
    assert (after.serial != before.serial, "Pebble" in shop.issuer_of(after)) == (True, True)
    assert shop.rotation("shop")["after"]["issuer"] == "public"
    assert list(answers.iterdir()) == []
    assert must(shop.rotate()).changed == {"web1": 0}


def test_a_wildcard_by_dns_01_with_updates(shop: Shop, tmp_path: Path) -> None:
    with DnsServer(["example.org"]) as dns, Pebble(tmp_path / "pebble", dns=dns.address) as pebble:
        challenge = {"type": "dns-01", "method": "rfc2136", "server": dns.address, "tsig": dns.tsig}
        shop.begin(pebble.issuer(challenge=challenge), names=["example.org", "*.example.org"])
        shop.revoke("shop")
        before = shop.served("example.org")
        must(shop.rotate())
        after = shop.served("example.org")
        assert (after.serial != before.serial, "Pebble" in shop.issuer_of(after)) == (True, True)
        assert dns.texts("_acme-challenge.example.org") == []
        assert len(dns.updates) == 4


@pytest.mark.skipif(not django_ca.IS_HERE, reason="django-ca is not installed")
def test_by_a_ca_with_ocsp_and_crl(shop: Shop, tmp_path: Path) -> None:
    with django_ca.DjangoCa(tmp_path / "django-ca") as ca:
        shop.begin(ca.issuer())
        shop.revoke("shop")
        must(shop.rotate())
        first = shop.served(NAME)
        assert "django-ca issuing" in shop.issuer_of(first)
        assert len(first.chain) == 2
        # The second is revoked at the CA that issued it, and that is seen in its OCSP.
        must(shop.rotate("-e", '{"rotate_force": true, "rotate_visible_deadline": 10}'))
        assert shop.served(NAME).serial != first.serial
        revocation = shop.rotation("shop")["revocation"]
        assert revocation["serial"] == first.serial
        assert "ocsp" in {one["kind"] for one in revocation["seen_in"]}


def test_a_renewal_window_in_the_past_rotates_and_the_reason_has_the_explanation(
    shop: Shop, pebble: Pebble, folder: ChallengeFolder, proxy: AcmeProxy
) -> None:
    shop.begin(pebble.issuer(challenge=folder.challenge, directory_url=proxy.directory_url))
    shop.revoke("shop")
    must(shop.rotate())
    first = shop.served(NAME)
    assert must(shop.rotate()).changed == {"web1": 0}
    past = [(datetime.now(timezone.utc) - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ") for hours in (2, 1)]
    proxy.hint(str(cert_id(first.chain[0])), *past, explanation="https://ca.example/incident")
    must(shop.rotate())
    assert shop.served(NAME).serial != first.serial
    [reason] = shop.rotation("shop")["decision"]["reasons"]
    assert reason["code"] == "renewal_overdue"
    assert "https://ca.example/incident" in reason["text"]
    assert proxy.orders[-1]["replaces"] == cert_id(first.chain[0])
    # The window was past before the revocation, so it shows nothing of it.
    revocation = shop.rotation("shop")["revocation"]
    assert (revocation["state"], revocation["seen_in"]) == ("accepted_not_published", [])
    assert must(shop.rotate()).changed == {"web1": 0}


def test_the_fallback_issues_where_the_public_ca_is_down_and_the_report_says_so(shop: Shop, tmp_path: Path) -> None:
    down = {"type": "acme", "directory_url": "https://127.0.0.1:1/directory", "state_dir": str(tmp_path / "state"),
            "timeout": 2, "fallback": ["internal"], "challenge": {"type": "dns-01", "server": "127.0.0.1"}}  # fmt: skip
    shop.begin(down)
    shop.revoke("shop")
    before = shop.served(NAME)
    must(shop.rotate())
    assert shop.served(NAME).serial != before.serial
    entry = shop.rotation("shop")
    assert entry["after"]["issuer"] == "internal"
    assert any("ISSUED BY internal because public did not" in text for text in entry["warnings"])
