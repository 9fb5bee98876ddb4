"""The widget on a slow phone: seconds until its button shows, and from a question to the first verified statement."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
SLOWDOWN = 4
LATENCY, DOWN, UP = 150, 1_600_000, 750_000
"""Milliseconds, and bits a second. Source: Lighthouse's mobile profile, slow 4G and a processor slowed four times."""
QUESTION = "What did the study find?"


@dataclass(frozen=True, slots=True)
class Phone:
    """Seconds on a throttled phone.

    Attributes:
        button: From the address to the widget's button.
        first: From the press on "send" to the first statement on screen.
        whole: From the address to that statement, the visitor's typing left out.
    """

    button: float
    first: float
    whole: float


def measure(address: str) -> Phone | None:
    """Return what a phone's visitor waits for at `/demo`, or None where Playwright or Chromium is not installed.

    Args:
        address: The server, such as http://127.0.0.1:7860.
    """
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return None
    if browser_path is None:
        return None
    try:
        with sync_playwright() as driver:
            return _visit(driver.chromium.launch(executable_path=browser_path, args=FLAGS), address)
    except Error:  # a browser that is not one, or too slow
        return None


def _visit(browser: Browser, address: str) -> Phone:
    page = browser.new_page(viewport={"width": 360, "height": 740})
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": LATENCY, "downloadThroughput": DOWN / 8, "uploadThroughput": UP / 8},
    )
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    began = time.perf_counter()
    page.goto(f"{address}/demo", wait_until="commit")
    launch = page.locator("study-assistant[position][study] .launch")  # the demo page has chosen a study
    launch.wait_for(state="visible")
    button = time.perf_counter() - began
    launch.click()
    widget = page.locator("study-assistant[position]")
    widget.locator("textarea").fill(QUESTION)
    sent = time.perf_counter()
    widget.locator("textarea").press("Enter")
    widget.locator(".said p").first.wait_for(state="visible")
    first = time.perf_counter() - sent
    browser.close()
    return Phone(button, first, button + first)
