# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``certificate_install`` without a service: what is written, refused, adopted, rolled back, left alone."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.tests.support.host_world import (
    SNIPPETS,
    HostWorld,
    b64,
    everything,
    spki_of_key,
)
from ansible_collections.certops.rotation.tests.support.nginx import Vhost, free_port


@pytest.fixture
def world(tmp_path: Path) -> HostWorld:
    return HostWorld(tmp_path)


def paths_of(vhost: Vhost) -> dict[str, str]:
    return {"certificate": str(vhost.certificate), "key": str(vhost.key)}


def test_first_release_is_written_whole_and_live(world: HostWorld) -> None:
    prepared = world.prepare()
    release = world.release(prepared, record={"issuer": "internal", "order": None, "times": {"issued": "x"}})
    result = world.install(release)
    done = result["installations"]["shop"]
    assert (done["version"], done["previous"], done["changed"]) == (prepared["version"], None, True)
    assert done["stapling"] == "off"
    assert world.live() == prepared["version"]
    folder = world.version(prepared["version"])
    assert sorted(os.listdir(folder)) == [
        "fullchain.pem",
        "nginx.conf",
        "privkey.pem",
        "record.json",
        "request.csr",
        "trust.pem",
    ]
    assert (folder / "fullchain.pem").read_text() == release["chain_pem"]
    assert (folder / "trust.pem").read_text() == release["trust_pem"]
    assert (folder / "nginx.conf").read_text() == SNIPPETS["off"]
    record = json.loads((folder / "record.json").read_text())
    assert (record["state"], record["issuer"], record["stapling"]) == ("installed", "internal", "off")
    assert set(record["times"]) == {"prepared", "issued", "installed"}
    assert len(record["serial"]) % 2 == 0
    assert [fate for _spki, fate in world.fates()] == ["created", "live"]


def test_second_run_changes_nothing(world: HostWorld) -> None:
    release = world.release(world.prepare())
    assert world.install(release)["changed"] is True
    before = everything(world.root)
    again = world.install(release)
    assert (again["changed"], again["reload"], again["diff"]) == (False, None, [])
    assert everything(world.root) == before


def test_record_names_the_predecessor(world: HostWorld) -> None:
    first = world.rotate()
    second = world.rotate(record={"supersedes": {"serial": "0a", "compromised": True, "version": None}})
    record = json.loads((world.version(second["version"]) / "record.json").read_text())
    assert record["supersedes"] == {"serial": "0a", "compromised": True, "version": first["version"]}


def test_check_mode_shows_fingerprints_and_writes_nothing(world: HostWorld) -> None:
    first = world.rotate()
    release = world.release(world.prepare())
    before = everything(world.root)
    result = world.install(release, check=True)
    assert result["changed"] is True
    assert everything(world.root) == before
    (diff,) = result["diff"]
    assert f"live: {first['version']}" in diff["before"]
    assert f"live: {release['version']}" in diff["after"]
    assert "BEGIN" not in diff["before"] + diff["after"]


def test_chain_for_another_key_is_refused(world: HostWorld) -> None:
    first, prepared = world.rotate(), world.prepare()
    other = world.issuing.issue(["shop.example.org"])
    before = everything(world.root)
    for wrong in ({"chain_pem": other.chain_pem}, {"spki_sha256": "0" * 64}):
        result = world.install(dict(world.release(prepared), **wrong))
        assert (result["code"], result["facts"]["name"]) == ("key_mismatch", "shop")
    assert everything(world.root) == before
    assert world.live() == first["version"]


@pytest.mark.parametrize(
    "chain",
    [
        "",
        "no certificate",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n",
    ],
)
def test_chain_that_is_none_is_refused(world: HostWorld, chain: str) -> None:
    result = world.install(dict(world.release(world.prepare()), chain_pem=chain))
    assert result["code"] == "certificate_unreadable"


