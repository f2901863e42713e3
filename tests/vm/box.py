"""The box: a guest with the packages, and the pages by which it is installed."""

import re
import subprocess
import time

from packages import CHECKOUT
from pages import sections
from shell import Failed, Shell

WAIT_SECONDS = 90


class Box:
    def __init__(self, guest: Shell, patience: float = 1) -> None:
        """`patience`: how many times longer than usual things may take here."""
        self.guest = guest
        self.patience = patience
        self.install = sections(CHECKOUT / "docs/install.md")
        self.readme = sections(CHECKOUT / "README.md")
        self.operations = sections(CHECKOUT / "docs/operations.md")

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

    def do(self, heading: str, containing: str, stdin: str = "",
           page: dict[str, list[str]] | None = None) -> str:
        """Runs a block of a page, the installation's unless another is named, to the letter."""
        block = self.found(page or self.install, heading, containing)
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

    def until(self, what: str, holds, seconds: float = WAIT_SECONDS) -> None:
        seconds *= self.patience
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
