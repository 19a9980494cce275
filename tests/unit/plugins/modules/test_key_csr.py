# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``key_csr`` as Ansible runs it: fresh keys, refusals, what is taken up again and what is given up."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.tests.support.host_world import HostWorld, everything, spki_of_key
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa


@pytest.fixture
def world(tmp_path: Path) -> HostWorld:
    return HostWorld(tmp_path)


def test_new_key_is_0600_and_request_names_what_was_asked_for(world: HostWorld) -> None:
    made = world.prepare(server_names=["shop.example.org", "*.example.net", "192.0.2.7", "2001:db8::1"])
    folder = world.version(made["version"])
    assert stat.S_IMODE((folder / "privkey.pem").stat().st_mode) == 0o600
    assert spki_of_key(folder / "privkey.pem") == made["spki_sha256"]
    assert made["version"].endswith("Z-" + made["spki_sha256"][:6])
    request = x509.load_pem_x509_csr(made["csr_pem"].encode())
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["shop.example.org", "*.example.net", "192.0.2.7", "2001:db8::1"]
    assert request.is_signature_valid
    assert request.subject.rfc4514_string() == "CN=shop.example.org"
    assert world.fates() == [(made["spki_sha256"][:6], "created")]
    assert sorted(os.listdir(folder)) == ["privkey.pem", "record.json", "request.csr"]


@pytest.mark.parametrize(
    ("key", "kind", "size"),
    [
        ({"type": "ecdsa", "curve": "secp384r1"}, ec.EllipticCurvePublicKey, 384),
        ({"type": "rsa", "size": 3072}, rsa.RSAPublicKey, 3072),
    ],
)
def test_other_kinds_of_key(world: HostWorld, key: dict[str, Any], kind: type, size: int) -> None:
    request = x509.load_pem_x509_csr(world.prepare(key=key)["csr_pem"].encode())
    public: Any = request.public_key()
    assert public.key_size == size
    assert isinstance(public, kind)


def test_must_staple_is_asked_for_by_tls_feature(world: HostWorld) -> None:
    request = x509.load_pem_x509_csr(world.prepare(must_staple=True)["csr_pem"].encode())
    feature = request.extensions.get_extension_for_class(x509.TLSFeature).value
    assert list(feature) == [x509.TLSFeatureType.status_request]


def test_long_or_numeric_first_name_leaves_the_subject_empty(world: HostWorld) -> None:
    long_name = ".".join(["a" * 30] * 3)
    assert x509.load_pem_x509_csr(world.prepare(server_names=[long_name])["csr_pem"].encode()).subject == x509.Name([])
    made = world.prepare("other", server_names=["192.0.2.7"])
    assert x509.load_pem_x509_csr(made["csr_pem"].encode()).subject == x509.Name([])


@pytest.mark.parametrize(
    "name",
    [
        "a,DNS:evil.example",
        "a\nbasicConstraints=CA:TRUE",
        "a=b",
        "a/b",
        "$ENV::HOME",
        "{{ x }}",
        "",
        "-a.example",
        "a b",
        "fe80::1%eth0",
        "x" * 254,
        "a..b",
        "*.*.example",
    ],
)
def test_server_name_that_could_change_the_request_is_refused(world: HostWorld, name: str) -> None:
    assert world.prepare(server_names=[name])["error"]["code"] == "name_invalid"
    assert not (world.root / "shop").exists()


@pytest.mark.parametrize("name", ["../etc", "a/b", "", ".hidden", "a..b", "a\nb", "x" * 101])
def test_certificate_name_that_is_no_folder_name_is_refused(world: HostWorld, name: str) -> None:
    result = world.modules.run("key_csr", requests=[{"name": name, "server_names": ["a.example"]}])
    assert result["prepared"][name]["error"]["code"] == "name_invalid"
    assert sorted(os.listdir(world.root)) == [".lock"]


def wrapper_that_returns(folder: Path, key: Path) -> str:
    """An openssl whose source of randomness is broken: it 'makes' the same old key each time."""
    script = folder / "openssl"
    script.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = req ]; then\n'
        '  out=; prev=; for a in "$@"; do [ "$prev" = -keyout ] && out=$a; prev=$a; done\n'
        f'  cp {key} "$out"; cat > /dev/null\n'
        f"  exec openssl req -new -key {key} -subj / -addext subjectAltName=DNS:shop.example.org\n"
        "fi\n"
        'exec openssl "$@"\n'
    )
    script.chmod(0o755)
    return str(script)


def old_key_in(place: str, world: HostWorld, tmp_path: Path) -> tuple[Path, list[str]]:
    """A key that is known in one of the three ways."""
    old = tmp_path / "old.pem"
    if place == "another certificate's folder":
        made = world.prepare("blog")
        old.write_bytes((world.version(made["version"], "blog") / "privkey.pem").read_bytes())
        (world.root / "blog" / "keys.log").unlink()
        return old, []
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(old)],
        check=True,
        capture_output=True,
    )
    if place == "deny list":
        return old, [spki_of_key(old)]
    (world.root / "blog").mkdir(parents=True)
    (world.root / "blog" / "keys.log").write_text(f"2026-01-01T00:00:00Z {spki_of_key(old)} retired x\n")
    return old, []


