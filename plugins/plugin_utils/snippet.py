# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nginx snippet of a release, rendered for each way of stapling; the host chooses among them.

Stapling is decided by the certificate: without an OCSP URL in it, nginx warns at every reload of a directive that it
ignores, so there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import jinja2
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

_WAYS = ("off", "nginx", "file")
_HTTP_PORT = 80
# An expression in a template may fail like any other.
_FAULTS = (jinja2.TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def snippets(template: str, rotation: Mapping[str, Any], root: str, resolvers: list[str]) -> dict[str, str]:
    """The template's text for each way of stapling. RotationError ``snippet_template_invalid``.

    The template knows ``name``, ``live`` (folder), ``stapling`` (off, nginx, file), ``companion_of``, ``ocsp_urls``,
    ``must_staple``, ``server_names``, ``listeners`` and ``resolvers``.
    """
    issued = rotation.get("issued") or {}
    known = {
        "name": rotation["name"],
        "live": f"{root}/{rotation['name']}/live",
        "companion_of": rotation.get("companion_of"),
        "ocsp_urls": issued.get("ocsp_urls") or [],
        "must_staple": bool(issued.get("must_staple")),
        "server_names": rotation.get("server_names") or [],
        "listeners": rotation.get("listeners") or [],
        "resolvers": resolvers,
    }
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    try:
        compiled = environment.from_string(template)
        return {way: compiled.render(stapling=way, **known) for way in _WAYS}
    except _FAULTS as exc:
        raise RotationError(
            "snippet_template_invalid",
            f"The snippet for {rotation['name']} can't be rendered: {exc}",
            remedy="Correct rotate_snippet_template.",
        ) from exc


def responder(rotation: Mapping[str, Any]) -> dict[str, Any] | None:
    """Host and port of the OCSP responder that the new certificate names; None if it names none."""
    for url in (rotation.get("issued") or {}).get("ocsp_urls") or ():
        parts = urlsplit(url)
        if parts.hostname:
            return {"host": parts.hostname, "port": parts.port or _HTTP_PORT}
    return None
