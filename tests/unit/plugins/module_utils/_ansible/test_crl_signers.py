# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signers of CRLs over a run: judged once, also when many ask at the same time, and never by what another asked.

The rules themselves are vectors: tests/conformance/vectors/crl_signer.py.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._ansible import crl_sources
from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Given, Judging
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Reason,
    RevocationPolicy,
    RevocationStatus,
)
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient
from ansible_collections.certops.rotation.tests.support.pki import Authority, issuing_point, key_usage
from cryptography import x509

GOOD, REVOKED, UNKNOWN = RevocationStatus.GOOD, RevocationStatus.REVOKED, RevocationStatus.UNKNOWN
URL, OWN_URL = "http://crl.test/leaves.crl", "http://crl.test/keys.crl"
NAME = "Test Issuing CA"
ROOT = Authority.root()
CA = ROOT.intermediate(NAME)
LEAF = CA.issue(crl_urls=[URL])


def crl_key(*urls: str) -> Authority:
    """A key for CRLs that the CA has certified itself."""
    made = CA.delegate(NAME, nocheck=False, eku=[], usage=key_usage("crl_sign"), crl_urls=urls)
    return Authority(made.certificate, made.key, CA.at)


def judging(*crls: bytes) -> Judging:
    given = Given(crls=tuple((str(number), crl) for number, crl in enumerate([*crls, ROOT.crl()])))
    policy = RevocationPolicy(fetch=False)
    return Judging(http=HttpClient(), policy=policy, anchors=[ROOT.certificate], given=given)


def chain_of(certificate: x509.Certificate, *others: Authority) -> Sequence[x509.Certificate]:
    return (certificate, CA.certificate, *(other.certificate for other in others))


def test_judging_a_signer_itself_does_not_clear_it_for_others() -> None:
    """Its own certificate is covered by a CRL that it signs itself, too; asked about itself, that must not count."""
    signer = crl_key(OWN_URL)
    own, leaves = issuing_point(OWN_URL), issuing_point(URL)
    judge = judging(
        signer.crl(point=own), CA.crl([signer.certificate.serial_number], point=own), signer.crl(point=leaves)
    )
    assert judge.verdict(chain_of(signer.certificate, signer), at=CA.at).status is REVOKED
    verdict = judge.verdict(chain_of(LEAF.certificate, signer), at=CA.at)
    assert verdict.status is UNKNOWN and Reason.SIGNER_REVOKED in verdict.reasons


def test_signers_that_need_each_other_do_not_wait_for_each_other() -> None:
    """Threads that ask for one and for the other at the same time."""
    one, two = crl_key("http://crl.test/one.crl"), crl_key("http://crl.test/two.crl")
    crls = [
        one.crl(point=issuing_point("http://crl.test/two.crl")),
        two.crl(point=issuing_point("http://crl.test/one.crl")),
        one.crl(point=issuing_point(URL)),
    ]
    chains = [chain_of(each, one, two) for each in (LEAF.certificate, one.certificate, two.certificate) * 8]
    for judge in [judging(*crls) for _round in range(5)]:
        ask = functools.partial(judge.verdict, at=CA.at)
        with ThreadPoolExecutor(12) as pool:
            assert {verdict.status for verdict in pool.map(ask, chains, timeout=60)} == {GOOD}


def test_a_crl_is_read_and_verified_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def counted(name: str, real: Any, *args: Any, **wanted: Any) -> Any:
        calls.append(name)
        return real(*args, **wanted)

    for name in ("read_crl", "verify_crl"):
        real = getattr(crl_sources, name)
        monkeypatch.setattr(crl_sources, name, functools.partial(counted, name, real))
    judge = judging(CA.crl())
    chains = [chain_of(CA.issue().certificate) for _each in range(20)]
    with ThreadPoolExecutor(8) as pool:
        assert {one.status for one in pool.map(lambda chain: judge.verdict(chain, at=CA.at), chains)} == {GOOD}
    assert sorted(calls) == ["read_crl", "read_crl", "verify_crl", "verify_crl"]
