# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host in a folder: a root for our versions, a CA that answers its requests, and the calls that tests make."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.certops.rotation.tests.support.host_module import HostModules
from ansible_collections.certops.rotation.tests.support.nginx import Nginx, Vhost
from ansible_collections.certops.rotation.tests.support.pki import Authority, Issued
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SNIPPETS = {
    "off": "# no stapling\n",
    "nginx": "# the server fetches\n",
    "file": "# staple.der\n",
}


class HostWorld:
    """``world.rotate("shop")`` is prepare, issue and install; the parts can be called one by one."""

    def __init__(self, folder: Path, modules: HostModules | None = None) -> None:
        self.folder = folder
        self.root = folder / "certops"
        self.modules = modules or HostModules(self.root)
        self.anchor = Authority.root()
        self.issuing = self.anchor.intermediate()
        self.service: dict[str, Any] = {"kind": "none"}

    def prepare(self, name: str = "shop", *, check: bool = False, **request: Any) -> dict[str, Any]:
        """What ``key_csr`` says about one request; an error has ``error``."""
        options = {key: request.pop(key) for key in ("deny_list", "openssl", "files") if key in request}
        request.setdefault("server_names", [f"{name}.example.org"])
        result = self.modules.run("key_csr", check=check, requests=[{"name": name, **request}], **options)
        assert not result.get("failed"), result
        prepared: dict[str, Any] = result["prepared"][name]
        return dict(prepared, changed=result["changed"])

    def release(self, prepared: dict[str, Any], name: str = "shop", **wanted: Any) -> dict[str, Any]:
        """A release for a prepared version, with a certificate that the CA has just signed."""
        issued = self.issuing.sign_csr(prepared["csr_pem"], **wanted.pop("issue", {}))
        return {
            "name": name,
            "version": prepared["version"],
            "chain_pem": issued.chain_pem,
            "trust_pem": self.issuing.pem + self.anchor.pem,
            "spki_sha256": prepared["spki_sha256"],
            "snippets": SNIPPETS,
            **wanted,
        }

    def install(self, *releases: dict[str, Any], check: bool = False, **options: Any) -> dict[str, Any]:
        options.setdefault("service", self.service)
        return self.modules.run("certificate_install", check=check, releases=list(releases), **options)

    def rotate(self, name: str = "shop", **wanted: Any) -> dict[str, Any]:
        """Prepare and install; returns the release that is live now."""
        release = self.release(self.prepare(name), name, **wanted)
        result = self.install(release)
        assert not result.get("failed"), result
        return release

    def retire(self, name: str, version: str, spki: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
        retirement = {"name": name, "version": version, "spki_sha256": spki, **options.pop("more", {})}
        return self.modules.run("key_retire", check=check, retirements=[retirement], **options)

    def facts(self, name: str = "shop") -> dict[str, Any]:
        result = self.modules.run("installed_info", names=[name])
        assert not result.get("failed"), result
        facts: dict[str, Any] = result["certificates"][name]
        return facts

    def live(self, name: str = "shop") -> str:
        return os.readlink(self.root / name / "live").partition("/")[2]

    def version(self, version: str, name: str = "shop") -> Path:
        return self.root / name / "versions" / version

    def vhost(self, name: str = "shop", extra: str = "") -> Vhost:
        """A server block that uses ``live``."""
        live = self.root / name / "live"
        return Vhost([f"{name}.example.org"], live / "fullchain.pem", live / "privkey.pem", extra)

    def own_vhost(self, name: str = "shop") -> tuple[Vhost, Issued]:
        """A server block with a pair of its own, which nothing of ours has touched."""
        issued = self.issuing.issue([f"{name}.example.org"])
        place = self.folder / "etc" / name
        place.mkdir(parents=True)
        certificate, key = place / "tls.crt", place / "tls.key"
        certificate.write_text(issued.chain_pem)
        key.touch(0o600)
        key.write_text(issued.key_pem)
        return Vhost([f"{name}.example.org"], certificate, key), issued

    def fates(self, name: str = "shop") -> list[tuple[str, str]]:
        """(first six digits, fate) of each line of keys.log."""
        lines = (self.root / name / "keys.log").read_text().splitlines()
        return [(line.split()[1][:6], line.split()[2]) for line in lines]


def spki_of(certificate: x509.Certificate | bytes) -> str:
    """SHA-256 of a certificate's SubjectPublicKeyInfo."""
    if isinstance(certificate, bytes):
        certificate = x509.load_der_x509_certificate(certificate)
    key = certificate.public_key()
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def spki_of_key(path: Path) -> str:
    """The same of a private key file, as openssl sees it."""
    command = ["openssl", "pkey", "-in", str(path), "-pubout", "-outform", "DER"]
    return hashlib.sha256(subprocess.run(command, check=True, capture_output=True).stdout).hexdigest()


def everything(folder: Path) -> dict[str, tuple[int, bytes | str]]:
    """Each file and link below a folder with its mode and content, to see whether anything changed.

    But for locks, and logs: nginx notes there when it likes what it started and what it could not fetch.
    """
    found: dict[str, tuple[int, bytes | str]] = {}
    for path in sorted(folder.rglob("*")):
        if path.name == ".lock" or path.suffix == ".log":
            continue
        mode = stat.S_IMODE(path.lstat().st_mode)
        if path.is_symlink():
            found[str(path)] = (mode, os.readlink(path))
        elif path.is_file():
            found[str(path)] = (mode, path.read_bytes())
        else:
            found[str(path)] = (mode, "folder")
    return found


def running(world: HostWorld, *vhosts: Vhost) -> Nginx:
    """An nginx for these server blocks; the world's service is this one."""
    nginx = Nginx(world.folder / "nginx", vhosts)
    world.service = nginx.service
    return nginx


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
