"""Audio of one call leg: a steady tone out, a count of what comes in."""

import asyncio
import math
import secrets
import struct

SAMPLES_PER_PACKET = 160  # 20 ms at 8 kHz, what every phone sends.


def _mu_law(sample: int) -> int:
    """One 16-bit sample in ITU-T G.711 mu-law."""
    sign, magnitude = (0x80, -sample) if sample < 0 else (0, sample)
    magnitude = min(magnitude, 32635) + 132
    exponent = max(magnitude.bit_length() - 8, 0)
    return ~(sign | exponent << 4 | magnitude >> (exponent + 3) & 0x0F) & 0xFF


# 400 Hz repeats every 20 samples, so that every packet carries the same bytes.
PACKET_AUDIO = bytes(
    _mu_law(round(6000 * math.sin(2 * math.pi * 400 * n / 8000))) for n in range(SAMPLES_PER_PACKET)
)


class Tone(asyncio.DatagramProtocol):
    """Sends to one address until closed; the address may change in mid-call."""

    def __init__(self):
        self.received = 0
        self._target: tuple[str, int] | None = None
        self._sending: asyncio.Task | None = None

    @classmethod
    async def open(cls, ip: str) -> "Tone":
        tone = cls()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: tone, local_addr=(ip, 0))
        tone._transport = transport
        tone.port = transport.get_extra_info("sockname")[1]
        return tone

    def send_to(self, address: tuple[str, int] | None):
        self._target = address
        if self._sending is None and address is not None:
            self._sending = asyncio.create_task(self._send())

    async def _send(self):
        source = secrets.randbits(32)
        sequence = stamp = 0
        while True:
            header = struct.pack("!BBHII", 0x80, 0, sequence & 0xFFFF, stamp & 0xFFFFFFFF, source)
            self._transport.sendto(header + PACKET_AUDIO, self._target)
            sequence += 1
            stamp += SAMPLES_PER_PACKET
            await asyncio.sleep(0.02)

    def datagram_received(self, data, address):
        self.received += 1

    def close(self):
        if self._sending is not None:
            self._sending.cancel()
        self._transport.close()
