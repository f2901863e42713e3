"""All scenarios on one Asterisk version: played in order, checked together in the end."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import children
from ami_link import Notice, write_recording
from asterisk_server import AsteriskServer
from crm_view import CrmView
from debian_asterisk import Installation
from expectations import differences
from relay import Relay
from scenarios import SCENARIOS, Scenario
from stage import Stage
from trunkline_processes import Daemon, Lab

# No scenario takes longer, not even one that restarts Asterisk.
SCENARIO_SECONDS_MAX = 60
# After the last call: until the daemon has written everything into the CRM.
SETTLE_SECONDS_MAX = 60
# A daemon at rest and a CRM that is not as expected: how long that may be the last moment's work.
GRACE_S = 4


@dataclass
class Tally:
    """What became of the scenarios."""

    calls: int = 0
    passed: int = 0
    failed: int = 0

    def add(self, other: "Tally"):
        self.calls += other.calls
        self.passed += other.passed
        self.failed += other.failed

    def fail(self, what: str, why: str):
        self.failed += 1
        print(f"FAILED {what}: {why}", flush=True)


class VersionRun:
    def __init__(
        self, installation: Installation, folder: Path, programs: Path | None,
        only: list[str] | None,
    ):
        self._folder = folder
        self._programs = programs
        self._stage = Stage(AsteriskServer(installation, folder / "asterisk"))
        self._lab: Lab | None = None
        self._heard: dict[str, list[Notice]] = {}
        self._scenarios = [
            scenario for scenario in SCENARIOS
            if (not only or scenario.name in only) and (programs or not scenario.needs_daemon)
        ]

    async def play(self, tally: Tally, record: Path | None):
        try:
            await self._start()
            broken = set()
            for scenario in self._scenarios:
                tally.calls += 1
                if (why := await self._play_one(scenario)) is not None:
                    broken.add(scenario.name)
                    tally.fail(scenario.name, why)
                if record is not None:
                    self._write(record, scenario)
            wrong = await self._check() if self._lab is not None else {}
            for scenario in self._scenarios:
                if scenario.name in wrong:
                    await self._tell(scenario, wrong[scenario.name], tally)
                elif scenario.name not in broken:
                    tally.passed += 1
            for complaint in wrong.get("", ()):
                tally.fail("the account as a whole", complaint)
            if wrong and self._stage.daemon is not None:
                print(f"--- end of {self._stage.daemon.log}")
                print(children.tail(self._stage.daemon.log, 40), flush=True)
        finally:
            await self._stop()

    async def _start(self):
        await self._stage.open()
        if self._programs is None:
            return
        self._lab = Lab(self._programs / "trunkline-lab", self._folder)
        await self._lab.start()
        self._stage.link = await Relay(self._stage.server.ami_address).open()
        self._stage.daemon = Daemon(
            self._programs / "trunkline", self._folder, self._lab,
            self._stage.server.ami_secret, self._stage.link,
        )
        await self._stage.daemon.start()
        await self._stage.daemon.until_watching()

    async def _stop(self):
        if self._stage.daemon is not None:
            await self._stage.daemon.stop()
        if self._stage.link is not None:
            await self._stage.link.close()
        if self._lab is not None:
            await self._lab.stop()
        await self._stage.close()

    async def _play_one(self, scenario: Scenario) -> str | None:
        """Returns why the call did not go as it should on the side of the phones."""
        begun, mark = time.monotonic(), len(self._stage.heard)
        why = None
        try:
            async with asyncio.timeout(SCENARIO_SECONDS_MAX):
                await scenario.play(self._stage, scenario.client)
                await self._stage.clear()
        except Exception as failure:  # One scenario must not end the others.
            why = f"{type(failure).__name__}: {failure}\n{self._stage.trace()}"
            await self._stage.recover()
        self._heard[scenario.name] = self._stage.heard[mark:]
        took = time.monotonic() - begun
        mark = "played" if why is None else "broke"
        print(f"{mark:6} {took:5.1f} s  {scenario.name}: {scenario.title}", flush=True)
        return why

    def _write(self, folder: Path, scenario: Scenario):
        spool = str(self._stage.server.folder / "spool")
        write_recording(folder, scenario.name, self._heard[scenario.name], spool)

    async def _check(self) -> dict[str, list[str]]:
        """Waits until the CRM is as expected; returns what is not, by scenario, "" for all."""
        deadline = time.monotonic() + SETTLE_SECONDS_MAX
        at_rest_since = None
        while True:
            unfinished = await self._stage.daemon.unfinished()
            wrong = self._compare(await CrmView.take(self._lab.control))
            now = time.monotonic()
            at_rest_since = None if unfinished else at_rest_since or now
            # Also when all is well: a second entry of one call would come late.
            if at_rest_since is not None and now - at_rest_since > GRACE_S:
                break
            if now > deadline:
                wrong.setdefault("", []).append(f"the daemon has still {unfinished}")
                break
            await asyncio.sleep(0.3)
        if dead := await self._stage.daemon.dead_letters():
            wrong.setdefault("", []).append(f"{dead} dead letters")
        return wrong

    def _compare(self, crm: CrmView) -> dict[str, list[str]]:
        wrong = {}
        for scenario in self._scenarios:
            found = differences(scenario.expected, crm.holding_of(scenario.client))
            if found:
                wrong[scenario.name] = found
        whole = crm.duplicates()
        expected = {
            "contacts": sum(len(s.expected.contacts) for s in self._scenarios),
            "deals": sum(len(s.expected.deals) for s in self._scenarios),
            "unsorted": sum(len(s.expected.unsorted) for s in self._scenarios),
            "calls": sum(len(s.expected.calls) for s in self._scenarios),
            "tasks": 0,
        }
        for name, count in crm.totals().items():
            if count != expected[name]:
                whole.append(f"{expected[name]} {name} expected in all, {count} found")
        if crm.rate_violations():
            whole.append(f"the account's rate was exceeded {crm.rate_violations()} times")
        if whole:
            wrong[""] = whole
        return wrong

    async def _tell(self, scenario: Scenario, wrong: list[str], tally: Tally):
        stories = await self._stage.daemon.stories(scenario.client)
        self._write(self._folder / "events", scenario)
        tally.fail(scenario.name, "\n    ".join([
            f"client {scenario.client}: {scenario.title}", *wrong,
            f"expected: {scenario.expected}", *stories.splitlines(),
            f"events: {self._folder / 'events' / scenario.name}.txt",
        ]))
