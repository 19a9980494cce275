# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kept answers: what is kept, when it stands for asking, and what processes, kills and damage do to it."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.certops.rotation.plugins.module_utils._core.errors import RotationError
from ansible_collections.certops.rotation.plugins.module_utils._fetch.cache import DiskCache, Entry, entry_key
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import Fetched, HttpClient
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http_freshness import HttpFreshness
from ansible_collections.certops.rotation.plugins.module_utils._fetch.keeper import Check, Keeper, Span
from ansible_collections.certops.rotation.tests.support.http_server import HttpServer, Reply
from ansible_collections.certops.rotation.tests.support.tls_server import closed_port

HOUR = timedelta(hours=1)
LONG_AGO = "Mon, 16 Nov 2020 12:00:00 GMT"
FRESH: dict[str, Any] = {"Cache-Control": "max-age=600"}
SETTLED: dict[str, Any] = {"Last-Modified": LONG_AGO, "ETag": '"1"'}


def now() -> datetime:
    return datetime.now(timezone.utc)


def for_an_hour(body: bytes) -> Span | None:
    """Verifies what begins with "good"."""
    if not body.startswith(b"good"):
        raise RotationError("signature_invalid", "no")
    return Span(now() - HOUR, now() + HOUR)


@dataclasses.dataclass
class World:
    web: HttpServer
    directory: str

    def get(self, path: str = "/ca.crl", check: Check = for_an_hour, **how: Any) -> Fetched:
        """As a run of its own does."""
        past_caches = how.pop("past_caches", False)
        url = self.web.url(path)
        client = HttpClient(timeout=5)

        def ask(headers: Mapping[str, str]) -> Fetched:
            return client.get(url, headers=headers)

        keeper = Keeper(DiskCache(self.directory), **how)
        return keeper.answer(entry_key("GET", url), ask, check, past_caches=past_caches)

    def kept(self) -> list[Path]:
        return sorted(Path(self.directory, "answers").glob("*"))

    def put(self, body: bytes = b"good", **headers: Any) -> None:
        """:param headers: by name, with "_" for "-"."""
        self.web.put("/ca.crl", body, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def asked(self) -> int:
        return len(self.web.requests)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with HttpServer() as web:
        yield World(web, str(tmp_path / "cache"))


# --- when a kept answer stands for asking ---


def test_fresh_answer_is_not_asked_for_again(world: World) -> None:
    world.put(**FRESH)
    assert [world.get().cached for _run in range(3)] == [None, "fresh", "fresh"]
    assert world.asked() == 1 and world.get().body == b"good"


def test_without_a_word_of_the_server_it_is_always_asked(world: World) -> None:
    """A static file server in front of an internal CA: what was published a second ago must be seen."""
    world.put(b"good 1")
    assert world.get().body == b"good 1"
    world.put(b"good 2")
    assert (world.get().body, world.get().cached, world.asked()) == (b"good 2", None, 3)


@pytest.mark.parametrize(
    ("headers", "condition"),
    [({"ETag": '"1"'}, "if-none-match"), ({"Last-Modified": LONG_AGO}, "if-modified-since")],
)
def test_same_as_before_is_not_sent_again(world: World, headers: dict[str, Any], condition: str) -> None:
    world.put(b"good 1", **headers)
    assert [world.get().cached for _run in range(3)] == [None, "revalidated", "revalidated"]
    assert world.get().body == b"good 1" and world.asked() == 4 and condition in world.web.headers[-1]
    world.put(b"good 2", **{name: value.replace("1", "2") for name, value in headers.items()})
    assert (world.get().body, world.get().cached) == (b"good 2", "revalidated")


def test_not_modified_makes_it_fresh_again(world: World) -> None:
    world.put(**SETTLED, Cache_Control="max-age=0")
    world.get()
    world.put(**SETTLED, **FRESH)
    assert [world.get().cached, world.get().cached] == ["revalidated", "fresh"]


def test_change_within_the_same_second_is_seen(world: World) -> None:
    """Last-Modified has seconds, and some servers make their ETag of it: then only the whole answer proves anything."""
    moment = now().strftime("%a, %d %b %Y %H:%M:%S GMT")
    world.put(b"good 1", Last_Modified=moment, ETag='"same"')
    world.get()
    world.put(b"good 2", Last_Modified=moment, ETag='"same"')
    assert world.get().body == b"good 2"


@pytest.mark.parametrize("control", ["no-store", "no-store, max-age=600"])
def test_what_must_not_be_stored_is_not(world: World, control: str) -> None:
    world.put(Cache_Control=control)
    world.get()
    assert world.kept() == []


def test_next_update_ends_it_whatever_http_says(world: World) -> None:
    world.put(**SETTLED, **FRESH)

    def short(_body: bytes) -> Span:
        return Span(now() - HOUR, ends)

    ends = now() + timedelta(seconds=0.6)
    assert [world.get(check=short).cached, world.get(check=short).cached] == [None, "fresh"]
    time.sleep(0.7)
    # A server that says "it is the same" of what has expired is asked in a way that it has to send it.
    assert world.get(check=short).cached is None and "if-none-match" not in world.web.headers[-1]


@pytest.mark.parametrize(("begin", "end"), [(-2 * HOUR, -HOUR), (HOUR, 2 * HOUR)], ids=["past", "future"])
def test_what_does_not_speak_for_now_is_not_kept(world: World, begin: timedelta, end: timedelta) -> None:
    """Who judges for another time accepts it, and leaves nothing of it to those who judge for now."""
    world.put(**FRESH)
    world.get(check=lambda _body: Span(now() + begin, now() + end))
    assert world.kept() == []


@pytest.mark.parametrize("body", [b"bad", b"", b"<html>Please log in</html>"])
def test_what_is_not_verified_is_not_kept(world: World, body: bytes) -> None:
    world.put(body, **FRESH)
    assert world.get().body == body and world.kept() == []
    world.put(b"good", **FRESH)
    assert world.get().body == b"good"


def test_kept_answer_that_no_longer_verifies_is_not_used(world: World) -> None:
    """A CA that was made anew at the same URL."""
    world.put(b"good old", **FRESH, **SETTLED)
    world.get()
    world.put(b"good new", **FRESH, **SETTLED)
    assert world.get(check=lambda body: for_an_hour(body) if body == b"good new" else None).body == b"good new"


def test_older_answer_does_not_replace_a_newer_one(world: World) -> None:
    world.put(b"good new")
    world.get(check=lambda _body: Span(now() - HOUR, now() + HOUR))
    world.put(b"good old", **FRESH)
    assert world.get(check=lambda _body: Span(now() - 2 * HOUR, now() + HOUR)).body == b"good old"
    [path] = world.kept()
    assert path.read_bytes().endswith(b"good new")


def test_past_caches_asks_and_keeps(world: World) -> None:
    world.put(b"good 1", **FRESH, **SETTLED)
    world.get()
    world.put(b"good 2", **FRESH, **SETTLED)
    assert world.get(past_caches=True).body == b"good 2" and "if-none-match" not in world.web.headers[-1]
    assert (world.get().body, world.get().cached) == (b"good 2", "fresh")


# --- who needs the latest ---


def test_always_ask_uses_nothing_unasked(world: World) -> None:
    world.put(b"good 1", **FRESH, **SETTLED)
    world.get()
    assert world.get(always_ask=True).cached == "revalidated" and world.asked() == 2
    world.put(b"good 2", **FRESH)
    assert world.get(always_ask=True).body == b"good 2"
    world.put(b"", **FRESH)
    world.web.replies["/ca.crl"] = Reply(status=503)
    with pytest.raises(RotationError):
        world.get(always_ask=True)


# --- a source that gives no answer ---


@pytest.mark.parametrize("reply", [Reply(status=503), Reply(status=500), Reply(status=429), Reply(reset=True)])
def test_silent_source_leaves_what_was_kept(world: World, reply: Reply) -> None:
    world.put(b"good")
    world.get()
    world.web.replies["/ca.crl"] = reply
    found = world.get()
    assert (found.body, found.cached) == (b"good", "source_silent")


@pytest.mark.parametrize("reply", [Reply(status=404), Reply(status=403), Reply(redirect="file:///etc/passwd")])
def test_source_that_refuses_is_not_silent(world: World, reply: Reply) -> None:
    world.put(b"good")
    world.get()
    world.web.replies["/ca.crl"] = reply
    with pytest.raises(RotationError):
        world.get()


def test_must_revalidate_forbids_that(world: World) -> None:
    world.put(b"good", Cache_Control="max-age=0, must-revalidate")
    world.get()
    world.web.replies["/ca.crl"] = Reply(status=503)
    with pytest.raises(RotationError):
        world.get()


def test_silence_after_next_update_is_silence(world: World) -> None:
    world.put(b"good")
    ends = now() + timedelta(seconds=0.3)
    world.get(check=lambda _body: Span(now() - HOUR, ends))
    world.web.replies["/ca.crl"] = Reply(status=503)
    time.sleep(0.4)
    with pytest.raises(RotationError):
        world.get()


# --- damage ---


def test_every_flipped_bit_is_a_miss(world: World) -> None:
    world.put(b"good", **FRESH)
    world.get()
    [path] = world.kept()
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :])
        entry = DiskCache(world.directory).entry(path.name)
        assert entry is None or DiskCache(world.directory).body(path.name, entry) is None, position


