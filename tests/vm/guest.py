"""A throw-away Debian 12 with systemd as PID 1, in a container of systemd-nspawn.

The container has a network namespace of its own with nothing but loopback, which the simulators on the
host share: what they hold survives when the guest loses its power.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

SUITE = "bookworm"
PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "adduser", "init-system-helpers", "util-linux", "procps",
    "iproute2", "curl", "ca-certificates", "tzdata", "apt-utils", "ffmpeg",
)
# Nothing of these belongs to what is tried, and each costs seconds of every boot.
MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
    "e2scrub_reap.service", "fstrim.timer", "console-getty.service", "systemd-firstboot.service",
)
BOOT_SECONDS_MAX = 120
TOOLS = {
    "systemd-nspawn": "systemd-container", "mmdebstrap": "mmdebstrap", "nsenter": "util-linux",
    "ip": "iproute2", "curl": "curl", "dpkg-deb": "dpkg",
}


class Unavailable(Exception):
    """Why no guest can be had on this machine."""


class Skipped(Exception):
    """Why something cannot be tried in this guest."""


class Failed(Exception):
    """What the guest did not do."""


def run(*command: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(command, check=True, text=True, **options)


def base() -> Path:
    """Returns a folder with a plain Debian; makes it once."""
    if os.geteuid() != 0:
        raise Unavailable("systemd-nspawn and mmdebstrap need root")
    for tool, package in TOOLS.items():
        if shutil.which(tool) is None:
            raise Unavailable(f"{tool} is not installed (package {package})")
    what = " ".join((SUITE, *PACKAGES, *MASKED))
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "trunkline-vm"
    folder = cache / hashlib.sha256(what.encode()).hexdigest()[:16]
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    new = cache / f"new.{os.getpid()}"
    mask = " ".join(MASKED)
    hooks = (
        'echo trunkline-vm > "$1/etc/hostname"',
        'printf "127.0.0.1 localhost trunkline-vm\\n" > "$1/etc/hosts"',
        f'for unit in {mask}; do ln -sf /dev/null "$1/etc/systemd/system/$unit"; done',
        'rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/etc/apt/sources.list*',
        'mkdir -p "$1/etc/apt/sources.list.d"',
    )
    command = ["mmdebstrap", "--variant=minbase", "--quiet", f"--include={','.join(PACKAGES)}",
               "--aptopt=Apt::Install-Recommends false"]
    command += [f"--customize-hook={hook}" for hook in hooks]
    command += [SUITE, str(new), *mirror()]
    try:
        run(*command, timeout=1500)
    except (subprocess.SubprocessError, OSError) as error:
        shutil.rmtree(new, ignore_errors=True)
        raise Unavailable(f"no Debian could be fetched: {error}") from error
    new.rename(folder)
    return folder


def mirror() -> list[str]:
    """Returns the Debian mirror that this machine's own apt uses, if it says."""
    asked = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(LABEL)"],
        capture_output=True, text=True, check=False,
    )
    found = [line.split()[0] for line in asked.stdout.splitlines() if line.endswith(" Debian")]
    return found[:1]


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


class Guest:
    """The machine. Its disk is a copy of the base, and goes with it."""

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

    def sh(self, script: str, check: bool = True, stdin: str = "", seconds: float = 300) -> str:
        """Runs commands in the guest as root; returns what they print."""
        ran = subprocess.run(
            ["nsenter", f"--target={self.init}", "--mount", "--uts", "--ipc", "--net", "--pid",
             "--root", "--wd", "--", "/usr/bin/env", "-i", "HOME=/root", "LANG=C.UTF-8",
             "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
             "DEBIAN_FRONTEND=noninteractive", "bash", "-euc", script],
            input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=seconds, check=False,
        )
        if check and ran.returncode != 0:
            raise Failed(f"status {ran.returncode} of: {script}\n{ran.stdout[-3000:]}")
        return ran.stdout

    def status(self, script: str) -> int:
        """Runs commands in the guest; returns their exit status."""
        ended = self.sh(f"set +e; ({script}) >/dev/null 2>&1; echo $?", check=False)
        return int(ended.split()[-1])

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
