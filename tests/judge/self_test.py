#!/usr/bin/env python3
"""Tries whether the judge's short cuts are sound: schedules with starts that can matter against all seconds there are."""
import random
import sys

import instance
from brute import Brute, TooMuch
from verdict import understand


def main():
    seed, cases = (sys.argv[1:] + ["1", "200"])[:2]
    tried = 0
    for number in range(int(cases)):
        rng = random.Random(f"{seed}/{number}")
        names = [n for n in rng.sample(list(instance.FEATURES), 7) if n not in instance.PLAIN_ONLY | {"large"}] + ["wait"]
        picked = []
        for name in names:
            if all(instance.possible(name, p) for p in picked):
                picked.append(name)
        case = instance.draw(rng, picked, size=0)
        try:
            few, every = (Brute(understand(case), 300000, way).optimum() for way in (False, True))
        except TooMuch:
            continue
        tried += 1
        if (few and few[0]) != (every and every[0]):
            print(f"case {number}: {few}, with every second {every}\n{case}")
            return 1
    print(f"{tried} of {cases} instances: the same with every second")
    return 0


if __name__ == "__main__":
    sys.exit(main())
