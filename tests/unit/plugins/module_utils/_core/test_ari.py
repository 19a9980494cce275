# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RFC 9773: the name of a certificate, windows, when to ask again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.ari import (
    RenewalHint,
    cert_id,
    next_question,
    next_question_after_failure,
    read_hint,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

AT = dt.datetime(2026, 11, 21, 1, 2, 3, tzinfo=dt.timezone.utc)


def certificate(serial: int, key_identifier: bytes | None) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(serial).not_valid_before(AT).not_valid_after(AT + dt.timedelta(days=90))
    )  # fmt: skip
    if key_identifier is not None:
        builder = builder.add_extension(x509.AuthorityKeyIdentifier(key_identifier, None, None), critical=False)
    return builder.sign(key, hashes.SHA256())


def test_the_name_of_the_rfcs_own_example() -> None:
    """RFC 9773 appendix A: the serial 00:87:65:43:21 keeps its leading zero."""
    authority = bytes.fromhex("69885B6B87464041E1B37B847BA0AE2CDE01C8D4")
    assert cert_id(certificate(0x87654321, authority)) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"


@pytest.mark.parametrize(("serial", "encoded"), [(0x7F, "fw"), (0x80, "AIA"), (0x0102, "AQI")])
def test_a_serial_is_the_content_of_its_der(serial: int, encoded: str) -> None:
    assert (cert_id(certificate(serial, b"\1")) or "").partition(".")[2] == encoded


def test_without_an_authority_key_identifier_there_is_no_name() -> None:
    assert cert_id(certificate(7, None)) is None


def window(start: Any = "2026-11-20T00:00:00Z", end: Any = "2026-11-22T00:00:00Z", **more: Any) -> dict[str, Any]:
    return {"suggestedWindow": {"start": start, "end": end}, **more}


def test_a_window_is_read_with_nanoseconds_and_zones() -> None:
    hint = read_hint(window("2026-11-20T02:00:00.123456789+02:00", explanationURL="https://ca.example/incident"))
    assert (hint.start.hour, hint.start.utcoffset()) == (2, dt.timedelta(hours=2))
    assert hint.as_dict() == {
        "window": {"start": "2026-11-20T00:00:00Z", "end": "2026-11-22T00:00:00Z"},
        "explanation_url": "https://ca.example/incident",
    }


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://a b", "https://x\x1b[2J", 7, None])
def test_an_explanation_that_is_no_url_is_left_out(url: object) -> None:
    assert read_hint(window(explanationURL=url)).explanation_url is None


@pytest.mark.parametrize(
    "body",
    [
        {}, {"suggestedWindow": 7}, {"suggestedWindow": {}}, window(7), window("soon"), window("9999-99-99T00:00:00Z"),
        window(end="2026-11-20T00:00:00Z"), window(end="2026-11-19T00:00:00Z"),
    ],
)  # fmt: skip
def test_a_window_that_is_none_is_no_answer(body: dict[str, Any]) -> None:
    with pytest.raises(RotationError) as raised:
        read_hint(body)
    assert raised.value.code == "ari_invalid"


def test_the_chosen_time_lies_in_the_window_and_stays_the_same() -> None:
    hint = RenewalHint(AT, AT + dt.timedelta(days=2))
    chosen = [hint.chosen_time(f"certificate {number}") for number in range(200)]
    assert all(hint.start <= one <= hint.end for one in chosen)
    assert len(set(chosen)) == 200
    assert max(chosen) - min(chosen) > dt.timedelta(days=1.5)
    assert chosen == [hint.chosen_time(f"certificate {number}") for number in range(200)]


def test_only_a_window_wholly_in_the_past_is_past() -> None:
    hint = RenewalHint(AT - dt.timedelta(hours=1), AT)
    assert hint.is_past(AT)
    assert not hint.is_past(AT - dt.timedelta(seconds=1))


@pytest.mark.parametrize(("wanted", "becomes"), [(0, 60), (-100, 60), (3600, 3600), (10**7, 86400)])
def test_the_interval_of_the_server_counts_within_reason(wanted: int, becomes: int) -> None:
    assert next_question(AT, AT + dt.timedelta(seconds=wanted)) == AT + dt.timedelta(seconds=becomes)


def test_without_an_interval_it_is_asked_again_in_six_hours() -> None:
    assert next_question(AT, None) == AT + dt.timedelta(hours=6)


def test_after_failures_that_may_pass_it_is_asked_ever_later_but_within_six_hours() -> None:
    pauses = [next_question_after_failure(AT, failures, may_pass=True) - AT for failures in range(1, 40)]
    assert pauses[0] == dt.timedelta(minutes=2)
    assert pauses == sorted(pauses)
    assert pauses[-1] == dt.timedelta(hours=6)
    assert next_question_after_failure(AT, 1, may_pass=False) == AT + dt.timedelta(hours=6)
