# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``key_retire``: which keys go, which do not, and what is remembered."""

from __future__ import annotations

import base64
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.tests.support.host_world import HostWorld, everything
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding


@pytest.fixture
def world(tmp_path: Path) -> HostWorld:
    return HostWorld(tmp_path)


def key_of(world: HostWorld, release: dict[str, Any]) -> Path:
    return world.version(release["version"]) / "privkey.pem"


def test_key_of_the_predecessor_is_overwritten_and_remembered(world: HostWorld, tmp_path: Path) -> None:
    first, second = world.rotate(), world.rotate()
    backup = tmp_path / "backup.pem"
    os.link(key_of(world, first), backup)
    secret = backup.read_text().splitlines()[1]
    result = world.retire("shop", first["version"], first["spki_sha256"], more={"fate": "revoked:keyCompromise"})
    assert result["retirements"]["shop"]["destroyed"] == [first["spki_sha256"]]
    assert not key_of(world, first).exists()
    assert secret.encode() not in backup.read_bytes()
    assert b"PRIVATE" not in backup.read_bytes()
    assert world.fates()[-1] == (first["spki_sha256"][:6], "revoked:keyCompromise")
    record = json.loads((world.version(first["version"]) / "record.json").read_text())
    assert record["state"] == "retired"
    assert key_of(world, second).exists()
    assert world.retire("shop", first["version"], first["spki_sha256"], more={"fate": "revoked:keyCompromise"}) == {
        **result,
        "changed": False,
        "retirements": {"shop": {"destroyed": [], "at": None, "signatures": [], "left": []}},
    }


def test_version_is_found_by_the_fingerprint(world: HostWorld) -> None:
    first, _second = world.rotate(), world.rotate()
    result = world.modules.run("key_retire", retirements=[{"name": "shop", "spki_sha256": first["spki_sha256"]}])
    assert result["retirements"]["shop"]["destroyed"] == [first["spki_sha256"]]


def test_killed_after_destroying_the_fate_is_written_by_the_next_run(world: HostWorld) -> None:
    first, _second = world.rotate(), world.rotate()
    key_of(world, first).unlink()
    result = world.retire("shop", first["version"], first["spki_sha256"])
    assert (result["changed"], result["retirements"]["shop"]["destroyed"]) == (True, [])
    assert world.fates()[-1] == (first["spki_sha256"][:6], "retired")


def test_live_key_is_refused(world: HostWorld) -> None:
    release = world.rotate()
    for version in (release["version"], None):
        retirement = {"name": "shop", "version": version, "spki_sha256": release["spki_sha256"]}
        assert world.modules.run("key_retire", retirements=[retirement])["code"] == "key_is_live"
    assert key_of(world, release).exists()


def test_key_without_a_live_successor_is_refused(world: HostWorld) -> None:
    first, second = world.rotate(), world.rotate()
    world.install({"name": "shop", "operation": "rollback", "version": second["version"]})
    (world.root / "shop" / "live").unlink()
    assert world.retire("shop", first["version"], first["spki_sha256"])["code"] == "successor_not_live"
    assert key_of(world, first).exists()
    assert world.retire("shop", second["version"], second["spki_sha256"])["retirements"]["shop"]["destroyed"]


def test_newer_version_than_live_is_refused(world: HostWorld) -> None:
    world.rotate()
    second = world.rotate()
    record = world.version(second["version"]) / "record.json"
    world.install({"name": "shop", "operation": "rollback", "version": second["version"]})
    record.write_text(json.dumps(dict(json.loads(record.read_text()), state="installed")))
    assert world.retire("shop", second["version"], second["spki_sha256"])["code"] == "successor_not_live"


def test_another_key_than_named_is_refused(world: HostWorld) -> None:
    first, _second = world.rotate(), world.rotate()
    assert world.retire("shop", first["version"], "0" * 64)["code"] == "key_mismatch"
    assert key_of(world, first).exists()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"fate": "lost\nx"}, "fate_invalid"),
        ({"spki_sha256": "xyz"}, "name_invalid"),
        ({"version": "../x"}, "name_invalid"),
        ({"name": "../x"}, "name_invalid"),
    ],
)
def test_words_that_could_break_files_are_refused(world: HostWorld, wrong: dict[str, str], code: str) -> None:
    world.rotate()
    result = world.modules.run("key_retire", retirements=[{"name": "shop", "spki_sha256": "0" * 64, **wrong}])
    assert result["code"] == code


def test_records_are_merged_and_births_stay(world: HostWorld) -> None:
    release = world.rotate()
    update = {"state": "visible", "spki_sha256": "0" * 64, "times": {"served": "2026-01-01T00:00:00Z"}}
    records = [{"name": "shop", "version": release["version"], "update": update}]
    assert world.modules.run("key_retire", records=records)["changed"] is True
    record = json.loads((world.version(release["version"]) / "record.json").read_text())
    assert (record["state"], record["spki_sha256"]) == ("visible", release["spki_sha256"])
    assert set(record["times"]) == {"prepared", "installed", "served"}
    assert world.modules.run("key_retire", records=records)["changed"] is False
    records[0]["update"] = {"state": "no such state"}
    assert world.modules.run("key_retire", records=records)["code"] == "state_invalid"


def test_old_versions_without_a_key_are_pruned(world: HostWorld) -> None:
    releases = [world.rotate() for _round in range(4)]
    # Versions of one second have no order, and the newest is to be this one.
    time.sleep(1.0 - time.time() % 1.0)
    releases.append(world.rotate())
    for release in releases[:3]:
        world.retire("shop", release["version"], release["spki_sha256"])
    result = world.modules.run(
        "key_retire",
        keep_versions=1,
        records=[{"name": "shop", "version": releases[4]["version"], "update": {"state": "visible"}}],
    )
    assert sorted(result["pruned"]["shop"]) == sorted(release["version"] for release in releases[:3])
    kept = {version["version"] for version in world.facts()["versions"]}
    assert kept == {release["version"] for release in releases[3:]}
    assert {spki for spki, _fate in world.fates()} == {release["spki_sha256"][:6] for release in releases}


def test_check_mode_tells_and_keeps(world: HostWorld) -> None:
    first, _second = world.rotate(), world.rotate()
    before = everything(world.root)
    result = world.retire("shop", first["version"], first["spki_sha256"], check=True)
    assert (result["changed"], result["retirements"]["shop"]["destroyed"]) == (True, [first["spki_sha256"]])
    assert everything(world.root) == before
    assert world.retire("shop", first["version"], "0" * 64, check=True)["code"] == "key_mismatch"


def test_key_signs_a_last_time(world: HostWorld) -> None:
    prepared = world.prepare(key={"type": "rsa"})
    world.install(world.release(prepared))
    world.rotate()
    data = b"revoke me"
    sign = [{"data_b64": base64.b64encode(data).decode(), "algorithm": "RS256"}]
    result = world.retire("shop", prepared["version"], prepared["spki_sha256"], more={"sign": sign})
    (signature,) = result["retirements"]["shop"]["signatures"]
    public: Any = x509.load_pem_x509_csr(prepared["csr_pem"].encode()).public_key()
    public.verify(base64.b64decode(signature["signature_b64"]), data, padding.PKCS1v15(), hashes.SHA256())
    again = world.retire("shop", prepared["version"], prepared["spki_sha256"], more={"sign": sign})
    assert again["code"] == "key_missing"
