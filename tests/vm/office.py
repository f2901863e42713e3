"""The box and its surroundings: simulators that outlive it, and what is looked at from outside."""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

from guest import Failed, Guest, Network, run
from packages import CHECKOUT, SERVED_AT, field
from pages import sections

# The simulators' own words, as `trunkline-lab serve` prints them.
AMI_SECRET = "lab-ami-secret"
SITE_HOOK = "site-hook-of-the-run-of-the-guest"
CRM = "http://127.0.0.1:8470"
CONTROL = "http://127.0.0.1:8480"
INTAKE = "http://127.0.0.1:8461"
WAIT_SECONDS = 90


def site_call(key: str, client: str, second: int) -> dict[str, object]:
    """Returns a call that somebody answered, that many seconds after nine o'clock."""
    def at(more: int) -> str:
        minutes, seconds = divmod(second + more, 60)
        return f"2026-11-20T09:{minutes % 60:02}:{seconds:02}Z"
    return {
        "kind": "call", "key": key, "revision": 1, "direction": "incoming", "phase": "ended",
        "client": client, "our_number": "+74950000001", "started_at": at(0), "answered_at": at(5),
        "ended_at": at(35), "rung": [{"extension": "101"}], "talkers": ["101"],
    }


class Office:
    def __init__(self, guest: Guest, network: Network, work: Path, packages: Path,
                 repositories: dict[str, Path]) -> None:
        self.guest = guest
        self.network = network
        self.work = work
        self.repositories = repositories
        package = next(packages.glob("trunkline_*.deb"))
        self.version = field(package, "Version")
        self.install = sections(CHECKOUT / "docs/install.md")
        self.readme = sections(CHECKOUT / "README.md")
        lab = next(packages.glob("trunkline-lab_*.deb"))
        run("dpkg-deb", "--extract", str(lab), str(work / "lab"))
        self.lab: subprocess.Popen | None = None
        self.offer("older")
        self.start_lab()

    # --- around the box -----------------------------------------------------------------------

    def offer(self, name: str) -> None:
        """Puts this repository where the box gets its packages."""
        place = self.guest.root / SERVED_AT
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.repositories[name], place)

    def start_lab(self) -> None:
        log = (self.work / "lab.txt").open("ab")
        program = self.work / "lab/usr/bin/trunkline-lab"
        self.lab = subprocess.Popen(self.network.inside(str(program), "serve"),
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.until("the simulators answer", lambda: self.http(f"{CRM}/_lab")[0] == 200)

    def http(self, url: str, body: object = None, method: str = "") -> tuple[int, object]:
        """Asks from outside of the guest; status 0 where nobody answers."""
        command = ["curl", "--silent", "--max-time", "30", "--write-out", "\n%{http_code}", url]
        if body is not None:
            command += ["--header", "Content-Type: application/json", "--data", json.dumps(body)]
        if method:
            command += ["--request", method]
        asked = subprocess.run(self.network.inside(*command), capture_output=True, text=True,
                               check=False)
        text, _, status = asked.stdout.rpartition("\n")
        try:
            return int(status or 0), json.loads(text)
        except ValueError:
            return int(status or 0), text

    def play(self, client: str, capture: str = "inbound_answered", speed: float = 20.0) -> None:
        """Has the simulated Asterisk play a call."""
        status, answer = self.http(f"{CONTROL}/ami/play",
                                   {"capture": capture, "client": client.lstrip("+"), "speed": speed})
        if status >= 300 or status == 0:
            raise Failed(f"the call could not be played: {status} {answer}")

    def post(self, key: str, client: str, second: int = 0, **more: object) -> int:
        """Posts a call of the web site's telephony; returns the status."""
        return self.send(site_call(key, client, second) | more)

    def post_all(self, key: str, clients: list[str]) -> int:
        """Posts a call of each client at once; returns the status."""
        return self.send([site_call(f"{key}-{client}", client, 0) for client in clients])

    def send(self, body: object) -> int:
        return self.http(f"{INTAKE}/v1/events/acme/site/{SITE_HOOK}", body)[0]

    def oracle(self) -> dict:
        return self.http(f"{CRM}/_lab/oracle")[1]

    def in_crm(self, client: str) -> int:
        """Returns how many contacts of this client the CRM holds."""
        contacts = self.oracle()["contacts"]
        return sum(client.lstrip("+") in json.dumps(contact) for contact in contacts)

    def arrives(self, client: str) -> None:
        """Expects the client's contact in the CRM, once."""
        self.until(f"{client} is in the CRM", lambda: self.in_crm(client) >= 1)
        self.exact(client)

    def exact(self, client: str) -> None:
        oracle = self.oracle()
        if self.in_crm(client) != 1:
            raise Failed(f"{client}: {self.in_crm(client)} contacts")
        doubles = {kind: found for kind, found in oracle["duplicates"].items() if found}
        if doubles:
            raise Failed(f"twice in the CRM: {doubles}")

    # --- the box ------------------------------------------------------------------------------

    def block(self, heading: str, containing: str) -> str:
        """Returns the page's command block under this heading that holds these words."""
        return self.found(self.install, heading, containing)

    def found(self, page: dict[str, list[str]], heading: str, containing: str) -> str:
        for title, blocks in page.items():
            if heading in title:
                for block in blocks:
                    if containing in block:
                        return block
        raise Failed(f"no block with {containing!r} under {heading!r}")

    def do(self, heading: str, containing: str, stdin: str = "") -> str:
        """Runs a block of the page in the guest, to the letter."""
        block = self.block(heading, containing)
        print("".join(f"   $ {line}\n" for line in block.splitlines()), end="")
        return self.guest.sh(block, stdin=stdin)

    def unit(self, name: str) -> str:
        return self.guest.sh(f"systemctl show --value --property={name} trunkline.service").strip()

    def main_pid(self) -> int:
        return int(self.unit("MainPID") or 0)

    def is_up(self) -> bool:
        """Says whether the daemon runs and is ready."""
        return self.unit("ActiveState") == "active" and self.guest.status("trunkline status") == 0

    def comes_up(self, but_not: int = -1, seconds: float = WAIT_SECONDS) -> None:
        """Waits for a daemon other than this process."""
        self.until("the daemon is up",
                   lambda: self.main_pid() not in (0, but_not) and self.is_up(), seconds)

    def session_is_up(self) -> None:
        """Waits until the daemon listens to the simulated Asterisk."""
        self.until("a session with the Asterisk",
                   lambda: bool(self.http(f"{CONTROL}/ami")[1]["clients"]))

    def until(self, what: str, holds, seconds: float = WAIT_SECONDS) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if holds():
                return
            time.sleep(0.3)
        raise Failed(f"not within {seconds:.0f} s: {what}")

    def evidence(self) -> str:
        """Returns what helps to understand a failure."""
        try:
            said = self.guest.sh(
                "systemctl --no-pager status trunkline | head -n 20; "
                "journalctl --no-pager --lines=40 --unit=trunkline; trunkline status | head -n 30",
                check=False, seconds=30)
        except (subprocess.SubprocessError, OSError) as error:
            said = repr(error)
        return re.sub("^", "   | ", said, flags=re.MULTILINE)

    def close(self) -> None:
        if self.lab is not None:
            self.lab.terminate()
            try:
                self.lab.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.lab.kill()
