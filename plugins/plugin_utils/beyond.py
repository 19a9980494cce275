# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of the inventory that have no part in a run, and may serve a certificate that the run is about to revoke.

A run with ``--limit`` or ``serial`` sees some of the hosts. A wildcard certificate that somebody copied to thirty of
them is replaced on one, and must not be revoked under the feet of the others.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.certops.rotation.plugins.module_utils._core.certificate import (
    certificate_spki_sha256,
    read_certificate,
    serial_hex,
    server_names,
)
from ansible_collections.certops.rotation.plugins.module_utils._core.declaration import probe, rotations_from_request
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._core.libraries import x509
from ansible_collections.certops.rotation.plugins.module_utils._core.server_name import missing_names
from ansible_collections.certops.rotation.plugins.module_utils._fetch.tls import handshakes
from ansible_collections.certops.rotation.plugins.plugin_utils.handshaking import (
    listeners_addresses,
    places,
    read_chain,
)
from ansible_collections.certops.rotation.plugins.plugin_utils.rotation_action import Rotation


def predecessors(rotations: Iterable[Mapping[str, Any]]) -> list[x509.Certificate]:
    """The certificates that are to be revoked when nobody serves them any more, each once."""
    pems = {
        str(one["predecessor"]["certificate_pem"]): None
        for one in rotations
        if one.get("proof")
        and (one.get("predecessor") or {}).get("certificate_pem")
        and not one["predecessor"].get("already_revoked")
    }
    return [read_certificate(pem.encode()) for pem in pems]


def askable(
    requests: Mapping[str, Mapping[str, Any]], certificates: Iterable[x509.Certificate], probed: Collection[str]
) -> Iterator[tuple[Rotation, Sequence[Rotation]]]:
    """What to ask whom, with all that the host declares: those names that one of the certificates stands for.

    :param requests: by host, what it declares.
    :param probed: hosts that are asked also if they declare nothing, for a name of each certificate.
    """
    known = list(certificates)
    for host, request in requests.items():
        declared = rotations_from_request(host, request)
        sound = [one for one in declared if not one.get("error")]
        for rotation in sound:
            names = [name for name in rotation["server_names"] if any(not missing_names(one, [name]) for one in known)]
            if names:
                yield {**rotation, "server_names": names}, sound
        if not declared and host in probed:
            with contextlib.suppress(RotationError):
                yield {**probe(host, request), "server_names": [None, *_first_names(known)]}, []


def look_beyond(
    asked: Iterable[tuple[Rotation, Sequence[Rotation]]], *, timeout: float, concurrency: int
) -> tuple[list[Rotation], list[str]]:
    """The rotations with what is ``served`` of each, and the places that showed nothing. Nothing is judged."""
    pairs = list(asked)
    addresses = listeners_addresses([rotation for rotation, _of_host in pairs], timeout)
    wanted = [(one, place) for one, of_host in pairs for place in places(one, of_host, addresses)]
    distinct = list(dict.fromkeys(place.endpoint for _one, place in wanted))
    seen = dict(zip(distinct, handshakes(distinct, timeout=timeout, concurrency=concurrency), strict=True))
    silent = []
    for rotation, place in wanted:
        shown = _identity(seen[place.endpoint].chain)
        rotation.setdefault("served", []).append({**place.as_dict(), **shown})
        if not shown:
            silent.append(f"{rotation['host']} at {place}")
    return [rotation for rotation, _of_host in pairs], silent


def _identity(chain: Sequence[bytes]) -> dict[str, str]:
    """What a served certificate is known by; nothing, where none was shown that can be read."""
    with contextlib.suppress(RotationError):
        for certificate in read_chain(chain[:1]):
            spki_sha256 = certificate_spki_sha256(certificate)
            return {"serial": serial_hex(certificate.serial_number), "spki_sha256": spki_sha256}
    return {}


def _first_names(certificates: Iterable[x509.Certificate]) -> list[str]:
    return list(dict.fromkeys(name for one in certificates for name in server_names(one)[:1]))
