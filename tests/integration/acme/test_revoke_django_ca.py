# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Revocation at django-ca: by each of the three rights, and seen afterwards in OCSP and CRL as clients see it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.action.certificate_revoke import ActionModule
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificate,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.jose import sign
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import open_acme_client
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import (
    REVOCATION_REASONS,
    Revocation,
    TakesKeySignatures,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.registry import open_issuer
from ansible_collections.certops.rotation.tests.support import django_ca
from ansible_collections.certops.rotation.tests.support.acme_orders import expired, ordered
from ansible_collections.certops.rotation.tests.support.action import run_action
from ansible_collections.certops.rotation.tests.support.pki import Authority, key_pem, make_key

pytestmark = pytest.mark.skipif(not django_ca.IS_HERE, reason="django-ca is not installed")
NAMES = ["a.example.org", "b.example.org"]


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Iterator[django_ca.DjangoCa]:
    with django_ca.DjangoCa(tmp_path_factory.mktemp("acme") / "django-ca") as running:
        yield running


def certified(ca: django_ca.DjangoCa, key: Any = None, *, not_after: datetime | None = None) -> str:
    """A certificate that the CA's usual account ordered."""
    return ordered(open_acme_client(ca.issuer()), NAMES, key or make_key(), ca.answer, not_after=not_after)


def serial(chain: str) -> str:
    return certificate_facts(read_certificate(chain.encode())).serial


def revoke(ca: django_ca.DjangoCa, chain: str, reason: str = "superseded", **more: Any) -> dict[str, Any]:
    issuer = more.pop("issuer", {})
    entry = {"pem": chain, "reason": reason, **more.pop("entry", {})}
    issuers = {"public": ca.issuer(revocation_reasons=sorted(REVOCATION_REASONS), **issuer)}
    return run_action(
        ActionModule, {"certificates": [entry], "issuers": issuers, "revoke_first": True, "poll_interval": 0.2, **more}
    )


def outcome(result: dict[str, Any]) -> tuple[str, str | None]:
    assert not result.get("failed"), result
    [one] = result["revocations"]
    return one["state"], one["by"]


@pytest.mark.parametrize("reason", sorted(REVOCATION_REASONS))
def test_each_reason_is_taken_once_and_fine_a_second_time(ca: django_ca.DjangoCa, reason: str) -> None:
    chain = certified(ca)
    assert outcome(revoke(ca, chain, reason)) == ("revoked", "account")
    again = revoke(ca, chain, reason)
    assert outcome(again) == ("already_revoked", None) and not again["changed"]


def test_account_that_controls_the_names_may_revoke_once_it_has_proven_that(
    ca: django_ca.DjangoCa, tmp_path: Path
) -> None:
    chain, other = certified(ca), {"state_dir": str(tmp_path / "state")}
    refused = revoke(ca, chain, issuer=other)
    assert refused["code"] == "acme_unauthorized" and "authorize" in refused["remedy"]
    before = set(ca.challenges.iterdir())
    assert outcome(revoke(ca, chain, issuer=other, authorize=True)) == ("revoked", "authorizations")
    assert set(ca.challenges.iterdir()) == before


def test_account_that_cannot_prove_control_may_not(ca: django_ca.DjangoCa, tmp_path: Path) -> None:
    chain = certified(ca)
    (tmp_path / "elsewhere").mkdir()
    challenge = {"type": "http-01", "method": "directory", "directory": str(tmp_path / "elsewhere")}
    other = {"state_dir": str(tmp_path / "state"), "challenge": challenge}
    refused = revoke(ca, chain, issuer=other, authorize=True)
    assert refused["failed"] and refused["code"].startswith("acme_")
    assert outcome(revoke(ca, chain)) == ("revoked", "account")


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_certificates_key_may_without_any_account(ca: django_ca.DjangoCa, tmp_path: Path, kind: str) -> None:
    key, path = make_key(kind), tmp_path / "leaked.pem"
    path.write_text(key_pem(key))
    chain = certified(ca, key)
    nobody = {"state_dir": str(tmp_path / "state"), "create_account": False}
    result = revoke(ca, chain, "keyCompromise", issuer=nobody, entry={"key_path": str(path)})
    assert outcome(result) == ("revoked", "certificate_key")


def test_signature_of_another_key_is_refused(ca: django_ca.DjangoCa) -> None:
    chain, issuer = certified(ca), open_issuer("public", {"public": ca.issuer()})
    assert isinstance(issuer, TakesKeySignatures)
    with pytest.raises(Exception, match="not revoked"):
        issuer.revoke_by_key(Revocation(chain, "keyCompromise"), lambda data: sign(make_key(), data))
    assert outcome(revoke(ca, chain)) == ("revoked", "account")


def test_certificate_of_a_foreign_ca_has_a_clear_error(ca: django_ca.DjangoCa) -> None:
    foreign = Authority.root("Somebody Else's Root").issue(NAMES)
    result = revoke(ca, foreign.chain_pem)
    assert result["failed"] and "Somebody Else's Root" in result["msg"] and result["remedy"]


@pytest.mark.parametrize("way", ["account", "authorizations", "certificate_key"])
def test_expired_certificate_is_refused_as_expired(ca: django_ca.DjangoCa, tmp_path: Path, way: str) -> None:
    """The CA says that it finds no such certificate, by whatever right it is asked; we know better what that means."""
    key, path = make_key(), tmp_path / "key.pem"
    path.write_text(key_pem(key))
    # The CA cuts it down to the minute.
    chain = expired(certified(ca, key, not_after=datetime.now(timezone.utc) + timedelta(seconds=3)))
    more: dict[str, Any] = {
        "account": {},
        "authorizations": {"issuer": {"state_dir": str(tmp_path / "state")}, "authorize": True},
        "certificate_key": {"entry": {"key_path": str(path)}},
    }
    refused = revoke(ca, chain, "superseded", **more[way])
    assert refused["failed"] and refused["code"] == "certificate_expired"
    assert "expired at" in refused["msg"] and "Nothing is left to do" in refused["remedy"]
    assert not refused["changed"]


def test_revocation_is_seen_in_ocsp_at_once_and_in_the_crl_when_it_is_made(ca: django_ca.DjangoCa) -> None:
    chain = certified(ca)
    assert outcome(revoke(ca, chain, "keyCompromise"))[0] == "revoked"
    half = revoke(ca, chain, "keyCompromise", phase="confirm", deadline=0.5)
    [seen] = half["revocations"]
    assert seen["state"] == "visible" and [one["kind"] for one in seen["seen_in"]] == ["ocsp"]
    [rotation] = half["rotations"]["localhost"]
    assert "not yet to be seen in crl" in rotation["warnings"][0]
    ca.publish()
    [whole] = revoke(ca, chain, "keyCompromise", phase="confirm", deadline=10)["revocations"]
    assert {one["kind"] for one in whole["seen_in"]} == {"ocsp", "crl"}
