# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``diagnose_fix``: what is ours is repaired, and a client sees it before it is called so."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.plugin_utils.snippet import snippets
from ansible_collections.certops.rotation.tests.integration.diagnose.world import HOST, NAME, World
from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.host_world import b64
from ansible_collections.certops.rotation.tests.support.nginx import Vhost
from ansible_collections.certops.rotation.tests.support.pki import DAY, HOUR, Authority, utc_now
from cryptography import x509

TEMPLATE = Path(__file__).resolve().parents[3] / "roles" / "rotate" / "templates" / "nginx.conf.j2"


class Installed(World):
    """A host with a release of ours, which nginx serves through its snippet."""

    def release(self, *, trust: str | None = None, staple: bytes | None = None, **wanted: Any) -> x509.Certificate:
        """Installed as a rotation would, but for what is given wrongly."""
        made = self.modules.run("key_csr", requests=[{"name": "shop", "server_names": [NAME], "action": "rotate"}])
        prepared = made["prepared"]["shop"]
        pointers = {"ocsp_urls": [f"{self.ca.url}/ocsp"], "crl_urls": [f"{self.ca.url}/ca.crl"]}
        issued = self.issuing.sign_csr(prepared["csr_pem"], **{**pointers, **wanted})
        self.ca.known[issued.serial] = issued.certificate
        rotation = {"name": "shop", "server_names": [NAME], "issued": {"ocsp_urls": ["http://x.example.org"]}}
        release = {
            "name": "shop",
            "version": prepared["version"],
            "chain_pem": issued.chain_pem,
            "trust_pem": trust or self.issuing.pem + self.root.pem,
            "spki_sha256": prepared["spki_sha256"],
            "snippets": snippets(TEMPLATE.read_text(), rotation, str(self.modules.root), []),
            "stapling": "file" if staple else "nginx",
            "responder": {"host": "127.0.0.1", "port": self.ca.server_address[1]},
            "staple_b64": b64(staple) if staple else None,
        }
        result = self.modules.run("certificate_install", releases=[release], service={"kind": "none"})
        assert not result.get("failed"), result
        return issued.certificate

    def serve_release(self) -> None:
        live = self.modules.root / "shop" / "live"
        self.start(Vhost([NAME], live / "fullchain.pem", live / "privkey.pem", f"include {live}/nginx.conf;"))


def stale_staple(world: Installed) -> str:
    """staple.der was fetched three days ago, and the timer of the staple playbook does not run."""
    certificate = world.release(staple=b"\x30\x00")
    old = world.issuing.ocsp(certificate, this_update=utc_now() - 3 * DAY, next_update=utc_now() - DAY)
    (world.modules.root / "shop" / "live" / "staple.der").write_bytes(old)
    world.serve_release()
    return "staple_stale"


def damaged_trust_file(world: Installed) -> str:
    """Somebody wrote fullchain.pem into trust.pem, and there is no root in that."""
    signer = world.issuing.delegate()
    world.ca.ocsp = lambda asked: world.ca.good(asked, signer=signer)
    world.release(trust=world.issuing.pem)
    world.serve_release()
    world.prime()
    return "trust_without_root"


def snippet_of_another_time(world: Installed) -> str:
    """The snippet wants a staple, and the certificate names no responder any more."""
    world.release(ocsp_urls=[])
    world.serve_release()
    return "stapling_ignored"


def reload_missing(world: Installed) -> str:
    """The vhost's own pair was replaced by hand."""
    old, new = world.leaf(), world.leaf(not_before=utc_now() - HOUR)
    vhost = world.vhost(old, "")
    world.start(vhost)
    vhost.certificate.write_text(new.chain_pem)
    vhost.key.write_text(new.key_pem)
    return "old_certificate_served"


def workers_without_staple(world: Installed) -> str:
    """A reload a moment ago."""
    world.start(world.vhost(world.leaf()), workers=2)
    return "staple_not_primed"


BROKEN: list[Callable[[Installed], str]] = [
    stale_staple,
    damaged_trust_file,
    snippet_of_another_time,
    reload_missing,
    workers_without_staple,
]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Installed]:
    with Installed(tmp_path) as made:
        yield made


