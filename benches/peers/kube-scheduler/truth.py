#!/usr/bin/env python3
"""Compares stowplan's reading of Kubernetes clusters with the real kube-scheduler's.

    truth.py verdicts --clusters 10000     one waiting pod: may it run on this node? pod and node by node
    truth.py queues --clusters 1000        several waiting pods: plans against filters and the default queue
    truth.py drains --clusters 150         plans of `replan`, replayed wave by wave with disruption budgets
    truth.py evictions --clusters 300      `solve --preempt` for one pod against the scheduler's preemption
    truth.py moves --clusters 150          fewest moves of `replan --drain` against all placements of tiny clusters
    truth.py groups --clusters 300         `exclusive-topology`: plans of manifests, bound as their webhooks change the pods
    truth.py record --clusters 220         writes the verdicts that `cargo test` replays

The judge is built by `go build -o kube-judge .` here; `--judge` says where it is.
Exit code: 0 all answers agree, 1 some differ, 2 the run could not start.
"""

import argparse
import collections
import concurrent.futures
import copy
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile

import clusters

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", "..", ".."))


# What stands on standard error behind an assumption of each direction.
SAID = {"wider": "may do what the cluster refuses", "narrower": "may refuse what the cluster allows", "either": "may allow more or less"}


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


def show(options, seed, features, objects, lines):
    """Prints a difference while there are not too many, and keeps its cluster."""
    if options.show <= 0:
        return
    options.show -= 1
    print(f"{seed} {'+'.join(features)}")
    for line in lines:
        print("   ", line)
    if options.keep:
        with open(os.path.join(options.keep, f"{seed}.json"), "w") as file:
            json.dump({"apiVersion": "v1", "kind": "List", "items": objects}, file, indent=1)


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
        if wrong:
            said = [f"said: {line}" for line in err.splitlines() if "the plan may" in line or "the cluster may" in line]
            show(options, seed, features, objects, wrong + said)
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
            show(options, seed, features, objects, wrong)
    for name, count in sorted(total.items()):
        print(f"{count:8} {name}")
    print(f"{len(cases) - bad} of {len(cases)} clusters")
    return 0 if bad == 0 else 1


def drains(options):
    """`replan --drain` of one node, and `--goal nodes,moved`: the waves are replayed."""
    known = ["conditions", "devices", "ports", "requests", "selectors", "spread", "pod-affinity", "taints", "runtime-class"]
    cases, questions, skipped = [], [], collections.Counter()
    for k in range(options.clusters):
        seed = f"d{options.seed}-{k}"
        rng = random.Random(seed)
        features = options.features or rng.sample(known, rng.randint(1, 3))
        objects = clusters.owned(seed, features)
        emptied = rng.choice([o["metadata"]["name"] for o in objects if o["kind"] == "Node"])
        drain = rng.random() < 0.6
        asks = ["--drain", emptied] if drain else ["--goal", "nodes,moved"]
        code, out, err = stowplan(options.program, ["replan", *asks, "--output", "json", "--time-limit", "5"], objects)
        if out is None or "moves" not in out:
            what = [line for line in err.splitlines() if line.startswith("error")] or [str((out or {}).get("status"))]
            skipped["no plan exists" if "no plan exists" in what[0] else what[0]] += 1
            continue
        waves = [{move["task"]: move["to"] for move in wave} for wave in out["moves"]["waves"]]
        seen = [dict(o) for o in objects]
        for o in seen:
            if drain and o["kind"] == "Node" and o["metadata"]["name"] == emptied:
                o["spec"] = {**o["spec"], "unschedulable": True}
        cases.append((seed, features, objects, out, asks))
        questions.append({"ask": "waves", "objects": seen, "waves": waves})
    total = collections.Counter()
    bad = 0
    for (seed, features, objects, out, asks), real in zip(cases, ask_judge(options.judge, questions, 8)):
        if out["moves"].get("stuck"):
            total["orders that are not complete"] += 1
            continue
        total["moves"] += out["moves"]["count"]
        total["waves"] += len(out["moves"]["waves"])
        total["optimal"] += out["status"] == "optimal"
        wrong = [real["error"]] if "error" in real else [f"{pod}: {why}" for pod, why in (real.get("refused") or {}).items()]
        told = [(a["direction"], a["field"], a["note"]) for a in out["instance"].get("assumptions", [])]
        said = [one for one in told if one[0] in ("wider", "either") and one[1] != "status.disruptionsAllowed"]
        if wrong and said:
            total["refused, with a word"] += 1
        elif wrong:
            bad += 1
            show(options, seed, features + asks, objects, wrong + [str(out["moves"]["waves"])])
    for name, count in sorted(total.items()) + sorted(skipped.items()):
        print(f"{count:8} {name[:150]}")
    print(f"{len(cases) - bad} of {len(cases)} plans, {options.clusters - len(cases)} clusters without one")
    return 0 if bad == 0 else 1


