# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Undoing what a web server does to a file although nobody asked for it: a CRL stored as ``.gz`` is sent so."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError

_GZIP = 16 + zlib.MAX_WBITS
_WINDOWS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": zlib.MAX_WBITS}


def decoded(url: str, body: bytes, headers: Mapping[str, str], *, max_bytes: int) -> bytes:
    """The content as it was before ``Content-Encoding``.

    :raises RotationError: encoding_unsupported, too_large (a bomb is not unfolded to its end).
    """
    codings = [name.strip().lower() for name in headers.get("content-encoding", "").split(",") if name.strip()]
    codings = [name for name in codings if name != "identity"]
    if len(codings) > 1 or any(name not in _WINDOWS for name in codings):
        raise RotationError("encoding_unsupported", f"{url}: sent encoded as {', '.join(codings)}", url=url)
    return _inflated(url, body, _WINDOWS[codings[0]], max_bytes) if codings else body


def _inflated(url: str, body: bytes, window: int, max_bytes: int) -> bytes:
    unfolding = zlib.decompressobj(window)
    try:
        found = unfolding.decompress(body, max_bytes + 1)
    except zlib.error as exc:
        raise RotationError("encoding_unsupported", f"{url}: the encoding is broken: {exc}", url=url) from exc
    if len(found) > max_bytes:
        raise RotationError("too_large", f"{url}: more than {max_bytes} bytes", url=url, max_bytes=max_bytes)
    if not unfolding.eof:
        raise RotationError("encoding_unsupported", f"{url}: the encoding is broken: it ends too early", url=url)
    return found
