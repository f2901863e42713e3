"""A SIP phone for loopback: it registers, calls, is called, holds and transfers.

A phone's manner (`phone.manner = answers()`) decides what becomes of calls that reach it. Each call
is a `Leg` that passes the milestones ringing, talking, over; a scenario awaits them. What the phone
does not do: more than one codec, TCP, retransmission of its own answers (loopback loses nothing).
"""

import asyncio
import contextlib
import secrets
import time
import urllib.parse
from collections.abc import Awaitable, Callable

from sip_message import SipMessage, address_uri, credentials, parameter, sdp_offer
from tone import Tone

ALLOWED = "INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, NOTIFY"
REASONS = {
    100: "Trying", 180: "Ringing", 200: "OK", 302: "Moved Temporarily", 481: "No Such Call",
    486: "Busy Here", 487: "Request Terminated", 603: "Decline",
}
# A request is repeated after these silences; an INVITE that got any answer is not.
REPEAT_AFTER_S = (0.5, 1, 2, 4)
# The longest a ring, a talk's beginning or an end is waited for.
PATIENCE_S = 12


class CallFailed(Exception):
    """A leg did not get to where the scenario wants it."""


Manner = Callable[["Leg"], Awaitable[None]]


def answers(after: float = 0.4) -> Manner:
    async def manner(leg: "Leg"):
        leg.ring()
        await asyncio.sleep(after)
        await leg.accept()
    return manner


def only_rings() -> Manner:
    async def manner(leg: "Leg"):
        leg.ring()
    return manner


def refuses(status: int, after: float = 0.0) -> Manner:
    async def manner(leg: "Leg"):
        if after:
            leg.ring()
            await asyncio.sleep(after)
        leg.refuse(status)
    return manner


def diverts(to: str, after: float = 0.3) -> Manner:
    async def manner(leg: "Leg"):
        leg.ring()
        await asyncio.sleep(after)
        leg.refuse(302, [("contact", f"<{leg.phone.server_uri(to)}>")])
    return manner


