"""JSON over HTTP to programs on this machine, never through a proxy."""

import asyncio
import json
import urllib.error
import urllib.request

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
DEADLINE_S = 10


class NoAnswer(Exception):
    """Nobody listens there, or not yet, or it refuses."""


async def post(url: str, body, token: str | None = None):
    return await asyncio.to_thread(_get, url, token, json.dumps(body).encode())


async def patch(url: str, body):
    return await asyncio.to_thread(_get, url, None, json.dumps(body).encode(), "PATCH")


async def get(url: str, token: str | None = None):
    return await asyncio.to_thread(_get, url, token)


def _get(url: str, token: str | None, body: bytes | None = None, method: str | None = None):
    request = urllib.request.Request(url, data=body, method=method)
    if body is not None:
        request.add_header("Content-Type", "application/json")
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with _OPENER.open(request, timeout=DEADLINE_S) as answer:
            body = answer.read()
    except urllib.error.HTTPError as refusal:
        raise NoAnswer(f"{url}: {refusal.code} {refusal.read(300)!r}") from refusal
    except OSError as error:
        raise NoAnswer(f"{url}: {error}") from error
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")
