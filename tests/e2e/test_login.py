"""Where a login is configured nothing is shown before it, and everything after."""

import json
from pathlib import Path

from selenium.webdriver.remote.webdriver import WebDriver

from tests.e2e.axe import STYLED, Looks
from tests.e2e.browsing import all_of, press, text_of, there, until, until_told
from tests.e2e.identity import CLIENT, SECRET, provider
from tests.e2e.serving import free_port, lay_out, own_environment, served

ANN = "ann@example.org"
FORM = ".st-key-search_query"


def test_pages_are_for_those_who_logged_in(browser: WebDriver, tiny_sample_root: Path, tmp_path: Path) -> None:
    folder, port = lay_out(tmp_path / "app", index=tiny_sample_root / "sample", dev_queries=5), free_port()
    with provider(ANN) as identity:
        values = {
            "redirect_uri": f"http://127.0.0.1:{port}/oauth2callback",
            "cookie_secret": "a secret of the test that signs cookies",
            "client_id": CLIENT,
            "client_secret": SECRET,
            "server_metadata_url": f"{identity}/.well-known/openid-configuration",
        }
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
        (folder / ".streamlit/secrets.toml").write_text("\n".join(["[auth]", *lines]) + "\n", encoding="utf-8")
        with served(folder, own_environment(), folder / "log.txt", port=port) as address:
            for page in ("", "/indexes", "/models"):
                browser.get(address + page)
                until(browser, "the login", lambda: "Log in to search." in text_of(browser))
                assert not there(
                    browser, "[data-testid=stSidebarNavLink], [class*=st-key-search], [class*=st-key-indexes]"
                )
            until(browser, "the style", lambda: bool(browser.execute_script(STYLED)))
            looks = Looks(browser)
            looks.look("the login")
            looks.check({})
            press(browser, "login")
            all_of(browser, FORM)
            until(browser, "who it is", lambda: f"Logged in as {ANN}" in text_of(browser, ".st-key-access"))
            press(browser, "logout")
            until_told(browser, "Log in to search.")
            assert not there(browser, FORM)
