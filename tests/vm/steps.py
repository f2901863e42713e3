"""What is done to the box in a container, in order; each expects that the ones before it went well.

What only a kernel of its own shows stands in `limits.py`.
"""

import json
import threading
from pathlib import Path

from office import AMI_SECRET, CRM, INTAKE, SITE_HOOK, Office
from packages import OLDER
from trial import Steps, expect

HERE = Path(__file__).parent
KEY = "sha256sum /etc/trunkline/store.key /etc/trunkline/admin.token"
STEPS = Steps()
step = STEPS.step


@step(needed=True)
def install(office: Office) -> None:
    """the README's and the page's commands install it from the repository, and it runs"""
    readme = office.found(office.readme, "Install it", "apt-get install")
    page = office.block("On the box", "apt-get install")
    expect(readme == page, f"README and page differ:\n{readme}\n{page}")
    office.do("On the box", "apt-get install")
    version = office.guest.sh("dpkg-query -W -f '${Version}' trunkline")
    expect(version == OLDER, f"installed {version}, not {OLDER}")
    office.comes_up()
    said = office.do("On the box", "trunkline status")
    print("".join(f"   | {line}\n" for line in said.splitlines()[:6]), end="")


@step()
def rights(office: Office) -> None:
    """secrets are made with the right modes, and the daemon cannot read their files"""
    modes = office.guest.sh(
        "stat -c '%a %U:%G %n' /etc/trunkline/trunkline.toml /etc/trunkline/tenants.d "
        "/etc/trunkline/secrets /etc/trunkline/store.key /etc/trunkline/admin.token "
        "/var/lib/trunkline /run/trunkline/admin.sock").splitlines()
    expected = [
        "644 root:root /etc/trunkline/trunkline.toml",
        "750 root:trunkline /etc/trunkline/tenants.d",
        "750 root:trunkline /etc/trunkline/secrets",
        "600 root:root /etc/trunkline/store.key",
        "600 root:root /etc/trunkline/admin.token",
        "750 trunkline:trunkline /var/lib/trunkline",
        "660 trunkline:trunkline /run/trunkline/admin.sock",
    ]
    expect(modes == expected, "\n".join(modes))
    for file in ("store.key", "admin.token"):
        readable = office.guest.status(
            f"setpriv --reuid=trunkline --regid=trunkline --init-groups cat /etc/trunkline/{file}")
        expect(readable != 0, f"the daemon's user can read {file}")
    expect(office.unit("User") == "trunkline", "it runs as somebody else")
    status = office.guest.sh(f"grep -E '^(Uid|NoNewPrivs|Seccomp|CapEff)' /proc/{office.main_pid()}/status")
    for line in ("NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000"):
        expect(line in status, f"not {line!r}: {status}")


@step()
def exposure(office: Office) -> None:
    """systemd finds the unit well protected, and knows its limits"""
    said = office.guest.sh(
        "systemd-analyze --no-pager security --offline=true --threshold=15 "
        "/lib/systemd/system/trunkline.service")
    print(f"   | {said.strip().splitlines()[-1]}")
    expect(int(office.unit("TasksMax")) == 256, f"TasksMax={office.unit('TasksMax')}")
    tasks = office.guest.sh(f"grep Threads /proc/{office.main_pid()}/status").split()[1]
    expect(int(tasks) < 64, f"{tasks} threads")


@step(needed=True)
def company(office: Office) -> None:
    """the page's first company is copied, its mistakes are named, its secrets are put in"""
    office.do("The first company", "asterisk-amocrm.toml")
    before = office.guest.status(
        "CREDENTIALS_DIRECTORY=/run/credentials/trunkline.service trunkline check-config")
    expect(before == 2, f"check-config without the secrets: {before}")
    office.do("The first company", "secrets/office-ami", stdin=AMI_SECRET)
    office.do("The first company", "secrets/sales-token", stdin="a-token-of-nobody")
    office.do("The first company", "check-config")
    pid = office.main_pid()
    office.do("The first company", "systemctl reload")
    office.until("the company is in force",
                 lambda: "romashka" in office.guest.sh("trunkline status", check=False))
    expect(office.main_pid() == pid, "a reload took another process")
    office.guest.sh("adduser --quiet --disabled-password --gecos '' anna")
    office.do("What is where", "adduser anna trunkline")
    expect(office.guest.status("runuser -u anna -- trunkline status") == 0, "anna may not ask")


