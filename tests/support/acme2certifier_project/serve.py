# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs acme2certifier on a port of loopback, with name servers on another port than 53. Ended by whoever started it."""

from __future__ import annotations

import importlib
import sys
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import dns.resolver


class Quiet(WSGIRequestHandler):
    """No line for each request."""

    def log_message(self, *args: Any) -> None:
        pass


def ask_at(port: int) -> None:
    """Have every resolver of this process ask there: the configuration names addresses only."""
    reset = dns.resolver.Resolver.reset

    def reset_to_port(self: Any) -> None:
        reset(self)
        self.port = port

    dns.resolver.Resolver.reset = reset_to_port  # type: ignore[method-assign]


def main() -> None:
    port, dns_port = (int(one) for one in sys.argv[1:3])
    ask_at(dns_port)
    # It reads its configuration when it is imported.
    server = importlib.import_module("acme2certifier.share.acme2certifier_wsgi")
    make_server("127.0.0.1", port, server.application, handler_class=Quiet).serve_forever(0.05)


if __name__ == "__main__":
    main()