class SipPhone(asyncio.DatagramProtocol):
    """One SIP address on UDP. Without a password it never answers a challenge, as a provider."""

    def __init__(self, user: str, server: tuple[str, int], password: str | None = None):
        self.user = user
        self.server = server
        self.password = password
        self.manner: Manner = only_rings()
        self.legs: dict[str, Leg] = {}
        self.calls_in: asyncio.Queue[Leg] = asyncio.Queue()
        self.trace: list[str] = []
        # By branch and method: a CANCEL has the branch of its INVITE.
        self._pending: dict[tuple[str, str], asyncio.Queue[SipMessage]] = {}
        self._responses: dict[tuple[str, str], bytes] = {}
        self._tasks: set[asyncio.Task] = set()
        self._registration = (secrets.token_hex(8), 0)

    async def open(self, ip: str = "127.0.0.1", port: int = 0) -> "SipPhone":
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(ip, port)
        )
        self.ip, self.port = self._transport.get_extra_info("sockname")[:2]
        return self

    def close(self):
        self.forget_calls()
        self._transport.close()

    def forget_calls(self):
        """Back to a phone on the hook, for the next scenario; whoever talks is not told."""
        for leg in self.legs.values():
            leg.end()
        self.legs.clear()
        for task in self._tasks:
            task.cancel()
        while not self.calls_in.empty():
            self.calls_in.get_nowait()
        self.trace.clear()
        self._responses.clear()

    def server_uri(self, user: str) -> str:
        return f"sip:{user}@{self.server[0]}:{self.server[1]}"

    @property
    def contact(self) -> str:
        return f"<sip:{self.user}@{self.ip}:{self.port}>"

    async def register(self, expires: int = 600):
        """Tells the exchange where this phone is; 0 takes it back."""
        call_id, sequence = self._registration
        own = f"<sip:{self.user}@{self.server[0]}>"
        uri = f"sip:{self.server[0]}:{self.server[1]}"
        request = SipMessage(f"REGISTER {uri} SIP/2.0", [
            ("from", f"{own};tag={secrets.token_hex(4)}"), ("to", own), ("call-id", call_id),
            ("cseq", f"{sequence + 1} REGISTER"), ("contact", self.contact),
            ("expires", str(expires)),
        ])
        reply, last = await self.exchange(request)
        self._registration = (call_id, last.sequence)
        if reply.status != 200:
            raise CallFailed(f"{self.user} could not register: {reply.start}")

    async def call(self, number: str, caller: str | None = None) -> "Leg":
        """Starts a call and returns at once; `caller` is the number that is shown."""
        leg = Leg(self, secrets.token_hex(10))
        leg.local = f"<sip:{caller or self.user}@{self.ip}>;tag={leg.tag}"
        leg.remote = f"<{self.server_uri(number)}>"
        leg.target = self.server_uri(number)
        self.legs[leg.call_id] = leg
        leg.media = await Tone.open(self.ip)
        self.run(leg.invite())
        return leg

    async def next_call(self, within: float = PATIENCE_S) -> "Leg":
        """The next call that reaches this phone, whatever its manner does with it."""
        try:
            return await asyncio.wait_for(self.calls_in.get(), within)
        except TimeoutError:
            raise CallFailed(f"no call reached {self.user} within {within} s") from None

    def run(self, work):
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task):
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.trace.append(f"{self.user}: {task.exception()!r}")

    # ---- requests of ours ------------------------------------------------------------------

    async def exchange(
        self, request: SipMessage, leg: "Leg | None" = None
    ) -> tuple[SipMessage, SipMessage]:
        """Sends a request, answers one challenge; returns the last response and its request."""
        reply = await self._ask(request, leg)
        if reply.status in (401, 407) and self.password is not None:
            uri = request.start.split()[1]
            again = SipMessage(request.start, list(request.headers), request.body)
            again.headers = [
                (name, f"{request.sequence + 1} {request.method}" if name == "cseq" else value)
                for name, value in request.headers if name != "via"
            ]
            again.headers.append(
                credentials(reply, request.method, uri, self.user, self.password)
            )
            request = again
            reply = await self._ask(request, leg)
        return reply, request

    async def _ask(self, request: SipMessage, leg: "Leg | None") -> SipMessage:
        branch = "z9hG4bK" + secrets.token_hex(8)
        via = f"SIP/2.0/UDP {self.ip}:{self.port};branch={branch};rport"
        request.headers.insert(0, ("via", via))
        if "max-forwards" not in dict(request.headers):
            request.headers.insert(1, ("max-forwards", "70"))
        if leg is not None and request.method == "INVITE":
            leg.open_invite = request
        transaction = (branch, request.method)
        replies = self._pending[transaction] = asyncio.Queue()
        silences = iter(REPEAT_AFTER_S)
        try:
            self.send(request)
            silence = next(silences)
            while True:
                try:
                    reply = await asyncio.wait_for(replies.get(), silence)
                except TimeoutError:
                    silence = next(silences, None)
                    if silence is None:
                        raise CallFailed(
                            f"{self.user}: no answer to {request.start}"
                        ) from None
                    self.send(request)
                    continue
                if reply.status >= 200:
                    break
                if reply.status in (180, 183) and leg is not None:
                    leg.reach("ringing")
                silence = 120  # Provisional: the rest is up to the people.
        finally:
            del self._pending[transaction]
        if request.method == "INVITE" and reply.status >= 300:
            self.send(_acknowledgement(request, reply))
        return reply

    def send(self, message: SipMessage, to: tuple[str, int] | None = None):
        self.send_bytes(message.encode(), to)

    def send_bytes(self, data: bytes, to: tuple[str, int] | None = None):
        self._note(">", data)
        self._transport.sendto(data, to or self.server)

    def _note(self, arrow: str, data: bytes):
        clock = time.strftime("%H:%M:%S", time.localtime()) + f".{time.time() % 1:.3f}"[2:]
        first = data.split(b"\r\n", 1)[0].decode("utf-8", "replace")
        self.trace.append(f"{clock} {self.user} {arrow} {first}")

    # ---- requests of theirs ----------------------------------------------------------------

    def datagram_received(self, data, address):
        if len(data) < 12:
            return  # A keep-alive of some stacks.
        self._note("<", data)
        message = SipMessage.parse(data)
        if message.is_response:
            self._on_response(message)
        else:
            self._on_request(message, address)

    def _on_response(self, reply: SipMessage):
        waiting = self._pending.get((reply.branch, reply.method))
        if waiting is not None:
            waiting.put_nowait(reply)
        elif reply.method == "INVITE" and reply.status == 200:
            leg = self.legs.get(reply.value("call-id"))
            if leg is not None:
                leg.acknowledge(reply.sequence)  # Our ACK was lost.

    def _on_request(self, request: SipMessage, address):
        repeated = self._responses.get((request.branch, request.method))
        if repeated is not None and request.method != "ACK":
            self.send_bytes(repeated, address)
            return
        leg = self.legs.get(request.value("call-id"))
        if request.method == "INVITE" and not parameter(request.value("to"), "tag"):
            leg = Leg(self, request.value("call-id"))
            leg.take(request, address)
            self.legs[leg.call_id] = leg
            self.respond(request, 100, address)
            self.calls_in.put_nowait(leg)
            self.run(self.manner(leg))
        elif request.method == "ACK":
            if leg is not None:
                leg.acknowledged()
        elif leg is None and request.method != "OPTIONS":
            self.respond(request, 481, address)
        elif request.method == "INVITE":
            leg.change(request, address)
        elif request.method == "CANCEL":
            self.respond(request, 200, address)
            leg.cancelled()
        elif request.method == "BYE":
            self.respond(request, 200, address)
            leg.end()
        else:
            self.respond(request, 200, address)
            if request.method == "NOTIFY":
                leg.referral_news(request.body)

    def respond(
        self, request: SipMessage, status: int, address, *, tag: str = "", headers=(), body=""
    ):
        reply = SipMessage(f"SIP/2.0 {status} {REASONS[status]}", body=body)
        for name in ("via", "record-route", "from", "to", "call-id", "cseq"):
            for value in request.values(name):
                if name == "to" and tag and not parameter(value, "tag"):
                    value += f";tag={tag}"
                reply.headers.append((name, value))
        reply.headers += headers
        if "contact" not in dict(headers):
            reply.headers.append(("contact", self.contact))
        if body:
            reply.headers += [("content-type", "application/sdp"), ("allow", ALLOWED)]
        self._responses[(request.branch, request.method)] = reply.encode()
        self.send(reply, address)


class Leg:
    """One call as one phone sees it."""

    def __init__(self, phone: SipPhone, call_id: str):
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


def _acknowledgement(invite: SipMessage, refusal: SipMessage) -> SipMessage:
    """The ACK of a refused INVITE belongs to the same transaction: same branch, their To."""
    kept = ("via", "max-forwards", "from", "call-id")
    headers = [(name, value) for name, value in invite.headers if name in kept]
    headers += [("to", refusal.value("to")), ("cseq", f"{invite.sequence} ACK")]
    return SipMessage(f"ACK {invite.start.split()[1]} SIP/2.0", headers)
