# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of RSASSA-PSS: what RFC 4055 allows, and what is refused."""

from __future__ import annotations

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core import der
from ansible_collections.certops.rotation.plugins.module_utils._core.pss import pss_parameters
from ansible_collections.certops.rotation.tests.conformance import der_writer as writer

OID = writer.oid("1.2.840.113549.1.1.10")
SHA256 = writer.sequence(writer.oid("2.16.840.1.101.3.4.2.1"), writer.NULL)
MGF1 = writer.oid("1.2.840.113549.1.1.8")


def parsed(*fields: bytes) -> tuple[str, str, int]:
    """Hash, hash of the mask, length of the salt."""
    identifier = writer.sequence(OID, writer.sequence(*fields))
    padding, algorithm = pss_parameters(der.read(memoryview(identifier))[0])
    assert isinstance(padding._salt_length, int)
    return algorithm.name, padding.mgf._algorithm.name, padding._salt_length


def test_what_is_left_out_has_the_defaults_of_old() -> None:
    assert parsed() == ("sha1", "sha1", 20)


def test_all_of_it() -> None:
    fields = (
        writer.explicit(0, SHA256),
        writer.explicit(1, writer.sequence(MGF1, SHA256)),
        writer.explicit(2, writer.integer(32)),
        writer.explicit(3, writer.integer(1)),
    )
    assert parsed(*fields) == ("sha256", "sha256", 32)


@pytest.mark.parametrize(
    "field",
    [
        writer.explicit(0, writer.sequence(writer.oid("1.2.840.113549.2.5"), writer.NULL)),
        writer.explicit(0),
        writer.explicit(0, writer.sequence()),
        writer.explicit(1, SHA256),
        writer.explicit(1, writer.sequence(MGF1)),
        writer.explicit(2, writer.integer(-1)),
        writer.explicit(2, writer.integer(1 << 20)),
        writer.explicit(2, writer.octets(b"\x20")),
        writer.explicit(3, writer.integer(2)),
        writer.explicit(4, writer.integer(1)),
        writer.NULL,
    ],
)
def test_what_is_not_understood_is_refused(field: bytes) -> None:
    with pytest.raises(der.NotDerError):
        parsed(field)


def test_parameters_must_be_there() -> None:
    with pytest.raises(der.NotDerError):
        pss_parameters(der.read(memoryview(writer.sequence(OID)))[0])
