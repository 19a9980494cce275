# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An internal CA in a folder, for tests: made, opened, and ordered from.

ca = make_ca(tmp_path, publisher.url, ocsp=True)
[issued] = ca.issuer().issue([order("shop", ["shop.example.org"])])
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

from ansible_collections.certops.rotation.plugins.module_utils._issuers import ca_creation, ca_upkeep
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_creation import Identity
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_directory import CaDirectory
from ansible_collections.certops.rotation.plugins.module_utils._issuers.internal_ca import InternalCa
from ansible_collections.certops.rotation.plugins.module_utils._issuers.protocol import (
    Issued,
    Order,
    Receipt,
    Revocation,
)
from ansible_collections.certops.rotation.tests.support.pki import make_csr, make_key
from cryptography import x509

_Outcome = TypeVar("_Outcome")


@dataclasses.dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = dataclasses.field(default_factory=lambda: datetime.now(timezone.utc).replace(microsecond=0))

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclasses.dataclass(frozen=True)
class TestCa:
    """Where a CA is, and its clock."""

    __test__ = False

    directory: Path
    published: Path
    clock: Clock
    passphrase: str | None = None

    def open(self) -> CaDirectory:
        return CaDirectory(self.directory, self.passphrase)

    def issuer(self) -> InternalCa:
        return InternalCa(self.open(), clock=self.clock)

    def issued(self, orders: Sequence[Order]) -> list[Issued]:
        """Certificates for the orders; fails with the first refusal."""
        return [_granted(outcome, Issued) for outcome in self.issuer().issue(orders)]

    def revoked(self, revocations: Sequence[Revocation]) -> list[Receipt]:
        """Receipts for the revocations; fails with the first refusal."""
        return [_granted(outcome, Receipt) for outcome in self.issuer().revoke(revocations)]

    def refresh(self) -> ca_upkeep.Due:
        return ca_upkeep.refresh(self.open(), at=self.clock())

    def crl(self, name: str = "intermediate.crl") -> x509.CertificateRevocationList:
        return x509.load_der_x509_crl((self.published / name).read_bytes())

    def crl_number(self, name: str = "intermediate.crl") -> int:
        return self.crl(name).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def make_ca(
    folder: Path,
    base_url: str,
    identity: Identity = Identity(),  # noqa: B008 (frozen)
    *,
    passphrase: str | None = None,
    clock: Clock | None = None,
    **options: Any,
) -> TestCa:
    """A CA in ``folder/ca`` that publishes to ``folder/public``; ``options`` are those of Settings."""
    ca = TestCa(folder / "ca", folder / "public", clock or Clock(), passphrase)
    given = {"base_url": base_url, "publish_directory": str(ca.published), **options}
    plan = ca_creation.plan_present(ca.directory, given, identity)
    ca_creation.apply_plan(ca.directory, plan, identity, passphrase, at=ca.clock())
    ca.refresh()
    return ca


def order(name: str, names: Sequence[str] | None = None, *, key: Any = None, **more: Any) -> Order:
    """An order with a request for a fresh key."""
    names = names if names is not None else [f"{name}.example.org"]
    return Order("web1", name, make_csr(names, key or make_key()), tuple(names), **more)


def leaf_of(issued: Issued) -> x509.Certificate:
    """The leaf of what was issued."""
    return x509.load_pem_x509_certificate(issued.chain_pem.encode())


def _granted(outcome: object, wanted: type[_Outcome]) -> _Outcome:
    if not isinstance(outcome, wanted):
        raise AssertionError(f"refused: {outcome!r}")
    return outcome