def test_version_that_is_not_there_or_was_given_up_is_refused(world: HostWorld) -> None:
    release = world.release(world.prepare())
    world.prepare(server_names=["other.example"])
    assert world.install(release)["code"] == "version_unusable"
    assert world.install(dict(release, version="20200101T000000Z-abcdef"))["code"] == "version_unknown"
    assert world.install(dict(release, version="../../etc"))["code"] == "name_invalid"


def test_live_release_is_never_given_another_chain(world: HostWorld) -> None:
    prepared = world.prepare()
    assert not world.install(world.release(prepared)).get("failed")
    assert world.install(world.release(prepared))["code"] == "release_differs"


def test_all_or_none(world: HostWorld) -> None:
    good, bad = world.release(world.prepare("a"), "a"), world.release(world.prepare("b"), "b")
    bad["chain_pem"] = good["chain_pem"]
    assert world.install(good, bad)["facts"]["name"] == "b"
    assert not (world.root / "a" / "live").exists()
    bad = world.release(world.prepare("b"), "b")
    assert world.install(good, bad)["changed"] is True
    assert (world.live("a"), world.live("b")) == (good["version"], bad["version"])


def test_killed_before_the_switch_and_after_it(world: HostWorld) -> None:
    """Killed before the switch the version is prepared; after it, it counts as installed and is only reloaded."""
    first = world.rotate()
    prepared = world.prepare()
    release = world.release(prepared)
    for file_name in ("fullchain.pem", "trust.pem"):
        (world.version(prepared["version"]) / file_name).write_text("half")
    assert world.prepare()["version"] == prepared["version"]
    assert not world.install(release).get("failed")
    record = world.version(prepared["version"]) / "record.json"
    record.write_text(json.dumps(dict(json.loads(record.read_text()), state="prepared")))
    live = next(version for version in world.facts()["versions"] if version["version"] == prepared["version"])
    assert live["record"]["state"] == "installed"
    again = world.install(release)
    assert (again["changed"], again["installations"]["shop"]["previous"]) == (True, first["version"])
    assert json.loads(record.read_text())["state"] == "installed"
    assert world.install(release)["changed"] is False


# --- stapling, decided on the host


def closed() -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": free_port()}


@pytest.mark.parametrize(
    ("wanted", "mode"),
    [
        ({}, "off"),
        ({"staple_b64": b64(b"staple")}, "off"),
        ({"responder": closed()}, "nginx"),
        ({"responder": closed(), "staple_b64": b64(b"staple")}, "file"),
        ({"responder": {"host": "no-such-name.invalid", "port": 80}, "staple_b64": b64(b"staple")}, "file"),
        ({"responder": closed(), "staple_b64": b64(b"staple"), "stapling": "nginx"}, "nginx"),
        ({"responder": closed(), "staple_b64": b64(b"staple"), "stapling": "off"}, "off"),
        ({"staple_b64": b64(b"staple"), "stapling": "file"}, "file"),
    ],
)
def test_stapling_is_decided_by_certificate_and_reach(world: HostWorld, wanted: dict[str, Any], mode: str) -> None:
    release = world.release(world.prepare(), **wanted)
    done = world.install(release)["installations"]["shop"]
    assert done["stapling"] == mode
    assert done["why"]
    folder = world.version(release["version"])
    assert (folder / "nginx.conf").read_text() == SNIPPETS[mode]
    assert (folder / "staple.der").exists() == (mode == "file")
    assert world.install(release)["changed"] is False


def test_reachable_responder_is_left_to_the_server(world: HostWorld) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        responder = {"host": "127.0.0.1", "port": listener.getsockname()[1]}
        release = world.release(world.prepare(), responder=responder, staple_b64=b64(b"staple"))
        assert world.install(release)["installations"]["shop"]["stapling"] == "nginx"
        must = world.release(world.prepare("must", must_staple=True), "must", responder=responder)
        assert world.install(must)["code"] == "staple_missing"
        must["staple_b64"] = b64(b"staple")
        assert world.install(must)["installations"]["must"]["stapling"] == "file"


