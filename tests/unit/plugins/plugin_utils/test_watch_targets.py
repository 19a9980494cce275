# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments of the event source: what is wrong with them is said in words, before anything is watched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_targets import (
    Target,
    Targets,
    read_options,
    targets_from,
)

SERVER = {"address": "192.0.2.7"}


def test_what_is_left_out_has_defaults_and_what_the_engine_adds_is_none_of_ours() -> None:
    options = read_options({"endpoints": [SERVER], "eda_feedback_queue": object(), "feedback": True})
    assert (options["interval"], options["revalidate"], options["unknown_after"]) == (300, True, 3)
    assert targets_from(options) == [Target(address="192.0.2.7", port=443)]


def test_ports_serials_and_doubles_are_made_the_same() -> None:
    mail = {"address": "mail", "starttls": "smtp"}
    serials = [{"serial": "0A:1B", "issuer": "internal"}, {"serial": "a1b", "issuer": "internal"}]
    found = targets_from(read_options({"endpoints": [mail, mail], "serials": serials}))
    assert [(one.port, one.serial) for one in found] == [(25, None), (443, "0a1b")]
    rotation = found[0].as_rotation()
    assert rotation["listeners"] == [{"address": "mail", "port": 25, "starttls": "smtp"}]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "nothing to watch"),
        ({"endpoint": [SERVER]}, "unknown option endpoint"),
        ({"endpoints": [{"port": 443}]}, "missing required arguments: address"),
        ({"endpoints": [{**SERVER, "port": 70000}]}, "70000 is not a TCP port"),
        ({"endpoints": [{**SERVER, "starttls": "gopher"}]}, "gopher"),
        ({"endpoints": [{**SERVER, "host": "all:!web1"}]}, "not the name of one host"),
        ({"endpoints": [{**SERVER, "host": "web*"}]}, "not the name of one host"),
        ({"endpoints": [{**SERVER, "host": "-i"}]}, "not the name of one host"),
        ({"certificates": [{"host": "web1"}]}, "one of the following is required: path, content"),
        ({"serials": [{"serial": "0a1b"}]}, "one of the following is required: issuer, issuer_certificate"),
        ({"serials": [{"serial": "0a1b", "issuer_certificate": "/x"}]}, "required together"),
        ({"serials": [{"serial": "12.5", "issuer": "internal"}]}, "no.* serial number|not a serial number"),
        ({"endpoints": [SERVER], "interval": 0.5}, "interval is 0.5, and must be from 1 to"),
        ({"endpoints": [SERVER], "jitter": 1}, "jitter"),
        ({"endpoints": [SERVER], "hosts_per_event": 0}, "hosts_per_event"),
        ({"endpoints": [SERVER], "interval": "often"}, "interval"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(RotationError, match=words) as raised:
        read_options(arguments)
    assert raised.value.code in ("options_invalid", "serial_invalid")


@pytest.mark.parametrize("content", ["endpoints: [}", "- 192.0.2.7", "endpoints: [{port: 443}]", None])
def test_file_that_never_was_right_is_an_error(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "watched.yml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(RotationError) as raised:
        Targets(read_options({"targets_file": str(path)})).now()
    assert raised.value.code in ("options_invalid", "targets_file_unreadable")


def test_file_adds_to_the_arguments(tmp_path: Path) -> None:
    path = tmp_path / "watched.yml"
    path.write_text("endpoints: [{address: 192.0.2.7}, {address: 192.0.2.8, host: web8}]\n")
    targets = Targets(read_options({"endpoints": [SERVER], "targets_file": str(path)}))
    assert [one.address for one in targets.now()] == ["192.0.2.7", "192.0.2.8"]
