#!/usr/bin/env python3
"""Compares stowplan's reading of Kubernetes clusters with the real kube-scheduler's.

    truth.py verdicts --clusters 10000     one waiting pod: may it run on this node? pod and node by node
    truth.py queues --clusters 1000        several waiting pods: plans against filters and the default queue
    truth.py record                        writes the verdicts that `cargo test` replays

The judge is built by `go build -o kube-judge .` here; `--judge` says where it is.
Exit code: 0 all answers agree, 1 some differ, 2 the run could not start.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import random
import subprocess
import sys
import tempfile

import clusters

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", "..", ".."))


def ask_judge(judge, questions, jobs):
    text = "".join(json.dumps(q) + "\n" for q in questions)
    done = subprocess.run([judge, "-jobs", str(jobs)], input=text, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def stowplan(program, arguments, objects):
    """The program's answer about a dump: exit code, standard output as JSON where it is, standard error."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
        json.dump({"apiVersion": "v1", "kind": "List", "items": objects}, file)
    try:
        done = subprocess.run([program, *arguments, file.name], capture_output=True, text=True, timeout=120)
    finally:
        os.unlink(file.name)
    try:
        return done.returncode, json.loads(done.stdout), done.stderr
    except json.JSONDecodeError:
        return done.returncode, None, done.stderr


def our_verdicts(program, objects):
    """Node by node what stands between the pod `d/w-0` and it, "" for nothing; a text where there is no answer."""
    code, out, err = stowplan(program, ["explain", "--task", "d/w-0", "--allow-unplaced", "--output", "json"], objects)
    nodes = [o["metadata"]["name"] for o in objects if o["kind"] == "Node"]
    if out is None or "nodes" not in out:
        if "no ready node" in err or "waits" in err or "gate" in err:
            return {n: err.strip() for n in nodes}, err
        return f"exit {code}: {err.strip()}", err
    verdict = {n: "" for n in nodes}
    for other in out["nodes"]:
        if "reason" in other:
            verdict[other["node"]] = other.get("detail") or other["reason"]
    return verdict, err


def verdicts(options):
    cases = []
    for k in range(options.clusters):
        seed = f"{options.seed}-{k}"
        features = options.features or clusters.draw(seed)
        cases.append((seed, features, clusters.cluster(seed, features)))
    theirs = ask_judge(options.judge, ({"ask": "filters", "objects": c[2]} for c in cases), 2)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ours = list(pool.map(lambda c: our_verdicts(options.program, c[2]), cases))
    tally = collections.defaultdict(lambda: [0, 0])
    agreed = nodes = same = 0
    for (seed, features, objects), right, (mine, err) in zip(cases, theirs, ours):
        if "error" in right:
            print(f"{seed} {'+'.join(features)}: the judge: {right['error']}")
            continue
        right = right["filters"]["d/w-0"]
        wrong = []
        if isinstance(mine, str):
            wrong.append(mine)
        else:
            for name, why in sorted(right.items()):
                nodes += 1
                if (why == "") == (mine[name] == ""):
                    same += 1
                else:
                    wrong.append(f"{name}: the scheduler: {why or 'yes'}; we: {mine[name] or 'yes'}")
        agreed += not wrong
        for feature in features:
            tally[feature][0] += not wrong
            tally[feature][1] += 1
        if wrong and options.show > 0:
            options.show -= 1
            print(f"{seed} {'+'.join(features)}")
            for line in wrong:
                print("   ", line)
            for line in err.splitlines():
                if line.startswith("assum") or "wider" in line or "narrower" in line:
                    print("    said:", line)
            if options.keep:
                with open(os.path.join(options.keep, f"{seed}.json"), "w") as file:
                    json.dump({"apiVersion": "v1", "kind": "List", "items": objects}, file, indent=1)
    for feature, (good, all_) in sorted(tally.items()):
        print(f"{feature:16} {good} of {all_}")
    print(f"{agreed} of {len(cases)} clusters, {same} of {nodes} verdicts")
    return 0 if agreed == len(cases) else 1