def test_must_staple_without_a_responder_is_refused(world: HostWorld) -> None:
    release = world.release(world.prepare(must_staple=True), staple_b64=b64(b"staple"))
    assert world.install(release)["code"] == "staple_missing"


def test_staple_is_replaced_only_where_it_is_served(world: HostWorld) -> None:
    release = world.release(world.prepare(), responder=closed(), staple_b64=b64(b"one"))
    world.install(release)
    staple = {"name": "shop", "operation": "staple", "staple_b64": b64(b"two")}
    assert world.install(staple)["changed"] is True
    assert (world.version(release["version"]) / "staple.der").read_bytes() == b"two"
    assert world.install(staple)["changed"] is False
    world.rotate()
    assert world.install(staple)["changed"] is False
    assert world.install(dict(staple, version=release["version"]))["code"] == "nothing_live"


# --- rollback


def test_rollback_makes_the_predecessor_live(world: HostWorld) -> None:
    first, second = world.rotate(), world.rotate()
    back = {"name": "shop", "operation": "rollback", "version": second["version"]}
    result = world.install(back)
    assert result["installations"]["shop"]["version"] == first["version"] == world.live()
    record = json.loads((world.version(second["version"]) / "record.json").read_text())
    assert record["state"] == "rolled_back"
    assert world.install(back)["changed"] is False
    third = world.prepare()
    assert third["resumed"] is False
    assert not (world.version(second["version"]) / "privkey.pem").exists()


@pytest.mark.parametrize("why", ["not allowed", "compromised", "key gone", "first release", "not live"])
def test_rollback_is_refused(world: HostWorld, why: str) -> None:
    first = world.rotate()
    record = {"supersedes": {"compromised": True}} if why == "compromised" else {}
    second = world.rotate(record=record)
    back = {"name": "shop", "operation": "rollback", "version": second["version"], "back_allowed": why != "not allowed"}
    if why == "key gone":
        world.retire("shop", first["version"], first["spki_sha256"])
    if why == "first release":
        back["version"] = first["version"]
    if why == "not live":
        world.rotate()
    live = world.live()
    assert world.install(back)["code"] == "rollback_refused"
    assert world.live() == live


# --- adoption


def test_adoption_replaces_paths_by_links_and_keeps_the_pair(world: HostWorld) -> None:
    vhost, issued = world.own_vhost()
    release = world.release(world.prepare(paths=paths_of(vhost)), paths=paths_of(vhost))
    done = world.install(release)["installations"]["shop"]
    assert done["adopted"] == [str(vhost.certificate), str(vhost.key)]
    assert done["previous"].endswith("-adopted")
    assert os.readlink(vhost.certificate) == str(world.root / "shop" / "live" / "fullchain.pem")
    assert os.readlink(vhost.key) == str(world.root / "shop" / "live" / "privkey.pem")
    adopted = world.version(done["previous"])
    assert (adopted / "fullchain.pem").read_text() == issued.chain_pem
    assert (adopted / "privkey.pem").read_text() == issued.key_pem
    assert stat.S_IMODE((adopted / "privkey.pem").stat().st_mode) == 0o600
    assert (adopted / "privkey.pem").stat().st_nlink == 1
    assert spki_of_key(vhost.key) == release["spki_sha256"]
    assert "adopted" in [fate for _spki, fate in world.fates()]
    assert world.install(release)["changed"] is False
    facts = world.modules.run("key_csr", requests=[{"name": "shop", "action": "look", "paths": paths_of(vhost)}])
    assert facts["certificates"]["shop"]["paths"]["key"] == {
        "path": str(vhost.key),
        "kind": "link",
        "target": str(world.root / "shop" / "live" / "privkey.pem"),
    }


