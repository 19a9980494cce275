# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Extensions of responses and of what they say (RFC 6960 section 4.4), and nonces (RFC 9654)."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.certops.rotation.plugins.module_utils._core.verdict import RevocationPolicy
from ansible_collections.certops.rotation.tests.conformance import der_writer as der
from ansible_collections.certops.rotation.tests.conformance.hierarchy import AT, OCSP, ROOT_CRL
from ansible_collections.certops.rotation.tests.conformance.ocsp_cases import (
    CERTIFICATE_HOLD,
    NONCE,
    NULL_VALUE,
    ODD,
    answered,
    nonce,
    nonce_of,
    world,
)
from ansible_collections.certops.rotation.tests.conformance.vector import Case, Expected, good, revoked, unknown, vector
from ansible_collections.certops.rotation.tests.support.pki import DAY

ARCHIVE_CUTOFF = "1.3.6.1.5.5.7.48.1.6"
WITH_NONCE = RevocationPolicy(nonce=True)


def _response(status: str = "good", *, whole: tuple[bytes, ...] = (), single: tuple[bytes, ...] = ()) -> bytes:
    return world().sign_response([world().single(status, extensions=single)], extensions=whole)


def _asked_with_nonce(answer: Callable[[bytes], tuple[bytes, ...]], expected: Expected, status: str = "good") -> Case:
    """The responder makes the extensions of its response of the nonce that it is asked with."""

    def page(request: bytes) -> bytes:
        asked = nonce_of(request)
        if asked is None or len(asked) != 32:
            raise ValueError("a request without a nonce of 32 octets (RFC 9654 2.1)")
        return _response(status, whole=answer(asked))

    return answered(page, expected, policy=WITH_NONCE)


@vector
def an_unknown_critical_extension_of_the_response() -> Case:
    """What is critical and not understood may change the meaning of all the rest: no good (RFC 5280 4.2)."""
    odd = der.extension(ODD, NULL_VALUE, critical=True)
    return answered(_response(whole=(odd,)), unknown("critical_extension"))


@vector
def an_unknown_extension_of_the_response() -> Case:
    """What is not critical must be ignored (RFC 9919 3.2.1)."""
    return answered(_response(whole=(der.extension(ODD, NULL_VALUE),)), good())


@vector
def an_unknown_critical_extension_of_the_answer() -> Case:
    """The same in the SingleResponse about the leaf."""
    odd = der.extension(ODD, NULL_VALUE, critical=True)
    return answered(_response(single=(odd,)), unknown("critical_extension"))


@vector
def an_unknown_critical_extension_beside_a_revocation() -> Case:
    """It can take away the good of a response; that the CA signed "revoked" remains."""
    odd = der.extension(ODD, NULL_VALUE, critical=True)
    return answered(_response("revoked", whole=(odd,), single=(odd,)), revoked())


@vector
def an_unknown_critical_extension_beside_a_hold() -> Case:
    """A hold is nothing final, so in doubt it is unknown."""
    odd = der.extension(ODD, NULL_VALUE, critical=True)
    single = world().single("revoked", reason=CERTIFICATE_HOLD, extensions=(odd,))
    return answered(world().sign_response([single]), unknown("critical_extension"))


@vector
def an_unknown_critical_extension_of_another_answer() -> Case:
    """It belongs to what is said about another certificate."""
    odd = der.extension(ODD, NULL_VALUE, critical=True)
    other = world().single(serial=0x1002, extensions=(odd,))
    return answered(world().sign_response([other, world().single()]), good())


@vector
def a_critical_archive_cutoff() -> Case:
    """Known ones may be critical: how long the responder remembers expired certificates (RFC 6960 4.4.4)."""
    cutoff = der.extension(ARCHIVE_CUTOFF, der.generalized_time(AT - 365 * DAY), critical=True)
    return answered(_response(single=(cutoff,)), good())


@vector
def an_archive_cutoff_that_is_no_time() -> Case:
    """It is only shown, so nonsense in it is no more than not shown."""
    return answered(_response(single=(der.extension(ARCHIVE_CUTOFF, NULL_VALUE),)), good())


@vector
def an_extension_without_a_value() -> Case:
    """An Extension of nothing but an OID is none."""
    broken = der.sequence(der.oid(ODD))
    return answered(_response(whole=(broken,)), unknown("unreadable"))


@vector
def a_nonce_that_nobody_asked_for() -> Case:
    """Clients that send no nonce must ignore it (RFC 9919 5), even a critical or malformed one."""
    odd = der.extension(NONCE, NULL_VALUE, critical=True)
    return answered(_response(whole=(odd, nonce(b"n" * 129))), good())


@vector
def the_nonce_is_repeated() -> Case:
    """Asked with a nonce of 32 octets, answered with the same: made for us, just now (RFC 9654 2.1)."""
    return _asked_with_nonce(lambda asked: (nonce(asked),), good(asked=(OCSP, ROOT_CRL)))


@vector
def the_nonce_is_left_out() -> Case:
    """Responses made in advance have none; they must not be refused for that, their dates count (RFC 9919 5)."""
    return _asked_with_nonce(lambda asked: (), good(asked=(OCSP, ROOT_CRL)))


@vector
def the_nonce_is_left_out_of_an_expired_response() -> Case:
    """Without a nonce the dates alone decide, and they say no."""

    def page(_request: bytes) -> bytes:
        return world().response(this_update=AT - 9 * DAY, next_update=AT - 2 * DAY)

    return answered(page, unknown("stale", asked=(OCSP, OCSP, ROOT_CRL)), policy=WITH_NONCE)


@vector
def the_nonce_is_another() -> Case:
    """The answer to somebody else's question, perhaps of long ago: a replay."""
    return _asked_with_nonce(lambda asked: (nonce(bytes(32)),), unknown("nonce_mismatch"))


@vector
def the_nonce_is_cut_short() -> Case:
    """The first 16 octets of it are not it."""
    return _asked_with_nonce(lambda asked: (nonce(asked[:16]),), unknown("nonce_mismatch"))


@vector
def the_nonce_is_too_long() -> Case:
    """More than 128 octets are not allowed (RFC 9654 2.1), whatever they begin with."""
    return _asked_with_nonce(lambda asked: (nonce(asked + bytes(97)),), unknown("nonce_mismatch"))


@vector
def the_nonce_is_empty() -> Case:
    """At least one octet (RFC 9654 2.1). An empty one is there, and wrong."""
    return _asked_with_nonce(lambda asked: (nonce(b""),), unknown("nonce_mismatch"))


@vector
def the_nonce_is_not_an_octet_string() -> Case:
    """The bare octets as the value of the extension, as before RFC 6960 was corrected."""
    return _asked_with_nonce(lambda asked: (der.extension(NONCE, asked),), unknown("nonce_mismatch"))


@vector
def the_nonce_stands_there_twice() -> Case:
    """The right one and another: an extension may be there only once (RFC 5280 4.2)."""
    return _asked_with_nonce(lambda asked: (nonce(asked), nonce(bytes(32))), unknown("nonce_mismatch"))


@vector
def revoked_with_another_nonce() -> Case:
    """An old "revoked" may be a replay, and is still true."""
    return _asked_with_nonce(lambda asked: (nonce(bytes(32)),), revoked(), "revoked")
