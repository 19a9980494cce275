# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A compromised key revokes its own certificate: the control node asks, the key signs where it is.

So the CA learns that the key is in other hands, refuses it from then on, and revokes whatever else it certified.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.jose import algorithm_of, is_signed
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._issuers.opened import OpenIssuers
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import (
    Revocation,
    Signer,
    TakesKeySignatures,
)
from ansible_collections.certops.rotation.plugins.modules.key_signature import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.issuer_of_predecessor import (
    issuer_of_predecessor,
    predecessor_certificate,
    predecessor_pem,
)
from ansible_collections.certops.rotation.plugins.plugin_utils.predecessor import (
    Fate,
    fate,
    reason_of,
    require_proof,
    settle,
)
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import (
    HostAction,
    Rotation,
    active,
    module_failure,
    unreachable,
)

_HOST_ALGORITHMS = ARGUMENT_SPEC["algorithm"]["choices"]


class ActionModule(HostAction):
    """Adds ``revocation`` where the key signed; ``unsigned`` says why it did not."""

    step = "revoke"
    module_name = "certops.rotation.key_signature"
    argument_spec = ARGUMENT_SPEC

    def work(self, rotations: list[Rotation]) -> dict[str, Any] | None:
        wanted = [one for one in active(rotations) if self._is_to_sign(one)]
        if not wanted or self.check_mode:
            return None
        self._issuers = OpenIssuers(self.options["issuers"])
        changed = [self._revoke(rotation) for rotation in wanted]
        return {"changed": any(changed)}

    def _is_to_sign(self, rotation: Rotation) -> bool:
        options = self.options
        found = fate(rotation, wanted=options["revoke_predecessor"], first=options["revoke_first"])
        return found is Fate.REVOKE and reason_of(rotation) == "keyCompromise"

    def _revoke(self, rotation: Rotation) -> bool:
        """Whether something changed. What fails here is left to the account, and the reason is kept for its warning."""
        try:
            issuer = issuer_of_predecessor(rotation, self._issuers)[1]
            if not isinstance(issuer, TakesKeySignatures):
                return False
            # A certificate on its own was looked for everywhere before, by the plan.
            if not self.options["revoke_first"] and not rotation.get("is_alone"):
                require_proof(rotation)
            revocation = Revocation(predecessor_pem(rotation), reason_of(rotation))
            receipt = issuer.revoke_by_key(revocation, self._signer(rotation))
        except RotationError as error:
            rotation["unsigned"] = error.as_result()
            return False
        rotation.pop("unsigned", None)
        settle(rotation, receipt.state, as_text(receipt.at), by=receipt.by)
        self.stamp(rotation, "revoked")
        return receipt.state != "already_revoked"

    def _signer(self, rotation: Rotation) -> Signer:
        """Signs with the predecessor's key on the host. A signature of any other key does not leave this machine."""
        key = predecessor_certificate(rotation).public_key()
        algorithm = algorithm_of(key).name
        if algorithm not in _HOST_ALGORITHMS:
            raise RotationError("key_unsupported", f"keys that sign with {algorithm} cannot sign on a host")
        where = {**self.module_options("root", "openssl"), **key_on_host(rotation), "algorithm": algorithm}

        def sign(data: bytes) -> bytes:
            answer = self._answer({**where, "data_b64": base64.b64encode(data).decode("ascii")})
            signature = base64.b64decode(str(answer.get("signature_b64")))
            if not is_signed(key, data, signature):
                raise RotationError("key_mismatch", "the host signed with another key than the certificate's")
            return signature

        return sign

    def _answer(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """:raises RotationError: whatever goes wrong on the way to the host or there."""
        try:
            answer = self._executed(self.module_name, arguments)
        except AnsibleConnectionFailure as exc:
            raise unreachable(exc) from exc
        except AnsibleError as exc:
            raise RotationError("host_failed", f"The module could not be run: {exc}") from exc
        if answer.get("unreachable"):
            raise unreachable(answer.get("msg", ""))
        if answer.get("failed"):
            raise module_failure(answer)
        return answer


def key_on_host(rotation: Mapping[str, Any]) -> dict[str, Any]:
    """Where the predecessor's key is: in its version folder, or, before the first release, at the vhost's own path.

    After adoption the vhost's path leads to the new key; the fingerprint keeps any but the right one from signing.
    """
    predecessor = rotation["predecessor"]
    options = {"spki_sha256": predecessor["spki_sha256"]}
    own = ((rotation.get("paths") or {}).get("key")) if not rotation.get("installation") else None
    if predecessor.get("version"):
        return {**options, "name": rotation["name"], "version": predecessor["version"]}
    return {**options, "path": own} if own else {**options, "name": rotation["name"]}
