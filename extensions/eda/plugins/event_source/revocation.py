# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event source for ansible-rulebook: tells when a certificate becomes revoked, or its CA wants it replaced."""

from __future__ import annotations

DOCUMENTATION = r"""
---
short_description: Tells when a certificate becomes revoked, or its CA wants it replaced
description:
  - Watches what servers serve, certificates in files, and serial numbers. Each is judged at every poll as
    certops.rotation.fleet_status does it, by CRL and OCSP with all their signatures, and an event tells what is new.
  - All that share a fate in one poll are told in one event, so that a mass revocation starts one run over many hosts.
  - What was told is remembered on disk, so that it is told once, whether or not the source is restarted. An event that
    was not handed over is handed over again after a restart, and so may come twice if the source was killed at that
    moment.
requirements:
  - ansible-core, cryptography and pyOpenSSL, for the Python that runs ansible-rulebook
options:
  endpoints:
    description: Servers to ask for their certificates, each at all addresses of its name.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description:
          - Inventory name of the host, to which the run is confined. Without it, the event starts no run.
        type: str
      name:
        description: Name of the certificate, as in rotate_certificates. Only shown.
        type: str
      issuer:
        description: Key of O(issuers). Its CA is asked when it wants the certificate replaced (ARI, RFC 9773).
        type: str
      address:
        description: Address or name to connect to.
        type: str
        required: true
      port:
        description: TCP port. The usual one of O(endpoints[].starttls), or 443.
        type: int
      server_name:
        description: Name to ask for (SNI). None, if not given.
        type: str
      starttls:
        description: The protocol in which TLS is asked for first.
        type: str
        choices: [ftp, imap, ldap, mysql, pop3, postgres, smtp, xmpp]
  certificates:
    description: Certificates with their chains, PEM, in files on this machine (read at each poll) or as text.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: As for O(endpoints).
        type: str
      name:
        description: As for O(endpoints).
        type: str
      issuer:
        description: As for O(endpoints).
        type: str
      path:
        description: The file.
        type: path
      content:
        description: The text.
        type: str
  serials:
    description:
      - Serial numbers, for certificates that are not at hand. Quote them, or YAML takes some of them for numbers.
      - Either the O(serials[].issuer) knows its certificates (an internal CA), and then the certificate itself is
        judged; or O(serials[].issuer_certificate) and O(serials[].crl_url) are given, and then that CRL alone.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: As for O(endpoints).
        type: str
      name:
        description: As for O(endpoints).
        type: str
      issuer:
        description: Key of O(issuers).
        type: str
      serial:
        description: The serial number in hex.
        type: str
        required: true
      issuer_certificate:
        description: File with the certificate of the CA that signs the CRL.
        type: path
      crl_url:
        description: Where the CRL is published.
        type: str
  targets_file:
    description:
      - A YAML or JSON file with more O(endpoints), O(certificates) and O(serials). It is read again when it changes; a
        file that has become wrong is reported, and what it held before goes on being watched.
    type: path
  issuers:
    description: As rotate_issuers. Their roots are trusted, and those that offer ARI are asked.
    type: dict
    default: {}
  trust_anchors:
    description: Files with more roots to trust. Those of the system are trusted, too.
    type: list
    elements: path
    default: []
  interval:
    description:
      - Seconds from the beginning of one poll to that of the next. At each, every CRL and OCSP response is asked for
        anew, if it has changed (a conditional request, where the server allows it), see O(revalidate).
    type: float
    default: 300
  jitter:
    description:
      - Up to this fraction of the interval is taken off it at random, so that many sources do not poll in step. It is
        never longer than O(interval).
    type: float
    default: 0.1
  timeout:
    description: Seconds that one handshake or request may take as a whole.
    type: float
    default: 10
  concurrency:
    description: How many servers are asked at once.
    type: int
    default: 32
  rate_limit:
    description: How many servers are asked a second, at most. 0 for no limit.
    type: float
    default: 0
  revalidate:
    description:
      - Whether CAs are asked at each poll, so that a revocation is seen within one interval after it is published.
      - Otherwise an answer is used for as long as its HTTP headers allow, and a CA that cannot be reached does not make
        the status unknown until its last answer expires (nextUpdate).
    type: bool
    default: true
  cache_dir:
    description: Folder that keeps verified answers, the same as that of playbooks. Empty keeps nothing.
    type: path
  unknown_after:
    description: Polls on end after which it is told that a status is not known, or a server not reached. 0 for never.
    type: int
    default: 3
  repeat_after:
    description: Seconds after which what is still so is told once more, in case the run it started failed. 0 for never.
    type: float
    default: 86400
  hosts_per_event:
    description: Most hosts of one event. They are one argument of ansible-playbook, whose length is limited.
    type: int
    default: 1000
  state_path:
    description:
      - File that remembers what was told, in a folder that only its owner may write to. In a container this is to be on
        a volume.
      - The default is C($XDG_STATE_HOME/certops/events.json), or C(~/.local/state/certops/events.json).
    type: path
"""

EXAMPLES = r"""
- certops.rotation.revocation:
    interval: 300
    issuers: "{{ rotate_issuers }}"
    endpoints:
      - {host: web1, name: shop, address: 192.0.2.7, server_name: shop.example.org, issuer: internal}
    targets_file: /etc/certops/watched.yml
"""

import asyncio
import importlib
import logging
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar


