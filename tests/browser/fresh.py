"""A daemon as it is after its installation, with no company at all; the simulators around it; and what stands
for the outside: the page of amoCRM where access is permitted, and the way back to the box."""

import json
import secrets
import signal
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORTAL = "https://demo.amocrm.ru"
CLIENT_ID = "6a1d0c5e-0000-4000-8000-000000000002"
CLIENT_SECRET = "lab-secret-of-the-way-back"
USER = 501
READY_SECONDS_MAX = 120

DAEMON = """tenants_dir = "tenants.d"
public_url = "https://box.example"

[store]
path = "../trunkline.redb"
key_file = "../secrets/store-key"

[admin]
listen = "127.0.0.1:{admin}"
socket = "../admin.sock"
token_file = "../secrets/admin-token"

[intake]
listen = "127.0.0.1:{intake}"

[questions]
listen = "127.0.0.1:{questions}"

[fastagi]
listen = "127.0.0.1:{fastagi}"

[recordings]
folder = "../recordings"

[base_urls]
"{portal}" = "{crm}"
"""

class Fresh:
    """The daemon."""

    def __init__(self, programs: Path, folder: Path, ports: list[int], crm: str):
        self.folder, self.crm = folder, crm
        self.admin, self.intake, questions, fastagi = ports
        self.base = f"http://127.0.0.1:{self.admin}"
        for part in ("etc/tenants.d", "secrets"):
            (folder / part).mkdir(parents=True)
        for name in ("admin-token", "store-key"):
            path = folder / "secrets" / name
            path.write_text(secrets.token_hex(24))
            path.chmod(0o600)
        (folder / "etc" / "trunkline.toml").write_text(DAEMON.format(
            admin=self.admin, intake=self.intake, questions=questions, fastagi=fastagi, portal=PORTAL, crm=crm))
        self.log = folder / "daemon.log"
        command = [str(programs / "trunkline"), "--config", str(folder / "etc" / "trunkline.toml"), "run"]
        self.process = subprocess.Popen(command, stdout=self.log.open("w"), stderr=subprocess.STDOUT)

    def wait(self):
        end = time.monotonic() + READY_SECONDS_MAX
        while True:
            try:
                urllib.request.urlopen(f"{self.base}/readyz", timeout=5).read()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise AssertionError("the daemon did not start:\n" + self.log.read_text()[-2000:])
                time.sleep(0.2)

    def secret(self, name: str) -> str:
        return (self.folder / "secrets" / name).read_text().strip()

    def file(self) -> Path:
        return self.folder / "etc" / "tenants.d" / "magazin.toml"

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Lab:
    """`trunkline-lab serve`: an amoCRM account and an Asterisk among others."""

    NAMES = ("control", "crm", "dead-crm", "ami", "vats", "bitrix24", "uis", "alfacrm", "planfix")
    AMI_SECRET = "lab-ami-secret"

    def __init__(self, programs: Path, folder: Path, ports: list[int]):
        self.ports = dict(zip(self.NAMES, ports))
        self.crm = f"http://127.0.0.1:{self.ports['crm']}"
        self.log = folder / "lab.log"
        command = [str(programs / "trunkline-lab"), "serve"]
        for name, port in self.ports.items():
            command += [f"--{name}-port", str(port)]
        self.process = subprocess.Popen(command, stdout=self.log.open("w"), stderr=subprocess.STDOUT)

    def wait(self):
        end = time.monotonic() + READY_SECONDS_MAX
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.ports['control']}/ami", timeout=5).read()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise AssertionError("the simulators did not start:\n" + self.log.read_text()[-2000:])
                time.sleep(0.2)

    def play(self, client: str, capture: str = "inbound_answered", speed: float = 20.0):
        """Has the simulated Asterisk play a call of this client."""
        body = json.dumps({"capture": capture, "client": client.lstrip("+"), "speed": speed}).encode()
        asked = urllib.request.Request(f"http://127.0.0.1:{self.ports['control']}/ami/play", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(asked, timeout=60).read()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Outside:
    """www.amocrm.ru and box.example, by TLS, on one port of this machine."""

    def __init__(self, folder: Path, crm: str, intake: int):
        key, certificate = folder / "outside.key", folder / "outside.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=box.example",
                        "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(crm, intake))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def arguments(self) -> tuple[str, ...]:
        here = f"127.0.0.1:{self.server.server_address[1]}"
        return (f"--host-resolver-rules=MAP www.amocrm.ru {here},MAP box.example {here}", "--ignore-certificate-errors")

    def stop(self):
        self.server.shutdown()


def _handler(crm: str, intake: int):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            address = urllib.parse.urlsplit(self.path)
            if self.headers["Host"].startswith("box.example"):
                return self.pass_on()
            if address.path == "/oauth":
                link = f"https://www.amocrm.ru{self.path}"
                return self.page(f"<h1>amoCRM</h1><a id=permit href='/permit?{urllib.parse.urlencode({'link': link})}'>Разрешить</a>")
            if address.path == "/permit":
                link = urllib.parse.parse_qs(address.query)["link"][0]
                body = json.dumps({"link": link, "user_id": USER}).encode()
                asked = urllib.request.Request(f"{crm}/_lab/consent", body, {"Content-Type": "application/json"})
                sent = json.loads(urllib.request.urlopen(asked, timeout=60).read())
                self.send_response(302)
                self.send_header("Location", sent["redirect"])
                self.end_headers()
                return None
            self.send_error(404)
            return None

        def pass_on(self):
            asked = urllib.request.Request(f"http://127.0.0.1:{intake}{self.path}")
            try:
                answer = urllib.request.urlopen(asked, timeout=60)
            except urllib.error.HTTPError as error:
                answer = error
            self.send_response(answer.status)
            for name in ("Content-Type", "Content-Security-Policy"):
                if answer.headers[name]:
                    self.send_header(name, answer.headers[name])
            self.end_headers()
            self.wfile.write(answer.read())

        def page(self, body: str):
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(f"<!DOCTYPE html><html lang=ru><title>amoCRM</title><body>{body}</body></html>".encode())

        def log_message(self, *_):
            pass

    return Handler