def placements(pods, nodes, emptied):
    """Every way to move pods of the node and any others, the fewest moves first: pod to its new node."""
    must = [name for name, node in pods.items() if node == emptied]
    may = [name for name, node in pods.items() if node != emptied]
    others = [node for node in nodes if node != emptied]
    for more in range(len(may) + 1):
        for also in itertools.combinations(may, more):
            moved = must + list(also)
            for to in itertools.product(others, repeat=len(moved)):
                plan = dict(zip(moved, to))
                if all(pods[name] != node for name, node in plan.items()):
                    yield plan


def fewest(judge, objects, emptied):
    """The fewest moves after which the filters agree with where every moved pod is; none where none do."""
    stays = [o for o in objects if o["kind"] == "Pod" and "deletionTimestamp" not in o["metadata"]]
    pods = {f"{o['metadata']['namespace']}/{o['metadata']['name']}": o["spec"]["nodeName"] for o in stays}
    nodes = [o["metadata"]["name"] for o in objects if o["kind"] == "Node"]
    for count, plans in itertools.groupby(placements(pods, nodes, emptied), key=len):
        plans = list(plans)
        questions = []
        for plan in plans:
            seen = copy.deepcopy(objects)
            for o in seen:
                if o["kind"] == "Node" and o["metadata"]["name"] == emptied:
                    o["spec"]["unschedulable"] = True
                if o["kind"] == "Pod" and f"{o['metadata']['namespace']}/{o['metadata']['name']}" in plan:
                    del o["spec"]["nodeName"]
                    o["status"] = {"phase": "Pending"}
            questions.append({"ask": "bind", "objects": seen, "plan": plan})
        if any("error" not in answer and not answer.get("refused") for answer in ask_judge(judge, questions, 8)):
            return count
    return None


def moves(options):
    """`replan --drain` of tiny clusters: as few moves as any placement that the filters agree with."""
    known = ["conditions", "devices", "ports", "requests", "selectors", "spread", "pod-affinity", "taints", "runtime-class"]
    total, bad = collections.Counter(), 0
    for k in range(options.clusters):
        seed = f"m{options.seed}-{k}"
        rng = random.Random(seed)
        features = options.features or rng.sample(known, rng.randint(1, 2))
        objects = clusters.tiny(seed, features)
        homes = sorted({o["spec"]["nodeName"] for o in objects if o["kind"] == "Pod"})
        if not homes:
            total["nothing runs"] += 1
            continue
        emptied = rng.choice(homes)
        code, out, err = stowplan(options.program, ["replan", "--drain", emptied, "--output", "json", "--time-limit", "5"], objects)
        ours = None
        if out is not None and "moves" in out:
            ours = len({move["task"] for wave in out["moves"]["waves"] for move in wave} | {s["task"] for s in out["moves"].get("stuck") or []})
        elif "no plan exists" not in err:
            total["not asked: " + " ".join(err.split()[:12])] += 1
            continue
        least = fewest(options.judge, objects, emptied)
        said = {word for word, phrase in SAID.items() if phrase in err}
        more = ours is None and least is not None or None not in (ours, least) and ours > least
        fewer = ours is not None and (least is None or ours < least)
        total["no placement at all"] += least is None
        total["moves"] += least or 0
        if (more and not said & {"narrower", "either"}) or (fewer and not said & {"wider", "either"}):
            bad += 1
            show(options, seed, features, objects, [f"drain {emptied}: {ours} moves, of all placements {least}"] + err.splitlines())
        elif more or fewer:
            total["fewer or more, with a word"] += 1
    for name, count in sorted(total.items()):
        print(f"{count:8} {name[:150]}")
    print(f"{options.clusters - bad} of {options.clusters} clusters")
    return 0 if bad == 0 else 1


