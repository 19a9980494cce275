# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes what a CA has issued wrong, each certificate in the way that its name says. Rotations in, rotations out (JSON).

python doctor.py FOLDER_OF_THE_CA <rotations.json >wrong.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    read_certificates,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import Revocation
from ansible_collections.certops.rotation.plugins.module_utils._issuers.registry import open_issuer
from ansible_collections.certops.rotation.plugins.plugin_utils.packing import unpack
from ansible_collections.certops.rotation.tests.support.pki import DAY, Authority, make_key, pem, utc_now
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

ISSUERS = {"internal": {"type": "internal_ca", "directory": sys.argv[1]}}
CA = Path(sys.argv[1])


class Requested:
    """A key of which only the public half is here."""

    def __init__(self, rotation: dict[str, Any]) -> None:
        self.public_key = x509.load_pem_x509_csr(rotation["prepared"]["csr_pem"].encode()).public_key


def the_ca() -> Authority:
    certificate = x509.load_pem_x509_certificate((CA / "intermediate.crt").read_bytes())
    key = load_pem_private_key((CA / "intermediate.key").read_bytes(), None)
    return Authority(certificate, key, utc_now(), (certificate,))


def other_name(rotation: dict[str, Any]) -> str:
    return the_ca().issue(["evil.example.org"], key=Requested(rotation)).chain_pem


def other_key(rotation: dict[str, Any]) -> str:
    return the_ca().issue(rotation["server_names"], key=make_key()).chain_pem


def expired(rotation: dict[str, Any]) -> str:
    begun, ended = utc_now() - 9 * DAY, utc_now() - DAY
    return (
        the_ca().issue(rotation["server_names"], key=Requested(rotation), not_before=begun, not_after=ended).chain_pem
    )


def incomplete(rotation: dict[str, Any]) -> str:
    return pem(read_certificates(rotation["issued"]["chain_pem"].encode())[0])


def untrusted(rotation: dict[str, Any]) -> str:
    root = Authority.root("Somebody Else")
    return root.issue(rotation["server_names"], key=Requested(rotation)).pem + root.pem


def revoked(rotation: dict[str, Any]) -> str:
    chain = rotation["issued"]["chain_pem"]
    leaf = pem(read_certificates(chain.encode())[0])
    open_issuer("internal", ISSUERS).revoke([Revocation(leaf, "keyCompromise")])
    return str(chain)


def predecessor(rotation: dict[str, Any]) -> str:
    return str(rotation["predecessor"]["chain_pem"])


WAYS: list[Callable[[dict[str, Any]], str]] = [
    other_name, other_key, expired, incomplete, untrusted, revoked, predecessor,
]  # fmt: skip


def main() -> None:
    rotations = {host: unpack(of_host) for host, of_host in json.load(sys.stdin).items()}
    ways = {way.__name__.replace("_", "-"): way for way in WAYS}
    for rotation in (one for of_host in rotations.values() for one in of_host):
        if rotation["name"] in ways:
            issued = rotation["issued"]
            issued["chain_pem"] = ways[rotation["name"]](rotation)
            facts = certificate_facts(read_certificates(issued["chain_pem"].encode())[0])
            issued.update(serial=facts.serial, spki_sha256=facts.spki_sha256)
    json.dump(rotations, sys.stdout)


if __name__ == "__main__":
    main()
