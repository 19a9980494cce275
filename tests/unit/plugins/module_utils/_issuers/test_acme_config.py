# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of an ACME issuer: what is taken, what is a mistake, and that a mistake never shows a secret."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme import open_acme
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_config import AcmeConfig, read_config
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_known_cas import Limit

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQ"


def config(**more: Any) -> AcmeConfig:
    return read_config("ca", {"type": "acme", "directory_url": "https://ca.example/directory", **more})


def wrong(**more: Any) -> RotationError:
    with pytest.raises(RotationError) as raised:
        open_acme("ca", {"type": "acme", "directory_url": "https://ca.example/directory", **more})
    return raised.value


def test_what_is_known_of_lets_encrypt_is_the_default() -> None:
    production, staging = (
        config(directory_url=LETS_ENCRYPT.replace("acme-v02", one)) for one in ("acme-v02", "acme-staging-v02")
    )
    for known in (production, staging):
        assert (known.ocsp, known.max_names) == (False, 100)
        assert (known.limits.orders, known.limits.same_names) == (Limit(300, 3), Limit(5, 168))
    assert config(directory_url=LETS_ENCRYPT, profile="shortlived").max_names == 25
    assert config(directory_url=LETS_ENCRYPT, ocsp=True, max_names=7).max_names == 7


def test_of_another_ca_nothing_is_presumed() -> None:
    other = config(directory_url="https://acme-v02.api.letsencrypt.org.evil.example/directory")
    assert (other.ocsp, other.max_names, other.limits.orders, other.limits.same_names) == (True, 100, None, None)


def test_contacts_are_addresses_or_urls() -> None:
    assert config(contact="a@example.org").contact == ("mailto:a@example.org",)
    assert config(contact=["mailto:a@example.org", "b@example.org"]).contact == (
        "mailto:a@example.org",
        "mailto:b@example.org",
    )


def test_texts_stand_for_numbers_and_truths_as_templates_give_them() -> None:
    given = config(timeout="60", terms_agreed="True", check_caa="no", limits={"orders": {"count": "9", "hours": "1.5"}})
    assert (given.timeout, given.terms_agreed, given.check_caa, given.limits.orders) == (
        60.0,
        True,
        False,
        Limit(9, 1.5),
    )


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("directory_url", None), ("directory_url", "ca.example/directory"), ("directory_url", "file:///etc/passwd"),
        ("directory_url", "http://ca.example/directory"), ("directory_url", "http://127.0.0.1.evil.example/directory"),
        ("directory_url", "https://user:secret@ca.example/"), ("timeout", "soon"), ("timeout", 0), ("timeout", True),
        ("terms_agreed", "perhaps"), ("contact", [7]), ("eab", {"kid": "x"}), ("eab", "x"), ("max_names", 0),
        ("account_key_type", "dsa"), ("challenge", {}), ("challenge", {"type": "tls-alpn-01"}), ("challenge", []),
        ("challenge", {"type": "http-01", "method": "directory"}), ("challenge", "http-01"),
        ("challenge", {"type": "http-01", "method": "stateless", "directory": "/x"}),
        ("challenge", {"type": "dns-01"}), ("challenge", {"type": "dns-01", "method": "command", "command": "a b"}),
        ("challenge", {"type": "dns-01", "server": "127.0.0.1", "tsig": {"name": "x"}}),
        ("limits", {"orders": {"count": 0, "hours": 1}}), ("limits", {"weeks": 1}), ("unheard_of", 1),
    ],
)  # fmt: skip
def test_a_mistake_is_named(option: str, value: object) -> None:
    error = wrong(**{option: value})
    assert error.code == "issuer_invalid"
    assert option.partition(".")[0] in error.message


def test_key_file_and_content_exclude_each_other() -> None:
    assert wrong(account_key="/x", account_key_content="y").code == "issuer_invalid"


def test_secrets_are_in_no_error_and_no_text() -> None:
    entry = {"account_key_content": SECRET, "eab": {"kid": "k", "hmac_key": SECRET}}
    assert SECRET not in repr(config(**entry))
    for broken in ({"eab": {"kid": "k", "hmac_key": [SECRET]}}, {"account_key_content": {"x": SECRET}}, {SECRET: 1}):
        error = wrong(**broken) if SECRET not in broken else None
        assert error is None or SECRET not in str(error.as_result())
    tsig = {"name": "k", "secret": SECRET, "algorithm": [1]}
    assert SECRET not in str(wrong(challenge={"type": "dns-01", "server": "127.0.0.1", "tsig": tsig}).as_result())


def test_nothing_is_asked_and_nothing_is_made_by_opening(tmp_path: Any) -> None:
    issuer = open_acme(
        "ca", {"type": "acme", "directory_url": "https://127.0.0.1:1/directory", "state_dir": str(tmp_path / "state")}
    )
    assert issuer.issued is not None
    assert list(tmp_path.iterdir()) == []
