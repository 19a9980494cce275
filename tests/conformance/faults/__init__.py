# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The suite of faults: a server on loopback that breaks in one way each, judged over real HTTP by the real client.

The faults are in ``responders.py``, ``crl_servers.py`` and ``web_servers.py``, what must come out in ``expected.py``.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import time
from collections.abc import Iterator, Sequence

from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Judging
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient
from ansible_collections.certops.rotation.tests.conformance.check import Check
from ansible_collections.certops.rotation.tests.conformance.faults.expected import EXPECTED
from ansible_collections.certops.rotation.tests.conformance.faults.server import FAULTS, Fault, FaultServer
from ansible_collections.certops.rotation.tests.conformance.hierarchy import AT, hierarchy
from ansible_collections.certops.rotation.tests.conformance.vector import differences

CLIENT = HttpClient(timeout=3.0)
_SLACK = 2.0
"""seconds beyond the client's time limit in which a verdict must be there, on a machine with other work"""


def checks() -> Iterator[Check]:
    """One for each fault; all at one server, which is there as long as they are asked for."""
    for module in ("responders", "crl_servers", "web_servers"):
        importlib.import_module(f"{__name__}.{module}")
    if FAULTS.keys() != EXPECTED.keys():
        raise ValueError(f"only on one side: {', '.join(sorted(FAULTS.keys() ^ EXPECTED.keys()))}")
    with FaultServer() as server:
        for name in sorted(FAULTS):
            each = FAULTS[name]
            yield Check(name, each.description, functools.partial(complaints, server, each))


def complaints(server: FaultServer, each: Fault) -> Sequence[str]:
    """In what the verdict, or the number of requests, differs from the expected one."""
    server.counts.pop(each.name, None)
    client = dataclasses.replace(CLIENT, **each.client)
    judging = Judging(http=client, policy=each.policy, anchors=hierarchy().anchors)
    chain = server.leaf(each).chain
    started = time.monotonic()
    verdict = judging.verdict(chain, at=AT)
    seconds = time.monotonic() - started
    outcome = EXPECTED[each.name]
    found = differences(verdict, (), outcome.verdict)
    if seconds > client.timeout + _SLACK:
        found.append(f"took {seconds:.1f} s, although the client's limit is {client.timeout} s")
    requests = server.counts.get(each.name, 0)
    if outcome.requests is not None and requests != outcome.requests:
        found.append(f"{requests} requests, expected {outcome.requests}")
    return found
