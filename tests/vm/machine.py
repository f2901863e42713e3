"""A throw-away Debian 12 in a whole virtual machine of qemu, with a kernel of its own.

A container shares the host's kernel and its control groups, and sees of the limits what the host gives
it. Here they are whole. Commands come and go by a port of virtio-serial: there is no network at all.
"""

import base64
import os
import platform
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import debian
from shell import ENVIRONMENT, Failed, Shell, Unavailable, run

PACKAGES = (*debian.PACKAGES, "initramfs-tools", "kmod", "linux-image-cloud-amd64", "udev", "zstd")
INSIDE = (("commands.sh", "/usr/local/sbin/commands", "0755"),
          ("commands.service", "/etc/systemd/system/commands.service", "0644"))
TOOLS = {
    "mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs", "qemu-system-x86_64": "qemu-system-x86",
    "dpkg-deb": "dpkg",
}
HERE = Path(__file__).parent
DISK_BYTES = 4 << 30
# More than the unit may take, beside the rest of the system.
MEMORY_MB = 1536
# A processor that is simulated takes 20 to 40 s where a real one takes 3.
BOOT_SECONDS_MAX = 300
PROBE_SECONDS_MAX = 15


def base() -> Path:
    """Returns a folder with the disk of a plain Debian, its kernel and initrd; makes it once."""
    if platform.machine() != "x86_64":
        raise Unavailable(f"the whole machine is an amd64, and this host is not: {platform.machine()}")
    debian.needs(TOOLS)
    inside = "".join((HERE / name).read_text() for name, _, _ in INSIDE)
    what = " ".join((debian.SUITE, *PACKAGES, *debian.MASKED, inside, str(DISK_BYTES)))
    return debian.kept(what, make)


def make(folder: Path) -> None:
    root = folder / "root"
    folder.mkdir()
    debian.fetch(root, PACKAGES, ('echo "/dev/vda / ext4 noatime 0 1" > "$1/etc/fstab"',))
    for name, place, mode in INSIDE:
        run("install", "-D", "-m", mode, str(HERE / name), f"{root}{place}")
    wanted = root / "etc/systemd/system/multi-user.target.wants/commands.service"
    wanted.symlink_to("/etc/systemd/system/commands.service")
    for kind in ("vmlinuz", "initrd.img"):
        shutil.copy(next((root / "boot").glob(f"{kind}-*")), folder / kind)
    disk(folder / "disk", root, DISK_BYTES)
    shutil.rmtree(root)


def disk(image: Path, content: Path, size: int) -> None:
    """Makes the image of a disk that holds what a folder holds; this needs no loop device."""
    with image.open("wb") as file:
        file.truncate(size)
    run("mke2fs", "-q", "-t", "ext4", "-d", str(content), str(image))


def accelerator(folder: Path) -> list[str]:
    """Returns KVM where a kernel really starts by it, and else the simulated processor.

    On a host that is a virtual machine itself /dev/kvm may be there, and a kernel never get far."""
    kvm = ["-accel", "kvm", "-cpu", "host"]
    if os.access("/dev/kvm", os.W_OK):
        probe = ["qemu-system-x86_64", *kvm, "-m", "512", "-nodefaults", "-display", "none",
                 "-no-reboot", "-nic", "none", "-serial", "stdio", "-kernel", str(folder / "vmlinuz"),
                 "-append", "console=ttyS0 panic=-1"]
        try:
            said = subprocess.run(probe, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                                  timeout=PROBE_SECONDS_MAX).stdout
        except subprocess.TimeoutExpired as slow:
            said = slow.stdout or b""
        if b"Linux version" in said:
            return kvm
    return ["-accel", "tcg,thread=multi", "-cpu", "max"]


