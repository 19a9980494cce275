# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watch one revoked certificate being rotated: a real CA with CRL and OCSP, a real nginx, the real playbook.

Needs nginx and openssl, no root. Everything happens below build/demo, on loopback.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT / "build" / "collections"), str(ROOT)]

from ansible_collections.certops.rotation.tests.support import playbook

from demo import story
from demo.scene import NAME, Scene


@contextmanager
def step(text: str) -> Iterator[None]:
    story.announce(text)
    started = time.monotonic()
    yield
    story.took(time.monotonic() - started)


def rotate(scene: Scene) -> int:
    """Run the playbook as a user would, and show what it prints."""
    inventory = scene.inventory()
    command = [playbook.command(), "-i", str(inventory), "certops.rotation.rotate"]
    environ = playbook.environment(XDG_CACHE_HOME=str(scene.place / "cache"))
    return subprocess.run(command, cwd=scene.place, env=environ, check=False).returncode


def main() -> int:
    place = ROOT / "build" / "demo"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    with Scene(place) as scene:
        with step(
            "A certificate authority of your own is created: root, intermediate, CRL, OCSP responses as static files."
        ):
            scene.create_ca()
        with step("A shop gets its first certificate, and nginx serves it."):
            scene.open_shop()
            before = scene.look()
        story.show_served("What clients see", before)
        with step("The private key has leaked. The CA revokes the certificate: keyCompromise."):
            scene.revoke(NAME)
            revoked = scene.look()
        story.show_served("The same certificate, a moment later (nginx itself won't tell you)", revoked)
        with step(
            "ansible-playbook certops.rotation.rotate: found, replaced under a fresh key, proven, old key destroyed."
        ):
            code = rotate(scene)
        after, report = scene.look(), scene.report_path()
        story.show_before_and_after(revoked, after)
        with step("The same playbook once more: nothing is due, nothing changes."):
            again = rotate(scene)
        return story.verdict(code, again, revoked, after, report)


if __name__ == "__main__":
    sys.exit(main())
