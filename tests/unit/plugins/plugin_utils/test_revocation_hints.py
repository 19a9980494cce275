# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a renewal window is a sign of a revocation."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.ari import RenewalHint
from ansible_collections.certops.rotation.plugins.module_utils._issuers.opened import OpenIssuers
from ansible_collections.certops.rotation.plugins.plugin_utils.revocation_hints import HintWatch, Told, sign_of

AT = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
URL = "https://ca.example/renewal-info/aa.bb"


def hint(start: float, end: float) -> RenewalHint:
    """A window, in hours from now."""
    return RenewalHint(AT + timedelta(hours=start), AT + timedelta(hours=end))


@pytest.mark.parametrize("earlier", [None, hint(500, 510), hint(-1, 1)])
def test_window_that_is_newly_past_is_a_sign(earlier: RenewalHint | None) -> None:
    expected = {"kind": "ari", "url": URL, "at": "2026-11-21T12:00:00Z"}
    assert sign_of(hint(-1, -0.5), URL, earlier=earlier, at=AT) == expected
    assert sign_of(hint(-1, 0), URL, earlier=earlier, at=AT) == expected


@pytest.mark.parametrize(("start", "end"), [(-1, 1), (-1, 0.001), (1, 2)])
def test_window_that_is_not_wholly_past_is_none(start: float, end: float) -> None:
    assert sign_of(hint(start, end), URL, earlier=None, at=AT) is None


def test_window_that_was_past_before_is_none() -> None:
    # As of a certificate that was rotated late: it says nothing of the revocation.
    assert sign_of(hint(-1, -0.5), URL, earlier=hint(-9, -8), at=AT) is None


def test_what_cannot_be_read_is_no_failure() -> None:
    watch = HintWatch(OpenIssuers({}), pause=1.0)
    assert watch.ask([]) == []
    assert watch.ask([{"predecessor": {"certificate_pem": "x"}}, {}]) == [Told(), Told()]


def test_the_same_is_asked_again_after_ever_longer_pauses() -> None:
    watch = HintWatch(OpenIssuers({}), pause=0.05)
    assert watch.ask_in_turn([{}], at_once=False) == [Told()]
    assert watch.ask_in_turn([{}], at_once=False) is None
    assert watch.ask_in_turn([{}], at_once=True) == [Told()]
    asked, end = 0, time.monotonic() + 1.5
    while time.monotonic() < end:
        asked += watch.ask_in_turn([{}], at_once=False) is not None
        time.sleep(0.005)
    # After 0.1, 0.2, 0.4 and 0.8 seconds.
    assert 2 <= asked <= 4