@step(needed=True)
def call(office: Office) -> None:
    """a call of the simulated Asterisk becomes a contact and a deal, by LoadCredential's token"""
    guest = office.guest
    token = office.http(f"{CRM}/_lab")[1]["token"]
    guest.sh("rm /etc/trunkline/tenants.d/asterisk-amocrm.toml")
    guest.sh("cat > /etc/trunkline/tenants.d/acme.toml; chown root:trunkline "
             "/etc/trunkline/tenants.d/acme.toml", stdin=(HERE / "acme.toml").read_text())
    guest.sh("install -m 0640 -g trunkline /dev/stdin /etc/trunkline/secrets/site-hook", stdin=SITE_HOOK)
    # Of root alone: systemd hands it over.
    guest.sh("install -m 0600 /dev/stdin /etc/trunkline/secrets/sales-token", stdin=token)
    guest.sh("mkdir -p /etc/systemd/system/trunkline.service.d /var/spool/asterisk/monitor; "
             "cat > /etc/systemd/system/trunkline.service.d/override.conf; systemctl daemon-reload",
             stdin="[Service]\nLoadCredential=sales-token:/etc/trunkline/secrets/sales-token\n")
    guest.sh("cat >> /etc/trunkline/trunkline.toml", stdin=f'"https://demo.amocrm.ru" = "{CRM}"\n')
    guest.sh("systemctl restart trunkline")
    office.comes_up()
    office.session_is_up()
    office.play("+79035551001")
    office.arrives("+79035551001")
    found = json.loads(guest.sh("trunkline journal --phone +79035551001 --json"))
    expect("+79035551001" in json.dumps(found), f"the journal does not know the call: {found}")


@step()
def doors(office: Office) -> None:
    """FastAGI, the intake, questions and the metrics answer"""
    said = office.guest.sh(
        "exec 3<>/dev/tcp/127.0.0.1/4573; "
        "printf 'agi_network: yes\\nagi_network_script: lookup?tenant=acme&source=office\\n"
        "agi_callerid: 79035551001\\n\\n' >&3; "
        "for turn in 1 2 3 4; do read -r -t 10 line <&3; echo \"$line\"; printf '200 result=1\\n' >&3; done")
    expect("TRUNKLINE_EXTEN" in said, f"FastAGI says {said}")
    expect(office.post("door", "+79035551002") == 202, "the intake does not take a call")
    office.arrives("+79035551002")
    found = office.http("http://127.0.0.1:8462/v1/lookup/acme/office?phone=%2B79035551001")
    expect(found[0] == 200, f"questions: {found}")
    metrics = office.guest.sh(
        "curl -sf -H \"Authorization: Bearer $(cat /etc/trunkline/admin.token)\" "
        "http://127.0.0.1:8460/metrics")
    expect("trunkline_up" in metrics, "no metrics")


@step()
def recording(office: Office) -> None:
    """ffmpeg converts a recording inside the unit's walls"""
    guest = office.guest
    guest.sh("cd /var/spool/asterisk/monitor; ffmpeg -nostdin -v error -f lavfi -i "
             "sine=frequency=440:duration=3:sample_rate=8000 -ac 1 vm-1.ogg; chmod 644 vm-1.ogg")
    status = office.post("recorded", "+79035551003", recordings=["vm-1.ogg"],
                         phase="recording_ready", revision=2)
    expect(status == 202, f"the intake answers {status}")
    office.until("an MP3 was made",
                 lambda: guest.status("find /var/lib/trunkline/recordings -type f | grep -q .mp3") == 0)


