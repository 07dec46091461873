"""Makes a failing case small: whatever can go goes, as long as the same kind of fault is found."""
import copy
import json


def without(case, what, name):
    """The case without a task or a node and all that names it."""
    case = copy.deepcopy(case)
    doc = case["instance"]
    doc[what] = [x for x in doc[what] if x["id"] != name]
    key = what[:-1]
    doc["pairs"] = [p for p in doc.get("pairs", []) if p[key] != name]
    if what == "nodes":
        doc["routes"] = [r for r in doc.get("routes", []) if name not in (r["from"], r["to"])]
        for rule in doc.get("rules", []):
            rule.get("present", {}).pop(name, None)
    else:
        for rule in doc.get("rules", []):
            for field in ("tasks", "near"):
                if field in rule:
                    rule[field] = [t for t in rule[field] if t != name]
        doc["rules"] = [r for r in doc.get("rules", []) if r.get("tasks") != [] and r.get("near") != []]
        for task in doc["tasks"]:
            task["after"] = [a for a in task.get("after", []) if (a["task"] if isinstance(a, dict) else a) != name]
    return case


def parts(value, path=()):
    """Every place in the document that can be taken out or made simpler."""
    if isinstance(value, dict):
        for key in list(value):
            if key not in ("id", "capacity"):
                yield path + (key,), None
            yield from parts(value[key], path + (key,))
    elif isinstance(value, list):
        for k in range(len(value) - 1, -1, -1):
            if len(value) > 1:
                yield path + (k,), None
            yield from parts(value[k], path + (k,))
    elif path and path[-1] == "goal":
        tiers = value.split(", ")
        for k, tier in enumerate(tiers):
            if len(tiers) > 1:
                yield path, ", ".join(tiers[:k] + tiers[k + 1:])
            terms = tier.partition(" <= ")[0].split(" + ")
            simpler = [" + ".join(terms[:i] + terms[i + 1:]) for i in range(len(terms)) if len(terms) > 1]
            simpler += [tier.partition(" <= ")[0]] if " <= " in tier else []
            simpler += [" + ".join(t.partition("*")[2] or t for t in terms)] if "*" in tier else []
            for text in simpler:
                yield path, ", ".join(tiers[:k] + [text] + tiers[k + 1:])
    elif isinstance(value, int) and not isinstance(value, bool):
        for smaller in (0, 1, value // 2, value - 1):
            if 0 <= smaller < value:
                yield path, smaller


def changed(case, path, to):
    case = copy.deepcopy(case)
    at = case["instance"]
    for step in path[:-1]:
        at = at[step]
    if to is None:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    return case


def smaller(case):
    for what in ("tasks", "nodes"):
        for x in case["instance"][what]:
            if len(case["instance"][what]) > 1:
                yield without(case, what, x["id"])
    if "--allow-unplaced" in case["options"]:
        yield {**case, "options": [o for o in case["options"] if o != "--allow-unplaced"]}
    if "--headroom" in case["options"]:
        k = case["options"].index("--headroom")
        yield {**case, "options": case["options"][:k] + case["options"][k + 2:]}
    for k in range(len(case.get("methods", [])) * (len(case.get("methods", [])) > 1)):
        yield {**case, "methods": case["methods"][:k] + case["methods"][k + 1:]}
    if case.get("method") not in (None, ["--method", "auto"]):
        yield {**case, "method": ["--method", "auto"]}
    for path, to in parts(case["instance"]):
        yield changed(case, path, to)


def shrink(case, kind, find, tries=600):
    """The smallest case that was found with `find(case)` still being `kind`."""
    size = lambda c: len(json.dumps(c))
    again = True
    while again and tries > 0:
        again = False
        for other in smaller(case):
            tries -= 1
            if tries < 0:
                break
            if find(other) == kind:
                case, again = other, True
                break
    for key in ("rules", "pairs", "routes"):
        if case["instance"].get(key) == []:
            del case["instance"][key]
    return case
