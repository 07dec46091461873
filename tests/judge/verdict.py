"""Whether what the program said of an instance is true."""
import json
import re
from math import isclose

from brute import Brute
from model import Model
from program import HANG, LIMIT, read_plan


class Finding(Exception):
    """Something is wrong: its kind, in few words, and what exactly."""
    def __init__(self, kind, words):
        super().__init__(kind, words)
        self.kind = kind

    def __str__(self):
        return ": ".join(self.args)


def understand(case):
    options = case["options"]
    headroom = options[options.index("--headroom") + 1] if "--headroom" in options else "0%"
    headroom = headroom if headroom.endswith("%") else f"{float(headroom) * 100}%"
    survive = options[options.index("--survive") + 1] if "--survive" in options else None
    return Model(case["instance"], "--allow-unplaced" in options, headroom, survive)


class Truth:
    """What is true of an instance, by brute force. Where it is known otherwise what that must give, `expected`, and
    `how` the instance came from another."""
    def __init__(self, case, expected=None, how=None):
        self.model = understand(case)
        self.brute = Brute(self.model)
        self.best = self.brute.optimum()
        if how and expected != (self.best and self.best[0]):
            raise Finding("the judge", f"{how}: {self.best} is best, and {expected} should be")

    def least(self, values, k):
        """The least that tier k can be where the tiers before it are no worse than `values`."""
        if self.best is not None and values[:k] == self.best[0][:k]:
            return self.best[0][k]
        return self.brute.optimum(values[:k])[0][k] if k else self.best[0][0]


class Known:
    """What is known of an instance too large for brute force: the plans that were seen, each of them judged."""
    def __init__(self, case):
        self.model = understand(case)
        self.seen = {}

    def add(self, answer):
        if answer[0] == 0:
            place, starts, _, odd = read_plan(json.loads(answer[1]), self.model)
            if not odd and not self.model.violations(place, starts):
                self.seen.setdefault(self.model.values(place, starts), (place, starts))

    @property
    def best(self):
        return min(self.seen.items()) if self.seen else None

    def least(self, values, k):
        return min(v[k] for v in self.seen if all(a <= b for a, b in zip(v[:k], values)))


def bare(text):
    """A message without names and numbers: its kind."""
    line = re.sub(r"schedule of [a-z -]+ breaks", "schedule of _ breaks", text.partition("\n")[0])
    return re.sub(r"`[^`]*`|-?[0-9.]*[0-9]|\[[^]]*\]", "_", line)


def equal(stated, exact, tolerance):
    return stated == float(exact) or isclose(stated, float(exact), rel_tol=tolerance, abs_tol=tolerance / 1000)


def judge(truth, answer):
    """The outcome in a word, behind it why it refuses; raises a finding where something is wrong."""
    code, out, err = answer
    if code is None:
        panic = next((line for line in err.splitlines() if "panicked" in line), "")
        raise Finding("hang", f"no answer in {HANG} s where {LIMIT} are given; {panic}")
    for word in ("bug", "panicked", "contradicts"):
        if word in err:
            raise Finding(bare(next((line for line in err.splitlines() if line.startswith("error:")), err)), err.strip())
    if code == 2:
        return "refused: " + err.partition("\n")[0]
    if code not in (0, 1, 3):
        raise Finding(f"exit code {code}", err.strip())
    if "failed" in err and code == 3:
        raise Finding("a back end's failure is the end", err.strip())
    document = json.loads(out) if out.strip() else {"status": "unknown"}
    if code == 1:
        if document["status"] != "infeasible":
            raise Finding("exit code 1", f"status {document['status']}")
        if truth.best is not None:
            raise Finding("false: no plan exists", f"{truth.best[1]} is one: {err.strip()}")
        return "infeasible"
    if code == 3:
        if document["status"] != "unknown":
            raise Finding("exit code 3", f"status {document['status']}")
        return "unknown"
    return judge_plan(truth, document)