@pytest.mark.parametrize("damage", [b"", b"\n", b"\n\n\n", b"\0" * 100_000, b"certops-cache-1 \n{}\n", b"x" * 200_000])
def test_what_is_no_entry_is_a_miss_and_is_replaced(world: World, damage: bytes) -> None:
    world.put(b"good", **FRESH)
    world.get()
    [path] = world.kept()
    path.write_bytes(damage)
    assert (world.get().cached, world.get().cached) == (None, "fresh")


def test_cut_off_entry_is_a_miss(world: World) -> None:
    world.put(b"good" * 100, **FRESH)
    world.get()
    [path] = world.kept()
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        assert world.get().cached is None


def test_header_that_claims_other_things_is_a_miss(world: World) -> None:
    """The digest is no signature, but whoever may write it may write everything. Other fields are no entry."""
    world.put(b"good", **FRESH)
    world.get()
    [path] = world.kept()
    _first, line, body = path.read_bytes().split(b"\n", 2)
    for changed in (
        line.replace(b'"url"', b'"uri"'),
        line.replace(b'"size"', b'"more": 1, "size"'),
        b"[]",
        b"null",
        b"{",
        line.replace(b'"http": {', b'"http": {"x": 1, '),
    ):
        first = f"certops-cache-1 {hashlib.sha256(changed).hexdigest()}".encode()
        path.write_bytes(b"\n".join([first, changed, body]))
        assert DiskCache(world.directory).entry(path.name) is None
        assert world.get().body == b"good"


