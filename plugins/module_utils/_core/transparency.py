# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What searches of Certificate Transparency logs answer: crt.sh and Cert Spotter, read with mistrust.

None of it is signed, so it is a hint on where to look, never a verdict.
"""

from __future__ import annotations

import dataclasses
import json
import re
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_facts,
    extension,
    read_certificate,
    serial_hex,
    to_pem,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.moments import as_text, from_text

_HEX = re.compile(r"[0-9a-fA-F]+\Z")
_DOMAIN = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9_](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}\Z")


@dataclass(frozen=True)
class LoggedCertificate:
    """One certificate of the logs."""

    serial: str | None
    issuer: str
    names: tuple[str, ...]
    not_before: datetime | None
    not_after: datetime | None
    url: str | None = None
    """Where a person can look at it"""
    sha256: str | None = None
    certificate_pem: str | None = None
    is_precertificate: bool = False
    """Only the announcement is in the logs: the certificate was nearly certainly issued too (RFC 6962 section 3.1)"""
    is_revoked: bool | None = None
    """As the search says; None where it says nothing"""

    def as_dict(self) -> dict[str, Any]:
        """As it stands in results."""
        return {
            **dataclasses.asdict(self),
            "names": list(self.names),
            "not_before": as_text(self.not_before) if self.not_before else None,
            "not_after": as_text(self.not_after) if self.not_after else None,
        }


def crt_sh_url(base_url: str, spki_sha256: str) -> str:
    return f"{base_url.rstrip('/')}/?spkisha256={spki_sha256}&output=json"


def read_crt_sh(body: bytes, base_url: str) -> list[LoggedCertificate]:
    """crt.sh's answer to ``crt_sh_url``. RotationError ``answer_unreadable``."""
    found: dict[tuple[str, str | None], LoggedCertificate] = {}
    for row in _rows(body, "crt.sh"):
        serial = row.get("serial_number")
        one = LoggedCertificate(
            serial=serial_hex(int(serial, 16)) if isinstance(serial, str) and _HEX.match(serial) else None,
            issuer=_text(row.get("issuer_name")),
            names=_names([row.get("common_name"), *str(row.get("name_value") or "").splitlines()]),
            not_before=_moment(row.get("not_before")),
            not_after=_moment(row.get("not_after")),
            url=f"{base_url.rstrip('/')}/?id={row['id']}" if isinstance(row.get("id"), int) else None,
        )
        # The log has the precertificate and the certificate; they share their serial.
        found.setdefault((one.issuer, one.serial), one)
    return list(found.values())


def certspotter_url(base_url: str, domain: str, after: str | None = None) -> str:
    query = [("domain", domain), ("include_subdomains", "true"), ("match_wildcards", "true")]
    query += [("expand", what) for what in ("dns_names", "issuer", "revocation", "cert_der")]
    query += [("after", after)] if after else []
    return f"{base_url.rstrip('/')}/issuances?{urlencode(query)}"


def read_certspotter(body: bytes, spki_sha256: str) -> tuple[list[LoggedCertificate], str | None]:
    """Those of one page that have the key, and the id to go on after; None where this was the last page.

    :raises RotationError: ``answer_unreadable``.
    """
    rows = _rows(body, "Cert Spotter")
    mine = [row for row in rows if str(row.get("pubkey_sha256")).lower() == spki_sha256]
    last = rows[-1].get("id") if rows else None
    return [_issuance(row) for row in mine], last if isinstance(last, str) and last.isalnum() else None


def domains_to_ask(names: Iterable[str]) -> list[str]:
    """The fewest domains whose subdomains include all of ``names``; names that no log can have are left out."""
    wanted = {name.lower().rstrip(".").removeprefix("*.") for name in names}
    valid = sorted(name for name in wanted if _DOMAIN.match(name) and not name.rpartition(".")[2].isdigit())
    return [name for name in valid if not any(name.endswith("." + other) for other in valid)]


def elsewhere(logged: Iterable[LoggedCertificate], known_serials: Iterable[str]) -> list[LoggedCertificate]:
    """Certificates of the logs that nobody knows of here, each once."""
    known = set(known_serials)
    found: dict[tuple[str | None, str | None], LoggedCertificate] = {}
    for one in logged:
        if one.serial not in known:
            key = (one.serial, None if one.serial else one.sha256 or one.url)
            if key not in found or (one.certificate_pem and not found[key].certificate_pem):
                found[key] = one
    return list(found.values())


def _issuance(row: dict[str, Any]) -> LoggedCertificate:
    issuer, names, revoked = row.get("issuer"), row.get("dns_names"), row.get("revoked")
    base = LoggedCertificate(
        serial=None,
        issuer=_text(issuer.get("name")) if isinstance(issuer, dict) else "",
        names=_names(names if isinstance(names, list) else []),
        not_before=_moment(row.get("not_before")),
        not_after=_moment(row.get("not_after")),
        sha256=_sha256(row.get("cert_sha256")),
        is_revoked=revoked if isinstance(revoked, bool) else None,
    )
    return _with_certificate(base, row.get("cert_der"))


def _with_certificate(base: LoggedCertificate, data: object) -> LoggedCertificate:
    """With what the certificate itself says, if it was sent along and can be read."""
    try:
        certificate = read_certificate(b64decode(str(data or ""), validate=True))
        facts = certificate_facts(certificate)
        is_precertificate = extension(certificate, x509.PrecertPoison) is not None
    except (RotationError, ValueError):
        return base
    return dataclasses.replace(
        base,
        serial=facts.serial,
        issuer=facts.issuer,
        names=facts.names or base.names,
        sha256=facts.sha256,
        # A CA revokes certificates; the announcement has the same serial and cannot be sent in its place.
        certificate_pem=None if is_precertificate else to_pem(certificate),
        is_precertificate=is_precertificate,
    )


def _rows(body: bytes, who: str) -> Sequence[dict[str, Any]]:
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError) as exc:
        found = "an HTML page" if body.lstrip()[:1] == b"<" else "nothing" if not body.strip() else "something else"
        raise _unreadable(who, found) from exc
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _unreadable(who, "JSON of another shape")
    return rows


def _unreadable(who: str, found: str) -> RotationError:
    return RotationError("answer_unreadable", f"{who} sent {found} instead of a list of certificates", found=found)


def _names(names: Iterable[object]) -> tuple[str, ...]:
    """Names that may be one. crt.sh has the searched fingerprint among them."""
    texts = (_text(name).strip().lower() for name in names if isinstance(name, str))
    return tuple(dict.fromkeys(text for text in texts if text and not re.fullmatch(r"[0-9a-f]{64}", text)))


def _moment(text: object) -> datetime | None:
    try:
        return from_text(text) if isinstance(text, str) else None
    except RotationError:
        return None


def _sha256(text: object) -> str | None:
    return text.lower() if isinstance(text, str) and re.fullmatch(r"[0-9a-fA-F]{64}", text) else None


def _text(value: object) -> str:
    """Printable and of a sane length: it goes to terminals and reports."""
    text = value if isinstance(value, str) else ""
    return "".join(character if character.isprintable() else " " for character in text)[:300]
