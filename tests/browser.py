"""A headless Chromium for tests, driven over its debugging protocol: open, evaluate, press keys, take pictures."""

import base64
import json
import shutil
import subprocess
import time
from pathlib import Path

import websocket

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
START_S = 30
PHONE, DESKTOP = (390, 844), (1360, 900)
_FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --no-first-run --disable-extensions --mute-audio "
    "--disable-background-networking --disable-component-update --disable-sync --remote-debugging-port=0 --remote-allow-origins=*"
).split()


class PageError(Exception):
    """The page threw, or what was waited for did not come."""


class Browser:
    """One Chromium with one page; what the page logs as an error is kept in `errors`."""

    def __init__(self, folder):
        self.errors = []
        self._folder = Path(folder)
        self._number = 0
        log = open(self._folder / "chromium.log", "wb")
        with log:
            command = [CHROMIUM, *_FLAGS, f"--user-data-dir={self._folder / 'profile'}", "about:blank"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            self._socket = websocket.create_connection(self._page(), timeout=30)
        except BaseException:
            self._process.kill()
            raise
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def _page(self):
        """The address of the page's debugging socket."""
        import urllib.request

        port = self._folder / "profile" / "DevToolsActivePort"
        deadline = time.monotonic() + START_S
        while not port.exists() or not port.read_text():
            if time.monotonic() > deadline:
                raise PageError(f"Chromium did not start: {(self._folder / 'chromium.log').read_text()[-500:]}")
            time.sleep(0.05)
        with urllib.request.urlopen(f"http://127.0.0.1:{port.read_text().split()[0]}/json", timeout=10) as answer:
            return next(page["webSocketDebuggerUrl"] for page in json.load(answer) if page["type"] == "page")

    def send(self, method, **parameters):
        """Send a command and return its result; events that come in between are looked at."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._number:
                if "error" in message:
                    raise PageError(f"{method}: {message['error']['message']}")
                return message["result"]
            self._notice(message)

    def _notice(self, message):
        told = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif message.get("method") == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.errors.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")

    def size(self, shape, dark=False):
        """Make the window `shape` (width, height in CSS pixels) large; a narrow one is a phone's."""
        width, height = shape
        phone = width < 600
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=phone)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def open(self, url):
        """Go to `url`."""
        self.send("Page.navigate", url=url)

    def run(self, script):
        """The value of a JavaScript expression (promises are awaited)."""
        result = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise PageError(result["exceptionDetails"].get("exception", {}).get("description") or result["exceptionDetails"]["text"])
        return result["result"].get("value")

    def wait(self, script, seconds=20, what=""):
        """Wait until the expression is true and return its value."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                found = self.run(script)
            except PageError as error:  # the page is being replaced just now
                found, last = None, error
            else:
                last = None
            if found:
                return found
            if time.monotonic() > deadline:
                raise PageError(f"waited {seconds} s in vain for {what or script}: {last or self.text()[:1500]}")
            time.sleep(0.05)

    def text(self):
        """What a person reads on the page."""
        return self.run("document.body ? document.body.innerText : ''")

    def see(self, words, seconds=20):
        """Wait until `words` stand on the page, however they are broken into lines."""
        return self.wait(f"document.body && document.body.innerText.replace(/\\s+/g, ' ').includes({json.dumps(words)})", seconds, words)

    def click(self, words, kinds="button, a, summary, option"):
        """Press the first visible element of `kinds` that reads `words` or is labelled so."""
        script = """(() => { const node = [...document.querySelectorAll(%s)].find((each) => each.offsetParent !== null
            && (each.innerText.trim() === %s || each.getAttribute("aria-label") === %s)); if (node) node.click(); return Boolean(node); })()"""
        self.wait(script % (json.dumps(kinds), json.dumps(words), json.dumps(words)), what=f"something to press that reads {words}")

    def type(self, selector, text):
        """Fill in a field as a person would."""
        self.wait(f"document.querySelector({json.dumps(selector)}) !== null")
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.send("Input.insertText", text=text)

    def picture(self, path):
        """Take a picture of the window as PNG."""
        Path(path).write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))

    def upload(self, selector, *paths):
        """Choose files in a file field."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in paths])

    def close(self):
        """End it."""
        try:
            self.send("Browser.close")
            self._process.wait(10)
        except (websocket.WebSocketException, OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        finally:
            self._socket.close()