def evictions(options):
    """`solve --preempt` for one pod: it fits once those are gone, and the scheduler evicts no fewer."""
    known = ["devices", "ports", "requests", "selectors", "taints", "runtime-class", "conditions", "attach-limits", "once-pod"]
    cases, filters, total, bad = [], [], collections.Counter(), 0
    for k in range(options.clusters):
        seed = f"p{options.seed}-{k}"
        rng = random.Random(seed)
        features = options.features or rng.sample(known, rng.randint(0, 2))
        objects = clusters.cluster(seed, features, 1, (2, 5))
        pods = [o for o in objects if o["kind"] == "Pod"]
        for pod in pods:
            pod["spec"]["priority"] = rng.choice([0, 0, 5, 20])
        pods[-1]["spec"]["priority"] = 10
        pods[-1]["spec"]["containers"][0]["resources"].setdefault("requests", {})["cpu"] = rng.choice(["2", "3", "4", "7"])
        if rng.random() < 0.15:
            pods[-1]["spec"]["preemptionPolicy"] = "Never"
        code, out, err = stowplan(options.program, ["solve", "--preempt", "--output", "json", "--time-limit", "5"], objects)
        if out is None or "assignments" not in out:
            total[f"exit {code}"] += 1
            bad += code not in (0, 1)
            continue
        gone = {u["task"] for u in out["unplaced"] if u["reason"] == "evicted"}
        node = {a["task"]: a["node"] for a in out["assignments"]}.get("d/w-0")
        rest = [o for o in objects if o["kind"] != "Pod" or f"{o['metadata']['namespace']}/{o['metadata']['name']}" not in gone]
        cases.append((seed, features, objects, gone, node, out))
        filters.append({"ask": "filters", "objects": rest})
    real = ask_judge(options.judge, ({"ask": "queue", "objects": c[2]} for c in cases), 16)
    for (seed, features, objects, gone, node, out), verdict, queue in zip(cases, ask_judge(options.judge, filters, 8), real):
        wrong = [a["error"] for a in (verdict, queue) if "error" in a]
        if not wrong:
            placed, evicted = "d/w-0" in queue.get("placed", {}), queue.get("evicted") or []
            if node is not None and verdict["filters"]["d/w-0"][node] != "":
                wrong.append(f"{node} without {sorted(gone)}: {verdict['filters']['d/w-0'][node]}")
            narrower = any(a["direction"] != "wider" for a in out["instance"].get("assumptions", []))
            if placed and node is None and narrower:
                total["placed by the scheduler alone, with a word"] += 1
            elif placed and node is None:
                wrong.append(f"the scheduler places it, with {evicted} evicted")
            if placed and node is not None and len(evicted) < len(gone) and narrower:
                total["more evictions than the scheduler's, with a word"] += 1
            elif placed and node is not None and len(evicted) < len(gone):
                wrong.append(f"evicted {sorted(gone)}, the scheduler {evicted}")
            total["placed"] += node is not None
            total["placed by the scheduler"] += placed
            total["evictions"] += len(gone)
            total["evictions of the scheduler"] += len(evicted)
        if wrong:
            bad += 1
            show(options, seed, features, objects, wrong)
    for name, count in sorted(total.items()):
        print(f"{count:8} {name}")
    print(f"{options.clusters - bad} of {options.clusters} clusters")
    return 0 if bad == 0 else 1


def groups(options):
    """Plans of LeaderWorkerSets and JobSets whose groups want a rack each, bound pod by pod."""
    cases, questions, total, bad = [], [], collections.Counter(), 0
    for k in range(options.clusters):
        seed = f"g{options.seed}-{k}"
        objects, sets = clusters.exclusive(seed)
        mine = our_plan(options.program, objects + [made for made, *_ in sets])
        if isinstance(mine, str):
            sys.exit(f"{seed}: {mine}")
        plan, left, told = mine
        racks = {o["metadata"]["name"]: o["metadata"]["labels"].get("rack") for o in objects if o["kind"] == "Node"}
        pods = []
        for _, key, own, names, size in sets:
            for group in names:
                rack = racks.get(plan.get(f"d/{group}-0"))
                pods += [clusters.of_group(group, n, key, own, rack) for n in range(size) if f"d/{group}-{n}" in plan]
        wanted = sum(len(names) * size for *_, names, size in sets)
        total["pods"] += wanted
        total["placed"] += len(plan)
        total["proven to be the most"] += wanted - len(plan) <= left
        cases.append((seed, objects + pods, plan, told))
        questions.append({"ask": "bind", "objects": objects + pods, "plan": plan})
    for (seed, objects, plan, told), real in zip(cases, ask_judge(options.judge, questions, 8)):
        refused = [real["error"]] if "error" in real else [f"{pod} to {plan[pod]}: {why}" for pod, why in (real.get("refused") or {}).items()]
        if refused or told:
            bad += 1
            show(options, seed, ["exclusive"], objects, refused + [" ".join(one) for one in told])
    for name, count in sorted(total.items()):
        print(f"{count:8} {name}")
    print(f"{options.clusters - bad} of {options.clusters} clusters")
    return 0 if bad == 0 else 1


def record(options):
    """Small clusters with the scheduler's answers, one a line, for `cargo test` to hear again."""
    lines = []
    for k in range(options.clusters):
        seed = f"r{options.seed}-{k}"
        features = options.features or clusters.draw(seed)
        waiting = 1 if k % 4 else random.Random(seed).randint(3, 6)
        objects = clusters.cluster(seed, features, waiting, (3, 5))
        lines.append({"features": features, "objects": objects})
    asks = ["queue" if k % 4 == 0 else "filters" for k in range(len(lines))]
    answers = ask_judge(options.judge, ({"ask": a, "objects": o["objects"]} for a, o in zip(asks, lines)), 8)
    path = os.path.join(ROOT, "tests/data/kubernetes/verdicts.jsonl")
    with open(path, "w") as file:
        for line, ask, answer in zip(lines, asks, answers):
            if "error" in answer:
                sys.exit(f"the judge: {answer['error']}")
            if ask == "queue":
                line["placed"] = len(answer.get("placed", {}))
            else:
                line["filters"] = answer["filters"]["d/w-0"]
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
    print(f"{len(lines)} clusters, {os.path.getsize(path)} bytes in {path}")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ask", choices=["verdicts", "queues", "drains", "evictions", "moves", "groups", "record"])
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
