"""A plain Debian 12, fetched once and kept for the next run."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from shell import Unavailable, run

SUITE = "bookworm"
PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "adduser", "init-system-helpers", "util-linux", "procps",
    "iproute2", "curl", "ca-certificates", "tzdata", "apt-utils",
)
# Nothing of these belongs to what is tried, and each costs seconds of every boot.
MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
    "e2scrub_reap.service", "fstrim.timer", "console-getty.service", "systemd-firstboot.service",
)


def needs(tools: dict[str, str]) -> None:
    """Expects root and these programs, each with the package that has it."""
    if os.geteuid() != 0:
        raise Unavailable("a guest needs root")
    for tool, package in tools.items():
        if shutil.which(tool) is None:
            raise Unavailable(f"{tool} is not installed (package {package})")


def kept(what: str, make: Callable[[Path], None]) -> Path:
    """Returns the folder that is made from these words; has it made where it is not there yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "trunkline-vm"
    folder = cache / hashlib.sha256(what.encode()).hexdigest()[:16]
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    new = cache / f"new.{os.getpid()}"
    try:
        make(new)
    except (subprocess.SubprocessError, OSError) as error:
        shutil.rmtree(new, ignore_errors=True)
        raise Unavailable(f"no Debian could be made: {error}") from error
    new.rename(folder)
    return folder


def fetch(into: Path, packages: Sequence[str], hooks: Sequence[str] = ()) -> None:
    """Makes a Debian of these packages in a folder; hooks are mmdebstrap's, after its own."""
    mask = " ".join(MASKED)
    hooks = (
        'echo trunkline-vm > "$1/etc/hostname"',
        'printf "127.0.0.1 localhost trunkline-vm\\n" > "$1/etc/hosts"',
        f'for unit in {mask}; do ln -sf /dev/null "$1/etc/systemd/system/$unit"; done',
        'rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/etc/apt/sources.list*',
        'mkdir -p "$1/etc/apt/sources.list.d"',
        *hooks,
    )
    command = ["mmdebstrap", "--variant=minbase", "--quiet", f"--include={','.join(packages)}",
               "--aptopt=Apt::Install-Recommends false"]
    command += [f"--customize-hook={hook}" for hook in hooks]
    run(*command, SUITE, str(into), *mirror(), timeout=1500)


def mirror() -> list[str]:
    """Returns the Debian mirror that this machine's own apt uses, if it says."""
    asked = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(LABEL)"],
        capture_output=True, text=True, check=False,
    )
    found = [line.split()[0] for line in asked.stdout.splitlines() if line.endswith(" Debian")]
    return found[:1]
