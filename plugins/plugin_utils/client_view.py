# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control node sees as a client, for a diagnosis: many handshakes, and who of the CA answers what."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Judging
from ansible_collections.certops.rotation.plugins.module_utils._ansible.once import Once
from ansible_collections.certops.rotation.plugins.module_utils._ansible.result import to_result
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    certificate_sha256,
    to_pem,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.chain import is_issued_by, validate_chain
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_clock import client_error
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import (
    DECODING_ERRORS,
    serialization,
    x509,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._core.ocsp_request import build_request, get_url
from ansible_collections.certops.rotation.plugins.module_utils._core.server_name import missing_names
from ansible_collections.certops.rotation.plugins.module_utils._fetch.addresses import addresses_of
from ansible_collections.certops.rotation.plugins.module_utils._fetch.reach import Reach, reach
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import Endpoint, Handshake, handshakes
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls_alert import ALERTS
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls_talk import ClientCertificate, Talk, talk
from ansible_collections.certops.rotation.plugins.plugin_utils.diagnosing import judged_response
from ansible_collections.certops.rotation.plugins.plugin_utils.handshaking import Place, places, read_chain

_AT_ONCE = 8
_PAUSE = 0.4
"""seconds in which a worker that was asked for the first time can fetch its staple"""
_MOST_TO_PRIME = 16


@dataclass(frozen=True)
class Client:
    """The client certificate to present, or only to judge."""

    chain: tuple[x509.Certificate, ...]
    files: ClientCertificate | None = None


@dataclass
class _Spot:
    """One address × listener × server name, and all handshakes with it."""

    place: Place
    endpoint: Endpoint
    shaken: list[Handshake] = field(default_factory=list)
    error: dict[str, str] | None = None

    @property
    def chain(self) -> tuple[bytes, ...]:
        return next((one.chain for one in self.shaken if one.chain), ())


class ClientLook:
    """One for a whole run; thread-safe."""

    def __init__(
        self,
        judge: Judging,
        *,
        timeout: float,
        slow_after: float,
        handshakes: int,
        prime: bool = False,
        client: Client | None = None,
        alerts: Sequence[int] = (),
    ) -> None:
        self._judge, self._timeout, self._slow_after = judge, timeout, slow_after
        self._handshakes, self._client, self._alerts = max(1, handshakes), client, list(alerts)
        self._prime = prime
        self._reached: Once[tuple[str, str], Reach] = Once()

    def view(self, rotation: Mapping[str, Any], of_host: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """``rotation.client_view``."""
        clock = datetime.now(timezone.utc)
        spots = self._spots(rotation, of_host)
        self._shake(spots)
        talks = self._talks(spots)
        chains = _chains(spots)
        known = [*chains.values(), *([self._client.chain] if self._client else [])]
        sources = self._sources(known)
        offsets = _offsets(sources, talks)
        at = datetime.now(timezone.utc) + timedelta(seconds=client_error(offsets))
        certificates = {sha256: self._certificate(chain, spots, at) for sha256, chain in chains.items()}
        client = self._client_facts(at)
        judged = [*certificates.values(), *([client] if client else [])]
        return {
            "clock": as_text(clock),
            "judged_at": as_text(at),
            "offsets": offsets,
            "entries": [self._entry(spot, at) for spot in spots],
            "certificates": certificates,
            "sources": [_source(kind, one, judged) for kind, one in sources],
            "talks": [self._talk_facts(spot, said) for spot, said in talks],
            "client_certificate": client,
            "reported_alerts": self._alerts,
        }

    def _spots(self, rotation: Mapping[str, Any], of_host: Iterable[Mapping[str, Any]]) -> list[_Spot]:
        found: list[_Spot] = []
        for place in places(rotation, of_host):
            asked = place.endpoint
            try:
                addresses = addresses_of(asked.address, asked.port, timeout=self._timeout)
            except RotationError as error:
                found.append(_Spot(place, asked, error={"code": error.code, "msg": error.message}))
                continue
            for address in addresses:
                name = asked.server_name
                found.append(_Spot(place, Endpoint(address, asked.port, name, asked.key_type, asked.starttls)))
        return found

    def _shake(self, spots: Sequence[_Spot]) -> None:
        """Once with all; then, where a staple can be, again and many at a time, so that several workers answer.

        In two halves: what a worker was asked for in the first, it has fetched by the second.
        """
        asked = [spot for spot in spots if spot.error is None]
        if self._prime:
            self._round_until_stapled(asked)
        self._round(asked)
        again = [spot for spot in asked if _may_staple(spot)]
        first = self._handshakes // 2
        for times in (first, self._handshakes - 1 - first):
            if again and times > 0:
                time.sleep(_PAUSE)
                self._round(again * times)

    def _round_until_stapled(self, spots: Sequence[_Spot]) -> None:
        """Several workers must be met by chance, so many at a time and three times without a gap; none of it counts."""
        in_a_row = 0
        for _time in range(_MOST_TO_PRIME):
            self._round(list(spots) * self._handshakes * 3)
            carried = [bool(one.staple) for spot in spots if _may_staple(spot) for one in spot.shaken]
            for spot in spots:
                spot.shaken = []
            in_a_row = in_a_row + 1 if all(carried) else 0
            if in_a_row == 3:
                break
            time.sleep(0 if in_a_row else _PAUSE)

    def _round(self, spots: Sequence[_Spot]) -> None:
        shaken = handshakes([spot.endpoint for spot in spots], timeout=self._timeout, concurrency=_AT_ONCE)
        for spot, one in zip(spots, shaken, strict=True):
            spot.shaken.append(one)

    def _talks(self, spots: Sequence[_Spot]) -> list[tuple[_Spot, Talk]]:
        """One for each listener, which is what decides about client certificates in practice."""
        chosen: dict[tuple[str, int], _Spot] = {}
        for spot in spots:
            if spot.chain and not spot.endpoint.starttls:
                chosen.setdefault((spot.endpoint.address, spot.endpoint.port), spot)
        files = self._client.files if self._client else None
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            said = pool.map(lambda spot: talk(spot.endpoint, timeout=self._timeout, client=files), chosen.values())
            return list(zip(chosen.values(), said, strict=True))

    def _sources(self, chains: Sequence[Sequence[x509.Certificate]]) -> list[tuple[str, Reach]]:
        wanted = {target["url"]: target for chain in chains for target in targets_of(chain, self._judge.anchors)}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            reached = pool.map(self._reach, wanted.values())
            return [(target["kind"], one) for target, one in zip(wanted.values(), reached, strict=True)]

    def _reach(self, target: Mapping[str, str]) -> Reach:
        url, encoded = target["url"], target.get("request_b64") or ""
        request = base64.b64decode(encoded) or None
        asked_at = (get_url(url, request) if request else None) or ""
        body = None if asked_at else request

        def asked() -> Reach:
            return reach(url, asked_at=asked_at, body=body, timeout=self._timeout, slow_after=self._slow_after)

        def asked_twice_if_slow() -> Reach:
            found = asked()
            may_be_chance = found.code == "slow" and found.status is not None
            return asked() if may_be_chance else found

        return self._reached.get((url, encoded), asked_twice_if_slow)

    def _certificate(self, chain: tuple[x509.Certificate, ...], spots: Sequence[_Spot], at: datetime) -> dict[str, Any]:
        mine = [spot for spot in spots if spot.chain and spot.chain[0] == _der(chain[0])]
        staple = next((one.staple for spot in mine for one in spot.shaken if one.staple), None)
        names = dict.fromkeys(spot.place.server_name for spot in mine if spot.place.server_name)
        requests = [one["request_b64"] for one in targets_of(chain, self._judge.anchors) if "request_b64" in one]
        return {
            **_facts(chain),
            "chain_pem": "".join(to_pem(one) for one in chain),
            "chain_length": len(chain),
            "chain_error": self._chain_error(chain, at),
            "names_missing": list(missing_names(chain[0], names)),
            "verdict": to_result(self._judge.verdict(chain, at=at, staple=staple)),
            "request_b64": requests[0] if requests else None,
        }

    def _chain_error(self, chain: tuple[x509.Certificate, ...], at: datetime) -> dict[str, Any] | None:
        try:
            validate_chain(chain, anchors=self._judge.anchors, at=at)
        except RotationError as error:
            is_leaf = not chain[0].not_valid_before_utc <= at <= chain[0].not_valid_after_utc
            return {"code": error.code, "msg": error.message, "is_leaf": is_leaf}
        except DECODING_ERRORS as exc:
            return {"code": "certificate_unreadable", "msg": f"a certificate of the chain cannot be read: {exc}"}
        return None

    def _client_facts(self, at: datetime) -> dict[str, Any] | None:
        if self._client is None:
            return None
        chain = self._client.chain
        issuers = [one.issuer.rfc4514_string() for one in chain]
        verdict = to_result(self._judge.verdict(chain, at=at))
        return {**_facts(chain), "issuers": list(dict.fromkeys(issuers)), "verdict": verdict}

    def _entry(self, spot: _Spot, at: datetime) -> dict[str, Any]:
        chain, error = spot.chain, spot.error
        if error is None and not chain:
            error = to_result(spot.shaken[0].error)
        return {
            **spot.place.as_dict(),
            "address": spot.endpoint.address,
            "asked": spot.place.endpoint.address,
            "sha256": certificate_sha256(read_chain(chain)[0]) if chain else None,
            "error": error,
            "staples": [self._staple(one, at) for one in spot.shaken if one.chain] if chain else [],
        }

    def _staple(self, shaken: Handshake, at: datetime) -> dict[str, Any] | None:
        if not shaken.staple:
            return None
        return judged_response(self._judge, read_chain(shaken.chain), shaken.staple, at)

    def _talk_facts(self, spot: _Spot, said: Talk) -> dict[str, Any]:
        own = self._client.chain if self._client else ()
        known = {one.issuer.public_bytes(): one.issuer.rfc4514_string() for one in own}
        return {
            **spot.place.as_dict(),
            "address": spot.endpoint.address,
            "presented": said.presented,
            "shown": said.shown,
            "after_handshake": said.after_handshake,
            "alert": said.alert,
            "alert_name": ALERTS.get(said.alert, "unknown") if said.alert is not None else None,
            "status": said.status,
            "says": said.says,
            "accepted": [known.get(der, text) for der, text in said.accepted],
        }


def targets_of(chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate] = ()) -> list[dict[str, str]]:
    """Where the certificate says that its status is told: ``url``, ``kind``, and what to ask a responder.

    With a SHA-1 CertID, which every responder knows and nginx uses. Without an issuer there is nothing to ask with.
    """
    facts = certificate_facts(chain[0])
    issuer = next((one for one in (*chain[1:], *anchors) if is_issued_by(chain[0], one)), None)
    targets = [{"url": url, "kind": "crl"} for url in facts.crl_urls if url.lower().startswith("http")]
    if issuer is not None:
        request = base64.b64encode(build_request(chain[0], issuer, "sha1")).decode("ascii")
        asked = {"kind": "ocsp", "request_b64": request, "about": facts.sha256}
        targets += [{"url": url, **asked} for url in facts.ocsp_urls]
    return targets


def _may_staple(spot: _Spot) -> bool:
    if not spot.chain:
        return False
    facts = certificate_facts(read_chain(spot.chain)[0])
    return bool(facts.ocsp_urls or facts.must_staple or spot.shaken[0].staple)


def _chains(spots: Sequence[_Spot]) -> dict[str, tuple[x509.Certificate, ...]]:
    """By fingerprint, each certificate that is served with what is sent along."""
    found: dict[str, tuple[x509.Certificate, ...]] = {}
    for spot in spots:
        if spot.chain:
            try:
                chain = tuple(read_chain(spot.chain))
            except RotationError as error:
                spot.error, spot.shaken = {"code": error.code, "msg": error.message}, []
                continue
            found.setdefault(certificate_sha256(chain[0]), chain)
    return found


def _offsets(sources: Sequence[tuple[str, Reach]], talks: Sequence[tuple[_Spot, Talk]]) -> list[dict[str, Any]]:
    found = [
        {"who": one.url, "kind": "responder" if kind == "ocsp" else "crl", "seconds": round(one.clock_ahead, 1)}
        for kind, one in sources
        if one.clock_ahead is not None
    ]
    return found + [
        {"who": f"{spot.endpoint.address}:{spot.endpoint.port}", "kind": "peer", "seconds": round(said.clock_ahead, 1)}
        for spot, said in talks
        if said.clock_ahead is not None
    ]


def _source(kind: str, one: Reach, judged: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the judge got an answer from, in whatever way, is reached; but late is late."""
    answered = any(
        each["source"]["url"] == one.url and each["status"] != "unknown"
        for facts in judged
        for each in facts["verdict"]["evidence"]
    )
    code = "ok" if answered and one.code not in ("slow", "proxied") else one.code
    found = {"url": one.url, "kind": kind, "code": code, "msg": one.msg, "seconds": round(one.seconds, 2)}
    return {**found, "status": one.status}


def _facts(chain: Sequence[x509.Certificate]) -> dict[str, Any]:
    facts = certificate_facts(chain[0])
    names = ("serial", "subject", "issuer", "names", "not_before", "not_after", "ocsp_urls", "crl_urls",
             "ca_issuers_urls", "must_staple")  # fmt: skip
    found: dict[str, Any] = to_result({name: getattr(facts, name) for name in names})
    return found


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)
