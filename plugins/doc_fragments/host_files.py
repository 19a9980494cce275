# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the host modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """``certops.rotation.host_files`` and its parts ``root``, ``openssl`` and ``service``."""

    DOCUMENTATION = r"""
options:
  root:
    description:
      - Folder on the host below which every certificate has a folder of its own.
      - It must belong to root or to the user the module runs as, and must not be writable for group or others.
    type: path
    default: /etc/certops
  files:
    description: Owner, group, modes and SELinux type of what is written below O(root).
    type: dict
    default: {}
    suboptions:
      owner:
        description: Owner of the files, a name or a number. Folders belong to the user the module runs as.
        type: str
      group:
        description: Group of files and folders, a name or a number.
        type: str
      key_mode:
        description: Mode of private keys, V(0600) or V(0640).
        type: str
        default: "0600"
      mode:
        description: Mode of all other files.
        type: str
        default: "0644"
      directory_mode:
        description: Mode of folders.
        type: str
        default: "0755"
      setype:
        description:
          - SELinux type of files and folders, for example V(cert_t).
          - Left out, they get the type that the host's policy gives to what is made below O(root). Without SELinux it
            has no effect.
        type: str
  lock_timeout:
    description: Seconds to wait for another run that is changing something below O(root).
    type: float
    default: 30.0
"""

    ROOT = r"""
options:
  root:
    description: Folder on the host below which every certificate has a folder of its own.
    type: path
    default: /etc/certops
"""

    OPENSSL = r"""
options:
  openssl:
    description: The openssl program, version 1.1.1 or newer, by name or path.
    type: path
    default: openssl
"""

    SERVICE = r"""
options:
  service:
    description: The service that serves the certificates, and how it is run on the host.
    type: dict
    default: {}
    suboptions:
      kind:
        description:
          - V(systemd) reloads by C(systemctl reload), V(service) by C(service <name> reload), V(signal) by SIGHUP to
            the process
            in O(service.pid_file), V(command) by O(service.reload).
          - V(none) neither tests nor reloads anything, for a host whose service is handled elsewhere.
        type: str
        default: systemd
        choices: [systemd, service, signal, command, none]
      name:
        description: Name of the unit or service. For V(signal) and V(service) the process must be called so too.
        type: str
        default: nginx
      test:
        description: Command that tests the configuration. An empty list tests nothing.
        type: list
        elements: str
        default: [nginx, -t]
      reload:
        description: Command that reloads, for O(service.kind=command). It is run without a shell.
        type: list
        elements: str
        default: []
      pid_file:
        description:
          - File with the number of the master process, whose new workers show that a reload had an effect.
          - Left out, it is asked of systemd, or F(/run/nginx.pid) for V(signal) and V(service). With V(command) and no
            file,
            the exit code of O(service.reload) is all there is.
        type: path
      timeout:
        description: Seconds for the test, and again for the reload until new workers are there.
        type: float
        default: 30.0
"""
