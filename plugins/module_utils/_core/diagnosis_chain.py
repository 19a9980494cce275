# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chain that is sent: does each client find a path with it?"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_cause import CONTROL_NODE, Cause, cause
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_seen import Seen, certificates

_BY_DATES = frozenset({"chain_expired", "chain_not_yet_valid"})
_NOT_FOUND = frozenset({"chain_incomplete", "chain_untrusted"})


def chain_causes(rotation: Seen) -> Iterator[Cause]:
    for one in certificates(rotation).values():
        error = one.get("chain_error")
        if error:
            found = _cause(one, error)
            if found is not None:
                yield found


def _cause(one: Seen, error: Seen) -> Cause | None:
    code, said = error["code"], [error["msg"]]
    if code == "chain_incomplete":
        return _incomplete(one, said)
    if code == "chain_untrusted":
        return cause("root_not_trusted", "certain", CONTROL_NODE, said)
    if code == "chain_disordered":
        return cause("chain_disordered", "certain", CONTROL_NODE, said)
    if code in _BY_DATES and error.get("is_leaf"):
        return None  # told by its own dates
    return cause("chain_invalid", "certain", CONTROL_NODE, said)


def _incomplete(one: Seen, said: list[str]) -> Cause:
    """An intermediate that is not sent looks the same as a root that is not known, but for what the pointers tell."""
    if not _NOT_FOUND.intersection(one["verdict"]["reasons"]):
        urls = ", ".join(one.get("ca_issuers_urls") or ())
        said = [*said, f"it is found at the certificate's pointer ({urls}), which few clients follow"]
        return cause("intermediate_missing", "certain", CONTROL_NODE, said)
    if one["chain_length"] > 1:
        return cause("root_not_trusted", "likely", CONTROL_NODE, said)
    return cause("intermediate_missing", "likely", CONTROL_NODE, [*said, "nothing but the certificate itself is sent"])