@step()
def doctor(office: Office) -> None:
    """the page's doctor finds nothing wrong with the box, and names the cure of what is made wrong"""
    said = office.do("What is wrong?", "trunkline doctor", page=office.operations)
    print("".join(f"   | {line}\n" for line in said.splitlines()
                  if "LOOK" in line or "failed" in line), end="")
    secret = "/etc/trunkline/secrets/office-ami"
    office.guest.sh(f"chmod 0644 {secret}")
    expect(office.guest.status("trunkline doctor") == 1, "the doctor finds nothing wrong")
    said = office.guest.sh("trunkline doctor", check=False)
    expect("secrets/office-ami" in said and "chmod 0640" in said, said)
    office.guest.sh(f"chmod 0640 {secret}; trunkline doctor")


@step()
def bundle(office: Office) -> None:
    """the page's bundle for those who help holds no secret and no client's number"""
    guest = office.guest
    office.do("Getting help", "trunkline support-bundle", page=office.operations)
    # The block writes it into the folder of who runs it.
    file = "~/trunkline-support.tar.gz"
    expect(guest.sh(f"stat -c %a {file}").strip() == "600", "others can read it")
    held = guest.sh(f"tar -xzOf {file}")
    expect("trunkline" in held and "doctor" in guest.sh(f"tar -tzf {file}"), "nothing is in it")
    token = guest.sh("cat /etc/trunkline/secrets/sales-token").strip()
    key = guest.sh("cat /etc/trunkline/store.key").strip()
    admin = guest.sh("cat /etc/trunkline/admin.token").strip()
    for secret in (token, key, admin, AMI_SECRET, SITE_HOOK, "9035551001", "Anna"):
        expect(secret not in held, f"it holds {secret}")


@step()
def backup(office: Office) -> None:
    """the page's backup is made while it works, and put back in the place of the store"""
    guest = office.guest
    guest.sh("mkdir -p /var/backups")
    office.do("Backups", "trunkline backup", page=office.operations)
    guest.sh("systemctl stop trunkline; cd /var/backups; "
             "trunkline restore trunkline-*.tar.gz --replace --yes; systemctl start trunkline")
    office.comes_up()
    expect("+79035551001" in guest.sh("trunkline journal --phone +79035551001"), "the journal is gone")
    office.session_is_up()
    office.play("+79035551010")
    office.arrives("+79035551010")
    office.exact("+79035551001")
    # What was put aside is the administrator's to remove.
    guest.sh("find /var/lib/trunkline /var/backups -name 'trunkline*' -newer /etc/trunkline/store.key "
             "! -name trunkline.redb -type f -delete")


@step()
def manual(office: Office) -> None:
    """each command has its page of the manual, and the shell completes it"""
    guest = office.guest
    names = guest.sh("trunkline --help | sed -n '/^Commands:/,/^$/s/^  \\([a-z-]*\\) .*/\\1/p'").split()
    expect("doctor" in names, f"the commands: {names}")
    for page in ("trunkline", *(f"trunkline-{name}" for name in names if name != "help")):
        head = guest.sh(f"zcat /usr/share/man/man1/{page}.1.gz")
        expect(f".TH {page}" in head, f"{page}: {head[:200]}")
    completed = guest.sh("source /usr/share/bash-completion/completions/trunkline; "
                         "COMP_WORDS=(trunkline doc) COMP_CWORD=1; _trunkline trunkline doc trunkline; "
                         "echo \"${COMPREPLY[@]}\"")
    expect(completed.split() == ["doctor"], f"doc<Tab> gives {completed}")