def declared(vhost: Vhost) -> dict[str, Any]:
    """A host that is this machine, with one certificate."""
    listeners = [{"address": "127.0.0.1", "port": vhost.port}]
    certificates = [{"name": "shop", "server_names": list(vhost.names), "listeners": listeners}]
    connection = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    return {**connection, "diagnose_certificates": certificates}


def fix(world: Installed, *arguments: str, others: Mapping[str, Vhost] | None = None, **variables: Any) -> playbook.Run:
    assert world.nginx is not None
    known = {
        "diagnose_trust_anchors": [str(world.place / "root.pem")],
        "diagnose_nginx_dump": [*world.nginx.command, "-T"],
        "diagnose_root": str(world.modules.root),
        "diagnose_files": {},
        "diagnose_service": world.nginx.service,
        "diagnose_slow_after": 3,
        **variables,
    }
    vhosts = {HOST: world.nginx.vhosts[0], **(others or {})}
    hosts = {name: declared(vhost) for name, vhost in vhosts.items()}
    inventory = playbook.write_inventory(world.place / "inventory.yml", hosts, known)
    return playbook.run("certops.rotation.diagnose", inventory, arguments, cwd=world.place)


@pytest.mark.parametrize("broken", BROKEN, ids=[each.__name__ for each in BROKEN])
def test_what_is_ours_is_repaired_and_seen_by_a_client(broken: Callable[[Installed], str], world: Installed) -> None:
    code = broken(world)
    ended = fix(world, "--tags", "fix")
    assert f"web1/shop: {code}: repaired, and seen so by a client" in ended.output, ended.output
    assert ended.returncode == 0 and "1. certain" not in ended.output, ended.output
    world.prime()
    assert code not in world.codes(), "\n".join(world.lines)


def test_of_two_hosts_only_the_broken_one_is_touched(world: Installed) -> None:
    old, new = world.leaf(), world.leaf(not_before=utc_now() - HOUR)
    broken, well = world.vhost(old, ""), world.vhost(world.leaf("other.example.org"), "", name="other.example.org")
    world.start(broken, well)
    broken.certificate.write_text(new.chain_pem)
    broken.key.write_text(new.key_pem)
    ended = fix(world, "--tags", "fix", others={"web2": well})
    assert "web1/shop: old_certificate_served: repaired, and seen so by a client" in ended.output, ended.output
    assert "web2/shop: 1. possible: the certificate names an OCSP responder" in ended.output, ended.output
    assert ended.returncode == 0 and (ended.changed["web1"], ended.changed["web2"]) == (1, 0), ended.output


def test_without_fix_nothing_is_changed(world: Installed) -> None:
    stale_staple(world)
    before = (world.modules.root / "shop" / "live" / "staple.der").read_bytes()
    ended = fix(world)
    assert ended.returncode == 2 and ended.changed[HOST] == 0, ended.output
    assert (world.modules.root / "shop" / "live" / "staple.der").read_bytes() == before


def test_what_a_repair_does_not_help_is_not_called_repaired(world: Installed) -> None:
    """The responder has nothing better than the stale answer."""
    stale_staple(world)
    old = {"this_update": utc_now() - 3 * DAY, "next_update": utc_now() - DAY}
    world.ca.ocsp = lambda asked: world.ca.good(asked, **old)
    ended = fix(world, diagnose_fix=True)
    assert ended.returncode == 2 and "repaired, and seen so" not in ended.output, ended.output


def test_what_is_not_ours_is_left_to_its_owner(world: Installed) -> None:
    """A trust file outside of our folders."""
    issued = world.leaf(by=world.root)
    world.ca.issuing = world.root
    world.start(world.vhost(issued, world.stapling(trust=Authority.root("Another Root").pem)))
    trust = (world.place / "trust.pem").read_bytes()
    ended = fix(world, diagnose_fix=True)
    assert ended.returncode == 2 and "trust_without_issuer" in ended.output, ended.output
    assert (world.place / "trust.pem").read_bytes() == trust and ended.changed[HOST] == 0
