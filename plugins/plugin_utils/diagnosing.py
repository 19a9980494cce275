# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the steps of a diagnosis share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Judging
from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging_options import system_anchors
from ansible_collections.certops.rotation.plugins.module_utils._ansible.result import to_result
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import Prefer, RevocationPolicy
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient
from ansible_collections.certops.rotation.plugins.module_utils._issuers.opened import OpenIssuers
from ansible_collections.certops.rotation.plugins.plugin_utils.trust import issuers_anchors


def diagnosing_judge(step: str, options: Mapping[str, Any]) -> Judging:
    """The judge of everything else, told to ask all sources, once, and to remember nothing: a fault must show.

    :raises RotationError: ``trust_anchor_unreadable``.
    """
    own = issuers_anchors(step, OpenIssuers(options["issuers"]), options["trust_anchors"])
    http = HttpClient(timeout=options["timeout"])
    return Judging(http=http, policy=RevocationPolicy(prefer=Prefer.BOTH), anchors=[*own, *system_anchors()])


def judged_response(judge: Judging, chain: Sequence[x509.Certificate], response: bytes, at: datetime) -> dict[str, Any]:
    """What an OCSP response, stapled or not, is worth, as it stands in the views."""
    facts = to_result(judge.judge_staple(chain, response, at=at))
    kept = {name: value for name, value in facts.items() if value not in (None, "", [])}
    return {"reasons": [], "detail": "", **kept}
