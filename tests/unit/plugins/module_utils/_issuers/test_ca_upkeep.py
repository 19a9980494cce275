# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refreshing: what is due when, and that nothing else is touched."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers import ca_creation, ca_upkeep
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_creation import Identity
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_publish import fetch_anew
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_responder import current_responder
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_store import CrlRecord
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Revocation
from ansible_collections.certops.rotation.tests.support.internal_ca import TestCa, leaf_of, make_ca, order
from ansible_collections.certops.rotation.tests.support.publisher import Publisher
from cryptography import x509
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID


def extension(holder: Any, kind: type[x509.ExtensionType]) -> x509.Extension[Any]:
    found: x509.Extension[Any] = holder.extensions.get_extension_for_class(kind)
    return found


def responses(ca: TestCa) -> list[ocsp.OCSPResponse]:
    files = [path for path in (ca.published / "ocsp").rglob("*") if path.is_file()]
    return [ocsp.load_der_ocsp_response(path.read_bytes()) for path in files]


def test_new_ca_publishes_at_once(ca: TestCa) -> None:
    assert sorted(path.name for path in ca.published.iterdir()) == [
        "intermediate.crl", "intermediate.crt", "root.crl", "root.crt",
    ]  # fmt: skip
    assert not ca_upkeep.what_is_due(ca.open(), at=ca.clock())


def test_files_of_the_ca_are_for_its_owner_alone(ca: TestCa) -> None:
    assert ca.directory.stat().st_mode & 0o777 == 0o700
    for name in ("root.key", "intermediate.key", "ocsp.pem", "ca.sqlite3", "config.json", "ca.lock"):
        assert (ca.directory / name).stat().st_mode & 0o777 == 0o600, name
    assert (ca.published / "intermediate.crl").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(("name", "users", "days"), [("intermediate.crl", True, 7), ("root.crl", False, 180)])
def test_crl_is_scoped_to_the_url_in_certificates(
    ca: TestCa, publisher: Publisher, name: str, users: bool, days: int
) -> None:
    crl = ca.crl(name)
    scope = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert scope.critical
    assert [one.value for one in scope.value.full_name or ()] == ([f"{publisher.url}/{name}"] if users else [])
    assert scope.value.only_contains_user_certs is users
    assert scope.value.only_contains_ca_certs is not users
    assert crl.last_update_utc == ca.clock()
    assert crl.next_update_utc == ca.clock() + timedelta(days=days)
    assert not extension(crl, x509.CRLNumber).critical
    assert extension(crl, x509.AuthorityKeyIdentifier)


def test_crl_is_refreshed_after_three_days_and_not_before(ca: TestCa) -> None:
    number = ca.crl_number()
    ca.clock.pass_by(days=2, hours=23)
    assert ca_upkeep.what_is_due(ca.open(), at=ca.clock()).crls == ()
    assert ca_upkeep.next_due(ca.open(), at=ca.clock()) == ca.clock() + timedelta(hours=1)
    ca.clock.pass_by(hours=1)
    assert ca.refresh().crls == ("intermediate",)
    assert ca.crl_number() > number
    assert ca.crl().last_update_utc == ca.clock()
    assert not ca.refresh()


def test_crl_of_the_root_is_refreshed_half_way(ca: TestCa) -> None:
    ca.clock.pass_by(days=90)
    assert ca.refresh().crls == ("root", "intermediate")


def test_crl_number_rises_even_when_the_clock_went_back(ca: TestCa) -> None:
    number = ca.crl_number()
    ca.clock.pass_by(days=-1)
    [issued] = ca.issued([order("shop")])
    ca.revoked([Revocation(issued.chain_pem, "superseded")])
    assert ca.crl_number() == number + 1


def test_store_refuses_a_crl_number_that_does_not_rise(ca: TestCa) -> None:
    with ca.open().store.reading() as records:
        latest = records.crl("intermediate")
    assert isinstance(latest, CrlRecord)
    with pytest.raises(RotationError) as caught, ca.open().store.writing() as records:
        records.save_crl(dataclasses.replace(latest, der=b"other"))
    assert caught.value.code == "crl_number"


