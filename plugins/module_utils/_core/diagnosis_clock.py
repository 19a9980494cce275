# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose clock is wrong: this machine's, the host's, or the CA's? A third one tells."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_cause import CONTROL_NODE, Cause, cause
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_seen import (
    Seen,
    client_view,
    host_name,
    host_view,
)

TOLERANCE = 300.0
"""seconds that clocks may differ; what OpenSSL and nginx grant to OCSP responses"""


def clock_causes(rotation: Seen) -> Iterator[Cause]:
    offsets = list(client_view(rotation).get("offsets") or ())
    own = host_view(rotation).get("clock_offset")
    if own is not None:
        offsets.append({"who": host_name(rotation), "kind": "host", "seconds": own})
    code, certainty = wrong_clock(offsets)
    if code:
        where = host_name(rotation) if code == "clock_skew_host" and own is not None else CONTROL_NODE
        yield cause(code, certainty, where, [_sentence(one) for one in offsets])


def wrong_clock(offsets: Sequence[Seen]) -> tuple[str, str]:
    """The code of what is wrong and how sure that is; empty where the clocks agree.

    :param offsets: ``kind`` responder or crl (the CA's side), peer (the endpoint), host; ``seconds`` that it is ahead.
    """
    of_ca = [float(one["seconds"]) for one in offsets if one["kind"] in ("responder", "crl")]
    asked = [float(one["seconds"]) for one in offsets if one["kind"] == "host"]
    of_host = asked or [float(one["seconds"]) for one in offsets if one["kind"] == "peer"]
    if of_ca and of_host:
        return _of_three(statistics.median(of_ca), statistics.median(of_host))
    if of_ca or of_host:
        return _of_two(of_ca or of_host, {one["who"] for one in offsets if one["kind"] != "host"})
    return "", ""


def client_error(offsets: Sequence[Seen]) -> float:
    """Seconds by which this machine's clock is behind, where the others agree on that; else 0."""
    code, _certainty = wrong_clock(offsets)
    return statistics.median(float(one["seconds"]) for one in offsets) if code == "clock_skew_client" else 0.0


def _of_three(ca: float, host: float) -> tuple[str, str]:
    if abs(ca) <= TOLERANCE and abs(host) <= TOLERANCE:
        return "", ""
    if abs(ca - host) <= TOLERANCE:
        return "clock_skew_client", "certain"
    if abs(ca) <= TOLERANCE:
        return "clock_skew_host", "certain"
    return ("clock_skew_responder", "certain") if abs(host) <= TOLERANCE else ("clock_skew_unclear", "likely")


def _of_two(offsets: Sequence[float], witnesses: set[str]) -> tuple[str, str]:
    if abs(statistics.median(offsets)) <= TOLERANCE:
        return "", ""
    if len(witnesses) > 1 and max(offsets) - min(offsets) <= TOLERANCE:
        return "clock_skew_client", "likely"
    return "clock_skew_unclear", "likely"


def _sentence(offset: Seen) -> str:
    seconds = float(offset["seconds"])
    if abs(seconds) <= TOLERANCE:
        return f"the clock of {offset['who']} agrees with this machine's ({seconds:+.0f} s)"
    amount = f"{abs(seconds):.0f} s" if abs(seconds) < 7200 else f"{abs(seconds) / 3600:.1f} h"
    return f"the clock of {offset['who']} is {amount} {'ahead of' if seconds > 0 else 'behind'} this machine's"
