# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which CA is asked to revoke, where not every one can tell what it has issued."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.plugin_utils.issuer_of_predecessor import issuer_of_predecessor
from ansible_collections.certops.rotation.tests.support.pki import Authority

PEM = Authority.root().issue(["shop.example.org"]).chain_pem


class Answers:
    """A CA that answers so when it is asked whether a certificate is its own."""

    def __init__(self, answer: bool | None) -> None:
        self.answer = answer

    def issued(self, _certificate: object) -> bool | None:
        return self.answer


class Issuers:
    """As ``OpenIssuers``, opened already."""

    def __init__(self, answers: Mapping[str, bool | None]) -> None:
        self._issuers = {name: Answers(answer) for name, answer in answers.items()}

    def get(self, name: str) -> Answers:
        return self._issuers[name]

    def working(self) -> list[tuple[str, Answers]]:
        return list(self._issuers.items())


def chosen(answers: Mapping[str, bool | None], named: str | None) -> str:
    rotation = {"issuer": named, "predecessor": {"serial": "0a", "certificate_pem": PEM}}
    issuers: Any = Issuers(answers)
    return issuer_of_predecessor(rotation, issuers)[0]


@pytest.mark.parametrize(
    ("answers", "named", "expected"),
    [
        ({"acme": True, "internal": True}, "acme", "acme"),
        ({"acme": None, "internal": False}, "acme", "acme"),
        # What the fallback has issued, the named one must not be asked to revoke.
        ({"acme": None, "internal": True}, "acme", "internal"),
        ({"acme": False, "other": None}, "acme", "other"),
        ({"acme": None, "internal": True}, None, "internal"),
        ({"acme": None}, None, "acme"),
        ({"acme": None, "other": None}, "other", "other"),
    ],
)
def test_who_knows_the_certificate_is_asked(answers: dict[str, bool | None], named: str | None, expected: str) -> None:
    assert chosen(answers, named) == expected


@pytest.mark.parametrize(
    ("answers", "named"), [({"acme": False}, "acme"), ({"acme": None, "other": None}, None), ({}, None)]
)
def test_nobody_is_asked_by_chance(answers: dict[str, bool | None], named: str | None) -> None:
    with pytest.raises(RotationError) as refused:
        chosen(answers, named)
    assert refused.value.code == "issuer_not_configured"
