# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an entry of ``challenge`` to the solver it means."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.by_command import ByCommand
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.dns01_rfc2136 import (
    Dns01Rfc2136,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.dns_persist01 import (
    DnsPersist01,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.http01_directory import (
    Http01Directory,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.http01_stateless import (
    Http01Stateless,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.http01_webroot import (
    Http01Webroot,
)
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.task import Solver
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_config import AcmeConfig
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_options import Options

# One line for each way, in alphabetical order.
SOLVERS: dict[tuple[str, str], Callable[[Options], Solver]] = {
    ("dns-01", "command"): lambda options: ByCommand("dns-01", options),
    ("dns-01", "rfc2136"): Dns01Rfc2136,
    ("dns-persist-01", "declared"): DnsPersist01,
    ("http-01", "command"): lambda options: ByCommand("http-01", options),
    ("http-01", "directory"): Http01Directory,
    ("http-01", "stateless"): Http01Stateless,
    ("http-01", "webroot"): Http01Webroot,
}


def solvers_of(config: AcmeConfig) -> list[Solver]:
    """In the order they are to be tried.

    :raises RotationError: ``issuer_invalid``, ``name_server_invalid``, ``tsig_key_invalid``.
    """
    return [SOLVERS[one.type, one.method](Options(config.name, one.options, "challenge.")) for one in config.challenges]
