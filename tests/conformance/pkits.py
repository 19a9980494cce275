# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NIST's PKITS: every test of its sections about revocation, judged with all its certificates and CRLs and no network.

A test is a file, ``[In]Valid…TestN EE.crt``. Valid ones must be good as a whole path, invalid ones must not; of those
that PKITS makes invalid by listing a certificate, ``revoked`` must come out, and of the others ``unknown``.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

import cryptography_vectors
from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Given, Judging
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import RevocationPolicy
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import Fetched
from ansible_collections.certops.rotation.tests.conformance.check import Check
from cryptography import x509

FOLDER = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
AT = datetime(2024, 6, 1, tzinfo=timezone.utc)
"""the suite is valid from 2010 to 2030"""

SECTIONS = {
    "4.4": (
        "MissingCRL", "RevokedCA", "RevokedEE", "BadCRLSignature", "BadCRLIssuerName", "WrongCRL", "TwoCRLs",
        "UnknownCRLEntryExtension", "UnknownCRLExtension", "OldCRLnextUpdate", "pre2000CRLnextUpdate",
        "GeneralizedTimeCRLnextUpdate", "NegativeSerialNumber", "LongSerialNumber", "SeparateCertificateandCRLKeys",
    ),
    "4.5": ("BasicSelfIssuedOldWithNew", "BasicSelfIssuedNewWithOld", "BasicSelfIssuedCRLSigningKey"),
    "4.7": ("keyUsageCriticalcRLSignFalse", "keyUsageNotCriticalcRLSignFalse"),
    "4.14": (
        "distributionPoint", "NoissuingDistributionPoint", "onlyContainsUserCerts", "onlyContainsCACerts",
        "onlyContainsAttributeCerts", "onlySomeReasons", "IDPwithindirectCRL", "cRLIssuer",
    ),
    "4.15": ("deltaCRLIndicatorNoBase", "deltaCRL"),
}  # fmt: skip
"""what the tests of each section are called; of 4.7, those about who may sign CRLs"""

REVOKED = {
    "RevokedCA": {2}, "RevokedEE": {3}, "UnknownCRLExtension": {9}, "NegativeSerialNumber": {15},
    "LongSerialNumber": {18}, "SeparateCertificateandCRLKeys": {20}, "BasicSelfIssuedOldWithNew": {2},
    "BasicSelfIssuedNewWithOld": {5}, "BasicSelfIssuedCRLSigningKey": {7}, "distributionPoint": {2, 6},
    "onlySomeReasons": {15, 16, 20, 21}, "IDPwithindirectCRL": {23}, "cRLIssuer": {31, 32, 34},
    "deltaCRL": {3, 4, 6, 9},
}  # fmt: skip
"""the invalid tests in which a certificate is listed in a CRL that speaks for it"""

EXCEPTIONS: Mapping[str, str] = {}
"""what comes out otherwise, by the name of the file, and why"""

_UNREADABLE = ("DSAParametersInheritedCACert.crt", "ValidDSAParameterInheritanceTest5EE.crt")
"""of another section: keys without the parameters that they inherit"""
_FILE = re.compile(r"(?P<outcome>Valid|Invalid)(?P<title>\w+)Test(?P<number>\d+)EE\.crt")


class NoNetwork:
    """A Fetcher that must not be used."""

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None) -> Fetched:
        raise RotationError("unreachable", f"{url} was asked for, but PKITS needs no network")

    def post(
        self, url: str, body: bytes, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None
    ) -> Fetched:
        return self.get(url)


def checks() -> Iterator[Check]:
    """The tests in the order of their numbers."""
    found = []
    for path in sorted((FOLDER / "certs").iterdir()):
        match = _FILE.fullmatch(path.name)
        section = next((name for name, titles in SECTIONS.items() if match and match["title"] in titles), None)
        if match is not None and section is not None:
            found.append((section, int(match["number"]), match["title"], match["outcome"], path.name))
    for section, number, title, outcome, name in sorted(found):
        expected = "good" if outcome == "Valid" else "revoked" if number in REVOKED.get(title, ()) else "unknown"
        description = f"PKITS {section}.{number} {title}: {expected}"
        yield Check(f"{section}.{number}-{title}", description, functools.partial(complaints, name, expected))


def complaints(name: str, expected: str) -> Sequence[str]:
    chain = (certificates()[name], *(each for other, each in certificates().items() if other != name))
    verdict = judging().verdict(chain, at=AT)
    if verdict.status.value == expected or name in EXCEPTIONS:
        return []
    reasons = ", ".join(reason.value for reason in verdict.reasons)
    evidence = [f"{each.serial} {each.source.url} {each.status}: {each.detail}" for each in verdict.evidence]
    return [f"{name}: {verdict.status} ({reasons}), expected {expected}", verdict.detail, *evidence]


@functools.cache
def certificates() -> dict[str, x509.Certificate]:
    """All of the suite that ``cryptography`` can read."""
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of negative serials, which are among what is tested
        for path in _files("certs"):
            if path.name not in _UNREADABLE:
                found[path.name] = x509.load_der_x509_certificate(path.read_bytes())
    return found


@functools.cache
def judging() -> Judging:
    crls = tuple((path.name, path.read_bytes()) for path in _files("crls"))
    anchor = certificates()["TrustAnchorRootCertificate.crt"]
    policy = RevocationPolicy(fetch=False)
    return Judging(http=NoNetwork(), policy=policy, anchors=[anchor], given=Given(crls=crls))


def _files(kind: str) -> list[Path]:
    return sorted(path for path in (FOLDER / kind).iterdir() if path.is_file())
