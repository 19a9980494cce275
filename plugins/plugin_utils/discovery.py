# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a host said of its nginx to the certificates that are to be taken care of there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.nginx_rotations import rotations_from_vhosts
from ansible_collections.certops.rotation.plugins.plugin_utils.nginx_dump import read_dump

_DEFAULTS = ("issuer", "key", "must_staple")


def discovered(
    nginx: Mapping[str, Any] | None, request: Mapping[str, Any], root: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]:
    """Rotations, virtual hosts, and sentences about what could not be understood.

    :param nginx: what the host module returned of ``nginx -T``.
    :param request: what the role says of the host: ``address``, ``issuer``, ``key``, ``must_staple``.
    """
    if not nginx:
        return [], [], []
    if not nginx.get("ok", True):
        raise RotationError(
            "configuration_unreadable",
            f"The configuration could not be printed: {nginx.get('warnings') or 'no output'}",
            remedy="Declare the certificates in rotate_certificates, or correct the command in rotate_nginx_dump.",
        )
    configuration = read_dump(nginx["configuration"])
    vhosts = configuration.vhosts()
    defaults = {name: request[name] for name in _DEFAULTS if request.get(name) is not None}
    rotations, problems = rotations_from_vhosts(vhosts, str(request.get("address") or "localhost"), defaults, root)
    found = [*configuration.problems, *problems]
    sentences = [f"{one.file}:{one.line}: {one.text} ({one.code})" for one in found]
    return rotations, [vhost.as_dict() for vhost in vhosts], sentences
