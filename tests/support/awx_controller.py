# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of AWX's REST API as loading templates needs, on loopback: it keeps what is made, and every request.

    with AwxController() as controller:
        controller.add("organizations", name="Default")
        …                                   # awx.awx modules with controller.environment
        controller.all("job_templates")     # what is there now
        controller.writes                   # [("POST", "/api/v2/projects/"), …]

What it refuses, AWX refuses too: names that are there already, references to what is not, a token that is wrong.
"""

from __future__ import annotations

import http.server
import itertools
import json
import re
import threading
import urllib.parse
from collections.abc import Mapping
from typing import Any, Self

TOKEN = "a-token-of-nobody"  # noqa: S105 - it opens nothing

# By kind, what must be given, and which fields name something else that has to be there.
KINDS: dict[str, tuple[str, tuple[str, ...], dict[str, str]]] = {
    "organizations": ("organization", ("name",), {}),
    "inventories": ("inventory", ("name",), {}),
    "credentials": ("credential", ("name",), {}),
    "credential_types": ("credential_type", ("name", "kind"), {}),
    "execution_environments": ("execution_environment", ("name", "image"), {}),
    "projects": ("project", ("name", "scm_type"), {"organization": "organizations"}),
    "job_templates": (
        "job_template",
        ("name", "project", "playbook", "inventory"),
        {"project": "projects", "inventory": "inventories", "execution_environment": "execution_environments"},
    ),
    "workflow_job_templates": ("workflow_job_template", ("name",), {"organization": "organizations"}),
    "workflow_job_template_nodes": (
        "workflow_job_template_node",
        ("identifier", "workflow_job_template"),
        {"workflow_job_template": "workflow_job_templates", "unified_job_template": "unified_job_templates"},
    ),
    "workflow_approval_templates": ("workflow_approval_template", ("name",), {}),
    "schedules": (
        "schedule",
        ("name", "rrule", "unified_job_template"),
        {"unified_job_template": "unified_job_templates"},
    ),
}
UNIFIED = ("projects", "job_templates", "workflow_job_templates", "workflow_approval_templates")
_ITEM = re.compile(r"/api/v2/(\w+)/(\d+)/(?:(\w+)/)?\Z")
_LIST = re.compile(r"/api/v2/(\w+)/\Z")

Item = dict[str, Any]
Answer = tuple[int, Any]


class AwxController:
    """Answers in threads of its own; ends with its ``with`` block."""

    def __init__(self) -> None:
        self.items: dict[str, dict[int, Item]] = {kind: {} for kind in KINDS}
        self.links: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[int, Any] = {}
        self.requests: list[tuple[str, str]] = []
        self._numbers = itertools.count(1)
        self._alone = threading.Lock()

    def __enter__(self) -> Self:
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def environment(self) -> dict[str, str]:
        """For the modules of awx.awx."""
        return {
            "CONTROLLER_HOST": f"http://127.0.0.1:{self._server.server_address[1]}",
            "CONTROLLER_OAUTH_TOKEN": TOKEN,
        }

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path in self.requests if method != "GET"]

    def add(self, kind: str, /, **fields: Any) -> Item:
        number = next(self._numbers)
        url = f"/api/v2/{kind}/{number}/"
        related = {"survey_spec": f"{url}survey_spec/"}
        self.items[kind][number] = {"id": number, "type": KINDS[kind][0], "url": url, "related": related, **fields}
        return self.items[kind][number]

    def all(self, kind: str) -> dict[str, Item]:
        """By name, or what stands for it."""
        return {str(one.get("name") or one.get("identifier")): one for one in self._kind(kind).values()}

    def linked(self, kind: str, number: int, link: str) -> list[str]:
        return [self._title(one) for one in self.links.get((kind, number, link), [])]

    def answer(self, method: str, path: str, query: Mapping[str, str], sent: Item) -> Answer:
        with self._alone:
            self.requests.append((method, path))
            listed, single = _LIST.match(path), _ITEM.match(path)
            if listed:
                return self._list(listed[1], query) if method == "GET" else self._create(listed[1], sent)
            if single and single[3]:
                return self._sub(method, single[1], int(single[2]), single[3], sent)
            if single:
                return self._one(method, single[1], int(single[2]), sent)
            return 404, {"detail": "Not found."}

    def _kind(self, kind: str) -> dict[int, Item]:
        if kind == "unified_job_templates":
            return {number: one for each in UNIFIED for number, one in self.items[each].items()}
        return self.items[kind]

    def _title(self, number: int) -> str:
        [one] = [each[number] for each in self.items.values() if number in each]
        return str(one.get("name") or one.get("identifier"))

    def _list(self, kind: str, query: Mapping[str, str]) -> Answer:
        found = [
            one for one in self._kind(kind).values() if all(_is(one, name, value) for name, value in query.items())
        ]
        return 200, {"count": len(found), "next": None, "previous": None, "results": found}

    def _create(self, kind: str, sent: Item) -> Answer:
        _type, needed, references = KINDS[kind]
        missing = [name for name in needed if sent.get(name) in (None, "")]
        if missing:
            return 400, {name: ["This field is required."] for name in missing}
        unknown = [name for name, of in references.items() if sent.get(name) and sent[name] not in self._kind(of)]
        if unknown:
            return 400, {name: ["Invalid pk - object does not exist."] for name in unknown}
        title = "identifier" if kind == "workflow_job_template_nodes" else "name"
        if any(one.get(title) == sent[title] for one in self.items[kind].values()):
            return 400, {"__all__": [f"{title} is there already."]}
        own = {"scm_revision": "", "summary_fields": {}} if kind == "projects" else {}
        return 201, self.add(kind, **own, **sent)

    def _one(self, method: str, kind: str, number: int, sent: Item) -> Answer:
        one = self.items[kind].get(number)
        if one is None:
            return 404, {"detail": "Not found."}
        if method == "PATCH":
            # Fields that the kind does not have are not kept, as AWX does.
            one.update({name: value for name, value in sent.items() if name in one})
        return 200, one

    def _sub(self, method: str, kind: str, number: int, name: str, sent: Item) -> Answer:
        if number not in self.items[kind]:
            return 404, {"detail": "Not found."}
        if name == "survey_spec":
            if method == "POST":
                self.surveys[number] = sent
            return 200, self.surveys.get(number, {})
        if name == "create_approval_template":
            made = self.add("workflow_approval_templates", **sent)
            node = self.items[kind][number]
            node["unified_job_template"] = made["id"]
            node["related"]["unified_job_template"] = made["url"]
            return 201, made
        ids = self.links.setdefault((kind, number, name), [])
        if method == "GET":
            return 200, {"count": len(ids), "next": None, "results": [{"id": one} for one in ids]}
        ids.remove(sent["id"]) if sent.get("disassociate") else ids.append(sent["id"])
        return 204, None


def _is(one: Item, name: str, wanted: str) -> bool:
    return str(one.get(name.removeprefix("or__"))) == wanted


def _handler(controller: AwxController) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
            self._answer()

        def do_POST(self) -> None:  # noqa: N802
            self._answer()

        def do_PATCH(self) -> None:  # noqa: N802
            self._answer()

        def _answer(self) -> None:
            parts = urllib.parse.urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                return self._send(401, {"detail": "Invalid token"})
            query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
            return self._send(*controller.answer(self.command, parts.path, query, json.loads(body or b"{}")))

        def _send(self, status: int, answer: Any) -> None:
            text = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *arguments: Any) -> None:
            """Nobody reads it."""

    return Handler
