# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which unit tests have nothing to find out on a further ansible-core.

All of them run on the oldest Python of the control node, with ansible-core 2.19. On 2.21, which has a newer Python, all
that runs code of ours does; on 2.17, which has the Python and the libraries of 2.19, what depends on Ansible.
tests/unit/test_gates.py sees to it that what is left out there does not import Ansible.
"""

from __future__ import annotations

from tests.gates.command import ROOT

UNIT = ROOT / "tests" / "unit"
# Right below tests/unit are tests of the repository's files: the same everywhere, but for those that ask Ansible.
ASK_ANSIBLE = ("test_guides.py", "test_no_log.py")
ABOUT_FILES = tuple(
    f"tests/unit/{path.name}" for path in sorted(UNIT.glob("test_*.py")) if path.name not in ASK_ANSIBLE
)
ROOMS_WITHOUT_ANSIBLE = ("_core", "_fetch", "_host", "_issuers")
WITHOUT_ANSIBLE = (
    *ABOUT_FILES,
    *(f"tests/unit/plugins/module_utils/{room}" for room in ROOMS_WITHOUT_ANSIBLE),
)
