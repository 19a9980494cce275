# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a host module's step as the lean execution does: a real process of its own, which is sent all that it needs."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
from functools import cache
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.certops.rotation.plugins.plugin_utils.lean_step import LeanStep, lean_step
from ansible_collections.certops.rotation.tests.support.host_module import HostModules

STEPS = ("key_csr", "certificate_install", "key_retire", "installed_info", "key_seal")
MARK = "the-answer "


@cache
def step_of(module: str) -> LeanStep:
    found = importlib.import_module(f"ansible_collections.certops.rotation.plugins.modules.{module}")
    return lean_step(module, found.ARGUMENT_SPEC)


def ran(
    module: str,
    options: dict[str, Any],
    *,
    python: str,
    check: bool = False,
    environment: str = "",
    shell: tuple[str, ...] = ("/bin/sh",),
) -> subprocess.CompletedProcess[str]:
    """The process that ended, given these options as the control node would have completed them."""
    step = step_of(module)
    validated = ArgumentSpecValidator(dict(step.argument_spec)).validate(options)
    assert not validated.error_messages, validated.error_messages
    request = {"mark": MARK, "params": validated.validated_parameters, "check_mode": check, "log": None}
    done = subprocess.run(
        [*shell, "-c", step.command(python, environment)],
        input=step.input(request),
        capture_output=True,
        timeout=120,
        check=False,
        env={"PATH": os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"},
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def answer_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    _before, found, after = done.stdout.partition("\n" + MARK)
    assert found, done
    answer: dict[str, Any] = json.loads(after)
    return answer


class LeanModules(HostModules):
    """Stands in the place of ``HostModules``; modules that are no step of a rotation are run as ever."""

    def run(self, module: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
        if module not in STEPS:
            return super().run(module, check=check, **options)
        options.setdefault("root", str(self.root))
        done = ran(module, options, python=self.python, check=check)
        self.outputs.append(done.stdout + done.stderr)
        return answer_of(done)
