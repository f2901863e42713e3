"""One running Asterisk: its generated configuration, its process, its life and sudden end."""

import asyncio
import random
import secrets
import socket
from pathlib import Path

import children
import shipped_dialplan
from debian_asterisk import Installation

TEMPLATES = Path(__file__).parent / "conf"
# A second loopback address, so that the provider is told from the phones by where it sends from.
TRUNK_IP = "127.0.0.9"
BOOT_SECONDS_MAX = 30
STOP_SECONDS_MAX = 10


class AsteriskServer:
    """Starts, stops and restarts an unpacked Asterisk on ports of its own."""

    def __init__(self, installation: Installation, folder: Path):
        self._installation = installation
        self.folder = folder
        self.version = installation.version
        self.sip_address = ("127.0.0.1", free_port(socket.SOCK_DGRAM))
        self.trunk_address = (TRUNK_IP, free_port(socket.SOCK_DGRAM, TRUNK_IP))
        self.ami_address = ("127.0.0.1", free_port(socket.SOCK_STREAM))
        # Where the dialplan asks; the daemon under test listens there.
        self.fastagi_port = free_port(socket.SOCK_STREAM)
        self.ami_secret = secrets.token_hex(12)
        self.sip_secret = secrets.token_hex(12)
        self._process: asyncio.subprocess.Process | None = None
        self._lay_out()

    def _lay_out(self):
        for name in (
            "etc", "lib", "run", "log/cdr-csv", "log/cel-custom", "spool/monitor", "spool/tmp",
            "data/sounds",
        ):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for shared in self._installation.data.iterdir():
            if shared.name != "sounds":
                (self.folder / "data" / shared.name).symlink_to(shared)
        (self.folder / "data/sounds/en").symlink_to(self._installation.sounds)
        # Below the kernel's ephemeral ports, where the free ports above come from.
        rtp_first = random.randrange(12000, 30000, 2)
        values = {
            "run": self.folder,
            "modules": self._installation.modules,
            "ami_port": self.ami_address[1],
            "ami_secret": self.ami_secret,
            "sip_port": self.sip_address[1],
            "sip_secret": self.sip_secret,
            "trunk_ip": self.trunk_address[0],
            "trunk_port": self.trunk_address[1],
            "rtp_first": rtp_first,
            "rtp_last": rtp_first + 400,
        }
        for template in TEMPLATES.glob("*.conf"):
            text = template.read_text()
            for name, value in values.items():
                text = text.replace("{{" + name + "}}", str(value))
            (self.folder / "etc" / template.name).write_text(text)
        shipped_dialplan.write_into(self.folder / "etc", self.fastagi_port)

    async def start(self):
        """Starts the process and returns when every module is loaded."""
        command = self._installation.command("-f", "-C", str(self._configuration))
        self._process = await children.spawn(command, self.folder / "log/console")
        deadline = asyncio.get_running_loop().time() + BOOT_SECONDS_MAX
        while True:
            if self._process.returncode is not None:
                raise RuntimeError(f"asterisk ended while starting:\n{self.log_tail()}")
            if await self._console("core waitfullybooted") == 0:
                return
            if asyncio.get_running_loop().time() > deadline:
                raise RuntimeError(
                    f"asterisk is not up after {BOOT_SECONDS_MAX} s:\n{self.log_tail()}"
                )
            await asyncio.sleep(0.1)

    @property
    def _configuration(self) -> Path:
        return self.folder / "etc/asterisk.conf"

    async def _console(self, order: str) -> int:
        process = await asyncio.create_subprocess_exec(
            *self._installation.command("-C", str(self._configuration), "-rx", order),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            return await asyncio.wait_for(process.wait(), BOOT_SECONDS_MAX)
        except TimeoutError:
            process.kill()
            return await process.wait()

    async def stop(self):
        """`core stop now`: hangs up every call and ends; killed if it does not."""
        if self._process is None:
            return
        if self._process.returncode is None:
            await self._console("core stop now")
        try:
            await asyncio.wait_for(self._process.wait(), STOP_SECONDS_MAX)
        except TimeoutError:
            await children.kill(self._process)
        self._process = None

    def call_log(self, kind: str) -> Path:
        """Asterisk's own log of calls: cel_custom or cdr_csv."""
        return self.folder / "log" / kind.replace("_", "-") / "Master.csv"

    def recordings(self) -> list[Path]:
        """Finished and growing recordings below the spool folder."""
        return sorted((self.folder / "spool/monitor").rglob("*.wav"))

    def log_tail(self, lines: int = 60) -> str:
        logs = [self.folder / "log" / name for name in ("console", "full")]
        return "\n".join(f"--- {log}\n{children.tail(log, lines)}" for log in logs)


def free_port(kind: socket.SocketKind, host: str = "127.0.0.1") -> int:
    """A port that is free now; the kernel does not hand it out again at once."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]
