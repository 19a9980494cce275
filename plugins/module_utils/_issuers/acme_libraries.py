# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ACME library of the certbot project and what comes with it, or a clear word where they are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import library

__all__ = ["ACME_ERRORS", "acme_client", "acme_errors", "acme_jws", "josepy", "messages", "requests"]

if TYPE_CHECKING:
    import josepy
    import requests
    from acme import client as acme_client
    from acme import errors as acme_errors
    from acme import jws as acme_jws
    from acme import messages
else:
    acme_client = library("acme.client")
    acme_errors = library("acme.errors")
    acme_jws = library("acme.jws")
    messages = library("acme.messages")
    josepy = library("josepy")
    requests = library("requests")

# What the library raises for answers that are not what RFC 8555 says.
ACME_ERRORS: tuple[type[Exception], ...] = (acme_errors.Error, josepy.errors.Error)
