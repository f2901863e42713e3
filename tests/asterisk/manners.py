"""What a phone does with a call that reaches it."""

import asyncio
from collections.abc import Awaitable, Callable

from sip_leg import Leg

Manner = Callable[[Leg], Awaitable[None]]


def answers(after: float = 0.4) -> Manner:
    async def manner(leg: Leg):
        leg.ring()
        await asyncio.sleep(after)
        await leg.accept()
    return manner


def only_rings() -> Manner:
    async def manner(leg: Leg):
        leg.ring()
    return manner


def refuses(status: int, after: float = 0.0) -> Manner:
    async def manner(leg: Leg):
        if after:
            leg.ring()
            await asyncio.sleep(after)
        leg.refuse(status)
    return manner


def diverts(to: str, after: float = 0.3) -> Manner:
    async def manner(leg: Leg):
        leg.ring()
        await asyncio.sleep(after)
        leg.refuse(302, [("contact", f"<{leg.phone.server_uri(to)}>")])
    return manner
