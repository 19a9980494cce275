# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import gc

import pytest
from ansible_collections.certops.rotation.plugins.plugin_utils.fewer_collections import fewer_collections


def test_thresholds_are_as_before_also_after_an_error() -> None:
    before = gc.get_threshold()
    with pytest.raises(ValueError, match="x"), fewer_collections():
        assert gc.get_threshold()[0] > before[0]
        assert gc.isenabled()
        raise ValueError("x")
    assert gc.get_threshold() == before