class Machine(Shell):
    """The machine. What it writes to its disk goes with it."""

    def __init__(self, work: Path, repository: Path, served_at: str) -> None:
        """Has a disk with this folder in it, which is mounted read-only at a place of the root."""
        self.base = base()
        self.work = work
        self.console = work / "machine.txt"
        self.port = work / "machine.port"
        self.repository = work / "repository.disk"
        self.served_at = served_at
        self.qemu: subprocess.Popen | None = None
        self.connection: socket.socket | None = None
        held = sum(file.stat().st_size for file in repository.rglob("*") if file.is_file())
        disk(self.repository, repository, held * 5 // 4 + (64 << 20))

    def boot(self) -> None:
        """Switches it on; returns when it has started everything."""
        self.accelerator = accelerator(self.base)
        command = [
            "qemu-system-x86_64", *self.accelerator, "-smp", str(min(2, os.cpu_count() or 1)),
            "-m", str(MEMORY_MB), "-nodefaults", "-display", "none", "-nic", "none", "-no-reboot",
            "-kernel", str(self.base / "vmlinuz"), "-initrd", str(self.base / "initrd.img"),
            # On a busy host the kernel would find a simulated timer too slow to be one.
            "-append", "root=/dev/vda rw console=ttyS0 quiet panic=-1 no_timer_check",
            # What the machine writes goes to a file of qemu's own, and the disk stays as it was made.
            "-drive", f"file={self.base}/disk,format=raw,if=virtio,snapshot=on,cache=unsafe",
            "-drive", f"file={self.repository},format=raw,if=virtio,readonly=on",
            "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=commands,path={self.port},server=on,wait=off",
            "-device", "virtserialport,chardev=commands,name=trunkline",
            "-serial", f"file:{self.console}",
        ]
        with (self.work / "qemu.txt").open("wb") as said:
            self.qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                         env=os.environ | {"TMPDIR": str(self.work)})
        self.connect(time.monotonic() + BOOT_SECONDS_MAX)
        state = self.sh("systemctl is-system-running --wait", check=False).strip()
        if state not in ("running", "degraded"):
            raise Failed(f"the machine is {state}: {self.said()}")
        self.sh(f"mkdir -p /{self.served_at}; mount -o ro /dev/vdb /{self.served_at}")

    def connect(self, until: float) -> None:
        """Waits for the machine to take commands."""
        while time.monotonic() < until:
            if self.qemu.poll() is not None:
                raise Unavailable(f"qemu ended at once: {self.said()}")
            try:
                if self.connection is None:
                    self.connection = socket.socket(socket.AF_UNIX)
                    self.connection.connect(str(self.port))
                self.connection.settimeout(5)
                if self.connection.recv(64):
                    return
            except TimeoutError:
                pass
            except OSError:
                self.connection = None
                time.sleep(0.2)
        raise Failed(f"it did not start within {BOOT_SECONDS_MAX} s: {self.said()}")

    def said(self) -> str:
        """Returns the last words of qemu and of the machine's console."""
        files = (self.work / "qemu.txt", self.console)
        words = "".join(file.read_text(errors="replace")[-2000:] for file in files if file.exists())
        return re.sub(r"\x1b[^a-zA-Z]*[a-zA-Z]", "", words)

    def execute(self, script: str, stdin: str, seconds: float) -> tuple[int, str]:
        script = f"export {' '.join(ENVIRONMENT)}; cd /root; {script}"
        line = b" ".join(base64.b64encode(text.encode()) for text in (script, stdin)) + b"\n"
        self.connection.settimeout(seconds)
        self.connection.sendall(line)
        answer = b""
        while not answer.endswith(b"\n"):
            part = self.connection.recv(1 << 16)
            if not part:
                raise Failed(f"the machine is gone: {self.said()}")
            answer += part
        status, _, printed = answer.partition(b" ")
        return int(status), base64.b64decode(printed).decode(errors="replace")

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        if self.qemu is not None:
            self.qemu.kill()
            self.qemu.wait(timeout=30)
        self.repository.unlink(missing_ok=True)
