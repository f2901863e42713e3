"""What the unit permits and what it does not, tried in a machine with a kernel of its own.

Each step puts something into the daemon's own control group or behind its own walls, and sees what the
kernel says to it.
"""

import shlex
import time

from box import Box
from trial import Steps, expect

LIMITS = Steps()
step = LIMITS.step

MEBIBYTE = 1 << 20
UNIT = "/lib/systemd/system/trunkline.service"

# Takes memory and keeps it.
HOG = """perl -e 'my $held = "x" x (shift() * 1048576); print length $held, "\\n"; sleep 600' {mebibytes}"""

# What each user may do, and what runs in the unit may not.
WALLS = {
    "see other programs": "test -e /proc/1/status",
    "read the kernel's settings": "cat /proc/sys/kernel/osrelease",
    "see the disks": "ls /dev/vda",
    "see homes": "ls /home",
    "read files in others' /tmp": "cat /tmp/walls-of-others",
    "write where everybody may": "touch /srv/walls/file",
    "make a file that runs as its owner": "install -m 4755 /bin/true /var/lib/trunkline/walls.suid",
    "be root in a namespace": "unshare --user --map-root-user true",
    "talk to the kernel's network": "perl -e 'socket(my $socket, 16, 3, 0) or exit 1'",
    "run what was written to memory": "perl -e 'exit(syscall(9, 0, 4096, 7, 34, -1, 0) == -1)'",
    "choose another personality": "setarch --addr-no-randomize true",
}
# What it does need to.
DOORS = {
    "write its own folder": "touch /var/lib/trunkline/walls.file",
    "open a connection": "perl -e 'socket(my $socket, 2, 1, 0) or exit 1'",
}


def group(box: Box) -> str:
    """Returns the folder of the unit's control group."""
    return "/sys/fs/cgroup" + box.unit("ControlGroup")


def held_by(box: Box, file: str) -> str:
    return box.guest.sh(f"cat {group(box)}/{file}").strip()


def event(box: Box, file: str, name: str) -> int:
    """Returns how often the kernel has counted this in the unit's control group."""
    counted = dict(line.split() for line in held_by(box, file).splitlines())
    return int(counted[name])


def in_group(box: Box, command: str) -> str:
    """Returns a command that runs as if the daemon had started it."""
    return f"(echo $BASHPID >{group(box)}/cgroup.procs; exec {command})"


def empty_group(box: Box, pid: int) -> None:
    """Ends what was put into the group beside the daemon."""
    box.guest.sh(f"for found in $(cat {group(box)}/cgroup.procs); do "
                 f"[ $found = {pid} ] || kill -KILL $found; done", check=False)
    box.until("the daemon is alone", lambda: held_by(box, "cgroup.procs") == str(pid))


@step(needed=True)
def machine(box: Box) -> None:
    """a Debian with a kernel of its own starts, and the page's commands install it there"""
    said = box.guest.sh("uname -r; cat /sys/fs/cgroup/cgroup.controllers; "
                        "findmnt -no FSTYPE /sys/fs/cgroup")
    print(f"   | {', '.join(said.splitlines())}; {' '.join(box.guest.accelerator[:2])}")
    box.do("On the box", "apt-get install")
    box.comes_up()


@step()
def limits(box: Box) -> None:
    """the kernel knows the limits of memory, tasks, files and shares"""
    found = {file: held_by(box, file) for file in
             ("memory.max", "memory.swap.max", "pids.max", "cpu.weight")}
    expected = {"memory.max": str(768 * MEBIBYTE), "memory.swap.max": str(256 * MEBIBYTE),
                "pids.max": "256", "cpu.weight": "80"}
    expect(found == expected, f"{found}")
    own = box.guest.sh(f"cat /proc/{box.main_pid()}/limits")
    for name, value in (("Max open files", "16384"), ("Max core file size", "0")):
        line = next(line for line in own.splitlines() if line.startswith(name))
        expect(line.split()[len(name.split()):][:2] == [value, value], line)
    print(f"   | it takes {int(held_by(box, 'memory.current')) // MEBIBYTE} MiB, "
          f"{held_by(box, 'pids.current')} tasks")


@step()
def tasks(box: Box) -> None:
    """what forks without end is refused at 256 tasks, and the daemon answers meanwhile"""
    pid = box.main_pid()
    forks = ("perl -e 'while ($made < 1000) { my $child = fork; last unless defined $child; "
             "$child or do { sleep 600; exit }; $made++ } print \"$made $!\\n\"'")
    made, _, reason = box.guest.sh(in_group(box, forks)).strip().partition(" ")
    print(f"   | {made} processes, then: {reason}")
    expect(0 < int(made) < 256, f"{made} processes were made")
    expect(reason == "Resource temporarily unavailable", reason)
    expect(event(box, "pids.events", "max") > 0, "the kernel has not refused any")
    expect(int(held_by(box, "pids.current")) <= 256, held_by(box, "pids.current"))
    expect(box.is_up() and box.main_pid() == pid, "the daemon does not answer")
    empty_group(box, pid)


