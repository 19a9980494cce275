# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CAs say about when served certificates are to be replaced (RFC 9773): each asked once for each certificate.

``rotation["renewal_hints"]`` is ``{<sha256 of the certificate>: {window: {start, end}, explanation_url, renew_at}}``. A
hint helps to decide; a CA that does not answer is no reason to stop, and none for a warning at every run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from ansible.utils.display import Display
from ansible_collections.certops.rotation.plugins.module_utils._core.ari import cert_id
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificate
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._issuers.opened import OpenIssuers
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import HintsAtRenewal

_AT_ONCE = 16

display = Display()

Rotation = dict[str, Any]


def add_renewal_hints(rotations: Sequence[Rotation], issuers: Mapping[str, Any], at: datetime) -> None:
    """Fill ``renewal_hints`` of rotations whose certificates come from a CA that gives hints."""
    asked = {name: one for name, one in OpenIssuers(issuers).working() if isinstance(one, HintsAtRenewal)}
    if not asked:
        return
    questions: dict[str, tuple[HintsAtRenewal, x509.Certificate]] = {}
    for rotation in rotations:
        issuer = asked.get(str(rotation.get("issuer") or ""))
        for sha256, chain_pem in _served(rotation):
            if issuer is not None and sha256 not in questions:
                try:
                    questions[sha256] = (issuer, read_certificate(chain_pem.encode()))
                except RotationError:
                    continue
    hints = _answers(questions, at)
    for rotation in rotations:
        found = {sha256: hints[sha256] for sha256, _chain in _served(rotation) if sha256 in hints}
        if found:
            rotation["renewal_hints"] = found


def _served(rotation: Rotation) -> Iterator[tuple[str, str]]:
    for entry in rotation.get("served") or ():
        if entry.get("sha256") and entry.get("chain_pem"):
            yield entry["sha256"], entry["chain_pem"]


def _answers(
    questions: Mapping[str, tuple[HintsAtRenewal, x509.Certificate]], at: datetime
) -> dict[str, dict[str, Any]]:
    failures: dict[str, None] = {}

    def ask(question: tuple[HintsAtRenewal, x509.Certificate]) -> dict[str, Any] | None:
        issuer, certificate = question
        try:
            hint = issuer.renewal_hint(certificate, at=at)
        except RotationError as error:
            failures[f"{error.message} ({error.code})"] = None
            return None
        if hint is None:
            return None
        return {**hint.as_dict(), "renew_at": as_text(hint.chosen_time(cert_id(certificate) or ""))}

    if not questions:
        return {}
    with ThreadPoolExecutor(min(_AT_ONCE, len(questions))) as pool:
        answers = dict(zip(questions, pool.map(ask, questions.values()), strict=True))
    for failure in failures:
        display.warning(f"detect: no renewal hints: {failure}")
    return {sha256: answer for sha256, answer in answers.items() if answer}
