# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The step report: a file for each run, and a link to the last."""

from __future__ import annotations

import json
import os
import random
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.action.rotation_report import ActionModule
from ansible_collections.certops.rotation.tests.support.action import run_action

ERROR = {"step": "issue", "code": "ca_refused", "msg": "the CA says no", "remedy": "Ask it.", "facts": {}}
ROTATED = {"name": "shop", "decision": {"action": "rotate", "reasons": []}, "proof": {"checked": []}}
FAILED = {"name": "blog", "decision": {"action": "rotate", "reasons": []}, "error": ERROR}


def report(directory: Path, rotations: Any = None, **more: Any) -> dict[str, Any]:
    check_mode = bool(more.pop("check_mode", False))
    given = {"web1": [ROTATED], "web2": [FAILED]} if rotations is None else rotations
    return run_action(ActionModule, {"rotations": given, "directory": str(directory), **more}, check_mode=check_mode)


def test_each_run_has_a_folder_and_latest_is_the_last(tmp_path: Path) -> None:
    first, second = report(tmp_path / "reports"), report(tmp_path / "reports", {})
    assert first["path"] != second["path"]
    assert os.path.samefile(tmp_path / "reports" / "latest" / "report.json", second["path"])
    written = json.loads(Path(first["path"]).read_text())
    assert written == first["report"]
    assert {one["name"]: one["outcome"] for one in written["rotations"]} == {"shop": "rotated", "blog": "failed"}
    assert sorted(os.listdir(Path(first["path"]).parent)) == ["report.json"]


def test_hosts_that_failed_are_told_with_what_to_do(tmp_path: Path) -> None:
    result = report(tmp_path)
    assert result["counts"] == {"rotated": 1, "failed": 1}
    assert result["failures"] == {"web2": "blog: issue: the CA says no (ca_refused). Ask it."}
    assert result["lines"][0] == "1 failed, 1 rotated"
    assert result["lines"][-1] == f"report: {result['path']}"
    assert not result.get("failed")


def test_packed_result_leaves_the_report_to_the_file(tmp_path: Path) -> None:
    result = report(tmp_path, packed=True)
    assert "report" not in result
    assert json.loads(Path(result["path"]).read_text())["counts"] == result["counts"]


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    result = report(tmp_path / "reports", check_mode=True)
    assert result["path"] == ""
    assert result["report"]["check_mode"] is True
    assert not (tmp_path / "reports").exists()


def test_folder_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file")
    result = report(tmp_path / "reports")
    assert (result["failed"], result["code"]) == (True, "report_not_written")
    assert str(tmp_path / "reports") in result["msg"]


# --- an incident


def incident(directory: Path, rotations: Any = None, **more: Any) -> dict[str, Any]:
    return report(directory, rotations, **{"incident": "leak", "started_at": "2026-11-21 01:02:03", **more})


def test_incident_has_one_report_which_runs_continue(tmp_path: Path) -> None:
    first = incident(tmp_path, {"web1": [ROTATED]}, subject={"kind": "key"}, wave="canary")
    second = incident(tmp_path, {"web2": [FAILED]}, subject={"kind": "all"}, wave="2")
    assert first["path"] == second["path"] == str(tmp_path / "leak" / "report.json")
    assert os.path.samefile(tmp_path / "latest" / "report.json", first["path"])
    written = json.loads(Path(first["path"]).read_text())
    assert written == second["report"]
    assert {one["host"]: one["outcome"] for one in written["rotations"]} == {"web1": "rotated", "web2": "failed"}
    assert written["incident"]["subject"] == {"kind": "key"}
    assert written["incident"]["started_at"] == "2026-11-21T01:02:03Z"
    assert [one["wave"] for one in written["incident"]["runs"]] == ["canary", "2"]
    assert second["failures"].keys() == {"web2"}
    assert any(line.startswith("incident leak, since 2026-11-21T01:02:03Z: 24h limit ") for line in second["lines"])
    assert sorted(os.listdir(tmp_path)) == ["latest", "leak"]


