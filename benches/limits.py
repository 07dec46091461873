#!/usr/bin/env python3
"""How far commands run past their --time-limit, on instances far too large for it.

    python3 benches/limits.py target/release/stowplan [--before OTHER] [--limit 1] [--only WORD,WORD] [--folder DIR]

Each case is one command on one thread (RAYON_NUM_THREADS=1). With -v a command says when it has read, answered
and written; this script looks at the processor time of the process at those moments and when the limit is up, so
that reading and writing do not count, and neither does what else the machine does. `over` is the time from the
limit to the answer, by the clock or in processor time, whichever is less. Of another program (--before), which
may say nothing of its laps, `before` is the processor time of the whole command less what the first program
needed to read and write, and less the limit.

Exit code 1 when any case is more than half a second over.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time

ALLOWED = 0.5
TICKS = os.sysconf("SC_CLK_TCK")


def uniform(tasks, nodes):
    return ["uniform", "--tasks", str(tasks), "--nodes", str(nodes), "--priced"]


def chain(tasks, nodes):
    """One long chain: each task after the one before it."""
    rng = random.Random(1)
    return {
        "schema_version": 1,
        "goal": "makespan",
        "nodes": [{"id": f"n{k}", "capacity": {"cpu": 16}} for k in range(nodes)],
        "tasks": [
            {
                "id": f"t{k}",
                "demand": {"cpu": rng.randint(1, 8)},
                "duration": rng.randint(1, 100),
                "after": [f"t{k - 1}"] if k else [],
            }
            for k in range(tasks)
        ],
    }


def apart(tasks, nodes):
    """All tasks on nodes of their own."""
    rng = random.Random(1)
    names = [f"t{k}" for k in range(tasks)]
    return {
        "schema_version": 1,
        "nodes": [{"id": f"n{k}", "capacity": {"cpu": 16}} for k in range(nodes)],
        "tasks": [{"id": name, "demand": {"cpu": rng.randint(1, 8)}} for name in names],
        "rules": [{"rule": "apart", "tasks": names, "over": "node"}],
    }


def gangs(units, nodes, goal):
    """Ten gangs of so many units."""
    rng = random.Random(1)
    return {
        "schema_version": 1,
        "goal": goal,
        "nodes": [{"id": f"n{k}", "capacity": {"cpu": 16}} for k in range(nodes)],
        "tasks": [
            {
                "id": f"g{k}",
                "demand": {"cpu": rng.randint(1, 4)},
                "duration": rng.randint(10, 1000),
                "replicas": units,
            }
            for k in range(10)
        ],
    }


INSTANCES = {
    "million": uniform(1_000_000, 10_000),
    "quarter": uniform(250_000, 2_500),
    "fifty": uniform(50_000, 500),
    "cluster": ["gpu-cluster", "--tasks", "100000", "--nodes", "10000"],
    "week": ["week", "--tasks", "100000", "--nodes", "1000"],
    "layers": ["layered", "--tasks", "100000", "--nodes", "1000"],
    "pairs": ["assignment", "--tasks", "5000", "--nodes", "500"],
    "chain": lambda: chain(100_000, 1_000),
    "apart": lambda: apart(10_000, 12_000),
    "gangs": lambda: gangs(10_000, 20_000, "peak"),
    "gangs-timed": lambda: gangs(10_000, 2_500, "makespan"),
}

SCENARIOS = "".join(
    f'[[scenario]]\nname = "{k} is down"\ndown = "{{node{k}}}"\n' for k in range(10)
)

# name, instance, words after the program; {i} is the instance, {p} a plan for it, {s} ten scenarios, {w} a sweep
CASES = [
    ("cost", "million", "solve {i} --goal cost"),
    ("peak", "million", "solve {i} --goal peak"),
    ("balance", "million", "solve {i} --goal balance"),
    ("nodes", "million", "solve {i} --goal nodes"),
    ("ilp", "million", "solve {i} --method ilp"),
    ("best-fit", "million", "solve {i} --method best-fit"),
    ("allow-unplaced", "million", "solve {i} --goal cost --allow-unplaced"),
    ("replan", "million", "replan {i} --from {p} --drain {n} --output csv"),
    ("survive", "million", "survive {i} {p}"),
    ("explain", "million", "explain {i}"),
    ("cost", "quarter", "solve {i} --goal cost"),
    ("soft tiers", "quarter", "solve {i} --goal nodes,balance"),
    ("peak", "cluster", "solve {i}"),
    ("nodes", "cluster", "solve {i} --goal nodes"),
    ("survive", "cluster", "survive {i} {p}"),
    ("explain", "cluster", "explain {i}"),
    ("explain --task", "cluster", "explain {i} {p} --task {t}"),
    ("replan --frontier", "fifty", "replan {i} --from {p} --frontier --goal peak"),
    ("compare all", "fifty", "compare {i} --methods all"),
    ("what-if", "fifty", "what-if {i} {s}"),
    ("sweep", "fifty", "sweep {w} --jobs 1"),
    ("cost", "pairs", "solve {i} --goal cost"),
    ("apart", "apart", "solve {i}"),
    ("gangs", "gangs", "solve {i}"),
    ("gangs in time", "gangs-timed", "solve {i}"),
    ("week", "week", "solve {i}"),
    ("week, easy", "week", "solve {i} --method easy"),
    ("layers", "layers", "solve {i}"),
    ("layers, tardiness", "layers", "solve {i} --goal completion"),
    ("chain", "chain", "solve {i}"),
    ("compare", "week", "compare {i} --methods auto,easy,fifo"),
]


class Inputs:
    """Instances, plans, scenarios and sweeps, made once and kept in a folder."""

    def __init__(self, program, folder, limit):
        self.program, self.folder, self.limit = program, folder, limit

    def path(self, name):
        return os.path.join(self.folder, name)

    def instance(self, name):
        path = self.path(f"{name}.json")
        if not os.path.exists(path):
            made = INSTANCES[name]
            if callable(made):
                with open(path, "w") as file:
                    json.dump(made(), file)
            else:
                subprocess.run([self.program, "generate", *made, "-o", path], check=True)
        return path

    def first(self, name, what):
        with open(self.instance(name)) as file:
            document = json.load(file)
        return [entry["id"] for entry in document[what][:10]]

    def plan(self, name):
        path = self.path(f"{name}.plan.json")
        if not os.path.exists(path):
            words = ["solve", self.instance(name), "--goal", "peak", "--time-limit", "5", "--output", "json"]
            subprocess.run([self.program, *words, "-o", path], check=True, stderr=subprocess.DEVNULL)
        return path

    def words(self, name, text):
        nodes = self.first(name, "nodes")
        values = {"i": self.instance(name), "n": nodes[0], "t": self.first(name, "tasks")[0]}
        if "{p}" in text:
            values["p"] = self.plan(name)
        if "{s}" in text:
            values["s"] = self.path(f"{name}.scenarios.toml")
            with open(values["s"], "w") as file:
                file.write(SCENARIOS.format(**{f"node{k}": node for k, node in enumerate(nodes)}))
        if "{w}" in text:
            values["w"] = self.path(f"{name}.sweep.toml")
            with open(values["w"], "w") as file:
                file.write(f'instance = "{values["i"]}"\ngoal = ["peak", "cost", "nodes", "balance"]\nseed = [1, 2]\n')
        return [word.format(**values) for word in text.split()] + ["--time-limit", str(self.limit)]


def processor(pid):
    """Seconds of the processor that a process has used, all threads."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def run(program, words, limit, folder):
    """Runs one command; laps by clock and processor, None where it says nothing of them."""
    out = os.path.join(folder, "answer.txt")
    with open(out, "w") as answer:
        process = subprocess.Popen(
            [program, *words],
            stdout=answer,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "RAYON_NUM_THREADS": "1"},
        )
    laps, up, lines = {}, {}, []

    def mark():
        try:
            up["processor"] = processor(process.pid)
        except OSError:
            pass

    for line in process.stderr:
        lines.append(line.strip())
        word = line.split(" in ")[0]
        if word in ("read", "answered", "written") and word not in laps:
            try:
                laps[word] = (time.monotonic(), processor(process.pid))
            except OSError:
                pass
            if word == "read":
                timer = threading.Timer(limit, mark)
                timer.daemon = True
                timer.start()
    _, status, usage = os.wait4(process.pid, 0)
    total = usage.ru_utime + usage.ru_stime
    with open(out) as file:
        head = file.readline().strip()
    return laps, up.get("processor"), total, os.waitstatus_to_exitcode(status), head, lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--before", help="another program, run on the same cases")
    parser.add_argument("--limit", type=float, default=1.0)
    parser.add_argument("--only", default="", help="words of which a case's name or instance has one")
    parser.add_argument("--folder", help="where inputs are kept [default: a temporary folder]")
    args = parser.parse_args()
    folder = args.folder or tempfile.mkdtemp(prefix="stowplan-limits-")
    os.makedirs(folder, exist_ok=True)
    inputs = Inputs(args.program, folder, args.limit)
    wanted = [word for word in args.only.split(",") if word]
    print("| command | instance | read | answer | over | before | exit | what came of it |")
    print("|---|---|---:|---:|---:|---:|---:|---|")
    late = 0
    for name, instance, text in CASES:
        if wanted and not any(word in f"{name} {instance}" for word in wanted):
            continue
        words = inputs.words(instance, text)
        laps, up, total, code, head, _ = run(args.program, words + ["-v"], args.limit, folder)
        read, answered = laps.get("read", (0, 0)), laps.get("answered")
        if answered is None:
            answered = (time.monotonic(), total)
        took = answered[0] - read[0]
        after = answered[1] - up if up is not None else 0.0
        over = max(0.0, min(took - args.limit, after))
        late += over > ALLOWED
        before = "-"
        if args.before:
            _, _, other, _, _, _ = run(args.before, words, args.limit, folder)
            aside = read[1] + max(0.0, total - answered[1])
            before = f"{max(0.0, other - aside - args.limit):.1f}"
        print(f"| {name} | {instance} | {read[1]:.2f} | {took:.2f} | {over:.2f} | {before} | {code} | {head[:90]} |", flush=True)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
