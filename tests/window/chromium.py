"""A real Chromium without a screen, driven as a person uses it, and what it asked the network for."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = "" if CHROMIUM and CHROMEDRIVER else "needs Debian's packages chromium and chromium-driver"
# The levels that WCAG 2.2 AA is made of, as axe names its rules.
_WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_FLAGS = (
    "headless=new",
    "no-sandbox",
    "disable-gpu",
    "disable-dev-shm-usage",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
    "lang=en",
)


class Chromium:
    """One browser; `keys` are typed into whatever has the focus."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self._driver = driver

    @property
    def text(self) -> str:
        return " ".join(self.run("return document.body.innerText").split())

    @property
    def title(self) -> str:
        return self._driver.title

    @property
    def focused(self) -> str:
        return self._driver.switch_to.active_element.text

    def open(self, address: str) -> None:
        self._driver.get(address)

    def keys(self, *typed: str) -> None:
        self._driver.switch_to.active_element.send_keys(*typed)

    def tab_to(self, text: str) -> None:
        for _ in range(40):
            self.keys(Keys.TAB)
            if self.focused == text:
                return
        raise AssertionError(f"no Tab leads to {text}")

    def click(self, text: str) -> None:
        self._driver.find_element(By.XPATH, f"//button[normalize-space()='{text}']").click()

    def wait_for(self, words: str) -> None:
        # A page that is just being exchanged can't be asked.
        wait = WebDriverWait(self._driver, 10, poll_frequency=0.05, ignored_exceptions=[WebDriverException])
        wait.until(lambda _: words in self.text, words)

    def wait_while(self, words: str) -> None:
        wait = WebDriverWait(self._driver, 10, poll_frequency=0.05, ignored_exceptions=[WebDriverException])
        wait.until(lambda _: words not in self.text, words)

    def run(self, script: str) -> Any:
        return self._driver.execute_script(script)

    def look(self, *, dark: bool = False, width: int = 1000, height: int = 800, scripts: bool = True) -> None:
        """How the person's screen and settings are."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._tell("Emulation.setEmulatedMedia", media="", features=[scheme])
        self._tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self._tell("Emulation.setScriptExecutionDisabled", value=not scripts)

    def on_paper(self) -> None:
        """The page as it is printed."""
        self._tell("Emulation.setEmulatedMedia", media="print")

    def stretch(self, most: int) -> None:
        """Makes the screen as high as the page, up to so many pixels."""
        width, height = self.run("return [innerWidth, document.documentElement.scrollHeight]")
        size = {"width": width, "height": min(height, most)}
        self._tell("Emulation.setScrollbarsHidden", hidden=True)
        self._tell("Emulation.setDeviceMetricsOverride", **size, deviceScaleFactor=1, mobile=False)

    def violations(self) -> list[str]:
        """What axe finds wrong with the page for people with a keyboard, a screen reader or weak eyes."""
        self._driver.execute_script(_axe())
        found = self._driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            f"axe.run({{runOnly: {json.dumps(_WCAG)}}}).then(found => done(found.violations));"
        )
        return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]

    def picture(self, path: Path) -> None:
        self._driver.save_screenshot(str(path))

    def requests(self) -> list[str]:
        """Every address that pages asked for since the last look."""
        told = [json.loads(entry["message"])["message"] for entry in self._driver.get_log("performance")]
        return [one["params"]["request"]["url"] for one in told if one["method"] == "Network.requestWillBeSent"]

    def complaints(self) -> list[str]:
        """What the browser's console shows: a refused style or script stands there."""
        return [entry["message"] for entry in self._driver.get_log("browser")]

    def _tell(self, command: str, **arguments: Any) -> None:
        self._driver.execute_cdp_cmd(command, arguments)


@contextmanager
def chromium(profile: Path) -> Iterator[Chromium]:
    """Starts Debian's Chromium with a new profile, and ends it."""
    assert CHROMIUM and CHROMEDRIVER
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in _FLAGS:
        options.add_argument(f"--{flag}")
    options.add_argument(f"--user-data-dir={profile}")
    options.unhandled_prompt_behavior = "dismiss"
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(executable_path=CHROMEDRIVER))
    try:
        driver.set_script_timeout(20)
        yield Chromium(driver)
    finally:
        driver.quit()


def _axe() -> str:
    # The package carries axe-core for Playwright's driver; only the file is needed here.
    found = importlib.util.find_spec("axe_playwright_python")
    assert found and found.submodule_search_locations
    return (Path(found.submodule_search_locations[0]) / "axe.min.js").read_text("utf-8")
