# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided in each situation. The certificates are real, the rotations are those of the architecture page."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._core.plan import Decision, decide, sentence
from ansible_collections.certops.rotation.plugins.module_utils._core.plan_policy import (
    PlanPolicy,
    policy_from,
    renew_before,
)
from ansible_collections.certops.rotation.tests.support.pki import DAY, Authority, Issued, make_key
from ansible_collections.certops.rotation.tests.support.weak_keys import close_factors_key
from cryptography.hazmat.primitives.serialization import Encoding

AT = datetime(2026, 11, 21, 1, 2, 3, tzinfo=timezone.utc)
ROOT = Authority.root(at=AT)
NAMES = ["shop.example.org"]
OLD = ROOT.issue(NAMES, not_before=AT - 10 * DAY, not_after=AT + 80 * DAY)
NEW = ROOT.issue(NAMES, not_before=AT - 1 * DAY, not_after=AT + 89 * DAY)
OLD_KEY = certificate_facts(OLD.certificate).spki_sha256
NEW_KEY = certificate_facts(NEW.certificate).spki_sha256


def served(issued: Issued = OLD, status: str = "good", port: int = 443, **more: Any) -> dict[str, Any]:
    facts = certificate_facts(issued.certificate)
    return {
        "address": "192.0.2.7",
        "port": port,
        "server_name": NAMES[0],
        "serial": facts.serial,
        "spki_sha256": facts.spki_sha256,
        "sha256": facts.sha256,
        "names": list(facts.names),
        "not_before": as_text(facts.not_before),
        "not_after": as_text(facts.not_after),
        "key_type": facts.key_type,
        "must_staple": facts.must_staple,
        "chain_pem": issued.chain_pem,
        "status": status,
        "staple": {"status": "absent"},
        "error": None,
        **more,
    }


def silent(code: str = "connection_refused", port: int = 443) -> dict[str, Any]:
    return {
        "address": "192.0.2.7",
        "port": port,
        "server_name": NAMES[0],
        "error": {"code": code, "msg": f"it is {code}"},
    }


