"""All scenarios on one Asterisk version: played in order, checked together in the end."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import children
import looked_at
from ami_link import Notice, write_recording
from asterisk_server import AsteriskServer
from catalogue import SCENARIOS
from crm_view import CrmView
from debian_asterisk import Installation
from expectations import differences
from relay import Relay
from scenario import Scenario
from stage import Stage
from trunkline_processes import Daemon, Lab

# No scenario takes longer, not even one that restarts Asterisk.
SCENARIO_SECONDS_MAX = 90
# After the last call: until the daemon has written everything into the CRM.
SETTLE_SECONDS_MAX = 60
# A daemon at rest and a CRM that is not as expected: how long that may be the last moment's work.
GRACE_S = 4


@dataclass
class Tally:
    """What became of the scenarios; complaints are about the account or the run as a whole."""

    calls: int = 0
    passed: int = 0
    failed: int = 0
    complaints: int = 0

    def add(self, other: "Tally"):
        self.calls += other.calls
        self.passed += other.passed
        self.failed += other.failed
        self.complaints += other.complaints

    @property
    def is_good(self) -> bool:
        return self.failed == 0 and self.complaints == 0

    def complain(self, why: str):
        self.complaints += 1
        print(f"WRONG  {why}", flush=True)


class VersionRun:
    def __init__(
        self, installation: Installation, folder: Path, programs: Path | None,
        only: list[str] | None, log: str = "cel_custom", blind: bool = False,
    ):
        self._folder = folder
        self._programs = programs
        self._log = log
        # The daemon is dead while the calls are made, and finds them in Asterisk's log.
        self._blind = blind
        self._stage = Stage(AsteriskServer(installation, folder / "asterisk"))
        self._lab: Lab | None = None
        self._heard: dict[str, list[Notice]] = {}
        self._when: dict[str, tuple[float, float]] = {}
        # What went wrong, by scenario: first on the phones' side, then in the CRM.
        self._wrong: dict[str, list[str]] = {}
        self._scenarios = [
            scenario for scenario in SCENARIOS
            if (not only or scenario.name in only)
            and (programs and not blind or not scenario.needs_daemon)
        ]

    async def play(self, tally: Tally, record: Path | None):
        try:
            await self._start()
            daemon = self._stage.daemon
            if self._blind:
                # Nor is there anybody to ask for a call: the harness orders them itself.
                await daemon.kill()
                self._stage.daemon = None
            for scenario in self._scenarios:
                tally.calls += 1
                await self._play_one(scenario)
                if record is not None:
                    self._write(record, scenario)
            if self._blind:
                self._stage.daemon = daemon
                await daemon.start()
                await daemon.until_watching()
            if self._lab is not None:
                for complaint in await self._check():
                    tally.complain(complaint)
            for scenario in self._scenarios:
                if scenario.name in self._wrong:
                    tally.failed += 1
                    await self._tell(scenario)
                else:
                    tally.passed += 1
            if not tally.is_good and self._stage.daemon is not None:
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
        self._stage.lab = self._lab
        self._stage.link = await Relay(self._stage.server.ami_address).open()
        self._stage.daemon = Daemon(
            self._programs / "trunkline", self._folder, self._lab,
            self._stage.server, self._stage.link, self._stage.server.fastagi_port,
            (self._log, self._stage.server.call_log(self._log)),
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

    async def _play_one(self, scenario: Scenario):
        begun, mark = time.time(), len(self._stage.heard)
        outcome = "played"
        try:
            async with asyncio.timeout(SCENARIO_SECONDS_MAX):
                await scenario.play(self._stage, scenario.client)
                await self._stage.clear()
        except Exception as failure:  # One scenario must not end the others.
            outcome = "broke"
            self._wrong[scenario.name] = [
                f"{type(failure).__name__}: {failure}", *self._stage.trace().splitlines()
            ]
            await self._stage.recover()
        self._heard[scenario.name] = self._stage.heard[mark:]
        self._when[scenario.name] = (begun, time.time())
        took = time.time() - begun
        print(f"{outcome:6} {took:4.1f} s  {scenario.name}: {scenario.title}", flush=True)

    def _write(self, folder: Path, scenario: Scenario):
        spool = str(self._stage.server.folder / "spool")
        write_recording(folder, scenario.name, self._heard[scenario.name], spool)

    async def _check(self) -> list[str]:
        """Waits for the daemon to be at rest, then compares; returns what is no client's matter."""
        deadline = time.monotonic() + SETTLE_SECONDS_MAX
        at_rest_since = None
        complaints = []
        while True:
            unfinished = await self._stage.daemon.unfinished()
            now = time.monotonic()
            at_rest_since = None if unfinished else at_rest_since or now
            # The wait after the rest is for a second entry of one call, which would come late.
            if at_rest_since is not None and now - at_rest_since > GRACE_S:
                break
            if now > deadline:
                complaints.append(f"the daemon has still {unfinished}")
                break
            await asyncio.sleep(0.3)
        if dead := await self._stage.daemon.dead_letters():
            complaints.append(f"{dead} dead letters")
        complaints += await looked_at.complaints(self._stage.daemon)
        crm = await CrmView.take(self._lab.control)
        for scenario in self._scenarios:
            found = differences(scenario.expected, crm.holding_of(scenario.client))
            found += self._strange_times(scenario, crm)
            if found:
                self._wrong.setdefault(scenario.name, []).extend(found)
        return complaints + self._complaints(crm)

    def _strange_times(self, scenario: Scenario, crm: CrmView) -> list[str]:
        """A call keeps its own time, however late it is delivered."""
        begun, ended = self._when[scenario.name]
        return [
            f"a call of {call.at - begun:+.0f} s from the scenario's beginning"
            for call in crm.calls_of(scenario.client)
            # Times in the CRM are whole seconds.
            if not begun - 1 <= call.at <= ended + 1
        ]

    def _complaints(self, crm: CrmView) -> list[str]:
        expectations = [scenario.expected for scenario in self._scenarios]
        expected = {
            "contacts": sum(len(each.contacts) for each in expectations),
            "deals": sum(len(each.deals) for each in expectations),
            "unsorted": sum(len(each.unsorted) for each in expectations),
            "calls": sum(len(each.calls) for each in expectations),
            "tasks": sum(each.tasks for each in expectations),
        }
        found = crm.totals()
        complaints = [f"twice in the CRM: {what}" for what in crm.duplicates()]
        complaints += [
            f"{expected[name]} {name} expected in all, {found[name]} found"
            for name in expected if expected[name] != found[name]
        ]
        if crm.rate_violations():
            complaints.append(f"the account's rate was exceeded {crm.rate_violations()} times")
        return complaints

    async def _tell(self, scenario: Scenario):
        self._write(self._folder / "events", scenario)
        lines = [f"client {scenario.client}: {scenario.title}", *self._wrong[scenario.name]]
        if self._stage.daemon is not None:
            stories = await self._stage.daemon.stories(scenario.client)
            lines += [f"expected: {scenario.expected}", *stories.splitlines()]
        lines.append(f"events: {self._folder / 'events' / scenario.name}.txt")
        print(f"FAILED {scenario.name}: " + "\n    ".join(lines), flush=True)
