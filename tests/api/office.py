"""A small company to ask questions about: the simulators, a daemon with two companies, and a few
communications, of which one came to a dead letter. The company `spare` is there to be changed and
removed; of `demo` the daemon is only asked."""

import json
import re
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path

READY_SECONDS_MAX = 120
CLIENT = "+79035550001"
REFUSED_CLIENT = "+79035550002"
APPLICATION = "local.65f0c0ffee0001.12345678"

PORTS = ("admin", "intake", "questions", "fastagi", "control", "crm", "dead-crm", "ami", "vats", "bitrix24", "uis")

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
# Everything of this trial comes from one address.
stranger_requests_per_minute_max = 1000000

[questions]
listen = "127.0.0.1:{questions}"

[fastagi]
listen = "127.0.0.1:{fastagi}"

[recordings]
folder = "../recordings"

[base_urls]
"https://demo.amocrm.ru" = "http://127.0.0.1:{crm}"
"https://service.amocrm.ru" = "http://127.0.0.1:{dead_crm}"
"https://demo.bitrix24.ru" = "http://127.0.0.1:{bitrix24}"
"https://oauth.bitrix24.tech" = "http://127.0.0.1:{bitrix24}/@oauth.bitrix24.tech"
"https://going.amocrm.ru" = "http://127.0.0.1:{dead_crm}"
"""

# Accounts that are added in the course of the trial: nobody outside is to be asked.
ADDED = "".join(f'"https://new-{number}.amocrm.ru" = "http://127.0.0.1:{{dead_crm}}"\n' for number in range(200))

DEMO = """[tenant]
id = "demo"
name = "Демо"
region = "RU"
time_zone = "Europe/Moscow"

[[employees]]
id = "anna"
name = "Анна"
extensions = [
  {{ source = "office", extension = "101" }},
  {{ source = "site", extension = "101" }},
  {{ source = "cloud", extension = "orlova" }},
]
users = [{{ account = "main", user = "502" }}, {{ account = "portal", user = "12" }}]

[[sources]]
id = "office"
kind = "asterisk"
name = "Офис"

[sources.settings]
host = "127.0.0.1"
port = {ami}
username = "trunkline"

[sources.settings.originate]
context = "from-internal"

[sources.secrets]
secret = {{ file = "../../secrets/ami" }}

[[sources]]
id = "site"
kind = "webhook"
name = "Сайт"

[sources.secrets]
hook = {{ file = "../../secrets/site-hook" }}

[[sources]]
id = "cloud"
kind = "itoolabs"
name = "Филиал"

[sources.settings]
address = "http://127.0.0.1:{vats}"
originate = {{}}

[sources.secrets]
hook = {{ file = "../../secrets/vats-hook" }}
crm_token = {{ file = "../../secrets/vats-token" }}
api_key = {{ file = "../../secrets/vats-key" }}

[[accounts]]
id = "main"
crm = "amocrm"
name = "Отдел продаж"

[accounts.settings]
url = "https://demo.amocrm.ru"

[accounts.secrets]
token = {{ file = "../../secrets/main-token" }}
hook = {{ file = "../../secrets/main-hook" }}

[[accounts]]
id = "portal"
crm = "bitrix24"
name = "Портал"

[accounts.settings]
url = "https://demo.bitrix24.ru"
client_id = "{application}"
redirect_uri = "https://box.example/oauth/bitrix24"

[accounts.secrets]
client_secret = {{ file = "../../secrets/portal-client" }}
hook = {{ file = "../../secrets/portal-hook" }}

[[integrations]]
id = "sales"
name = "Продажи"
account = "main"
activity = "on"
takes = [
  {{ source = "office", kinds = ["call"] }},
  {{ source = "site", kinds = ["call", "request", "chat"] }},
]

[integrations.settings.calls]
default_responsible = "501"

[integrations.settings.calls.incoming]
answered_unknown = {{ action = {{ kind = "contact_and_deal", pipeline = "3100", stage = "3102" }} }}

[integrations.settings.requests]
default_responsible = "501"
method = {{ kind = "contact_and_deal", pipeline = "3100", stage = "3102" }}

