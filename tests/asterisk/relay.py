"""A TCP relay between the daemon and Asterisk's manager interface, so that the link can be cut.

Asterisk has no order that throws out one manager session in every version; a cable has.
"""

import asyncio
import contextlib


class Relay:
    """Passes bytes both ways until cut; while cut, connections are closed as they come."""

    def __init__(self, target: tuple[str, int]):
        self._target = target
        self._whole = True
        self._links = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._handlers: set[asyncio.Task] = set()

    @property
    def is_linked(self) -> bool:
        """Whether a connection goes all the way through."""
        return self._links > 0

    async def open(self) -> "Relay":
        self._server = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def close(self):
        self.cut()
        self._server.close()
        for handler in tuple(self._handlers):
            handler.cancel()

    def cut(self):
        self._whole = False
        for writer in tuple(self._writers):
            writer.transport.abort()

    def mend(self):
        self._whole = True

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        handler = asyncio.current_task()
        self._handlers.add(handler)
        handler.add_done_callback(self._handlers.discard)
        self._writers.add(writer)
        try:
            if not self._whole:
                return
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            self._writers.add(far_writer)
            self._links += 1
            try:
                ways = {
                    asyncio.create_task(_pump(reader, far_writer)),
                    asyncio.create_task(_pump(far_reader, writer)),
                }
                # Either side's end is the end of the link.
                _, going = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in going:
                    way.cancel()
            finally:
                self._links -= 1
                self._writers.discard(far_writer)
                far_writer.close()
        except OSError:
            pass  # Asterisk is down: the daemon sees a closed connection.
        finally:
            self._writers.discard(writer)
            writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
