# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse what must not be installed, before anything is touched; and fetch the staple that goes with what may be."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._ansible.result import to_result
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificates,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.chain import validate_chain
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.fresh_key import refuse_known_key
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_facts import live_pair, live_version
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_policy import deny_list
from ansible_collections.certops.rotation.plugins.module_utils._core.weak_key import refuse_weak_key
from ansible_collections.certops.rotation.plugins.modules.certificate_validate import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import FleetAction, Rotation
from ansible_collections.certops.rotation.plugins.plugin_utils.trust import judging

_AT_ONCE = 16


class ActionModule(FleetAction):
    """Adds ``validated``, or an error."""

    step = "validate"
    argument_spec = ARGUMENT_SPEC

    def work(self, rotations: dict[str, list[Rotation]]) -> dict[str, Any] | None:
        if self.options["staples_only"]:
            wanted = [one for one in self.active(rotations) if _staples_a_file(one)]
            check = self._refresh_staple
        else:
            wanted = [one for one in self.active(rotations, ("rotate",)) if one.get("issued")]
            check = self._validate
        if not wanted:
            return None
        self._judge, self._at = judging(self.step, self.options), self.now()
        self._anchors = self._judge.anchors
        self._each(wanted, check)
        return None

    def _each(self, rotations: Sequence[Rotation], check: Callable[[Rotation], None]) -> None:
        """Side by side: what takes time is waiting for CRLs and responders."""

        def guarded(rotation: Rotation) -> RotationError | None:
            try:
                check(rotation)
            except RotationError as error:
                return error
            return None

        with ThreadPoolExecutor(min(_AT_ONCE, len(rotations))) as pool:
            for rotation, error in zip(rotations, pool.map(guarded, rotations), strict=True):
                if error is not None:
                    self.failing(rotation, error)

    def _validate(self, rotation: Rotation) -> None:
        issued = rotation["issued"]
        chain = read_certificates(issued["chain_pem"].encode(), "the issued chain")
        spki_sha256 = (rotation.get("prepared") or {}).get("spki_sha256")
        validate_chain(
            chain,
            anchors=self._anchors,
            at=self._at,
            server_names=rotation.get("server_names") or (),
            spki_sha256=spki_sha256,
        )
        refuse_weak_key(chain[0])
        refuse_known_key(rotation, issued["spki_sha256"], deny_list(self.options["deny_list"]))
        _refuse_known_serial(rotation, issued["serial"])
        _check_must_staple(rotation, chain[0])
        verdict = self._judge.verdict(chain, at=self._at)
        self._check_status(rotation, verdict.status.value, [reason.value for reason in verdict.reasons])
        rotation["validated"] = {"verdict": to_result(verdict), "staple_b64": self._staple(rotation, chain, self._at)}
        self.stamp(rotation, "validated")

    def _check_status(self, rotation: Rotation, status: str, reasons: Sequence[str]) -> None:
        if status == "revoked":
            raise RotationError(
                "issued_revoked",
                f"the certificate {rotation['issued']['serial']} that was just issued is revoked already",
                remedy="Ask the CA why; then run the same playbook again.",
            )
        if status == "unknown":
            text = f"whether the new certificate is revoked is unknown ({', '.join(reasons)})"
            if self.options["on_unknown"] == "fail":
                raise RotationError("issued_unknown", text, remedy="Make the CA's CRL or responder reachable.")
            self.warn(rotation, text)

    def _staple(self, rotation: Rotation, chain: Sequence[x509.Certificate], at: datetime) -> str | None:
        """The verified good response for the new leaf; None where none is needed or, with a warning, to be had."""
        stapling = rotation.get("stapling") or "auto"
        facts = certificate_facts(chain[0])
        if stapling == "off" or not facts.ocsp_urls:
            if stapling == "file":
                raise RotationError(
                    "staple_unavailable",
                    f"the certificate {facts.serial} names no OCSP responder, so there is nothing to staple",
                    remedy="Set stapling to auto.",
                )
            return None
        try:
            return base64.b64encode(self._judge.good_staple(chain, at=at)).decode()
        except RotationError as error:
            if facts.must_staple or stapling == "file":
                raise RotationError(
                    "staple_unavailable",
                    f"a staple is needed and there is none: {error.message}",
                    remedy="Run again when the responder answers; nothing was touched.",
                    cause=error.code,
                ) from error
            self.warn(rotation, f"no staple could be fetched: {error.message}")
            return None

    def _refresh_staple(self, rotation: Rotation) -> None:
        live = live_pair(rotation)
        if live is None:
            return
        chain = read_certificates(live.chain_pem.encode(), "the installed chain")
        installed = (live_version(rotation) or {}).get("staple_b64")
        if installed and self._is_fresh(chain, base64.b64decode(installed)):
            return
        fresh = base64.b64encode(self._judge.good_staple(chain, at=self._at)).decode()
        rotation["validated"] = {"verdict": {}, "staple_b64": fresh}
        self.stamp(rotation, "validated")

    def _is_fresh(self, chain: Sequence[x509.Certificate], staple: bytes) -> bool:
        """Less than half of its time is over: each refresh costs a reload."""
        found = self._judge.judge_staple(chain, staple, at=self._at)
        if found.status != "good" or found.this_update is None or found.next_update is None:
            return False
        return self._at < found.this_update + (found.next_update - found.this_update) / 2


def _staples_a_file(rotation: Rotation) -> bool:
    return ((live_version(rotation) or {}).get("record") or {}).get("stapling") == "file"


def _refuse_known_serial(rotation: Rotation, serial: str) -> None:
    if serial == (rotation.get("predecessor") or {}).get("serial"):
        raise RotationError(
            "serial_known",
            f"the issuer returned the certificate {serial} that is to be replaced",
            remedy="The issuer is at fault; nothing was touched.",
        )


def _check_must_staple(rotation: Rotation, leaf: x509.Certificate) -> None:
    facts = certificate_facts(leaf)
    if facts.must_staple and not facts.ocsp_urls:
        raise RotationError(
            "must_staple_without_responder",
            f"the certificate {facts.serial} demands a staple and names no OCSP responder",
            remedy="Order it without Must-Staple, or from a CA that still answers OCSP.",
        )
    if rotation.get("must_staple") and not facts.must_staple:
        raise RotationError(
            "must_staple_differs",
            f"Must-Staple was ordered, and the certificate {facts.serial} is without it",
            remedy="Take must_staple back, or choose another issuer.",
        )
