"""The same question asked in another way: the best values stay as they are."""
import copy
from fractions import Fraction

from model import quantity


def permuted(rng, doc):
    """Tasks, nodes and rules in another order."""
    for key in ("tasks", "nodes", "rules", "pairs"):
        if key in doc:
            rng.shuffle(doc[key])


def renamed(rng, doc):
    """Other names for tasks and nodes, in another order of the alphabet."""
    names = {}
    for kind in ("nodes", "tasks"):
        for x in doc[kind]:
            names[kind, x["id"]] = f"{rng.choice('zyxWVU')} {rng.randint(0, 99)}-{len(names)}"
    node, task = (lambda x: names["nodes", x]), (lambda x: names["tasks", x])
    values = lambda of, x: [of(y) for y in x] if isinstance(x, list) else of(x)
    for n in doc["nodes"]:
        n["id"] = node(n["id"])
    by_key = any(rule.get("each") == "key" for rule in doc.get("rules", []))
    for t in doc["tasks"]:
        if not by_key:  # A task without a key is under no rule by keys.
            t["key"] = t.get("key", t["id"])
        t["id"] = task(t["id"])
        if "node" in t:
            t["node"] = values(node, t["node"])
        if "after" in t:
            t["after"] = [{**a, "task": task(a["task"])} if isinstance(a, dict) else task(a) for a in t["after"]]
    for p in doc.get("pairs", []):
        p.update(task=task(p["task"]), node=node(p["node"]))
    for r in doc.get("routes", []):
        r.update({"from": node(r["from"]), "to": node(r["to"])})
    for rule in doc.get("rules", []):
        for field in ("tasks", "near"):
            if field in rule:
                rule[field] = values(task, rule[field])
        if "present" in rule and rule.get("over", "node") == "node":
            rule["present"] = {node(n): k for n, k in rule["present"].items()}
        if "values" in rule and rule.get("over") == "node":
            rule["values"] = values(node, rule["values"])


def scaled(rng, doc):
    """One resource in other units."""
    names = sorted({r for n in doc["nodes"] for r in n["capacity"] if not doc.get("resources", {}).get(r, {}).get("devices")})
    if not names or "ratios" in doc or "demand" in doc.get("goal", ""):
        return
    name = rng.choice(names)
    factor = rng.choice([3, 7, 1000, Fraction(1, 10)])
    if any(name == rule.get("resource") for rule in doc.get("rules", [])):
        return
    if doc.get("resources", {}).get(name, {}).get("safety_price") or any(name in n.get("watts", {}) for n in doc["nodes"]):
        return

    def times(x):
        if isinstance(x, dict):
            return {k: times(v) for k, v in x.items()}
        return x if str(x).endswith("%") else decimal(quantity(x) * factor)
    holders = [doc] + doc["nodes"] + doc["tasks"] + doc.get("pairs", []) + [e for n in doc["nodes"] for e in n.get("ending", [])]
    for holder in holders:
        for field in ("capacity", "used", "reserve", "safety", "demand"):
            if name in holder.get(field, {}):
                holder[field][name] = times(holder[field][name])


def decimal(x):
    """A number with few decimal places as the text of it."""
    x = Fraction(x)
    places = 0
    while (x * 10 ** places).denominator != 1:
        places += 1
    whole = str(int(x * 10 ** places)).rjust(places + 1, "0")
    return f"{whole[:-places]}.{whole[-places:]}" if places else whole


def morph(rng, instance):
    """The instance in other words, and which."""
    doc = copy.deepcopy(instance)
    ways = rng.sample([permuted, renamed, scaled], rng.randint(1, 3))
    for way in ways:
        way(rng, doc)
    return doc, "+".join(w.__name__ for w in ways)


def later(rng, doc):
    """The whole plan some seconds later: what that adds to a goal for each job that is placed."""
    shift = rng.randint(1, 9)
    for t in doc["tasks"]:
        t["release"] = t.get("release", 0) + shift
        for field in ("due", "deadline"):
            if field in t:
                t[field] += shift
    for n in doc["nodes"]:
        if "available_at" in n:
            n["available_at"] += shift
        for w in n.get("closed", []):
            w.update({"from": w["from"] + shift, "to": w["to"] + shift})
        for e in n.get("ending", []):
            e["at"] += shift
    for step in steps(doc):
        step["from"] += shift
    return shift


def slower(rng, doc):
    """All times times a number, which is given back."""
    factor = rng.choice([2, 3, 60])
    for t in doc["tasks"]:
        for field in ("duration", "release", "due", "deadline", "elapsed"):
            if field in t:
                t[field] = int(t[field]) * factor
        t["after"] = [{"task": a["task"], "lag": a["lag"] * factor} if isinstance(a, dict) else a for a in t.get("after", [])]
    for n in doc["nodes"]:
        if "available_at" in n:
            n["available_at"] *= factor
        for w in n.get("closed", []):
            w.update({"from": w["from"] * factor, "to": w["to"] * factor})
        for e in n.get("ending", []):
            e["at"] *= factor
    for p in doc.get("pairs", []):
        if "duration" in p:
            p["duration"] *= factor
    for step in steps(doc):
        step["from"] *= factor
    return factor


def steps(doc):
    """The times from which a limit is another."""
    return [step for rule in doc.get("rules", []) for step in rule.get("later", [])]


def morph_in_time(rng, model):
    """The instance with other times and the best values that it then must have, from those it has: a function. None
    where that is not so simple."""
    doc = copy.deepcopy(model.instance)
    plain = all(t.limit is None for t in model.goal)
    if not model.timed or not plain or model.allow_unplaced:
        return None
    if rng.random() < 0.5:
        if any("elapsed" in t for t in doc["tasks"]):
            return None
        shift = later(rng, doc)
        added = {"makespan": shift, "completion": shift * sum(j.weight for j in model.jobs)}
        return doc, lambda best: tuple(v + sum(f * added.get(name, 0) for f, name in tier.terms)
                                       for v, tier in zip(best, model.goal)), "later"
    if any(len(t.terms) > 1 for t in model.goal) or any(n.speed != 1 for n in model.nodes) or any("cost" in p for p in doc.get("pairs", [])) \
            or any(n.price for n in model.nodes) or any(t.get("duration") and int(t["duration"]) > 10**6 for t in doc["tasks"]):
        return None
    factor = slower(rng, doc)
    grows = {"makespan", "completion", "tardiness", "wait", "cost"}
    return doc, lambda best: tuple(v * factor if tier.terms[0][1] in grows else v for v, tier in zip(best, model.goal)), "slower"
