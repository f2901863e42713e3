"""What a scenario has at hand: an Asterisk, three desk phones, the provider, and the daemon."""

import asyncio
import contextlib
import time

from ami_link import AmiLink, Notice
from asterisk_server import AsteriskServer
from manners import only_rings
from sip_leg import CallFailed, Leg
from sip_phone import SipPhone

# A talk long enough that its seconds can be told from the ringing before it.
TALK_S = 1.6
MEDIA_SECONDS_MAX = 3
CHANNELS_GONE_SECONDS_MAX = 15
# Cdr and queue events trail the last Hangup by less than this.
TAIL_S = 0.4


class Stage:
    """Set up once for a run; `clear` brings it back between two scenarios."""

    def __init__(self, server: AsteriskServer):
        self.server = server
        self.heard: list[Notice] = []
        self.daemon = None  # A trunkline_processes.Daemon, where one is under test.
        self.lab = None     # The simulated CRM beside it.
        self.link = None    # The relay between the daemon and Asterisk.
        self.anna = SipPhone("101", server.sip_address, server.sip_secret)
        self.boris = SipPhone("102", server.sip_address, server.sip_secret)
        self.vera = SipPhone("103", server.sip_address, server.sip_secret)
        self.provider = SipPhone("provider", server.sip_address)
        self.desks = (self.anna, self.boris, self.vera)
        self.observer: AmiLink | None = None

    async def open(self):
        await self.server.start()
        for desk in self.desks:
            await desk.open()
        await self.provider.open(*self.server.trunk_address)
        await self._meet_asterisk()

    async def _meet_asterisk(self):
        """After every start of Asterisk: listen, and tell it where the phones are."""
        self.observer = await AmiLink.open(
            self.server.ami_address, "observer", self.server.ami_secret, self.heard
        )
        for desk in self.desks:
            await desk.register()

    async def restart_asterisk(self):
        await self.server.stop()
        await self.observer.close()
        await self.server.start()
        await self._meet_asterisk()

    async def close(self):
        if self.observer is not None:
            await self.observer.close()
        await self.server.stop()
        for phone in (*self.desks, self.provider):
            phone.close()

    async def clear(self):
        """Waits until the scenario's last channel and last event are gone; phones on the hook."""
        deadline = time.monotonic() + CHANNELS_GONE_SECONDS_MAX
        while (living := await self.observer.channels()) > 0:
            if time.monotonic() > deadline:
                raise CallFailed(f"{living} channels are left over")
            await asyncio.sleep(0.1)
        await self.observer.quiet(TAIL_S)
        for phone in (*self.desks, self.provider):
            phone.forget_calls()
            phone.manner = only_rings()

    async def recover(self):
        """After a scenario that broke: hangs up what it left, so that the next one starts clean."""
        for phone in (*self.desks, self.provider):
            for leg in tuple(phone.legs.values()):
                await leg.hang_up()
        if self.link is not None:
            self.link.mend()
        if self.daemon is not None:
            self.daemon.thaw()
        with contextlib.suppress(CallFailed, RuntimeError):
            await self.clear()

    def trace(self) -> str:
        """What the phones sent and heard in this scenario, in the order of time."""
        lines = [line for phone in (*self.desks, self.provider) for line in phone.trace]
        return "\n".join(sorted(lines))

    async def client_calls(self, our_number: str, client: str) -> Leg:
        return await self.provider.call(our_number, caller=client)

    async def talk(self, *legs: Leg, seconds: float = TALK_S):
        """Both sides are heard; then people talk for a while."""
        for leg in legs:
            await leg.until("talking")
            before = leg.media.received
            deadline = time.monotonic() + MEDIA_SECONDS_MAX
            while leg.media.received < before + 3:
                if time.monotonic() > deadline:
                    raise CallFailed(f"{leg!r}: no audio arrives")
                await asyncio.sleep(0.02)
        await asyncio.sleep(seconds)

    async def channel_of(self, extension: str, since: int) -> str:
        """The name of the newest call's channel on a desk phone."""
        begun = await self.observer.until(
            lambda notice: notice["Event"] == "Newchannel"
            and notice["Channel"].startswith(f"PJSIP/{extension}-"),
            since, what=f"channel of {extension}",
        )
        return begun["Channel"]
