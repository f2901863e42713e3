"""Commands: on this host, in a guest, and how they can fail."""

import subprocess

# What every command in a guest finds in its environment; nothing of the host's gets there.
ENVIRONMENT = (
    "HOME=/root", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
)


class Unavailable(Exception):
    """Why no guest can be had on this machine."""


class Skipped(Exception):
    """Why something cannot be tried in this guest."""


class Failed(Exception):
    """What the guest did not do."""


def run(*command: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(command, check=True, text=True, **options)


class Shell:
    """A guest in which commands are run as root."""

    def execute(self, script: str, stdin: str, seconds: float) -> tuple[int, str]:
        """Runs commands in a bash that ends at the first failure; returns status and output."""
        raise NotImplementedError

    def sh(self, script: str, check: bool = True, stdin: str = "", seconds: float = 300) -> str:
        """Runs commands; returns what they print."""
        status, printed = self.execute(script, stdin, seconds)
        if check and status != 0:
            raise Failed(f"status {status} of: {script}\n{printed[-3000:]}")
        return printed

    def status(self, script: str) -> int:
        """Runs commands; returns their exit status."""
        ended = self.sh(f"set +e; ({script}) >/dev/null 2>&1; echo $?", check=False)
        return int(ended.split()[-1])