def test_incident_in_check_mode_is_told_and_not_written(tmp_path: Path) -> None:
    incident(tmp_path, {"web1": [ROTATED]})
    before = (tmp_path / "leak" / "report.json").read_bytes()
    told = incident(tmp_path, {"web2": [FAILED]}, check_mode=True)
    assert [one["host"] for one in told["report"]["rotations"]] == ["web1", "web2"]
    assert told["report"]["incident"]["runs"][-1]["check_mode"] is True
    assert (tmp_path / "leak" / "report.json").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "report_damaged"),
        (b'{"schema": 2, "inci', "report_damaged"),
        (b"\xff\xfe", "report_damaged"),
        (b"[" * 100_000, "report_damaged"),
        (b'{"schema": 3}', "report_newer"),
        (b'{"schema": 1, "rotations": []}', "report_damaged"),
    ],
)
def test_report_that_cannot_be_continued_is_left_as_it_is(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "leak").mkdir()
    (tmp_path / "leak" / "report.json").write_bytes(content)
    result = incident(tmp_path, {"web1": [ROTATED]})
    assert (result["failed"], result["code"]) == (True, code)
    assert "Move that file away" in result["remedy"]
    assert (tmp_path / "leak" / "report.json").read_bytes() == content
    # What this run did is not lost.
    own = json.loads((tmp_path / "latest" / "report.json").read_text())
    assert own["run"] in result["msg"]
    assert [one["host"] for one in own["rotations"]] == ["web1"]


def test_report_that_somebody_edited_is_not_continued(tmp_path: Path) -> None:
    """Whatever is changed in it, the task ends with a result, and never with a program's fault."""
    incident(tmp_path, {"web1": [{**ROTATED, "served": [], "revocation": {"state": "visible"}, "error": ERROR}]})
    incident(tmp_path, {"web1": [FAILED | {"name": "shop"}]})
    path, dice, codes = tmp_path / "leak" / "report.json", random.Random(7), set()
    whole = json.loads(path.read_text())
    for _attempt in range(300):
        edited = edit(json.loads(json.dumps(whole)), dice)
        path.write_text(json.dumps(edited))
        result = incident(tmp_path, {"web1": [ROTATED]}, check_mode=True)
        codes.add(result.get("code"))
    assert codes == {None, "report_damaged", "report_newer"}


def edit(value: Any, dice: random.Random) -> Any:
    """Another value in one place, at random."""
    if isinstance(value, (dict, list)) and value and dice.random() < 0.9:
        place = dice.choice(list(value) if isinstance(value, dict) else range(len(value)))
        value[place] = edit(value[place], dice)
        return value
    return dice.choice([None, 7, "text", [], {}, [None], {"a": 1}, True])


@pytest.mark.parametrize("options", [{"incident": "../up"}, {"incident": "latest"}])
def test_name_that_is_no_folder_is_refused(tmp_path: Path, options: dict[str, str]) -> None:
    result = incident(tmp_path / "reports", **options)
    assert (result["failed"], result["code"]) == (True, "name_invalid")
    assert not (tmp_path / "reports").exists()


def test_beginning_that_is_no_time_is_refused(tmp_path: Path) -> None:
    assert incident(tmp_path, started_at="yesterday")["code"] == "time_invalid"


# Continues the incident of the folder again and again, each time with another host.
ONE_AFTER_THE_OTHER = """
import sys
from ansible_collections.certops.rotation.plugins.action.rotation_report import ActionModule
from ansible_collections.certops.rotation.tests.support.action import run_action
directory, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for number in range(first, first + count):
    one = {"name": "shop", "decision": {"action": "rotate", "reasons": []}, "proof": {"checked": []}}
    given = {"rotations": {f"web{number}": [one]}, "directory": directory, "incident": "leak"}
    result = run_action(ActionModule, given)
    if result.get("failed"):
        sys.exit(result["msg"])
    print(number, flush=True)
"""