def test_disk_that_cannot_be_used_is_no_cache(world: World) -> None:
    world.put(b"good", **FRESH)
    world.directory = "/proc/nothing"
    assert [world.get().cached, world.get().cached] == [None, None]


def test_broken_between_the_question_and_not_modified(world: World) -> None:
    world.put(b"good", **SETTLED)
    world.get()
    [path] = world.kept()
    url = world.web.url("/ca.crl")

    def ask(headers: Mapping[str, str]) -> Fetched:
        found = HttpClient(timeout=5).get(url, headers=headers)
        if found.status == 304:
            path.write_bytes(b"")
        return found

    found = Keeper(DiskCache(world.directory)).answer(entry_key("GET", url), ask, for_an_hour)
    assert (found.body, found.cached) == (b"good", None) and world.asked() == 3


# --- size ---


def entry(number: int, *, until: timedelta = HOUR, received: timedelta = timedelta(0)) -> Entry:
    at = now() + received
    return Entry(f"http://x/{number}", "GET", now() - 2 * HOUR, now() + until, at, at, HttpFreshness())


def test_size_is_bounded_and_the_expired_and_oldest_go_first(tmp_path: Path) -> None:
    cache = DiskCache(str(tmp_path), max_bytes=100_000)
    cache.write("expired", entry(0, until=timedelta(seconds=-1)), bytes(20_000))
    cache.write("old", entry(1, received=-HOUR), bytes(20_000))
    for number in range(2, 5):
        cache.write(f"new{number}", entry(number, received=timedelta(seconds=number)), bytes(20_000))
    left = {path.name for path in (tmp_path / "answers").iterdir()}
    assert "expired" not in left and "new4" in left
    for number in range(5, 60):
        DiskCache(str(tmp_path), max_bytes=100_000).write(f"new{number}", entry(number), bytes(20_000))
        total = sum(path.stat().st_size for path in (tmp_path / "answers").iterdir())
        assert total <= 100_000
    assert cache.entry("new59") is not None and cache.entry("old") is None


