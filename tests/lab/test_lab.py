# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab on this machine: hosts come up, break on demand, mend, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

LAB = Path(__file__).with_name("lab.py")
NAME = f"t{os.getpid()}"
STATE = Path("/run/certops-lab")


def lab(*arguments: str, name: str = NAME) -> subprocess.CompletedProcess[str]:
    """Run one lab command."""
    command, *rest = arguments
    return subprocess.run(
        [sys.executable, str(LAB), command, "--name", name, *rest],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def lab_ok(*arguments: str, name: str = NAME) -> str:
    done = lab(*arguments, name=name)
    assert done.returncode == 0, done.stderr
    return done.stdout


def hosts_in_status() -> list[str]:
    """Without the line about other labs, which come and go."""
    return [line for line in lab_ok("status").splitlines() if not line.startswith("other labs:")]


def ssh(host: str, command: str, name: str = NAME) -> subprocess.CompletedProcess[str]:
    """A command on a host by ssh, from the control node; no shared connection, so that each call proves a new one."""
    config = str(STATE / name / "ssh_config")
    return lab("exec", "--", "ssh", "-F", config, "-o", "ControlPath=none", host, command, name=name)


def traces(name: str) -> list[str]:
    """Everything of this lab that the machine still has."""
    found = [str(path) for path in Path("/run/netns").glob(f"certops-{name}*")]
    found += [str(path) for path in Path("/run/systemd/nspawn").glob(f"*/*{name}*")]
    found += [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f"/{name}" in line]
    found += [str(path) for path in Path("/sys/fs/cgroup").rglob(f"certops-lab/{name}")]
    found += [str(STATE / name)] if (STATE / name).exists() else []
    return found + processes(f"/{name}") + processes(f"--machine={name}.")


def processes(argument_part: str) -> list[str]:
    """Command lines of processes with this in an argument."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if any(argument_part in word for word in words) and "pytest" not in " ".join(words):
            found.append(" ".join(words))
    return found


CHECK = lab("check")
pytestmark = pytest.mark.skipif(CHECK.returncode == 3, reason=CHECK.stderr.strip())


@pytest.fixture(scope="module")
def two_hosts() -> Iterator[None]:
    lab_ok("up", "--hosts", "2")
    yield
    lab_ok("down")


def test_host_that_is_up_runs_nginx_under_systemd(two_hosts: None) -> None:
    assert ssh("web01", "systemctl is-active nginx").stdout == "active\n"
    assert ssh("web02", "systemctl is-system-running").stdout == "running\n"
    assert ssh("web01", "systemctl reload nginx").returncode == 0


def test_host_has_python_and_openssl_and_no_pip_package(two_hosts: None) -> None:
    assert ssh("web01", "python3 -c 'import ssl' && openssl version").returncode == 0
    assert ssh("web01", "python3 -c 'import pip'").returncode != 0
    assert ssh("web01", "python3 -c 'import cryptography'").returncode != 0


def test_every_host_is_a_machine_of_its_own(two_hosts: None) -> None:
    for file in ("/etc/hostname", "/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key.pub"):
        contents = {ssh(host, f"cat {file}").stdout for host in ("web01", "web02")}
        assert len(contents) == 2, file


def test_names_and_both_address_families_work_from_both_sides(two_hosts: None) -> None:
    fetch = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=5).status)"
    for url in ("http://web01.lab.test/", "http://198.18.0.11/"):
        assert lab_ok("exec", "--", sys.executable, "-c", fetch, url) == "200\n"
    resolved = "getent ahosts ca.lab.test | cut -d' ' -f1 | sort -u"
    expected = "198.18.0.1\nfdce:4709:5:1::1\n"
    assert ssh("web01", resolved).stdout == expected
    assert lab_ok("exec", "--", "sh", "-c", resolved) == expected
    ipv6 = ["import socket; socket.create_connection(('fdce:4709:5:1::b', 80), 5)"]
    assert lab("exec", "--", sys.executable, "-c", *ipv6).returncode == 0


def test_machines_own_hosts_file_stays_as_it_was(two_hosts: None) -> None:
    assert "lab.test" not in Path("/etc/hosts").read_text()


def test_exec_hands_on_the_exit_code(two_hosts: None) -> None:
    assert lab("exec", "--", "sh", "-c", "exit 7").returncode == 7
    assert lab("exec", "--", "sh", "-c", "kill -TERM $$").returncode == 128 + signal.SIGTERM


def test_up_again_changes_nothing_and_adds_what_is_missing(two_hosts: None) -> None:
    before = hosts_in_status()
    lab_ok("up", "--hosts", "2")
    assert hosts_in_status() == before
    lab_ok("up", "--host-names", "extra")
    assert hosts_in_status()[:2] == before
    assert ssh("web01", "getent hosts extra.lab.test").returncode == 0
    assert ssh("extra", "true").returncode == 0


def test_cut_host_is_unreachable_until_mended(two_hosts: None) -> None:
    lab_ok("cut", "web01")
    assert ssh("web01", "true").returncode == 255
    assert ssh("web02", "true").returncode == 0
    lab_ok("mend", "web01")
    assert ssh("web01", "true").returncode == 0


def test_killed_ssh_ends_sessions_while_nginx_goes_on(two_hosts: None) -> None:
    config = str(STATE / NAME / "ssh_config")
    session = [sys.executable, str(LAB), "exec", "--name", NAME, "--", "ssh", "-F", config, "web02", "sleep 60"]
    with subprocess.Popen(session, stderr=subprocess.DEVNULL) as sleeping:
        wait_for_session("web02", "sleep 60")
        lab_ok("kill-ssh", "web02")
        assert sleeping.wait(timeout=10) == 255
    assert ssh("web02", "true").returncode == 255
    assert lab_ok("run", "web02", "--", "systemctl", "is-active", "nginx") == "active\n"
    lab_ok("mend", "web02")
    assert ssh("web02", "true").returncode == 0


def wait_for_session(host: str, command: str) -> None:
    deadline = time.monotonic() + 10
    while lab("run", host, "--", "pgrep", "-f", f"^{command}").returncode != 0:
        assert time.monotonic() < deadline, "the session did not start"
        time.sleep(0.1)


@pytest.mark.parametrize("how", [[], ["--hard"]])
def test_host_keeps_its_files_over_power_off_and_boot(two_hosts: None, how: list[str]) -> None:
    assert ssh("web01", "touch /root/here").returncode == 0
    lab_ok("power-off", "web01", *how)
    assert "off" in lab_ok("status").splitlines()[0]
    assert ssh("web01", "true").returncode == 255
    lab_ok("boot", "web01")
    assert ssh("web01", "test -e /root/here && systemctl is-active nginx").stdout == "active\n"


def test_lab_called_inside_a_lab_acts_outside(two_hosts: None) -> None:
    up_inside = ["exec", "--", sys.executable, str(LAB), "up", "--host-names", "inner"]
    lab_ok(*up_inside)
    assert ssh("inner", "true").returncode == 0


def test_two_labs_live_side_by_side(two_hosts: None) -> None:
    other = f"{NAME}b"
    lab_ok("up", "--hosts", "1", name=other)
    try:
        assert ssh("web01", "touch /root/other", name=other).returncode == 0
        assert ssh("web01", "test -e /root/other").returncode == 1
    finally:
        lab_ok("down", name=other)
    assert not traces(other)
    assert ssh("web01", "true").returncode == 0


def test_bad_input_is_one_line_without_traceback() -> None:
    for arguments in (["up", "--host-names", "../x"], ["up", "--hosts", "-1"], ["cut", "nobody"], ["inventory"]):
        done = lab(*arguments, name=f"{NAME}x")
        assert done.returncode == 1
        assert done.stderr.startswith("lab: ") and done.stderr.count("\n") == 1


def test_down_leaves_nothing_also_with_open_connections() -> None:
    name = f"{NAME}d"
    lab_ok("up", "--hosts", "2", name=name)
    master = ["-o", "ControlMaster=auto", "-o", "ControlPersist=60"]
    lab_ok("exec", "--", "ssh", "-F", str(STATE / name / "ssh_config"), *master, "web01", "true", name=name)
    assert len(traces(name)) > 8
    lab_ok("down", name=name)
    assert traces(name) == []


@pytest.mark.parametrize("after", [0.06, 0.1, 0.2, 0.3, 0.5])
def test_down_leaves_nothing_after_an_up_that_was_killed(after: float) -> None:
    name = f"{NAME}k"
    with subprocess.Popen([sys.executable, str(LAB), "up", "--name", name, "--hosts", "3"]) as up:
        time.sleep(after)
        up.kill()
    lab_ok("down", name=name)
    assert traces(name) == []


def test_with_takes_the_lab_down_when_terminated() -> None:
    name = f"{NAME}w"
    up = [sys.executable, str(LAB), "with", "--name", name, "--hosts", "1"]
    with subprocess.Popen([*up, "--", "sh", "-c", "echo go; exec sleep 60"], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None and running.stdout.readline() == b"go\n"
        running.terminate()
        assert running.wait(timeout=30) == 128 + signal.SIGTERM
    assert traces(name) == []


def test_lab_works_where_only_cgroup_version_2_is_mounted() -> None:
    name = f"{NAME}v"
    script = (
        "set -e; umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; "
        '"$0" "$1" with --name "$2" --hosts 1 -- ssh -F /run/certops-lab/"$2"/ssh_config web01 '
        "'systemctl reload nginx && systemctl is-system-running'"
    )
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, sys.executable, str(LAB), name],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "running\n", done.stderr
    assert traces(name) == []