@step()
def memory(box: Box) -> None:
    """what takes too much memory is ended alone by the kernel, and the daemon answers all the while"""
    pid = box.main_pid()
    answers: list[float] = []

    def is_ended() -> bool:
        began = time.monotonic()
        answered = box.guest.status("timeout 60 trunkline status") == 0
        expect(answered, f"the daemon does not answer: {held_by(box, 'memory.events')}")
        answers.append(time.monotonic() - began)
        return event(box, "memory.events", "oom_kill") > 0

    start_hog(box)
    box.until("the kernel ends it", is_ended)
    killed = box.guest.sh("journalctl -k -o cat --grep 'Memory cgroup out of memory' | tail -n 1")
    print(f"   | {killed.strip()}; the slowest answer took {max(answers):.1f} s")
    expect("(perl)" in killed, killed)
    expect(int(held_by(box, "memory.peak")) <= 768 * MEBIBYTE, held_by(box, "memory.peak"))
    expect(box.is_up() and box.main_pid() == pid, "the daemon is another or does not answer")
    empty_group(box, pid)


@step()
def memory_of_the_daemon(box: Box) -> None:
    """where the kernel ends the daemon itself for it, systemd ends the rest and starts another"""
    pid = box.main_pid()
    restarts = int(box.unit("NRestarts"))
    box.guest.sh(f"echo 1000 >/proc/{pid}/oom_score_adj")
    start_hog(box)
    box.comes_up(but_not=pid)
    killed = box.guest.sh(f"journalctl -k -o cat --grep 'Killed process {pid} ' | tail -n 1")
    expect("(trunkline)" in killed, f"it was not the kernel: {killed}")
    expect(int(box.unit("NRestarts")) > restarts, "systemd did not restart it")
    expect(held_by(box, "cgroup.procs") == str(box.main_pid()), "something else is left in the unit")


def start_hog(box: Box) -> None:
    """Has something in the unit take more than the unit may."""
    box.guest.sh(f"{in_group(box, HOG.format(mebibytes=900))} >/var/tmp/hog 2>&1 &")


@step()
def walls(box: Box) -> None:
    """what runs in the unit is refused what every user may do, and even root cannot write there"""
    guest = box.guest
    guest.sh("mkdir -p /srv/walls; chmod 1777 /srv/walls; echo mine >/tmp/walls-of-others; "
             "cat >/usr/local/lib/walls.sh", stdin=asking(WALLS | DOORS))
    # A wall that nobody meets without the unit would prove nothing.
    outside = guest.sh("runuser -u trunkline -- bash /usr/local/lib/walls.sh").splitlines()
    expect(outside == [*WALLS, *DOORS], f"without the unit: {outside}")
    guest.sh("cat >/run/systemd/system/walls.service; systemctl daemon-reload; "
             "rm -f /srv/walls/* /var/lib/trunkline/walls.*; systemctl start walls.service",
             stdin=same_walls(guest.sh(f"cat {UNIT}")))
    inside = guest.sh("cat /run/walls.out; rm -f /var/lib/trunkline/walls.*").splitlines()
    expect(inside == [*DOORS], f"in the unit: {inside}")
    for place in ("/etc", "/usr", "/boot", "/srv", "/var/log", "/sys/fs/cgroup"):
        said = guest.sh(f"nsenter --target={box.main_pid()} --mount -- mkdir {place}/walls-of-root",
                        check=False)
        expect("Read-only file system" in said, f"root in {place} of the daemon: {said or 'wrote'}")
    said = guest.sh("systemd-analyze --no-pager security --threshold=15 trunkline.service")
    print(f"   | {len(WALLS)} walls; {said.strip().splitlines()[-1]}")


def asking(actions: dict[str, str]) -> str:
    """Returns a script that prints the names of what it could do."""
    return "".join(f"if ({command}) >/dev/null 2>&1; then echo {shlex.quote(name)}; fi\n"
                   for name, command in actions.items())


def same_walls(unit: str) -> str:
    """Returns a unit that runs the script once, with everything else as in the daemon's unit."""
    own = ("Type=", "NotifyAccess=", "Exec", "Restart", "WatchdogSec=", "RuntimeDirectory",
           "FileDescriptorStoreMax=")
    service = unit.partition("[Service]")[2].partition("[Install]")[0]
    kept = [line for line in service.splitlines() if not line.startswith(own)]
    return "\n".join(["[Service]", "Type=oneshot", "ExecStart=/bin/bash /usr/local/lib/walls.sh",
                      "StandardOutput=truncate:/run/walls.out", *kept, ""])


@step()
def watchdog(box: Box) -> None:
    """SIGSTOP on that kernel: the watchdog ends the daemon and starts another"""
    # The minute of the unit is waited for in the container.
    box.guest.sh("mkdir -p /run/systemd/system/trunkline.service.d; "
                 "cat >/run/systemd/system/trunkline.service.d/watchdog.conf; "
                 "systemctl daemon-reload; systemctl restart trunkline",
                 stdin="[Service]\nWatchdogSec=10\n")
    box.comes_up()
    pid = box.main_pid()
    box.guest.sh(f"kill -STOP {pid}")
    box.comes_up(but_not=pid)
    expect(box.guest.status("journalctl -u trunkline -o cat | grep -qi 'watchdog timeout'") == 0,
           "it was not the watchdog")
