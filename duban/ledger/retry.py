"""How long and how often a letter is tried."""

import random
from datetime import timedelta

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=6)
MOST_ATTEMPTS = 12


def pause(attempts: int) -> timedelta:
    """Full jitter between nothing and a bound that doubles from 30 seconds to 6 hours."""
    bound = min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)
    return bound * random.random()
