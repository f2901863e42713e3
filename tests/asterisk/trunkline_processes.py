"""The two programs under test: the daemon, and the simulated amoCRM that it writes to."""

import asyncio
import secrets
import shutil
import signal
import socket
import time
import urllib.parse
from pathlib import Path

import children
import http_json
from asterisk_server import AsteriskServer, free_port
from relay import Relay

COMPANY = Path(__file__).parent / "company"
READY_SECONDS_MAX = 30
# The daemon's first pauses before a new connection are seconds; this leaves room for several.
WATCHING_SECONDS_MAX = 30
STOP_SECONDS_MAX = 20
# Unless it is set otherwise, changes are asked for every 15 s.
CHANGE_SECONDS_MAX = 30
# What the log says when a changed configuration is in force.
RELOADED = "reloaded: "


class Lab:
    """`trunkline-lab serve`; only its amoCRM account is used."""

    def __init__(self, program: Path, folder: Path):
        self._program = program
        self.log = folder / "lab.log"
        self.port = free_port(socket.SOCK_STREAM)
        self._process: asyncio.subprocess.Process | None = None
        self.token = ""

    @property
    def control(self) -> str:
        return f"http://127.0.0.1:{self.port}/_lab"

    async def start(self):
        command = [str(self._program), "serve", "--crm-port", str(self.port)]
        for name in ("control", "dead-crm", "ami", "admin", "intake", "vats", "bitrix24", "uis", "alfacrm", "planfix"):
            command += [f"--{name}-port", str(free_port(socket.SOCK_STREAM))]
        self._process = await children.spawn(command, self.log)
        self.token = (await _until_answered(self._process, self.control, self.log))["token"]

    async def add_contact(self, phone: str, responsible: int, name: str = "Client") -> int:
        """As a person adds one; returns its number."""
        card = {"name": name, "phones": [f"+{phone}"], "responsible_user_id": responsible}
        seeded = await http_json.post(f"{self.control}/seed", {"contacts": [card]})
        return seeded["contacts"][0]

    async def give_contact(self, contact: int, responsible: int):
        """As a person hands a client over to a colleague."""
        await http_json.patch(
            f"{self.control}/contacts/{contact}", {"responsible_user_id": responsible}
        )

    async def stop(self):
        await children.end(self._process, STOP_SECONDS_MAX)


