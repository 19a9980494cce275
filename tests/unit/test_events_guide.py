# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guide says of events, variables and options is what there is."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_look import Sighting
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_news import Told, events, news
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_targets import ARGUMENT_SPEC, Target
from ansible_collections.certops.rotation.tests.support.guide_text import blocks

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "docsite" / "rst" / "guide_events.rst"
RULEBOOK = ROOT / "extensions" / "eda" / "rulebooks" / "rotate_revoked.yml"
TEXT = GUIDE.read_text("utf-8")
AT = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)


def an_event() -> dict[str, Any]:
    hint = {
        "window": {"start": "2026-11-21T10:00:00Z", "end": "2026-11-21T11:00:00Z"},
        "explanation_url": None,
        "renew_at": "2026-11-21T10:30:00Z",
    }
    verdict = {"status": "good", "reasons": [], "evidence": []}
    seen = Sighting(Target(host="web1"), "192.0.2.7:443", {}, {"sha256": "aa", "serial": "0a"}, verdict, hint)
    items = news([seen], Told(), at=AT, unknown_after=1, repeat_after=0)
    [(event, _items)] = events(items, at=AT, hosts_per_event=1)
    return event


def test_fields_of_an_event_and_of_its_certificates_are_those_of_the_guide() -> None:
    section = TEXT.partition("What an event says")[2].partition("Rules\n-----")[0]
    rows = dict(re.findall(r"^   \* - ``(\w+)``\n     - ((?:.+\n)(?: {7}.+\n)*)", section, re.MULTILINE))
    event = an_event()
    assert set(rows) == set(event)
    [entry] = event["certificates"]
    assert set(re.findall(r"``(\w+)``", rows["certificates"])) == set(entry)


def test_variables_in_the_guide_are_those_of_the_rulebook() -> None:
    shown = yaml.safe_load(next(block.text for block in blocks(GUIDE) if "certops_interval" in block.text))
    read = set(re.findall(r"\{\{ (\w+) \|", RULEBOOK.read_text("utf-8")))
    assert set(shown) == read


def test_options_in_the_guide_exist() -> None:
    own = next(yaml.safe_load(block.text) for block in blocks(GUIDE) if "sources:" in block.text)
    [source] = own[0]["sources"]
    assert set(source["certops.rotation.revocation"]) <= set(ARGUMENT_SPEC)
    for rule in own[0]["rules"]:
        assert "event.limit is defined" in rule["condition"]
    for name in (
        "unknown_after",
        "hosts_per_event",
        "revalidate",
        "jitter",
        "concurrency",
        "rate_limit",
        "repeat_after",
    ):
        assert f"``{name}" in TEXT and name in ARGUMENT_SPEC
    assert ARGUMENT_SPEC["hosts_per_event"]["default"] == 1000 and ARGUMENT_SPEC["concurrency"]["default"] == 32
