"""A headless Chromium, and the platform it looks at."""

import json
import os
import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from infra.embedded.state import ROOT
from tests.support.launcher import Launcher, until

DEFAULT_URL = "http://127.0.0.1:8080"

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1400,1800",
)

_START_SECONDS = 90


@dataclass
class Site:
    """A running platform, and its admin's credentials as the body of a sign-in."""

    url: str
    credentials: dict[str, str]

    def access_token(self) -> str:
        """Return a token from a real sign-in."""
        answer = httpx.post(f"{self.url}/v1/auth/login", json=self.credentials, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]["access_token"]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    """The platform at GERAI_URL or on the default port; where none runs, one of the test's own."""
    url = os.environ.get("GERAI_URL", DEFAULT_URL).rstrip("/")
    if "GERAI_URL" in os.environ or _is_ready(url):
        yield Site(url, _credentials(ROOT / ".gerai"))
        return
    launcher = Launcher(tmp_path_factory.mktemp("platform"))
    launcher.start()
    try:
        until(lambda: launcher.is_ready("gateway"), _START_SECONDS)
        yield Site(launcher.url("gateway"), _credentials(launcher.state.folder))
    finally:
        launcher.clean_up()


@pytest.fixture
def browser() -> Generator[Chrome]:
    """A new Chromium with nothing remembered."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.fail("Chromium is missing. On Debian: apt-get install chromium chromium-driver")
    options = ChromeOptions()
    options.binary_location = chromium
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options, ChromeService(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


def _is_ready(url: str) -> bool:
    """Tell whether a gateway of ours is there; others may have the port, too."""
    try:
        return '"ready"' in httpx.get(f"{url}/readyz").text
    except httpx.TransportError:
        return False


def _credentials(state: Path) -> dict[str, str]:
    if "ADMIN_EMAIL" in os.environ:
        password = os.environ.get("ADMIN_PASSWORD") or (state / "admin-password").read_text().strip()
        return {"email": os.environ["ADMIN_EMAIL"], "password": password}
    return json.loads((state / "sign-in.json").read_text())
