# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every OCSP message and CRL of ``cryptography_vectors``, whole, cut off and with turned bits.

Each gives a verdict or a coded error and never a traceback, and none that was damaged is good. The OCSP messages are
judged about the certificates they were made for, where those are in the package.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import functools
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

import cryptography_vectors
from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Given, Judging
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificate
from ansible_collections.certops.rotation.plugins.module_utils._core.crl import read_crl, verify_crl
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.ocsp import judge_ocsp
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Finding,
    Reason,
    RevocationPolicy,
    RevocationStatus,
    Source,
    SourceKind,
)
from ansible_collections.certops.rotation.tests.conformance.check import Check
from ansible_collections.certops.rotation.tests.conformance.hierarchy import AT, hierarchy
from ansible_collections.certops.rotation.tests.conformance.vector import Pages
from cryptography import x509

FOLDER = Path(cryptography_vectors.__file__).parent / "x509"
CUTS = 6
TURNED_BITS = 12

OCSP_SOURCE = Source(SourceKind.OCSP, "sample", "file")


@dataclasses.dataclass(frozen=True)
class Sample:
    """An OCSP message and what comes out: good, or the reason of unknown. By default it is about nobody we know."""

    expected: str = "other_certificate"
    leaf: str | None = None
    issuer: str = "letsencryptx3.pem"
    at: datetime = AT


_2018 = datetime(2018, 9, 1, tzinfo=timezone.utc)
_2019 = datetime(2019, 11, 12, tzinfo=timezone.utc)
_RAPIDSSL = "rapidssl_sha256_ca_g3.pem"
_PRECERTIFICATE = "cryptography.io.precert.pem"

OCSP_SAMPLES: Mapping[str, Sample] = {
    "ocsp-army.deps.mil-resp.der": Sample(),
    "ocsp-army.inapplicable-req.der": Sample("unreadable"),
    "ocsp-army.revoked-req.der": Sample("unreadable"),
    "ocsp-army.valid-req.der": Sample("unreadable"),
    "req-acceptable-responses.der": Sample("unreadable"),
    "req-duplicate-ext.der": Sample("unreadable"),
    "req-ext-nonce.der": Sample("unreadable"),
    "req-ext-unknown-oid.der": Sample("unreadable"),
    "req-invalid-hash-alg.der": Sample("unreadable"),
    "req-invalid-version.der": Sample("unreadable"),
    "req-multi-sha1.der": Sample("unreadable"),
    "req-sha1.der": Sample("unreadable"),
    "resp-delegate-unknown-cert.der": Sample(),
    "resp-invalid-signature-oid.der": Sample("signature_unsupported", _PRECERTIFICATE, at=_2018),
    "resp-invalid-version.der": Sample("unreadable"),
    "resp-responder-key-hash.der": Sample(),
    "resp-response-type-unknown-oid.der": Sample("unreadable"),
    "resp-revoked-no-next-update.der": Sample("responder_not_authorised", "cryptography.io.pem", _RAPIDSSL, _2018),
    "resp-revoked-reason.der": Sample(),
    "resp-revoked.der": Sample(),
    "resp-sct-extension.der": Sample(),
    "resp-sha256.der": Sample("good", _PRECERTIFICATE, at=_2018),
    "resp-single-extension-reason.der": Sample("responder_not_authorised", "cryptography.io.pem", _RAPIDSSL, _2019),
    "resp-successful-no-response-bytes.der": Sample("unreadable"),
    "resp-unauthorized.der": Sample("responder_error"),
    "resp-unknown-extension.der": Sample(),
    "resp-unknown-hash-alg.der": Sample(),
    "resp-unknown-response-status.der": Sample("unreadable"),
}


def checks() -> Iterator[Check]:
    """One for each file of the package, so that a new one in a later version is not missed."""
    for path in sorted((FOLDER / "ocsp").glob("*.der")):
        yield Check(f"ocsp/{path.name}", "gives what is expected; damaged, never good", functools.partial(_ocsp, path))
    for path in crl_files():
        name = str(path.relative_to(FOLDER))
        yield Check(name, "gives a verdict or a coded error; damaged, never good", functools.partial(_crl, path))


def crl_files() -> list[Path]:
    custom = [path for path in (FOLDER / "custom").iterdir() if "crl" in path.name and "cdp" not in path.name]
    return sorted([*custom, *(FOLDER / "PKITS_data" / "crls").iterdir()])


