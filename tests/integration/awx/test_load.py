# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""load.yml with the real modules of awx.awx, against a controller that keeps what they make."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.awx import loaded_data
from ansible_collections.certops.rotation.tests.support.awx_controller import AwxController
from ansible_collections.certops.rotation.tests.support.from_ansible_package import fetch
from dateutil.rrule import rrulestr  # type: ignore[import-untyped]

EXTENSION = playbook.REPOSITORY / "extensions" / "awx"
GIVEN = {
    "certops_awx_slices": 3,
    "certops_awx_unattended": True,
    "certops_awx_extra_vars": {"rotate_issuer": "internal"},
}


@pytest.fixture(scope="module")
def collections() -> str:
    folder = fetch("awx.awx", playbook.REPOSITORY / "build" / "awx")
    return os.pathsep.join([str(playbook.COLLECTIONS), str(folder)])


@pytest.fixture
def controller() -> Iterator[AwxController]:
    with AwxController() as made:
        made.add("organizations", name="Default")
        made.add("inventories", name="certops")
        made.add("credentials", name="certops hosts")
        yield made


def load(controller: AwxController, collections: str, place: Path, *arguments: str) -> playbook.Run:
    more = {**controller.environment, "ANSIBLE_COLLECTIONS_PATH": collections}
    options = ["-e", json.dumps(GIVEN), *arguments]
    return playbook.run(EXTENSION / "load.yml", "localhost,", options, cwd=place, timeout=300, **more)


def test_everything_is_loaded_once_and_found_again(controller: AwxController, collections: str, tmp_path: Path) -> None:
    first = load(controller, collections, tmp_path)
    assert first.returncode == 0, first.output
    data = loaded_data(**GIVEN)
    assert_templates(controller, data)
    assert_schedules(controller)
    assert_workflow(controller)
    assert set(controller.all("credential_types")) == {"certops internal CA", "certops ACME"}
    [secret] = controller.all("credential_types")["certops internal CA"]["inputs"]["fields"]
    assert secret["secret"] is True
    injected = controller.all("credential_types")["certops internal CA"]["injectors"]
    assert injected == {"env": {"CERTOPS_CA_PASSPHRASE": "{{ passphrase }}"}}

    # What somebody has changed by hand is brought back, and nothing else is touched.
    rotate = controller.all("job_templates")["certops rotate"]
    rotate["job_slice_count"] = 1
    controller.requests.clear()
    second = load(controller, collections, tmp_path)
    assert second.returncode == 0, second.output
    assert controller.writes == [("PATCH", rotate["url"])] and rotate["job_slice_count"] == 3
    assert second.changed == {"localhost": 1}


def assert_templates(controller: AwxController, data: dict[str, Any]) -> None:
    """What AWX has is what the tests of jobs run."""
    made, wanted = controller.all("job_templates"), data["certops_awx_job_templates"]
    assert list(made) == [one["name"] for one in wanted]
    for one in wanted:
        template = made[one["name"]]
        assert json.loads(template["extra_vars"]) == {
            **data["__certops_awx_common"],
            "rotate_issuer": "internal",
            **one["extra_vars"],
        }
        assert template["playbook"] == one["playbook"]
        assert template["job_slice_count"] == (3 if one["name"] == "certops rotate" else 1)
        assert template["survey_enabled"] is ("survey_spec" in one)
        assert controller.surveys.get(template["id"]) == one.get("survey_spec")
        assert controller.linked("job_templates", template["id"], "credentials") == ["certops hosts"]


def assert_schedules(controller: AwxController) -> None:
    """Each begins in the past, comes again for ever, and starts its template."""
    now = datetime.datetime.now(datetime.timezone.utc)
    templates = {one["id"]: name for name, one in controller.all("job_templates").items()}
    for name, schedule in controller.all("schedules").items():
        rule = rrulestr(schedule["rrule"].replace(" ", "\n"))
        coming = rule.after(now)
        assert coming is not None and coming - now <= datetime.timedelta(days=1)
        assert schedule["enabled"] is True
        assert name.startswith(templates[schedule["unified_job_template"]])


def assert_workflow(controller: AwxController) -> None:
    nodes = controller.all("workflow_job_template_nodes")
    unified = {
        one["id"]: name
        for kind in ("job_templates", "workflow_approval_templates")
        for name, one in controller.all(kind).items()
    }
    assert {name: unified[one["unified_job_template"]] for name, one in nodes.items()} == {
        "check": "certops check",
        "approve": "certops rotate what is due?",
        "rotate": "certops rotate",
        "finish": "certops finish",
        "report": "certops report",
    }
    links = {
        (name, kind): controller.linked("workflow_job_template_nodes", one["id"], kind)
        for name, one in nodes.items()
        for kind in ("success_nodes", "always_nodes", "failure_nodes")
    }
    assert {key: to for key, to in links.items() if to} == {
        ("check", "always_nodes"): ["approve"],
        ("approve", "success_nodes"): ["rotate"],
        ("rotate", "always_nodes"): ["finish"],
        ("finish", "always_nodes"): ["report"],
    }


def test_what_has_to_be_there_already_is_named(collections: str, tmp_path: Path) -> None:
    with AwxController() as controller:
        controller.add("organizations", name="Default")
        run = load(controller, collections, tmp_path)
    assert run.returncode != 0
    assert "inventories/?name=certops returned 0 items" in run.output
