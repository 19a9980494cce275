# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the report of a run. Runs as the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rotation_report
short_description: Write down who, what, when, how long, and with which evidence
version_added: "0.1.0"
description:
  - Writes C(report.json) into a folder of its own for each run, below O(directory) on the control node, and lets the
    link C(latest) there point to it.
  - With O(incident) there is one report for all runs and waves that work on it; each run continues it, also when
    several runs work on different hosts at the same time. A reader sees the old file or the new one, always whole.
  - Tells which hosts failed and why, so that the role can fail them at its end.
  - The report holds certificates' serials and fingerprints, never a key.
options:
  directory:
    description: Folder on the control node.
    type: path
    required: true
  incident:
    description:
      - Name of the incident that this run works on; letters, digits, C(.), C(_) and C(-). Its report is
        C(report.json) in the folder of that name below O(directory).
      - An entry is a certificate on a host. A later run tells its state; the earliest time of each verb, the
        certificate that was replaced, and the evidence of its replacement and revocation stay as earlier runs have
        written them. Times of a successor that was given up before it was served go to the entry's C(history).
        What a run did that was killed before it could report is read from the records on the hosts.
      - A report that cannot be read, or was written by a newer version, fails the task and is left as it is.
      - Empty for a report of this run alone.
    type: str
    default: ""
  subject:
    description:
      - What the incident is about, as M(certops.rotation.emergency_plan) returns it, with C(kind), the lists
        C(spki_sha256) and C(serials), C(issuer), C(reason) and C(drill). What the first run says is kept.
    type: dict
    default: {}
  started_at:
    description:
      - When the incident began, in ISO 8601; deadlines and metrics count from then. What the first run says is kept.
      - Without it, it is when the first run began to look.
    type: str
    default: ""
  wave:
    description: What to call the hosts of this run together, for rotations that have no C(wave) of their own.
    type: str
    default: ""
  formats:
    description:
      - What to write beside each other. V(json) is written in any case, because a report is continued from it.
      - V(html) is C(report.html), one page that needs nothing else and no network. V(markdown) is C(report.md), for a
        ticket. V(junit) is C(report.xml), for CI. V(prometheus) is C(report.prom).
    type: list
    elements: str
    choices: [json, html, markdown, junit, prometheus]
    default: [json]
  textfile_directory:
    description:
      - Folder that node_exporter's textfile collector reads, for V(prometheus) in O(formats).
      - The file there is C(certops_rotation.prom), or C(certops_<incident>.prom), readable for everybody.
    type: path
  stats:
    description:
      - Whether to return C(ansible_stats) as M(ansible.builtin.set_stats) does, with C(certops_report), a summary that
        AWX shows as artifacts of the job and hands on in a workflow.
      - It has C(path), C(incident), C(written_at), C(counts), C(clock), C(metrics), C(failed), C(unknown), and of
        C(failures) the first 50. Of several reports of a play it is the last.
    type: bool
    default: false
  existing:
    description:
      - Folder below O(directory) of a report that is there, the name of an incident or of a run, or V(latest).
      - It is written again in O(formats) and told, and nothing is added to it; O(rotations) and what describes a run or
        an incident are not looked at.
    type: str
    default: ""
  fail_if:
    description:
      - What is returned as RV(problems). V(failed) are failures, V(unknown) is what nobody could see, and V(unfinished)
        what is due and not replaced, stopped, or waits to be revoked.
    type: list
    elements: str
    choices: [failed, unknown, unfinished]
    default: []
  fail_on:
    description: Codes of decisions' reasons that count as a failure of the host, for example V(revoked).
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - certops.rotation.steps.fleet
attributes:
  check_mode:
    support: full
    description: Writes nothing, and tells what it would have written.
  diff_mode:
    support: none
    description: Each run has a report of its own.
author: certops maintainers (@certops)
"""

EXAMPLES = r"""
- name: Write the report
  certops.rotation.rotation_report:
    rotations: "{{ confirmed.rotations }}"
    directory: /var/log/certops
    formats: [json, html]
  run_once: true
  register: report

- name: Say what happened
  ansible.builtin.debug:
    msg: "{{ report.lines }}"

- name: Continue the report of an incident
  certops.rotation.rotation_report:
    rotations: "{{ confirmed.rotations }}"
    directory: /var/log/certops
    incident: leaked-key-2026-11
    subject: "{{ plan.subject }}"
    started_at: "2026-11-21T01:02:03Z"
    formats: [json, html, markdown]
    stats: true
  run_once: true

