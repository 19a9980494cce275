# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA that refuses or is not there: the old release stays, and the next run finishes the job with the same key."""

from __future__ import annotations

from ansible_collections.certops.rotation.tests.support.local_world import LocalWorld, must
from ansible_collections.certops.rotation.tests.support.outcome import assert_finished, assert_untouched


def test_ca_that_refuses_the_name(shop: LocalWorld) -> None:
    old = shop.served("shop.example.org")
    shop.revoke("shop")
    shop.make_ca(allowed_names=["elsewhere.example.org"])
    run = shop.rotate()
    assert run.returncode == 2
    error = shop.rotation("shop")["error"]
    assert (error["step"], error["code"]) == ("issue", "ca_refused")
    assert "shop.example.org" in error["msg"]
    assert error["remedy"]
    assert_untouched(shop, "shop", old)
    prepared = [path.name for path in (shop.root / "shop" / "versions").iterdir()]
    shop.make_ca(allowed_names=[])
    must(shop.rotate())
    assert_finished(shop, "shop", old)
    assert shop.live("shop").name in prepared


def test_ca_that_is_away(shop: LocalWorld) -> None:
    """Its directory is on a disk that is not mounted; what it has published can still be fetched."""
    old = shop.served("shop.example.org")
    shop.variables["rotate_trust_anchors"] = [str(shop.published / "root.crt")]
    shop.revoke("shop")
    directory, away = shop.place / "ca", shop.place / "away"
    directory.rename(away)
    run = shop.rotate()
    assert run.returncode == 2
    assert "Traceback" not in run.output
    away.rename(directory)
    error = shop.rotation("shop")["error"]
    assert (error["step"], error["code"]) == ("issue", "ca_directory_missing")
    assert_untouched(shop, "shop", old)
    must(shop.rotate())
    assert_finished(shop, "shop", old)


def test_ca_that_cannot_publish_revokes_and_says_so(shop: LocalWorld) -> None:
    """The predecessor is revoked in its books; as long as nobody can see that, it is a warning."""
    old = shop.served("shop.example.org")
    shop.make_ca(ocsp=False)  # a staple that can't be had would be waited for
    shop.variables.update(rotate_force=True, rotate_visible_deadline=1)
    shop.publisher.folder = shop.place / "nowhere"
    must(shop.rotate())
    shop.publisher.folder = shop.published.resolve()
    entry = shop.rotation("shop")
    assert entry["revocation"]["state"] == "accepted_not_published"
    assert any("not yet to be seen in crl" in text for text in entry["warnings"])
    assert_finished(shop, "shop", old)