def test_what_is_too_large_is_not_kept(tmp_path: Path) -> None:
    cache = DiskCache(str(tmp_path), max_bytes=100_000)
    cache.write("a", entry(1), bytes(1000))
    cache.write("b", entry(2), bytes(60_000))
    assert cache.entry("a") is not None and cache.entry("b") is None


def test_other_files_count_and_go(tmp_path: Path) -> None:
    cache = DiskCache(str(tmp_path), max_bytes=100_000)
    cache.write("a", entry(1), bytes(1000))
    (tmp_path / "answers" / "rubbish").write_bytes(bytes(200_000))
    DiskCache(str(tmp_path), max_bytes=100_000).write("b", entry(2), bytes(1000))
    assert sorted(path.name for path in (tmp_path / "answers").iterdir()) == ["a", "b"]


# --- many at once ---

RUN = """
import sys
from datetime import datetime, timedelta, timezone
from ansible_collections.certops.rotation.plugins.module_utils._fetch.cache import DiskCache, entry_key
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http import HttpClient
from ansible_collections.certops.rotation.plugins.module_utils._fetch.keeper import Keeper, Span
directory, url = sys.argv[1:3]
now = datetime.now(timezone.utc)
print("ready", flush=True)
sys.stdin.readline()
found = Keeper(DiskCache(directory)).answer(
    entry_key("GET", url),
    lambda headers: HttpClient(timeout=20).get(url, headers=headers),
    lambda body: Span(now - timedelta(hours=1), now + timedelta(hours=1)),
)
print(found.cached, len(found.body))
"""

WRITE = """
import sys, itertools
from datetime import datetime, timedelta, timezone
from ansible_collections.certops.rotation.plugins.module_utils._fetch.cache import DiskCache, Entry
from ansible_collections.certops.rotation.plugins.module_utils._fetch.http_freshness import HttpFreshness
cache = DiskCache(sys.argv[1])
now = datetime.now(timezone.utc)
print("ready", flush=True)
for number in itertools.count():
    with cache.locked("entry", patience=5):
        at = now + timedelta(microseconds=number)
        entry = Entry(str(number), "GET", at, now + timedelta(hours=1), at, at, HttpFreshness())
        cache.write("entry", entry, f"{number:09}".encode() * 100_000)
"""


