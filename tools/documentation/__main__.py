# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tools.documentation`: builds the site and says where it is; `picture` draws docs/architecture.svg anew."""

from __future__ import annotations

import sys

from tools.documentation import picture
from tools.documentation.site import NotBuilt, ensure
from tools.python_environments import ROOT


def main(words: list[str]) -> int:
    if words == ["picture"]:
        picture.PATH.write_text(picture.draw(), "utf-8")
        print(picture.PATH.relative_to(ROOT))
        return 0
    try:
        site = ensure()
    except NotBuilt as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(f"{site.relative_to(ROOT)}/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
