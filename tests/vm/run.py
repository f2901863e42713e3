#!/usr/bin/env python3
"""Installs the packages on a real Debian 12 with systemd as PID 1, and treats them badly.

    run.py --packages dist               packages as `make deb` leaves them
    run.py --packages dist --from DIR    the upgrade begins with the packages in DIR, of an older version;
                                         without it, with those of --packages under a lower number
    run.py --only STEP                   may be repeated; what it cannot do without is always done

The last line is one JSON object: what ran, what was skipped, and why. The exit status is 1 only where
something that must hold does not.
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import guest
import machine
from box import Box
from guest import Guest, Network
from limits import LIMITS
from machine import Machine
from office import Office
from packages import SERVED_AT, older, repository
from shell import Failed, Unavailable
from steps import STEPS
from trial import Report


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", type=Path, required=True, help="folder with the *.deb to try")
    parser.add_argument("--from", dest="old", type=Path, metavar="DIR",
                        help="folder with the *.deb of an older version")
    parser.add_argument("--only", action="append", metavar="STEP",
                        choices=[step.__name__ for step in (*STEPS, *LIMITS)])
    parser.add_argument("--keep", action="store_true", help="keep the container's disk")
    given = parser.parse_args()
    if not list(given.packages.glob("trunkline_*.deb")):
        parser.error(f"no package of trunkline in {given.packages}: make deb")
    return given


def in_container(given: argparse.Namespace, work: Path, report: Report,
                 repositories: dict[str, Path]) -> None:
    network = box = office = None
    try:
        network = Network()
        box = Guest(work, network)
        office = Office(box, network, work, given.packages, repositories)
        box.boot()
        report.attempt(STEPS, office)
    finally:
        for part in (office, box, network):
            if part is not None and not (given.keep and part is box):
                part.close()


def in_machine(given: argparse.Namespace, work: Path, report: Report,
               repositories: dict[str, Path]) -> None:
    box = Machine(work, repositories["newer"], SERVED_AT)
    try:
        box.boot()
        report.attempt(LIMITS, Box(box, patience=4))
    finally:
        box.close()


def main() -> int:
    given = arguments()
    sys.stdout.reconfigure(line_buffering=True)
    # Who ends the run ends its guests.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    work = Path(tempfile.mkdtemp(prefix="trunkline-vm-", dir="/var/tmp"))
    report = Report(given.only)
    repositories: dict[str, Path] = {}
    places = (("a container", STEPS, guest.base, in_container),
              ("a whole machine", LIMITS, machine.base, in_machine))
    try:
        for name, steps, base, attempt in places:
            if not report.is_asked_for(steps):
                report.pass_over(steps, "not asked for")
                continue
            print(f"=== {name} with a plain Debian 12")
            try:
                base()
                if not repositories:
                    old = given.old or older(given.packages, work)
                    repositories = repository(old, given.packages, work)
                attempt(given, work, report, repositories)
            except Unavailable as error:
                print(f"    skipped: {error}")
                report.pass_over(steps, str(error))
            except Failed as error:
                print(f"    FAILED: {error}")
                report.failed[name] = str(error)
                report.pass_over(steps, "the guest did not come so far")
    finally:
        if given.keep:
            print(f"kept: {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    print(report.json())
    return 1 if report.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (subprocess.SubprocessError, OSError) as broken:
        print(json.dumps({"ran": [], "failed": {"run": str(broken)}, "skipped": [], "why": {}}))
        sys.exit(1)
