#!/usr/bin/env python3
"""Asks every operation of a living daemon's endpoints good and bad questions, by schemathesis, and
holds the answers against their descriptions.

    run.py --bin target/debug               about three minutes
    run.py --bin target/debug --short       about one
    run.py --bin target/debug --seed 7      other questions
    run.py --bin target/debug --only 'admin GET /v1/status'

The last line is one JSON object. The exit status is 1 where something does not hold, or where an
operation never answered well; where there is no schemathesis it says so and passes over.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from doors import REFUSED, Door, doors
from office import Office

HERE = Path(__file__).resolve().parent
TOOL = HERE.parents[1] / "var" / "tools" / "schemathesis" / "bin" / "schemathesis"


def configuration(door: Door, token: str, wanted) -> str:
    statuses, refused = (", ".join(f'"{one}"' for one in some) for some in (door.well_formed, REFUSED))
    access = f'[auth.openapi]\ntoken = {{ bearer = "{token}" }}' if door.name == "admin" else ""
    return f"""seed = {wanted.seed}
workers = 1
continue-on-failure = true

{access}

[generation]
database = "none"
no-shrink = true
max-examples = 12

# What is planned is asked of what is there, and the same each time.
[phases.coverage]
extra-data-sources = {{ responses = false }}

[phases.fuzzing]
enabled = {"false" if wanted.short else "true"}

[phases.stateful]
enabled = false

[checks.positive_data_acceptance]
expected-statuses = [{statuses}]

[checks.negative_data_rejection]
expected-statuses = [{refused}]

[checks.missing_required_header]
expected-statuses = ["428"]
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, required=True, help="folder with trunkline and trunkline-lab")
    parser.add_argument("--short", action="store_true", help="no drawn questions, only the planned ones")
    parser.add_argument("--seed", type=int, default=1, help="decides what is drawn")
    parser.add_argument("--only", help="one operation of one endpoint, such as 'admin GET /v1/status'")
    wanted = parser.parse_args()
    if not TOOL.exists():
        print(json.dumps({"ran": False, "operations": 0, "succeeded": 0, "failed": 0, "skipped": 0,
                          "why": "schemathesis is not here: packaging/prerequisites.sh api fetches it"}))
        return 0
    with tempfile.TemporaryDirectory(prefix="trunkline-api-") as folder:
        office = Office(wanted.bin.resolve(), Path(folder))
        try:
            office.start()
            trials = [Trial(office, door) for door in doors(office)]
            for trial in trials:
                trial.run(wanted)
            return tell(trials, wanted.only)
        finally:
            office.stop()


class Trial:
    """What is asked of one endpoint, and what it answered."""

    def __init__(self, office: Office, door: Door):
        self.office, self.door = office, door
        self.folder = office.folder / "trials"
        self.answers: dict[str, dict[str, int]] = {}
        self.report: dict = {"failures": [], "errors": []}
        self.status = 0

    def run(self, wanted):
        door, path = self.door.name, lambda end: self.folder / f"{self.door.name}-{end}"
        if wanted.only and wanted.only not in self.door.operations():
            return
        self.folder.mkdir(exist_ok=True)
        path("settings.toml").write_text(configuration(self.door, self.office.secret("admin-token"), wanted))
        environment = {
            **os.environ, "PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "hooks",
            "TRUNKLINE_API_TRIAL": json.dumps({
                "folder": str(self.office.folder), "ports": self.office.ports, "door": door,
                "answers": str(path("answers.json"))})}
        command = [
            str(TOOL), "--config-file", str(path("settings.toml")), "run", str(self.door.write(self.folder)),
            "--url", self.door.url, "--checks", ",".join(self.door.checks), "--no-color",
            "--report", "json", "--report-json-path", str(path("report.json"))]
        if wanted.only:
            command += ["--include-name", wanted.only.partition(" ")[2]]
        print(f"{door}: {self.door.url}", flush=True)
        self.status = subprocess.run(command, env=environment, cwd=self.folder).returncode
        self.answers = json.loads(path("answers.json").read_text())
        self.report = json.loads(path("report.json").read_text())

    def why(self, names: list[str]) -> list[str]:
        """Says what does not hold."""
        why = [f"{self.door.name}: {one['title']}: {', '.join(one['operations'])}" for one in self.report["failures"]]
        why += [f"{self.door.name}: {one['title']} ({one['count']})" for one in self.report["errors"]]
        if self.status and not why:
            why.append(f"{self.door.name}: schemathesis ended with {self.status}")
        for name in names:
            if name not in self.answers:
                why.append(f"never asked: {name}")
            elif name not in NOT_THERE and not is_good(self.answers[name]):
                why.append(f"never answered well: {name}; tests/api/examples.py says what is asked")
        return why


# A sound store has nothing in quarantine; tests/it/process/quarantine.rs damages one.
NOT_THERE = {f"admin {name}" for name in (
    "GET /v1/store/quarantine/{id}", "DELETE /v1/store/quarantine/{id}", "POST /v1/store/quarantine/{id}/put-back")}


def is_good(answers: dict[str, int]) -> bool:
    return any(status.startswith("2") for status in answers)


def tell(trials: list[Trial], only: str | None) -> int:
    """Says what came of it; returns the exit status."""
    names, answers, failed, why = [], {}, set(), []
    for trial in trials:
        own = [name for name in trial.door.operations() if only in (None, name)]
        names += own
        answers.update(trial.answers)
        failed |= {f"{trial.door.name} {name}" for failure in trial.report["failures"] for name in failure["operations"]}
        why += trial.why(own)
    for name in names:
        seen = ", ".join(f"{count} x {code}" for code, count in sorted(answers.get(name, {}).items()))
        print(f"  {name}: {seen or 'never asked'}")
    print(json.dumps({
        "ran": True, "operations": len(names), "succeeded": sum(is_good(answers.get(name, {})) for name in names),
        "failed": len(failed), "skipped": sum(name not in answers for name in names), "why": "; ".join(why),
    }, ensure_ascii=False))
    return 1 if why else 0


if __name__ == "__main__":
    sys.exit(main())
