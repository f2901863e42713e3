#!/usr/bin/env python3
"""Installs the packages on a real Debian 12 with systemd as PID 1, and treats them badly.

    run.py --packages dist               packages as `make deb` leaves them
    run.py --packages dist --from DIR    the upgrade begins with the packages in DIR, of an older version;
                                         without it, with those of --packages under a lower number
    run.py --only STEP                   may be repeated; the installation is always done

The last line is one JSON object: what ran, what was skipped, and why. The exit status is 1 only where
something that must hold does not.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from guest import Failed, Guest, Network, Skipped, Unavailable, base
from office import Office
from packages import older, repository
from steps import STEPS


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", type=Path, required=True, help="folder with the *.deb to try")
    parser.add_argument("--from", dest="old", type=Path, metavar="DIR",
                        help="folder with the *.deb of an older version")
    parser.add_argument("--only", action="append", metavar="STEP", choices=[s.__name__ for s in STEPS])
    parser.add_argument("--keep", action="store_true", help="keep the guest's disk")
    given = parser.parse_args()
    if not list(given.packages.glob("trunkline_*.deb")):
        parser.error(f"no package of trunkline in {given.packages}: make deb")
    return given


def main() -> int:
    given = arguments()
    sys.stdout.reconfigure(line_buffering=True)
    work = Path(tempfile.mkdtemp(prefix="trunkline-vm-", dir="/var/tmp"))
    ran, failed, skipped, why = [], {}, [], {}
    network = guest = office = None
    try:
        print("== a plain Debian 12")
        base()
        network = Network()
        guest = Guest(work, network)
        old = given.old or older(given.packages, work)
        office = Office(guest, network, work, given.packages, repository(old, given.packages, work))
        guest.boot()
        for step in STEPS:
            name = step.__name__
            if given.only and name not in given.only and not step.is_needed:
                continue
            began = time.monotonic()
            print(f"== {name}: {step.__doc__.splitlines()[0]}")
            try:
                step(office)
            except Skipped as reason:
                why[name] = str(reason)
                print(f"   skipped: {reason}")
                continue
            except Exception as error:
                failed[name] = str(error) or repr(error)
                if not isinstance(error, Failed):
                    traceback.print_exc(file=sys.stdout)
                print(f"   FAILED: {error}\n{office.evidence()}")
                if step.is_needed:
                    break
                continue
            ran.append(name)
            print(f"   {time.monotonic() - began:.1f} s")
        skipped = [s.__name__ for s in STEPS if s.__name__ not in ran and s.__name__ not in failed]
        why = {name: "not asked for, or a step before it failed" for name in skipped} | why
    except Unavailable as error:
        skipped = [step.__name__ for step in STEPS]
        why = {"all": str(error)}
    finally:
        for part in (office, guest, network):
            if part is not None and not (given.keep and part is guest):
                part.close()
        if given.keep:
            print(f"kept: {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    print(json.dumps({"ran": ran, "failed": failed, "skipped": skipped, "why": why},
                     ensure_ascii=False))
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (subprocess.SubprocessError, OSError) as broken:
        print(json.dumps({"ran": [], "failed": {"run": str(broken)}, "skipped": [], "why": {}}))
        sys.exit(1)