@pytest.mark.parametrize("place", ["another certificate's folder", "deny list", "keys.log of another certificate"])
def test_key_that_is_known_is_refused_and_gone(world: HostWorld, tmp_path: Path, place: str) -> None:
    old, denied = old_key_in(place, world, tmp_path)
    made = world.prepare(openssl=wrapper_that_returns(tmp_path, old), deny_list=denied)
    assert made["error"]["code"] == "key_known"
    assert os.listdir(world.root / "shop" / "versions") == []
    assert not (world.root / "shop" / "keys.log").exists()


def test_own_old_key_is_refused_after_it_was_retired(world: HostWorld, tmp_path: Path) -> None:
    first = world.rotate()
    kept = tmp_path / "kept.pem"
    kept.write_bytes((world.version(first["version"]) / "privkey.pem").read_bytes())
    world.rotate()
    assert not world.retire("shop", first["version"], first["spki_sha256"]).get("failed")
    assert world.prepare(openssl=wrapper_that_returns(tmp_path, kept))["error"]["code"] == "key_known"


def test_premise_that_does_not_hold_makes_nothing(world: HostWorld) -> None:
    first = world.rotate()
    before = everything(world.root)
    failed = world.prepare(premise={"spki_sha256": "0" * 64})
    assert failed["error"]["code"] == "premise_failed"
    assert failed["error"]["facts"] == {"expected": "0" * 64, "found": first["spki_sha256"]}
    assert everything(world.root) == before
    assert world.prepare(premise={"spki_sha256": first["spki_sha256"]})["version"] != first["version"]


def test_premise_before_adoption_is_the_vhosts_own_key(world: HostWorld) -> None:
    vhost, _issued = world.own_vhost()
    paths = {"certificate": str(vhost.certificate), "key": str(vhost.key)}
    assert world.prepare(premise={"spki_sha256": "0" * 64}, paths=paths)["error"]["code"] == "premise_failed"
    assert world.prepare(premise={"spki_sha256": spki_of_key(vhost.key)}, paths=paths)["version"]


def test_prepared_version_is_taken_up_again(world: HostWorld) -> None:
    first = world.prepare()
    again = world.prepare()
    assert again == dict(first, resumed=True, changed=False)


def test_another_order_of_names_is_the_same_request(world: HostWorld) -> None:
    first = world.prepare(server_names=["a.example", "b.example"])
    assert world.prepare(server_names=["b.example", "a.example"])["version"] == first["version"]


@pytest.mark.parametrize(
    "request_",
    [{"server_names": ["other.example"]}, {"key": {"type": "rsa"}}, {"must_staple": True}, {"resume_within": 0}],
)
def test_another_or_an_old_request_gets_a_new_key_and_the_old_one_is_given_up(
    world: HostWorld, request_: dict[str, Any]
) -> None:
    first = world.prepare()
    time.sleep(1.1)
    second = world.prepare(**request_)
    assert second["spki_sha256"] != first["spki_sha256"]
    assert not (world.version(first["version"]) / "privkey.pem").exists()
    assert world.fates()[1] == (first["spki_sha256"][:6], "abandoned")
    states = {version["version"]: version["record"]["state"] for version in world.facts()["versions"]}
    assert states == {first["version"]: "abandoned", second["version"]: "prepared"}


def test_denied_key_is_not_taken_up_again(world: HostWorld) -> None:
    first = world.prepare()
    second = world.prepare(deny_list=[first["spki_sha256"]])
    assert (second["resumed"], second["version"] == first["version"]) == (False, False)


def test_prepared_version_whose_key_is_torn_is_not_taken_up_again(world: HostWorld) -> None:
    first = world.prepare()
    key = world.version(first["version"]) / "privkey.pem"
    os.truncate(key, 100)
    assert world.prepare()["resumed"] is False
    assert not key.exists()


def test_live_version_and_its_predecessor_keep_their_keys(world: HostWorld) -> None:
    first, second = world.rotate(), world.rotate()
    world.prepare()
    for release in (first, second):
        assert (world.version(release["version"]) / "privkey.pem").exists()


def test_what_a_killed_run_left_is_destroyed(world: HostWorld) -> None:
    made = world.prepare()
    left = world.root / "shop" / "versions" / ".new-0123456789ab"
    left.mkdir(0o700)
    (left / "privkey.pem").write_text("a key")
    (world.version(made["version"]) / ".tmp-record.json-0a").write_text("{")
    assert world.prepare()["resumed"] is True
    assert not left.exists()
    assert sorted(os.listdir(world.version(made["version"]))) == ["privkey.pem", "record.json", "request.csr"]


