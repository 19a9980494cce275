# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A web server on loopback that shows a folder as /.well-known/acme-challenge/, for http-01.

with ChallengeFolder(tmp_path / "challenges", pebble.http_port) as folder:
    pebble.issuer(challenge=folder.challenge)
"""

from __future__ import annotations

import functools
import http.server
import os
import threading
from pathlib import Path
from typing import Any, Self


class ChallengeFolder:
    """Ends with its ``with`` block."""

    def __init__(self, place: Path, port: int) -> None:
        self.root = place
        self.folder = place / ".well-known" / "acme-challenge"
        self.folder.mkdir(parents=True)
        self.asked: list[str] = []
        handler = functools.partial(_Quiet, self.asked, directory=str(place))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def challenge(self) -> dict[str, Any]:
        """The option of that name for this folder."""
        return {"type": "http-01", "method": "directory", "directory": str(self.folder)}

    @property
    def left_over(self) -> list[str]:
        return os.listdir(self.folder)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def __init__(self, asked: list[str], *args: Any, **kwargs: Any) -> None:
        self._asked = asked
        super().__init__(*args, **kwargs)

    def log_message(self, *args: Any) -> None:
        self._asked.append(self.path)
