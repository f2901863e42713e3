"""An Asterisk out of Debian's packages, unpacked into a private folder and never installed.

Debian 12 ships no Asterisk, other suites of the same mirror do. apt resolves and downloads with
state, cache and sources of its own (the machine's are not written), dpkg-deb unpacks, and the
binary runs through the C library that was unpacked with it. This needs no root and no chroot.

A folder that holds the marker is complete and is used as it is, without any network.
"""

import contextlib
import fcntl
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
PACKAGES = ["asterisk", "asterisk-modules", "asterisk-core-sounds-en-gsm"]
FALLBACK_MIRROR = "http://deb.debian.org/debian"
# Raised when the unpacked tree or the marker changes its shape: older folders are made anew.
LAYOUT = 1
# Dependencies of maintainer scripts and optional modules that a private run never starts.
UNUSED = re.compile(r"(perl|libperl|python3|libpython3|gnupg|gpg|dirmngr|systemd|udev)[^_]*_")
# A cold download is about 90 MB; a mirror that needs longer than this is as good as none.
DOWNLOAD_SECONDS_MAX = 420
INDEX_SECONDS_MAX = 180


class Unavailable(Exception):
    """No Asterisk can be had here; the text says why. Not a failure of the thing under test."""


class Installation:
    """An unpacked Asterisk: where its files lie and how one of its programs is started."""

    def __init__(self, root: Path, version: str):
        self.root = root
        self.version = version
        self.modules = self._one("usr/lib/*/asterisk/modules", "usr/lib/asterisk/modules")
        self.data = root / "usr/share/asterisk"
        self.sounds = self._one(
            "usr/share/asterisk/sounds/en_US_f_Allison", "usr/share/asterisk/sounds/en"
        )
        self._loader = self._one(
            "usr/lib64/ld-linux-*.so.*",
            "lib64/ld-linux-*.so.*",
            "usr/lib/ld-linux-*.so.*",
            "lib/ld-linux-*.so.*",
            "lib/*/ld-[0-9]*.so",
            "usr/lib/*/ld-linux-*.so.*",
        )
        folders = [root / "usr/lib", root / "lib"]
        folders += sorted(root.glob("usr/lib/*-linux-gnu*")) + sorted(root.glob("lib/*-linux-gnu*"))
        self._libraries = ":".join(str(folder) for folder in folders)

    def _one(self, *patterns: str) -> Path:
        for pattern in patterns:
            # A symbolic link with an absolute target points out of the tree: `exists` drops it.
            found = [path for path in sorted(self.root.glob(pattern)) if path.exists()]
            if found:
                return found[0]
        raise Unavailable(f"the unpacked packages hold none of {', '.join(patterns)}")

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs the unpacked asterisk with its own C library."""
        binary = str(self.root / "usr/sbin/asterisk")
        return [str(self._loader), "--library-path", self._libraries, binary, *arguments]


def prepared(suite: str, mirror: str | None = None) -> Installation:
    """Returns the Asterisk of a Debian suite; downloads and unpacks it when it is not there yet."""
    home = _cache_folder() / suite
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"cannot make {home}: {error.strerror}") from error
    with _locked(home / "lock"):
        version = _complete_version(home)
        if version is not None:
            # A folder that lost files since then is made anew.
            with contextlib.suppress(Unavailable):
                return Installation(home / "root", version)
        _require_tools()
        version = _download_and_unpack(home, suite, mirror or _machine_mirror())
    return Installation(home / "root", version)


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "trunkline-asterisk"


@contextlib.contextmanager
def _locked(path: Path):
    """Two runs at once must not unpack over each other."""
    with open(path, "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _complete_version(home: Path) -> str | None:
    try:
        marker = json.loads((home / "complete.json").read_text())
    except (OSError, ValueError):
        return None
    return marker["version"] if marker.get("layout") == LAYOUT else None


def _require_tools():
    missing = [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]
    if missing:
        raise Unavailable(f"{' and '.join(missing)} not found: this is no Debian system")
    if not KEYRING.exists():
        raise Unavailable(f"{KEYRING} not found: Debian's signatures cannot be checked")


def _machine_mirror() -> str:
    """The Debian mirror that this machine already uses, security archive and foreign ones aside."""
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)"],
        capture_output=True, text=True, timeout=60,
    )
    for uri in listing.stdout.split():
        if uri.rstrip("/").endswith("/debian"):
            return uri.rstrip("/")
    return FALLBACK_MIRROR


def _download_and_unpack(home: Path, suite: str, mirror: str) -> str:
    for leftover in ("root", "apt"):
        shutil.rmtree(home / leftover, ignore_errors=True)
    (home / "complete.json").unlink(missing_ok=True)
    apt = home / "apt"
    environment = _private_apt(apt, suite, mirror)
    _apt(["update"], environment, INDEX_SECONDS_MAX, f"read the index of {suite} from {mirror}")
    _apt(
        ["install", "--download-only", "--no-install-recommends", "--yes", *PACKAGES],
        environment, DOWNLOAD_SECONDS_MAX, f"download asterisk of {suite} from {mirror}",
    )
    archives = sorted((apt / "cache/archives").glob("*.deb"))
    root = home / "root"
    for archive in archives:
        if not UNUSED.match(archive.name):
            _run(["dpkg-deb", "--extract", str(archive), str(root)], None, 120, "unpack")
    package = next((path.name for path in archives if path.name.startswith("asterisk_")), None)
    if package is None:
        raise Unavailable(f"{suite} on {mirror} has no package asterisk")
    version = _upstream_version(package)
    Installation(root, version)  # Says what is missing before the folder is called complete.
    shutil.rmtree(apt)
    marker = {"layout": LAYOUT, "suite": suite, "version": version, "packages": len(archives)}
    written = home / "complete.json.new"
    written.write_text(json.dumps(marker) + "\n")
    written.rename(home / "complete.json")
    return version


def _upstream_version(file_name: str) -> str:
    """`asterisk_1%3a16.28.0~dfsg-0+deb11u4_amd64.deb` is version `16.28.0`."""
    found = re.match(r"asterisk_(?:\d+%3a)?(\d+(?:\.\d+)*)", file_name)
    return found.group(1) if found else file_name


def _private_apt(apt: Path, suite: str, mirror: str) -> dict[str, str]:
    """Lays out an apt of our own and returns the environment that makes apt-get use it."""
    for folder in ("lists/partial", "cache/archives/partial", "log"):
        (apt / folder).mkdir(parents=True)
    # Nothing counts as installed, so apt brings the C library and everything above it.
    (apt / "status").touch()
    sources = apt / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {mirror} {suite} main\n")
    settings = {
        "Dir::State": apt,
        "Dir::State::Lists": apt / "lists",
        "Dir::State::Status": apt / "status",
        "Dir::Cache": apt / "cache",
        "Dir::Log": apt / "log",
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "APT::Sandbox::User": "root",  # No change of user: the folder belongs to who runs us.
        "APT::Update::Error-Mode": "any",
        "Acquire::Languages": "none",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        "Acquire::Retries": "2",
        "Acquire::http::Timeout": "20",
        "Debug::NoLocking": "true",
    }
    configuration = apt / "apt.conf"
    configuration.write_text("".join(f'{key} "{value}";\n' for key, value in settings.items()))
    return dict(os.environ, APT_CONFIG=str(configuration), DEBIAN_FRONTEND="noninteractive")


def _apt(arguments, environment, seconds_max, purpose):
    _run(["apt-get", "-q", *arguments], environment, seconds_max, purpose)


def _run(command, environment, seconds_max, purpose):
    try:
        done = subprocess.run(
            command, env=environment, timeout=seconds_max, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
    except subprocess.TimeoutExpired as expired:
        raise Unavailable(f"could not {purpose}: no end after {seconds_max} s") from expired
    if done.returncode != 0:
        said = [line for line in done.stdout.splitlines() if line.startswith(("E:", "Err"))]
        reason = "; ".join(said[:3]) or done.stdout[-300:].strip()
        raise Unavailable(f"could not {purpose}: {reason}")