def rotation(*entries: dict[str, Any], verdict: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    seen = [entry["status"] for entry in entries if entry.get("status")]
    status = next((one for one in seen if one != "good"), "good" if seen else "unknown")
    return {
        "host": "web1",
        "name": "shop",
        "server_names": NAMES,
        "key": {"type": "ecdsa", "curve": "secp256r1"},
        "served": list(entries),
        "verdict": verdict or {"status": status, "reasons": []},
        **more,
    }


def installed(
    issued: Issued | None = OLD, state: str = "retired", supersedes: Any = None, key: str | None = None, **more: Any
) -> dict[str, Any]:
    """A host with one live version, or with nothing."""
    if issued is None:
        return {"live": None, "versions": [], "keys_log": [], "paths": {}, **more}
    spki = key or certificate_facts(issued.certificate).spki_sha256
    record = {"version": "v1", "state": state, "supersedes": supersedes}
    version = {"version": "v1", "has_key": True, "spki_sha256": spki, "chain_pem": issued.chain_pem, "record": record}
    return {"live": "v1", "versions": [version], "keys_log": [], "paths": {}, **more}


def paths(issued: Issued | None, key: str | None = None) -> dict[str, Any]:
    """A host whose vhost has paths of its own, not adopted yet."""
    if issued is None:
        return installed(None, paths={"certificate": {"kind": "missing"}, "key": {"kind": "missing"}})
    spki = key or certificate_facts(issued.certificate).spki_sha256
    certificate = {"kind": "file", "path": "/etc/ssl/shop.crt", "target": None, "chain_pem": issued.chain_pem}
    return installed(None, paths={"certificate": certificate, "key": {"kind": "file", "spki_sha256": spki}})


SUPERSEDES = {
    "version": "v0",
    "serial": "0a",
    "spki_sha256": OLD_KEY,
    "compromised": True,
    "revocation_reason": "keyCompromise",
    "certificate_pem": OLD.pem,
    "chain_pem": OLD.chain_pem,
}
REVOKED = {"status": "revoked", "reasons": ["revoked"], "revoked_at": "2026-11-20T00:00:00Z"}
KEY_COMPROMISE = {**REVOKED, "revocation_reason": "keyCompromise"}
UNKNOWN = {"status": "unknown", "reasons": ["stale", "unreachable"]}
WEAK = {"code": "size", "text": "RSA with 1024 bits is less than 2048", "is_computable": False}
COMPUTABLE = {"code": "roca", "text": "it bears the mark of ROCA", "is_computable": True}
DENY_OLD = PlanPolicy(deny_list=frozenset({OLD_KEY}))
FORCE = PlanPolicy(force=True)
FAIL, ROTATE = PlanPolicy(on_unknown="fail"), PlanPolicy(on_unknown="rotate")
RSA = {"type": "rsa", "size": 2048}

# situation: (rotation, policy, action, codes of the reasons)
TABLE: dict[str, tuple[dict[str, Any], PlanPolicy, str, list[str]]] = {
    # what is served, before anybody looked at the host
    "good": (rotation(served()), PlanPolicy(), "keep", ["good"]),
    "revoked": (rotation(served(status="revoked"), verdict=REVOKED), PlanPolicy(), "rotate", ["revoked"]),
    "denied key": (rotation(served()), DENY_OLD, "rotate", ["key_denied"]),
    "weak key": (rotation(served(weak_key=[WEAK])), PlanPolicy(), "rotate", ["weak_key"]),
    "a third of its life is left": (
        rotation(served(not_after=as_text(AT + 4 * DAY))),
        PlanPolicy(),
        "rotate",
        ["expiring"],
    ),
    "a third and a bit": (rotation(served(not_after=as_text(AT + 5.1 * DAY))), PlanPolicy(), "keep", ["good"]),
    "90 days left, 100 wanted": (
        rotation(served()),
        PlanPolicy(renew_before=timedelta(days=100)),
        "rotate",
        ["expiring"],
    ),
    "expired": (
        rotation(
            served(status="unknown", not_after=as_text(AT - DAY)), verdict={"status": "unknown", "reasons": ["expired"]}
        ),
        PlanPolicy(),
        "rotate",
        ["expired"],
    ),
    "a name is missing": (rotation(served(), server_names=[*NAMES, "b.org"]), PlanPolicy(), "rotate", ["names_differ"]),
    "more names than wanted": (rotation(served(names=[*NAMES, "b.org"])), PlanPolicy(), "keep", ["good"]),
    "a wildcard covers it": (rotation(served(names=["*.example.org"])), PlanPolicy(), "keep", ["good"]),
    "capital letters": (rotation(served(), server_names=["SHOP.example.org"]), PlanPolicy(), "keep", ["good"]),
    "declared key differs": (
        rotation(served(), key=RSA, declared=["key"]),
        PlanPolicy(),
        "rotate",
        ["key_type_differs"],
    ),
    "default key differs": (rotation(served(), key=RSA), PlanPolicy(), "keep", ["good"]),
    "must-staple wanted": (rotation(served(), must_staple=True), PlanPolicy(), "rotate", ["must_staple_differs"]),
    "must-staple unwanted by default": (rotation(served(must_staple=True, staple={})), PlanPolicy(), "keep", ["good"]),
    "must-staple declared off": (
        rotation(served(must_staple=True, staple={}), must_staple=False, declared=["must_staple"]),
        PlanPolicy(),
        "rotate",
        ["must_staple_differs"],
    ),
    "forced": (rotation(served()), FORCE, "rotate", ["forced"]),
    "forced by name": (rotation(served()), PlanPolicy(force=frozenset({"shop"})), "rotate", ["forced"]),
    "forced by host and name": (rotation(served()), PlanPolicy(force=frozenset({"web1/shop"})), "rotate", ["forced"]),
    "another is forced": (rotation(served()), PlanPolicy(force=frozenset({"web2/shop", "x"})), "keep", ["good"]),
    "several reasons": (
        rotation(served(status="revoked"), verdict=REVOKED, server_names=["b.org"]),
        DENY_OLD,
        "rotate",
        ["revoked", "key_denied", "names_differ"],
    ),
    "unknown, warn": (
        rotation(served(status="unknown"), verdict=UNKNOWN),
        PlanPolicy(),
        "keep",
        ["unknown_revocation_status"],
    ),
    "unknown, fail": (rotation(served(status="unknown"), verdict=UNKNOWN), FAIL, "stop", ["unknown_revocation_status"]),
    "unknown, rotate": (
        rotation(served(status="unknown"), verdict=UNKNOWN),
        ROTATE,
        "rotate",
        ["unknown_revocation_status"],
    ),
    "no pointer, rotate": (
        rotation(served(status="unknown"), verdict={"status": "unknown", "reasons": ["no_pointer"]}),
        ROTATE,
        "keep",
        ["unknown_revocation_status"],
    ),
    "short-lived, fail": (
        rotation(served(status="unknown"), verdict={"status": "unknown", "reasons": ["short_lived"], "is_soft": True}),
        FAIL,
        "keep",
        ["good"],
    ),
    "one of two listeners is revoked": (
        rotation(served(NEW), served(OLD, "revoked", 8443), verdict=REVOKED),
        PlanPolicy(),
        "rotate",
        ["revoked"],
    ),
    "one of two listeners is silent": (rotation(served(), silent(port=8443)), PlanPolicy(), "keep", ["good"]),
    "all silent": (rotation(silent()), PlanPolicy(), "keep", ["unreachable_endpoint"]),
    "all silent, fail": (rotation(silent()), FAIL, "stop", ["unreachable_endpoint"]),
    "all silent, rotate": (rotation(silent()), ROTATE, "keep", ["unreachable_endpoint"]),
    "all silent, forced": (rotation(silent()), FORCE, "keep", ["unreachable_endpoint"]),
    "not TLS": (rotation(silent("not_tls")), PlanPolicy(), "stop", ["listener_not_tls"]),
    "one is not TLS": (rotation(served(), silent("not_tls", 80)), FORCE, "stop", ["listener_not_tls"]),
    "nobody asked": (rotation(), PlanPolicy(), "keep", ["unreachable_endpoint"]),
    # with what was found on the host
    "good and installed": (rotation(served(), installed=installed()), PlanPolicy(), "keep", ["good"]),
    "good, not ours": (rotation(served(), installed=installed(None)), PlanPolicy(), "keep", ["good"]),
    "good, at the vhost's paths": (rotation(served(), installed=paths(OLD)), PlanPolicy(), "keep", ["good"]),
    "revoked and installed": (
        rotation(served(status="revoked"), verdict=REVOKED, installed=installed()),
        PlanPolicy(),
        "rotate",
        ["revoked"],
    ),
    "revoked at the vhost's paths": (
        rotation(served(status="revoked"), verdict=REVOKED, installed=paths(OLD)),
        PlanPolicy(),
        "rotate",
        ["revoked"],
    ),
    "installed a newer one": (
        rotation(served(), installed=installed(NEW)),
        PlanPolicy(),
        "repair",
        ["served_differs_from_installed"],
    ),
    "revoked is served, a good one installed": (
        rotation(served(status="revoked"), verdict=REVOKED, installed=installed(NEW)),
        PlanPolicy(),
        "repair",
        ["served_differs_from_installed"],
    ),
    "replaced by hand without a reload": (
        rotation(served(), installed=paths(NEW)),
        PlanPolicy(),
        "rotate",
        ["served_differs_from_installed"],
    ),
    "installed is revoked, another is served": (
        rotation(served(NEW), installed=installed(OLD, verdict={"status": "revoked"})),
        PlanPolicy(),
        "rotate",
        ["served_differs_from_installed", "revoked"],
    ),
    "installed is denied, another is served": (
        rotation(served(NEW), installed=installed(OLD)),
        DENY_OLD,
        "rotate",
        ["served_differs_from_installed", "key_denied"],
    ),
    "installed is for other names": (
        rotation(served(), installed=installed(ROOT.issue(["b.org"]))),
        PlanPolicy(),
        "rotate",
        ["served_differs_from_installed", "names_differ"],
    ),
    "installed pair does not match, another is served": (
        rotation(served(), installed=installed(NEW, key=OLD_KEY)),
        PlanPolicy(),
        "rotate",
        ["served_differs_from_installed", "pair_broken"],
    ),
    "installed pair does not match": (
        rotation(served(), installed=paths(OLD, key=NEW_KEY)),
        PlanPolicy(),
        "rotate",
        ["pair_broken"],
    ),
    "forced, another is served": (
        rotation(served(), installed=installed(NEW)),
        FORCE,
        "rotate",
        ["served_differs_from_installed", "forced"],
    ),
    "one listener still serves the old one": (
        rotation(served(NEW), served(OLD, port=8443), installed=installed(NEW)),
        PlanPolicy(),
        "repair",
        ["served_differs_from_installed"],
    ),
    # runs that did not come to their end
    **{
        f"killed in state {state}": (
            rotation(served(NEW), installed=installed(NEW, state, SUPERSEDES)),
            PlanPolicy(),
            "finish",
            ["unfinished"],
        )
        for state in ("prepared", "installed", "served", "revoked", "visible")
    },
    **{
        f"came to its end: {state}": (
            rotation(served(NEW), installed=installed(NEW, state, SUPERSEDES)),
            PlanPolicy(),
            "keep",
            ["good"],
        )
        for state in ("retired", "rolled_back")
    },
    "killed before the reload": (
        rotation(served(OLD, "revoked"), verdict=REVOKED, installed=installed(NEW, "installed", SUPERSEDES)),
        PlanPolicy(),
        "repair",
        ["unfinished", "served_differs_from_installed"],
    ),
    "killed in a forced run, forced again": (
        rotation(served(NEW), installed=installed(NEW, "served", SUPERSEDES)),
        FORCE,
        "finish",
        ["unfinished"],
    ),
    "unfinished, and now its key is denied": (
        rotation(served(NEW), installed=installed(NEW, "served", SUPERSEDES)),
        PlanPolicy(deny_list=frozenset({NEW_KEY})),
        "rotate",
        ["key_denied"],
    ),
    "unfinished, nothing served": (
        rotation(silent(), installed=installed(NEW, "installed", SUPERSEDES)),
        PlanPolicy(),
        "repair",
        ["unfinished"],
    ),
    "first issue installed, nothing served": (
        rotation(silent(), installed=installed(NEW, "installed")),
        PlanPolicy(),
        "repair",
        ["unfinished"],
    ),
    # nothing there
    "nothing anywhere": (rotation(silent(), installed=installed(None)), PlanPolicy(), "rotate", ["not_installed"]),
    "vhost's paths are empty": (rotation(silent(), installed=paths(None)), PlanPolicy(), "rotate", ["not_installed"]),
    "a key without a certificate": (
        rotation(silent(), installed=installed(None, paths={"key": {"kind": "file", "spki_sha256": OLD_KEY}})),
        PlanPolicy(),
        "rotate",
        ["not_installed"],
    ),
    "installed, served by nobody": (
        rotation(silent(), installed=installed()),
        PlanPolicy(),
        "keep",
        ["unreachable_endpoint"],
    ),
    "installed and denied, served by nobody": (
        rotation(silent(), installed=installed()),
        DENY_OLD,
        "rotate",
        ["key_denied"],
    ),
    "installed, served by nobody, forced": (rotation(silent(), installed=installed()), FORCE, "rotate", ["forced"]),
    "unreadable chain installed": (
        rotation(
            served(),
            installed={"live": "v1", "versions": [{"version": "v1", "chain_pem": "rubbish", "spki_sha256": "a"}]},
        ),
        PlanPolicy(),
        "keep",
        ["good"],
    ),
}


@pytest.mark.parametrize("situation", TABLE)
def test_table(situation: str) -> None:
    given, policy, action, codes = TABLE[situation]
    decision = decide(given, policy, AT)
    assert (decision.action, [reason.code for reason in decision.reasons]) == (action, codes)
    assert all(reason.text for reason in decision.reasons)
    assert decision.action != "rotate" or decision.revocation_reason or decision.predecessor is None


def decision_of(situation: str) -> Decision:
    given, policy, _action, _codes = TABLE[situation]
    return decide(given, policy, AT)


@pytest.mark.parametrize(
    ("situation", "premise"),
    [
        ("revoked", OLD_KEY),
        ("forced", OLD_KEY),
        ("one of two listeners is revoked", OLD_KEY),
        ("installed is for other names", None),
        ("installed pair does not match", NEW_KEY),
        ("installed is denied, another is served", OLD_KEY),
        ("nothing anywhere", None),
        ("a key without a certificate", OLD_KEY),
        ("good", None),
        ("installed a newer one", None),
    ],
    # Keys are made anew in each run; names of tests have to stay the same.
    ids=lambda value: value if value in TABLE else "",
)
def test_premise_is_the_key_that_the_host_is_to_have(situation: str, premise: str | None) -> None:
    decision = decision_of(situation)
    if situation == "installed is for other names":
        assert decision.premise not in (None, OLD_KEY, NEW_KEY)
    else:
        assert decision.premise == premise


@pytest.mark.parametrize(
    ("given", "policy", "reason", "compromised"),
    [
        (rotation(served(status="revoked"), verdict=KEY_COMPROMISE), PlanPolicy(), "keyCompromise", True),
        (rotation(served(status="revoked"), verdict=REVOKED), PlanPolicy(), "superseded", False),
        (
            rotation(served(status="revoked"), verdict={**REVOKED, "revocation_reason": "superseded"}),
            FORCE,
            "superseded",
            False,
        ),
        (
            rotation(served(status="revoked"), verdict={**REVOKED, "revocation_reason": "cACompromise"}),
            FORCE,
            "cACompromise",
            True,
        ),
        (rotation(served()), DENY_OLD, "keyCompromise", True),
        (
            rotation(served()),
            PlanPolicy(force=True, force_reason="cessationOfOperation"),
            "cessationOfOperation",
            False,
        ),
        (rotation(served()), PlanPolicy(force=True, force_reason="keyCompromise"), "keyCompromise", True),
        (rotation(served(), server_names=["b.org"]), PlanPolicy(), "superseded", False),
        (rotation(served()), PlanPolicy(), None, False),
    ],
)
def test_reason_of_the_revocation_follows_the_gravest_reason(
    given: dict[str, Any], policy: PlanPolicy, reason: str | None, compromised: bool
) -> None:
    decision = decide(given, policy, AT)
    assert (decision.revocation_reason, decision.compromised) == (reason, compromised)


def test_predecessor_is_what_is_served_and_gets_its_version_from_the_host() -> None:
    before = decision_of("revoked").predecessor
    after = decision_of("revoked and installed").predecessor
    assert before and after
    assert (before["serial"], before["version"], before["already_revoked"]) == (served()["serial"], None, True)
    assert after == {**before, "version": "v1"}
    assert before["certificate_pem"].strip() == OLD.pem.strip()


@pytest.mark.parametrize("situation", ["killed in state served", "killed before the reload"])
def test_unfinished_run_goes_on_with_what_it_decided(situation: str) -> None:
    decision = decision_of(situation)
    assert decision.predecessor and decision.predecessor["serial"] == "0a"
    assert (decision.compromised, decision.revocation_reason) == (True, "keyCompromise")


def test_repair_without_an_unfinished_run_revokes_nothing() -> None:
    decision = decision_of("installed a newer one")
    assert (decision.predecessor, decision.revocation_reason) == (None, None)


@pytest.mark.parametrize(
    ("situation", "said"),
    [
        ("unknown, warn", "is unknown (stale, unreachable)"),
        ("one of two listeners is silent", "192.0.2.7:8443 (shop.example.org) did not answer"),
        ("one of two listeners is revoked", "different certificates are served"),
        ("all silent", "nothing could be seen"),
    ],
)
def test_what_does_not_decide_is_a_warning(situation: str, said: str) -> None:
    assert any(said in warning for warning in decision_of(situation).warnings)


def test_good_is_silent() -> None:
    assert decision_of("good").warnings == ()


@pytest.mark.parametrize(
    ("staple", "more", "codes"),
    [
        ({"status": "absent"}, {}, []),
        ({"status": "absent"}, {"must_staple": True}, ["staple_missing"]),
        ({"status": "invalid", "reasons": ["signature_invalid"]}, {}, ["staple_bad"]),
        ({"status": "unknown"}, {}, ["staple_bad"]),
        ({"status": "good", "this_update": as_text(AT - DAY), "next_update": as_text(AT + DAY)}, {}, []),
        (
            {"status": "good", "this_update": as_text(AT - 4 * DAY), "next_update": as_text(AT + DAY)},
            {},
            ["staple_old"],
        ),
        (
            {"status": "good", "this_update": as_text(AT - 4 * DAY), "next_update": as_text(AT - DAY)},
            {},
            ["staple_old"],
        ),
        ({"status": "good"}, {}, []),
    ],
)
def test_staple_is_told_beside_the_decision(staple: dict[str, Any], more: dict[str, Any], codes: list[str]) -> None:
    decision = decide(rotation(served(staple=staple, **more), must_staple=bool(more)), PlanPolicy(), AT)
    assert decision.action == "keep"
    assert [reason.code for reason in decision.reasons] == ["good", *codes]


def test_certificate_from_the_future_is_a_hint_at_a_clock() -> None:
    decision = decide(rotation(served(not_before=as_text(AT + DAY))), PlanPolicy(), AT)
    assert decision.action == "keep"
    assert "is a clock wrong" in decision.warnings[0]


def test_sentence_names_host_certificate_action_and_reasons() -> None:
    given = rotation(served(status="revoked"), verdict=KEY_COMPROMISE)
    given["decision"] = decide(given, DENY_OLD, AT).as_dict()
    text = sentence(given)
    assert text.startswith("web1/shop: rotate: the certificate ")
    assert "is revoked since 2026-11-20T00:00:00Z (keyCompromise); its key" in text


def test_decision_is_plain_data_as_the_architecture_shows_it() -> None:
    assert decision_of("denied key").as_dict() == {
        "action": "rotate",
        "reasons": [{"code": "key_denied", "text": f"its key {OLD_KEY[:16]}… is on the deny list"}],
        "premise": {"spki_sha256": OLD_KEY},
        "compromised": True,
        "revocation_reason": "keyCompromise",
    }
    assert decision_of("good").as_dict()["premise"] == {}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (None, 1 / 3),
        (0.333, 0.333),
        ("0.5", 0.5),
        ("33%", 0.33),
        ("30d", timedelta(days=30)),
        ("12h", timedelta(hours=12)),
        (30, timedelta(days=30)),
        ("90m", timedelta(minutes=90)),
        (0, 0.0),
    ],
)
def test_renew_before_is_a_fraction_or_a_time(given: object, meant: object) -> None:
    assert renew_before(given) == meant


