"""The harness's own session with Asterisk's manager interface: it watches, records and orders.

It shares nothing with the daemon's reader, so that a mistake there cannot hide itself here.
"""

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 15


@dataclass
class Notice:
    """One message of the server: its bytes as received, and when."""

    raw: bytes
    at: float

    def __post_init__(self):
        self.fields: dict[str, str] = {}
        for line in self.raw.decode("utf-8", "replace").split("\r\n"):
            name, found, value = line.partition(":")
            if found:
                self.fields.setdefault(name, value.strip())

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")


class AmiLink:
    """A logged-in session that keeps everything it hears."""

    def __init__(self, heard: list[Notice] | None = None):
        # The caller's own list may go on over several sessions.
        self.heard: list[Notice] = [] if heard is None else heard
        self._news = asyncio.Condition()
        self._numbers = itertools.count(1)

    @classmethod
    async def open(
        cls, address: tuple[str, int], user: str, secret: str, heard: list[Notice] | None = None
    ) -> "AmiLink":
        link = cls(heard)
        link._reader, link._writer = await asyncio.open_connection(*address)
        banner = await asyncio.wait_for(link._reader.readline(), PATIENCE_S)
        if not banner.startswith(b"Asterisk Call Manager/"):
            raise RuntimeError(f"no manager interface at {address}: {banner!r}")
        link._reading = asyncio.create_task(link._read())
        await link.order("Login", Username=user, Secret=secret)
        return link

    async def _read(self):
        try:
            while True:
                raw = await self._reader.readuntil(b"\r\n\r\n")
                async with self._news:
                    self.heard.append(Notice(raw, time.monotonic()))
                    self._news.notify_all()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # The server has gone; whoever waits runs into a deadline.

    async def close(self):
        self._reading.cancel()
        self._writer.close()

    async def order(self, action: str, **fields: str) -> Notice:
        """Sends an action and returns its response; an error is an exception."""
        number = f"harness-{id(self):x}-{next(self._numbers)}"
        start = len(self.heard)
        lines = [f"Action: {action}", f"ActionID: {number}"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        reply = await self.until(
            lambda notice: notice["ActionID"] == number and notice["Response"], since=start
        )
        if reply["Response"] == "Error":
            raise RuntimeError(f"{action}: {reply['Message']}")
        return reply

    async def event(
        self, name: str, since: int = 0, within: float = PATIENCE_S, **values
    ) -> Notice:
        """The first event of a name with these values, heard already or yet to come."""
        return await self.until(
            lambda notice: notice["Event"] == name
            and all(notice[key] == value for key, value in values.items()),
            since, within, f"{name} {values or ''}",
        )

    async def until(
        self, wanted: Callable[[Notice], object], since: int = 0,
        within: float = PATIENCE_S, what: str = "a message",
    ) -> Notice:
        async def search() -> Notice:
            position = since
            async with self._news:
                while True:
                    for position in range(position, len(self.heard)):
                        if wanted(self.heard[position]):
                            return self.heard[position]
                    position = len(self.heard)
                    await self._news.wait()
        try:
            return await asyncio.wait_for(search(), within)
        except TimeoutError:
            raise RuntimeError(f"asterisk sent no {what.strip()} within {within} s") from None

    async def channels(self) -> int:
        """How many channels live now."""
        start = len(self.heard)
        number = (await self.order("CoreShowChannels"))["ActionID"]
        done = await self.event("CoreShowChannelsComplete", start, ActionID=number)
        return int(done["ListItems"])

    async def rows(self, family: str) -> dict[str, str]:
        """What the small database (AstDB) holds below a family, by the whole name."""
        start = len(self.heard)
        number = (await self.order("DBGetTree", Family=family))["ActionID"]
        await self.event("DBGetTreeComplete", start, ActionID=number)
        return {
            item["Key"]: item["Val"] for item in self.heard[start:]
            if item["Event"] == "DBGetTreeResponse" and item["ActionID"] == number
        }

    async def quiet(self, for_s: float, within: float = PATIENCE_S):
        """Returns when nothing was heard for a while: the tail of a call has come."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            last = self.heard[-1].at if self.heard else 0.0
            rest = last + for_s - time.monotonic()
            if rest <= 0:
                return
            await asyncio.sleep(rest)


def write_recording(folder: Path, name: str, notices: list[Notice], spool: str):
    """NAME.txt holds the events as received, NAME.times the milliseconds and the end of each.

    Left out are answers to the harness's own actions and the events of a test build; the run's
    folder becomes the usual spool folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = [n for n in notices if n["Event"] not in ("", "TestEvent") and not n["ActionID"]]
    times, offset = [], 0
    with open(folder / f"{name}.txt", "wb") as text:
        for notice in kept:
            raw = notice.raw.replace(spool.encode(), b"/var/spool/asterisk")
            text.write(raw)
            offset += len(raw)
            times.append(f"{round((notice.at - kept[0].at) * 1000)} {offset}\n")
    (folder / f"{name}.times").write_text("".join(times))
