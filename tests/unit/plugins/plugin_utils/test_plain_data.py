# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.certops.rotation.plugins.plugin_utils.plain_data import plain


def types_in(value: Any) -> set[type]:
    found = {type(value)}
    for inner in [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []:
        found |= types_in(inner)
    return found


def test_what_ansible_loads_becomes_plain(tmp_path: Any) -> None:
    source = tmp_path / "values.yml"
    source.write_text("a: {b: [1, 2.5, true, null, 'x', 2026-11-21]}\nc: '{{ not_a_template }}'\n")
    value = plain(DataLoader().load_from_file(str(source)))
    assert types_in(value) <= {dict, list, str, int, float, bool, type(None)}
    assert json.loads(json.dumps(value)) == value
    assert value["a"]["b"] == [1, 2.5, True, None, "x", "2026-11-21"]


def test_plain_copy_shares_nothing_with_the_original() -> None:
    original: dict[str, Any] = {"a": [{"b": 1}]}
    copy = plain(original)
    copy["a"][0]["b"] = 2
    assert original == {"a": [{"b": 1}]}


def test_containers_and_times_have_plain_forms() -> None:
    moment = datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc)
    assert plain({"t": (1, 2), "at": moment}) == {"t": [1, 2], "at": "2026-11-21T00:00:00+00:00"}


def test_what_is_no_data_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes"):
        plain({"key": b"x"})
