"""A headless Chromium that looks at the pages as a person would, and complains as axe-core does."""

import json
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

# A machine that builds something else meanwhile is slow.
WAIT_SECONDS_MAX = 60
PAUSE_SECONDS = 0.1


class Browser:
    """One window."""

    def __init__(self, base: str, axe: Path, language: str = "ru", arguments: tuple[str, ...] = ()):
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--hide-scrollbars", f"--lang={language}", f"--accept-lang={language}", "--no-proxy-server", *arguments):
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.base = base
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_script_timeout(WAIT_SECONDS_MAX)
        self.axe = axe.read_text()
        self.size(1280)

    def close(self):
        self.driver.quit()

    def size(self, width: int, height: int = 900):
        """Sets the size of what is inside the window."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def colours(self, scheme: str):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            # What moves is looked at where it comes to rest: colours that fade would be judged half-way.
            "features": [{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}]})

    def script(self, text: str, *values):
        return self.driver.execute_script(text, *values)

    def until(self, what: str, look):
        """Waits until a look finds something; returns it."""
        end = time.monotonic() + WAIT_SECONDS_MAX
        last = None
        while time.monotonic() < end:
            try:
                found = look()
                if found:
                    return found
            except Exception as error:  # what is looked at may be drawn anew meanwhile
                last = error
            time.sleep(PAUSE_SECONDS)
        raise AssertionError(f"waited in vain until {what}; {last or ''}\n{self.text()}")

    def text(self) -> str:
        return self.script("return document.body.innerText")

    def find(self, css: str):
        return self.until(f"{css} is there", lambda: self.driver.find_element(By.CSS_SELECTOR, css))

    def all(self, css: str):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def button(self, label: str, within: str = "body"):
        def look():
            for one in self.all(f"{within} button"):
                if label in (one.text.strip(), one.get_attribute("aria-label")) and one.is_displayed():
                    return one
            return None
        return self.until(f"there is a button {label!r}", look)

    def says(self, words: str):
        self.until(f"the page says {words!r}", lambda: words in self.text())

    def go(self, route: str):
        """Opens a page of the menu, and waits until it is drawn."""
        self.driver.get("about:blank")
        self.driver.get(f"{self.base}/{route}")
        self.until(f"{route} is drawn", lambda: self.all("main h1") and not self.all(".loading"))

    def choose(self, css: str, value: str):
        Select(self.find(css)).select_by_value(value)

    def violations(self) -> list[str]:
        """What axe-core finds, and what it does not look for: a page that is wider than its window."""
        self.script(self.axe)
        found = self.driver.execute_async_script(
            "const done = arguments[0];"
            "axe.run(document, {resultTypes: ['violations']}).then((r) => done(r.violations), (e) => done([{id: String(e), nodes: []}]));")
        told = [f"{one['id']}: {json.dumps([n['html'][:160] for n in one['nodes']][:3], ensure_ascii=False)}"
                for one in found]
        wide = self.script("return document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            told.append(f"the page is {wide} px too wide")
        return told

    def loaded_bytes(self) -> int:
        """Returns how much the page and its files are that were loaded since it was opened."""
        return self.script(
            "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')"
            ".filter((one) => one.name.includes('/pages/'))].reduce((sum, one) => sum + one.decodedBodySize, 0)")

    def complaints(self) -> list[str]:
        """What the browser itself found wrong: refused by the policy, broken script."""
        return [one["message"] for one in self.driver.get_log("browser")
                if one["level"] == "SEVERE" and " 401 " not in one["message"] and " 404 " not in one["message"]
                and " 422 " not in one["message"] and " 412 " not in one["message"]
                and " 409 " not in one["message"]]

    def picture(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(path))
