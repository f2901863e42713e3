#!/usr/bin/env python3
"""Places calls on a real Asterisk over SIP and checks what the simulated amoCRM then holds.

    run.py --bin target/debug                  both Asterisk versions, one after the other
    run.py --bin target/debug --suite forky    one of them
    run.py --bin target/debug --blind          the daemon is dead meanwhile and reads Asterisk's log
    run.py --record DIR                        no daemon: keep each scenario's event stream

The last line is one JSON object. The exit status is 1 only where something that must hold does
not; where no Asterisk can be had the version is skipped, with the reason.
"""

import argparse
import asyncio
import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from catalogue import SCENARIOS
from debian_asterisk import Unavailable, prepared
from version_run import Tally, VersionRun

SUITES = ("forky", "bullseye")
# One version with everything that may go slowly; an undisturbed run takes about a third of it.
VERSION_SECONDS_MAX = 600


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, help="folder with trunkline and trunkline-lab")
    parser.add_argument("--suite", choices=SUITES, action="append", help="may be repeated")
    parser.add_argument("--only", action="append", metavar="SCENARIO", help="may be repeated")
    parser.add_argument("--mirror", help="Debian mirror; the machine's own unless given")
    parser.add_argument("--record", type=Path, metavar="DIR",
                        help="write each scenario's events to DIR/<suite>")
    parser.add_argument("--log", choices=("cel_custom", "cdr_csv"), default="cel_custom",
                        help="which of Asterisk's own logs the daemon reads")
    parser.add_argument("--blind", action="store_true",
                        help="kill the daemon before the calls and start it after them")
    parser.add_argument("--keep", action="store_true", help="keep the temporary folders")
    given = parser.parse_args()
    if given.bin is None and given.record is None:
        parser.error("--bin or --record is needed")
    if given.blind and given.bin is None:
        parser.error("--blind needs --bin")
    for name in ("trunkline", "trunkline-lab") if given.bin is not None else ():
        if not (given.bin / name).is_file():
            parser.error(f"{given.bin / name} is not there: build it first (cargo build --bins)")
    known = {scenario.name for scenario in SCENARIOS}
    if unknown := set(given.only or ()) - known:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    return given


async def main() -> int:
    given = arguments()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    ran, skipped, total = [], {}, Tally()
    for suite in given.suite or SUITES:
        print(f"== {suite}: preparing", flush=True)
        try:
            installation = await asyncio.to_thread(prepared, suite, given.mirror)
        except Unavailable as why:
            skipped[suite] = str(why)
            print(f"== {suite}: skipped: {why}", flush=True)
            continue
        print(f"== {suite}: Asterisk {installation.version}", flush=True)
        ran.append(installation.version)
        folder = Path(tempfile.mkdtemp(prefix=f"trunkline-{suite}-"))
        tally = Tally()
        try:
            run = VersionRun(
                installation, folder, given.bin, given.only, given.log, given.blind
            )
            record = given.record / suite if given.record else None
            async with asyncio.timeout(VERSION_SECONDS_MAX):
                await run.play(tally, record)
        except Exception as failure:  # Whatever stopped the run is a failed run, not a traceback.
            tally.complain(f"the run was broken off: {type(failure).__name__}: {failure}")
        finally:
            if given.keep or not tally.is_good:
                print(f"== logs are kept in {folder}", flush=True)
            else:
                shutil.rmtree(folder, ignore_errors=True)
        total.add(tally)
    print(json.dumps({
        "ran": ran,
        "skipped": sorted(skipped),
        "why": "; ".join(f"{suite}: {why}" for suite, why in skipped.items()) or None,
        "calls": total.calls,
        "passed": total.passed,
        "failed": total.failed,
        "complaints": total.complaints,
    }))
    return 0 if total.is_good else 1


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main()))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit("interrupted; every program that was started has been ended")
