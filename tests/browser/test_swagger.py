"""The Swagger page as a person uses it: authorise, try an endpoint, see the answer."""

import json
from collections.abc import Callable

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import (
    element_to_be_clickable,
    presence_of_element_located,
)
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser.conftest import Site

pytestmark = pytest.mark.browser

LIST_STORES = '.opblock-get:has(.opblock-summary-path[data-path="/v1/stores"])'

_SECONDS = 20


class SwaggerPage:
    """The page, by what a person does on it."""

    def __init__(self, browser: Chrome, site: Site) -> None:
        self._browser = browser
        self._wait = WebDriverWait(browser, _SECONDS)
        self._url = f"{site.url}/swagger/index.html"

    def open(self) -> None:
        self._browser.get(self._url)
        self.see(".opblock")

    def see(self, selector: str) -> WebElement:
        return self._wait.until(presence_of_element_located((By.CSS_SELECTOR, selector)))

    def click(self, selector: str) -> None:
        self._wait.until(element_to_be_clickable((By.CSS_SELECTOR, selector))).click()

    def authorise(self, token: str) -> None:
        self.click(".btn.authorize")
        self.see(".auth-container input").send_keys(token)
        self.click(".auth-btn-wrapper .btn.authorize")
        self.click(".auth-btn-wrapper .btn-done")

    def list_stores(self) -> tuple[str, str]:
        """Try GET /v1/stores and return the status and body that the page shows."""
        self.click(f"{LIST_STORES} .opblock-summary-control")
        self.click(f"{LIST_STORES} .btn.execute")
        answer = f"{LIST_STORES} .live-responses-table .response"
        status = self.see(f"{answer} .response-col_status").text
        return status.split()[0], self.see(f"{answer} .highlight-code code").text

    def complaints(self) -> list[str]:
        """Return what the browser's console holds against the page: errors, refused files."""
        get_log: Callable[[str], list[dict[str, str]]] = self._browser.get_log  # type: ignore[reportUnknownMemberType] - selenium leaves it untyped
        entries = get_log("browser")
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]


@pytest.fixture
def page(browser: Chrome, site: Site) -> SwaggerPage:
    page = SwaggerPage(browser, site)
    page.open()
    return page


def test_an_authorised_person_sees_the_answer(page: SwaggerPage, site: Site) -> None:
    page.authorise(site.access_token())
    status, body = page.list_stores()
    assert status == "200"
    assert json.loads(body)["status_code"] == 200
    assert page.complaints() == []


def test_anyone_else_is_told_to_sign_in(page: SwaggerPage) -> None:
    status, body = page.list_stores()
    assert status == "401"
    assert json.loads(body)["error"]["code"] == "UNAUTHENTICATED"


def test_the_authorisation_outlives_a_reload(page: SwaggerPage, site: Site) -> None:
    page.authorise(site.access_token())
    page.open()
    assert page.list_stores()[0] == "200"