def find_own_collection(file: Path) -> None:
    """Make this collection importable: ansible-rulebook runs sources as plain files, without Ansible's loader."""
    root = file.parents[7] if len(file.parents) > 7 else file
    if file.parts[-8:-5] != ("ansible_collections", "certops", "rotation"):
        return
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    namespace = importlib.import_module("ansible_collections")
    # A distribution may have made a regular package of it, which does not look at sys.path.
    if str(root / "ansible_collections") not in namespace.__path__:
        namespace.__path__.append(str(root / "ansible_collections"))


find_own_collection(Path(os.path.abspath(__file__)))

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.plugin_utils import watch_news
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_look import Sighting, look, unknown
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_state import StateFile, default_state_path
from ansible_collections.certops.rotation.plugins.plugin_utils.watch_targets import Target, Targets, read_options

logger = logging.getLogger("certops.rotation.revocation")

_Result = TypeVar("_Result")
_SHORTEST_PAUSE = 1.0


class Queue(Protocol):
    """Where events are put: an ``asyncio.Queue``, or ansible-rulebook's own."""

    async def put(self, item: Any, /) -> None: ...


async def main(queue: Queue, args: dict[str, Any]) -> None:
    """Poll for ever. An error in the arguments ends it at once, and nothing that happens later does."""
    try:
        options = read_options(args)
        with ExitStack() as stack:
            state = StateFile(options["state_path"] or default_state_path())
            await beside(lambda: stack.enter_context(state.alone()))
            watch = Watch(queue, options, state, args.get("eda_feedback_queue"))
            while True:
                begun = time.monotonic()
                await watch.poll()
                await asyncio.sleep(pause(options, time.monotonic() - begun))
    except RotationError as error:
        raise RuntimeError(f"{error.message} ({error.code}). {error.remedy}".strip()) from error


class Watch:
    """Polls, and hands over what is new."""

    def __init__(
        self, queue: Queue, options: dict[str, Any], state: StateFile, feedback: asyncio.Queue[Any] | None = None
    ) -> None:
        self._queue, self._options, self._state, self._feedback = queue, options, state, feedback
        self._targets = Targets(options)
        self._told = state.read()

    async def poll(self) -> None:
        """One look at everything, and an event for what it shows that was not told."""
        targets = self._targets.now()
        at = datetime.now(timezone.utc).replace(microsecond=0)
        sightings = await beside(lambda: self._sightings(targets, at))
        items = watch_news.news(
            sightings,
            self._told,
            at=at,
            unknown_after=self._options["unknown_after"],
            repeat_after=self._options["repeat_after"],
        )
        logger.info("%d of %d places looked at have news", len(items), len(sightings))
        for event, told in watch_news.events(items, at=at, hosts_per_event=self._options["hosts_per_event"]):
            await self._hand_over(event)
            # Only now: killed before this, it is handed over once more, and not never.
            watch_news.mark(self._told, told, at)
            self._keep()
        self._keep()

    async def _hand_over(self, event: dict[str, Any]) -> None:
        await self._queue.put(event)
        if self._feedback is not None:
            await self._feedback.get()

    def _keep(self) -> None:
        """A disk that fails makes events come twice after a restart; that is no reason to see nothing from now on."""
        try:
            self._state.write(self._told)
        except RotationError as error:
            logger.error("%s (%s)", error.message, error.code)

    def _sightings(self, targets: list[Target], at: datetime) -> list[Sighting]:
        try:
            return look(targets, self._options, at)
        except (RotationError, OSError) as error:
            code = error.code if isinstance(error, RotationError) else "system_error"
            logger.error("nothing can be judged: %s (%s)", error, code)
            return [Sighting(one, "all", {}, None, unknown(code, str(error))) for one in targets]


def pause(options: dict[str, Any], elapsed: float) -> float:
    """Seconds to the next poll, so that they begin ``interval`` apart, or a little less."""
    between = options["interval"] * (1 - random.uniform(0, options["jitter"]))
    if elapsed > options["interval"]:
        logger.warning("a poll took %.0f s, longer than the interval: raise interval or concurrency", elapsed)
    return float(max(between - elapsed, _SHORTEST_PAUSE))


async def beside(work: Callable[[], _Result]) -> _Result:
    """The result of blocking work, in a thread that nobody waits for when the source is ended."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Result] = loop.create_future()

    def finish(set_it: Callable[[Any], None], value: object) -> None:
        if not done.done():
            set_it(value)

    def run() -> None:
        try:
            outcome: tuple[Callable[[Any], None], object] = (done.set_result, work())
        except Exception as error:  # it is raised where it is waited for
            outcome = (done.set_exception, error)
        try:
            loop.call_soon_threadsafe(finish, *outcome)
        except RuntimeError:
            return  # the loop has ended

    threading.Thread(target=run, daemon=True, name="certops revocation").start()
    return await done


if __name__ == "__main__":
    # For trying it out: revocation.py TARGETS_FILE [INTERVAL]. What it tells here is told to rules all the same.

    class _Printer:
        async def put(self, item: Any, /) -> None:
            print(item, flush=True)

    logging.basicConfig(level=logging.INFO)
    with TemporaryDirectory() as folder:
        given = {"targets_file": sys.argv[1], "interval": (sys.argv[2:] or ["60"])[0]}
        asyncio.run(main(_Printer(), {**given, "state_path": f"{folder}/state.json"}))
