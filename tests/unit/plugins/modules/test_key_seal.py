# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A key sealed on one host and taken in on another; what neither of them does."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible_collections.certops.rotation.tests.support.host_module import HostModules
from ansible_collections.certops.rotation.tests.support.host_world import HostWorld, spki_of_key
from ansible_collections.certops.rotation.tests.support.lean_modules import LeanModules

from tools.python_environments import find_python

GROUP = "shop"


class Pair:
    """Two hosts: one makes the key of a group, the other gets it."""

    def __init__(self, folder: Path, modules: Callable[[Path], HostModules]) -> None:
        self.lead, self.other = (HostWorld(folder / name, modules(folder / name / "certops")) for name in ("a", "b"))
        self.other.issuing, self.other.anchor = self.lead.issuing, self.lead.anchor
        for world in (self.lead, self.other):
            world.folder.mkdir()

    def made(self, **request: Any) -> dict[str, Any]:
        return self.lead.prepare(shared=GROUP, **request)

    def waiting(self, **request: Any) -> dict[str, Any]:
        return self.other.prepare(shared=GROUP, receive=True, **request)

    def sealed(self, made: dict[str, Any], *certificates: str, **seal: Any) -> dict[str, Any]:
        wanted = {"name": "shop", "version": made["version"], "spki_sha256": made["spki_sha256"], "shared": GROUP}
        result = self.lead.modules.run("key_seal", seals=[{**wanted, "certificates": list(certificates), **seal}])
        assert not result.get("failed") and result["changed"] is False, result
        [entry] = result["sealed"]
        return dict(entry)

    def installed(self, made: dict[str, Any], waiting: dict[str, Any], envelope: str, **more: Any) -> dict[str, Any]:
        release = self.lead.release(made, **more)
        return self.other.install({**release, "version": waiting["version"], "sealed_key_b64": envelope})

    def assert_untouched(self, waiting: dict[str, Any]) -> None:
        """No key came in, and nothing of one is left."""
        folder = self.other.version(waiting["version"])
        assert sorted(os.listdir(folder)) == ["receiver.crt", "receiver.key", "record.json"]
        assert not (self.other.root / "shop" / "live").exists()
        log = self.other.root / "shop" / "keys.log"
        assert not log.exists() or log.read_text() == ""


def on_the_oldest_python(root: Path) -> HostModules:
    # Ansible itself refuses older ones than its `_PY_MIN`, and we those before 3.8.
    python = find_python("%d.%d" % max(basic._PY_MIN[:2], (3, 8)))
    if python is None:
        pytest.skip("the oldest Python is not on this machine")
    return HostModules(root, python=str(python))


@pytest.fixture(params=[HostModules, LeanModules, on_the_oldest_python])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Pair:
    return Pair(tmp_path, request.param)


@pytest.fixture
def two(tmp_path: Path) -> Pair:
    return Pair(tmp_path, HostModules)


@pytest.mark.parametrize("key", [{"type": "ecdsa", "curve": "secp384r1"}, {"type": "rsa", "size": 4096}])
def test_key_arrives_and_the_one_time_pair_is_gone(pair: Pair, key: dict[str, Any]) -> None:
    made, waiting = pair.made(key=key), pair.waiting(key=key)
    assert (waiting["csr_pem"], waiting["spki_sha256"]) == (None, None)
    folder = pair.other.version(waiting["version"])
    assert (folder / "receiver.key").stat().st_mode & 0o777 == 0o600
    [envelope] = pair.sealed(made, waiting["certificate_pem"])["envelopes_b64"]
    result = pair.installed(made, waiting, envelope)
    assert not result.get("failed"), result
    assert spki_of_key(folder / "privkey.pem") == made["spki_sha256"]
    assert (folder / "privkey.pem").stat().st_mode & 0o777 == 0o600
    assert (folder / "privkey.pem").read_bytes() == (pair.lead.version(made["version"]) / "privkey.pem").read_bytes()
    assert {"receiver.key", "receiver.crt"} & set(os.listdir(folder)) == set()
    assert pair.other.fates() == [(made["spki_sha256"][:6], "received"), (made["spki_sha256"][:6], "live")]
    said = "".join(pair.lead.modules.outputs + pair.other.modules.outputs)
    assert "PRIVATE KEY" not in said


