# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a step trusts, and the judge it makes of that."""

from __future__ import annotations

import contextlib
import ssl
import warnings
from collections.abc import Mapping
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging import Judging
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import extension, read_certificates
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import RevocationPolicy
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient
from ansible_collections.certops.rotation.plugins.module_utils._issuers.registry import open_issuer
from cryptography import x509


def judging(options: Mapping[str, Any], notes: list[str]) -> Judging:
    """One judge for the whole step, with the options of ``TRUST_SPEC``."""
    http = HttpClient(timeout=options["timeout"])
    return Judging(http=http, policy=RevocationPolicy(), anchors=trust_anchors(options, notes))


def trust_anchors(options: Mapping[str, Any], notes: list[str]) -> list[x509.Certificate]:
    """The roots of the issuers, those in files, and the system's. RotationError ``trust_anchor_unreadable``.

    An issuer that cannot be opened costs a warning: its certificates become unknown, and nothing worse.
    """
    anchors: list[x509.Certificate] = []
    for name in options["issuers"]:
        try:
            anchors.extend(open_issuer(name, options["issuers"]).trust_anchors())
        except RotationError as error:
            notes.append(f"issuer {name}: {error.message} ({error.code})")
    for path in options["trust_anchors"]:
        anchors.extend(certificates_in(path))
    return [*anchors, *_system_anchors()]


def certificates_in(path: str) -> list[x509.Certificate]:
    """The certificates in a file on the control node."""
    try:
        with open(path, "rb") as file:
            return read_certificates(file.read(), path)
    except OSError as exc:
        raise RotationError(
            "trust_anchor_unreadable",
            f"{path} cannot be read: {exc.strerror or exc}",
            remedy="Correct rotate_trust_anchors, or make the file readable.",
            path=path,
        ) from exc


def _system_anchors() -> list[x509.Certificate]:
    """What the system trusts; nothing where it has no such file or an unreadable one."""
    path = ssl.get_default_verify_paths().cafile
    with warnings.catch_warnings():
        # Old roots have serials that RFC 5280 does not allow; that they are still shipped is not ours to tell.
        warnings.simplefilter("ignore")
        try:
            anchors = certificates_in(path) if path else []
        except RotationError:
            return []
        for anchor in anchors:
            with contextlib.suppress(RotationError):
                extension(anchor, x509.BasicConstraints)  # decoding warns once more; what is decoded here, is kept
    return anchors
