# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One certificate on three hosts: one order, one new key, which travels sealed from the first to the others."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificates,
)
from ansible_collections.certops.rotation.tests.support.client import Sampler
from ansible_collections.certops.rotation.tests.support.farm_world import FarmHost, FarmWorld
from ansible_collections.certops.rotation.tests.support.kill import kill_when
from ansible_collections.certops.rotation.tests.support.local_world import must
from ansible_collections.certops.rotation.tests.support.witness import Leak

DEAD = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1, "rotate_address": "127.0.0.1"}
# What is printed first by the step that is not reached any more.
KILLED_BEFORE = {
    "share": "Seal shared keys",
    "issue": "Get new chains",
    "install": "Switch, test and reload",
    "verify": "Prove from outside",
    "revoke": "Revoke the predecessors]",
}


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[FarmWorld]:
    with FarmWorld(tmp_path / "farm", 3) as made:
        made.make_ca()
        made.start()
        yield made


@pytest.mark.each_core
def test_revoked_is_replaced_on_all_by_one_order_under_one_key(farm: FarmWorld) -> None:
    old_serials, old_key = farm.serials(), farm.keys()[0]
    farm.revoke("shop")
    ended = must(farm.rotate())
    [new, *others] = farm.serials()
    assert others == [new, new] and new not in old_serials
    assert farm.orders() == 2
    assert set(farm.keys()) == {farm.hosts[0].key} != {old_key}
    lead, *receivers = farm.hosts
    assert [fate for key, fate in lead.fates if key == lead.key] == ["created", "live"]
    for host in receivers:
        assert [fate for key, fate in host.fates if key == lead.key] == ["received", "live"]
        assert host.files().count("receiver.key") == host.files().count("receiver.crt") == 0
        assert (host.live / "privkey.pem").stat().st_mode & 0o777 == 0o600
    for host in farm.hosts:
        assert (old_key, "revoked:keyCompromise") in host.fates, ended.output
    assert set(must(farm.rotate()).changed.values()) == {0}


@pytest.mark.parametrize("step", KILLED_BEFORE)
def test_killed_and_run_again_all_have_one_key(farm: FarmWorld, step: str) -> None:
    old = farm.serials()[0]
    farm.revoke("shop")
    with farm.start_rotate() as process:
        kill_when(process, f": {KILLED_BEFORE[step]}")
    assert set(farm.serials()) == {old} or step in ("verify", "revoke")
    assert_pairs_match(farm)
    must(farm.rotate())
    assert_one_new_pair(farm, old)
    assert farm.orders() == 2
    assert set(must(farm.rotate()).changed.values()) == {0}


def test_killed_while_hosts_install_the_rest_get_the_same_pair(farm: FarmWorld) -> None:
    """The lead's key is live, and sealed from there."""
    old = farm.serials()[0]
    farm.revoke("shop")
    with farm.start_rotate(ANSIBLE_FORKS="1") as process:
        kill_when(process, ": Switch, test and reload", "changed: [web1]")
    assert farm.serials() == [farm.serials()[0], old, old] != [old] * 3
    assert_pairs_match(farm)
    must(farm.rotate())
    assert_one_new_pair(farm, old)
    assert farm.orders() == 2


def test_lead_whose_service_refuses_gets_its_own_key_back_from_the_others(farm: FarmWorld) -> None:
    old = farm.serials()[0]
    lead, *others = farm.hosts
    assert lead.nginx is not None
    farm.revoke("shop")
    lead.nginx.write(broken="nonsense;")
    ended = farm.rotate()
    assert ended.failed == {"web1": 1, "web2": 0, "web3": 0}, ended.output
    [of_lead, *new] = farm.serials()
    assert of_lead == old and len({*new, old}) == 2
    lead.nginx.write()
    must(farm.rotate())
    assert_one_new_pair(farm, old)
    assert farm.orders() == 2
    assert [fate for key, fate in lead.fates if key == others[0].key] == ["created", "live"]


def test_receivers_whose_service_refused_take_the_key_up_that_they_have(farm: FarmWorld) -> None:
    old = farm.serials()[0]
    farm.revoke("shop")
    for host in farm.hosts[1:]:
        assert host.nginx is not None
        host.nginx.write(broken="nonsense;")
    assert farm.rotate().failed == {"web1": 0, "web2": 1, "web3": 1}
    assert_pairs_match(farm)
    of_lead = farm.rotations()["web1"]
    for host in farm.hosts[1:]:
        assert host.nginx is not None
        host.nginx.write()
    ended = must(farm.rotate())
    assert "Seal shared keys" not in ended.output
    assert_one_new_pair(farm, old)
    assert farm.orders() == 2
    assert of_lead["installation"]["version"]


def test_lead_that_stays_away_is_no_lead_any_more(farm: FarmWorld) -> None:
    """Its unused key is given up when it is back; it gets that of the others."""
    old = farm.serials()[0]
    lead, second, _third = farm.hosts
    farm.revoke("shop")
    with farm.start_rotate() as process:
        kill_when(process, ": Seal shared keys")
    unused = lead.fates[0]
    assert unused[1] == "created"
    lead.variables.update(DEAD)
    assert farm.rotate().returncode
    assert farm.serials()[0] == old
    assert second.key == farm.keys()[1] == farm.keys()[2] != unused[0]
    for name in DEAD:
        del lead.variables[name]
    must(farm.rotate())
    assert_one_new_pair(farm, old)
    assert (unused[0], "abandoned") in lead.fates
    assert [fate for key, fate in lead.fates if key == second.key] == ["received", "live"]
    assert farm.orders() == 2


