# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have a web server answer ACME's http-01 challenges."""

from __future__ import annotations

DOCUMENTATION = r"""
module: http01_responder
short_description: Have nginx answer the http-01 challenges of an ACME account, once and for all orders
version_added: "0.1.0"
description:
  - What a web server has to answer to a challenge of C(http-01) is the challenge's token and the thumbprint of the
    account's key (RFC 8555 section 8.3). So a file of three lines that is included in a server block of port 80 answers
    all challenges of an account, and no order needs anything on the host.
  - Writes that file for each account, below O(root). Adds the include line to the server blocks in O(includes) if
    O(adopt) allows it, and writes server blocks for names that have none on port 80. Then tests the configuration and
    reloads. When any of that fails, all files are as they were before.
  - The file has an C(if) with a C(return) and no C(location). In front of everything else in a server block it
    is carried out first, so it also answers in a block that redirects everything with C(return 301).
  - For other web servers, O(tokens) are the answers to single challenges as files in a folder that the server shows.
  - The step M(certops.rotation.key_csr) uses this module where an issuer needs it and the host does not answer yet.
options:
  responders:
    description: The accounts.
    type: list
    elements: dict
    default: []
    suboptions:
      issuer:
        description: What the issuer is called; the file is F(<root>/http-01.<issuer>.conf).
        type: str
        required: true
      thumbprint:
        description: Thumbprint of the account's key (RFC 7638). It is no secret.
        type: str
        required: true
  includes:
    description:
      - Server blocks that are to include a file of O(responders).
      - Without O(adopt), the module fails with C(challenge_not_answered) while a line is missing, and names it.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: File with the server block. If it is a link, what it points to is changed.
        type: path
        required: true
      line:
        description: Number of the line with the opening brace of the block.
        type: int
        required: true
      text:
        description: What that line says now. If it says anything else, nothing is changed.
        type: str
        required: true
      column:
        description: Number of characters up to and with the brace. V(0) takes the first brace of the line.
        type: int
        default: 0
      issuer:
        description: Whose file is to be included.
        type: str
        required: true
  adopt:
    description:
      - Whether the include lines are added by the module.
      - What a file was before is kept in F(<root>/.http-01-before/).
    type: bool
    default: false
  servers:
    description: Server blocks to make. All that are wanted have to be named; with none, the file stays as it is.
    type: list
    elements: dict
    default: []
    suboptions:
      server_names:
        description: Names of the block.
        type: list
        elements: str
        required: true
      listens:
        description: Where it listens, as nginx's C(listen) has it. Left out, port 80 of all IPv4 addresses.
        type: list
        elements: str
        default: []
      issuer:
        description: Whose challenges it answers; everything else gets the status 404.
        type: str
        required: true
  server_path:
    description: File for O(servers). nginx must read it as a part of its http block.
    type: path
    default: /etc/nginx/conf.d/certops-http-01.conf
  nginx_dump:
    description: Command that prints the whole configuration, which proves that nginx reads O(server_path). An empty
      list proves nothing.
    type: list
    elements: str
    default: [nginx, -T]
  reload:
    description: Reload even when no file has to be changed.
    type: bool
    default: false
  tokens:
    description: Answers to single challenges, as files. With these, all other options but O(files) have no effect.
    type: list
    elements: dict
    default: []
    suboptions:
      directory:
        description: Folder that the web server shows as C(/.well-known/acme-challenge/). Made if it is missing.
        type: path
        required: true
      token:
        description: The token, which is the name of the file.
        type: str
        required: true
      content:
        description: The key authorization of RFC 8555 section 8.1, token and thumbprint with a dot between them.
        type: str
        required: true
  withdraw:
    description: Remove the files of O(tokens), or those of O(rotations), instead of writing them.
    type: bool
    default: false
extends_documentation_fragment:
  - certops.rotation.steps.host
  - certops.rotation.host_files
  - certops.rotation.host_files.service
attributes:
  check_mode:
    support: full
    description: Tells what would be written. The configuration is not tested then, as it is not there.
  diff_mode:
    support: full
    description: Shows our files. Of somebody else's, only the line that is added.
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.key_csr
  - module: certops.rotation.service_reload
"""

