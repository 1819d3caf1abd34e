"""Firefox, spoken to in its own words: Marionette, a line of JSON after its length."""

import json
import socket
import subprocess
import time

# What a page complained of that is an error; a warning has the first bit set.
ERRORS = """return Services.console.getMessageArray()
  .filter(m => m instanceof Ci.nsIScriptError && !(m.flags & 1)
    && m.sourceName.startsWith(arguments[0]))
  .map(m => `${m.sourceName}: ${m.errorMessage}`)"""
DRAWN = """const done = arguments[arguments.length - 1];
(window.MathJax?.startup?.promise ?? Promise.resolve()).then(() => done([
  document.querySelectorAll('.math.notranslate').length,
  document.querySelectorAll('.math.notranslate mjx-container').length]))"""


class Firefox:
    """One window without a screen."""

    def __init__(self, binary, profile):
        """Start it with a new profile, and wait until it answers."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        preferences = f'user_pref("marionette.port", {port});\n'
        (profile / "user.js").write_text(preferences, encoding="utf-8")
        command = [binary, "--headless", "--marionette", "--no-remote"]
        command += ["--remote-allow-system-access", "--profile", str(profile)]
        silent = subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdout=silent, stderr=silent)
        self.count, self.line = 0, self._connect(port)
        self._read()
        self.ask("WebDriver:NewSession", capabilities={})

    def _connect(self, port):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=120)
            except OSError:
                time.sleep(0.2)
        self.process.kill()
        raise TimeoutError("Firefox does not answer")

    def _read(self):
        size = b""
        while not size.endswith(b":"):
            size += self.line.recv(1)
        answer, wanted = b"", int(size[:-1])
        while len(answer) < wanted:
            answer += self.line.recv(wanted - len(answer))
        return json.loads(answer)

    def ask(self, command, **arguments):
        """Return the answer to a command; raise what it complains of."""
        self.count += 1
        words = json.dumps([0, self.count, command, arguments]).encode()
        self.line.sendall(str(len(words)).encode() + b":" + words)
        _, _, error, answer = self._read()
        if error:
            raise RuntimeError(f"{command}: {error['message']}")
        return answer

    def formulas(self, address):
        """Open a page; return how many formulas it has, and how many it drew."""
        self.ask("WebDriver:Navigate", url=address)
        asked = self.ask("WebDriver:ExecuteAsyncScript", script=DRAWN, args=[])
        return asked["value"]

    def errors(self, site):
        """Return all errors of the site's pages so far."""
        self.ask("Marionette:SetContext", value="chrome")
        found = self.ask("WebDriver:ExecuteScript", script=ERRORS, args=[site])
        self.ask("Marionette:SetContext", value="content")
        return found["value"]

    def close(self):
        """End it, and wait for that."""
        self.ask("Marionette:Quit", flags=["eForceQuit"])
        self.line.close()
        self.process.wait(timeout=60)
