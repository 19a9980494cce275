# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``cryptography``, or a clear word where it is missing; and the same for other libraries.

Everything that needs it imports its parts from here. On a Python without it, importing still works (``ansible-test
sanity`` imports without any library), and the first use fails with ``library_missing`` instead of a traceback.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, NoReturn

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

__all__ = [
    "DECODING_ERRORS",
    "MissingLibrary",
    "dsa",
    "ec",
    "ed448",
    "ed25519",
    "exceptions",
    "hashes",
    "library",
    "ocsp",
    "oid",
    "padding",
    "pkcs7",
    "rsa",
    "serialization",
    "utils",
    "x509",
]

_PACKAGES = {
    "OpenSSL": "pyOpenSSL",
    "acme": "acme",
    "crossplane": "crossplane",
    "cryptography": "cryptography",
    "dns": "dnspython",
    "josepy": "josepy",
    "requests": "requests",
}


class MissingLibrary(type):
    """Makes what stands where a library should be: its parts can be named, but not used.

    Each part is an exception class, because ``except`` and ``isinstance`` name parts too, and want classes.
    """

    package: str
    error: ImportError

    def __getattr__(cls, name: str) -> MissingLibrary:
        if name.startswith("__"):
            raise AttributeError(name)
        return cls

    def __call__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        raise RotationError(
            "library_missing",
            f"the Python library {cls.package} cannot be imported: {cls.error}",
            remedy=f"install {cls.package} for the Python that runs this, or use the execution environment",
            library=cls.package,
        ) from cls.error


def library(name: str) -> Any:
    """The module ``name``, or what a ``MissingLibrary`` makes."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        return MissingLibrary(name, (Exception,), {"package": _PACKAGES[name.partition(".")[0]], "error": error})


if TYPE_CHECKING:
    from cryptography import exceptions, x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa, utils
    from cryptography.hazmat.primitives.serialization import pkcs7
    from cryptography.x509 import ocsp, oid
else:
    exceptions = library("cryptography.exceptions")
    x509 = library("cryptography.x509")
    ocsp = library("cryptography.x509.ocsp")
    oid = library("cryptography.x509.oid")
    hashes = library("cryptography.hazmat.primitives.hashes")
    serialization = library("cryptography.hazmat.primitives.serialization")
    pkcs7 = library("cryptography.hazmat.primitives.serialization.pkcs7")
    dsa = library("cryptography.hazmat.primitives.asymmetric.dsa")
    ec = library("cryptography.hazmat.primitives.asymmetric.ec")
    ed448 = library("cryptography.hazmat.primitives.asymmetric.ed448")
    ed25519 = library("cryptography.hazmat.primitives.asymmetric.ed25519")
    padding = library("cryptography.hazmat.primitives.asymmetric.padding")
    rsa = library("cryptography.hazmat.primitives.asymmetric.rsa")
    utils = library("cryptography.hazmat.primitives.asymmetric.utils")

# What the library raises for bytes that are not what they should be. Most of it decodes late, so nearly any access may.
DECODING_ERRORS: tuple[type[Exception], ...] = (
    ValueError,
    TypeError,
    OverflowError,
    LookupError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    exceptions.UnsupportedAlgorithm,
)