def program(text: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", text, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("headers", [FRESH, {}], ids=["fresh", "without a word"])
def test_twenty_processes_fetch_once(world: World, headers: dict[str, str]) -> None:
    world.web.put("/ca.crl", bytes(300_000), headers=headers, delay=1.0)
    runs = [program(RUN, world.directory, world.web.url("/ca.crl")) for _number in range(20)]
    for run in runs:
        assert run.stdout is not None and run.stdout.readline() == "ready\n"
    for run in runs:
        assert run.stdin is not None
        run.stdin.write("go\n")
        run.stdin.flush()
    said = [run.communicate(timeout=60)[0].split() for run in runs]
    assert world.asked() == 1
    assert sorted(said) == [["None", "300000"], *[["fresh", "300000"]] * 19]
    assert [path.suffix for path in world.kept()] == [""]


def test_sixteen_threads_fetch_once(world: World) -> None:
    world.web.put("/ca.crl", b"good", delay=0.3)
    cache = DiskCache(world.directory)
    url = world.web.url("/ca.crl")
    barrier = threading.Barrier(16)

    def get(_number: int) -> bytes:
        barrier.wait()
        keeper = Keeper(cache)
        return keeper.answer(entry_key("GET", url), lambda h: HttpClient().get(url, headers=h), for_an_hour).body

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(get, range(16))) == [b"good"] * 16
    assert world.asked() == 1


def wait_for_temporary_file(folder: Path) -> None:
    end = time.monotonic() + 5
    while time.monotonic() < end and not (folder.is_dir() and any(folder.glob("*.tmp"))):
        time.sleep(0)


def test_kill_9_while_writing_leaves_whole_entries_and_no_lock(tmp_path: Path) -> None:
    chance = random.Random(9)
    cache = DiskCache(str(tmp_path))
    cut_off = 0
    for round_number in itertools.count():
        if round_number >= 12 and cut_off:
            break
        assert round_number < 80, "nothing was killed in the middle"
        process = program(WRITE, str(tmp_path))
        stdout = process.stdout
        if stdout is None:
            raise AssertionError("no output")
        stdout.readline()
        time.sleep(chance.uniform(0.01, 0.1))
        if round_number % 2:  # else a busy machine may never be caught in the middle
            wait_for_temporary_file(tmp_path / "answers")
        process.send_signal(signal.SIGKILL)
        process.wait()
        stdout.close()
        found = cache.entry("entry")
        if found is not None:
            body = cache.body("entry", found)
            assert body == f"{int(found.url):09}".encode() * 100_000
        cut_off += len(list((tmp_path / "answers").glob("*.tmp")))
        with cache.locked("entry", patience=10) as alone:
            assert alone
    for path in (tmp_path / "answers").iterdir():
        os.utime(path, (0, 0))
    DiskCache(str(tmp_path)).write("other", entry(1), b"")
    assert sorted(path.name for path in (tmp_path / "answers").iterdir()) == ["entry", "other"]


def test_readers_see_whole_entries_while_others_write(tmp_path: Path) -> None:
    process = program(WRITE, str(tmp_path))
    try:
        if process.stdout is None:
            raise AssertionError("no output")
        process.stdout.readline()
        cache = DiskCache(str(tmp_path))
        seen = set()
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            found = cache.entry("entry")
            body = None if found is None else cache.body("entry", found)
            if found is not None and body is not None:
                assert body == f"{int(found.url):09}".encode() * 100_000
                seen.add(found.url)
        assert len(seen) > 5
    finally:
        process.kill()
        process.communicate()


def test_hanging_process_is_not_waited_for_for_ever(world: World) -> None:
    world.put(b"good")
    cache = DiskCache(world.directory)
    with cache.locked(entry_key("GET", world.web.url("/ca.crl")), patience=1):
        started = time.monotonic()
        assert world.get(patience=0.3).body == b"good"
        assert time.monotonic() - started < 2


def test_error_of_who_asks_is_told_and_the_lock_given_back(world: World) -> None:
    url = f"http://127.0.0.1:{closed_port()}/"
    keeper = Keeper(DiskCache(world.directory))
    for _attempt in range(2):
        with pytest.raises(RotationError):
            keeper.answer(entry_key("GET", url), lambda headers: HttpClient().get(url, headers=headers), for_an_hour)
    assert world.kept() == []


def test_questions_have_keys_of_their_own() -> None:
    keys = {entry_key("GET", "http://x/"), entry_key("POST", "http://x/", b"a"), entry_key("POST", "http://x/", b"b")}
    assert len(keys) == 3 and all(len(key) == 64 for key in keys)
