# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test a server's configuration and reload it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: service_reload
short_description: Test a web server's configuration, reload it, and wait for new workers
version_added: "0.1.0"
description:
  - Runs the configuration test, reloads, and waits until the master process has started new workers. A reload that the
    server
    only complains about in its log is an error here.
  - The same is part of M(certops.rotation.certificate_install), which can switch back when it fails. This module is for
    all other cases.
extends_documentation_fragment:
  - certops.rotation.host_files.service
attributes:
  check_mode:
    support: partial
    description: Can run in check_mode and return changed status prediction without modifying target.
    details: The configuration test is run, the reload is not.
  diff_mode:
    support: none
    description: A reload has no content to compare.
author: certops maintainers (@certops)
seealso:
  - module: certops.rotation.certificate_install
"""

EXAMPLES = r"""
- name: Reload nginx under systemd
  certops.rotation.service_reload:

- name: Reload an nginx that runs without an init system
  certops.rotation.service_reload:
    service:
      kind: signal
      test: [nginx, -t, -c, /srv/nginx/nginx.conf]
      pid_file: /srv/nginx/nginx.pid
"""

RETURN = r"""
reload:
  description: The reload; null in check mode.
  returned: success
  type: dict
  sample: {kind: systemd, name: nginx, master_pid: 812, new_workers: 2, old_workers_left: 0, seconds: 0.1, warnings: ""}
code:
  description: Why it failed; V(config_test_failed), V(reload_failed), V(reload_without_effect) or
    V(service_not_running).
  returned: failure
  type: str
  sample: reload_without_effect
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.errors import reporting_errors
from ansible_collections.certops.rotation.plugins.module_utils._host.service import SERVICE_SPEC, Service, reload_result
from ansible_collections.certops.rotation.plugins.module_utils._host.uninterrupted import uninterrupted

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {"service": SERVICE_SPEC}


def reloaded(options: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Everything the module returns."""
    service = Service(options)
    service.master()
    warnings = service.test()
    changed = service.kind != "none"
    if check_mode or not changed:
        return {"changed": changed, "reload": None}
    with uninterrupted():
        return {"changed": True, "reload": reload_result(service.reload(), service, warnings)}


def main() -> None:
    """A form, a call, a report."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    with reporting_errors(module):
        module.exit_json(**reloaded(module.params["service"], module.check_mode))


if __name__ == "__main__":
    main()