def test_host_that_joins_gets_what_the_others_have(farm: FarmWorld) -> None:
    [first, second, third] = farm.hosts
    farm.hosts.remove(third)
    farm.revoke("shop")
    must(farm.rotate())
    assert third.nginx is not None
    farm.hosts.append(third)
    must(farm.rotate())
    assert third.key == second.key == first.key
    assert len(set(farm.serials())) == 1 and farm.orders() == 2
    assert [fate for key, fate in third.fates if key == first.key] == ["received", "live"]


def test_key_on_the_deny_list_is_replaced_on_all_by_another(farm: FarmWorld) -> None:
    farm.revoke("shop")
    must(farm.rotate())
    shared = farm.hosts[0].key
    farm.variables["rotate_deny_list"] = [shared]
    must(farm.rotate())
    assert len({host.key for host in farm.hosts}) == 1
    assert farm.hosts[0].key != shared
    assert farm.orders() == 3
    for host in farm.hosts:
        assert (shared, "revoked:keyCompromise") in host.fates


def test_key_under_abuse_is_revoked_first_and_replaced_on_all(farm: FarmWorld) -> None:
    old = farm.serials()[0]
    farm.variables.update(rotate_deny_list=farm.keys()[:1], rotate_revoke_first=True)
    ended = must(farm.rotate())
    assert ended.output.index("before they are replaced") < ended.output.index("Switch, test and reload")
    assert_one_new_pair(farm, old)
    assert farm.orders() == 2


def test_check_mode_says_so_and_makes_nothing(farm: FarmWorld) -> None:
    farm.revoke("shop")
    ended = must(farm.rotate("--check"))
    assert set(ended.changed.values()) != {0}
    assert farm.orders() == 1 and not any(host.root.exists() for host in farm.hosts)


def test_groups_ask_for_one_thing_and_others_have_their_own(farm: FarmWorld) -> None:
    """The same name for something else is another certificate; in a group with a name it is an error."""
    farm.revoke("shop")
    first, second, third = farm.hosts
    mine = first.declared(server_names=["shop.example.org", "more.example.org"])
    first.variables["rotate_certificates"] = [mine]
    must(farm.rotate())
    assert first.key != second.key == third.key
    farm.variables["rotate_force"] = True
    for host in farm.hosts:
        host.variables["rotate_certificates"] = [{**host.declared(), "shared": "farm"}]
    second.variables["rotate_certificates"][0]["must_staple"] = True
    ended = farm.rotate()
    assert farm.rotations()["web2"]["error"]["code"] == "share_differs", ended.output
    assert first.key == third.key != second.key


def test_no_part_of_the_key_is_outside_of_the_hosts(farm: FarmWorld) -> None:
    farm.revoke("shop")
    leak, log = Leak(), farm.place / "ansible.log"
    with tempfile.TemporaryDirectory(prefix="leak-") as place, Sampler(Path(place), processes=True) as sampled:
        run = must(farm.rotate("-vvv", "--diff", ANSIBLE_PIPELINING="0", ANSIBLE_LOG_PATH=str(log), TMPDIR=place,
                               ANSIBLE_LOCAL_TEMP=f"{place}/local", ANSIBLE_REMOTE_TEMP=f"{place}/remote"))  # fmt: skip
        left = [path.read_bytes() for path in Path(place).rglob("*") if path.is_file()]
    leak.learn(farm.hosts[1].live / "privkey.pem")
    keys = {host.live / "privkey.pem" for host in farm.hosts}
    assert all(leak.found_in([key.read_bytes()]) for key in keys)
    others = [path for path in farm.place.rglob("*") if path.is_file() and path.resolve() not in keys]
    texts = [run.output.encode(), log.read_bytes(), *sampled.texts, *left, *(path.read_bytes() for path in others)]
    assert leak.found_in(texts) == []
    assert "sealed_key_b64" not in json.dumps(farm.report())


def assert_pairs_match(farm: FarmWorld) -> None:
    """What each host serves now it could start with as well."""
    for host in farm.hosts:
        assert host.nginx is not None
        if (host.root / "shop" / "live").exists():
            assert host.key == certified_key(host), host.name


def certified_key(host: FarmHost) -> str:
    return certificate_facts(read_certificates((host.live / "fullchain.pem").read_bytes())[0]).spki_sha256


def assert_one_new_pair(farm: FarmWorld, old: str) -> None:
    [serial] = set(farm.serials())
    assert serial != old
    assert {host.key for host in farm.hosts} == set(farm.keys())
    assert len(set(farm.keys())) == 1
    for host in farm.hosts:
        assert not {"receiver.key", "receiver.crt"} & set(host.files()), host.name
        assert len(list((host.root / "shop" / "versions").glob("*/privkey.pem"))) == 1
