# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence of each vector, CRLs and responses apart, judged by us and by the openssl program.

Both get the same files and the same time, and neither the network. Where they disagree, ``second_opinion_table.py``
says why ours is right; a disagreement that it does not explain fails, and so does an explanation that nothing needs.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import RevocationStatus, Verdict
from ansible_collections.certops.rotation.tests.conformance.check import Check
from ansible_collections.certops.rotation.tests.conformance.evidence import Piece, Situation, all_cases, pieces_of
from ansible_collections.certops.rotation.tests.conformance.second_opinion_table import (
    EXPLANATIONS,
    WRITTEN_FOR,
    Disagreement,
    Explanation,
)
from ansible_collections.certops.rotation.tests.support.pki import pem
from cryptography import x509
from cryptography.hazmat.primitives import serialization

GOOD, REVOKED, UNKNOWN = RevocationStatus.GOOD, RevocationStatus.REVOKED, RevocationStatus.UNKNOWN
# What it finds on the way to the signer of a CRL is marked.
FINDING = re.compile(r"(?P<of_crl>\[CRL path\])?\s*error \d+ at \d+ depth lookup: (?P<what>.*)")
# `openssl ocsp` compares the times of a response with the clock, whatever -attime says; so it is told to allow for all.
ANY_TIME = str(2**31 - 1)


@dataclasses.dataclass(frozen=True)
class Question:
    """What both are asked."""

    case: str
    tool: str
    """crl or ocsp"""
    situation: Situation
    pieces: tuple[Piece, ...]


def checks() -> Iterator[Check]:
    """One for each question, and one for the table."""
    used: set[Explanation] = set()
    for question in _questions():
        description = f"`openssl {'verify' if question.tool == 'crl' else 'ocsp'}` says the same as we do"
        yield Check(f"{question.tool}.{question.case}", description, functools.partial(_compare, question, used))
    yield Check("table", "every explanation explains a disagreement", functools.partial(_unused, used))


def _questions() -> Iterator[Question]:
    known = set()
    for name, case in all_cases().items():
        situation = Situation.from_case(case, name)
        with_issuers = dataclasses.replace(situation, policy=dataclasses.replace(situation.policy, judge_issuers=True))
        pieces = pieces_of(case, name)
        crls = tuple(piece for piece in pieces if piece.is_crl)
        found = [Question(name, "crl", with_issuers, crls)] if crls else []
        found += [Question(name, "ocsp", situation, (piece,)) for piece in pieces if not piece.is_crl]
        for question in found:
            if (question.situation, question.pieces) not in known:
                known.add((question.situation, question.pieces))
                yield question


def _compare(question: Question, used: set[Explanation]) -> Sequence[str]:
    ours = question.situation.verdict(question.pieces)
    with tempfile.TemporaryDirectory() as folder:
        ask = _ask_verify if question.tool == "crl" else _ask_ocsp
        theirs, said = ask(question, Path(folder))
    if theirs is ours.status:
        return ()
    disagreement = Disagreement(question.tool, question.case, ours.status, frozenset(ours.reasons), theirs, said)
    explanation = next((each for each in EXPLANATIONS if each.explains(disagreement)), None)
    if explanation is None:
        return (f"we say {_words(ours)}, openssl {theirs}", *said.splitlines())
    used.add(explanation)
    return ()


def _words(verdict: Verdict) -> str:
    return " ".join([verdict.status, *verdict.reasons])


def _unused(used: set[Explanation]) -> Sequence[str]:
    if not _openssl("version", folder=Path()).startswith(WRITTEN_FOR):
        return ()  # another version may agree with us where this one does not
    return [f"not needed any more: {each}" for each in EXPLANATIONS if each not in used]


def _ask_verify(question: Question, folder: Path) -> tuple[RevocationStatus, str]:
    """`openssl verify`: what it finds first, since the program goes on where its library would have stopped."""
    situation = question.situation
    crls = [x509.load_der_x509_crl(piece.data).public_bytes(serialization.Encoding.PEM) for piece in question.pieces]
    (folder / "crls.pem").write_bytes(b"".join(crls))
    leaf = _write_certificates(situation, folder)
    said = _openssl(
        # -CAfile, because the signers of CRLs are not looked up among what -trusted gives.
        *["verify", "-attime", _seconds(situation), "-CAfile", "anchors.pem", "-no-CApath", "-no-CAstore"],
        *["-untrusted", "others.pem", "-crl_check_all", "-extended_crl", "-use_deltas", "-CRLfile", "crls.pem", leaf],
        folder=folder,
    )
    first = next(FINDING.finditer(said), None)
    if first is None:
        return (GOOD if f"{leaf}: OK" in said else UNKNOWN), said
    is_revoked = first["what"] == "certificate revoked" and not first["of_crl"]
    return (REVOKED if is_revoked else UNKNOWN), said


def _ask_ocsp(question: Question, folder: Path) -> tuple[RevocationStatus, str]:
    """`openssl ocsp`, with the hash in which the response names the certificate."""
    situation, (piece,) = question.situation, question.pieces
    (folder / "response.der").write_bytes(piece.data)
    leaf = _write_certificates(situation, folder)
    if len(situation.chain) < 2:
        return UNKNOWN, "no issuer at hand"
    said = ""
    for algorithm in ("-sha256", "-sha1", "-sha384"):
        said = _openssl(
            *["ocsp", "-respin", "response.der", "-no_nonce", "-attime", _seconds(situation), algorithm],
            *[
                "-validity_period",
                ANY_TIME,
                "-CAfile",
                "anchors.pem",
                "-no-CApath",
                "-no-CAstore",
                "-verify_other",
                "others.pem",
            ],
            *(["-VAfile", "trusted.pem"] if situation.policy.trusted_responders else []),
            *["-issuer", "issuer.pem", "-cert", leaf],
            folder=folder,
        )
        if "No Status found" not in said:
            break
    if "Response verify OK" not in said:
        return UNKNOWN, said
    status = said.partition(f"{leaf}: ")[2].partition("\n")[0].strip()
    return {"good": GOOD, "revoked": REVOKED}.get(status, UNKNOWN), said


def _write_certificates(situation: Situation, folder: Path) -> str:
    leaf, *others = situation.chain
    (folder / "leaf.pem").write_text(pem(leaf), "ascii")
    (folder / "anchors.pem").write_text("".join(map(pem, situation.anchors)), "ascii")
    everyone = [*others, *situation.anchors]
    (folder / "others.pem").write_text("".join(map(pem, others or situation.anchors)), "ascii")
    (folder / "trusted.pem").write_text("".join(map(pem, situation.policy.trusted_responders)), "ascii")
    issuer = next((each for each in everyone if each.subject == leaf.issuer), leaf)
    (folder / "issuer.pem").write_text(pem(issuer), "ascii")
    return "leaf.pem"


def _seconds(situation: Situation) -> str:
    return str(int(situation.at.timestamp()))


def _openssl(*arguments: str, folder: Path) -> str:
    """What the program prints, errors included; never waits for more than ten seconds."""
    done = subprocess.run(
        ["openssl", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=10,
        check=False,
    )
    return done.stdout
