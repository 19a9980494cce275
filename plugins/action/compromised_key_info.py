# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what a key signed: in the inventory, in Certificate Transparency; and whether others know the key."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import certificate_facts, serial_hex
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.key_identity import (
    KeyIdentity,
    from_fingerprint,
    identify,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.key_use import KeyUse, SeenCertificate, key_use
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text
from ansible_collections.certops.rotation.plugins.module_utils._core.transparency import domains_to_ask, elsewhere
from ansible_collections.certops.rotation.plugins.module_utils._core.weak_key import (
    Weakness,
    read_blocklist,
    weaknesses,
    weaknesses_as_data,
)
from ansible_collections.certops.rotation.plugins.module_utils._fetch.answer_cache import AnswerCache
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient
from ansible_collections.certops.rotation.plugins.module_utils._fetch.key_databases import Answer, KeyDatabases
from ansible_collections.certops.rotation.plugins.modules.compromised_key_info import ARGUMENT_SPEC
from ansible_collections.certops.rotation.plugins.plugin_utils.badkeys import badkeys_weaknesses
from ansible_collections.certops.rotation.plugins.plugin_utils.collected import collected
from ansible_collections.certops.rotation.plugins.plugin_utils.packing import unpack
from ansible_collections.certops.rotation.plugins.plugin_utils.plain_data import plain
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import RotationAction, by_host

_GIVEN = ("path", "content", "spki_sha256")


class ActionModule(RotationAction):
    """Reads, asks, and tells; changes nothing."""

    _requires_connection = False
    step = "detect"
    argument_spec = ARGUMENT_SPEC

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(None, task_vars)
        self.task_vars = task_vars or {}
        try:
            self.options = self.validated_options(self._task.args)
            result: dict[str, Any] = plain(self._work())
        except RotationError as error:
            return {"failed": True, "changed": False, **plain(error.as_result())}
        return result

    def _work(self) -> dict[str, Any]:
        key = self._key()
        use = key_use(self._rotations(), key.spki_sha256)
        key = _with_public_key(key, use)
        answers = self._answers(key, use)
        found, answer = self._weaknesses(key)
        answers += [answer] if answer else []
        serials = [one.facts.serial for one in use.certificates]
        logged = [one for each in answers for one in each.certificates]
        return {
            "changed": False,
            "subject": _subject(key),
            "compromised": any(one.is_computable for one in found) or any(one.is_known for one in answers),
            "weaknesses": weaknesses_as_data(found),
            "hosts": use.hosts,
            "certificates": [_certificate(one) for one in use.certificates],
            "keys": [asdict(one) for one in use.holdings],
            "elsewhere": [one.as_dict() for one in elsewhere(logged, serials)],
            "answers": [one.as_dict() for one in answers],
            "not_answered": [one.source for one in answers if one.state != "answered"],
        }

    def _key(self) -> KeyIdentity:
        given = [name for name in _GIVEN if self.options.get(name)]
        if len(given) != 1:
            raise RotationError("arguments_invalid", f"exactly one of {', '.join(_GIVEN)} is needed")
        if self.options.get("spki_sha256"):
            return from_fingerprint(self.options["spki_sha256"])
        if self.options.get("content"):
            return _identify_text(self.options["content"])
        path = self.options["path"]
        return identify(_content(path), path, self.options.get("passphrase"))

    def _rotations(self) -> dict[str, list[dict[str, Any]]]:
        given = self.options.get("rotations") or {}
        rotations = by_host({str.__str__(host): unpack(of_host) for host, of_host in given.items()})
        if self.options.get("collect"):
            rotations = by_host(collected(rotations, self.task_vars, self.options["collect"]))
        return rotations

    def _weaknesses(self, key: KeyIdentity) -> tuple[list[Weakness], Answer | None]:
        """What is wrong with the key itself, and what badkeys answered if it was asked."""
        blocklist = frozenset[str]().union(
            *(read_blocklist(_content(path).decode("ascii", "replace")) for path in self.options["blocklist_paths"])
        )
        found = list(weaknesses(key.public_key, blocklist)) if key.public_key is not None else []
        if key.public_key is None and key.spki_sha256 in blocklist:
            found = [Weakness("blocklisted", "the key is on a list of known keys", True)]
        if "badkeys" not in self.options["databases"]:
            return found, None
        answer = Answer("badkeys")
        try:
            if key.public_key is None:
                raise RotationError("key_unknown", "badkeys needs the public key, not its fingerprint alone")
            more, answer.detail = badkeys_weaknesses(key.public_key)
            answer.is_known = bool(more)
            found += more
        except RotationError as error:
            answer.error, answer.state = error, "not_answered"
        return found, answer

    def _answers(self, key: KeyIdentity, use: KeyUse) -> list[Answer]:
        """All databases are asked at once: each may take as long as its time limit."""
        options, spki = self.options, key.spki_sha256
        # None of them redirects, and a token must not follow one.
        http = HttpClient(timeout=options["timeout"], max_redirects=0)
        cache = AnswerCache(options["cache_directory"] or None, timedelta(hours=options["cache_hours"]))
        ask = KeyDatabases(http, cache)
        domains = domains_to_ask(options["domains"] or _names(key, use))
        asked = {
            "crt_sh": lambda: ask.crt_sh(options["crt_sh_url"], spki),
            "certspotter": lambda: ask.certspotter(
                options["certspotter_url"], spki, domains, options.get("certspotter_token")
            ),
            "pwnedkeys": lambda: ask.pwnedkeys(options["pwnedkeys_url"], spki, key.public_key),
        }
        wanted = [name for name in asked if name in [*options["transparency"], *options["databases"]]]
        with ThreadPoolExecutor(len(asked)) as pool:
            return list(pool.map(lambda name: asked[name](), wanted))


def _identify_text(text: str) -> KeyIdentity:
    if "PRIVATE KEY-----" in text:
        raise RotationError(
            "private_key_in_task",
            "content holds a private key, and what stands in a task is seen by many",
            remedy="Give its path on the control node. Treat that key as published from now on.",
        )
    return identify(text.encode(), "content")


def _with_public_key(key: KeyIdentity, use: KeyUse) -> KeyIdentity:
    """A fingerprint becomes a key where a certificate with it was found."""
    if key.public_key is not None or not use.certificates:
        return key
    found = identify(use.certificates[0].pem.encode(), "a certificate that was found")
    return KeyIdentity(key.spki_sha256, key.kind, found.public_key, key.certificate)


def _names(key: KeyIdentity, use: KeyUse) -> Iterable[str]:
    of_subject = certificate_facts(key.certificate).names if key.certificate is not None else ()
    return (*of_subject, *(name for one in use.certificates for name in one.facts.names))


def _subject(key: KeyIdentity) -> dict[str, Any]:
    return {
        "kind": key.kind,
        "spki_sha256": key.spki_sha256,
        "key_type": key.key_type,
        "serial": serial_hex(key.certificate.serial_number) if key.certificate is not None else None,
    }


def _certificate(one: SeenCertificate) -> dict[str, Any]:
    return {
        "serial": one.facts.serial,
        "sha256": one.facts.sha256,
        "names": list(one.facts.names),
        "is_ca": one.facts.is_ca,
        "issuer": one.issuer,
        "issuer_name": one.facts.issuer,
        "not_before": as_text(one.facts.not_before),
        "not_after": as_text(one.facts.not_after),
        "certificate_pem": one.pem,
        "chain_pem": one.chain_pem,
        "seen": [asdict(sighting) for sighting in one.sightings],
    }


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise RotationError("file_unreadable", f"{path} cannot be read: {error.strerror}", path=path) from error
