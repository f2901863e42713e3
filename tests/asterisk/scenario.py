"""What a scenario is, and the shapes in which its expectations are written.

The settings that the expectations rest on are those of company/tenants.d/office.toml:

    incoming  A answered, unknown  contact and deal  3100/3102
              B missed, unknown    unsorted          3100
              C answered, known    contact and deal  3100/3103  (only where no deal is open)
              D missed, known      deal always       3200/3202
    outgoing  A answered, unknown  contact and deal  3200/3203
              B missed, unknown    contact
    default responsible 501; 101 is Anna, user 502; 102 is Boris, 503; 103 is Vera, 504

A call is answered when an employee talked, and names who talked last; a missed call names the
employee who was rung where that was one, and nobody where there were none or several.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from expectations import Call, Contact, Deal, Holding, Unsorted
from stage import Stage

ANNA, BORIS, VERA, NOBODY, DEFAULT = 502, 503, 504, None, 501

# Our numbers, by what conf/extensions.conf does with them.
DESK = "74951230010"
PAIR = "74951230011"
QUEUE = "74951230012"
SALES = "74951230013"
MENU = "74951230014"
TAPED = "74951230015"
OVERFLOW = "74951230016"
# Here the dialplan asks the daemon; without an answer 103 rings.
ASKED = "74951230017"
ASKED_FREEPBX = "74951230018"
ASKED_MIKOPBX = "74951230019"
ASKED_FOR_MANAGER = "74951230020"

NOTHING = Holding()


@dataclass(frozen=True)
class Scenario:
    name: str
    client: str
    expected: Holding
    play: Callable[[Stage, str], Awaitable[None]]
    needs_daemon: bool

    @property
    def title(self) -> str:
        return (self.play.__doc__ or self.name).strip().splitlines()[0]


class Chapter(list[Scenario]):
    """Scenarios in the order of playing."""

    def scenario(self, client: str, expected: Holding, needs_daemon: bool = False):
        """Adds the decorated call; each has a client number of its own."""
        def add(play):
            self.append(Scenario(play.__name__, client, expected, play, needs_daemon))
            return play
        return add


def answered_in(by: int, talk_s: tuple[int, int] = (1, 3)) -> Holding:
    """Incoming case A: the unknown client becomes a contact with a deal, the call on the deal."""
    return Holding(
        contacts=[Contact(DEFAULT)],
        deals=[Deal(3100, 3102, DEFAULT)],
        calls=[Call("in", True, by, talk_s, "deal")],
    )


def missed_in(rung: int | None) -> Holding:
    """Incoming case B: an unsorted record of the category sip, which carries the call."""
    return Holding(
        unsorted=[Unsorted(3100, "sip")],
        calls=[Call("in", False, rung, (0, 0), "unsorted")],
    )


def answered_out(by: int, talk_s: tuple[int, int] = (1, 3)) -> Holding:
    """Outgoing case A."""
    return Holding(
        contacts=[Contact(DEFAULT)],
        deals=[Deal(3200, 3203, DEFAULT)],
        calls=[Call("out", True, by, talk_s, "deal")],
    )


def missed_out(by: int) -> Holding:
    """Outgoing case B: a contact and nothing else; the call on the contact."""
    return Holding(
        contacts=[Contact(DEFAULT)],
        calls=[Call("out", False, by, (0, 0), "contact")],
    )
