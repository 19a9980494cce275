# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing, switching, testing and reloading as one unit, with the way back inside it.

There is no journal. Killed before the switch, ``live`` is what it was and the version still ``prepared``; killed after
it, ``live`` is the new, whole release and the record still says ``prepared``, so the next run tests and reloads.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.clock import iso, utc_now
from ansible_collections.certops.rotation.plugins.module_utils._host.der import serial_hex
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import FileOptions
from ansible_collections.certops.rotation.plugins.module_utils._host.keys_log import (
    KeyFact,
    append_fact,
    read_keys_log,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.record import (
    FILE_NAME,
    Record,
    read_record,
    record_bytes,
    updated,
    write_record,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.release_plan import Plan
from ansible_collections.certops.rotation.plugins.module_utils._host.service import Reload, Service
from ansible_collections.certops.rotation.plugins.module_utils._host.storage import storage_error, storage_errors
from ansible_collections.certops.rotation.plugins.module_utils._host.undo import Undo


@dataclass
class Switched:
    """What became of one plan."""

    previous: str | None
    switched_at: str | None = None
    warnings: list[str] = field(default_factory=list)
    ticket_keys: list[str] = field(default_factory=list)


class Switch:
    """All releases of one execution: they go live together or not at all."""

    def __init__(self, plans: list[Plan], service: Service, options: FileOptions) -> None:
        self._plans = [plan for plan in plans if plan.is_change]
        self._service = service
        self._options = options
        self._undo = Undo()
        self.done = {plan.name: Switched(plan.fallback) for plan in plans}
        self.test_warnings = ""

    def carry_out(self) -> Reload:
        """Do it. On any error the certificates are as they were before, or the error says which are not, and why."""
        self._service.master()
        self._write_and_switch()
        self._test()
        reload = self._reload()
        self._undo.keep()
        for plan in self._plans:
            self._settle(plan)
        self._warn_of_kept_ticket_keys()
        return reload

    def _write_and_switch(self) -> None:
        """Everything is written for all releases before ``live`` moves for the first of them."""
        try:
            for plan in self._plans:
                with storage_errors(f"Writing the release of {plan.name}"):
                    self._write(plan)
            for plan in self._plans:
                with storage_errors(f"Switching {plan.name}"):
                    self._undo.switch(plan.release.folder, plan.live_then, self.done[plan.name].previous)
                    if plan.live_now != plan.live_then:
                        self.done[plan.name].switched_at = iso(utc_now())
        except RotationError as error:
            raise self._all_back(error) from error

    def _write(self, plan: Plan) -> None:
        folder = plan.release.folder
        if plan.adoption is not None:
            self.done[plan.name].warnings.extend(plan.adoption.carry_out(utc_now()))
            taken = folder.live()
            if taken != plan.live_now:
                self.done[plan.name].previous = taken
        self._renew_ticket_keys(plan)
        if plan.release.operation != "switch" and not plan.files:
            return
        place = folder.version_path(str(plan.live_then))
        for name, data in plan.files.items():
            path = os.path.join(place, name)
            if data is None:
                self._undo.remove(plan.name, path)
            else:
                self._undo.write(plan.name, path, data, self._options)
        if plan.release.operation == "switch":
            record = updated(plan.record, self._release_facts(plan))
            self._undo.write(plan.name, os.path.join(place, FILE_NAME), record_bytes(record), self._options)

    def _renew_ticket_keys(self, plan: Plan) -> None:
        """Once, also where several certificates name the same file."""
        renewed = {path for done in self.done.values() for path in done.ticket_keys}
        for key in plan.ticket_keys:
            if key.path not in renewed:
                from ansible_collections.certops.rotation.plugins.module_utils._host.ticket_keys import (
                    renew,
                    sweep_beside,
                )

                sweep_beside(key)
                self._undo.renew(plan.name, key.path, functools.partial(renew, key))
            self.done[plan.name].ticket_keys.append(key.path)

    def _warn_of_kept_ticket_keys(self) -> None:
        """Where a private key was in other hands, the memory of the service may have been too."""
        compromised = [plan for plan in self._plans if (plan.release.record.get("supersedes") or {}).get("compromised")]
        if not compromised:
            return
        from ansible_collections.certops.rotation.plugins.module_utils._host.ticket_keys import kept_over_reload

        warning = kept_over_reload(self._service.test_command)
        for plan in compromised if warning else []:
            self.done[plan.name].warnings.append(str(warning))

    def _release_facts(self, plan: Plan) -> Record:
        """What the record has to hold before the switch, so that a run after a kill knows how to go on."""
        facts = {key: value for key, value in plan.release.record.items() if key != "state"}
        facts.setdefault("serial", serial_hex(plan.release.blocks()[0]))
        facts["stapling"] = plan.stapling.mode
        # Written again when the server has reloaded; a run that is killed before that has switched by now all the same.
        facts["times"] = dict(facts.get("times") or {}, installed=iso(utc_now()))
        supersedes = facts.get("supersedes") or plan.record.get("supersedes")
        previous = self.done[plan.name].previous
        if previous is not None and previous != plan.live_then:
            supersedes = dict(supersedes or {})
            supersedes["version"] = supersedes.get("version") or previous
        facts["supersedes"] = supersedes
        return facts

    def _test(self) -> None:
        try:
            self.test_warnings = self._service.test()
        except RotationError as error:
            raise self._explained(self._all_back(error)) from error

    def _explained(self, error: RotationError) -> RotationError:
        """Was it our change that broke the configuration, or was it broken before?"""
        if error.code != "config_test_failed" or any(done.previous is None for done in self.done.values()):
            return error  # before a first release, a configuration that names its files cannot pass
        try:
            self._service.test()
        except RotationError as before:
            error = RotationError(
                "config_broken_before",
                f"{error.message}, and refused it before this change too",
                remedy="Repair the configuration that the output names, then run again.",
                **dict(error.facts, output=before.facts.get("output", "")),
            )
        return error

    def _reload(self) -> Reload:
        try:
            for plan in self._plans:
                with storage_errors(f"Noting that the key of {plan.name} goes live"):
                    self._note_live(plan)
        except RotationError as error:
            raise self._all_back(error) from error
        try:
            return self._service.reload()
        except RotationError as error:
            raise self._back_after_reload(error) from error

    def _note_live(self, plan: Plan) -> None:
        """Before the reload: from here on the key may have been used, and is never taken for a prepared one again."""
        folder, spki = plan.release.folder, plan.record.get("spki_sha256")
        if plan.release.operation != "switch" or not spki:
            return
        if not any(fact.spki_sha256 == spki and fact.fate == "live" for fact in read_keys_log(folder.path)):
            append_fact(folder.path, KeyFact(iso(utc_now()), spki, "live", str(plan.live_then)), self._options)

    def _all_back(self, error: RotationError) -> RotationError:
        """Nothing has been reloaded yet: what ran before still runs, and the disk says so again."""
        failures = self._undo.back({plan.name for plan in self._plans})
        self._undo.keep()
        bound = sorted(plan.name for plan in self._plans if not plan.release.back_allowed)
        message = error.message + "; nothing stays switched, what ran before still runs"
        if bound:
            message += " (for {} that is a revoked or compromised pair)".format(", ".join(bound))
        return self._reported(error, message, failures, "")

    def _back_after_reload(self, error: RotationError) -> RotationError:
        """Back for those that may go back, and a second reload; the others stay: they passed the test."""
        back = {plan.name for plan in self._plans if plan.release.back_allowed}
        stay = sorted(plan.name for plan in self._plans if not plan.release.back_allowed)
        failures = self._undo.back(back)
        self._undo.keep()
        after = self._reload_again() if back else "not reloaded again"
        message = error.message
        if back:
            message += "; back to the old release: {}".format(", ".join(sorted(back)))
        if stay:
            message += "; the new release stays in place, its predecessor must never be served again: {}".format(
                ", ".join(stay)
            )
        return self._reported(error, message, failures, after)

    def _reload_again(self) -> str:
        try:
            self._service.test()
            self._service.reload()
        except RotationError as error:
            return f"{error.code}: {error.message}"
        return "reloaded"

    def _reported(self, error: RotationError, message: str, failures: list[str], after_back: str) -> RotationError:
        facts: dict[str, Any] = dict(error.facts, after_back=after_back, back_failed=failures)
        facts["live"] = {plan.name: _live_or_none(plan) for plan in self._plans}
        if failures:
            message += "; the way back failed in part: " + "; ".join(failures)
        return RotationError(error.code, message, remedy=error.remedy, **facts)

    def _settle(self, plan: Plan) -> None:
        """Bring the record up to date. It is live and running by now: a full disk here is a warning, not a failure."""
        update = _settled_facts(plan)
        if update is None:
            return
        version = str(plan.release.version if plan.release.operation == "rollback" else plan.live_then)
        place = plan.release.folder.version_path(version)
        try:
            write_record(place, updated(read_record(place), update), self._options)
        except OSError as exc:
            error = storage_error(exc, f"Updating the record of {plan.name}")
            self.done[plan.name].warnings.append(error.message)


def _settled_facts(plan: Plan) -> Record | None:
    now = iso(utc_now())
    if plan.release.operation == "rollback":
        return {"state": "rolled_back", "times": {"rolled_back": now}}
    if plan.release.operation == "staple":
        return {"times": {"stapled": now}}
    if plan.record.get("state") == "prepared":
        return {"state": "installed", "times": {"installed": now}}
    return None


def _live_or_none(plan: Plan) -> str | None:
    try:
        return plan.release.folder.live()
    except RotationError:
        return None
