# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step prepare: look, and a key and a request for what is due."""

from __future__ import annotations

import json

import pytest
from ansible_collections.certops.rotation.tests.support.host_steps import HostSteps, rotation
from cryptography import x509

KEEP = {"action": "keep", "reasons": []}
OTHER_KEY = {"spki_sha256": "0" * 64}


def test_due_one_gets_a_request_and_its_neighbour_is_only_looked_at(host: HostSteps) -> None:
    result = host.step("key_csr", rotation("shop"), rotation("blog", decision=KEEP))
    due, kept = result["rotations"]
    request = x509.load_pem_x509_csr(due["prepared"]["csr_pem"].encode())
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["shop.example.org"]
    assert due["times"]["prepared"] and "prepare" in due["seconds"]
    assert "prepared" not in kept
    assert kept["installed"]["versions"] == []
    assert result["changed"] is True
    assert len(host.modules.outputs) == 1


def test_check_mode_looks_and_prepares_nothing(host: HostSteps) -> None:
    found = host.one("key_csr", rotation(), check=True)
    assert "prepared" not in found
    assert found["installed"]["live"] is None
    assert not host.root.exists()


def test_killed_before_the_switch_goes_on_with_its_key(host: HostSteps) -> None:
    first, second = host.one("key_csr", rotation()), host.one("key_csr", rotation())
    assert (first["prepared"]["resumed"], second["prepared"]["resumed"]) == (False, True)
    assert second["prepared"]["spki_sha256"] == first["prepared"]["spki_sha256"]
    third = host.one("key_csr", rotation(must_staple=True))
    assert third["prepared"]["spki_sha256"] != first["prepared"]["spki_sha256"]


def test_late_key_is_made_only_where_one_is_missing(host: HostSteps) -> None:
    due, later = host.one("key_csr", rotation("shop")), rotation("blog")
    executed = len(host.modules.outputs)
    shop, blog = host.step("key_csr", due, later, late=True)["rotations"]
    assert shop == due
    assert blog["prepared"]["version"]
    assert host.step("key_csr", shop, rotation("wiki", decision=KEEP), late=True)["changed"] is False
    assert len(host.modules.outputs) == executed + 1


def test_premise_that_fails_is_settled_by_the_plan_first_and_an_error_when_late(host: HostSteps) -> None:
    host.installed(rotation())
    decision = {**rotation()["decision"], "premise": OTHER_KEY}
    looked = host.one("key_csr", rotation(decision=decision))
    assert "prepared" not in looked and "error" not in looked
    assert looked["installed"]["live"]
    (late,) = host.step("key_csr", looked, late=True, keep_going=True)["rotations"]
    assert (late["error"]["step"], late["error"]["code"]) == ("prepare", "premise_failed")


def test_error_of_one_fails_the_task_unless_it_may_keep_going(host: HostSteps) -> None:
    wrong = rotation("blog", server_names=["not a name"])
    going = host.step("key_csr", rotation(), wrong, keep_going=True)
    assert not going.get("failed")
    assert going["rotations"][0].get("prepared") or going["rotations"][0].get("error")
    assert going["rotations"][1]["error"]["step"] == "prepare"
    stopping = host.step("key_csr", wrong)
    assert stopping["failed"] and stopping["code"] == going["rotations"][1]["error"]["code"]


def test_rotation_with_an_error_is_passed_by(host: HostSteps) -> None:
    failed = rotation(error={"step": "detect", "code": "name_invalid", "msg": "no", "remedy": "", "facts": {}})
    result = host.step("key_csr", failed)
    assert result["rotations"] == [{**failed, "host": "web1"}]
    assert host.modules.outputs == []


VHOST = """\
server { listen 443 ssl; server_name shop.example.org;
ssl_certificate /etc/nginx/shop.crt; ssl_certificate_key /etc/nginx/shop.key; ssl_session_ticket_key secret.key; }
"""


@pytest.mark.parametrize("step", ["key_csr", "installed_info"])
def test_host_without_rotations_is_asked_for_its_vhosts(host: HostSteps, step: str) -> None:
    dump = host.folder / "dump"
    dump.write_text(f"# configuration file /etc/nginx/nginx.conf:\nevents {{}}\nhttp {{ {VHOST} }}\n")
    result = host.step(step, nginx_dump=["cat", str(dump)], defaults={"address": "192.0.2.7"})
    (found,) = result["rotations"]
    assert (found["host"], found["name"], found["server_names"]) == ("web1", "shop.example.org", ["shop.example.org"])
    assert found["listeners"] == [{"address": "192.0.2.7", "port": 443}]
    assert found["paths"] == {"certificate": "/etc/nginx/shop.crt", "key": "/etc/nginx/shop.key"}
    assert len(result["vhosts"]) == 1
    assert "secret.key" not in json.dumps(result)


@pytest.mark.parametrize(
    ("dump", "said"),
    [
        (["sh", "-c", "echo the dump failed >&2; exit 1"], "configuration_unreadable"),
        (["printf", "# configuration file /etc/nginx/nginx.conf:\nevents {}\n"], "no server block"),
    ],
)
def test_vhosts_that_cannot_be_read_are_the_hosts_error_and_none_a_warning(
    host: HostSteps, dump: list[str], said: str
) -> None:
    result = host.step("key_csr", nginx_dump=dump, keep_going=True)
    assert said in json.dumps(result["rotations"]) or result["rotations"] == []
    assert [one["name"] for one in result["rotations"]] == (["nginx"] if said.startswith("conf") else [])
