# Copyright: (c) 2026, certops maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real browser without a window: Debian's chromium, driven through chromium-driver."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_OPTIONS = (
    "--headless=new",
    "--window-size=1400,1000",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    # Nothing is looked up: the pages are files.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


def why_no_browser() -> str:
    """What is missing to run one; empty if nothing is."""
    if importlib.util.find_spec("selenium") is None:
        return "selenium is not installed"
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"{' and '.join(missing)} not installed" if missing else ""


@contextlib.contextmanager
def browser(*arguments: str) -> Iterator[Any]:
    """A browser of its own, which ends with the block; its profile is gone then."""
    # Only the environment with all tools has it.
    from selenium.webdriver import Chrome
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory(prefix="certops-browser-") as profile:
        options = Options()
        options.binary_location = str(shutil.which("chromium"))
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        for argument in (*_OPTIONS, f"--user-data-dir={profile}", *arguments):
            options.add_argument(argument)
        if os.geteuid() == 0:
            # Chromium refuses to run as root otherwise; what it opens are files of ours.
            options.add_argument("--no-sandbox")
        driver = Chrome(options=options, service=Service(str(shutil.which("chromedriver"))))
        try:
            driver.set_page_load_timeout(60)
            driver.set_script_timeout(60)
            yield driver
        finally:
            driver.quit()


def said(driver: Any) -> list[str]:
    """What the console has been told since the last question: errors, warnings, refusals by the page's policy."""
    return [entry["message"] for entry in driver.get_log("browser")]


def address(path: Path) -> str:
    return path.resolve().as_uri()
