# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the CA in an empty database: a root, and an intermediate that ACME clients order from. Prints nothing."""

from __future__ import annotations

import os
import sys
from typing import Any


def make() -> None:
    from django.core.management import call_command
    from django_ca.models import CertificateAuthority

    quiet: dict[str, Any] = {"verbosity": 0}
    call_command("migrate", **quiet)
    call_command("init_ca", "Root", "CN=django-ca root", "--key-type=EC", "--path-length=1", "--output-format=none")
    root = CertificateAuthority.objects.get(name="Root").serial
    call_command("init_ca", "Issuing", "CN=django-ca issuing", "--key-type=EC", f"--parent={root}",
                 "--path-length=0", "--acme-enable", "--acme-contact-optional", "--output-format=none")  # fmt: skip
    publish()


def publish() -> None:
    """Keys for OCSP where there are none, and CRLs of this moment."""
    from django_ca.celery.messages import UseCertificateAuthoritiesTaskArgs
    from django_ca.tasks import generate_crls, generate_ocsp_keys

    # The commands of these names pass one argument too many where Celery is not installed.
    generate_ocsp_keys(UseCertificateAuthoritiesTaskArgs(serials=[], exclude=[], force=False))
    generate_crls(UseCertificateAuthoritiesTaskArgs(serials=[], exclude=[], force=True))


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "ca_settings"
    import django

    django.setup()
    {"make": make, "publish": publish}[sys.argv[1]]()