[integrations.settings.deals]
pipelines = ["3100"]

[integrations.settings.popup]

[[integrations]]
id = "portal"
name = "Портал"
account = "portal"
activity = "on"
takes = [{{ source = "office", kinds = ["call"] }}]

[integrations.settings.calls]
default_responsible = "1"
"""

SPARE = """[tenant]
id = "spare"
name = "Запасная"
region = "RU"
time_zone = "Europe/Moscow"

[[employees]]
id = "vera"
name = "Вера"
users = [{ account = "spare", user = "504" }]

[[sources]]
id = "site"
kind = "webhook"
name = "Сайт"

[sources.secrets]
hook = { file = "../../secrets/spare-hook" }

[[accounts]]
id = "spare"
crm = "amocrm"
name = "Сервис"

[accounts.settings]
url = "https://service.amocrm.ru"

[accounts.secrets]
token = { file = "../../secrets/spare-token" }

[[integrations]]
id = "spare"
name = "Запасная"
account = "spare"
takes = [{ source = "site", kinds = ["call"] }]

[integrations.settings.calls]
default_responsible = "501"
"""


def free_ports() -> dict[str, int]:
    held = [socket.socket() for _ in PORTS]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return dict(zip(PORTS, ports))


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, text: str):
        super().__init__(text)
        self.status = status


def ask(url: str, body=None, method: str | None = None, token: str | None = None, headers: dict | None = None):
    """Asks for JSON; returns what is told and the headers."""
    headers = {"Content-Type": "application/json", **(headers or {})}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
            return (json.loads(text) if text else None), answer.headers
    except urllib.error.HTTPError as error:
        raise Refused(error.code, f"{request.get_method()} {url}: {error.code}: {error.read().decode(errors='replace')[:500]}")


def until(what: str, look, seconds: float = READY_SECONDS_MAX):
    """Waits for something that comes by itself; returns what was seen."""
    end, seen = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            seen = look()
            if seen:
                return seen
        except OSError as error:
            seen = error
        time.sleep(0.05)
    raise AssertionError(f"not seen in time: {what}; last: {seen}")


class Office:
    """The simulators and the daemon."""

    def __init__(self, programs: Path, folder: Path, ports: dict[str, int] | None = None):
        self.programs, self.folder = programs, folder
        self.ports = ports or free_ports()
        self.running: list[subprocess.Popen] = []
        self.base = f"http://127.0.0.1:{self.ports['admin']}"
        self.intake = f"http://127.0.0.1:{self.ports['intake']}"
        self.questions = f"http://127.0.0.1:{self.ports['questions']}"
        self.crm = f"http://127.0.0.1:{self.ports['crm']}"
        self.portal = f"http://127.0.0.1:{self.ports['bitrix24']}"

    def start(self):
        self.start_simulators()
        self.write_files()
        config = self.folder / "etc" / "trunkline.toml"
        self.run("daemon", ["trunkline", "--config", str(config), "run"])
        until("the daemon is ready", lambda: urllib.request.urlopen(f"{self.base}/readyz", timeout=5).read())
        self.have_a_day()

    def run(self, name: str, command: list[str]):
        log = (self.folder / f"{name}.log").open("w")
        command = [str(self.programs / command[0]), *command[1:]]
        self.running.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))

    def start_simulators(self):
        flags = [f"--{name}-port={port}" for name, port in self.ports.items() if name != "fastagi"]
        self.run("lab", ["trunkline-lab", "serve", *flags])
        said = self.folder / "lab.log"
        until("the simulators are ready", lambda: "control  http" in said.read_text())
        self.tokens = re.findall(r"^amoCRM .* token (\S+)$", said.read_text(), re.MULTILINE)
        self.vats_key = re.findall(r"^VATS .* key (\S+)$", said.read_text(), re.MULTILINE)[0]

    def write_files(self):
        for part in ("etc/tenants.d", "secrets"):
            (self.folder / part).mkdir(parents=True)
        known = {
            "ami": "lab-ami-secret", "main-token": self.tokens[0], "spare-token": self.tokens[1],
            "portal-client": "lab-bitrix24-secret", "vats-key": self.vats_key,
        }
        made = ("admin-token", "store-key", "site-hook", "spare-hook", "main-hook", "portal-hook", "vats-hook", "vats-token")
        for name, secret in {**{name: secrets.token_hex(24) for name in made}, **known}.items():
            path = self.folder / "secrets" / name
            path.write_text(secret)
            path.chmod(0o600)
        ports = {name.replace("-", "_"): port for name, port in self.ports.items()}
        etc = self.folder / "etc"
        (etc / "trunkline.toml").write_text((DAEMON + ADDED).format(**ports))
        (etc / "tenants.d" / "demo.toml").write_text(DEMO.format(application=APPLICATION, **ports))
        (etc / "tenants.d" / "spare.toml").write_text(SPARE)

    def secret(self, name: str) -> str:
        return (self.folder / "secrets" / name).read_text().strip()

    def admin(self, path: str, body=None, method: str | None = None, headers: dict | None = None):
        return ask(f"{self.base}{path}", body, method, self.secret("admin-token"), headers)

    def post(self, item: dict):
        ask(f"{self.intake}/v1/events/demo/site/{self.secret('site-hook')}", item)

    def call(self, key: str, client: str) -> dict:
        now = datetime.now(timezone.utc)
        before = lambda seconds: (now - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "kind": "call", "key": key, "revision": 1, "direction": "incoming", "phase": "ended", "client": client,
            "our_number": "+74950000001", "started_at": before(30), "answered_at": before(20), "ended_at": before(0),
            "rung": [{"extension": "101"}], "talkers": ["101"]}

    def have_a_day(self):
        """One call becomes a deal, which comes back; another is refused by the CRM for good."""
        self.post(self.call("call-1", CLIENT))
        self.admin("/v1/tenants/demo/accounts/portal/authorisation", {"code": self.code()})
        until("the call is done", lambda: self.journal("call-1", "done"))
        ask(f"{self.crm}/_lab/faults", {"rules": [{
            "method": "POST", "path": "/api/v4/leads*", "when": {"kind": "always"},
            "faults": [{"kind": "error_before", "status": 400}]}]})
        self.post(self.call("call-2", REFUSED_CLIENT))
        until("a step is dead", lambda: self.admin("/v1/dead-letters")[0]["items"])
        ask(f"{self.crm}/_lab/faults", method="DELETE")
        self.admin("/v1/tenants/demo/integrations/sales/deals/sync", method="POST")
        until("a deal came back", self.deals)

    def journal(self, key: str, outcome: str):
        found = self.admin("/v1/journal?tenant=demo")[0]["items"]
        return [one for one in found if one["key"].endswith(f"/{key}") and one["outcome"] == outcome]

    def deals(self) -> list[str]:
        found = self.admin("/v1/tenants/demo/integrations/sales/deals")[0]["items"]
        return [one["deal"]["id"] for one in found]

    def code(self) -> str:
        """Returns a code that the portal lets us in with, once."""
        return ask(f"{self.portal}/_lab/code", {"client_id": APPLICATION, "user": 1})[0]["code"]

    def installation(self) -> str:
        """Has the portal install the application, where none waits; returns the one that waits."""
        waiting = self.admin("/v1/installations")[0]["items"]
        if not waiting:
            # Of an account that is let in already it would only bring new tokens.
            self.admin("/v1/tenants/demo/accounts/portal/authorisation", method="DELETE")
            form = ask(f"{self.portal}/_lab/applications/{APPLICATION}", b"", "POST")[0]["form"]
            ask(f"{self.intake}/crm/bitrix24/install", form.encode(), headers={
                "Content-Type": "application/x-www-form-urlencoded"})
            waiting = until("an installation waits", lambda: self.admin("/v1/installations")[0]["items"], 10)
        return waiting[0]["id"]

    def stop(self):
        for process in reversed(self.running):
            process.send_signal(signal.SIGINT)
        for process in self.running:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
