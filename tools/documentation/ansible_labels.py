# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Ansible's documentation has what ours refers to, as an inventory for Sphinx that needs no network."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

# Labels that antsibull-docs puts into every page.
_PAGES = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "callback_plugins": "plugins/callback.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
_BUILTIN = re.compile(r"<ansible_collections\.ansible\.builtin\.(\w+)>")


def inventory(reference: Path) -> bytes:
    """For the pages that antsibull-docs wrote into this folder."""
    pages = dict(_PAGES)
    for page in reference.glob("*.rst"):
        for name in _BUILTIN.findall(page.read_text("utf-8")):
            pages[f"ansible_collections.ansible.builtin.{name}"] = f"collections/ansible/builtin/{name}.html"
    lines = "".join(f"{label} std:label -1 {page} {label}\n" for label, page in sorted(pages.items()))
    top = "# Sphinx inventory version 2\n# Project: Ansible\n# Version: \n"
    return f"{top}# The remainder of this file is compressed using zlib.\n".encode() + zlib.compress(lines.encode())
