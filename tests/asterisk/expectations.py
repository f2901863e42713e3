"""What the CRM must hold about one client, and how that is compared with what it holds."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Call:
    """An entry of the call history."""

    direction: str                 # "in" or "out"
    answered: bool
    employee: int | None           # the CRM user who is named; None = nobody
    talk_s: tuple[int, int]        # least and most seconds of talk
    on: str                        # the card that carries it: "deal", "contact" or "unsorted"

    def matches(self, found: "FoundCall") -> bool:
        least, most = self.talk_s
        return (
            (self.direction, self.answered, self.employee, self.on)
            == (found.direction, found.answered, found.employee, found.on)
            and least <= found.talk_s <= most
        )

    def __str__(self):
        low, high = self.talk_s
        how = f"answered, {low}-{high} s" if self.answered else "missed"
        return f"call {self.direction}, {how}, employee {self.employee}, on the {self.on}"


@dataclass(frozen=True)
class FoundCall:
    """An entry of the call history as the CRM has it."""

    direction: str
    answered: bool
    employee: int | None
    talk_s: int
    on: str
    at: int                        # Unix seconds

    def __str__(self):
        how = f"answered, {self.talk_s} s" if self.answered else f"missed, {self.talk_s} s"
        return f"call {self.direction}, {how}, employee {self.employee}, on the {self.on}"


@dataclass(frozen=True)
class Contact:
    responsible: int


@dataclass(frozen=True)
class Deal:
    pipeline: int
    stage: int
    responsible: int


@dataclass(frozen=True)
class Unsorted:
    pipeline: int
    category: str


@dataclass
class Holding:
    """Everything about one client; `calls` are `Call` where expected, `FoundCall` where found."""

    contacts: list[Contact] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    unsorted: list[Unsorted] = field(default_factory=list)
    calls: list = field(default_factory=list)
    tasks: int = 0

    def __str__(self):
        parts = [str(item) for item in (*self.contacts, *self.deals, *self.unsorted, *self.calls)]
        if self.tasks:
            parts.append(f"{self.tasks} tasks")
        return "; ".join(parts) or "nothing"


def differences(expected: Holding, found: Holding) -> list[str]:
    """Every way in which the CRM does not hold what it must; empty when it does."""
    wrong = []
    for expectations, findings in (
        (expected.contacts, found.contacts),
        (expected.deals, found.deals),
        (expected.unsorted, found.unsorted),
    ):
        wrong += _unmatched(expectations, findings, lambda wanted, there: wanted == there)
    wrong += _unmatched(expected.calls, found.calls, lambda wanted, there: wanted.matches(there))
    if expected.tasks != found.tasks:
        wrong.append(f"expected {expected.tasks} tasks, found {found.tasks}")
    return wrong


def _unmatched(expectations, findings, is_match) -> list[str]:
    rest = list(findings)
    wrong = []
    for wanted in expectations:
        there = next((item for item in rest if is_match(wanted, item)), None)
        if there is None:
            wrong.append(f"missing: {wanted}")
        else:
            rest.remove(there)
    return wrong + [f"too much: {item}" for item in rest]
