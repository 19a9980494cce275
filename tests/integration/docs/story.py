# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each command of the guides does to a fleet: one story, from making a CA to the drill.

A command that stands in a guide and not here fails a test, and so does one that stands here only.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import subprocess
from collections.abc import Callable

import pytest
import yaml
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificate,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import open_acme_client
from ansible_collections.certops.rotation.tests.integration.docs.world import HOSTS, GuideWorld
from ansible_collections.certops.rotation.tests.support import pebble
from ansible_collections.certops.rotation.tests.support.acme_orders import ordered
from ansible_collections.certops.rotation.tests.support.guide_text import ROOT, blocks
from ansible_collections.certops.rotation.tests.support.local_fleet import SERVER_NAME
from ansible_collections.certops.rotation.tests.support.pki import Authority, Issued, key_pem, make_key, pem, utc_now
from ansible_collections.certops.rotation.tests.support.playbook import Run
from ansible_collections.certops.rotation.tests.support.rulebook import why_no_rulebook
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

Scene = Callable[[GuideWorld], None]
Look = Callable[[GuideWorld, Run], None]
RUN = "ansible-playbook -i inventory.yml certops.rotation."


def _nothing(_world: GuideWorld) -> None:
    """Goes on from where the last command ended."""


@dataclasses.dataclass(frozen=True)
class Step:
    command: str
    then: Look
    before: Scene = _nothing
    status: int = 0
    answer: str = ""
    until: str = ""


# A CA of one's own


def ca_is_there(world: GuideWorld, _run: Run) -> None:
    assert (world.place / "ca" / "ca.sqlite3").is_file()
    assert {"root.crt", "intermediate.crl"} <= {path.name for path in world.published.iterdir()}


def nothing_changed(_world: GuideWorld, run: Run) -> None:
    assert run.changed and not any(run.changed.values()), run.output


# Is anything revoked?


def serve(world: GuideWorld) -> None:
    world.serve()
    world.memory["first"] = world.serials()


def all_are_good(world: GuideWorld, run: Run) -> None:
    nothing_changed(world, run)
    report = json.loads(world.newest().read_text())
    assert {entry["host"]: entry["before"]["verdict"]["status"] for entry in report["rotations"]} == dict.fromkeys(
        HOSTS, "good"
    )


def metrics_are_there(world: GuideWorld, _run: Run) -> None:
    metrics = (world.place / "textfile" / "certops_rotation.prom").read_text()
    assert "certops_certificates{" in metrics and 'host="web1"' in metrics


def page_is_there(world: GuideWorld, _run: Run) -> None:
    assert world.newest("report.html").stat().st_size > 10_000


def both_files_are_listed(_world: GuideWorld, run: Run) -> None:
    assert {"report.json", "report.html"} <= set(run.output.split())


def revoke_web1(world: GuideWorld) -> None:
    world.revoke("web1")


def web1_is_revoked(_world: GuideWorld, run: Run) -> None:
    assert "is revoked since" in run.output
    assert run.failed == {"web1": 1, "web2": 0, "api1": 0}


# Rotate


def planned_and_not_done(world: GuideWorld, run: Run) -> None:
    assert run.changed["web1"] and world.serials() == world.memory["first"]
    assert world.ordered() == []


def web1_is_replaced(world: GuideWorld, _run: Run) -> None:
    now, first = world.serials(), world.memory["first"]
    assert [host for host in HOSTS if now[host] != first[host]] == ["web1"]
    assert world.status(world.chain_of("web1")) == "good"


def web1_is_replaced_once_more(world: GuideWorld, run: Run) -> None:
    web1_is_replaced(world, run)
    assert len(world.ordered()) == 2 and "web1/shop: rotated" in run.output


def page_and_ticket_are_there(world: GuideWorld, _run: Run) -> None:
    page_is_there(world, _run)
    assert world.newest("report.md").is_file()


def write_leaked_yml(world: GuideWorld) -> None:
    """The block of YAML that the guide shows after the command, about a key that is in use here."""
    [shown] = [
        block.text for block in blocks(ROOT / "docs/docsite/rst/guide_report.rst") if "# leaked.yml" in block.text
    ]
    key = world.served_by("web2").spki_sha256
    told = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
    assert told in shown
    (world.place / "leaked.yml").write_text(shown.replace(told, key))


