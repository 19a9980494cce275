# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module certificate_install does: write, switch, test and reload, or go back."""

from __future__ import annotations

from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.certificate_folder import refuse_unsafe_folder
from ansible_collections.certops.rotation.plugins.module_utils._host.destroy import sweep
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import FileOptions, read_file_options
from ansible_collections.certops.rotation.plugins.module_utils._host.lock import root_lock
from ansible_collections.certops.rotation.plugins.module_utils._host.openssl import Openssl
from ansible_collections.certops.rotation.plugins.module_utils._host.release import Release, read_release
from ansible_collections.certops.rotation.plugins.module_utils._host.release_plan import (
    Plan,
    naming,
    plan_release,
    wanted_version,
)
from ansible_collections.certops.rotation.plugins.module_utils._host.service import Service, reload_result
from ansible_collections.certops.rotation.plugins.module_utils._host.storage import storage_errors
from ansible_collections.certops.rotation.plugins.module_utils._host.switch import Switch
from ansible_collections.certops.rotation.plugins.module_utils._host.uninterrupted import uninterrupted


def carry_out(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Everything the module returns."""
    with storage_errors("Installing below {}".format(params["root"])):
        return _installed(params, check_mode)


def _installed(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    root, options = params["root"], read_file_options(params["files"])
    releases = _read_releases(root, params["releases"])
    service, openssl = Service(params["service"]), Openssl(params["openssl"])
    refuse_unsafe_folder(root, follow=True)
    if check_mode:
        plans = [plan_release(release, openssl, options) for release in releases]
        return _result(plans, None, Switch(plans, service, options))
    with root_lock(root, params["lock_timeout"]):
        _receive_keys(root, releases, openssl, options)
        plans = [plan_release(release, openssl, options) for release in releases]
        switch = Switch(plans, service, options)
        reload = None
        if any(plan.is_change for plan in plans):
            with uninterrupted():
                _sweep(plans)
                reload = reload_result(switch.carry_out(), service, switch.test_warnings)
        return _result(plans, reload, switch)


def _read_releases(root: str, given: list[dict[str, Any]]) -> list[Release]:
    names = [release["name"] for release in given]
    if len(set(names)) != len(names):
        raise RotationError(
            "name_invalid", "A certificate can have one release in a call; the names are {}".format(", ".join(names))
        )
    return [read_release(root, release) for release in given]


def _receive_keys(root: str, releases: list[Release], openssl: Openssl, options: FileOptions) -> None:
    """Keys that another host has sealed for this one, into the versions that wait for them."""
    for release in releases:
        if release.sealed_key is None:
            continue
        from ansible_collections.certops.rotation.plugins.module_utils._host.received_key import receive_key

        with naming(release), storage_errors(f"Receiving the key of {release.folder.name}"):
            release.folder.check()
            version = wanted_version(release)
            receive_key(
                root,
                release.folder,
                version,
                release.sealed_key,
                release.leaf_spki_sha256(),
                openssl,
                options,
            )


def _sweep(plans: list[Plan]) -> None:
    for plan in plans:
        with storage_errors(f"Tidying the folder of {plan.name}"):
            sweep(plan.release.folder)


def _result(plans: list[Plan], reload: dict[str, Any] | None, switch: Switch) -> dict[str, Any]:
    installations = {}
    for plan in plans:
        done = switch.done[plan.name]
        installations[plan.name] = {
            "version": plan.live_then,
            "previous": done.previous,
            "stapling": plan.stapling.mode,
            "why": plan.stapling.why,
            "switched_at": done.switched_at,
            "changed": plan.is_change,
            "warnings": done.warnings,
            "ticket_keys": done.ticket_keys,
            "adopted": [own.path for own in plan.adoption.pending] if plan.adoption else [],
        }
    changed = any(plan.is_change for plan in plans)
    return {
        "changed": changed,
        "installations": installations,
        "reload": reload,
        "diff": [plan.as_diff() for plan in plans if plan.is_change],
    }
