# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report in which every text that comes from outside tries to be something else."""

from __future__ import annotations

from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.evidence import Incident, Run, make_report

HOSTILE = (
    "</script><script>window.hacked=1</script>",
    "<!--<script>",
    "<img src=x onerror=window.hacked=1>",
    '" onmouseover="window.hacked=1" x="',
    "' autofocus onfocus='window.hacked=1",
    "javascript:window.hacked=1",
    "{{ 7 * 7 }}{% raw %}",
    "${window.hacked=1}",
    "]]><failure/>",
    "| a | b |\n|---|---|\n# heading",
    "`code` ``more``",
    "[link](https://example.org) @everyone #1",
    "\u202egnp.exe\u2066 \u2028\u2029 \ufeff\x00\x1b[31m\x07\r\n\t",
    "\ud800 lone",
    "\U0001f512 \uffff \\u003cb\\u003e",
    'a\\"b\\\nc',
)
"""None of these has a place in a host name, and an inventory, a CA or a program's last words can have all of them."""


def hostile_report() -> dict[str, Any]:
    rotations = {f"{text}{number}": [_rotation(f"{text}{number}", text)] for number, text in enumerate(HOSTILE)}
    subject = {
        "kind": HOSTILE[0],
        "spki_sha256": [HOSTILE[2]],
        "serials": HOSTILE[1],
        "issuer": HOSTILE[3],
        "drill": True,
    }
    run = Run(HOSTILE[2], "2026-11-21T02:00:00Z", wave=HOSTILE[0])
    return make_report({**rotations, HOSTILE[0]: []}, run, Incident("drill-1", subject, "2026-11-21T01:00:00Z"))


def _rotation(host: str, text: str) -> dict[str, Any]:
    place = {"address": text, "port": 443, "server_name": text}
    return {
        "host": host,
        "name": text,
        "server_names": [text],
        "issuer": text,
        "served": [{**place, "error": {"code": text, "msg": text}}, {**place, "serial": text, "not_after": text}],
        "decision": {"action": "rotate", "reasons": [{"code": text, "text": text}]},
        "predecessor": {"serial": text, "spki_sha256": text, "version": text},
        "issued": {"serial": text + "2", "spki_sha256": text, "issuer": text, "issuer_name": text},
        "proof": {"checked": [{**place, "port": 1, "at": text}]},
        "revocation": {
            "serial": text,
            "reason": text,
            "state": text,
            "by": text,
            "seen_in": [{"kind": text, "url": text}],
        },
        "times": {"detected": "2026-11-21T01:00:01Z", "served": "2026-11-21T01:00:02Z"},
        "error": {"step": text, "code": text, "msg": text, "remedy": text, "facts": {"output": text}},
        "warnings": [text],
    }
