# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before anything is ordered by stateless http-01: does the host answer challenges, and if not, what does it need?

Asked as a client first, from here; where the answer is right, the host is not bothered. Else the look at the host
brings nginx's configuration, and one more execution on the host sets up what is missing in it.

Where http-01 only is what comes after another challenge, or a fallback's way, the same is done, and what keeps it from
being done is a warning: nobody needs it yet.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.http01_plan import (
    Http01Plan,
    Insertion,
    Wanted,
    plan_http01,
    snippet_path,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.naming import ip_address
from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_config import dumped_files
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http01_question import Question, what_is_wrong
from ansible_collections.certops.rotation.plugins.module_utils._issuers.registry import fallbacks
from ansible_collections.certops.rotation.plugins.plugin_utils.nginx_dump import read_dump
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import HostAction, Rotation, active

_POLL = 0.2
_PATIENCE = 5.0


@dataclass
class _Name:
    """One name of a rotation that is to be validated by http-01, or may have to be."""

    rotation: Rotation
    wanted: Wanted
    questions: list[Question]
    is_needed: bool = True
    """Without an answer, nothing can be ordered. Else another challenge or issuer comes before."""
    wrong: str = ""
    is_given_up: bool = False

    @property
    def is_open(self) -> bool:
        """Whether something can still be done for it."""
        return not (self.is_given_up or self.rotation.get("error"))


class Http01Setup:
    """For the rotations of one host that are due. Without an issuer that needs it, nothing is done at all."""

    def __init__(self, action: HostAction, rotations: Iterable[Rotation]) -> None:
        self._action = action
        self._options: Mapping[str, Any] = action.options.get("http01") or {}
        issuers = action.options.get("issuers") or {}
        self._unanswered = self._wrong_among(self._names(rotations, issuers)) if _is_needed(issuers) else []

    @property
    def nginx_dump(self) -> list[str]:
        """What the look has to run on the host; nothing, when all is well."""
        return list(self._options.get("nginx_dump") or []) if self._unanswered else []

    def carry_out(self, nginx: Mapping[str, Any] | None) -> None:
        """Have the host answer, and see that it does. RotationErrors go into the rotations."""
        names = self._one_account_each([one for one in self._unanswered if self._is_due(one.rotation)])
        if not names:
            return
        try:
            plan = self._plan(names, nginx)
        except RotationError as error:
            for one in names:
                self._failing(one, error)
            return
        for one in names:
            if one.wanted.name in plan.errors:
                self._failing(one, plan.errors[one.wanted.name])
        names = [one for one in names if one.is_open]
        self._on_host(names, plan)
        self._left_to_others(names, plan)
        self._verify([one for one in names if one.is_open], plan)

    def _is_due(self, rotation: Rotation) -> bool:
        """Not where the look has shown that the plan was made for something else."""
        return not rotation.get("error") and (bool(rotation.get("prepared")) or self._action.check_mode)

    def _names(self, rotations: Iterable[Rotation], issuers: Mapping[str, Any]) -> list[_Name]:
        found = []
        accounts = _Accounts(issuers, may_make_keys=not self._action.check_mode)
        for rotation in active(rotations):
            try:
                own = accounts.of(str(rotation.get("issuer") or ""))
            except RotationError as error:
                self._action.failing(rotation, error)
                continue
            account = self._account(rotation, own, issuers, accounts)
            if account is not None:
                for name in rotation.get("server_names") or []:
                    if not name.startswith("*."):  # which only DNS can prove: the issuer has a word on that
                        is_needed = account is own and (own.is_first or ip_address(name) is not None)
                        wanted = Wanted(name, account.issuer, account.thumbprint)
                        found.append(
                            _Name(rotation, wanted, self._questions(rotation, name, account.thumbprint), is_needed)
                        )
        return found

    def _account(
        self, rotation: Rotation, own: _Account | None, issuers: Mapping[str, Any], accounts: _Accounts
    ) -> _Account | None:
        """The one that a server block is to answer for; others can only step in with the same key."""
        found = [own] if own is not None else []
        # An issuer that is only a fallback, and is not right, is for the step that needs it.
        with contextlib.suppress(RotationError):
            for other in fallbacks(str(rotation.get("issuer") or ""), issuers):
                with contextlib.suppress(RotationError):
                    found += [each for each in (accounts.of(other),) if each is not None]
        if not found:
            return None
        first, *rest = found
        for one in rest:
            if one.thumbprint != first.thumbprint:
                self._action.warn(
                    rotation,
                    f"the fallback {one.issuer} could not validate by http-01 on this host: its account has another "
                    f"key than that of {first.issuer}; give both the same account_key",
                )
        return first

    def _questions(self, rotation: Rotation, name: str, thumbprint: str) -> list[Question]:
        given = self._options.get("address")
        listeners = rotation.get("listeners") or []
        addresses = [given] if given else dict.fromkeys(str(one["address"]) for one in listeners)
        tls_port = next((int(one["port"]) for one in listeners if not one.get("starttls")), 443)
        names = frozenset(str(one).lower() for one in rotation["server_names"])
        port = int(self._options.get("port") or 80)
        return [Question(name, address, thumbprint, port, tls_port, names) for address in addresses]

    def _wrong_among(self, names: Sequence[_Name]) -> list[_Name]:
        """Those that are not answered rightly everywhere."""
        questions = [(one, question) for one in names for question in one.questions]
        for one in names:
            one.wrong = ""
        found = what_is_wrong([question for _one, question in questions], timeout=_PATIENCE)
        for (one, _question), wrong in zip(questions, found, strict=True):
            one.wrong = one.wrong or wrong or ""
        return [one for one in names if one.wrong]

    def _plan(self, names: Sequence[_Name], nginx: Mapping[str, Any] | None) -> Http01Plan:
        if not nginx or not nginx.get("ok", True):
            said = (nginx or {}).get("warnings") or "rotate_nginx_dump is empty"
            raise RotationError(
                "challenge_not_answered",
                f"{names[0].wrong}. What to do about it is not known, as nginx's configuration could not be printed: "
                f"{said}",
                remedy="Correct rotate_nginx_dump, or see to it yourself that the answer is right.",
            )
        return plan_http01(
            read_dump(nginx["configuration"]),
            dumped_files(nginx["configuration"]),
            [one.wanted for one in names],
            root=str(self._action.options["root"]),
            server_path=str(self._options["server_path"]),
            port=int(self._options.get("port") or 80),
        )

    def _on_host(self, names: Sequence[_Name], plan: Http01Plan) -> None:
        if not names:
            return
        accounts = {one.wanted.issuer: one.wanted.thumbprint for one in names}
        arguments = {
            **self._action.module_options("root", "files", "lock_timeout"),
            "responders": [{"issuer": issuer, "thumbprint": thumbprint} for issuer, thumbprint in accounts.items()],
            "includes": [_include(one) for one in self._insertions(names, plan)] if self._options.get("adopt") else [],
            "adopt": bool(self._options.get("adopt")),
            "servers": [asdict(server) for server in plan.servers],
            "server_path": self._options["server_path"],
            "nginx_dump": self._options.get("nginx_dump") or [],
            # What is on disk answers already for some: then nginx has not read it yet.
            "reload": any(one.wanted.name in plan.configured for one in names),
            "service": self._options.get("service") or {},
        }
        needing = [one.rotation for one in names if one.is_needed]
        if self._action.run_module(arguments, needing, "certops.rotation.http01_responder") is None:
            error = RotationError("challenge_not_answered", "the host could not be set up to answer challenges")
            for one in names:
                self._failing(one, error)

    def _insertions(self, names: Sequence[_Name], plan: Http01Plan) -> list[Insertion]:
        spots = [spot for one in names for spot in plan.insertions.get(one.wanted.name, [])]
        return list(dict.fromkeys(spots))

    def _left_to_others(self, names: Sequence[_Name], plan: Http01Plan) -> None:
        if self._options.get("adopt"):
            return
        for one in names:
            spots = plan.insertions.get(one.wanted.name)
            if spots:
                error = RotationError(
                    "challenge_not_answered",
                    f"{one.wrong}. Nginx does not include {spots[0].include.split()[1].rstrip(';')} there",
                    remedy=f"{'; '.join(spot.sentence for spot in spots)}. Or let it be done: rotate_http01_adopt.",
                    lines=[f"{spot.file}:{spot.line}: {spot.include}" for spot in spots],
                )
                self._failing(one, error)

    def _verify(self, names: Sequence[_Name], plan: Http01Plan) -> None:
        if self._action.check_mode:
            return
        deadline = time.monotonic() + float(self._options.get("deadline") or 0)
        wrong = self._wrong_among(names)
        while wrong and time.monotonic() < deadline:
            time.sleep(_POLL)
            wrong = self._wrong_among(wrong)
        for one in wrong:
            place = plan.configured.get(one.wanted.name) or snippet_path(
                str(self._action.options["root"]), one.wanted.issuer
            )
            self._failing(
                one,
                RotationError(
                    "challenge_not_answered",
                    f"{one.wrong}. Nginx on the host is set up to answer ({place}), but this is what a client gets",
                    remedy="Look for a firewall, a proxy or another server on that port; if the host is reached in "
                    "another way from outside, set rotate_http01_address and rotate_http01_port.",
                ),
            )

    def _one_account_each(self, names: Sequence[_Name]) -> list[_Name]:
        """Those that are needed first: a server block is whose it is first, and so is a name."""
        accounts: dict[str, str] = {}
        for one in sorted(names, key=lambda name: not name.is_needed):
            if accounts.setdefault(one.wanted.name, one.wanted.thumbprint) != one.wanted.thumbprint:
                error = RotationError("challenge_not_answered", f"{one.wanted.name} is to answer for another account")
                error.remedy = "Give the issuers of that name the same account_key."
                self._failing(one, error)
        return [one for one in sorted(names, key=lambda name: not name.is_needed) if one.is_open]

    def _failing(self, one: _Name, error: RotationError) -> None:
        """An error of the rotation; or a warning, where it can do without."""
        if one.is_needed:
            self._action.failing(one.rotation, error)
        elif one.is_open:
            one.is_given_up = True
            text = f"{one.wanted.issuer} could not validate {one.wanted.name} by http-01 if it had to: {error.message}"
            self._action.warn(one.rotation, f"{text}. {error.remedy}".rstrip())


@dataclass(frozen=True)
class _Account:
    """Of an issuer that validates by stateless http-01, at least where nothing else will do."""

    issuer: str
    thumbprint: str
    is_first: bool
    """No other challenge comes before."""


class _Accounts:
    """Each account's key is read once."""

    def __init__(self, issuers: Mapping[str, Any], *, may_make_keys: bool) -> None:
        self._issuers = issuers
        self._may_make_keys = may_make_keys
        self._known: dict[str, _Account | None] = {}

    def of(self, issuer: str) -> _Account | None:
        """None where the issuer proves names in another way."""
        if issuer not in self._known:
            entry = self._issuers.get(issuer) or {}
            may = self._may_make_keys
            self._known[issuer] = _account(issuer, entry, may_make_key=may) if _is_acme(entry) else None
        return self._known[issuer]


def _is_needed(issuers: Mapping[str, Any]) -> bool:
    return any(_is_acme(entry) for entry in issuers.values())


def _is_acme(entry: Any) -> bool:
    return isinstance(entry, Mapping) and entry.get("type") == "acme"


def _account(issuer: str, entry: Mapping[str, Any], *, may_make_key: bool) -> _Account | None:
    """With its key's thumbprint. A run in check mode makes no key, and then there is nothing to ask for yet."""
    # Where no issuer needs them, the ACME libraries are not loaded.
    from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_client import open_acme_client
    from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_config import read_config

    config = read_config(issuer, entry)
    by_http = next((one for one in config.challenges if one.type == "http-01"), None)
    if by_http is None or by_http.method != "stateless":
        return None
    try:
        client = open_acme_client(config if may_make_key else replace(config, create_account=False))
        return _Account(issuer, client.thumbprint, is_first=by_http is config.challenges[0])
    except RotationError as error:
        if error.code == "acme_account_key_missing" and not may_make_key:
            return None
        raise


def _include(spot: Insertion) -> dict[str, Any]:
    return {"path": spot.file, "line": spot.line, "column": spot.column, "text": spot.text, "issuer": spot.issuer}