def test_missing_and_changed_files_are_published_again(ca: TestCa) -> None:
    before = (ca.published / "intermediate.crl").read_bytes()
    (ca.published / "intermediate.crl").write_bytes(b"damaged")
    (ca.published / "root.crt").unlink()
    assert set(ca.refresh().files) == {"intermediate.crl", "root.crt"}
    assert (ca.published / "intermediate.crl").read_bytes() == before


def test_expired_certificate_leaves_the_crl_after_one_more(ca: TestCa) -> None:
    [issued] = ca.issued([order("shop")])
    ca.revoked([Revocation(issued.chain_pem, "superseded")])
    ca.clock.pass_by(days=45)
    ca.refresh()
    ca.clock.pass_by(days=3)
    ca.refresh()
    assert len(ca.crl()) == 1
    ca.clock.pass_by(days=3)
    ca.refresh()
    assert len(ca.crl()) == 0


def test_responses_are_signed_by_a_delegate_for_both_hashes(ca: TestCa) -> None:
    [issued] = ca.issued([order("shop")])
    found = responses(ca)
    assert {one.hash_algorithm.name for one in found} == {"sha1", "sha256"}
    for one in found:
        assert one.certificate_status == ocsp.OCSPCertStatus.GOOD
        assert one.serial_number == leaf_of(issued).serial_number
        assert one.this_update_utc == ca.clock()
        assert one.next_update_utc == ca.clock() + timedelta(hours=96)
        [delegate] = one.certificates
        delegate.verify_directly_issued_by(ca.open().intermediate_certificate)
        assert list(delegate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
            ExtendedKeyUsageOID.OCSP_SIGNING
        ]
        assert extension(delegate, x509.OCSPNoCheck)
        with pytest.raises(x509.ExtensionNotFound):
            extension(delegate, x509.CRLDistributionPoints)


def test_responses_are_refreshed_half_way(ca: TestCa) -> None:
    ca.issued([order(f"web{number}") for number in range(3)])
    ca.clock.pass_by(hours=47)
    assert ca.refresh().answers == 0
    ca.clock.pass_by(hours=1)
    assert ca.refresh().answers == 3
    assert {one.this_update_utc for one in responses(ca)} == {ca.clock()}
    assert not ca.refresh()


def test_responses_that_were_lost_are_published_again(ca: TestCa) -> None:
    ca.issued([order(f"web{number}") for number in range(3)])
    next(path for path in (ca.published / "ocsp").rglob("*") if path.is_file()).unlink()
    assert ca.refresh().answers == 1
    assert len(responses(ca)) == 6


def test_certificates_from_the_time_with_ocsp_are_answered_for_until_they_end(ca: TestCa) -> None:
    ca.issued([order("with")])
    plan = ca_creation.plan_present(ca.directory, {"ocsp": False}, Identity())
    ca_creation.apply_plan(ca.directory, plan, Identity(), None, at=ca.clock())
    ca.issued([order("without")])
    assert len(responses(ca)) == 2
    ca.clock.pass_by(days=31)
    due = ca.refresh()
    assert (due.answers, due.responder) == (1, True)
    ca.clock.pass_by(days=17)
    assert ca.refresh().expired == 1
    ca.clock.pass_by(days=30)
    assert not ca.refresh().responder


def test_responses_of_expired_certificates_are_withdrawn(ca: TestCa) -> None:
    ca.issued([order("shop")])
    ca.clock.pass_by(days=48)
    assert ca.refresh().expired == 1
    assert responses(ca) == []
    assert not ca.refresh()


def test_revoked_stays_revoked_in_refreshed_responses(ca: TestCa) -> None:
    [issued] = ca.issued([order("shop")])
    ca.revoked([Revocation(issued.chain_pem, "superseded")])
    ca.clock.pass_by(days=3)
    ca.refresh()
    for one in responses(ca):
        assert one.certificate_status == ocsp.OCSPCertStatus.REVOKED
        assert one.revocation_reason == x509.ReasonFlags.superseded


def test_responder_is_renewed_in_time_and_old_responses_stay_valid(ca: TestCa) -> None:
    before = current_responder(ca.open())
    ca.clock.pass_by(days=29)
    assert not ca.refresh().responder
    ca.issued([order("shop")])
    ca.clock.pass_by(days=1)
    assert ca.refresh().responder
    after = current_responder(ca.open())
    assert before is not None and after is not None
    assert after.public_key() != before.public_key()
    [old, _other] = responses(ca)
    assert old.next_update_utc is not None and old.next_update_utc < before.not_valid_after_utc


