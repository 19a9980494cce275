# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a key that leaked to all that it signed, and a weak key on its way out; on a real nginx."""

from __future__ import annotations

import json

from ansible_collections.certops.rotation.tests.support.http_server import HttpServer
from ansible_collections.certops.rotation.tests.support.key_database_server import KeyDatabaseServer
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, must
from ansible_collections.certops.rotation.tests.support.nginx import Vhost
from ansible_collections.certops.rotation.tests.support.pki import Authority, key_pem
from ansible_collections.certops.rotation.tests.support.weak_keys import close_factors_key
from ansible_collections.certops.rotation.tests.support.witness import Leak

FIND = """
- hosts: all
  gather_facts: false
  vars:
    declared: {certificates: "{{ rotate_certificates }}", address: 127.0.0.1}
  tasks:
    - certops.rotation.fleet_status:
        hosts: "{{ ansible_play_hosts }}"
        request: declared
        issuers: "{{ rotate_issuers }}"
      register: seen
      run_once: true
    - certops.rotation.installed_info:
        rotations: "{{ seen.rotations[inventory_hostname] }}"
        root: "{{ rotate_root }}"
      register: looked
    - certops.rotation.compromised_key_info:
        path: "{{ leaked }}"
        rotations: "{{ seen.rotations }}"
        collect: looked
        transparency: [crt_sh]
        crt_sh_url: "{{ crt_sh }}"
        databases: [pwnedkeys]
        pwnedkeys_url: "{{ crt_sh }}"
        cache_directory: ""
      register: found
      run_once: true
    - ansible.builtin.copy:
        content: "{{ found | to_json }}"
        dest: "{{ result }}"
        mode: "0600"
"""


def test_leaked_key_leads_to_the_host_that_serves_its_certificate(shop: LocalWorld) -> None:
    leak, result = Leak(), shop.place / "found.json"
    leak.learn(shop.pairs / "shop.key")
    play = shop.place / "find.yml"
    play.write_text(FIND)
    if shop.nginx is None:
        raise AssertionError("nginx is not running")
    shop.declare("shop", shop.nginx.vhosts[0])
    shop.inventory()
    with HttpServer() as web:
        databases = KeyDatabaseServer(web)
        values = {"leaked": str(shop.pairs / "shop.key"), "crt_sh": databases.url, "result": str(result)}
        run = must(shop.play(play, "-vvv", "-e", json.dumps(values)))
    found = json.loads(result.read_text())
    [certificate] = found["certificates"]
    assert certificate["serial"] == shop.served("shop.example.org").serial
    assert {sighting["where"] for sighting in certificate["seen"]} == {"served", "installed"}
    assert [key["path"] for key in found["keys"]] == [str(shop.pairs / "shop.key")]
    assert found["hosts"] == ["web1"]
    # crt.sh was not there (404), which is no answer; for pwnedkeys it means not listed.
    assert found["not_answered"] == ["crt_sh"] and not found["compromised"]
    assert leak.found_in([run.output.encode(), result.read_bytes()]) == []


def test_weak_key_that_is_served_is_rotated(world: LocalWorld) -> None:
    weak = Authority.root("An Old CA").issue(["shop.example.org"], key=close_factors_key())
    (world.pairs / "shop.crt").write_text(weak.chain_pem)
    (world.pairs / "shop.key").write_text(key_pem(weak.key))
    vhost = Vhost(["shop.example.org"], world.pairs / "shop.crt", world.pairs / "shop.key", world.snippet("shop"))
    world.start_nginx([vhost])
    before = world.served("shop.example.org")
    must(world.rotate())
    decision = world.rotation("shop")["decision"]
    assert "weak_key" in [reason["code"] for reason in decision["reasons"]]
    assert decision["compromised"] and decision["revocation_reason"] == "keyCompromise"
    assert world.served("shop.example.org").spki_sha256 != before.spki_sha256