@pytest.mark.parametrize(
    "options",
    [
        {"renew_before": "soon"},
        {"renew_before": -1},
        {"renew_before": "200%"},
        {"renew_before": True},
        {"renew_before": "nan"},
        {"on_unknown": "ignore"},
        {"force_reason": "certificateHold"},
        {"force": {"a": 1}},
        {"deny_list": ["abc"]},
        {"forse": True},
    ],
)
def test_policy_that_cannot_be_meant_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(RotationError) as caught:
        policy_from(options)
    assert caught.value.code == "policy_invalid"


def test_options_become_a_policy() -> None:
    digest = hashlib.sha256(b"key").hexdigest()
    colons = ":".join(digest.upper()[i : i + 2] for i in range(0, 64, 2))
    policy = policy_from({"renew_before": "30d", "force": "shop", "deny_list": [colons, digest], "on_unknown": "fail"})
    assert policy == PlanPolicy(timedelta(days=30), "fail", frozenset({"shop"}), "superseded", frozenset({digest}))
    assert [policy_from({"force": word}).force for word in ("true", "False", "", None, True)] == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_another_key_type_that_is_declared_and_served_is_kept() -> None:
    rsa = ROOT.issue(NAMES, key=make_key("rsa"), not_before=AT - DAY, not_after=AT + 89 * DAY)
    assert decide(rotation(served(rsa), key=RSA, declared=["key"]), PlanPolicy(), AT).action == "keep"
    assert rsa.certificate.public_bytes(Encoding.DER)