class Daemon:
    """`trunkline run`, with a configuration of its own; may be killed and started again."""

    def __init__(
        self, program: Path, folder: Path, lab: Lab, server: AsteriskServer, relay: Relay,
        fastagi_port: int, call_log: tuple[str, Path],
    ):
        self._program = program
        self._folder = folder
        self._relay = relay
        self.log = folder / "daemon.log"
        self._admin = f"http://127.0.0.1:{free_port(socket.SOCK_STREAM)}"
        self._questions = f"http://127.0.0.1:{free_port(socket.SOCK_STREAM)}"
        self._token = secrets.token_hex(24)
        self._process: asyncio.subprocess.Process | None = None
        self._configure(lab, server, fastagi_port, call_log)

    def _configure(
        self, lab: Lab, server: AsteriskServer, fastagi_port: int, call_log: tuple[str, Path],
    ):
        hidden = self._folder / "secrets"
        hidden.mkdir(mode=0o700)
        for name, text in {
            "store-key": secrets.token_hex(32),
            "admin-token": self._token,
            "ami": server.ami_secret,
            "amocrm": lab.token,
        }.items():
            path = hidden / name
            path.touch(mode=0o600)
            path.write_text(text)
        values = {
            "admin_port": urllib.parse.urlsplit(self._admin).port,
            "intake_port": free_port(socket.SOCK_STREAM),
            "questions_port": urllib.parse.urlsplit(self._questions).port,
            "fastagi_port": fastagi_port,
            "crm_port": lab.port,
            "ami_port": self._relay.port,
            "log_kind": call_log[0],
            "log_path": call_log[1],
            "monitor": server.folder / "spool/monitor",
        }
        shutil.copytree(COMPANY, self._folder / "etc")
        for path in (self._folder / "etc").rglob("*.toml"):
            text = path.read_text()
            for name, value in values.items():
                text = text.replace("{{" + name + "}}", str(value))
            path.write_text(text)

    async def start(self):
        """Returns when the daemon says that it is ready."""
        configuration = self._folder / "etc/trunkline.toml"
        command = [str(self._program), "--config", str(configuration), "run"]
        self._process = await children.spawn(command, self.log)
        await _until_answered(self._process, f"{self._admin}/readyz", self.log)

    async def kill(self):
        """SIGKILL: nothing can be saved any more."""
        await children.kill(self._process)

    def freeze(self):
        """SIGSTOP: its sockets take connections, and nobody is there."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGCONT)

    async def change_company(self, before: str, after: str):
        """Edits the company's file as an administrator does, and has it read."""
        path = self._folder / "etc/tenants.d/office.toml"
        text = path.read_text()
        if before not in text:
            raise RuntimeError(f"{path} has no {before!r}")
        path.write_text(text.replace(before, after))
        told = self.log.read_text(errors="replace").count(RELOADED)
        self._process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + READY_SECONDS_MAX
        while self.log.read_text(errors="replace").count(RELOADED) == told:
            if time.monotonic() > deadline:
                raise RuntimeError(f"it does not reload:\n{children.tail(self.log, 10)}")
            await asyncio.sleep(0.05)

    async def stop(self):
        self.thaw()
        await children.end(self._process, STOP_SECONDS_MAX)

    async def status(self) -> dict:
        return await http_json.get(f"{self._admin}/v1/status", self._token)

    async def until_watching(self):
        """Returns when the daemon is logged in to Asterisk."""
        deadline = time.monotonic() + WATCHING_SECONDS_MAX
        while True:
            sources = (await self.status())["sources"]
            state = sources[0]["state"] or {} if sources else {}
            if self._relay.is_linked and state.get("health") == "up":
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"the daemon does not watch Asterisk: {state}")
            await asyncio.sleep(0.1)

    async def unfinished(self) -> str:
        """What the daemon has still to do; empty when it is at rest."""
        status = await self.status()
        calls = sum(
            (source["state"] or {}).get("gauges", {}).get("open_calls", 0)
            for source in status["sources"]
        )
        works = sum(integration["open_works"] for integration in status["integrations"])
        parts = [f"{int(calls)} open calls"] if calls else []
        sought = status["recordings"]["sought"]
        parts += [f"{works} open works"] if works else []
        return ", ".join(parts + ([f"{sought} recordings to find"] if sought else []))

    async def until_at_rest(self):
        """Returns when everything that was heard of is in the CRM."""
        deadline = time.monotonic() + CHANGE_SECONDS_MAX
        while unfinished := await self.unfinished():
            if time.monotonic() > deadline:
                raise RuntimeError(f"the daemon has still {unfinished}")
            await asyncio.sleep(0.1)

    async def until_named(self, client: str, extension: str):
        """Returns when a question about a client is answered with this extension."""
        query = urllib.parse.urlencode({"phone": f"+{client}"})
        deadline = time.monotonic() + CHANGE_SECONDS_MAX
        while True:
            answer = await http_json.get(f"{self._questions}/v1/lookup/company/office?{query}")
            if answer["extension"] == extension:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"the CRM's change has not come: {answer}")
            await asyncio.sleep(0.1)

    async def place_call(self, employee: str, client: str) -> str:
        """Click-to-call; returns the name of the communication that follows."""
        placed = await http_json.post(
            f"{self._admin}/v1/tenants/company/sources/office/calls",
            {"employee": employee, "phone": f"+{client}"}, self._token,
        )
        return placed["communication"]

    async def discovery(self) -> dict:
        """What a look around in the PBX finds."""
        return await http_json.get(
            f"{self._admin}/v1/tenants/company/sources/office/discovery", self._token
        )

    async def dead_letters(self) -> int:
        return (await self.status())["store"]["dead_letters"]

    async def stories(self, client: str) -> str:
        """What the journal says about a client's calls, for whoever reads a failure."""
        query = urllib.parse.urlencode({"phone": f"+{client}"})
        page = await http_json.get(f"{self._admin}/v1/journal?{query}", self._token)
        return "\n".join(
            f"{line['key']} {line['phase']} {line['outcome']} {line['summary']}"
            for line in page["items"]
        ) or "the journal has no call of this client"


async def _until_answered(process: asyncio.subprocess.Process, url: str, log: Path):
    deadline = time.monotonic() + READY_SECONDS_MAX
    while True:
        if process.returncode is not None:
            raise RuntimeError(
                f"the program ended with {process.returncode} at once:\n{children.tail(log, 40)}"
            )
        try:
            return await http_json.get(url)
        except http_json.NoAnswer as nothing:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{nothing}\n{children.tail(log, 40)}") from nothing
        await asyncio.sleep(0.05)
