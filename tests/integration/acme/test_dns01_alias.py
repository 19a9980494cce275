# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dns-01 where _acme-challenge.<name> is an alias: the record is set where it leads to. Real name servers, Pebble."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme import open_acme
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.by_command import ByCommand
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.dns01_rfc2136 import (
    Dns01Rfc2136,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.task import Task
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_options import Options
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Issued
from ansible_collections.certops.rotation.tests.support.dns_server import DnsServer
from ansible_collections.certops.rotation.tests.support.internal_ca import order
from ansible_collections.certops.rotation.tests.support.nginx import free_port
from ansible_collections.certops.rotation.tests.support.pebble import IS_HERE, Pebble

pytestmark = pytest.mark.skipif(not IS_HERE, reason="pebble is not installed")
ALIAS, TARGET = "_acme-challenge.shop.example.org", "shop.acme.example.net"
TASK = Task("shop.example.org", False, "token", "token.thumbprint", "https://ca.example/acct/1")


@pytest.fixture
def names() -> Iterator[DnsServer]:
    """What everybody's resolver would say."""
    with DnsServer(["example.org"]) as made:
        yield made


@pytest.fixture
def acme_zone() -> Iterator[DnsServer]:
    """Has the zone for challenges, takes updates of it, and knows nothing else."""
    with DnsServer(["acme.example.net"], knows_others=False) as made:
        yield made


def solver(server: DnsServer, **more: Any) -> Dns01Rfc2136:
    return Dns01Rfc2136(Options("public", {"server": server.address, "tsig": server.tsig, "timeout": 2, **more}))


def test_the_record_is_set_and_taken_away_where_the_alias_leads_to(tmp_path: Path) -> None:
    with (
        DnsServer(["example.org", "acme.example.net"]) as dns,
        Pebble(tmp_path / "pebble", dns=dns.address) as pebble,
    ):
        dns.set(ALIAS, "CNAME", f"{TARGET}.")
        challenge = {"type": "dns-01", "server": dns.address, "tsig": dns.tsig}
        issuer = open_acme("pebble", pebble.issuer(challenge=challenge))
        outcomes = issuer.issue([order("shop"), order("blog")])
        assert all(isinstance(one, Issued) for one in outcomes), outcomes
        # The other name is no alias, and in the same run.
        assert {name for _what, name, _text in dns.updates} == {TARGET, "_acme-challenge.blog.example.org"}
        assert dns.texts(TARGET) == [] == dns.texts("_acme-challenge.blog.example.org")


@pytest.mark.parametrize("zone", [None, "example.org", "acme.example.net."])
def test_the_alias_may_be_known_to_other_servers_than_the_one_that_is_updated(
    names: DnsServer, acme_zone: DnsServer, zone: str | None
) -> None:
    names.set(ALIAS, "CNAME", "hop.example.org.")
    names.set("hop.example.org", "CNAME", f"{TARGET}.")
    one = solver(acme_zone, resolvers=[names.address], **({"zone": zone} if zone else {}))
    one.provide([TASK])
    assert acme_zone.texts(TARGET) == [TASK.record_text]
    # Where it was set, whatever became of the alias.
    names.set(ALIAS, "CNAME")
    one.withdraw([TASK])
    assert acme_zone.texts(TARGET) == []


@pytest.mark.parametrize("length", [1, 2, 20])
def test_an_alias_that_leads_nowhere_is_an_error(names: DnsServer, length: int) -> None:
    ring = [ALIAS, *(f"hop{number}.example.org" for number in range(1, length))]
    for name, target in zip(ring, [*ring[1:], ring[0]], strict=True):
        names.set(name, "CNAME", f"{target}.")
    with pytest.raises(RotationError) as raised:
        solver(names).provide([TASK])
    assert raised.value.code == "dns_alias_loop" and ALIAS in raised.value.message and raised.value.remedy
    assert names.updates == []
    assert len([one for one in names.questions if one[1] == "CNAME"]) <= 10


def test_where_nobody_knows_of_an_alias_there_is_none(acme_zone: DnsServer) -> None:
    """As before there was such a thing as aliases: the server has the zone, and the rest is not asked for ever."""
    task = Task("a.acme.example.net", False, "token", "token.thumbprint", "https://ca.example/acct/1")
    one = solver(acme_zone, resolvers=[f"127.0.0.1:{free_port()}"], timeout=1)
    one.provide([task])
    assert acme_zone.texts(task.record_name) == [task.record_text]
    strange = solver(acme_zone, resolvers=[f"127.0.0.1:{free_port()}"], timeout=1, zone="example.org")
    with pytest.raises(RotationError) as raised:
        strange.provide([TASK])
    assert raised.value.code == "dns_update_refused"


@pytest.mark.parametrize("follows", [True, False])
def test_a_command_is_told_where_the_alias_leads_to(names: DnsServer, tmp_path: Path, follows: bool) -> None:
    names.set(ALIAS, "CNAME", f"{TARGET}.")
    script, seen = tmp_path / "hook.py", tmp_path / "seen"
    script.write_text(
        "import os\n"
        f"with open({str(seen)!r}, 'a') as out:\n"
        "    print(os.environ['ACME_ACTION'], os.environ['ACME_RECORD_NAME'],"
        " os.environ.get('ACME_RECORD_TARGET'), file=out)\n"
    )
    options: dict[str, Any] = {"command": [sys.executable, str(script)]}
    if follows:
        options.update(follow_aliases=True, resolvers=[names.address])
    one = ByCommand("dns-01", Options("public", options))
    one.provide([TASK])
    one.withdraw([TASK])
    target = TARGET if follows else None
    assert seen.read_text().splitlines() == [f"provide {ALIAS} {target}", f"withdraw {ALIAS} {target}"]
    assert len(names.questions) == (2 if follows else 0)