# --- weak keys ---


def test_weak_key_is_superseded() -> None:
    decided = decide(rotation(served(weak_key=[WEAK])), PlanPolicy(), AT)
    assert (decided.compromised, decided.revocation_reason) == (False, "superseded")
    assert "1024 bits" in decided.reasons[0].text


def test_key_that_anybody_can_compute_is_compromised() -> None:
    decided = decide(rotation(served(weak_key=[WEAK, COMPUTABLE])), PlanPolicy(), AT)
    assert (decided.compromised, decided.revocation_reason) == (True, "keyCompromise")
    assert "anybody can compute" in decided.reasons[0].text


def test_weak_key_that_is_installed_is_found_without_a_listener() -> None:
    weak = ROOT.issue(NAMES, key=close_factors_key(), not_before=AT - 10 * DAY, not_after=AT + 80 * DAY)
    decided = decide(rotation(silent(), installed=installed(weak)), PlanPolicy(), AT)
    assert decided.reasons[0].code == "weak_key"
    assert decided.compromised


def hinted(start: timedelta, end: timedelta, renew_at: timedelta, explanation: str | None = None) -> dict[str, Any]:
    hint = {
        "window": {"start": as_text(AT + start), "end": as_text(AT + end)},
        "explanation_url": explanation,
        "renew_at": as_text(AT + renew_at),
    }
    return {"renewal_hints": {certificate_facts(OLD.certificate).sha256: hint}}