def test_look_before_adoption_tells_chain_and_fingerprint(world: HostWorld) -> None:
    vhost, issued = world.own_vhost()
    vhost.certificate.write_text(issued.key_pem + issued.chain_pem)  # a careless file that holds the key as well
    paths = paths_of(vhost)
    seen = world.modules.run("key_csr", requests=[{"name": "shop", "action": "look", "paths": paths}])
    found = seen["certificates"]["shop"]["paths"]
    assert found["certificate"]["chain_pem"] == issued.chain_pem
    assert found["key"]["spki_sha256"] == spki_of_key(vhost.key)
    info = world.modules.run("installed_info", paths=[*paths.values(), "/nowhere/at.all"])
    assert [entry["kind"] for entry in info["paths"].values()] == ["file", "file", "missing"]
    assert "PRIVATE" not in world.modules.outputs[0] + world.modules.outputs[1]


def test_rollback_to_the_adopted_pair(world: HostWorld) -> None:
    vhost, issued = world.own_vhost()
    release = world.release(world.prepare(), paths=paths_of(vhost))
    world.install(release)
    assert not world.install({"name": "shop", "operation": "rollback", "version": release["version"]}).get("failed")
    assert vhost.certificate.read_text() == issued.chain_pem
    assert vhost.key.read_text() == issued.key_pem


def test_key_behind_a_link_is_copied_and_its_original_left_alone(world: HostWorld) -> None:
    """As certbot has it: what the link pointed to belongs to somebody else."""
    vhost, issued = world.own_vhost()
    original = vhost.key.rename(world.folder / "archive.pem")
    original.chmod(0o640)
    vhost.key.symlink_to(original)
    release = world.release(world.prepare(), paths=paths_of(vhost))
    done = world.install(release)["installations"]["shop"]
    assert any("was a link to" in warning for warning in done["warnings"])
    old = json.loads((world.version(done["previous"]) / "record.json").read_text())
    retired = world.retire("shop", done["previous"], old["spki_sha256"])
    assert retired["retirements"]["shop"]["left"] == [str(original)]
    assert original.read_text() == issued.key_pem
    assert stat.S_IMODE(original.stat().st_mode) == 0o640


def test_key_with_other_hard_links_is_copied(world: HostWorld) -> None:
    vhost, issued = world.own_vhost()
    other = world.folder / "other.pem"
    os.link(vhost.key, other)
    done = world.install(world.release(world.prepare(), paths=paths_of(vhost)))["installations"]["shop"]
    assert (world.version(done["previous"]) / "privkey.pem").stat().st_ino != other.stat().st_ino
    assert other.read_text() == issued.key_pem


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a second file system: mounting needs root")
def test_key_on_another_file_system_is_copied_and_overwritten(world: HostWorld) -> None:
    vhost, issued = world.own_vhost()
    shm = Path("/dev/shm")
    if shm.stat().st_dev == world.folder.stat().st_dev or not os.access(shm, os.W_OK):
        pytest.skip("/dev/shm is not a file system of its own")
    place = shm / f"certops-test-{os.getpid()}"
    place.mkdir(0o700)
    try:
        key = place / "tls.key"
        key.write_text(issued.key_pem)
        with key.open("rb") as still_open:
            paths = dict(paths_of(vhost), key=str(key))
            done = world.install(world.release(world.prepare(), paths=paths))["installations"]["shop"]
            still_open.seek(0)
            assert b"PRIVATE" not in still_open.read()
        assert (world.version(done["previous"]) / "privkey.pem").read_text() == issued.key_pem
        assert key.is_symlink()
    finally:
        for path in place.iterdir():
            path.unlink()
        place.rmdir()