- name: Write the last report again, as a page
  certops.rotation.rotation_report:
    directory: /var/log/certops
    existing: latest
    formats: [html]
    fail_if: [failed, unfinished]
  register: again
  failed_when: again.problems | length > 0
"""

RETURN = r"""
path:
  description: The report. Empty in check mode.
  returned: success
  type: str
  sample: /var/log/certops/20261121T010203Z-4f1a2b/report.json
paths:
  description: Every file that was written, by format, and C(textfile) for that in O(textfile_directory).
  returned: success
  type: dict
  sample: {json: /var/log/certops/leaked/report.json, html: /var/log/certops/leaked/report.html}
report:
  description: The content of C(report.json).
  returned: when O(packed) is false
  type: dict
  contains:
    schema:
      description: Version of this format, 2.
      type: int
      returned: always
    run:
      description: Identifier of the run that wrote it last; the name of its folder where there is no incident.
      type: str
      returned: always
    written_at:
      description: When it was written.
      type: str
      returned: always
    check_mode:
      description: Whether the run only told what it would do.
      type: bool
      returned: always
    incident:
      description: What several runs work on. Null for a report of one run.
      type: dict
      returned: always
      contains:
        name:
          description: Its name, which is that of the folder.
          type: str
          returned: always
        subject:
          description: What it is about, as O(subject) of the first run said.
          type: dict
          returned: always
        started_at:
          description: When it began.
          type: str
          returned: always
        runs:
          description: Every run and wave so far, with C(run), C(at), C(hosts) (how many), C(check_mode) and C(wave).
          type: list
          elements: dict
          returned: always
    counts:
      description:
        - Rotations by outcome, C(rotated), C(repaired), C(finished), C(kept), C(stopped) and C(failed).
        - C(to_rotate), C(to_repair) and C(to_finish) where nothing was done.
      type: dict
      returned: always
    clock:
      description:
        - The limits of the Baseline Requirements 4.9.1.1, C(24h) and C(5d) from the beginning of the incident, each
          with C(deadline), C(state) and C(at). Null for a report of one run.
        - C(state) is V(met) when by then every successor was served and every predecessor revoked, V(missed) when the
          deadline passed before, else V(open). C(at) is when the last of them was.
      type: dict
      returned: always
    metrics:
      description:
        - C(time_to_inventory), C(time_to_reissue), C(time_to_serve), C(time_to_revoke_accepted) and
          C(time_to_revocation_visible), each with C(p50), C(p95) and C(max) in seconds (nearest rank; null if there is
          none) and C(count), the number of certificates.
        - They count from C(since), the beginning of the incident, or when the run began to look.
      type: dict
      returned: always
    revocations:
      description:
        - How many revocations of predecessors are in which C(state), were made by whose right (C(by)), and were seen in
          what (C(seen_in)), each a dictionary with counts.
      type: dict
      returned: always
    waves:
      description:
        - Hosts that were replaced together, by C(wave) of the rotations, else by the run that replaced them.
        - Each has C(wave), C(hosts), C(certificates), C(failed), C(times) with C(began) and C(ended), and in C(verbs)
          for C(issued), C(installed), C(served), C(revoked) and C(visible) the C(first) and C(last) time and the
          C(count).
      type: list
      elements: dict
      returned: always
    failures:
      description: What failed, with C(host), C(name), C(step), C(code), C(msg) and C(remedy).
      type: list
      elements: dict
      returned: always
    unknowns:
      description:
        - What nobody could see, with C(what) (V(host), V(endpoint) or V(status)), C(host), C(name), C(code), C(msg),
          and for an endpoint C(address), C(port) and C(server_name).
      type: list
      elements: dict
      returned: always
    rotations:
      description: One entry for each certificate on each host.
      type: list
      elements: dict
      returned: always
      contains:
        run:
          description: The last run that told of it.
          type: str
          returned: always
        replaced_by:
          description: The run that proved the successor to be served.
          type: str
          returned: when it was proven
        wave:
          description: The wave it was replaced in.
          type: str
          returned: when it has one
        told_by:
          description: V(record) where the run that did it was killed, and the record on the host tells of it.
          type: str
          returned: when no run could report it
        host:
          description: Name of the host in the inventory.
          type: str
          returned: always
        name:
          description: Name of the certificate.
          type: str
          returned: always
        server_names:
          description: Names in the certificate.
          type: list
          elements: str
          returned: always
        issuer:
          description: Name of the issuer that it is declared with.
          type: str
          returned: always
        sources:
          description: Where discovery read it.
          type: list
          elements: str
          returned: when it was found by discovery
        outcome:
          description: What became of it, one of the words of C(counts).
          type: str
          returned: always
        decision:
          description: What was decided, with the reasons in words.
          type: dict
          returned: always
        before:
          description: Serial and SPKI SHA-256 of the predecessor, and what was known of its revocation.
          type: dict
          returned: always
        after:
          description: Serial, SPKI SHA-256, issuer and end of the new certificate.
          type: dict
          returned: always
        serving:
          description:
            - What was served when the run began; each certificate with C(serial), C(spki_sha256), C(not_after) and
              C(places), at how many places it was seen.
          type: list
          elements: dict
          returned: when somebody looked
        unseen:
          description: Where nothing was to be seen, with C(address), C(port), C(server_name), C(code) and C(msg).
          type: list
          elements: dict
          returned: when somebody looked
        installed:
          description: Version, serial and SPKI SHA-256 of the release that was live on the host when the run began.
          type: dict
          returned: when the host has one and somebody looked
        installation:
          description: Version folder, stapling, and the reload.
          type: dict
          returned: when something was installed
        rolled_back:
          description: Version folder that was gone back to, and the reload.
          type: dict
          returned: when the new certificate could not be proven, and the old one may be served
        proof:
          description:
            - Where the new serial was seen, and when; C(checked) has C(address), C(port), C(server_name), C(staple) and
              C(at) of each place.
          type: dict
          returned: when it was proven
        revocation:
          description:
            - State, reason and time of the predecessor's revocation; in C(by) whose right it was, V(ca), V(account),
              V(authorizations) or V(certificate_key); and in C(seen_in) each place in which it was seen, with C(kind)
              (V(crl), V(ocsp) or V(ari)), C(url) and C(at).
          type: dict
          returned: when there was one
        retirement:
          description: Fingerprints of the keys that were destroyed.
          type: dict
          returned: when there was one
        times:
          description: When each verb was done, ISO 8601 UTC; in an incident, when it was done first.
          type: dict
          returned: always
        seconds:
          description: How long each step took until this rotation was done in it.
          type: dict
          returned: always
        error:
          description: What failed in the last run, with code and remedy.
          type: dict
          returned: when it failed
        history:
          description:
            - What earlier runs of the incident said and the entry does not say any more, the last ten. Each has C(run),
              C(outcome), C(error), and for a successor that was given up C(after) and C(times).
          type: list
          elements: dict
          returned: in an incident, after a second run
        warnings:
          description: What the operator should know.
          type: list
          elements: str
          returned: always
