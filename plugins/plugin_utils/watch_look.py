# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look of the event source ``revocation`` at all it watches, judged as ``fleet_status`` does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Judging
from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging_options import read_file
from ansible_collections.certops.rotation.plugins.module_utils._ansible.result import to_result
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificates
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import serialization, x509
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import Verdict
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import handshakes
from ansible_collections.certops.rotation.plugins.module_utils._issuers.opened import OpenIssuers
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import KnowsItsCertificates
from ansible_collections.certops.rotation.plugins.plugin_utils.handshaking import (
    listeners_addresses,
    places,
    read_chain,
    shown_facts,
)
from ansible_collections.certops.rotation.plugins.plugin_utils.renewal_hints import add_renewal_hints
from ansible_collections.certops.rotation.plugins.plugin_utils.trust import judging
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_serial import SerialJudge
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_targets import Target

_JUDGED_AT_ONCE = 8
_Shown = tuple[tuple[bytes, ...], "bytes | None"]
"""a chain (DER), and a stapled response"""
_Judged = tuple["Mapping[str, Any] | None", "Mapping[str, Any]"]
"""the certificate as data, and the verdict on it"""


@dataclass(frozen=True)
class Sighting:
    """What was seen of one target, at one of its places."""

    target: Target
    place: str
    """the same text for the same place at every poll"""
    where: Mapping[str, Any] = field(default_factory=dict)
    """address, port, server_name, starttls and ip; or path"""
    certificate: Mapping[str, Any] | None = None
    """as in an entry of ``rotation.served``; None if there was none to be seen"""
    verdict: Mapping[str, Any] = field(default_factory=dict)
    hint: Mapping[str, Any] | None = None
    """as in ``rotation.renewal_hints``"""


def look(targets: Sequence[Target], options: Mapping[str, Any], at: datetime) -> list[Sighting]:
    """Everything once. What a network, a CA or a file does wrong is ``unknown`` in the sighting, and never raised.

    :raises RotationError: ``trust_anchor_unreadable``, ``limit_invalid``: without them nothing can be judged.
    """
    eyes = _Eyes(judging("detect", options), at)
    found = [
        *_served([one for one in targets if one.address is not None], options, eyes),
        *(_in_file(one, eyes) for one in targets if one.path is not None or one.content is not None),
        *_serials([one for one in targets if one.serial is not None], options, eyes),
    ]
    return _with_hints(found, options["issuers"], at)


class _Eyes:
    """Judges each chain once, whoever shows it."""

    def __init__(self, judge: Judging, at: datetime) -> None:
        self._judge, self.at = judge, at

    def all(self, shown: Sequence[_Shown]) -> dict[_Shown, _Judged]:
        distinct = list(dict.fromkeys(shown))
        if not distinct:
            return {}
        with ThreadPoolExecutor(min(_JUDGED_AT_ONCE, len(distinct))) as pool:
            return dict(zip(distinct, pool.map(self.one, distinct), strict=True))

    def one(self, shown: _Shown) -> _Judged:
        ders, staple = shown
        facts = shown_facts(ders, staple, self._judge, self.at)
        if "sha256" not in facts:
            return None, unknown(facts["error"]["code"], facts["error"]["msg"])
        return facts, _as_data(self._judge.verdict(read_chain(ders), at=self.at, staple=staple))


def unknown(code: str, detail: str) -> dict[str, Any]:
    """The verdict where there is nothing to judge."""
    return {"status": "unknown", "reasons": [code], "detail": detail, "evidence": []}


def _as_data(verdict: Verdict) -> dict[str, Any]:
    data: dict[str, Any] = to_result(verdict)
    return data


def _served(targets: Sequence[Target], options: Mapping[str, Any], eyes: _Eyes) -> Iterator[Sighting]:
    rotations = [target.as_rotation() for target in targets]
    addresses = listeners_addresses(rotations, options["timeout"])
    asked = [
        (target, place)
        for target, rotation in zip(targets, rotations, strict=True)
        for place in places(rotation, [rotation], addresses)
    ]
    distinct = list(dict.fromkeys(place.endpoint for _target, place in asked))
    shaken = handshakes(
        distinct,
        timeout=options["timeout"],
        concurrency=options["concurrency"],
        per_second=options["rate_limit"],
    )
    judged = eyes.all([(one.chain, one.staple) for one in shaken if one.chain])
    seen = dict(zip(distinct, shaken, strict=True))
    for target, place in asked:
        handshake = seen[place.endpoint]
        error = handshake.error
        certificate, verdict = judged.get((handshake.chain, handshake.staple)) or (
            None,
            unknown(error.code, error.msg) if error else unknown("no_certificate", "the server sent no certificate"),
        )
        yield Sighting(target, str(place), place.as_dict(), certificate, verdict)


def _in_file(target: Target, eyes: _Eyes) -> Sighting:
    """A certificate with its chain, as it is on disk now."""
    # Several without a path are told apart by what they are.
    place = target.path or f"certificate {hashlib.sha256(str(target.content).encode()).hexdigest()}"
    where = {"path": target.path} if target.path else {}
    try:
        content = read_file(target.path) if target.path else str(target.content).encode()
        return Sighting(target, place, where, *eyes.one(_chain(read_certificates(content, place))))
    except RotationError as error:
        return Sighting(target, place, where, None, unknown(error.code, error.message))


def _chain(certificates: Sequence[x509.Certificate]) -> _Shown:
    return tuple(one.public_bytes(serialization.Encoding.DER) for one in certificates), None


def _serials(targets: Sequence[Target], options: Mapping[str, Any], eyes: _Eyes) -> Iterator[Sighting]:
    if not targets:
        return
    issuers, judge = OpenIssuers(options["issuers"]), SerialJudge(options)
    for target in targets:
        place = f"serial {target.serial}"
        try:
            if target.issuer_certificate:
                judged = _by_crl(target, judge, eyes.at)
            else:
                judged = eyes.one(_chain(_looked_up(target, issuers)))
        except RotationError as error:
            judged = None, unknown(error.code, error.message)
        yield Sighting(target, place, {}, *judged)


def _by_crl(target: Target, judge: SerialJudge, at: datetime) -> _Judged:
    serial = str(target.serial)
    verdict, issuer = judge.verdict(serial, str(target.issuer_certificate), str(target.crl_url), at)
    return {"serial": serial, "issuer_name": issuer.subject.rfc4514_string()}, _as_data(verdict)


def _looked_up(target: Target, issuers: OpenIssuers) -> list[x509.Certificate]:
    """What the issuer itself says it has issued under that serial. RotationError ``certificate_not_found``."""
    issuer = issuers.get(str(target.issuer))
    chains = issuer.find(serial=target.serial) if isinstance(issuer, KnowsItsCertificates) else []
    if not chains:
        raise RotationError(
            "certificate_not_found",
            f"the issuer {target.issuer} knows no certificate with the serial {target.serial}",
            remedy="Give issuer_certificate and crl_url, or the certificate itself.",
        )
    return chains[0]


def _with_hints(found: list[Sighting], issuers: Mapping[str, Any], at: datetime) -> list[Sighting]:
    rotations = [{"issuer": one.target.issuer, "served": [one.certificate] if one.certificate else []} for one in found]
    add_renewal_hints(rotations, issuers, at)
    return [
        Sighting(one.target, one.place, one.where, one.certificate, one.verdict, _hint(rotation))
        for one, rotation in zip(found, rotations, strict=True)
    ]


def _hint(rotation: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """There is one certificate, and so one hint at most."""
    return next(iter((rotation.get("renewal_hints") or {}).values()), None)