def test_interrupted_adoption_is_continued(world: HostWorld) -> None:
    """After a kill the pair may be a version without ``live``, or ``live`` with only the first path replaced."""
    vhost, _issued = world.own_vhost()
    prepared = world.prepare()
    broken = dict(world.service, kind="command", reload=["true"], test=["false"])
    release = world.release(prepared, paths=paths_of(vhost))
    assert world.install(release, service=broken)["code"] in ("config_test_failed", "config_broken_before")
    adopted = world.live()
    assert adopted.endswith("-adopted")
    (world.root / "shop" / "live").unlink()
    vhost.key.unlink()
    os.link(world.version(adopted) / "privkey.pem", vhost.key)
    vhost.certificate.unlink()
    vhost.certificate.write_bytes((world.version(adopted) / "fullchain.pem").read_bytes())
    done = world.install(release)["installations"]["shop"]
    assert done["previous"] == adopted
    assert len([version for version in world.facts()["versions"] if version["version"].endswith("adopted")]) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"key": ""}, "paths_invalid"),
        ({"key": "relative.key"}, "paths_invalid"),
        ({"key": "/nowhere/at/all.key"}, "paths_invalid"),
        ({"key": "CERTIFICATE"}, "paths_invalid"),
        ({"key": "OTHER"}, "key_mismatch"),
        ({"key": "FOLDER"}, "adoption_refused"),
        ({"staple": "STAPLE"}, "staple_missing"),
    ],
)
def test_paths_that_cannot_be_adopted_are_refused(world: HostWorld, change: dict[str, str], code: str) -> None:
    vhost, _issued = world.own_vhost()
    other, _other = world.own_vhost("other")
    places = {
        "CERTIFICATE": str(vhost.certificate),
        "OTHER": str(other.key),
        "FOLDER": str(vhost.key.parent),
        "STAPLE": str(vhost.key.with_name("staple")),
    }
    paths = dict(paths_of(vhost), **{role: places.get(path, path) for role, path in change.items()})
    release = world.release(world.prepare(), paths=paths)
    before = everything(world.folder)
    assert world.install(release)["code"] == code
    assert everything(world.folder) == before


def test_path_of_another_certificate_of_ours_is_refused(world: HostWorld) -> None:
    vhost, _issued = world.own_vhost()
    world.rotate(paths=paths_of(vhost))
    release = world.release(world.prepare("blog"), "blog", paths=paths_of(vhost))
    assert world.install(release)["code"] == "adoption_refused"


# --- the root


def test_lock_is_waited_for_and_then_an_error(world: HostWorld) -> None:
    release = world.release(world.prepare())
    with (world.root / ".lock").open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert world.install(release, lock_timeout=0.3)["code"] == "locked"
        waiting = world.modules.start("certificate_install", releases=[release], service=world.service)
        time.sleep(0.5)
        assert waiting.poll() is None
    assert world.modules.parse(*waiting.communicate(timeout=30))["changed"] is True


@pytest.mark.parametrize("target", ["/etc", "versions/../../x", "versions"])
def test_live_that_points_elsewhere_is_refused(world: HostWorld, target: str) -> None:
    release = world.release(world.prepare())
    (world.root / "shop" / "live").symlink_to(target)
    assert world.install(release)["code"] == "root_unsafe"
    assert os.readlink(world.root / "shop" / "live") == target


def test_version_folder_others_can_write_to_is_refused(world: HostWorld) -> None:
    prepared = world.prepare()
    world.version(prepared["version"]).chmod(0o775)
    assert world.install(world.release(prepared))["code"] == "root_unsafe"


def test_file_that_is_a_link_is_replaced_not_followed(world: HostWorld, tmp_path: Path) -> None:
    prepared = world.prepare()
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (world.version(prepared["version"]) / "fullchain.pem").symlink_to(victim)
    result = world.install(world.release(prepared))
    assert result["code"] == "root_unsafe"
    assert victim.read_text() == "untouched"


def test_missing_root_is_an_error_with_a_path(world: HostWorld) -> None:
    release = {"name": "shop", "version": "20260101T000000Z-abcdef", "chain_pem": "x"}
    result = world.install(release)
    assert (result["code"], result["facts"]["path"]) == ("storage_failed", str(world.root / ".lock"))
