# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the vectors about CRLs share: the usual hierarchy without a responder, CRLs fetched or given as files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import RevocationPolicy
from ansible_collections.certops.rotation.tests.conformance import crl_writer
from ansible_collections.certops.rotation.tests.conformance import der_writer as writer
from ansible_collections.certops.rotation.tests.conformance.hierarchy import (
    AT,
    CA_CRL,
    ROOT_CRL,
    Hierarchy,
    hierarchy,
    leaf_of,
)
from ansible_collections.certops.rotation.tests.conformance.keys import key
from ansible_collections.certops.rotation.tests.conformance.vector import Case, Expected, Page
from ansible_collections.certops.rotation.tests.support.pki import (
    DAY,
    HOUR,
    Authority,
    Issued,
    key_usage,
)
from cryptography import x509

DELTA = "http://crl.vectors.example/delta.crl"
ODD = "1.3.6.1.4.1.55555.1"
"""an extension that nobody knows"""
OFFLINE = RevocationPolicy(fetch=False)
WORLD = hierarchy(ocsp=False)
"""its leaf names CA_CRL and nothing else"""


def fetched(crl: Page, expected: Expected, **wanted: Any) -> Case:
    """The usual leaf; ``crl`` stands at CA_CRL, and the root's clean one at ROOT_CRL."""
    world: Hierarchy = wanted.pop("world", WORLD)
    pages = {CA_CRL: crl, ROOT_CRL: world.root_crl, **wanted.pop("pages", {})}
    return Case(chain=wanted.pop("chain", world.chain), anchors=world.anchors, pages=pages, expected=expected, **wanted)


def given(crls: Sequence[bytes], expected: Expected, **wanted: Any) -> Case:
    """The usual leaf; these CRLs and the root's are given as files, and nothing is fetched."""
    world: Hierarchy = wanted.pop("world", WORLD)
    leaf: Issued = wanted.pop("leaf", world.leaf)
    wanted.setdefault("policy", OFFLINE)
    chain = (*leaf.chain, *wanted.pop("others", ()))
    root_crl = wanted.pop("root_crl", None) or world.root_crl
    return Case(chain=chain, anchors=world.anchors, crls=[*crls, root_crl], expected=expected, **wanted)


def written(**wanted: Any) -> bytes:
    """A CRL of the usual CA, written by hand: what ``cryptography`` refuses to build."""
    wanted.setdefault("key", WORLD.ca.key)
    wanted.setdefault("this_update", AT - HOUR)
    wanted.setdefault("next_update", AT + 7 * DAY)
    return crl_writer.crl(WORLD.ca.subject, **wanted)


def entry(serial: int, *extensions: bytes) -> crl_writer.Entry:
    return crl_writer.Entry(serial, AT - 2 * HOUR, extensions)


def reason(code: int) -> bytes:
    """A reasonCode extension."""
    return writer.extension("2.5.29.21", writer.enumerated(code))


def odd_extension(*, critical: bool) -> bytes:
    return writer.extension(ODD, writer.NULL, critical=critical)


def number_of(value: int) -> bytes:
    """A cRLNumber extension."""
    return writer.extension("2.5.29.20", writer.integer(value))


def leaf_with(*points: x509.DistributionPoint, **wanted: Any) -> Issued:
    """A leaf of the usual CA with these distribution points, if any."""
    extra = [(x509.CRLDistributionPoints(points), False)] if points else []
    return leaf_of(WORLD.ca, extra=[*extra, *wanted.pop("extra", [])], **wanted)


def point_at(
    *urls: str, reasons: frozenset[x509.ReasonFlags] | None = None, crl_issuer: x509.Name | None = None
) -> x509.DistributionPoint:
    names = [x509.UniformResourceIdentifier(url) for url in urls]
    issuers = [x509.DirectoryName(crl_issuer)] if crl_issuer else None
    return x509.DistributionPoint(names or None, None, reasons, issuers)


def signer(
    name: str, issuer: Authority, *, key_name: str = "crl-signer", serial: int = 0x0C, **wanted: Any
) -> Authority:
    """Who signs CRLs: a certificate of this name, by default no CA and with nothing but cRLSign."""
    wanted.setdefault("usage", key_usage("crl_sign"))
    wanted.setdefault("not_before", AT - 365 * DAY)
    wanted.setdefault("not_after", AT + 1825 * DAY)
    made = issuer.delegate(name, key=key(key_name), nocheck=False, eku=[], serial=serial, **wanted)
    return Authority(made.certificate, made.key, AT)
