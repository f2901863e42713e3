"""Steps that are tried on a box in their order, and what became of each."""

import json
import sys
import time
import traceback
from collections.abc import Iterable

from box import Box
from shell import Failed, Skipped


class Steps(list):
    """The steps of one kind of guest; the first line of each one's words is what is shown."""

    def step(self, needed: bool = False):
        """Marks a step; one that is needed is done whatever was asked for."""

        def mark(function):
            function.is_needed = needed
            self.append(function)
            return function

        return mark


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise Failed(what)


class Report:
    def __init__(self, only: Iterable[str] | None) -> None:
        self.only = only
        self.ran: list[str] = []
        self.failed: dict[str, str] = {}
        self.why: dict[str, str] = {}

    def is_asked_for(self, steps: Steps) -> bool:
        """Says whether any of the steps was asked for by its name, or all were."""
        return not self.only or any(step.__name__ in self.only for step in steps)

    def pass_over(self, steps: Steps, reason: str) -> None:
        """Notes that what has not been tried of the steps is not tried."""
        known = (*self.ran, *self.failed, *self.why)
        self.why |= {step.__name__: reason for step in steps if step.__name__ not in known}

    def attempt(self, steps: Steps, box: Box) -> None:
        for step in steps:
            name = step.__name__
            if self.only and name not in self.only and not step.is_needed:
                continue
            began = time.monotonic()
            print(f"== {name}: {step.__doc__.splitlines()[0]}")
            try:
                step(box)
            except Skipped as reason:
                self.why[name] = str(reason)
                print(f"   skipped: {reason}")
            except Exception as error:
                self.failed[name] = str(error) or repr(error)
                if not isinstance(error, Failed):
                    traceback.print_exc(file=sys.stdout)
                print(f"   FAILED: {error}\n{box.evidence()}")
                if step.is_needed:
                    break
            else:
                self.ran.append(name)
                print(f"   {time.monotonic() - began:.1f} s")
        self.pass_over(steps, "not asked for, or a step before it failed")

    def json(self) -> str:
        return json.dumps({"ran": self.ran, "failed": self.failed, "skipped": list(self.why),
                           "why": self.why}, ensure_ascii=False)
