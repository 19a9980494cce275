# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One round in which hosts of the lab need a new certificate: what was before, and what must hold afterwards."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Sequence

from ansible_collections.certops.rotation.tests.support.lab_host import Installed, Served, installed, served
from ansible_collections.certops.rotation.tests.support.lab_world import LabWorld
from ansible_collections.certops.rotation.tests.support.witness import crl_says

_NUMBERS = itertools.count(1)
_IN_OPENSSL_S_WORDS = {"superseded": "Superseded", "keyCompromise": "Key Compromise"}


class Round:
    """Remembers what the hosts serve and hold, and makes a rotation due: by one more name, or by a revocation.

    By a name, because then the predecessor is neither revoked nor compromised, and because that is settled with the
    rotation: the next run has nothing to do.
    """

    def __init__(self, world: LabWorld, hosts: Sequence[str], *, revoked: Sequence[str] = ()) -> None:
        self.world = world
        self.number = next(_NUMBERS)
        self.installed: dict[str, Installed] = {host: installed(world, host) for host in hosts}
        self.served: dict[str, Served] = {host: served(world, host) for host in hosts}
        self.reasons = {host: "keyCompromise" if host in revoked else "superseded" for host in hosts}
        self._issued = {host: self._count_issued(host) for host in hosts}
        for host in hosts:
            if host not in revoked:
                self.want_name(host, f"n{self.number}.{host}.lab.test")
        if revoked:
            world.revoke(*revoked)

    def want_name(self, host: str, name: str) -> None:
        self.world.configure(host, more_names=[name])

    def assert_old_is_whole(self, host: str) -> None:
        """The predecessor is installed and served as before."""
        now = installed(self.world, host)
        assert now.live == self.installed[host].live, host
        assert now.key == now.certified_key == self.installed[host].key, host
        assert served(self.world, host).serial == self.served[host].serial, host

    def assert_whole(self, host: str) -> None:
        """One of the two releases is installed and one is served, and nothing is half."""
        now = installed(self.world, host)
        assert now.key == now.certified_key, host
        assert served(self.world, host).serial in {now.serial, self.served[host].serial}, host

    def assert_finished(self, host: str, *, orders: int | None = 1) -> None:
        """The successor is installed and served, stapled; the predecessor revoked, its key gone and remembered."""
        now, answer, before = installed(self.world, host), served(self.world, host), self.installed[host]
        assert answer.serial == now.serial != before.serial, host
        assert answer.spki_sha256 == now.key == now.certified_key != before.key, host
        assert answer.staple == "good", host
        assert now.all_keys == {now.key}, host
        assert f" {before.key} revoked:{self.reasons[host]} " in now.keys_log, (host, now.keys_log)
        assert now.left_over == (), host
        said = crl_says(self.world.published / "intermediate.crl", before.serial)
        assert said == _IN_OPENSSL_S_WORDS[self.reasons[host]], host
        if orders is not None:
            assert self._count_issued(host) - self._issued[host] == orders, host

    def _count_issued(self, host: str) -> int:
        with sqlite3.connect(f"file:{self.world.place}/ca/ca.sqlite3?mode=ro", uri=True) as database:
            rows = database.execute("SELECT note FROM certificate WHERE kind = 'leaf'").fetchall()
        return sum(host in note for (note,) in rows)
