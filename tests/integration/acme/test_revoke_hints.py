# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renewal information (RFC 9773) as a sign that a revocation is visible, behind CRL and OCSP, and never in the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.action import certificate_revoke
from ansible_collections.certops.rotation.plugins.module_utils._core.ari import cert_id
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificate,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme import open_acme
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import open_acme_client
from ansible_collections.certops.rotation.tests.support.acme_orders import ordered
from ansible_collections.certops.rotation.tests.support.acme_proxy import AcmeProxy
from ansible_collections.certops.rotation.tests.support.action import run_action
from ansible_collections.certops.rotation.tests.support.pebble import IS_HERE, Pebble
from ansible_collections.certops.rotation.tests.support.pki import Authority, make_key

pytestmark = pytest.mark.skipif(not IS_HERE, reason="pebble is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    place = tmp_path_factory.mktemp("acme") / "pebble"
    with Pebble(place, environment={"PEBBLE_VA_ALWAYS_VALID": "1"}) as running:
        yield running


@pytest.fixture
def proxy(server: Pebble) -> Iterator[AcmeProxy]:
    with AcmeProxy(server) as made:
        yield made


@pytest.fixture
def chain(proxy: AcmeProxy) -> str:
    """Of Pebble, so it names neither CRL nor OCSP."""
    return ordered(open_acme_client(entry_of(proxy)), ["shop.example.org"], make_key())


def entry_of(proxy: AcmeProxy, **more: Any) -> dict[str, Any]:
    return proxy.pebble.issuer(**{"directory_url": proxy.directory_url, "timeout": 5, **more})


def window(*hours: float) -> tuple[str, ...]:
    now = datetime.now(timezone.utc)
    return tuple((now + timedelta(hours=one)).strftime("%Y-%m-%dT%H:%M:%SZ") for one in hours)


def name_of(chain: str) -> str:
    return str(cert_id(read_certificate(chain.encode())))


def revoke(proxy: AcmeProxy, *chains: str, phase: str, **more: Any) -> Any:
    """The rotations after a phase, of certificates on their own."""
    arguments = {
        "certificates": [{"pem": chain, "reason": "superseded"} for chain in chains],
        "issuers": {"public": entry_of(proxy)},
        "revoke_first": True,
        "phase": phase,
        "deadline": 0,
        "timeout": 2,
        **more,
    }
    result = run_action(certificate_revoke.ActionModule, arguments)
    assert not result.get("failed"), result
    return [one for of_host in result["rotations"].values() for one in of_host]


def test_window_that_passes_with_the_revocation_makes_it_visible(proxy: AcmeProxy, chain: str) -> None:
    name = name_of(chain)
    entry = entry_of(proxy)
    proxy.hint(name, *window(500, 510))
    certificate = read_certificate(chain.encode())
    # Remembered for six hours, and asked all the same.
    assert open_acme("public", entry).renewal_hint(certificate, at=datetime.now(timezone.utc)) is not None
    [revoked] = revoke(proxy, chain, phase="revoke")
    assert revoked["revocation"]["state"] == "revoked"
    proxy.hint(name, *window(-1, -0.5))
    [confirmed] = revoke(proxy, chain, phase="confirm")
    assert confirmed["revocation"]["state"] == "visible" and confirmed["times"]["visible"]
    [place] = confirmed["revocation"]["seen_in"]
    assert (place["kind"], place["url"]) == ("ari", f"https://{proxy.host}/renewal-info/{name}")
    assert "warnings" not in confirmed
    assert proxy.asked("/renewal-info/") == 2
    # What it said is what the next run knows.
    hint = open_acme("public", entry).renewal_hint(certificate, at=datetime.now(timezone.utc))
    assert hint is not None and hint.is_past(datetime.now(timezone.utc)) and proxy.asked("/renewal-info/") == 2


def test_window_that_was_past_before_shows_nothing(proxy: AcmeProxy, chain: str) -> None:
    facts = certificate_facts(read_certificate(chain.encode()))
    proxy.hint(name_of(chain), *window(-1, -0.5))
    start, end = window(-9, -8)
    rotation = {
        "host": "web1",
        "name": "shop",
        "issuer": "public",
        "predecessor": {"serial": facts.serial, "certificate_pem": chain},
        "renewal_hints": {facts.sha256: {"window": {"start": start, "end": end}, "explanation_url": None}},
        "revocation": {"serial": facts.serial, "reason": "superseded", "state": "revoked"},
    }
    [confirmed] = revoke(proxy, phase="confirm", rotations={"web1": [rotation]})
    assert (confirmed["revocation"]["state"], confirmed["revocation"]["seen_in"]) == ("accepted_not_published", [])
    assert "names neither CRL nor OCSP" in confirmed["warnings"][0]


@pytest.mark.parametrize("fault", ["no directory", "no answer", "no window", "not asked", "not past"])
def test_without_a_sign_it_is_as_before(proxy: AcmeProxy, chain: str, fault: str) -> None:
    name = name_of(chain)
    entry: dict[str, Any] = {}
    if fault == "no directory":
        entry = {"directory_url": "https://127.0.0.1:1/dir"}
    elif fault == "no answer":
        proxy.offer_hints()
    elif fault == "no window":
        proxy.hint(name, "soon", "later")
    elif fault == "not asked":
        proxy.hint(name, *window(-1, -0.5))
        entry = {"ari": False}
    else:
        proxy.hint(name, *window(-1, 1))
    [confirmed] = revoke(proxy, chain, phase="confirm", issuers={"public": entry_of(proxy, **entry)})
    assert (confirmed["revocation"]["state"], confirmed["revocation"]["seen_in"]) == ("accepted_not_published", [])
    assert "names neither CRL nor OCSP" in confirmed["warnings"][0]


def test_window_that_passes_later_is_waited_for(proxy: AcmeProxy, chain: str) -> None:
    """As after a revocation that the CA needs a moment for."""
    name = name_of(chain)
    proxy.hint(name, *window(500, 510))
    later = threading.Timer(1.2, proxy.hint, (name, *window(-1, -0.5)))
    later.start()
    [confirmed] = revoke(proxy, chain, phase="confirm", deadline=20, poll_interval=0.2)
    later.join()
    assert confirmed["revocation"]["state"] == "visible"
    assert [one["kind"] for one in confirmed["revocation"]["seen_in"]] == ["ari"]
    assert "warnings" not in confirmed
    # After 0, 0.2, 0.6 and 1.4 seconds: no more often than ever longer pauses allow, and no longer than needed.
    assert 3 <= proxy.asked("/renewal-info/") <= 5


def test_it_is_waited_for_until_the_deadline_and_asked_ever_more_rarely(proxy: AcmeProxy, chain: str) -> None:
    proxy.hint(name_of(chain), *window(500, 510))
    began = time.monotonic()
    [confirmed] = revoke(proxy, chain, phase="confirm", deadline=3, poll_interval=0.1)
    assert 2.5 < time.monotonic() - began < 6
    assert (confirmed["revocation"]["state"], confirmed["revocation"]["seen_in"]) == ("accepted_not_published", [])
    assert "does not hint at it yet" in confirmed["warnings"][0]
    # After 0, 0.1, 0.3, 0.7 and 1.5 seconds, and at the end.
    assert 4 <= proxy.asked("/renewal-info/") <= 7


def test_what_passes_is_asked_again_and_a_limit_is_kept(proxy: AcmeProxy, chain: str) -> None:
    proxy.hint(name_of(chain), *window(-1, -0.5))
    proxy.say("/renewal-info/", b"busy", status=503, times=4)
    [confirmed] = revoke(proxy, chain, phase="confirm", deadline=30, poll_interval=0.1)
    assert confirmed["revocation"]["state"] == "visible"
    before = proxy.asked("/renewal-info/")
    proxy.refuse("/renewal-info/", "rateLimited", status=429)
    [confirmed] = revoke(proxy, chain, phase="confirm", deadline=30, poll_interval=0.1)
    assert confirmed["revocation"]["state"] == "accepted_not_published"
    assert proxy.asked("/renewal-info/") == before + 1


def test_a_window_in_the_past_before_is_not_waited_for(proxy: AcmeProxy, chain: str) -> None:
    facts = certificate_facts(read_certificate(chain.encode()))
    proxy.hint(name_of(chain), *window(-1, -0.5))
    start, end = window(-9, -8)
    rotation = {
        "host": "web1",
        "name": "shop",
        "issuer": "public",
        "predecessor": {"serial": facts.serial, "certificate_pem": chain},
        "renewal_hints": {facts.sha256: {"window": {"start": start, "end": end}, "explanation_url": None}},
        "revocation": {"serial": facts.serial, "reason": "superseded", "state": "revoked"},
    }
    [confirmed] = revoke(proxy, phase="confirm", rotations={"web1": [rotation]}, deadline=30)
    assert confirmed["revocation"]["state"] == "accepted_not_published" and proxy.asked("/renewal-info/") == 1


def test_where_a_crl_is_named_the_crl_decides(proxy: AcmeProxy) -> None:
    url = "http://127.0.0.1:1/ca.crl"
    chain = Authority.root().intermediate().issue(crl_urls=[url]).chain_pem
    proxy.hint(name_of(chain), *window(-1, -0.5))
    [confirmed] = revoke(proxy, chain, phase="confirm")
    assert confirmed["revocation"]["state"] == "accepted_not_published"
    assert [one["kind"] for one in confirmed["revocation"]["seen_in"]] == ["ari"]
    assert f"not yet to be seen in crl {url}" in confirmed["warnings"][0]
    assert "visible" not in confirmed.get("times", {})
