# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Revocation at a real ACME server (Pebble): by account and by the certificate's key, each reason, again, in vain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificate,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.jose import sign
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import AcmeClient, open_acme_client
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_revoke import (
    REASON_CODES,
    USUAL_REASONS,
    AcmeRevoker,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import REVOCATION_REASONS, Revocation
from ansible_collections.certops.rotation.tests.support import pebble
from ansible_collections.certops.rotation.tests.support.acme_orders import expired, ordered
from ansible_collections.certops.rotation.tests.support.pki import Authority, make_key
from cryptography.hazmat.primitives.asymmetric import ec

pytestmark = pytest.mark.skipif(not pebble.IS_HERE, reason="pebble is not installed")
TRUSTING = {"PEBBLE_VA_ALWAYS_VALID": "1"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pebble.Pebble]:
    """Half of all nonces are refused."""
    place = tmp_path_factory.mktemp("acme") / "pebble"
    with pebble.Pebble(place, nonce_reject=50, environment=TRUSTING) as running:
        yield running


@pytest.fixture
def client(server: pebble.Pebble) -> AcmeClient:
    return open_acme_client(server.issuer())


def never(names: Any) -> None:
    raise AssertionError("nothing was to be authorized")


def revoker(client: AcmeClient, accepted: frozenset[str] = REVOCATION_REASONS) -> AcmeRevoker:
    return AcmeRevoker(client, accepted=accepted, authorize=never)


def refusal(outcome: Any) -> RotationError:
    assert isinstance(outcome, RotationError), outcome
    return outcome


def serial(chain_pem: str) -> str:
    return certificate_facts(read_certificate(chain_pem.encode())).serial


@pytest.mark.parametrize("by_key", [False, True], ids=["account", "key"])
@pytest.mark.parametrize("reason", sorted(REVOCATION_REASONS))
def test_each_reason_arrives_and_a_second_time_is_fine(
    server: pebble.Pebble, client: AcmeClient, reason: str, by_key: bool
) -> None:
    key = make_key()
    chain = ordered(client, ["a.example.org", "b.example.org"], key)
    revocation = Revocation(chain, reason)

    def revoke() -> Any:
        if by_key:
            return revoker(client).revoke_by_key(revocation, lambda data: sign(key, data))
        [outcome] = revoker(client).revoke([revocation])
        return outcome

    first, second = revoke(), revoke()
    assert (first.serial, first.state, first.by) == (
        serial(chain),
        "revoked",
        "certificate_key" if by_key else "account",
    )
    assert (second.state, second.by) == ("already_revoked", None)
    said = server.revocation(first.serial)
    assert (said["Status"], said.get("Reason", 0)) == ("Revoked", REASON_CODES[reason])


@pytest.mark.parametrize("kind", ["rsa", "ec", "ec-secp384r1", "ec-secp521r1"])
def test_keys_of_each_kind_sign(server: pebble.Pebble, client: AcmeClient, kind: str) -> None:
    key = ec.generate_private_key(ec.SECP521R1()) if kind == "ec-secp521r1" else make_key(kind)
    revocation = Revocation(ordered(client, ["a.example.org"], key), "keyCompromise")
    assert revoker(client).revoke_by_key(revocation, lambda data: sign(key, data)).state == "revoked"


def test_key_needs_no_account_and_makes_none(server: pebble.Pebble, client: AcmeClient, tmp_path: Path) -> None:
    key = make_key()
    chain = ordered(client, ["a.example.org"], key)
    nobody = open_acme_client(server.issuer(state_dir=str(tmp_path / "state"), create_account=False))
    receipt = revoker(nobody).revoke_by_key(Revocation(chain, "keyCompromise"), lambda data: sign(key, data))
    assert receipt.by == "certificate_key"
    assert not list(tmp_path.rglob("*.pem")) and not list(tmp_path.rglob("*key*"))


def test_another_key_is_refused(server: pebble.Pebble, client: AcmeClient) -> None:
    chain = ordered(client, ["a.example.org"], make_key())
    with pytest.raises(RotationError) as refused:
        revoker(client).revoke_by_key(Revocation(chain, "keyCompromise"), lambda data: sign(make_key(), data))
    assert refused.value.code.startswith("acme_") and serial(chain) in refused.value.message
    assert server.revocation(serial(chain))["Status"] == "Valid"


def test_what_the_signer_cannot_do_comes_back_as_it_is(client: AcmeClient) -> None:
    chain = ordered(client, ["a.example.org"], make_key())

    def fails(data: bytes) -> bytes:
        raise RotationError("host_unreachable", "the host is away")

    with pytest.raises(RotationError) as refused:
        revoker(client).revoke_by_key(Revocation(chain, "keyCompromise"), fails)
    assert refused.value.code == "host_unreachable"


def test_many_at_once_have_their_own_outcomes(server: pebble.Pebble, client: AcmeClient) -> None:
    chains = [ordered(client, [f"n{number}.example.org"], make_key()) for number in range(6)]
    foreign = Authority.root().issue(["a.example.org"]).chain_pem
    outcomes = revoker(client).revoke([Revocation(one, "superseded") for one in [*chains[:3], foreign, *chains[3:]]])
    assert [isinstance(one, RotationError) for one in outcomes] == [False] * 3 + [True] + [False] * 3
    assert {server.revocation(serial(one))["Status"] for one in chains} == {"Revoked"}


def test_certificate_of_another_ca_is_refused_with_its_name(client: AcmeClient) -> None:
    foreign = Authority.root("Somebody Else's Root").issue(["a.example.org"])
    error = refusal(revoker(client).revoke([Revocation(foreign.chain_pem, "superseded")])[0])
    assert error.code.startswith("acme_") and "Somebody Else's Root" in error.message
    assert "revoke it" in error.remedy and error.facts["serial"]


def test_certificate_of_another_account_is_refused_with_what_to_do(
    server: pebble.Pebble, client: AcmeClient, tmp_path: Path
) -> None:
    chain = ordered(client, ["a.example.org"], make_key())
    stranger = open_acme_client(server.issuer(state_dir=str(tmp_path / "state")))
    error = refusal(revoker(stranger).revoke([Revocation(chain, "superseded")])[0])
    assert error.code == "acme_unauthorized" and "authorize" in error.remedy
    assert server.revocation(serial(chain))["Status"] == "Valid"


def test_another_account_proves_its_control_before_it_asks_again(
    server: pebble.Pebble, client: AcmeClient, tmp_path: Path
) -> None:
    """Pebble knows no such right; django-ca does."""
    chain, asked = ordered(client, ["a.example.org"], make_key()), []
    stranger = open_acme_client(server.issuer(state_dir=str(tmp_path / "state")))
    one = AcmeRevoker(stranger, accepted=USUAL_REASONS, authorize=lambda names: asked.append(tuple(names)))
    assert refusal(one.revoke([Revocation(chain, "superseded", authorize=True)])[0]).code == "acme_unauthorized"
    assert asked == [("a.example.org",)]


def test_reason_that_is_not_taken_is_refused_before_the_ca_is_asked() -> None:
    nowhere = open_acme_client({"directory_url": "https://127.0.0.1:1/dir"})
    chain = Authority.root().issue(["a.example.org"]).chain_pem
    error = refusal(revoker(nowhere, USUAL_REASONS).revoke([Revocation(chain, "privilegeWithdrawn")])[0])
    assert error.code == "reason_not_accepted" and "superseded" in error.remedy
    with pytest.raises(RotationError) as refused:
        revoker(nowhere, USUAL_REASONS).revoke_by_key(Revocation(chain, "affiliationChanged"), lambda data: b"")
    assert refused.value.code == "reason_not_accepted"


def test_server_that_is_down_is_said_to_be() -> None:
    nowhere = open_acme_client({"directory_url": "https://127.0.0.1:1/dir", "timeout": 1, "request_timeout": 1})
    chain = Authority.root().issue(["a.example.org"]).chain_pem
    assert refusal(revoker(nowhere).revoke([Revocation(chain, "superseded")])[0]).code == "acme_unreachable"


@pytest.mark.parametrize("by_key", [False, True], ids=["account", "key"])
def test_expired_certificate_is_revoked_by_a_server_that_does_that(tmp_path: Path, by_key: bool) -> None:
    """Pebble does not look at the dates: what has expired goes from valid to revoked like everything else."""
    with pebble.Pebble(tmp_path / "pebble", environment=TRUSTING, validity=1) as short:
        client, key = open_acme_client(short.issuer()), make_key()
        revocation = Revocation(expired(ordered(client, ["a.example.org"], key)), "superseded")

        def revoke() -> Any:
            if by_key:
                return revoker(client).revoke_by_key(revocation, lambda data: sign(key, data))
            return revoker(client).revoke([revocation])[0]

        first = revoke()
        assert (first.state, first.by) == ("revoked", "certificate_key" if by_key else "account")
        assert short.revocation(first.serial)["Status"] == "Revoked"
        assert revoke().state == "already_revoked"
