# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The index of a CRL's entries beside cryptography, which decodes them one by one."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core import der
from ansible_collections.certops.rotation.plugins.module_utils._core.crl_entry import decode_entry
from ansible_collections.certops.rotation.plugins.module_utils._core.crl_index import EntryIndex
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import DECODING_ERRORS
from cryptography import x509

_BEFORE = bytes.fromhex("020101300a06082a8648ce3d0403023000170d3236303130313030303030305a")
_AFTER = bytes.fromhex("300a06082a8648ce3d040302030100")
REASON = bytes.fromhex("300a0603551d1504030a0101")
INVALIDITY = bytes.fromhex("30180603551d180411180f32303236303130313030303030305a")
CRITICAL = bytes.fromhex("300d06032a0304") + b"\x01\x01\xff" + bytes.fromhex("04030a0101")


def index_of(entries: bytes) -> EntryIndex:
    return EntryIndex(b"??" + entries + b"!", 2, 2 + len(entries))


def as_cryptography(entries: bytes) -> x509.CertificateRevocationList:
    tbs = der.encoded(der.SEQUENCE, _BEFORE, der.encoded(der.SEQUENCE, entries))
    return x509.load_der_x509_crl(der.encoded(der.SEQUENCE, tbs, _AFTER))


def entry(serial: int, extensions: bytes = b"", time: bytes = b"\x17\x0d260101000000Z") -> bytes:
    number = der.encoded(der.INTEGER, serial.to_bytes(serial.bit_length() // 8 + 1, "big", signed=True))
    return der.encoded(der.SEQUENCE, number, time, der.encoded(der.SEQUENCE, extensions) if extensions else b"")


def some_entries(dice: random.Random, count: int) -> tuple[bytes, list[int]]:
    serials = [dice.getrandbits(dice.choice((7, 8, 63, 64, 112, 120, 127, 128, 159, 2000))) for _each in range(count)]
    shapes = (b"", REASON, INVALIDITY, REASON + INVALIDITY)
    times = (b"\x17\x0d260101000000Z", b"\x18\x0f20510101000000Z")
    return b"".join(entry(one, dice.choice(shapes), dice.choice(times)) for one in serials), serials


@pytest.mark.parametrize("seed", range(8))
def test_every_entry_is_found_and_nothing_else(seed: int) -> None:
    dice = random.Random(seed)
    data, serials = some_entries(dice, 700)
    index, known = index_of(data), set(serials)
    assert len(index) == len(serials)
    for serial in serials:
        assert len(list(index.find(serial))) == serials.count(serial)
    assert not any(list(index.find(one)) for one in range(3000) if one not in known)


def test_entries_say_what_cryptography_says() -> None:
    data, _serials = some_entries(random.Random(99), 200)
    index = index_of(data)
    for theirs in as_cryptography(data):
        decoded = [decode_entry(found) for found, _issuers in index.find(theirs.serial_number)]
        assert theirs.revocation_date_utc in [one.revoked_at for one in decoded]


@pytest.mark.parametrize("seed", range(4))
def test_what_is_taken_is_never_more_than_cryptography_takes(seed: int) -> None:
    """Flipped bits, lost, doubled and added bytes: whatever passes here must be well-formed entries there too."""
    dice = random.Random(seed)
    taken = 0
    for _round in range(400):
        data = bytearray(some_entries(dice, 4)[0])
        position = dice.randrange(len(data))
        kind = dice.randrange(4)
        if kind == 0:
            data[position] ^= 1 << dice.randrange(8)
        elif kind == 1:
            del data[position]
        elif kind == 2:
            data.insert(position, dice.randrange(256))
        else:
            data[position:position] = data[position : position + dice.randrange(1, 40)]
        try:
            index = index_of(bytes(data))
        except DECODING_ERRORS:
            continue
        theirs = as_cryptography(bytes(data))
        taken += 1
        assert [len(list(index.find(one.serial_number))) > 0 for one in theirs] == [True] * len(index)
    assert taken > 15


@pytest.mark.parametrize(
    ("moment", "exists"),
    [
        (b"\x17\x0d240229000000Z", True),
        (b"\x17\x0d230229000000Z", False),
        (b"\x17\x0d000229000000Z", True),
        (b"\x17\x0d260431000000Z", False),
        (b"\x17\x0d261301000000Z", False),
        (b"\x17\x0d260100000000Z", False),
        (b"\x17\x0d260101240000Z", False),
        (b"\x17\x0d260101006000Z", False),
        (b"\x17\x0d260101000060Z", False),
        (b"\x17\x0d260101000000+", False),
        (b"\x18\x0f20000229000000Z", True),
        (b"\x18\x0f21000229000000Z", False),
        (b"\x18\x0f24000229000000Z", True),
        (b"\x18\x0f20960229000000Z", True),
        (b"\x18\x0f20970229000000Z", False),
    ],
)
def test_times_exist_or_not(moment: bytes, exists: bool) -> None:
    data = entry(5, time=moment)
    if exists:
        assert len(index_of(data)) == len(list(as_cryptography(data))) == 1
        return
    with pytest.raises(der.NotDerError):
        index_of(data)
    with pytest.raises(ValueError, match="parsing"):
        as_cryptography(data)


def test_entries_of_more_shapes_than_are_kept_are_found_too() -> None:
    def odd(size: int) -> bytes:
        return der.encoded(0x30, b"\x06\x03\x2a\x03\x05", der.encoded(der.OCTET_STRING, bytes(size)))

    data = b"".join(entry(1000 + size, odd(size)) for size in range(300)) + entry(7)
    index = index_of(data)
    assert len(index) == 301
    assert all(len(list(index.find(serial))) == 1 for serial in [*range(1000, 1300), 7])


def test_more_entries_than_one_dictionary_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.certops.rotation.plugins.module_utils._core.crl_index._SHARD", 100)
    index = index_of(b"".join(entry(serial) for serial in range(10_000, 12_000)) + entry(10_000, REASON))
    assert len(list(index.find(10_000))) == 2
    assert all(len(list(index.find(serial))) == 1 for serial in range(10_001, 12_000))


@pytest.mark.parametrize("position", [0, 1, 63, 64, 500])
def test_a_critical_extension_is_seen_wherever_it_stands(position: int) -> None:
    entries = [entry(serial) for serial in range(1, 502)]
    assert not index_of(b"".join(entries)).has_unknown_critical
    entries[position] = entry(9, CRITICAL)
    assert index_of(b"".join(entries)).has_unknown_critical


def issued_by(name: str) -> bytes:
    value = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    encoded = x509.CertificateIssuer([x509.DirectoryName(value)]).public_bytes()
    return der.encoded(0x30, bytes.fromhex("0603551d1d0101ff"), der.encoded(der.OCTET_STRING, encoded))


def issuers_of(found: Iterable[tuple[memoryview, tuple[x509.Name, ...] | None]]) -> list[list[str] | None]:
    return [None if names is None else [name.rfc4514_string() for name in names] for _entry, names in found]


def test_issuers_are_inherited() -> None:
    data = entry(1) + entry(2, issued_by("a")) + b"".join(entry(serial) for serial in range(3, 200))
    index = index_of(data + entry(200, issued_by("b") + REASON) + entry(1))
    assert index.has_certificate_issuers
    assert issuers_of(index.find(1)) == [None, ["CN=b"]]
    assert [issuers_of(index.find(serial)) for serial in (2, 199, 200)] == [[["CN=a"]], [["CN=a"]], [["CN=b"]]]
