# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""10,000 certificates against one CRL of 1,000,000 entries: time and memory, each beside a floor of the same run.

The floor of the time is what cryptography takes to parse that CRL and verify its signature, with nothing looked up; the
floor of the memory is the size of the CRL. Each measurement is a process of its own; the fastest and the largest count.
The certificates are loaded before, and their chain is not verified: that is the same work with any CRL.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = ROOT / "build" / "collections"
FOLDER = ROOT / "build" / "bench"
AT = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
URL = "http://crl.bench.example/1.crl"
ENTRIES = 1_000_000
CERTIFICATES = 10_000
REVOKED = 1_000
TIME_GOAL = 1.5
MEMORY_GOAL = 4.0


def main() -> int:
    options = parser().parse_args()
    if options.measure:
        print(json.dumps(MEASUREMENTS[options.measure]()))
        return 0
    rows = measured_rows(options.rounds)
    options.result.write_text(json.dumps(rows))
    return 0


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--measure", choices=["floor", "judge"], help="one measurement, in this process")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--result", type=Path, default=FOLDER / "crl.json")
    return options


def measured_rows(rounds: int) -> list[dict[str, Any]]:
    make_world()
    floors, own = [], []
    for _round in range(rounds):
        floors.append(measured("floor"))
        own.append(measured("judge"))
    floor = min(each["seconds"] for each in floors)
    seconds = min(each["seconds"] for each in own)
    mebibytes = max(each["mebibytes"] for each in own)
    size = (FOLDER / "large.crl").stat().st_size / (1 << 20)
    what = f"{CERTIFICATES:,} certificates by a CRL of {ENTRIES:,} entries"
    return [
        row(what, seconds, "its parsing and signature by cryptography", floor, TIME_GOAL),
        row(f"memory: {what}", mebibytes, "size of the CRL", size, MEMORY_GOAL, unit="MiB"),
    ]


def row(name: str, value: float, floor: str, floor_value: float, goal: float, unit: str = "s") -> dict[str, Any]:
    ratio = value / floor_value
    return {
        "name": name,
        "hosts": 1,
        "seconds": value,
        "floor": floor,
        "floor_seconds": floor_value,
        "ratio": ratio,
        "goal": goal,
        "ok": ratio <= goal,
        "unit": unit,
    }


def measured(what: str) -> dict[str, float]:
    command = [sys.executable, str(Path(__file__).resolve()), "--measure", what]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure_floor() -> dict[str, float]:
    """What has to be done with a CRL at the least."""
    data, issuer = (FOLDER / "large.crl").read_bytes(), load_issuer()
    key = issuer.public_key()
    started = time.perf_counter()
    valid = x509.load_der_x509_crl(data).is_signature_valid(key)  # type: ignore[arg-type]
    seconds = time.perf_counter() - started
    if not valid:
        raise SystemExit("the CRL of the benchmark is not signed as it should be")
    return {"seconds": seconds}


def measure_judge() -> dict[str, float]:
    """The CRL read, verified and indexed, and every certificate judged by it; memory from before the CRL is read."""
    sys.path.insert(0, str(COLLECTIONS))
    from ansible_collections.certops.rotation.plugins.module_utils._core.crl import verify_crl
    from ansible_collections.certops.rotation.plugins.module_utils._core.crl_judgement import judge_crl
    from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
        RevocationPolicy,
        RevocationStatus,
        Source,
        SourceKind,
    )

    issuer, certificates = load_issuer(), load_certificates()
    policy, source = RevocationPolicy(), Source(SourceKind.CRL, URL, "GET")
    before = peak_memory()
    data = (FOLDER / "large.crl").read_bytes()
    started = time.perf_counter()
    crl = verify_crl(data, issuer=issuer)
    findings = [judge_crl(crl, certificate=one, at=AT, policy=policy, source=source) for one in certificates]
    seconds = time.perf_counter() - started
    revoked = sum(finding.status is RevocationStatus.REVOKED for finding in findings)
    good = sum(finding.status is RevocationStatus.GOOD for finding in findings)
    if (revoked, good) != (REVOKED, CERTIFICATES - REVOKED) or len(crl) != ENTRIES:
        raise SystemExit(f"wrong verdicts: {revoked} revoked, {good} good of {CERTIFICATES}, {len(crl)} entries")
    return {"seconds": seconds, "mebibytes": (peak_memory() - before) / 1024}


