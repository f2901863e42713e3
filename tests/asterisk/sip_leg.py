"""One call as one phone sees it: a SIP dialog with its audio and its milestones."""

import asyncio
import contextlib
import secrets
import urllib.parse
from typing import TYPE_CHECKING

from sip_message import ALLOWED, SipMessage, address_uri, parameter, sdp_offer
from tone import Tone

if TYPE_CHECKING:
    from sip_phone import SipPhone

# The longest a ring, a talk's beginning or an end is waited for.
PATIENCE_S = 12


class CallFailed(Exception):
    """A call does not go as the scenario wants it."""


class Leg:
    """Passes the milestones ringing, talking, over; `referred` when a transfer has an end."""

    def __init__(self, phone: "SipPhone", call_id: str):
        self.phone = phone
        self.call_id = call_id
        self.tag = secrets.token_hex(4)
        self.local = self.remote = self.target = ""
        self.media: Tone | None = None
        self.status: int | None = None  # The final status of our INVITE.
        self.referral = ""              # The last that was heard of our transfer.
        self.open_invite: SipMessage | None = None
        self._request: SipMessage | None = None
        self._address: tuple[str, int] | None = None
        self._sequence = secrets.randbelow(500) + 1
        self._sdp_version = 0
        self._accepted = False
        self._milestones = {
            name: asyncio.Event() for name in ("ringing", "talking", "over", "referred")
        }

    @property
    def called(self) -> str:
        """The number that the exchange asked us for."""
        return address_uri(self._request.start.split()[1]).partition(":")[2].partition("@")[0]

    def __repr__(self):
        reached = [name for name, event in self._milestones.items() if event.is_set()]
        return f"leg of {self.phone.user} to {self.target} ({', '.join(reached) or 'new'})"

    def reach(self, milestone: str):
        self._milestones[milestone].set()

    def reached(self, milestone: str) -> bool:
        return self._milestones[milestone].is_set()

    async def until(self, milestone: str, within: float = PATIENCE_S):
        """Waits for a milestone; fails at once when the leg is over before it."""
        wanted = asyncio.create_task(self._milestones[milestone].wait())
        ended = asyncio.create_task(self._milestones["over"].wait())
        await asyncio.wait({wanted, ended}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        for task in (wanted, ended):
            task.cancel()
        if not self.reached(milestone):
            how = f"over with {self.status}" if self.reached("over") else f"not in {within} s"
            raise CallFailed(f"{self!r}: waited for {milestone}, {how}")

    def end(self):
        if self.media is not None:
            self.media.close()
            self.media = None
        self.reach("over")

    # ---- calls of ours ---------------------------------------------------------------------

    async def invite(self):
        try:
            reply = await self._offer("sendrecv")
        except CallFailed:
            self.end()
            raise
        self.status = reply.status
        if reply.status >= 300:
            self.end()
            return
        self.remote = reply.value("to")
        self.target = address_uri(reply.value("contact"))
        self.acknowledge(self._sequence)
        if self.media is not None:
            self.media.send_to(reply.media_address)
        self.reach("talking")

    async def _offer(self, direction: str) -> SipMessage:
        self._sdp_version += 1
        body = sdp_offer(self.phone.ip, self.media.port, self._sdp_version, direction)
        return await self._request_out("INVITE", [("content-type", "application/sdp")], body)

    async def _request_out(self, method: str, headers=(), body: str = "") -> SipMessage:
        self._sequence += 1
        request = self._compose(method, self._sequence, headers, body)
        reply, last = await self.phone.exchange(request, self)
        self._sequence = last.sequence
        return reply

    def _compose(self, method: str, sequence: int, headers=(), body: str = "") -> SipMessage:
        return SipMessage(f"{method} {self.target} SIP/2.0", [
            ("from", self.local), ("to", self.remote), ("call-id", self.call_id),
            ("cseq", f"{sequence} {method}"), ("contact", self.phone.contact),
            ("allow", ALLOWED), *headers,
        ], body)

    def acknowledge(self, sequence: int):
        ack = self._compose("ACK", sequence)
        branch = "z9hG4bK" + secrets.token_hex(8)
        ack.headers.insert(
            0, ("via", f"SIP/2.0/UDP {self.phone.ip}:{self.phone.port};branch={branch};rport")
        )
        self.phone.send(ack)

    async def give_up(self):
        """CANCEL of a call that nobody has answered."""
        invite = self.open_invite
        cancel = SipMessage(f"CANCEL {self.target} SIP/2.0", [
            (name, f"{invite.sequence} CANCEL" if name == "cseq" else value)
            for name, value in invite.headers
            if name in ("via", "max-forwards", "from", "to", "call-id", "cseq")
        ])
        self.phone.send(cancel)
        await self.until("over")

    async def hang_up(self):
        if self.reached("over"):
            return
        self.end()
        # The exchange may have said goodbye in the same moment, or have gone.
        with contextlib.suppress(CallFailed):
            await self._request_out("BYE")

    async def hold(self):
        await self._change_media("sendonly")

    async def resume(self):
        await self._change_media("sendrecv")

    async def _change_media(self, direction: str):
        reply = await self._offer(direction)
        if reply.status != 200:
            raise CallFailed(f"{self!r}: {direction} refused with {reply.start}")
        self.acknowledge(self._sequence)

    async def transfer_to(self, number: str, replacing: "Leg | None" = None):
        """REFER: unannounced, or joined with the leg on which the colleague was asked."""
        uri = self.phone.server_uri(number)
        if replacing is not None:
            other = (
                f"{replacing.call_id};to-tag={parameter(replacing.remote, 'tag')}"
                f";from-tag={parameter(replacing.local, 'tag')}"
            )
            uri += "?Replaces=" + urllib.parse.quote(other, safe="")
        reply = await self._request_out("REFER", [
            ("refer-to", f"<{uri}>"), ("referred-by", self.phone.contact),
        ])
        if reply.status != 202:
            raise CallFailed(f"{self!r}: transfer refused with {reply.start}")

    def referral_news(self, fragment: str):
        self.referral = fragment.strip()
        if self.referral.startswith("SIP/2.0 ") and not self.referral.startswith("SIP/2.0 1"):
            self.reach("referred")

    # ---- calls to us -----------------------------------------------------------------------

    def take(self, request: SipMessage, address):
        self._request, self._address = request, address
        self.local = f"{request.value('to')};tag={self.tag}"
        self.remote = request.value("from")
        self.target = address_uri(request.value("contact"))

    def _reply(self, status: int, headers=(), body: str = ""):
        self.phone.respond(
            self._request, status, self._address, tag=self.tag, headers=headers, body=body
        )

    def ring(self):
        self._reply(180)
        self.reach("ringing")

    async def accept(self):
        if self.reached("over"):
            return
        self.media = await Tone.open(self.phone.ip)
        self._accepted = True
        self._sdp_version += 1
        sdp = sdp_offer(self.phone.ip, self.media.port, self._sdp_version, "sendrecv")
        self._reply(200, body=sdp)
        self.media.send_to(self._request.media_address)

    def refuse(self, status: int, headers=()):
        if not self.reached("over"):
            self._reply(status, headers)
            self.end()

    def acknowledged(self):
        if self._accepted and not self.reached("over"):
            self.reach("talking")

    def cancelled(self):
        if not self._accepted and not self.reached("over"):
            self._reply(487)
            self.end()

    def change(self, request: SipMessage, address):
        """The exchange moves the audio or puts us on hold: agree."""
        if self.media is None:
            self.phone.respond(request, 481, address)
            return
        if request.media_address is not None:
            self.media.send_to(request.media_address)
        self._sdp_version += 1
        sdp = sdp_offer(self.phone.ip, self.media.port, self._sdp_version, "sendrecv")
        self.phone.respond(request, 200, address, body=sdp)
