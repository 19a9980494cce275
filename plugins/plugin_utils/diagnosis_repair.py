# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From causes to repairs: what existing steps need to be told, so that they put right what is ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificates,
    to_pem,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.chain import find_path
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_facts import live_version

_OPERATIONS = {
    "old_certificate_served": "reload",
    "trust_without_issuer": "files",
    "trust_without_root": "files",
    "stapling_ignored": "files",
    "staple_stale": "staple",
    "staple_of_another_certificate": "staple",
    "staple_invalid": "staple",
    "staple_not_primed": "prime",
}


def repairs_of(causes: Sequence[Mapping[str, Any]]) -> list[str]:
    """The operations that put the causes right which are ours to repair."""
    return sorted({_OPERATIONS[cause["code"]] for cause in causes if cause["fixable"] and cause["code"] in _OPERATIONS})


def repaired_lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What became of the causes that were to be repaired; only what a client no longer sees is called repaired."""
    said = []
    for host, of_host in before.items():
        for name, causes in of_host.items():
            left = {cause["code"] for cause in (after.get(host) or {}).get(name) or ()}
            for cause in causes:
                if repairs_of([cause]):
                    is_left = cause["code"] in left
                    word = "still there after the repair" if is_left else "repaired, and seen so by a client"
                    said.append(f"{host}/{name}: {cause['code']}: {word}")
    return said


def prepare_files(rotation: dict[str, Any], anchors: Sequence[x509.Certificate]) -> None:
    """Have ``certificate_install`` write trust file and snippet of the live release anew, and nothing else of it.

    :raises RotationError: ``nothing_live``, ``chain_incomplete``, ``chain_untrusted``.
    """
    live = live_version(rotation)
    if live is None or not live.get("chain_pem"):
        raise RotationError("nothing_live", f"{rotation['name']} has no live release whose files could be repaired")
    chain = read_certificates(live["chain_pem"].encode(), "the installed chain")
    path = find_path(chain[0], chain[1:], anchors)
    facts, record = certificate_facts(chain[0]), live.get("record") or {}
    if not facts.ocsp_urls:
        rotation["stapling"] = "off"
    rotation["prepared"] = {"version": live["version"], "spki_sha256": facts.spki_sha256}
    rotation["issued"] = {
        "chain_pem": live["chain_pem"],
        "trust_pem": "".join(to_pem(one) for one in path[1:]),
        "serial": facts.serial,
        "spki_sha256": facts.spki_sha256,
        "ocsp_urls": list(facts.ocsp_urls),
        "must_staple": facts.must_staple,
        "issuer": record.get("issuer"),
        "order": record.get("order"),
    }
    rotation["validated"] = {"verdict": {}, "staple_b64": None}
    rotation["decision"] = {
        "action": "rotate",
        "reasons": [{"code": "repair", "text": "trust file and snippet are written anew"}],
        "premise": {},
        "compromised": False,
        "revocation_reason": None,
    }