def test_a_renewal_window_in_the_past_rotates_now_and_says_why() -> None:
    hints = hinted(-2 * DAY, -1 * DAY, -2 * DAY, "https://ca.example/incident")
    decision = decide(rotation(served(), **hints), PlanPolicy(), AT)
    assert decision.action == "rotate"
    assert [reason.code for reason in decision.reasons] == ["renewal_overdue"]
    assert "https://ca.example/incident" in decision.reasons[0].text
    assert decision.revocation_reason == "superseded"


def test_a_renewal_window_is_waited_for_until_the_chosen_time() -> None:
    early = decide(rotation(served(), **hinted(-1 * DAY, 1 * DAY, 1 * timedelta(hours=1))), PlanPolicy(), AT)
    due = decide(rotation(served(), **hinted(-1 * DAY, 1 * DAY, timedelta(0))), PlanPolicy(), AT)
    assert early.action == "keep"
    assert (due.action, due.reasons[0].code) == ("rotate", "renewal_suggested")


def test_a_hint_about_another_certificate_does_not_count() -> None:
    hints = hinted(-2 * DAY, -1 * DAY, -2 * DAY)
    assert decide(rotation(served(NEW), **hints), PlanPolicy(), AT).action == "keep"


def test_part_of_the_fleet_leaves_a_shared_key_to_a_run_that_sees_all_of_it() -> None:
    """Due on its own hosts, it might have been made anew by others a moment ago."""
    policy = PlanPolicy(force=True, leave_shared=True)
    alone, shared = rotation(served()), rotation(served(), shared="shop")
    assert decide(alone, policy, AT).action == "rotate"
    left = decide(shared, policy, AT)
    assert left.action == "keep" and left.predecessor is None and not left.premise
    assert [reason.code for reason in left.reasons] == ["left_to_the_fleet", "forced"]
    assert any("left to a run that sees all of its hosts" in text for text in left.warnings)
    assert decide(shared, PlanPolicy(force=True), AT).action == "rotate"
