"""A SIP phone for loopback: it registers, calls, is called, holds and transfers.

Its manner (`phone.manner = answers()`) decides what becomes of calls that reach it. What it does
not do: more than one codec, TCP, retransmission of its own answers (loopback loses nothing).
"""

import asyncio
import secrets
import time

from manners import Manner, only_rings
from sip_leg import PATIENCE_S, CallFailed, Leg
from sip_message import ALLOWED, SipMessage, acknowledgement, credentials, parameter
from tone import Tone

REASONS = {
    100: "Trying", 180: "Ringing", 200: "OK", 302: "Moved Temporarily", 481: "No Such Call",
    486: "Busy Here", 487: "Request Terminated", 603: "Decline",
}
# A request is repeated after these silences; an INVITE that got any answer is not.
REPEAT_AFTER_S = (0.5, 1, 2, 4)
# After a provisional answer the rest is up to the people; no scenario rings for longer.
RING_SECONDS_MAX = 120


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

    async def call(self, number: str, caller: str | None = None) -> Leg:
        """Starts a call and returns at once; `caller` is the number that is shown."""
        leg = Leg(self, secrets.token_hex(10))
        leg.local = f"<sip:{caller or self.user}@{self.ip}>;tag={leg.tag}"
        leg.remote = f"<{self.server_uri(number)}>"
        leg.target = self.server_uri(number)
        self.legs[leg.call_id] = leg
        leg.media = await Tone.open(self.ip)
        self.run(leg.invite())
        return leg

    async def next_call(self, within: float = PATIENCE_S) -> Leg:
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
        self, request: SipMessage, leg: Leg | None = None
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

    async def _ask(self, request: SipMessage, leg: Leg | None) -> SipMessage:
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
                silence = RING_SECONDS_MAX
        finally:
            del self._pending[transaction]
        if request.method == "INVITE" and reply.status >= 300:
            self.send(acknowledgement(request, reply))
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