def test_moved_base_url_keeps_old_certificates_covered(ca: TestCa, tmp_path: Path) -> None:
    [old] = ca.issued([order("old")])
    plan = ca_creation.plan_present(ca.directory, {"base_url": "http://new.example.org/pki/"}, Identity())
    assert plan and not plan.creates
    ca_creation.apply_plan(ca.directory, plan, Identity(), None, at=ca.clock())
    ca.refresh()
    scope = ca.crl().extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    named = [name.value for name in scope.full_name or ()]
    assert named[0] == "http://new.example.org/pki/intermediate.crl"
    point = leaf_of(old).extensions.get_extension_for_class(x509.CRLDistributionPoints).value[0]
    assert (point.full_name or [])[0].value in named


def test_check_of_the_publication_names_each_fault(ca: TestCa, publisher: Publisher) -> None:
    assert set(ca_upkeep.check_publication(ca.open(), fetch_anew).values()) == {None}
    (ca.published / "root.crl").unlink()
    (ca.published / "root.crt").write_bytes(b"other")
    found = ca_upkeep.check_publication(ca.open(), fetch_anew)
    codes = {url.rpartition("/")[2]: error.code if error else None for url, error in found.items()}
    assert codes == {
        "root.crl": "publish_unreachable",
        "root.crt": "publish_differs",
        "intermediate.crl": None,
        "intermediate.crt": None,
    }


# --- creation ---


def test_second_creation_changes_nothing(ca: TestCa) -> None:
    assert not ca_creation.plan_present(ca.directory, {}, Identity("Internal Root CA", None, "ec-secp384r1"))


def test_killed_creation_is_continued_with_the_same_keys(tmp_path: Path) -> None:
    ca = make_ca(tmp_path, "http://127.0.0.1:9", publish_check=False)
    root = (ca.directory / "root.key").read_bytes()
    for name in ("config.json", "intermediate.crt", "intermediate.key", "ocsp.pem"):
        (ca.directory / name).unlink()
    (ca.directory / ".new-0123").write_bytes(b"half")
    again = make_ca(tmp_path, "http://127.0.0.1:9", publish_check=False)
    assert (ca.directory / "root.key").read_bytes() == root
    assert leaf_of(again.issued([order("shop")])[0])


def test_directory_with_other_things_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    (tmp_path / "ca" / "thesis.txt").write_text("mine")
    with pytest.raises(RotationError) as caught:
        make_ca(tmp_path, "http://127.0.0.1:9")
    assert caught.value.code == "ca_directory_foreign"


@pytest.mark.parametrize(
    "url",
    ["https://pki.example.org", "ftp://x/", "pki.example.org", "http://", "http://a/?b", "http://ä/"],
)
def test_base_url_that_clients_cannot_use_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(RotationError) as caught:
        make_ca(tmp_path, url)
    assert caught.value.code == "base_url_invalid"
    assert not (tmp_path / "ca").exists()


@pytest.mark.parametrize(
    "option",
    [
        {"leaf_days": 0},
        {"leaf_days": 398},
        {"crl_days": 11},
        {"ocsp_hours": 7},
        {"crl_refresh_days": 7},
        {"root_crl_days": 366},
    ],
)
def test_durations_that_clients_do_not_accept_are_refused(tmp_path: Path, option: dict[str, int]) -> None:
    wanted: Any = option
    with pytest.raises(RotationError) as caught:
        make_ca(tmp_path, "http://127.0.0.1:9", **wanted)
    assert caught.value.code == "ca_setting_invalid"


def test_name_of_a_ca_is_for_life(ca: TestCa) -> None:
    with pytest.raises(RotationError) as caught:
        ca_creation.plan_present(ca.directory, {}, Identity(root_name="Another"))
    assert caught.value.code == "ca_setting_fixed"


def test_open_modes_are_closed(ca: TestCa) -> None:
    (ca.directory / "root.key").chmod(0o644)
    plan = ca_creation.plan_present(ca.directory, {}, Identity())
    assert plan.too_open == ("root.key",)
    ca_creation.apply_plan(ca.directory, plan, Identity(), None, at=ca.clock())
    assert (ca.directory / "root.key").stat().st_mode & 0o777 == 0o600