@step()
def reload(office: Office) -> None:
    """a reload with a mistake changes nothing, one without is applied by the same process"""
    pid = office.main_pid()
    file = "/etc/trunkline/tenants.d/acme.toml"
    office.guest.sh(f"cp {file} /var/tmp/acme.toml; echo 'nonsense = 1' >> {file}; "
                    "systemctl reload trunkline")
    office.until("the journal names the mistake", lambda: office.guest.status(
        "journalctl -u trunkline -o cat | grep -q 'reload refused'") == 0)
    office.play("+79035551004")
    office.arrives("+79035551004")
    office.guest.sh(f"cat /var/tmp/acme.toml > {file}; systemctl reload trunkline")
    office.until("the next is applied", lambda: office.guest.status(
        "journalctl -u trunkline -o cat | grep 'reload' | tail -n 1 | grep -q reloaded") == 0)
    expect(office.main_pid() == pid, "a reload took another process")


@step()
def killed(office: Office) -> None:
    """kill -9: systemd brings it back, and what was accepted is made once"""
    pid = office.main_pid()
    clients = [f"+7903556{number:04}" for number in range(49)]
    expect(office.post_all("killed", clients) == 202, "the calls were not taken")
    office.guest.sh(f"kill -KILL {pid}")
    office.comes_up(but_not=pid)
    for client in clients:
        office.arrives(client)
    office.session_is_up()


@step()
def hung(office: Office) -> None:
    """SIGSTOP: the watchdog ends it and starts another"""
    pid = office.main_pid()
    restarts = int(office.unit("NRestarts"))
    office.guest.sh(f"kill -STOP {pid}")
    office.comes_up(but_not=pid, seconds=150)
    expect(int(office.unit("NRestarts")) > restarts, "systemd did not restart it")
    expect(office.guest.status("journalctl -u trunkline -o cat | grep -qi 'watchdog timeout'") == 0,
           "it was not the watchdog")
    office.session_is_up()
    office.play("+79035551005")
    office.arrives("+79035551005")


@step()
def unseen(office: Office) -> None:
    """no webhook is refused while it is restarted, in order and by kill -9"""
    answers, done = [], threading.Event()

    def platform() -> None:
        number = 0
        while not done.is_set():
            number += 1
            # The CRM sees a repeated call by its time.
            answers.append(office.post(f"unseen-{number}", "+79035551006", second=number))

    posting = threading.Thread(target=platform)
    posting.start()
    try:
        for how in ("systemctl restart trunkline", "systemctl kill --signal=KILL trunkline",
                    "systemctl restart trunkline"):
            pid = office.main_pid()
            before = len(answers)
            office.guest.sh(how)
            office.comes_up(but_not=pid)
            office.until("webhooks are answered", lambda: len(answers) > before + 3)
    finally:
        done.set()
        posting.join()
    # One that was being answered when the process was killed comes again, by the platform's own rules.
    refused = [answer for answer in answers if answer not in (200, 202)]
    print(f"   | {len(answers)} webhooks, {len(refused)} not answered: {refused}")
    expect(len(refused) <= 1, f"not accepted: {refused}")
    office.arrives("+79035551006")


@step()
def rebooted(office: Office) -> None:
    """a reboot and a power cut: it comes up by itself, after the PBX, and makes the rest once"""
    guest = office.guest
    guest.sh("cat >/etc/systemd/system/asterisk.service; systemctl enable --quiet asterisk",
             stdin="[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sleep 2\n"
                   "[Install]\nWantedBy=multi-user.target\n")
    for word, act in (("reboot", guest.reboot), ("cut", guest.cut_power)):
        digit = 7 if word == "reboot" else 8
        clients = [f"+790355{digit}{number:04}" for number in range(49)]
        expect(office.post_all(word, clients) == 202, "the calls were not taken")
        made = sum(office.in_crm(client) for client in clients)
        expect(made < len(clients), "everything was made before the machine went down")
        act()
        office.comes_up()
        for client in clients:
            # What was being sent is looked for first, for a minute, and the account's limit is shared
            # with what is left of the reboot before.
            office.arrives(client, seconds=300)
        print(f"   | {word}: {made} of {len(clients)} made before, the rest after")
        pbx, own = (int(guest.sh(f"systemctl show --value --property={moment} {unit}"))
                    for moment, unit in (("ActiveEnterTimestampMonotonic", "asterisk"),
                                         ("InactiveExitTimestampMonotonic", "trunkline")))
        expect(0 < pbx <= own, f"the PBX was there at {pbx} µs, the daemon began at {own} µs")
    office.session_is_up()


