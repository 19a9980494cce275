# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a CA issues and publishes: ``config.json`` in its own directory, written last, so that it marks a whole CA."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._issuers.ca_files import write_atomically

FILE_NAME = "config.json"
FORMAT = 1

# Names below the base URL and below the published directory.
ROOT_CERTIFICATE = "root.crt"
INTERMEDIATE_CERTIFICATE = "intermediate.crt"
ROOT_CRL = "root.crl"
INTERMEDIATE_CRL = "intermediate.crl"
OCSP_FOLDER = "ocsp"

# Relying parties' clocks are not exact, and a certificate is used seconds after it was made.
BACKDATED = timedelta(minutes=5)


@dataclass(frozen=True)
class Settings:
    """What may be changed in the life of a CA."""

    base_urls: tuple[str, ...]
    """The present base URL, then former ones: certificates that name them stay valid and are looked up there."""
    publish_directory: str
    ocsp: bool = True
    leaf_days: int = 47
    crl_days: int = 7
    crl_refresh_days: int = 3
    root_crl_days: int = 180
    ocsp_hours: int = 96
    allowed_names: tuple[str, ...] = ()
    publish_check: bool = True

    def url(self, file_name: str) -> str:
        """The present public URL of a published file."""
        return f"{self.base_urls[0]}/{file_name}"

    def all_urls(self, file_name: str) -> list[str]:
        """Every URL that some certificate may name for a published file, the present one first."""
        return [f"{base}/{file_name}" for base in self.base_urls]

    @property
    def published(self) -> Path:
        return Path(self.publish_directory)


def load_settings(directory: Path) -> Settings:
    """The settings of the CA in ``directory``.

    :raises RotationError: ``ca_directory_missing`` if there is no (complete) CA, ``ca_config_invalid``.
    """
    path = directory / FILE_NAME
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RotationError(
            "ca_directory_missing",
            f"there is no internal CA in {directory}",
            remedy="Correct the issuer's directory, or make a CA with `ansible-playbook certops.rotation.internal_ca`.",
            directory=str(directory),
        ) from error
    except OSError as error:
        raise RotationError(
            "ca_directory_unreadable",
            f"{path} cannot be read: {error.strerror}",
            remedy="Run as the user who owns the CA directory.",
            directory=str(directory),
        ) from error
    return _parse(path, content)


def _parse(path: Path, content: bytes) -> Settings:
    try:
        values: dict[str, Any] = json.loads(content.decode())
        if values.pop("format") != FORMAT:
            raise ValueError("written by another version of this collection")
        for name in ("base_urls", "allowed_names"):
            values[name] = tuple(values[name])
        return Settings(**values)
    except (ValueError, KeyError, TypeError) as error:
        raise RotationError(
            "ca_config_invalid",
            f"{path} is not the configuration of an internal CA: {error}",
            remedy="Restore it from a backup of the CA directory.",
            path=str(path),
        ) from error


def save_settings(directory: Path, settings: Settings) -> None:
    """Replace the settings in one step."""
    text = json.dumps({"format": FORMAT, **dataclasses.asdict(settings)}, indent=2, sort_keys=True)
    write_atomically(directory / FILE_NAME, text.encode() + b"\n", mode=0o600)


def check_base_url(url: str) -> str:
    """The base URL without a slash at its end.

    Only http: a client that needs TLS to learn whether TLS is to be trusted goes round in circles (RFC 5280 section 8).

    :raises RotationError: ``base_url_invalid``.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or parts.query or parts.fragment or not url.isascii() or " " in url:
        raise RotationError(
            "base_url_invalid",
            f"{url!r} is not an http:// URL to publish CRLs under",
            remedy="Give an http:// URL without query; https would make revocation depend on what it judges.",
            url=url,
        )
    return url.rstrip("/")


def check_durations(settings: Settings) -> Settings:
    """The settings, if relying parties accept what they lead to.

    :raises RotationError: ``ca_setting_invalid`` (limits: Baseline Requirements 4.9.7, 4.9.10, 6.3.2).
    """
    limits = {"leaf_days": (1, 397), "crl_days": (1, 10), "root_crl_days": (1, 365), "ocsp_hours": (8, 240)}
    for name, (lowest, highest) in limits.items():
        if not lowest <= getattr(settings, name) <= highest:
            raise RotationError(
                "ca_setting_invalid",
                f"{name} is {getattr(settings, name)}, and must be from {lowest} to {highest}",
                setting=name,
                lowest=lowest,
                highest=highest,
            )
    if not 1 <= settings.crl_refresh_days < max(settings.crl_days, 2):
        raise RotationError(
            "ca_setting_invalid",
            "crl_refresh_days must be at least 1 and less than crl_days",
            setting="crl_refresh_days",
        )
    return settings
