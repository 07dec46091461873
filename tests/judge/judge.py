#!/usr/bin/env python3
"""Judges the program by brute force on random tiny instances with mixed features. See README.md."""
import argparse
import datetime
import json
import multiprocessing
import os
import random
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from itertools import combinations

import instance
from brute import TooMuch
from court import Court
from verdict import Finding

RUN, MEET, REFUSED = 3300, 20, 0.05


def features(rng, counts, only):
    """Features for the next instance: a pair that has seldom met, and some more by chance."""
    pair = min(rng.sample(list(counts), 100), key=counts.get)
    picked = [only] if only else []
    picked += [name for name in pair if all(instance.possible(name, p) for p in picked)]
    for _ in range(rng.choice([2, 5, 6, 7, 7, 8])):
        few = [n for n in rng.sample(list(instance.FEATURES), 8) if n not in picked and all(instance.possible(n, p) for p in picked)]
        picked += sorted(few, key=lambda n: sum(counts[tuple(sorted((n, p)))] for p in picked))[:1]
    picked = list(dict.fromkeys(picked))
    counts.update(combinations(sorted(picked), 2))
    return picked


def planned(cases, seed, only):
    """The number of each case with its features."""
    names = sorted(instance.FEATURES)
    for i in range(cases):
        if i % RUN == 0:
            counts = Counter({p: 0 for p in combinations(names, 2) if instance.possible(*p)})
            rng = random.Random(f"{seed}/features/{i}")
        yield i, features(rng, counts, only)


def start(*arguments):
    global court
    court = Court(*arguments)


def hear(item):
    number, names = item
    try:
        return number, court.hear(number, names)
    except TooMuch:  # So is what is as good in the tiers before: the case is not judged.
        return number, []
    except Exception:  # The judge's own fault: it is told, and the run goes on.
        case = {"instance": {}, "options": [], "method": ["--method", "auto"], "features": names}
        return number, [(case, Finding("the judge fell over", traceback.format_exc()))]


class Report:
    """What has been counted."""
    def __init__(self, folder):
        self.folder = folder
        self.outcomes, self.kinds, self.refusals, self.met, self.each = (Counter() for _ in range(5))
        self.refused = self.judged = 0

    def add(self, number, case, outcome, first):
        """Counts an answer; an instance counts for its features once, with the first."""
        way = "check" if "plan" in case else (case.get("methods") or [case["method"]])[0][1]
        way = way if way in ("check", "auto", "search", "ilp") else "policy"
        if isinstance(outcome, Finding):
            self.kinds[outcome.kind] += 1
            self.outcomes[way, "WRONG"] += 1
            return self.keep(number, case, outcome)
        word, _, why = outcome.partition(": ")
        self.outcomes[way, word] += 1
        if word == "refused":
            self.refusals[re.sub(r"`[^`]*`|[0-9]+", "_", why)[:120]] += 1
            self.refused += "large" not in case["features"] and way != "ilp"
        else:
            self.judged += 1
            if first:
                self.each.update(case["features"])
                self.met.update(combinations(sorted(case["features"]), 2))

    def keep(self, number, case, finding):
        """Prints a fault, the first of its kind at least, and keeps it."""
        name = f"{number}-{sum(self.kinds.values())}"
        command = f"check {name}.json {name}.plan.json" if "plan" in case else f"solve {name}.json"
        command += "".join(f" {o}" for o in case["options"] + case.get("method", [])) if "plan" not in case else ""
        words = f"{finding}\n  stowplan {command}" + "".join(f"\n  also {' '.join(m)}" for m in case.get("methods", []))
        if self.kinds[finding.kind] <= 2:
            print(f"\n{words}\n  {json.dumps(case['instance'])}", flush=True)
        if self.folder:
            os.makedirs(self.folder, exist_ok=True)
            for end, content in ((".json", json.dumps(case["instance"])), (".txt", words + "\n"), (".plan.json", json.dumps(case.get("plan")))):
                if end != ".plan.json" or "plan" in case:
                    with open(os.path.join(self.folder, name + end), "w") as file:
                        file.write(content)

    def print(self, cases, took, whole):
        """The figures, and whether all is well."""
        print(f"\n{cases} cases, {sum(self.outcomes.values())} answers in {took:.0f} s: {cases / took:.0f} cases a second")
        for way in ("auto", "search", "ilp", "policy", "check"):
            print(f"  {way:7}" + "".join(f"{n:8} {word}" for (w, word), n in sorted(self.outcomes.items()) if w == way))
        for why, n in self.refusals.most_common(12):
            print(f"  refused {n:4}: {why}")
        print("each feature: instances judged, and what it met least")
        pairs = {p: self.met[p] for p in combinations(sorted(instance.FEATURES), 2) if instance.possible(*p)}
        for name in sorted(instance.FEATURES):
            n, other = min((n, a if b == name else b) for (a, b), n in pairs.items() if name in (a, b))
            print(f"  {name:14}{self.each[name]:7}{n:6} {other}")
        few = [p for p, n in pairs.items() if n < MEET]
        print(f"{len(pairs)} pairs, each met {min(pairs.values())} times or more, {len(few)} less than {MEET} times")
        wrong = sum(self.kinds.values())
        for kind, n in self.kinds.most_common():
            print(f"  WRONG {n:5}: {kind}")
        share = self.refused / max(1, self.judged)
        if share > REFUSED:
            print(f"{share:.1%} were refused, {REFUSED:.0%} may be: then the judge judges nothing")
        print("no fault" if not wrong else f"{wrong} faults")
        return not wrong and share <= REFUSED and not (whole and few)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default="target/release/stowplan", help="default target/release/stowplan")
    parser.add_argument("--cases", type=int, help=f"default {RUN}, with --long 10^6")
    parser.add_argument("--seed", default=datetime.date.today().isoformat(), help="default today's date")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--only", metavar="FEATURE", choices=sorted(instance.FEATURES), help="all cases have it")
    parser.add_argument("--solvers", default="microlp", help="solvers of the integer program, a list with commas")
    parser.add_argument("--keep", metavar="FOLDER", help="where failing instances go, as small as they can be made")
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    cases = options.cases or (10**6 if options.long else RUN)
    print(f"seed {options.seed}", flush=True)
    report, began = Report(options.keep), time.time()
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="judge-", dir=memory) as folder, multiprocessing.Pool(
            options.jobs, start, (folder, os.path.abspath(options.program), options.seed, options.solvers.split(","))) as pool:
        done = 0
        try:
            for number, heard in pool.imap_unordered(hear, planned(cases, options.seed, options.only), 8):
                done += 1
                for k, (case, outcome) in enumerate(heard):
                    report.add(number, case, outcome, k == 0)
                if done % 10000 == 0:
                    print(f"{done} cases, {sum(report.kinds.values())} faults", flush=True)
        except KeyboardInterrupt:
            print("interrupted")
    whole = done >= RUN and not options.only
    return 0 if report.print(done, time.time() - began, whole) and done == cases else 1


if __name__ == "__main__":
    sys.exit(main())
