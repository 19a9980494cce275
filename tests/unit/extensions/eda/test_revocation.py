# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that ansible-rulebook runs: how it finds its collection, what it documents, how it waits and ends."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.certops.rotation.extensions.eda.plugins.event_source import revocation
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_state import StateFile
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_targets import ARGUMENT_SPEC, read_options

COLLECTION = Path(str(revocation.__file__)).parents[4]
SERVER = {"address": "192.0.2.7"}


def options_in(documented: dict[str, Any]) -> dict[str, Any]:
    """As an argument spec has them."""
    found = {}
    for name, option in documented.items():
        kept = {key: option[key] for key in ("type", "required", "default", "elements") if key in option}
        if "choices" in option:
            kept["choices"] = sorted(option["choices"])
        if "suboptions" in option:
            kept["options"] = options_in(option["suboptions"])
        found[name] = kept
    return found


def options_of(spec: dict[str, Any]) -> dict[str, Any]:
    kept = ("type", "required", "default", "elements", "choices")
    return {
        name: {
            **{key: option[key] for key in kept if key in option},
            **({"options": options_of(option["options"])} if "options" in option else {}),
        }
        for name, option in spec.items()
    }


def test_documentation_is_that_of_the_options() -> None:
    documented = yaml_load(revocation.DOCUMENTATION)
    assert options_in(documented["options"]) == options_of(ARGUMENT_SPEC)
    [example] = yaml_load(revocation.EXAMPLES)
    given = example["certops.rotation.revocation"]
    assert read_options({**given, "issuers": {}})["interval"] == 300


def test_rulebook_names_the_source_the_playbook_and_never_a_play_without_hosts() -> None:
    [ruleset] = yaml_load((COLLECTION / "extensions/eda/rulebooks/rotate_revoked.yml").read_text())
    [source] = ruleset["sources"]
    assert set(source["certops.rotation.revocation"]) <= set(ARGUMENT_SPEC)
    for rule in ruleset["rules"]:
        for action in rule["actions"]:
            if "run_playbook" in action:
                assert "event.limit is defined" in rule["condition"] and rule["throttle"]
                assert (COLLECTION / "playbooks" / f"{action['run_playbook']['name'].rpartition('.')[2]}.yml").exists()


@pytest.mark.parametrize("elapsed", [0.0, 30.0])
def test_pauses_differ_and_never_make_an_interval_longer(elapsed: float) -> None:
    options = {"interval": 300.0, "jitter": 0.1}
    pauses = [revocation.pause(options, elapsed) for _time in range(200)]
    assert all(270 <= each + elapsed <= 300 for each in pauses) and len(set(pauses)) > 100
    assert max(pauses) - min(pauses) > 15


def test_poll_that_took_too_long_is_followed_by_a_breath_and_a_word(caplog: pytest.LogCaptureFixture) -> None:
    assert revocation.pause({"interval": 5.0, "jitter": 0.0}, 60.0) == 1.0
    assert "raise interval or concurrency" in caplog.text


@pytest.mark.parametrize("is_regular", [False, True])
def test_own_collection_is_found_by_where_the_file_is(tmp_path: Path, is_regular: bool) -> None:
    # Somewhere else, there may be a package of the namespace's name, with or without an __init__.py.
    other = tmp_path / "other" / "ansible_collections"
    (other / "foreign").mkdir(parents=True)
    if is_regular:
        (other / "__init__.py").touch()
    program = "import runpy, sys; print(runpy.run_path(sys.argv[1])['look'].__module__)"
    found = subprocess.run(
        [sys.executable, "-c", program, str(revocation.__file__)],
        cwd=tmp_path, env={"PYTHONPATH": str(other.parent), "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert found.stdout.split() == ["ansible_collections.certops.rotation.plugins.plugin_utils.watch_look"]


def test_wrong_arguments_end_the_source_with_code_and_next_step() -> None:
    with pytest.raises(RuntimeError, match=r"nothing to watch.*\(options_invalid\)\. Correct the arguments"):
        asyncio.run(revocation.main(asyncio.Queue(), {}))


def test_work_beside_is_not_waited_for_by_who_is_ended() -> None:
    release = threading.Event()

    async def ended() -> None:
        task = asyncio.create_task(revocation.beside(lambda: release.wait(20)))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    begun = time.monotonic()
    asyncio.run(ended())
    assert time.monotonic() - begun < 5
    release.set()


def test_error_of_work_beside_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(revocation.beside(lambda: 1 // 0))


def test_without_anchors_that_can_be_read_nothing_is_good(tmp_path: Path) -> None:
    given = {
        "endpoints": [{**SERVER, "host": "web1"}],
        "trust_anchors": [str(tmp_path / "missing.pem")],
        "unknown_after": 1,
        "cache_dir": "",
    }
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    watch = revocation.Watch(queue, read_options(given), StateFile(str(tmp_path / "events.json")))
    asyncio.run(watch.poll())
    event = queue.get_nowait()
    assert (event["kind"], event["reasons"]) == ("unknown", ["trust_anchor_unreadable"])


def test_feedback_is_waited_for_before_anything_is_marked(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    given = read_options({
        "endpoints": [SERVER],
        "trust_anchors": [str(tmp_path / "missing.pem")],
        "unknown_after": 1,
        "cache_dir": "",
    })  # fmt: skip

    async def handed_over() -> None:
        queue: asyncio.Queue[Any] = asyncio.Queue()
        feedback: asyncio.Queue[Any] = asyncio.Queue(1)
        watch = revocation.Watch(queue, given, StateFile(str(path)), feedback)
        polling = asyncio.create_task(watch.poll())
        event = await asyncio.wait_for(queue.get(), 10)
        await asyncio.sleep(0.05)
        assert not polling.done() and not path.exists()
        await feedback.put(event)
        await asyncio.wait_for(polling, 10)
        assert path.exists()

    asyncio.run(handed_over())
