#!/usr/bin/env python3
"""Consolidation as Karpenter does it, one node after another, against `replan --goal "cost, moved"`.

    karpenter.py --cases 5 --pods 120 --time-limit 60

A cluster grows by first-fit-decreasing, a batch of pods at a time, pods leave it until so many are left, and both
make it cheaper: Karpenter's rules (version 1: empty nodes; several nodes for one that is cheaper, found by halving;
single nodes), written down here anew and repeated until nothing more comes of them; and stowplan, which may buy any
nodes of the same catalogue.
Prices are made up after those of common machines, a core costs the same in every size; nothing is asked of pods but
room. Prints a Markdown table.
Exit code: 0 every plan of stowplan's holds, 1 some do not, 2 the run could not start.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))

# What a virtual core costs in a family, in thousandths an hour, and GiB a core.
FAMILIES = {"c": (42, 2), "m": (48, 4), "r": (63, 8)}
SIZES = {"large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16, "8xlarge": 32, "12xlarge": 48}
COPIES = 8

# name -> (thousandths of a core, MiB, price)
CATALOGUE = {f"{family}.{size}": (cores * 1000 - 80, cores * gib * 1024 * 15 // 16, cores * price)
             for family, (price, gib) in FAMILIES.items() for size, cores in SIZES.items()}


def pods(rng, count):
    """Web servers, caches, workers: many small ones, few large ones, of different shapes."""
    made = []
    for _ in range(count):
        cpu = rng.choice([100, 250, 500, 500, 1000, 1000, 2000, 4000, 7000])
        made.append((cpu, max(128, int(cpu * rng.choice([0.5, 1, 2, 2, 4, 4, 8, 12])))))
    return made


class Node:
    def __init__(self, kind, on=()):
        self.kind = kind
        self.on = list(on)

    def price(self):
        return CATALOGUE[self.kind][2]


def schedule(waiting, nodes):
    """First-fit-decreasing: on what is there, then on new nodes, of which each keeps the kinds that still fit.
    Returns where pods went on nodes that are there, and the new nodes with their kinds, cheapest first."""
    there, new = {}, []
    loads = [list(map(sum, zip((0, 0), *node.on))) for node in nodes]
    for pod in sorted(waiting, reverse=True):
        for k, (node, load) in enumerate(zip(nodes, loads)):
            cpu, memory, _ = CATALOGUE[node.kind]
            if load[0] + pod[0] <= cpu and load[1] + pod[1] <= memory:
                load[0] += pod[0]
                load[1] += pod[1]
                there.setdefault(k, []).append(pod)
                break
        else:
            for claim in new:
                cpu, memory = claim[0] + pod[0], claim[1] + pod[1]
                kinds = [kind for kind in claim[2] if cpu <= CATALOGUE[kind][0] and memory <= CATALOGUE[kind][1]]
                if kinds:
                    claim[:3] = cpu, memory, kinds
                    claim[3].append(pod)
                    break
            else:
                kinds = [kind for kind, (cpu, memory, _) in CATALOGUE.items() if pod[0] <= cpu and pod[1] <= memory]
                new.append([*pod, kinds, [pod]])
    return there, [(sorted(kinds, key=lambda kind: CATALOGUE[kind][2]), on) for _, _, kinds, on in new]


def consolidated(nodes, gone):
    """The cluster without these nodes, or with one cheaper node in their place; None where that is no gain."""
    stay = [node for node in nodes if node not in gone]
    there, new = schedule([pod for node in gone for pod in node.on], stay)
    if len(new) > 1:
        return None
    made = [Node(node.kind, node.on + there.get(k, [])) for k, node in enumerate(stay)]
    for kinds, on in new:
        price = sum(node.price() for node in gone)
        cheaper = [kind for kind in kinds if CATALOGUE[kind][2] < price]
        same = [node.price() for node in gone if node.kind in cheaper]
        if len(gone) > 1 and same:
            cheaper = [kind for kind in cheaper if CATALOGUE[kind][2] < min(same)]
        if not cheaper:
            return None
        made.append(Node(cheaper[0], on))
    return made


def karpenter(nodes):
    """Until nothing more comes of it: the cluster, how many pods were evicted, in how many steps."""
    evicted = steps = 0
    while True:
        nodes = [node for node in nodes if node.on]
        order = sorted(nodes, key=lambda node: len(node.on))
        best, low, high = None, 2, min(len(order), 100)
        while low <= high:
            middle = (low + high) // 2
            found = consolidated(nodes, order[:middle])
            if found is None:
                high = middle - 1
            else:
                best, low = (order[:middle], found), middle + 1
        for node in order if best is None else []:
            found = consolidated(nodes, [node])
            if found is not None:
                best = [node], found
                break
        if best is None:
            return nodes, evicted, steps
        evicted += sum(len(node.on) for node in best[0])
        nodes, steps = best[1], steps + 1


def cost(nodes):
    return sum(node.price() for node in nodes)


def stowplan(options, nodes, *more):
    """The answer of `replan`, the cost of its plan counted anew, and seconds."""
    shape = lambda kind: {"capacity": {"cpu": CATALOGUE[kind][0], "memory": CATALOGUE[kind][1]}, "price": CATALOGUE[kind][2]}
    there = [{"id": f"there-{k}", **shape(node.kind)} for k, node in enumerate(nodes)]
    shop = [{"id": f"{kind}-{k}", **shape(kind)} for kind in CATALOGUE for k in range(COPIES)]
    tasks = [{"id": f"p{k}-{j}", "demand": {"cpu": cpu, "memory": memory}, "node": f"there-{k}"}
             for k, node in enumerate(nodes) for j, (cpu, memory) in enumerate(node.on)]
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
        json.dump({"tasks": tasks, "nodes": there + shop}, file)
    begun = time.monotonic()
    try:
        done = subprocess.run([options.program, "replan", file.name, "--goal", "cost, moved", "--time-limit", str(options.time_limit),
                               "--output", "json", "--quiet", *more], capture_output=True, text=True)
    finally:
        os.unlink(file.name)
    seconds = time.monotonic() - begun
    if not done.stdout:
        sys.exit(done.stderr)
    out = json.loads(done.stdout)
    kind = {node["id"]: node for node in there + shop}
    load = {}
    for task, place in zip(tasks, sorted(out["assignments"], key=lambda a: [t["id"] for t in tasks].index(a["task"]))):
        own = load.setdefault(place["node"], [0, 0])
        own[0] += task["demand"]["cpu"]
        own[1] += task["demand"]["memory"]
    holds = len(out["assignments"]) == len(tasks) and all(
        used <= kind[node]["capacity"][name] for node, own in load.items() for used, name in zip(own, ("cpu", "memory")))
    return out, sum(kind[node]["price"] for node in load), holds, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=5)
    parser.add_argument("--pods", type=int, default=120, help="pods that are left")
    parser.add_argument("--before", type=float, default=2.5, help="times as many before the others left")
    parser.add_argument("--batch", type=int, default=8, help="pods that come at once")
    parser.add_argument("--time-limit", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--program", default=os.path.join(ROOT, "target/release/stowplan"))
    options = parser.parse_args()
    if not os.access(options.program, os.X_OK):
        print(f"{options.program} is missing: `cargo build --release`", file=sys.stderr)
        return 2
    print("| seed | nodes, cost before | Karpenter: nodes, cost, evictions, steps | stowplan: nodes, cost, bound, moves, waves, seconds | cheaper by "
          "| with no more moves: cost, moves, seconds | cheaper by |")
    print("|---|---|---|---|---|---|---|")
    good = True
    for seed in range(options.seed, options.seed + options.cases):
        rng = random.Random(seed)
        nodes, coming = [], pods(rng, int(options.pods * options.before))
        while coming:
            there, new = schedule(coming[:options.batch], nodes)
            for k, on in there.items():
                nodes[k].on += on
            nodes += [Node(kinds[0], on) for kinds, on in new]
            del coming[:options.batch]
        left = [(node, pod) for node in nodes for pod in node.on]
        rng.shuffle(left)
        for node, pod in left[options.pods:]:
            node.on.remove(pod)
        nodes = [node for node in nodes if node.on]
        theirs, evicted, steps = karpenter([Node(node.kind, node.on) for node in nodes])
        out, ours, holds, seconds = stowplan(options, nodes)
        tier = out["goal"][0]
        good &= holds and abs(tier["value"] - ours) < 1e-6 and tier["bound"] <= ours + 1e-6
        few, less, also, long = stowplan(options, nodes, "--max-moves", str(evicted))
        good &= also and few["moves"]["count"] <= evicted
        used = len({a["node"] for a in out["assignments"]})
        print(f"| {seed} | {len(nodes)}, {cost(nodes)} | {len(theirs)}, {cost(theirs)}, {evicted}, {steps} "
              f"| {used}, {ours}, {tier['bound']:g}, {out['moves']['count']}, {len(out['moves']['waves'])}, {seconds:.0f} "
              f"| {100 * (cost(theirs) - ours) / cost(theirs):.1f} % "
              f"| {less}, {few['moves']['count']}, {long:.0f} | {100 * (cost(theirs) - less) / cost(theirs):.1f} % |", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