def web2_is_replaced_for_the_incident(world: GuideWorld, _run: Run) -> None:
    report = json.loads((world.reports / "leaked-2026-11" / "report.json").read_text())
    assert report["incident"]["subject"]["reason"] == "keyCompromise"
    [entry] = [entry for entry in report["rotations"] if entry["host"] == "web2"]
    assert entry["before"]["serial"] == world.memory["first"]["web2"]
    assert entry["revocation"]["state"] == "visible"
    assert entry["after"]["serial"] == world.served_by("web2").serial


# Why is it refused?


def no_cause_is_certain(_world: GuideWorld, run: Run) -> None:
    assert "certain:" not in run.output and not any(run.failed.values())


def make_client_certificate(world: GuideWorld) -> None:
    client = Authority.root("Clients").issue(["client.example.org"])
    (world.place / "client.pem").write_text(client.chain_pem)
    (world.place / "client.key").write_text(client.key_pem)


def client_is_looked_at(_world: GuideWorld, run: Run) -> None:
    assert "client" in run.output and list(run.failed) == ["api1"]


# Revoke


def lose_a_server(world: GuideWorld) -> None:
    """A certificate of the CA that nobody serves any more."""
    key = world.place / "gone.key"
    request = subprocess.run(
        ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", str(key), "-subj", "/", "-addext", "subjectAltName=DNS:gone.example.org"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    chain = world.issue("gone", request, ["gone.example.org"])
    world.memory["gone"] = chain
    world.instead["0a1b2c"] = certificate_facts(read_certificate(chain.encode())).serial


def gone_is_not_revoked(world: GuideWorld, run: Run) -> None:
    assert world.instead["0a1b2c"] in run.output
    assert world.status(world.memory["gone"]) == "good"


def gone_is_revoked(world: GuideWorld, _run: Run) -> None:
    with sqlite3.connect(world.place / "ca" / "ca.sqlite3") as connection:
        query = "SELECT reason FROM certificate WHERE serial = ?"
        assert connection.execute(query, [world.instead["0a1b2c"]]).fetchall() == [("cessationOfOperation",)]
    assert world.status(world.memory["gone"]) == "revoked"


def certify_leaked_key_in_public(world: GuideWorld) -> None:
    """The public CA of the guide is Pebble."""
    if not pebble.IS_HERE:
        pytest.skip("pebble is not installed")
    server = world.memory["public"] = world.until_end(
        pebble.Pebble(world.place / "pebble", environment={"PEBBLE_VA_ALWAYS_VALID": "1"})
    )
    world.issuers["letsencrypt"] = server.issuer()
    world.variables["revoke_visible_deadline"] = 0
    key = make_key()
    (world.place / "root" / "leaked.pem").write_text(key_pem(key))
    (world.place / "leaked.crt").write_text(ordered(open_acme_client(server.issuer()), ["shop.example.org"], key))
    world.inventory()


def leaked_key_has_revoked_itself(world: GuideWorld, _run: Run) -> None:
    serial = certificate_facts(read_certificate((world.place / "leaked.crt").read_bytes())).serial
    assert world.memory["public"].revocation(serial)["Reason"] == 1


# A key has leaked


def leak_key_of_api1(world: GuideWorld) -> None:
    (world.place / "root" / "leaked.pem").write_bytes(world.key_of("api1").read_bytes())
    world.memory["api1"] = world.served_by("api1")


def api1_is_replaced(world: GuideWorld, run: Run) -> None:
    assert "Rotate these 1 hosts now? Type yes" in run.output
    before = world.memory["api1"]
    assert world.served_by("api1").spki_sha256 != before.spki_sha256
    assert before.spki_sha256 in (world.place / "deny_list").read_text()
    states = {
        entry["revocation"]["state"]
        for path in world.reports.glob("*/report.json")
        for entry in json.loads(path.read_text())["rotations"]
        if entry["host"] == "api1"
        and (entry.get("before") or {}).get("serial") == before.serial
        and entry["revocation"]
    }
    assert states == {"visible"}


def add_staging(world: GuideWorld) -> None:
    """One host is enough: what a drill does to several has a test of its own."""
    world.add_ca("staging")
    world.memory["before drill"] = world.serials()
    world.inventory("web1")


def drill_leaves_nothing(world: GuideWorld, _run: Run) -> None:
    assert world.serials() == world.memory["before drill"]
    [folder] = [path for path in world.reports.glob("drill-*") if path.is_dir()]
    report = json.loads((folder / "report.json").read_text())
    assert {entry["host"]: entry["revocation"]["state"] for entry in report["rotations"]} == {"web1": "visible"}


# What several runs left


def report_is_told_again(_world: GuideWorld, run: Run) -> None:
    assert "1 rotated" in run.output and list(run.failed) == ["localhost"]


# When the CA says so


def watch_web2(world: GuideWorld) -> None:
    """The variables that the guide shows, with what stands for them here; and the CA has just revoked one."""
    missing = why_no_rulebook()
    if missing:
        pytest.skip(missing)
    guide = ROOT / "docs" / "docsite" / "rst" / "guide_events.rst"
    [shown] = [block.text for block in blocks(guide) if "certops_state_path" in block.text]
    told = yaml.safe_load(shown)
    [endpoint] = told["certops_endpoints"]
    assert (endpoint["host"], endpoint["server_name"]) == ("web1", SERVER_NAME)
    endpoint.update(host="web2", address="127.0.0.1", port=world.fleet["web2"].vhosts[0].port)
    (world.place / "watched.yml").write_text("endpoints: []\n")
    told.update(
        rotate_issuers=world.issuers,
        certops_targets_file=str(world.place / "watched.yml"),
        certops_state_path=str(world.place / "events" / "state.json"),
    )
    (world.place / "events.yml").write_text(yaml.safe_dump(told))
    world.revoke("web2", "superseded")
    world.memory["web2"] = world.served_by("web2").serial


def web2_is_replaced(world: GuideWorld, _run: Run) -> None:
    assert world.served_by("web2").serial != world.memory["web2"]


# A second opinion


def write_evidence(world: GuideWorld) -> None:
    now = utc_now()
    root = Authority.root(at=now)
    issuing = root.intermediate()
    shop: Issued = issuing.issue(["shop.example.org"])
    world.instead["1795176000"] = str(int(now.timestamp()))
    lists = [x509.load_der_x509_crl(der).public_bytes(Encoding.PEM).decode() for der in (issuing.crl(), root.crl())]
    texts = {
        "root.pem": root.pem,
        "intermediates.pem": issuing.pem,
        "crls.pem": "".join(lists),
        "shop.pem": pem(shop.certificate),
    }
    for name, text in texts.items():
        (world.place / name).write_text(text)
    # As public CAs answer, and as openssl asks unless it is told otherwise.
    (world.place / "shop.ocsp").write_bytes(issuing.ocsp(shop.certificate, algorithm=hashes.SHA1()))


def openssl_agrees(_world: GuideWorld, run: Run) -> None:
    assert run.output.splitlines()[0] == "shop.pem: OK"


def openssl_says_good(_world: GuideWorld, run: Run) -> None:
    assert "Response verify OK" in run.output and "shop.pem: good" in run.output


_SERIALS = """'{"revoke_serials": ["0a1b2c"], "revoke_reason": "cessationOfOperation"}'"""
_LEAKED = (
    """'{"revoke_files": ["leaked.crt"], "revoke_key_path": "/root/leaked.pem", "revoke_issuer": "letsencrypt","""
    """ "revoke_reason": "keyCompromise"}'"""
)

# In the order in which they happen; those of one guide in the order of the guide.
STORY = (
    Step(
        "ansible-playbook certops.rotation.internal_ca -e internal_ca_directory=/srv/ca"
        " -e internal_ca_publish_directory=/srv/www/pki -e internal_ca_base_url=http://pki.example.org"
        """ -e '{"internal_ca_allowed_names": ["example.org", "192.0.2.0/24"]}'""",
        ca_is_there,
    ),
    Step(
        f"{RUN}internal_ca -e internal_ca_directory=/srv/ca -e internal_ca_base_url=http://ca.example.org",
        nothing_changed,
    ),
    Step(
        "ansible-playbook certops.rotation.internal_ca -e internal_ca_directory=/srv/ca -e internal_ca_state=refreshed",
        nothing_changed,
    ),
    Step(
        "ansible-playbook certops.rotation.check -i inventory"
        " -e check_concurrency=128 -e check_timeout=4 -e check_rate_limit=500",
        all_are_good,
        serve,
    ),
    Step("ansible-playbook certops.rotation.check -i inventory --limit 'all[0:1999]'", all_are_good),
    Step(
        f"""{RUN}check -e '{{"check_report_formats": ["prometheus"]}}'"""
        " -e check_report_textfile_directory=/var/lib/node_exporter/textfile",
        metrics_are_there,
    ),
    Step(f"""{RUN}check -e '{{"check_report_formats": ["json", "html"]}}'""", page_is_there),
    Step("ls certops-reports/latest/", both_files_are_listed),
    Step(f"{RUN}check -e check_look=true", all_are_good),
    Step(f"{RUN}check", web1_is_revoked, revoke_web1, status=2),
    Step(f"{RUN}rotate --check --diff", planned_and_not_done),
    Step(f"{RUN}rotate", web1_is_replaced),
    Step(f"""{RUN}rotate --limit web1 -e '{{"rotate_force": ["shop"]}}'""", web1_is_replaced_once_more),
    Step(
        f"""{RUN}rotate -e '{{"rotate_report_formats": ["json", "html", "markdown"]}}'""",
        page_and_ticket_are_there,
    ),
    Step(
        f"{RUN}rotate -e rotate_report_incident=leaked-2026-11 -e @leaked.yml",
        web2_is_replaced_for_the_incident,
        write_leaked_yml,
    ),
    Step(f"{RUN}staple", nothing_changed),
    Step(f"{RUN}diagnose --limit web1", no_cause_is_certain),
    Step(f"{RUN}diagnose --tags fix", no_cause_is_certain),
    Step(
        f"{RUN}diagnose --limit api1 -e diagnose_client_certificate=client.pem -e diagnose_client_key=client.key",
        client_is_looked_at,
        make_client_certificate,
    ),
    Step(f"{RUN}revoke -e {_SERIALS} --check", gone_is_not_revoked, lose_a_server),
    Step(f"{RUN}revoke -e {_SERIALS}", gone_is_revoked),
    Step(f"{RUN}revoke -e {_LEAKED}", leaked_key_has_revoked_itself, certify_leaked_key_in_public),
    Step(
        "ansible-playbook certops.rotation.emergency -i inventory -e emergency_key_path=/root/leaked.pem",
        api1_is_replaced,
        leak_key_of_api1,
        answer="yes",
    ),
    Step("ansible-playbook certops.rotation.report", report_is_told_again),
    Step(
        "ansible-rulebook --rulebook certops.rotation.rotate_revoked --inventory inventory.yml --vars events.yml",
        web2_is_replaced,
        watch_web2,
        until="PLAY RECAP",
    ),
    Step(
        "ansible-playbook certops.rotation.emergency_drill -i inventory -e emergency_drill_issuer=staging",
        drill_leaves_nothing,
        add_staging,
        answer="yes",
    ),
    Step(
        "openssl verify -crl_check_all -extended_crl -use_deltas -attime 1795176000 -CAfile root.pem"
        " -untrusted intermediates.pem -CRLfile crls.pem shop.pem",
        openssl_agrees,
        write_evidence,
    ),
    Step(
        "openssl ocsp -respin shop.ocsp -no_nonce -CAfile root.pem -issuer intermediates.pem -cert shop.pem",
        openssl_says_good,
    ),
)


# What cannot run inside a test: why, and what of it is held against the repository all the same.


def _is_target(name: str) -> bool:
    return f"\n{name}: " in (ROOT / "Makefile").read_text("utf-8")


@dataclasses.dataclass(frozen=True)
class Elsewhere:
    why: str
    is_right: Callable[[], bool]


ELSEWHERE = {
    "git clone <this repository> && cd rotation": Elsewhere(
        "the address is the reader's", (ROOT / "Makefile").is_file
    ),
    "make demo": Elsewhere("makes environments; demo/ is what it runs", lambda: _is_target("demo")),
    "make test": Elsewhere("runs this test", lambda: _is_target("test")),
    "ansible-galaxy collection install git+<this repository>": Elsewhere(
        "the address is the reader's; the release gate installs the artifact", (ROOT / "galaxy.yml").is_file
    ),
    "ansible-builder build -f extensions/awx/execution-environment.yml -t certops-ee": Elsewhere(
        "needs a container engine; tests/integration/awx/test_execution_environment.py has the context made",
        (ROOT / "extensions" / "awx" / "execution-environment.yml").is_file,
    ),
    "ansible-galaxy collection install awx.awx": Elsewhere(
        "needs Galaxy; tests/integration/awx/test_load.py takes it out of the package ansible",
        lambda: "awx.awx." in (ROOT / "extensions" / "awx" / "load.yml").read_text("utf-8"),
    ),
    "ansible-playbook extensions/awx/load.yml -e @awx.yml": Elsewhere(
        "needs AWX; tests/integration/awx/test_load.py runs it",
        lambda: "load.yml" in (ROOT / "tests" / "integration" / "awx" / "test_load.py").read_text("utf-8"),
    ),
    "pip install -r requirements.txt": Elsewhere(
        "needs a package index; the environment of this test is made from the same file",
        lambda: "cryptography" in (ROOT / "requirements.txt").read_text("utf-8") and "-r ../requirements.txt" in (
            ROOT / "requirements" / "demo.in").read_text("utf-8"),
    ),
}  # fmt: skip