def test_left_over_hard_link_of_a_vhosts_key_is_unlinked_not_overwritten(world: HostWorld) -> None:
    world.prepare()
    vhost, issued = world.own_vhost()
    left = world.root / "shop" / "versions" / ".new-0123456789ab"
    left.mkdir(0o700)
    os.link(vhost.key, left / "privkey.pem")
    world.prepare()
    assert not left.exists()
    assert vhost.key.read_text() == issued.key_pem


def test_check_mode_checks_and_writes_nothing(world: HostWorld) -> None:
    foreseen = world.prepare(check=True)
    assert (foreseen["version"], foreseen["changed"]) == (None, True)
    assert not world.root.exists()
    made = world.prepare()
    before = everything(world.root)
    again = world.prepare(check=True)
    assert (again["version"], again["resumed"], again["changed"]) == (made["version"], True, False)
    assert world.prepare(check=True, premise={"spki_sha256": "0" * 64})["error"]["code"] == "premise_failed"
    assert everything(world.root) == before


def test_look_changes_nothing_and_needs_no_root(world: HostWorld) -> None:
    result = world.modules.run("key_csr", requests=[{"name": "shop", "action": "look"}], nginx_dump=["echo", "hello"])
    assert (result["changed"], result["prepared"]) == (False, {})
    assert result["certificates"]["shop"] == {"live": None, "versions": [], "keys_log": [], "paths": {}}
    assert result["nginx"] == {"configuration": "hello\n", "warnings": "", "ok": True}
    assert not world.root.exists()


def test_one_bad_request_does_not_stop_the_other(world: HostWorld) -> None:
    requests = [{"name": "bad", "server_names": ["a=b"]}, {"name": "good", "server_names": ["good.example"]}]
    result = world.modules.run("key_csr", requests=requests)
    assert result["prepared"]["bad"]["error"]["code"] == "name_invalid"
    assert result["prepared"]["good"]["version"]


def test_missing_openssl_has_a_code(world: HostWorld) -> None:
    assert world.prepare(openssl="/nowhere/openssl")["error"]["code"] == "openssl_missing"
    assert os.listdir(world.root / "shop" / "versions") == []


@pytest.mark.parametrize("what", ["root", "shop", "shop/versions"])
def test_folder_that_others_can_write_to_is_refused(world: HostWorld, what: str) -> None:
    world.prepare()
    (world.root / what if what != "root" else world.root).chmod(0o777)
    result = world.modules.run("key_csr", requests=[{"name": "shop", "server_names": ["shop.example.org"]}])
    error = result if what == "root" else result["prepared"]["shop"]["error"]
    assert error["code"] == "root_unsafe"


@pytest.mark.parametrize("what", ["shop", "shop/versions", "shop/keys.log"])
def test_link_in_place_of_a_folder_or_log_is_not_followed(world: HostWorld, tmp_path: Path, what: str) -> None:
    made = world.prepare()
    aside = tmp_path / "aside"
    (world.root / what).rename(aside)
    (world.root / what).symlink_to(aside)
    before = everything(aside) if aside.is_dir() else aside.read_bytes()
    failed = world.prepare(resume_within=0, server_names=["other.example"])
    assert failed["error"]["code"] == "root_unsafe"
    assert (everything(aside) if aside.is_dir() else aside.read_bytes()) == before
    assert made["version"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_folder_of_somebody_else_is_refused_and_owner_group_mode_are_set(world: HostWorld) -> None:
    made = world.prepare(files={"owner": "nobody", "group": "12345", "key_mode": "0640", "directory_mode": "0750"})
    key = (world.version(made["version"]) / "privkey.pem").stat()
    assert (key.st_gid, stat.S_IMODE(key.st_mode)) == (12345, 0o640)
    assert key.st_uid != 0
    folder = world.version(made["version"]).stat()
    assert (folder.st_uid, folder.st_gid, stat.S_IMODE(folder.st_mode)) == (0, 12345, 0o750)
    os.chown(world.version(made["version"]), 65534, -1)
    assert world.prepare()["error"]["code"] == "root_unsafe"


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"key_mode": "0644"}, "mode_unsafe"),
        ({"mode": "0666"}, "mode_unsafe"),
        ({"mode": "rw"}, "mode_unsafe"),
        ({"owner": "no-such-user"}, "owner_unknown"),
        ({"setype": "a:b"}, "name_invalid"),
    ],
)
def test_unsafe_modes_and_unknown_owners_are_refused(world: HostWorld, files: dict[str, str], code: str) -> None:
    result = world.modules.run("key_csr", requests=[], files=files)
    assert result["code"] == code


def test_results_hold_no_private_key(world: HostWorld) -> None:
    made = world.prepare()
    world.facts()
    body = (world.version(made["version"]) / "privkey.pem").read_text().splitlines()[1]
    assert all(body not in output and "PRIVATE" not in output for output in world.modules.outputs)
