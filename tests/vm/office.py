"""The box in its surroundings: simulators that outlive it, and what is looked at from outside."""

import json
import shutil
import subprocess
from pathlib import Path

from box import WAIT_SECONDS, Box
from guest import Guest, Network
from packages import SERVED_AT, field
from shell import Failed, run

# The simulators' own words, as `trunkline-lab serve` prints them.
AMI_SECRET = "lab-ami-secret"
SITE_HOOK = "site-hook-of-the-run-of-the-guest"
CRM = "http://127.0.0.1:8470"
CONTROL = "http://127.0.0.1:8480"
INTAKE = "http://127.0.0.1:8461"


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


class Office(Box):
    def __init__(self, guest: Guest, network: Network, work: Path, packages: Path,
                 repositories: dict[str, Path]) -> None:
        super().__init__(guest)
        self.network = network
        self.work = work
        self.repositories = repositories
        package = next(packages.glob("trunkline_*.deb"))
        self.version = field(package, "Version")
        lab = next(packages.glob("trunkline-lab_*.deb"))
        run("dpkg-deb", "--extract", str(lab), str(work / "lab"))
        self.lab: subprocess.Popen | None = None
        self.offer("older")
        self.start_lab()

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

    def arrives(self, client: str, seconds: float = WAIT_SECONDS) -> None:
        """Expects the client's contact in the CRM, once."""
        self.until(f"{client} is in the CRM", lambda: self.in_crm(client) >= 1, seconds)
        self.exact(client)

    def exact(self, client: str) -> None:
        oracle = self.oracle()
        if self.in_crm(client) != 1:
            raise Failed(f"{client}: {self.in_crm(client)} contacts")
        doubles = {kind: found for kind, found in oracle["duplicates"].items() if found}
        if doubles:
            raise Failed(f"twice in the CRM: {doubles}")

    def session_is_up(self) -> None:
        """Waits until the daemon listens to the simulated Asterisk."""
        self.until("a session with the Asterisk",
                   lambda: bool(self.http(f"{CONTROL}/ami")[1]["clients"]))

    def close(self) -> None:
        if self.lab is not None:
            self.lab.terminate()
            try:
                self.lab.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.lab.kill()
