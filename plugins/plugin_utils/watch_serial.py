# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the CRL of a CA says about a serial number whose certificate nobody has at hand.

The judge of CRLs is asked about a stand-in: a certificate of that serial, issuer and distribution point, and nothing
else. It is signed with a key that is thrown away, so it never gets further than that question.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._ansible.judging_options import memory_from, read_file
from ansible_collections.certops.rotation.plugins.module_utils._ansible.question import Question
from ansible_collections.certops.rotation.plugins.module_utils._ansible.sources import Sources
from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import read_certificate
from ansible_collections.certops.rotation.plugins.module_utils._core.conclude import conclude
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import ec, hashes, x509
from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import RevocationPolicy, Verdict
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient

_RETRIES = 2


class SerialJudge:
    """One for a poll; a CRL is fetched, verified and indexed once.

    :param options: ``timeout``, ``cache_dir`` and ``revalidate`` of the event source.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        timeout = options["timeout"]
        self._policy = RevocationPolicy()
        self._sources = Sources(
            HttpClient(timeout=timeout, retries=_RETRIES),
            self._policy,
            check_signer=_only_the_issuer,
            memory=memory_from(
                options["cache_dir"], timeout=timeout, warn=lambda _text: None, always_ask=options["revalidate"]
            ),
        )

    def verdict(self, serial: str, issuer_path: str, crl_url: str, at: datetime) -> tuple[Verdict, x509.Certificate]:
        """The verdict by the CRL at that URL alone, and the issuer's certificate.

        :raises RotationError: ``file_unreadable``, ``not_a_certificate``, ``serial_invalid``.
        """
        issuer = read_certificate(read_file(issuer_path), issuer_path)
        certificate = _stand_in(serial, issuer, crl_url, at)
        question = Question(certificate, issuer, at, path=(certificate, issuer))
        findings = list(self._sources.crls(question).fetched())
        return conclude(findings, certificate=certificate, at=at, policy=self._policy), issuer


def _stand_in(serial: str, issuer: x509.Certificate, crl_url: str, at: datetime) -> x509.Certificate:
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .issuer_name(issuer.subject)
        .subject_name(x509.Name([]))
        .public_key(key.public_key())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=1))
        .add_extension(x509.CRLDistributionPoints([point]), critical=False)
    )
    try:
        return builder.serial_number(int(serial, 16)).sign(key, hashes.SHA256())
    except ValueError as error:
        raise RotationError("serial_invalid", f"{serial} cannot be the serial number of a certificate") from error


def _only_the_issuer(_signer: x509.Certificate, _question: Question) -> RotationError:
    return RotationError("signer_not_authorised", "signed by another certificate than the issuer's")
