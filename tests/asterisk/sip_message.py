"""SIP messages as text: reading, writing, and the answer to a digest challenge (RFC 3261, 2617)."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field

# One-letter header names that a peer may use instead of the long ones.
COMPACT = {
    "v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact",
    "c": "content-type", "l": "content-length", "r": "refer-to", "b": "referred-by",
}

ALLOWED = "INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, NOTIFY"


@dataclass
class SipMessage:
    """A request or a response; headers keep their order because Via and Route depend on it."""

    start: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""

    @classmethod
    def parse(cls, datagram: bytes) -> "SipMessage":
        head, _, body = datagram.decode("utf-8", "replace").partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        headers = []
        for line in lines:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            headers.append((COMPACT.get(name, name), value.strip()))
        return cls(start, headers, body)

    def encode(self) -> bytes:
        body = self.body.encode()
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers)]
        lines.append(f"content-length: {len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    def values(self, name: str) -> list[str]:
        return [value for known, value in self.headers if known == name]

    def value(self, name: str) -> str:
        return next(iter(self.values(name)), "")

    @property
    def is_response(self) -> bool:
        return self.start.startswith("SIP/2.0 ")

    @property
    def status(self) -> int:
        return int(self.start.split(" ", 2)[1])

    @property
    def method(self) -> str:
        """The method, also that of the request which a response answers."""
        return self.value("cseq").split()[-1] if self.is_response else self.start.split()[0]

    @property
    def sequence(self) -> int:
        return int(self.value("cseq").split()[0])

    @property
    def branch(self) -> str:
        return parameter(self.value("via"), "branch")

    @property
    def media_address(self) -> tuple[str, int] | None:
        """Where the sender of this SDP wants its audio."""
        host = re.search(r"^c=IN IP4 (\S+)", self.body, re.MULTILINE)
        port = re.search(r"^m=audio (\d+)", self.body, re.MULTILINE)
        return (host.group(1), int(port.group(1))) if host and port else None


def parameter(value: str, name: str) -> str:
    found = re.search(rf";\s*{name}=([^;>\s,]+)", value)
    return found.group(1) if found else ""


def address_uri(value: str) -> str:
    """The URI of a From, To or Contact value, with or without angle brackets."""
    found = re.search(r"<([^>]+)>", value)
    return found.group(1) if found else value.split(";")[0].strip()


def sdp_offer(ip: str, port: int, version: int, direction: str) -> str:
    lines = [
        "v=0", f"o=phone 1 {version} IN IP4 {ip}", "s=call", f"c=IN IP4 {ip}", "t=0 0",
        f"m=audio {port} RTP/AVP 0 101", "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16", f"a={direction}",
    ]
    return "\r\n".join(lines) + "\r\n"


def acknowledgement(invite: SipMessage, refusal: SipMessage) -> SipMessage:
    """The ACK of a refused INVITE belongs to the same transaction: same branch, their To."""
    kept = ("via", "max-forwards", "from", "call-id")
    headers = [(name, value) for name, value in invite.headers if name in kept]
    headers += [("to", refusal.value("to")), ("cseq", f"{invite.sequence} ACK")]
    return SipMessage(f"ACK {invite.start.split()[1]} SIP/2.0", headers)


def credentials(
    refusal: SipMessage, method: str, uri: str, user: str, password: str
) -> tuple[str, str]:
    """The header that answers the challenge of a 401 or a 407."""
    is_proxy = refusal.status == 407
    challenge = refusal.value("proxy-authenticate" if is_proxy else "www-authenticate")
    asked = {
        key.lower(): quoted or bare
        for key, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', challenge)
    }
    who = _md5(f"{user}:{asked['realm']}:{password}")
    what = _md5(f"{method}:{uri}")
    fields = {"username": user, "realm": asked["realm"], "nonce": asked["nonce"], "uri": uri}
    if "opaque" in asked:
        fields["opaque"] = asked["opaque"]
    text = ", ".join(f'{key}="{value}"' for key, value in fields.items())
    if "auth" in asked.get("qop", ""):
        ours, count = secrets.token_hex(8), "00000001"
        proof = _md5(f"{who}:{asked['nonce']}:{count}:{ours}:auth:{what}")
        text += f', qop=auth, nc={count}, cnonce="{ours}"'
    else:
        proof = _md5(f"{who}:{asked['nonce']}:{what}")
    name = "proxy-authorization" if is_proxy else "authorization"
    return name, f'Digest {text}, response="{proof}", algorithm=MD5'


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