def damaged(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Cut off at several places, and with one bit turned at several others."""
    for number in range(CUTS):
        end = len(data) * number // CUTS
        yield f"cut off after {end} bytes", data[:end]
    for number in range(TURNED_BITS):
        position = len(data) * number // TURNED_BITS
        turned = bytearray(data)
        turned[position] ^= 1 << number % 8
        yield f"bit {number % 8} of byte {position} turned", bytes(turned)


def _ocsp(path: Path) -> Sequence[str]:
    sample = OCSP_SAMPLES.get(path.name)
    if sample is None:
        return [f"nothing is expected of {path.name}; is it new?"]
    data = path.read_bytes()
    finding = _judged(data, sample)
    said = "good" if finding.status is RevocationStatus.GOOD else ", ".join(map(str, finding.reasons))
    found = [] if said == sample.expected else [f"{finding.status} ({said}), expected {sample.expected}"]
    for how, other in damaged(data):
        if _judged(other, sample).status is RevocationStatus.GOOD:
            found.append(f"good, although {how}")
    return found + _through_judging(Given(ocsp_responses=(("sample", data),)))


def _judged(data: bytes, sample: Sample) -> Finding:
    world = hierarchy()
    if sample.leaf is None:
        leaf, issuer = world.leaf.certificate, world.ca.certificate
    else:
        leaf, issuer = (
            x509.load_pem_x509_certificate((FOLDER / name).read_bytes()) for name in (sample.leaf, sample.issuer)
        )
    return judge_ocsp(
        data, leaf=leaf, issuer=issuer, at=sample.at, policy=RevocationPolicy(fetch=False), source=OCSP_SOURCE
    )


def _crl(path: Path) -> Sequence[str]:
    data = path.read_bytes()
    found = []
    for how, other in [("as it is", data), *damaged(data)]:
        found += _refusal(other, how)
    binary = _binary(data)
    for issuer in _certificates().get(_issuer_of(data), ()):
        found += [f"its signature holds, although {how}" for how, other in damaged(binary) if _holds(other, issuer)]
    return found + _through_judging(Given(crls=(("sample", data),)))


def _refusal(data: bytes, how: str) -> list[str]:
    """Reading it works, or is refused with a code that is the word of a Reason."""
    try:
        read_crl(data)
    except RotationError as error:
        return [] if error.code in set(Reason) else [f"{how}: refused with {error.code}, which is no reason"]
    return []


def _holds(data: bytes, issuer: x509.Certificate) -> bool:
    """Its entries are looked up as well, which decodes them."""
    try:
        crl = verify_crl(data, issuer=issuer)
    except RotationError:
        return False
    with contextlib.suppress(ValueError):
        for serial in range(20):
            crl.entries(serial, issuer.subject)
    return True


def _binary(data: bytes) -> bytes:
    """DER, so that what is damaged is the CRL and not the text around it."""
    if not data.startswith(b"-----BEGIN"):
        return data
    return base64.b64decode(b"".join(line for line in data.splitlines() if b":" not in line and b"-----" not in line))


def _issuer_of(data: bytes) -> bytes:
    """The name of its issuer in DER; none where it cannot be read."""
    try:
        return read_crl(data).name.public_bytes()
    except RotationError:
        return b""


@functools.cache
def _certificates() -> dict[bytes, list[x509.Certificate]]:
    """The CAs of the package that can be read, by their name."""
    found: dict[bytes, list[x509.Certificate]] = {}
    for path in [*(FOLDER / "custom").glob("*.*"), *(FOLDER / "PKITS_data" / "certs").glob("*.crt")]:
        with contextlib.suppress(RotationError):
            certificate = read_certificate(path.read_bytes())
            found.setdefault(certificate.subject.public_bytes(), []).append(certificate)
    return found


def _through_judging(given: Given) -> list[str]:
    """The whole way of a file that is given: for a certificate that it has nothing to do with, it is not good."""
    world = hierarchy()
    judging = Judging(http=Pages({}), policy=RevocationPolicy(fetch=False), anchors=world.anchors, given=given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        verdict = judging.verdict(world.chain, at=AT)
    return [] if verdict.status is RevocationStatus.UNKNOWN else [f"through Judging: {verdict.status}"]
