# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""http-01 without any file: the web server answers each token with the account's thumbprint, always.

Nothing is to be done for an order. The snippet that answers is put on the hosts once, see ``http01_thumbprint`` of
the issuer.
"""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_challenges.task import Task
from ansible_collections.certops.rotation.plugins.module_utils._issuers.acme_options import Options


class Http01Stateless:
    """The CA is just told to look."""

    type = "http-01"

    def __init__(self, options: Options) -> None:
        options.no_more()

    def provide(self, tasks: Sequence[Task]) -> None:
        """Nothing: the answer is always there."""

    def withdraw(self, tasks: Sequence[Task]) -> None:
        """Nothing: the answer stays."""
