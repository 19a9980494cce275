# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""nginx refuses, does not react, or is not there: the old release is served, and the next run finishes the job."""

from __future__ import annotations

import os
import shutil
import signal

import pytest
from ansible_collections.certops.rotation.tests.support import playbook
from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, Served, must
from ansible_collections.certops.rotation.tests.support.nginx import Nginx
from ansible_collections.certops.rotation.tests.support.outcome import assert_finished, assert_untouched


@pytest.fixture
def nginx(shop: LocalWorld) -> Nginx:
    """That of the shop, whose certificate is declared: a broken configuration can't be printed to be read."""
    assert shop.nginx is not None
    shop.declare("shop", shop.nginx.vhosts[0])
    return shop.nginx


@pytest.fixture
def old(shop: LocalWorld) -> Served:
    return shop.served("shop.example.org")


def test_configuration_that_was_broken_before(shop: LocalWorld, nginx: Nginx, old: Served) -> None:
    shop.revoke("shop")
    nginx.write(broken="no_such_directive on;")
    assert_failed(shop, shop.rotate(), "config_broken_before")
    assert "no_such_directive" in str(shop.rotation("shop")["error"]["facts"])
    assert_untouched(shop, "shop", old)
    nginx.write()
    must(shop.rotate())
    assert_finished(shop, "shop", old)


def test_snippet_that_nginx_refuses(shop: LocalWorld, nginx: Nginx, old: Served) -> None:
    template = shop.place / "snippet.j2"
    template.write_text("no_such_directive {{ name }};\n")
    shop.variables["rotate_snippet_template"] = str(template)
    shop.revoke("shop")
    assert_failed(shop, shop.rotate(), "config_test_failed")
    assert_untouched(shop, "shop", old)
    del shop.variables["rotate_snippet_template"]
    must(shop.rotate())
    assert_finished(shop, "shop", old)


def test_master_that_does_not_react_goes_back(shop: LocalWorld, nginx: Nginx, old: Served) -> None:
    """Stopped, as a debugger would: it takes no signal, and its workers go on serving."""
    shop.variables.update(rotate_force=["shop"], rotate_service={**nginx.service, "timeout": 1})
    os.kill(nginx.pid, signal.SIGSTOP)
    try:
        run = shop.rotate()
    finally:
        os.kill(nginx.pid, signal.SIGCONT)
    assert_failed(shop, run, "reload_without_effect")
    assert_untouched(shop, "shop", old)
    must(shop.rotate())
    assert_finished(shop, "shop", old, orders=len(shop.ca_certificates()) - 1)


def test_pid_file_of_a_process_that_ended(shop: LocalWorld, nginx: Nginx, old: Served) -> None:
    stale = shop.place / "stale.pid"
    stale.write_text("4194303\n")
    shop.variables["rotate_service"] = {**nginx.service, "pid_file": str(stale)}
    shop.revoke("shop")
    assert_failed(shop, shop.rotate(), "service_not_running")
    assert_untouched(shop, "shop", old)
    assert not (shop.root / "shop" / "live").exists()
    shutil.copy(nginx.pid_file, stale)
    must(shop.rotate())
    assert_finished(shop, "shop", old)


def assert_failed(shop: LocalWorld, run: playbook.Run, code: str) -> None:
    assert run.returncode == 2
    assert "Traceback" not in run.output
    error = shop.rotation("shop")["error"]
    assert (error["step"], error["code"]) == ("install", code)
