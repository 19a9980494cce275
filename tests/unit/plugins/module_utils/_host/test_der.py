# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DER read without ``cryptography`` against what ``cryptography`` reads."""

from __future__ import annotations

import base64
import random

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._host.der import (
    certificate_blocks,
    elements,
    serial_hex,
    subject_public_key_info,
)
from ansible_collections.certops.rotation.tests.support.pki import Authority, der, make_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@pytest.mark.parametrize("kind", ["ec", "ec-secp384r1", "rsa", "ed25519"])
def test_public_key_and_serial_are_those_of_the_certificate(kind: str) -> None:
    issued = Authority.root().intermediate().issue(key=make_key(kind))
    encoded = der(issued.certificate)
    expected = issued.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert subject_public_key_info(encoded) == expected
    assert int(serial_hex(encoded), 16) == issued.serial
    assert len(serial_hex(encoded)) % 2 == 0
    assert certificate_blocks("text before\n" + issued.chain_pem) == [der(each) for each in issued.chain]


def test_damaged_bytes_raise_nothing_but_our_error() -> None:
    encoded = der(Authority.root().issue().certificate)
    chance = random.Random(8)
    for _round in range(2000):
        damaged = bytearray(encoded[: chance.randrange(len(encoded) + 1)] if chance.random() < 0.3 else encoded)
        for _change in range(chance.randrange(4)):
            if damaged:
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            subject_public_key_info(bytes(damaged))
        except RotationError as error:
            assert error.code == "certificate_unreadable"


@pytest.mark.parametrize("broken", [b"\x30", b"\x30\x05\x00", b"\x30\x80\x00\x00", b"\x30\x89" + b"\x01" * 9])
def test_truncated_or_indefinite_lengths_are_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="DER"):
        elements(broken)


def test_text_that_is_not_base64_is_unreadable() -> None:
    body = base64.b64encode(b"x" * 10).decode()[:-3]
    with pytest.raises(RotationError):
        certificate_blocks(f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
