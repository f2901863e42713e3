"""A throw-away Debian 12 with systemd as PID 1, in a container of systemd-nspawn.

The container has a network namespace of its own with nothing but loopback, which the simulators on the
host share: what they hold survives when the guest loses its power.
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import debian
from shell import ENVIRONMENT, Failed, Shell, Unavailable, run

PACKAGES = (*debian.PACKAGES, "ffmpeg")
BOOT_SECONDS_MAX = 120
TOOLS = {
    "systemd-nspawn": "systemd-container", "mmdebstrap": "mmdebstrap", "nsenter": "util-linux",
    "ip": "iproute2", "curl": "curl", "dpkg-deb": "dpkg",
}


def base() -> Path:
    """Returns a folder with a plain Debian; makes it once."""
    debian.needs(TOOLS)
    what = " ".join((debian.SUITE, *PACKAGES, *debian.MASKED))
    return debian.kept(what, lambda folder: debian.fetch(folder, PACKAGES))


class Network:
    """A network namespace with loopback only."""

    def __init__(self) -> None:
        self.name = f"trunkline-vm-{os.getpid()}"
        try:
            run("ip", "netns", "add", self.name, capture_output=True)
            run(*self.inside("ip", "link", "set", "lo", "up"), capture_output=True)
        except subprocess.CalledProcessError as error:
            raise Unavailable(f"no network namespace: {error.stderr.strip()}") from error

    @property
    def path(self) -> str:
        return f"/run/netns/{self.name}"

    def inside(self, *command: str) -> tuple[str, ...]:
        return ("nsenter", f"--net={self.path}", "--", *command)

    def close(self) -> None:
        subprocess.run(["ip", "netns", "delete", self.name], check=False)


class Guest(Shell):
    """The container. Its disk is a copy of the base, and goes with it."""

    def __init__(self, work: Path, network: Network) -> None:
        self.root = work / "root"
        self.console = work / "console.txt"
        self.network = network
        self.container: subprocess.Popen | None = None
        self.init = 0
        run("cp", "-a", "--reflink=auto", str(base()), str(self.root))

    def boot(self) -> None:
        """Switches it on; returns when it has started everything."""
        with self.console.open("ab") as console:
            self.container = subprocess.Popen(
                ["systemd-nspawn", "--quiet", f"--directory={self.root}", "--boot",
                 "--register=no", "--keep-unit", "--console=passive",
                 f"--machine={self.network.name}",
                 f"--network-namespace-path={self.network.path}"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console,
            )
        until = time.monotonic() + BOOT_SECONDS_MAX
        self.init = 0
        while time.monotonic() < until:
            if self.container.poll() is not None:
                raise Unavailable(f"the container ended at once: {self.said()}")
            self.init = self.init or self.find_init()
            if self.init:
                state = self.sh("systemctl is-system-running", check=False).strip()
                if state in ("running", "degraded"):
                    return
            time.sleep(0.2)
        raise Failed(f"it did not start within {BOOT_SECONDS_MAX} s: {self.said()}")

    def find_init(self) -> int:
        """Returns the host's number of the guest's PID 1, 0 if there is none yet."""
        pid = self.container.pid
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            for child in children:
                if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                    return int(child)
        except OSError:
            pass
        return 0

    def said(self) -> str:
        return self.console.read_text(errors="replace")[-2000:]

    def execute(self, script: str, stdin: str, seconds: float) -> tuple[int, str]:
        ran = subprocess.run(
            ["nsenter", f"--target={self.init}", "--mount", "--uts", "--ipc", "--net", "--pid",
             "--root", "--wd", "--", "/usr/bin/env", "-i", *ENVIRONMENT, "bash", "-euc",
             f"cd /root; {script}"],
            input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=seconds, check=False,
        )
        return ran.returncode, ran.stdout

    def reboot(self) -> None:
        """Lets it end in order, and switches it on again."""
        self.sh("systemctl --no-block reboot", check=False)
        self.container.wait(timeout=120)
        self.boot()

    def cut_power(self) -> None:
        """Ends all its processes at once, and switches it on again."""
        self.off()
        self.boot()

    def off(self) -> None:
        if self.container is not None and self.container.poll() is None:
            if self.init:
                # With PID 1 of its namespace everything in it ends.
                os.kill(self.init, signal.SIGKILL)
            try:
                self.container.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.container.kill()
                self.container.wait(timeout=30)
        self.container = None

    def close(self) -> None:
        self.off()
        shutil.rmtree(self.root, ignore_errors=True)