EXAMPLES = r"""
- name: Answer the challenges of an account in one server block
  certops.rotation.http01_responder:
    responders:
      - issuer: letsencrypt
        thumbprint: 9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI
    includes:
      - path: /etc/nginx/sites-available/shop
        line: 1
        text: server {
        issuer: letsencrypt
    adopt: true

- name: Answer the challenges of an order by files, as a step
  certops.rotation.http01_responder:
    rotations: "{{ issued.rotations[inventory_hostname] }}"
  register: answered

- name: Serve port 80 for the challenges alone
  certops.rotation.http01_responder:
    responders:
      - issuer: letsencrypt
        thumbprint: 9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI
    servers:
      - server_names: [shop.example.org]
        listens: ["80", "[::]:80"]
        issuer: letsencrypt
"""

RETURN = r"""
rotations:
  description: The rotations, their challenges marked as answered, or taken away.
  returned: with O(rotations)
  type: raw
written:
  description: Files that were changed, or would be.
  returned: success
  type: list
  elements: str
  sample: [/etc/certops/http-01.letsencrypt.conf]
inserted:
  description: Include lines that were added, and where what the file was before is kept.
  returned: success
  type: list
  elements: dict
  sample:
    - path: /etc/nginx/sites-available/shop
      line: 1
      include: include /etc/certops/http-01.letsencrypt.conf;
      backup: /etc/certops/.http-01-before/etc_nginx_sites-available_shop.20261121T010203Z
reload:
  description: The reload as in M(certops.rotation.service_reload); null if none was needed, and in check mode.
  returned: success
  type: dict
  sample: {kind: systemd, name: nginx, master_pid: 812, new_workers: 2, old_workers_left: 0, seconds: 0.1, warnings: ""}
code:
  description: Why it failed; among others V(challenge_not_answered), V(configuration_changed), V(config_test_failed).
  returned: failure
  type: str
  sample: challenge_not_answered
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.errors import end
from ansible_collections.certops.rotation.plugins.module_utils._ansible.step_options import HOST_STEP_SPEC
from ansible_collections.certops.rotation.plugins.module_utils._host.file_options import HOST_FILES_SPEC
from ansible_collections.certops.rotation.plugins.module_utils._host.outcome import outcome_of
from ansible_collections.certops.rotation.plugins.module_utils._host.service import SERVICE_SPEC
from ansible_collections.certops.rotation.plugins.module_utils._host.step_http01_responder import carry_out

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "responders": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"issuer": {"type": "str", "required": True}, "thumbprint": {"type": "str", "required": True}},
    },
    "includes": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "path", "required": True},
            "line": {"type": "int", "required": True},
            "text": {"type": "str", "required": True},
            "column": {"type": "int", "default": 0},
            "issuer": {"type": "str", "required": True},
        },
    },
    "adopt": {"type": "bool", "default": False},
    "servers": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "server_names": {"type": "list", "elements": "str", "required": True},
            "listens": {"type": "list", "elements": "str", "default": []},
            "issuer": {"type": "str", "required": True},
        },
    },
    "server_path": {"type": "path", "default": "/etc/nginx/conf.d/certops-http-01.conf"},
    "nginx_dump": {"type": "list", "elements": "str", "default": ["nginx", "-T"]},
    "reload": {"type": "bool", "default": False},
    "tokens": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "no_log": False,
        "options": {
            "directory": {"type": "path", "required": True},
            # Anybody may ask the web server for it.
            "token": {"type": "str", "required": True, "no_log": False},
            "content": {"type": "str", "required": True},
        },
    },
    "withdraw": {"type": "bool", "default": False},
    "service": SERVICE_SPEC,
    **HOST_STEP_SPEC,
    **HOST_FILES_SPEC,
}


def main() -> None:
    """A form, a call, a report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    end(module, outcome_of(carry_out, module.params, module.check_mode))


if __name__ == "__main__":
    main()
