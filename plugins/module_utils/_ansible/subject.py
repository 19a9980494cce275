# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates that ``revocation_info`` is asked about: reading them, and judging many at a time."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Judging
from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging_options import read_file
from ansible_collections.certops.rotation.plugins.module_utils._ansible.seen_endpoint import endpoint_from
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    CertificateFacts,
    certificate_facts,
    read_certificates,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import (
    Reason,
    RevocationStatus,
    StapleFinding,
    Verdict,
)
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import Fault, handshakes

_FROM_WORST = (RevocationStatus.REVOKED, RevocationStatus.UNKNOWN, RevocationStatus.GOOD)


@dataclasses.dataclass(frozen=True)
class Subject:
    """One certificate with its chain, or why there is none."""

    chain: tuple[x509.Certificate, ...]
    is_served: bool = False
    staple: bytes | None = None
    error: Fault | None = None


@dataclasses.dataclass(frozen=True)
class Judged:
    """What the module says about one of its certificates."""

    certificate: CertificateFacts | None
    verdict: Verdict
    staple: StapleFinding | None
    error: Fault | None


def read_subjects(wanted: Sequence[Mapping[str, Any]], timeout: float, concurrency: int) -> list[Subject]:
    """The certificates of ``certificates:``; all servers are asked together.

    :raises RotationError: for files and text that cannot be read. What a server does is in ``Subject.error``.
    """
    endpoints = [endpoint_from(one) for one in wanted if one["host"] is not None]
    shaken = iter(handshakes(endpoints, timeout=timeout, concurrency=concurrency))
    return [_given(one) if one["host"] is None else _served(one, next(shaken)) for one in wanted]


def judge_subjects(judging: Judging, subjects: Sequence[Subject], at: datetime, concurrency: int) -> list[Judged]:
    judge = functools.partial(_judge, judging, at)
    with ThreadPoolExecutor(max_workers=max(1, concurrency)) as pool:
        return list(pool.map(judge, subjects))


def worst_status(judged: Sequence[Judged]) -> str:
    found = {one.verdict.status for one in judged}
    return str(next(status for status in _FROM_WORST if status in found or status is RevocationStatus.GOOD).value)


def _judge(judging: Judging, at: datetime, subject: Subject) -> Judged:
    if not subject.chain:
        verdict = Verdict(RevocationStatus.UNKNOWN, at, reasons=(Reason.UNREACHABLE,))
        return Judged(None, verdict, None, subject.error)
    verdict = judging.verdict(subject.chain, at=at, staple=subject.staple)
    staple = judging.judge_staple(subject.chain, subject.staple, at=at) if subject.is_served else None
    return Judged(certificate_facts(subject.chain[0]), verdict, staple, subject.error)


def _given(one: Mapping[str, Any]) -> Subject:
    if one["path"] is not None:
        chain = read_certificates(read_file(one["path"]), one["path"])
    else:
        chain = read_certificates(one["content"].encode(), "content")
    return Subject((*chain, *_chain(one)))


def _served(one: Mapping[str, Any], shaken: Any) -> Subject:
    try:
        chain = tuple(each for der in shaken.chain for each in read_certificates(der, one["host"]))
    except RotationError as error:
        return Subject((), True, None, Fault(error.code, error.message))
    return Subject((*chain, *_chain(one)) if chain else (), True, shaken.staple, shaken.error)


def _chain(one: Mapping[str, Any]) -> list[x509.Certificate]:
    if one["chain_path"] is not None:
        return read_certificates(read_file(one["chain_path"]), one["chain_path"])
    if one["chain_content"] is not None:
        return read_certificates(one["chain_content"].encode(), "chain_content")
    return []