def our_plan(program, objects):
    """Where every pod goes, how many are left out at least and whether that is proven, assumptions."""
    arguments = ["solve", "--allow-unplaced", "--time-limit", "5", "--output", "json"]
    code, out, err = stowplan(program, arguments, objects)
    if "there are no tasks" in err:
        return {}, sum(o["kind"] == "Pod" and "nodeName" not in o["spec"] for o in objects), []
    if out is None or "assignments" not in out:
        return f"exit {code}: {err.strip()}"
    tier = out["goal"][0]
    left = tier["bound"] if tier["tier"] == "unplaced" else 0
    plan = {a["task"]: a["node"] for a in out["assignments"] if a["node"] is not None}
    told = [(a["direction"], a["field"], a["note"]) for a in out["instance"].get("assumptions", [])]
    return plan, left, told


def queues(options):
    cases = []
    for k in range(options.clusters):
        seed = f"q{options.seed}-{k}"
        rng = random.Random(seed)
        features = options.features or clusters.draw(seed)
        waiting = rng.randint(3, options.pods)
        cases.append((seed, features, clusters.cluster(seed, features, waiting, (3, 10))))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ours = list(pool.map(lambda c: our_plan(options.program, c[2]), cases))
    theirs = ask_judge(options.judge, ({"ask": "queue", "objects": c[2]} for c in cases), 16)
    binds = ask_judge(options.judge, ({"ask": "bind", "objects": c[2], "plan": p[0] if isinstance(p, tuple) else {}}
                                      for c, p in zip(cases, ours)), 8)
    total = collections.Counter()
    bad = 0

    def show(seed, features, objects, lines):
        if options.show <= 0:
            return
        options.show -= 1
        print(f"{seed} {'+'.join(features)}")
        for line in lines:
            print("   ", line)
        if options.keep:
            with open(os.path.join(options.keep, f"{seed}.json"), "w") as file:
                json.dump({"apiVersion": "v1", "kind": "List", "items": objects}, file, indent=1)

    for (seed, features, objects), mine, real, bound in zip(cases, ours, theirs, binds):
        wrong = []
        if isinstance(mine, str):
            wrong.append(mine)
        for answer in (real, bound):
            if "error" in answer:
                wrong.append(f"the judge: {answer['error']}")
        if not wrong:
            plan, left, told = mine
            pods = sum(o["kind"] == "Pod" and o["metadata"]["name"].startswith("w-") for o in objects)
            placed = len(real.get("placed", {}))
            total["placed by the scheduler"] += placed
            total["placed by stowplan"] += len(plan)
            total["pods"] += pods
            total["proven"] += pods - len(plan) <= left
            total["the scheduler places fewer"] += placed < len(plan)
            unsaid = lambda *kinds: not any(kind in kinds for kind, *_ in told)
            if placed > pods - left and unsaid("narrower", "either"):
                wrong.append(f"the scheduler places {placed} of {pods}, proven are {pods - left} at most")
            elif placed > len(plan):
                total["the scheduler places more (assumed or not proven)"] += 1
            refused = bound.get("refused") or {}
            total["placements refused"] += len(refused)
            total["plans refused in part"] += bool(refused)
            if refused and unsaid("wider", "either"):
                wrong += [f"{pod} to {plan[pod]}: {why}" for pod, why in sorted(refused.items())]
                total["of these without a word"] += 1
            wrong += [f"said: {' '.join(one)}" for one in told if wrong]
        if wrong:
            bad += 1
            show(seed, features, objects, wrong)
    for name, count in sorted(total.items()):
        print(f"{count:8} {name}")
    print(f"{len(cases) - bad} of {len(cases)} clusters")
    return 0 if bad == 0 else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ask", choices=["verdicts", "queues"])
    parser.add_argument("--clusters", type=int, default=1000)
    parser.add_argument("--pods", type=int, default=12, help="queues: most pods that wait")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--features", type=lambda t: t.split(","), help="these instead of one to three drawn")
    parser.add_argument("--show", type=int, default=10, help="differences that are printed")
    parser.add_argument("--keep", help="folder for the clusters of the differences printed")
    parser.add_argument("--program", default=os.path.join(ROOT, "target/release/stowplan"))
    parser.add_argument("--judge", default=os.path.join(HERE, "kube-judge"))
    options = parser.parse_args()
    for needed in (options.program, options.judge):
        if not os.access(needed, os.X_OK):
            sys.exit(f"{needed} is missing: `cargo build --release`, and `go build -o kube-judge .` in {HERE}")
    return globals()[options.ask](options)


if __name__ == "__main__":
    sys.exit(main())