MEASUREMENTS: dict[str, Callable[[], dict[str, float]]] = {"floor": measure_floor, "judge": measure_judge}


def peak_memory() -> int:
    """Of this program, in KiB. What ``getrusage`` says includes the process that started it."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1])


def load_issuer() -> x509.Certificate:
    return x509.load_der_x509_certificate((FOLDER / "issuer.crt").read_bytes())


def load_certificates() -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates((FOLDER / "certificates.pem").read_bytes())


def make_world() -> None:
    """A CA, its certificates, and its CRL: two thirds of the entries with a reason, serials of 16 random bytes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    marker = FOLDER / "made-of"
    made_of = f"{ENTRIES} {CERTIFICATES} {REVOKED} {Path(__file__).stat().st_mtime_ns}"
    if marker.exists() and marker.read_text() == made_of:
        return
    dice = random.Random(7)
    key = ec.generate_private_key(ec.SECP256R1())
    serials = [dice.getrandbits(127) | 1 << 120 for _each in range(CERTIFICATES)]
    issuer = certificate(key, 1, ca=True)
    certificates = [certificate(key, serial) for serial in serials]
    others = [dice.getrandbits(127) | 1 << 120 for _each in range(ENTRIES - REVOKED)]
    revoked = [*others, *serials[:REVOKED]]
    dice.shuffle(revoked)
    pem = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)
    (FOLDER / "issuer.crt").write_bytes(issuer.public_bytes(serialization.Encoding.DER))
    (FOLDER / "certificates.pem").write_bytes(pem)
    (FOLDER / "large.crl").write_bytes(large_crl(key, revoked))
    marker.write_text(made_of)


def certificate(key: ec.EllipticCurvePrivateKey, serial: int, *, ca: bool = False) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Bench CA")])
    subject = name if ca else x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{serial:x}.example")])
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(URL)], None, None, None)
    builder = (
        x509.CertificateBuilder(issuer_name=name, subject_name=subject, public_key=key.public_key())
        .serial_number(serial)
        .not_valid_before(AT - timedelta(days=30))
        .not_valid_after(AT + timedelta(days=60))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    if not ca:
        names = x509.SubjectAlternativeName([x509.DNSName(f"{serial:x}.example")])
        builder = builder.add_extension(names, critical=False)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return builder.sign(key, hashes.SHA256())


def large_crl(key: ec.EllipticCurvePrivateKey, serials: list[int]) -> bytes:
    """As the builder would make it; but that takes a minute for a million entries."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Bench CA")])
    point = x509.IssuingDistributionPoint([x509.UniformResourceIdentifier(URL)], None, True, False, None, False, False)
    placeholder = x509.RevokedCertificateBuilder(0x01020304, AT).build()
    small = (
        x509.CertificateRevocationListBuilder(name, AT - timedelta(hours=1), AT + timedelta(days=7))
        .add_revoked_certificate(placeholder)
        .add_extension(x509.CRLNumber(7), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .add_extension(point, critical=True)
        .sign(key, hashes.SHA256())
    )
    only = tlv(0x30, b"\x02\x04\x01\x02\x03\x04" + utc_time(AT))
    _tag, tbs = split(small.tbs_certlist_bytes)
    before, after = tbs.split(tlv(0x30, only))
    entries = b"".join(entry(serial, number) for number, serial in enumerate(serials))
    whole = tlv(0x30, before + tlv(0x30, entries) + after)
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    return tlv(0x30, whole + algorithm + tlv(0x03, b"\0" + key.sign(whole, ec.ECDSA(hashes.SHA256()))))


def entry(serial: int, number: int) -> bytes:
    reason = bytes.fromhex("300c300a0603551d1504030a0101") if number % 3 else b""
    moment = utc_time(AT - timedelta(minutes=number % 100_000))
    return tlv(0x30, tlv(0x02, serial.to_bytes(serial.bit_length() // 8 + 1, "big")) + moment + reason)


def utc_time(moment: datetime) -> bytes:
    return tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())


def tlv(tag: int, content: bytes) -> bytes:
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    digits = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(digits)]) + digits + content


def split(element: bytes) -> tuple[int, bytes]:
    """Tag and content of one element."""
    header = 2 + (element[1] & 0x7F if element[1] & 0x80 else 0)
    return element[0], element[header:]


if __name__ == "__main__":
    sys.exit(main())
