# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may sign CRLs: not only the key that signed the certificate (RFC 5280 6.3.3 f).

A CA changes its key and signs all its CRLs with the new one, or has a key for CRLs alone; an indirect CRL is signed by
someone else altogether. What they have in common with the certificate is the trust anchor.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import subject_key_id
from ansible_collections.certops.rotation.plugins.module_utils._core.chain import Path, check_path, find_path
from ansible_collections.certops.rotation.plugins.module_utils._core.crl import UnverifiedCrl
from ansible_collections.certops.rotation.plugins.module_utils._core.distinguished_name import (
    Comparable,
    comparable,
    is_same_name,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import Reason


def possible_signers(crl: UnverifiedCrl, certificates: Iterable[x509.Certificate]) -> list[x509.Certificate]:
    """Those of ``certificates`` that bear the name of the CRL's issuer and may have the key that the CRL names."""
    found: dict[x509.Certificate, None] = {}
    for certificate in certificates:
        if is_same_name(certificate.subject, crl.name):
            ski = subject_key_id(certificate)
            if crl.key_id is None or ski is None or crl.key_id == ski:
                found[certificate] = None
    return list(found)


def signer_path(signer: x509.Certificate, *, path: Path, others: Sequence[x509.Certificate], at: datetime) -> Path:
    """The path from a signer of CRLs to the anchor of ``path``, which is that of a certificate, itself first.

    A signer that has the name of the certificate's issuer must also come from where the issuer comes from: any CA under
    the same anchor can certify this name for a key of its own.

    :raises RotationError: ``signer_not_authorised``.
    """
    anchor = path[-1]
    try:
        found = find_path(signer, (*path, *others), [anchor])
        check_path(found, at=at, for_server=False)
    except RotationError as error:
        raise RotationError(Reason.SIGNER_NOT_AUTHORISED.value, f"signed with another key: {error.message}") from error
    if is_same_name(signer.subject, path[1].subject) and _lineage(found) != _lineage(path[1:]):
        message = "signed with another key, which was certified by another CA than the issuer's key"
        raise RotationError(Reason.SIGNER_NOT_AUTHORISED.value, message)
    return found


def _lineage(path: Path) -> list[Comparable]:
    """The names up to the anchor; a CA that certifies another key of its own is one and the same."""
    names = [comparable(certificate.subject) for certificate in path]
    return [name for index, name in enumerate(names) if index == 0 or name != names[index - 1]]