@step()
def upgrade_refused(office: Office) -> None:
    """an upgrade whose program refuses the configuration leaves the old process running"""
    guest = office.guest
    office.offer("newer")
    pid = office.main_pid()
    guest.sh("cp /etc/trunkline/trunkline.toml /var/tmp/trunkline.toml; "
             "sed -i 's/^retention_days = 365$/retention_days = \"for ever\"/' /etc/trunkline/trunkline.toml")
    said = office.do("Upgrade", "apt-get install")
    version = guest.sh("dpkg-query -W -f '${Status} ${Version}' trunkline")
    expect(version == f"install ok installed {office.version}", version)
    expect("retention_days" in said and "does not take the configuration" in said,
           f"the upgrade does not say why:\n{said}")
    expect(office.main_pid() == pid, "the old process was stopped")
    office.play("+79035551009")
    office.arrives("+79035551009")


@step()
def upgrade(office: Office) -> None:
    """an upgrade keeps settings, secrets and store, and restarts the daemon"""
    guest = office.guest
    if guest.status("test -e /var/tmp/trunkline.toml") == 0:
        guest.sh("cat /var/tmp/trunkline.toml > /etc/trunkline/trunkline.toml; rm /var/tmp/trunkline.toml")
        guest.sh(f"apt-get install -y --allow-downgrades trunkline={OLDER}")
    office.comes_up()
    office.offer("newer")
    pid = office.main_pid()
    kept = guest.sh(f"{KEY}; sha256sum /etc/trunkline/trunkline.toml /etc/trunkline/tenants.d/*")
    office.do("Upgrade", "apt-get install")
    expect(guest.sh("dpkg-query -W -f '${Version}' trunkline") == office.version, "not the new version")
    office.comes_up(but_not=pid)
    expect(kept == guest.sh(f"{KEY}; sha256sum /etc/trunkline/trunkline.toml /etc/trunkline/tenants.d/*"),
           "settings or secrets were changed")
    expect("+79035551001" in guest.sh("trunkline journal --phone +79035551001"), "the journal is gone")
    office.exact("+79035551001")
    office.session_is_up()


@step()
def removed(office: Office) -> None:
    """removal keeps settings, secrets and store, and a new installation goes on with them"""
    guest = office.guest
    before = guest.sh(KEY)
    office.do("Removal", "apt-get remove")
    expect(guest.status("systemctl is-active trunkline") != 0, "it still runs")
    expect(office.http(f"{INTAKE}/")[0] == 0, "its socket is still open")
    expect(guest.sh(KEY) == before, "the secrets were changed")
    guest.sh("test -s /var/lib/trunkline/trunkline.redb; test -s /etc/trunkline/tenants.d/acme.toml")
    office.do("On the box", "apt-get install")
    office.comes_up()
    expect(guest.sh(KEY) == before, "the secrets were made anew")
    expect("+79035551001" in guest.sh("trunkline journal --phone +79035551001"), "the journal is gone")


@step()
def purged(office: Office) -> None:
    """purge removes everything but the user's number"""
    guest = office.guest
    office.do("Removal", "apt-get purge")
    left = guest.sh("ls -d /etc/trunkline /var/lib/trunkline /run/trunkline /usr/bin/trunkline "
                    "/etc/systemd/system/*trunkline* /etc/systemd/system/*/*trunkline* "
                    "/usr/share/doc/trunkline /run/credentials/trunkline.service 2>/dev/null || true")
    expect(left.strip() == "", f"left behind: {left}")
    expect(guest.status("dpkg -s trunkline") != 0, "dpkg still knows it")
    guest.sh("getent passwd trunkline")
