# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Revoked or not, and why nobody can tell: the verdict, and what the CA's servers answer to whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_cause import CONTROL_NODE, Cause, cause
from ansible_collections.certops.rotation.plugins.module_utils._core.diagnosis_seen import (
    Seen,
    certificates,
    client_view,
    host_name,
    host_view,
    judged,
    servers,
    staples,
)

_COULD_NOT_ASK = frozenset(
    {
        "unreachable",
        "timeout",
        "name_not_resolved",
        "http_error",
        "address_refused",
        "redirect_refused",
        "too_large",
        "unsupported_pointer",
    }
)
_OF_REASON = {
    "responder_expired": "ocsp_signer_expired",
    "signature_invalid": "ocsp_signature_invalid",
    "signature_weak": "ocsp_signature_invalid",
    "stale": "ocsp_response_stale",
    "from_the_future": "ocsp_response_stale",
    "other_certificate": "responder_error",
    "unreadable": "responder_error",
}
_OF_STAGE = {
    "name_not_resolved": "responder_not_resolved",
    "refused": "responder_refused",
    "blocked": "responder_blocked",
    "slow": "responder_slow",
    "http_error": "responder_http_error",
    "proxied": "responder_proxied",
}


def revocation_causes(rotation: Seen) -> Iterator[Cause]:
    for one in certificates(rotation).values():
        if one["verdict"]["status"] == "revoked":
            yield cause("certificate_revoked", "certain", CONTROL_NODE, _revoked(one))
    yield from _sources(client_view(rotation), CONTROL_NODE, "certain")
    for label, one in judged(rotation):
        yield from _of_verdict(label, one, _broken_urls(client_view(rotation)))
    yield from _of_host(rotation)


def cause_of_finding(reasons: Sequence[str], detail: str, where: str, evidence: str, certainty: str) -> Cause | None:
    """What is wrong with an OCSP response that the judge does not accept; None for what other themes tell."""
    if "responder_error" in reasons:
        code = next((word for word in ("try_later", "unauthorized") if f"error {word}" in detail), "error")
        return cause(f"responder_{code}", certainty, where, [evidence])
    if "responder_not_authorised" in reasons:
        is_for_signing = "is not for OCSP signing" not in detail
        code = "ocsp_signer_of_another_ca" if is_for_signing else "ocsp_signer_without_purpose"
        return cause(code, certainty, where, [evidence])
    for reason in reasons:
        if reason in _OF_REASON:
            return cause(_OF_REASON[reason], certainty, where, [evidence])
    return None


def _revoked(one: Seen) -> list[str]:
    verdict = one["verdict"]
    since = f" since {verdict['revoked_at']}" if verdict.get("revoked_at") else ""
    of_issuer = " (a CA above it is)" if "issuer_revoked" in verdict["reasons"] else ""
    evidence = [f"certificate {one['serial']} is revoked{since}{of_issuer}, reason: {verdict['revocation_reason']}"]
    evidence += [f"{_source(each)}: {each['detail']}" for each in verdict["evidence"] if each["status"] == "revoked"]
    stapled_good = [f"the server staples a good answer made before that: {each['detail']}" for each in
                    verdict["evidence"] if each["source"]["kind"] == "staple" and each["status"] == "good"]  # fmt: skip
    return evidence + stapled_good


def _sources(view: Seen, where: str, certainty: str) -> Iterator[Cause]:
    for source in view.get("sources") or ():
        evidence = [f"{source['url']}: {source['msg']}"]
        if source["code"] == "ok":
            continue
        if source["kind"] == "crl":
            yield cause("crl_not_available", certainty, where, evidence)
        elif source["kind"] == "ocsp":
            yield cause(_OF_STAGE.get(source["code"], "responder_error"), certainty, where, evidence)


def _broken_urls(view: Seen) -> frozenset[str]:
    """What could not even be asked is told once, by how far the asking came."""
    return frozenset(source["url"] for source in view.get("sources") or () if source["code"] != "ok")


def _of_verdict(label: str, one: Seen, told: frozenset[str]) -> Iterator[Cause]:
    evidence = one["verdict"]["evidence"]
    answered = {(each["serial"], each["source"]["kind"], each["source"]["url"]) for each in evidence
                if each["status"] != "unknown"}  # fmt: skip
    for each in evidence:
        source = each["source"]
        if each["status"] != "unknown" or source["url"] in told or source["kind"] == "staple":
            continue
        if (each["serial"], source["kind"], source["url"]) in answered:
            continue
        said = f"{label}: {_source(each)}: {each['detail']}"
        found = _of_crl(each, said) if source["kind"] == "crl" else _of_ocsp(each, said)
        if found is not None:
            yield found


def _of_ocsp(each: Seen, said: str) -> Cause | None:
    return cause_of_finding(each["reasons"], each["detail"], CONTROL_NODE, said, "certain")


def _of_crl(each: Seen, said: str) -> Cause | None:
    reasons = frozenset(each["reasons"])
    if reasons & {"not_asked", "no_pointer"}:
        return None
    if reasons & _COULD_NOT_ASK:
        return cause("crl_not_available", "certain", CONTROL_NODE, [said])
    if "stale" in reasons:
        until = f" (nextUpdate {each['next_update']})" if each.get("next_update") else ""
        return cause("crl_stale", "certain", CONTROL_NODE, [said + until])
    return cause("crl_not_trusted", "certain", CONTROL_NODE, [said])


def _of_host(rotation: Seen) -> Iterator[Cause]:
    """What the host cannot ask matters where its server asks by itself, in order to staple."""
    blocks = servers(rotation)
    if blocks and not any(server["stapling"] and not server.get("staple_file") for server in blocks):
        return
    view, where = host_view(rotation), host_name(rotation)
    certainty = "likely" if not blocks or any(staples(rotation)) else "certain"
    asked = [source for source in view.get("sources") or () if source["kind"] == "ocsp"]
    yield from _sources({"sources": asked}, where, certainty)
    for source in asked:
        finding = source.get("finding")
        if source["code"] == "ok" and finding and finding["status"] in ("unknown", "invalid"):
            said = f"{source['url']}: {finding['detail']}"
            found = cause_of_finding(finding["reasons"], finding["detail"], where, said, certainty)
            if found is not None:
                yield found


def _source(evidence: Seen) -> str:
    source = evidence["source"]
    return f"{source['kind']} {source['url']}" if source.get("url") else str(source["kind"])
