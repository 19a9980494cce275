# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is loaded into AWX, as far as it can be judged without AWX: it fits our playbooks, roles and AWX's rules."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "extensions" / "awx" / "data"

# What a question without an answer says, as AWX hands it over.
NOT_ANSWERED = ""


class _Loader(yaml.SafeLoader):
    """Knows ``!unsafe``, which keeps Ansible from evaluating what AWX is to evaluate."""


def _text(loader: yaml.SafeLoader, node: Any) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_constructor("!unsafe", _text)


def data(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((DATA / f"{name}.yml").read_text(), _Loader)  # noqa: S506 - a SafeLoader
    return loaded


TEMPLATES = {one["name"]: one for one in data("job_templates")["certops_awx_job_templates"]}
COMMON = data("job_templates")["__certops_awx_common"]
WITH_SURVEY = [name for name, one in TEMPLATES.items() if "survey_spec" in one]


def plays(playbook: Path) -> list[dict[str, Any]]:
    """Those of imported playbooks too."""
    found: list[dict[str, Any]] = []
    for play in yaml.safe_load(playbook.read_text()):
        imported = play.get("ansible.builtin.import_playbook")
        if imported:
            found += plays(playbook.parent / f"{imported.removesuffix('.yml').rpartition('.')[2]}.yml")
        else:
            found.append(play)
    return found


def options_of(template: dict[str, Any]) -> dict[str, Any]:
    """What the roles of its playbook have as options; emergency and drill use those of rotate as well."""
    roles = {
        (
            task["ansible.builtin.import_role"]["name"].rpartition(".")[2],
            task["ansible.builtin.import_role"].get("tasks_from"),
        )
        for play in plays(ROOT / template["playbook"])
        for task in play["tasks"]
    }
    if any(role == "emergency" for role, _entry in roles):
        roles.add(("rotate", None))
    found: dict[str, Any] = {}
    for role, entry in roles:
        specs = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())["argument_specs"]
        found |= specs["main"]["options"] | specs.get(entry or "main", {}).get("options", {})
    return found


@pytest.mark.parametrize("name", TEMPLATES)
def test_playbook_of_a_template_is_there_and_its_variables_are_options_of_its_roles(name: str) -> None:
    template = TEMPLATES[name]
    assert (ROOT / template["playbook"]).is_file()
    assert set(template["extra_vars"]) <= set(options_of(template))


def test_variables_of_all_templates_are_options_of_rotate() -> None:
    specs = yaml.safe_load((ROOT / "roles/rotate/meta/argument_specs.yml").read_text())["argument_specs"]
    assert set(COMMON) <= set(specs["main"]["options"])


@pytest.mark.parametrize("name", WITH_SURVEY)
def test_every_question_sets_an_option_and_its_answers_are_of_that_type(name: str) -> None:
    options = options_of(TEMPLATES[name])
    for question in TEMPLATES[name]["survey_spec"]["spec"]:
        option = options[question["variable"]]
        answers = question.get("choices") or [question["default"]]
        if option["type"] == "bool":
            assert answers == ["false", "true"] or answers == ["true", "false"]
        elif option["type"] == "int":
            assert question["type"] == "integer" and question["min"] <= question["default"] <= question["max"]
        elif option.get("choices"):
            assert set(answers) <= set(option["choices"])
        else:
            # A list is a text with commas; what has a type of its own must be a choice, because texts can be empty.
            assert question["type"] in ("text", "multiplechoice") and option["type"] in ("str", "list")


@pytest.mark.parametrize("name", WITH_SURVEY)
def test_no_question_asks_for_a_secret(name: str) -> None:
    options = options_of(TEMPLATES[name])
    for question in TEMPLATES[name]["survey_spec"]["spec"]:
        assert question["type"] != "password"
        assert options[question["variable"]].get("no_log") is not True
        assert not re.search("passphrase|secret|password|token|key_path|_key$", question["variable"])


@pytest.mark.parametrize("name", WITH_SURVEY)
def test_survey_keeps_the_rules_of_awx(name: str) -> None:
    """Those of its API: what it wants in each question, and a default that is an answer itself."""
    survey = TEMPLATES[name]["survey_spec"]
    assert set(survey) == {"name", "description", "spec"}
    variables = [question["variable"] for question in survey["spec"]]
    assert len(variables) == len(set(variables))
    for question in survey["spec"]:
        assert {"question_name", "variable", "type", "required", "default"} <= set(question)
        default = question["default"]
        if question["type"] == "multiplechoice":
            assert all(isinstance(one, str) and one for one in question["choices"]) and default in question["choices"]
        elif question["type"] == "integer":
            assert isinstance(default, int) and not isinstance(default, bool)
        elif not question["required"]:
            # The page of AWX sends an empty text then, which must not be too short.
            assert question.get("min", 0) == 0 and default == NOT_ANSWERED
        else:
            assert question["min"] >= 1


def test_only_rotate_is_cut_into_slices() -> None:
    """Nothing else is right where a job sees a part of the hosts."""
    assert [name for name, one in TEMPLATES.items() if "job_slice_count" in one] == ["certops rotate"]
    assert TEMPLATES["certops rotate"]["extra_vars"]["rotate_is_slice"] is True
    assert TEMPLATES["certops finish"]["extra_vars"]["rotate_is_slice"] is False


def test_emergency_stops_after_its_plan_unless_somebody_says_otherwise() -> None:
    questions = {one["variable"]: one for one in TEMPLATES["certops emergency"]["survey_spec"]["spec"]}
    assert questions["emergency_confirm"]["default"] == "true" and questions["emergency_confirm"]["required"]
    assert TEMPLATES["certops emergency drill"]["extra_vars"]["emergency_confirm"] is False


@pytest.mark.parametrize("schedule", data("schedules")["certops_awx_schedules"], ids=lambda one: str(one["name"]))
def test_schedule_keeps_the_rules_of_awx(schedule: dict[str, Any]) -> None:
    """A beginning in UTC, one rule with an interval, nothing finer than an hour."""
    found = re.fullmatch(r"DTSTART:(\d{8}T\d{6})Z RRULE:(\S+)", schedule["rrule"])
    assert found
    datetime.datetime.strptime(found[1], "%Y%m%dT%H%M%S")
    rule = dict(part.split("=") for part in found[2].split(";"))
    assert rule["FREQ"] in ("HOURLY", "DAILY") and int(rule["INTERVAL"]) > 0
    assert not {"COUNT", "UNTIL"} <= set(rule)
    assert schedule["template"] in TEMPLATES


def test_workflow_is_check_approve_rotate_finish_report() -> None:
    nodes = data("workflow")["certops_awx_workflow"]["nodes"]
    assert [one["identifier"] for one in nodes] == ["check", "approve", "rotate", "finish", "report"]
    followers = [next(iter(one.get("success_nodes", []) + one.get("always_nodes", [])), None) for one in nodes]
    assert followers == ["approve", "rotate", "finish", "report", None]
    # Without an approval nothing follows.
    assert nodes[1]["success_nodes"] == ["rotate"] and "always_nodes" not in nodes[1]
    assert all(one["unified_job_template"] in TEMPLATES for one in nodes if "approval_node" not in one)


def test_what_builder_reads_beside_the_definition_is_what_it_reads_below_the_collection() -> None:
    for name in ("requirements.txt", "bindep.txt"):
        assert (ROOT / "meta" / name).read_text() == (ROOT / name).read_text()