def judge_plan(truth, document):
    model = truth.model
    place, starts, cards, odd = read_plan(document, model)
    broken = odd + model.violations(place, starts)
    if not broken and model.failures:
        broken += model.failures.stated_wrong(document, place)
    for r, named in cards.items():
        for n, runs in enumerate(model.runs_of(place, starts)):
            if not model.cards_hold(n, r, runs, named):
                broken.append(f"cards on {model.nodes[n].id}")
    if broken:
        raise Finding("not a plan", ", ".join(broken))
    if isinstance(truth, Truth) and truth.best is None:
        raise Finding("the judge", "brute force found no plan, and this is one")
    values = model.values(place, starts)
    if isinstance(truth, Truth) and values < truth.best[0]:
        raise Finding("the judge", f"brute force found {truth.best}, and {values} is better")
    tiers = document["goal"]
    names = [t.text for t in model.goal]
    if names[-1] == "soft" and len(tiers) == len(names) - 1 and values[-1] == 0:
        names.pop()
    if [t["tier"] for t in tiers] != names:
        raise Finding("tiers", f"{[t['tier'] for t in tiers]}, right {names}")
    for k, (tier, stated) in enumerate(zip(model.goal, tiers)):
        what = f"tier {k + 1} `{tier.text}`"
        terms = "+".join(sorted({name.split("(")[0] for _, name in tier.terms}))
        if not equal(stated["value"], values[k], 1e-12 if not tier.exact or values[k] != int(values[k]) else 0):
            raise Finding(f"value of {terms}", f"{what}: {stated['value']}, right {float(values[k])}")
        least = truth.least(values, k)
        slack = 1e-6 if not tier.exact else 1e-12 if least != int(least) else 0
        if stated["bound"] > float(least) and not isclose(stated["bound"], float(least), rel_tol=slack, abs_tol=slack / 1000):
            claim = "optimal" if document["status"] == "optimal" else "bound"
            raise Finding(f"false {claim} of {terms} from {bare(stated['bound_from'])}", f"{what}: value {stated['value']}, bound {stated['bound']} from "
                          f"{stated['bound_from']}, reachable is {least}")
        same = stated["bound"] == stated["value"]
        printed = same and abs(stated["value"]) > 2 ** 53  # Printed as the nearest doubles, compared as they are.
        if stated["bound"] > stated["value"] or tier.exact and (stated["gap"] == 0) != same and not printed:
            raise Finding("gap", f"{what}: {stated}")
    settled = all(t["gap"] == 0 for t in tiers)
    if (document["status"] == "optimal") != settled or document["status"] not in ("optimal", "feasible"):
        raise Finding("status", f"{document['status']}, tiers {tiers}")
    return document["status"]


def mutated(rng, model, place, starts):
    """A plan that was changed here and there."""
    place, starts = list(place), list(starts or [])
    for _ in range(rng.randint(1, 2)):
        u = rng.randrange(len(place))
        if model.timed and rng.random() < 0.5:
            job = model.units[u].number
            starts[job] = max(0, (starts[job] or 0) + rng.choice([-2, -1, -1, 1, 2]))
        else:
            place[u] = rng.choice(list(range(len(model.nodes))) + [None])
    plan = {"assignments": [], "unplaced": []}
    for u, (n, job) in enumerate(zip(place, model.units)):
        named = {"task": job.id, **({"unit": u - job.units[0]} if job.gang else {})}
        if n is None:
            plan["unplaced"].append({**named, "reason": "not-found", "detail": ""})
        else:
            start = {"start": starts[job.number] or 0} if model.timed else {}
            plan["assignments"].append({**named, "node": model.nodes[n].id, **start})
    return plan


def judge_check(model, plan, answer):
    """Whether `check` says the same of a plan as the judge does."""
    code, out, err = answer
    place, starts, _, odd = read_plan(plan, model)
    right = odd + [v for v in model.violations(place, starts) if v != "not all placed"]
    if code == 2:
        return "refused: " + err.partition("\n")[0]
    if code not in (0, 1) or (code == 0) != (not right):
        raise Finding("check", f"of {json.dumps(plan)} it says {code}, {out.strip()} {err.strip()}; right: {right or 'ok'}")
    return "checked" if code == 0 else "refuted"
