"""Plays a recording as the CRM's page would: from the address in the call's entry, by ranges."""

import asyncio
import time
import urllib.error
import urllib.request
from pathlib import Path

import http_json
from sip_leg import CallFailed

# The file must be still for two seconds; the first tries come every few seconds.
LINK_SECONDS_MAX = 30
DEADLINE_S = 10
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


async def plays_back(control: str, client: str, tape: Path):
    """Waits for the address in the entry of a client's only call, and listens to the whole file."""
    link = await _link(control, client)
    sound = tape.read_bytes()
    if not sound.startswith(b"RIFF") or len(sound) < 8000:
        raise CallFailed(f"{tape.name} is no recording of a second: {len(sound)} bytes")
    half = len(sound) // 2
    for wanted, expected in {
        "bytes=0-": sound,
        f"bytes=0-{half - 1}": sound[:half],
        f"bytes={half}-": sound[half:],
        "bytes=-1000": sound[-1000:],
    }.items():
        status, kind, body = await asyncio.to_thread(_play, link, wanted)
        if (status, kind) != (206, "audio/wav") or body != expected:
            raise CallFailed(f"{wanted}: {status} {kind}, {len(body)} bytes of {len(expected)}")


async def _link(control: str, client: str) -> str:
    deadline = time.monotonic() + LINK_SECONDS_MAX
    while True:
        calls = (await http_json.get(f"{control}/oracle"))["calls"]
        links = [call["link"] for call in calls if client.endswith(call["phone"])]
        if len(links) == 1 and links[0]:
            return links[0]
        if time.monotonic() > deadline:
            raise CallFailed(f"no entry has the recording's address: {links}")
        await asyncio.sleep(0.2)


def _play(link: str, wanted: str) -> tuple[int, str, bytes]:
    request = urllib.request.Request(link, headers={"Range": wanted})
    try:
        with _OPENER.open(request, timeout=DEADLINE_S) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers["Content-Type"], refusal.read()
