"""Child processes that do not outlive the harness, whatever becomes of it."""

import asyncio
import shutil
from pathlib import Path

_SETPRIV = shutil.which("setpriv")


async def spawn(command: list[str], log: Path) -> asyncio.subprocess.Process:
    """Starts a program with its output appended to a file; the kernel kills it with us."""
    if _SETPRIV is not None:
        command = [_SETPRIV, "--pdeathsig", "KILL", "--", *command]
    with open(log, "ab") as output:
        return await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output
        )


async def end(process: asyncio.subprocess.Process | None, within: float):
    """Asks a program to end and kills it when it does not."""
    if process is None or process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), within)
    except TimeoutError:
        await kill(process)


async def kill(process: asyncio.subprocess.Process | None):
    if process is not None and process.returncode is None:
        process.kill()
        await process.wait()


def tail(log: Path, lines: int) -> str:
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