def test_each_envelope_opens_for_its_receiver_alone(two: Pair, tmp_path: Path) -> None:
    made, waiting, other = two.made(), two.waiting(), HostWorld(tmp_path)
    third = other.prepare(shared=GROUP, receive=True)
    mine, others = two.sealed(made, waiting["certificate_pem"], third["certificate_pem"])["envelopes_b64"]
    assert two.installed(made, waiting, others)["code"] == "seal_broken"
    two.assert_untouched(waiting)
    assert not two.installed(made, waiting, mine).get("failed")


def test_no_changed_envelope_is_taken_in(two: Pair) -> None:
    """Wherever the wrapped key or the text under it is changed; and one that is cut short."""
    made, waiting = two.made(), two.waiting()
    whole = base64.b64decode(two.sealed(made, waiting["certificate_pem"])["envelopes_b64"][0])
    places = [len(whole) * part // 16 for part in (6, 9, 10, 11, 12, 13, 14, 15)] + [-1]
    changed = [bytearray(whole) for _place in places]
    for place, bytes_of_one in zip(places, changed, strict=True):
        bytes_of_one[place] ^= 1
    for one in [*map(bytes, changed), whole[:-16], b"", b"nonsense"]:
        result = two.installed(made, waiting, base64.b64encode(one).decode())
        assert result["code"] in ("seal_broken", "key_mismatch"), result
        two.assert_untouched(waiting)
    assert two.installed(made, waiting, "ünreadable")["code"] == "seal_broken"
    assert not two.installed(made, waiting, base64.b64encode(whole).decode()).get("failed")


def sealed_by_hand(plain: bytes, certificate_pem: str, folder: Path) -> str:
    (folder / "to.pem").write_text(certificate_pem)
    envelope = subprocess.run(
        ["openssl", "cms", "-encrypt", "-binary", "-outform", "DER", "-aes256", "-recip", str(folder / "to.pem")],
        input=plain, check=True, capture_output=True,
    ).stdout  # fmt: skip
    return base64.b64encode(envelope).decode()


def test_another_key_is_refused_and_one_whose_halves_differ(two: Pair, tmp_path: Path) -> None:
    """Of an EC key openssl believes the public half that is written beside the private one."""
    made, waiting = two.made(), two.waiting()
    pems = [subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"], check=True,
                           capture_output=True).stdout for _number in range(2)]  # fmt: skip
    envelope = sealed_by_hand(pems[0], waiting["certificate_pem"], tmp_path)
    assert two.installed(made, waiting, envelope)["code"] == "key_mismatch"
    two.assert_untouched(waiting)
    right = two.lead.version(made["version"]) / "privkey.pem"
    der = subprocess.run(
        ["openssl", "ec", "-in", str(right), "-outform", "DER"], check=True, capture_output=True
    ).stdout
    other = subprocess.run(["openssl", "ec", "-outform", "DER"], input=pems[0], check=True, capture_output=True).stdout
    mixed = other[: len(other) // 2 - 20] + der[len(der) // 2 - 20 :]
    pem = subprocess.run(["openssl", "ec", "-inform", "DER"], input=mixed, check=True, capture_output=True).stdout
    refused = two.installed(made, waiting, sealed_by_hand(pem, waiting["certificate_pem"], tmp_path))
    assert refused["code"] == "seal_broken", refused
    two.assert_untouched(waiting)


@pytest.mark.parametrize("fate", ["retired", "revoked:keyCompromise", "created", "adopted"])
def test_key_with_a_past_here_is_refused(two: Pair, fate: str) -> None:
    made, waiting = two.made(), two.waiting()
    log = two.other.root / "shop" / "keys.log"
    log.write_text(f"2026-11-20T23:15:00Z {made['spki_sha256']} {fate} 20261120T231500Z-a1b2c3\n")
    [envelope] = two.sealed(made, waiting["certificate_pem"])["envelopes_b64"]
    assert two.installed(made, waiting, envelope)["code"] == "key_known"
    log.write_text("")
    two.assert_untouched(waiting)


def test_key_of_another_certificate_here_is_refused(two: Pair) -> None:
    made, waiting = two.made(), two.waiting()
    (two.other.root / "blog").mkdir()
    line = f"2026-11-20T23:15:00Z {made['spki_sha256']} received 20261120T231500Z-a1b2c3\n"
    (two.other.root / "blog" / "keys.log").write_text(line)
    [envelope] = two.sealed(made, waiting["certificate_pem"])["envelopes_b64"]
    assert two.installed(made, waiting, envelope)["code"] == "key_known"


def test_key_that_was_given_up_before_it_was_used_may_come_again(two: Pair) -> None:
    made, first = two.made(), two.waiting()
    [envelope] = two.sealed(made, first["certificate_pem"])["envelopes_b64"]
    two.other.service = {"kind": "signal", "name": "nginx", "test": ["false"], "pid_file": f"/proc/{os.getpid()}/x"}
    assert two.installed(made, first, envelope).get("failed")
    second = two.waiting()
    assert second["version"] != first["version"] and not second["resumed"]
    two.other.service = {"kind": "none"}
    [envelope] = two.sealed(made, second["certificate_pem"])["envelopes_b64"]
    assert not two.installed(made, second, envelope).get("failed")
    assert [fate for _key, fate in two.other.fates()] == ["received", "abandoned", "received", "live"]


def test_key_that_has_arrived_is_taken_up_if_it_is_the_one_that_is_wanted(two: Pair) -> None:
    made, first = two.made(), two.waiting()
    [envelope] = two.sealed(made, first["certificate_pem"])["envelopes_b64"]
    two.other.service = {"kind": "signal", "name": "nginx", "test": ["false"], "pid_file": f"/proc/{os.getpid()}/x"}
    two.installed(made, first, envelope)
    again = two.waiting(spki_sha256=made["spki_sha256"])
    assert (again["version"], again["resumed"], again["certificate_pem"]) == (first["version"], True, None)


def test_one_time_key_of_an_earlier_run_is_never_used(two: Pair) -> None:
    first, second = two.waiting(), two.waiting()
    assert first["certificate_pem"] != second["certificate_pem"]
    assert os.listdir(two.other.version(first["version"])) == ["record.json"]


@pytest.mark.parametrize("seal", [{"shared": "other"}, {"spki_sha256": "0" * 64}])
def test_key_leaves_for_its_own_group_alone(two: Pair, seal: dict[str, Any]) -> None:
    waiting = two.waiting()
    error = two.sealed(two.made(), waiting["certificate_pem"], **seal)["error"]
    assert error["code"] == "seal_refused"


def test_key_that_was_not_made_to_be_shared_never_leaves(two: Pair) -> None:
    two.lead.rotate("shop")
    made = {"version": two.lead.live("shop"), "spki_sha256": spki_of_key(two.lead.root / "shop/live/privkey.pem")}
    assert two.sealed(made, two.waiting()["certificate_pem"])["error"]["code"] == "seal_refused"


def test_live_key_can_be_sealed_and_one_that_was_replaced_can_not(two: Pair) -> None:
    made, waiting = two.made(), two.waiting()
    assert not two.lead.install(two.lead.release(made)).get("failed")
    assert two.sealed(made, waiting["certificate_pem"])["envelopes_b64"]
    newer = two.lead.prepare(shared=GROUP)
    assert not two.lead.install(two.lead.release(newer)).get("failed")
    assert two.sealed(made, waiting["certificate_pem"])["error"]["code"] == "seal_refused"


@pytest.mark.parametrize("certificate", ["", "nonsense", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_gets_nothing(two: Pair, certificate: str) -> None:
    assert two.sealed(two.made(), certificate)["error"]["code"] == "certificate_unreadable"


def test_version_that_does_not_wait_takes_nothing_in(two: Pair) -> None:
    made, waiting = two.made(), two.waiting()
    [envelope] = two.sealed(made, waiting["certificate_pem"])["envelopes_b64"]
    own = two.other.prepare()
    release = two.other.release(own)
    assert two.other.install({**release, "sealed_key_b64": envelope}).get("failed") is None
    assert spki_of_key(two.other.version(own["version"]) / "privkey.pem") == own["spki_sha256"]


def test_check_mode_seals_nothing_and_tells_what_is_refused(two: Pair) -> None:
    made = two.made()
    seal = {"name": "shop", "version": made["version"], "spki_sha256": made["spki_sha256"], "certificates": ["x"]}
    result = two.lead.modules.run("key_seal", check=True, seals=[{**seal, "shared": "shop"}, {**seal, "shared": "x"}])
    first, second = result["sealed"]
    assert first["envelopes_b64"] == [] and second["error"]["code"] == "seal_refused"