failures:
  description: By host, why it failed in this run.
  returned: success
  type: dict
  sample:
    web1: "shop: issue: the CA refused (ca_refused). Correct the names."
problems:
  description: A sentence for each thing in the report that O(fail_if) names.
  returned: success
  type: list
  elements: str
  sample: ["web2/shop: install: nginx refuses its configuration (config_test_failed)"]
counts:
  description: Rotations by outcome.
  returned: success
  type: dict
  sample: {rotated: 2, kept: 5}
lines:
  description: The report in a few lines.
  returned: success
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certops.rotation.plugins.module_utils._ansible.step_options import FLEET_STEP_SPEC
from ansible_collections.certops.rotation.plugins.module_utils._core.report_problems import KINDS

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "directory": {"type": "path", "required": True},
    "incident": {"type": "str", "default": ""},
    "subject": {"type": "dict", "default": {}},
    "started_at": {"type": "str", "default": ""},
    "wave": {"type": "str", "default": ""},
    "formats": {
        "type": "list",
        "elements": "str",
        "choices": ["json", "html", "markdown", "junit", "prometheus"],
        "default": ["json"],
    },
    "textfile_directory": {"type": "path"},
    "stats": {"type": "bool", "default": False},
    "existing": {"type": "str", "default": ""},
    "fail_if": {"type": "list", "elements": "str", "choices": list(KINDS), "default": []},
    "fail_on": {"type": "list", "elements": "str", "default": []},
    **FLEET_STEP_SPEC,
}


def main() -> None:
    """Only reached where the action plugin of the same name is missing."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="certops.rotation.rotation_report runs as an action plugin on the control node.")


if __name__ == "__main__":
    main()
