"""Every scenario in the order of playing; trouble comes last, because it restarts things."""

from calls import CALLS
from trouble import TROUBLE

SCENARIOS = [*CALLS, *TROUBLE]
