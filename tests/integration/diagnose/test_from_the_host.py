# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the host is kept from: the same responder answers the control node, and the cause says who is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.certops.rotation.tests.integration.diagnose.hosts import NamespaceWorld, why_no_namespaces
from ansible_collections.certops.rotation.tests.integration.diagnose.world import Answer, Asked
from ansible_collections.certops.rotation.tests.support.pki import ocsp_error

pytestmark = pytest.mark.skipif(bool(why_no_namespaces()), reason=why_no_namespaces() or "it can be done")


def only_to_host(world: NamespaceWorld, wrong: Answer) -> None:
    """The responder answers the host in another way than everybody else."""

    def answer(asked: Asked) -> Answer:
        return wrong if asked.by == world.there else world.ca.good(asked)

    world.ca.ocsp = answer


def dropped(world: NamespaceWorld) -> None:
    world.filter("drop")
    world.start(world.vhost(world.leaf()))


def rejected(world: NamespaceWorld) -> None:
    world.filter("reject with tcp reset")
    world.start(world.vhost(world.leaf()))


def not_resolved(world: NamespaceWorld) -> None:
    world.without_names()
    world.start(world.vhost(world.leaf(ocsp_urls=[world.named()])))


def by_proxy_only(world: NamespaceWorld) -> None:
    world.filter("drop")
    world.proxied()
    world.start(world.vhost(world.leaf()))


def forbidden(world: NamespaceWorld) -> None:
    only_to_host(world, Answer(b"", 403))
    world.start(world.vhost(world.leaf()))


def too_slow(world: NamespaceWorld) -> None:
    only_to_host(world, Answer(silence=6))
    world.start(world.vhost(world.leaf()))


def too_busy(world: NamespaceWorld) -> None:
    only_to_host(world, Answer(ocsp_error("try_later")))
    world.start(world.vhost(world.leaf()))


def another_answer(world: NamespaceWorld) -> None:
    only_to_host(world, Answer(b"<html>log in", 200, {"Content-Type": "text/html"}))
    world.start(world.vhost(world.leaf()))


CASES: list[tuple[Callable[[NamespaceWorld], None], str]] = [
    (dropped, "responder_blocked"),
    (rejected, "responder_refused"),
    (not_resolved, "responder_not_resolved"),
    (by_proxy_only, "responder_proxied"),
    (another_answer, "responder_proxied"),
    (forbidden, "responder_http_error"),
    (too_slow, "responder_slow"),
    (too_busy, "responder_try_later"),
]


@pytest.mark.parametrize(("make", "code"), CASES, ids=[make.__name__ for make, _code in CASES])
def test_what_keeps_the_host_alone_is_named_as_the_hosts(
    make: Callable[[NamespaceWorld], None], code: str, tmp_path: Path
) -> None:
    with NamespaceWorld(tmp_path) as world:
        make(world)
        causes = world.diagnosed()
    assert [(cause["code"], cause["where"]) for cause in causes] == [(code, ["host web1"])], "\n".join(world.lines)


def test_without_stapling_it_does_not_matter_what_the_host_reaches(tmp_path: Path) -> None:
    with NamespaceWorld(tmp_path) as world:
        world.filter("drop")
        world.start(world.vhost(world.leaf(), ""))
        assert world.codes() == ["stapling_off"], "\n".join(world.lines)
