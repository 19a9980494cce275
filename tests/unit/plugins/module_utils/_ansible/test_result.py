# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as Ansible can carry them."""

from __future__ import annotations

import dataclasses
import enum
import json
from datetime import datetime, timedelta, timezone

from ansible_collections.certops.rotation.plugins.module_utils._ansible.result import to_result
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Evidence,
    Reason,
    RevocationStatus,
    Source,
    SourceKind,
    Verdict,
)

AT = datetime(2026, 11, 21, 1, 2, 3, tzinfo=timezone.utc)


class Number(enum.Enum):
    ONE = 1


@dataclasses.dataclass(frozen=True)
class Value:
    name: str
    _secret: str = "not shown"


def test_verdict_becomes_plain_json() -> None:
    source = Source(SourceKind.CRL, "http://x/", "GET")
    evidence = Evidence("0a", source, RevocationStatus.UNKNOWN, (Reason.STALE,), this_update=AT)
    shown = to_result(Verdict(RevocationStatus.UNKNOWN, AT, (Reason.STALE,), (evidence,)))
    assert json.loads(json.dumps(shown)) == shown
    assert (
        not isinstance(shown["status"], enum.Enum)
        and shown["reasons"] == ["stale"]
        and shown["decided_at"] == "2026-11-21T01:02:03Z"
    )
    assert shown["evidence"][0]["source"] == {
        "kind": "crl",
        "url": "http://x/",
        "method": "GET",
        "seconds": None,
        "cache_hit": False,
        "cache_state": None,
    }


def test_every_kind_of_value() -> None:
    value = {
        Reason.STALE: (1, 2.5, True, None),
        "bytes": b"\xff\x00",
        "set": frozenset({"b", "a"}),
        "number": Number.ONE,
        "delta": timedelta(minutes=1),
        "value": Value("n"),
        "error": RotationError("code", "message", remedy="do", fact=1),
    }
    assert to_result(value) == {
        "stale": [1, 2.5, True, None],
        "bytes": "/wA=",
        "set": ["a", "b"],
        "number": 1,
        "delta": 60.0,
        "value": {"name": "n"},
        "error": {"code": "code", "msg": "message", "remedy": "do", "facts": {"fact": 1}},
    }
