"""Every scenario in the order of playing; trouble comes last, because it restarts things."""

from calls import CALLS
from questions import QUESTIONS
from trouble import TROUBLE

SCENARIOS = [*CALLS, *QUESTIONS, *TROUBLE]