def started(directory: Path, first: int, count: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", ONE_AFTER_THE_OTHER, str(directory), str(first), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_runs_at_the_same_time_all_end_up_in_the_report(tmp_path: Path) -> None:
    running = [started(tmp_path, first, 20) for first in (0, 100, 200)]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    for process in running:
        assert process.stdout is not None
        process.stdout.close()
    written = json.loads((tmp_path / "leak" / "report.json").read_text())
    assert {one["host"] for one in written["rotations"]} == {f"web{n + m}" for n in (0, 100, 200) for m in range(20)}
    assert len(written["incident"]["runs"]) == 60


def test_killed_writer_leaves_the_old_report_or_the_new_one(tmp_path: Path) -> None:
    reported: set[str] = set()
    for attempt in range(6):
        with started(tmp_path, 1000 * attempt, 1000) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            time.sleep(0.013 * attempt)
            process.kill()
            said = [first, *process.stdout.read().splitlines()]
        reported |= {f"web{int(number)}" for number in said if number.strip()}
        written = json.loads((tmp_path / "leak" / "report.json").read_text())
        hosts = {one["host"] for one in written["rotations"]}
        assert reported <= hosts
        # At most the one that was written, and not yet said to be.
        assert len(hosts - reported) <= attempt + 1
    incident(tmp_path, {})
    assert sorted(os.listdir(tmp_path / "leak")) == [".lock", "report.json"]


# --- for those who go on with it


def test_summary_for_artifacts_is_small(tmp_path: Path) -> None:
    many = {f"web{number}": [FAILED] for number in range(60)}
    result = incident(tmp_path, many, stats=True)
    stats = result["ansible_stats"]
    assert (stats["aggregate"], stats["per_host"]) == (False, False)
    summary = stats["data"]["certops_report"]
    assert (summary["failed"], len(summary["failures"])) == (60, 50)
    assert summary["counts"] == {"failed": 60}
    assert (summary["path"], summary["incident"]) == (result["path"], "leak")
    assert summary["clock"]["24h"]["deadline"] == "2026-11-22T01:02:03Z"
    assert "ansible_stats" not in report(tmp_path)


def test_files_have_the_mode_that_the_user_wants(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        path = report(tmp_path)["path"]
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640


FORMATS = ["html", "markdown", "junit", "prometheus"]


def test_formats_lie_beside_the_report(tmp_path: Path) -> None:
    result = incident(tmp_path / "reports", formats=FORMATS)
    assert sorted(os.listdir(tmp_path / "reports" / "leak")) == [
        ".lock",
        "report.html",
        "report.json",
        "report.md",
        "report.prom",
        "report.xml",
    ]
    assert result["paths"].keys() == {"json", *FORMATS}
    for path in result["paths"].values():
        assert "web2" in Path(path).read_text() or "failed" in Path(path).read_text()
    assert report(tmp_path / "reports", check_mode=True, formats=FORMATS)["paths"] == {}


def test_metrics_also_go_where_node_exporter_reads(tmp_path: Path) -> None:
    place, before = tmp_path / "textfiles", os.umask(0o077)
    try:
        options = {"formats": ["prometheus"], "textfile_directory": str(place)}
        single, several = report(tmp_path, **options), incident(tmp_path, **options)
    finally:
        os.umask(before)
    assert single["paths"]["textfile"] == str(place / "certops_rotation.prom")
    assert several["paths"]["textfile"] == str(place / "certops_leak.prom")
    assert sorted(os.listdir(place)) == ["certops_leak.prom", "certops_rotation.prom"]
    assert 'incident="leak"' in (place / "certops_leak.prom").read_text()
    assert stat.S_IMODE((place / "certops_leak.prom").stat().st_mode) == 0o644


def test_textfile_that_cannot_be_written_is_told_after_the_report_is(tmp_path: Path) -> None:
    (tmp_path / "textfiles").write_text("a file")
    result = report(tmp_path, formats=["prometheus"], textfile_directory=str(tmp_path / "textfiles"))
    assert (result["failed"], result["code"]) == (True, "textfile_not_written")
    assert (tmp_path / "latest" / "report.json").exists()


# A report that is there, told again


def again(directory: Path, name: str = "latest", **more: Any) -> dict[str, Any]:
    return report(directory, {}, existing=name, **more)


def test_report_is_written_again_in_other_formats_and_stays_as_it_is(tmp_path: Path) -> None:
    first = report(tmp_path, incident="workflow-7")
    before, last = Path(first["path"]).read_bytes(), report(tmp_path)
    result = again(tmp_path, "workflow-7", formats=["json", "html", "prometheus"], stats=True)
    assert Path(first["path"]).read_bytes() == before
    assert sorted(result["paths"]) == ["html", "json", "prometheus"]
    assert "blog" in Path(result["paths"]["html"]).read_text()
    assert result["ansible_stats"]["data"]["certops_report"]["failed"] == 1
    assert "web2/blog: failed" in result["lines"]
    assert os.path.samefile(tmp_path / "latest", Path(last["path"]).parent), "the last run is still the last"


def test_latest_is_the_report_of_the_last_run(tmp_path: Path) -> None:
    last = report(tmp_path)
    result = again(tmp_path, formats=["markdown"])
    assert Path(result["path"]).samefile(last["path"])
    assert not (tmp_path / "latest" / "report.md").parent.samefile(tmp_path)
    assert (Path(last["path"]).parent / "report.md").exists()


def test_what_is_wrong_with_a_report_is_told_by_kind(tmp_path: Path) -> None:
    waiting = {**ROTATED, "name": "waits", "revocation": {"state": "waiting", "serial": "0a"}}
    left = {"code": "left_to_the_fleet", "text": "it is shared"}
    kept = {"name": "shared", "decision": {"action": "keep", "reasons": [left]}}
    due = {"name": "due", "decision": {"action": "rotate", "reasons": []}}
    report(tmp_path, {"web1": [ROTATED, waiting, kept, due], "web2": [FAILED], "web3": []}, incident="one")
    assert again(tmp_path, "one")["problems"] == []
    assert again(tmp_path, "one", fail_if=["failed"])["problems"] == [
        "web2/blog: issue: the CA says no (ca_refused) Ask it."
    ]
    [silent] = again(tmp_path, "one", fail_if=["unknown"])["problems"]
    assert silent.startswith("web3/-: unknown host")
    assert again(tmp_path, "one", fail_if=["unfinished"])["problems"] == [
        "web1/due: to rotate",
        "web1/shared: kept (it is shared)",
        "web1/waits: its predecessor 0a is not revoked yet",
    ]


@pytest.mark.parametrize("name", ["latest", "workflow-8"])
def test_report_that_is_not_there_is_an_error_with_a_next_step(tmp_path: Path, name: str) -> None:
    result = again(tmp_path, name)
    assert result["failed"] and result["code"] == "report_missing" and result["remedy"]
    assert list(tmp_path.iterdir()) == []


def test_report_elsewhere_is_not_named(tmp_path: Path) -> None:
    report(tmp_path / "reports")
    assert again(tmp_path / "reports", "../reports/latest")["code"] == "name_invalid"


def test_report_that_somebody_has_edited_is_an_error(tmp_path: Path) -> None:
    path = Path(report(tmp_path)["path"])
    path.write_text(json.dumps({**json.loads(path.read_text()), "metrics": None}))
    assert again(tmp_path, formats=["html"])["code"] == "report_damaged"
    path.write_text("{")
    assert again(tmp_path)["code"] == "report_damaged"


def test_check_mode_shows_a_report_and_writes_nothing(tmp_path: Path) -> None:
    report(tmp_path, incident="one")
    assert again(tmp_path, "one", formats=["html"], check_mode=True)["counts"] == {"rotated": 1, "failed": 1}
    assert not (tmp_path / "one" / "report.html").exists()
