"""What an instance means, in exact numbers: docs/model.md and docs/formats.md in Python.

Written from the documentation alone and sharing nothing with the program. A plan is a pair of lists: for each unit
(a task, or one unit of a gang) the index of its node or None, and for each task its start or None."""
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from math import ceil
from statistics import NormalDist
import re

from failures import Failures

SUFFIXES = {"n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "k": 10**3, "M": 10**6,
            "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
            "Pi": 2**50, "Ei": 2**60}
TIMES = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
TIMED_TERMS = {"makespan", "completion", "tardiness", "wait"}


def whole(x):
    """The same number, as an int where it is one: that is much faster."""
    return x.numerator if isinstance(x, Fraction) and x.denominator == 1 else x


def quantity(x):
    digits, suffix = re.fullmatch(r"([0-9.eE+-]*?[0-9.])([a-zA-Z]*)", str(x)).groups()
    return whole(Fraction(digits) * SUFFIXES.get(suffix, 1))


def seconds(x):
    digits, suffix = re.fullmatch(r"([0-9.]+)([a-z]*)", str(x)).groups()
    return whole(Fraction(digits) * TIMES[suffix])


def portion(x, of):
    """An amount, or a part of a capacity."""
    return whole(Fraction(str(x)[:-1]) / 100 * of) if str(x).endswith("%") else quantity(x)


def listed(x):
    return [] if x is None else x if isinstance(x, list) else [x]


def hits(pattern, value):
    """Whether a label's value is what `requires` or `avoid` names: `*`, `>8`, `<8`, `>4<8`, or the value itself."""
    if pattern == "*":
        return True
    span = re.fullmatch(r"(?:>(-?\d+))?(?:<(-?\d+))?", pattern)
    if pattern and span:
        if not re.fullmatch(r"-?\d+", value):
            return False
        low, high = span.groups()
        return (low is None or int(value) > int(low)) and (high is None or int(value) < int(high))
    return pattern == value


def chosen(labels, asked):
    """Whether labels meet `requires` (every key has one of the values) and `avoid` (none has)."""
    named = lambda key, values: key in labels and any(hits(v, labels[key]) for v in listed(values))
    wanted = asked.get("requires") or asked.get("labels") or {}
    return all(named(*w) for w in wanted.items()) and not any(named(*a) for a in asked.get("avoid", {}).items())


def tolerated(taint, tolerations):
    """A taint is `key=value` with an effect behind a colon; a toleration `key=value`, `key` or `*`, likewise."""
    def parts(text):
        text, _, effect = text.partition(":")
        key, equals, value = text.partition("=")
        return key, value if equals else None, effect
    key, value, effect = parts(taint)
    return any(k in ("*", key) and (v is None or v == value) and (not e or e == (effect or "no-schedule"))
               for k, v, e in map(parts, tolerations))


class Node:
    def __init__(self, doc, resources, defaults, headroom):
        self.id = doc["id"]
        self.labels = doc.get("labels", {})
        self.state = doc.get("state", "ready")
        self.capacity = [quantity(doc["capacity"].get(r, 0)) for r in resources]
        self.used = [quantity(doc.get("used", {}).get(r, 0)) for r in resources]
        reserve = {**defaults, **doc.get("reserve", {})}
        kept = [max(portion(reserve.get(r, 0), c), portion(headroom, c)) for r, c in zip(resources, self.capacity)]
        self.room = [c - k for c, k in zip(self.capacity, kept)]
        self.safety = [portion(doc["safety"][r], c) if r in doc.get("safety", {}) else None
                       for r, c in zip(resources, self.capacity)]
        self.taints = doc.get("taints", [])
        self.max_tasks = doc.get("max_tasks")
        self.price, self.per_hour = quantity(doc.get("price", 0)), quantity(doc.get("price_per_hour", 0))
        self.idle_watts = quantity(doc.get("idle_watts", 0))
        self.watts = [quantity(doc.get("watts", {}).get(r, 0)) for r in resources]
        self.speed = quantity(doc.get("speed", 1))
        self.closed = [(seconds(w["from"]), seconds(w["to"])) for w in doc.get("closed", [])]
        if seconds(doc.get("available_at", 0)) > 0:
            self.closed.append((0, seconds(doc["available_at"])))
        self.ending = [(seconds(e["at"]), [quantity(e["used"].get(r, 0)) for r in resources])
                       for e in doc.get("ending", [])]
        self.counted = [r for r, c in enumerate(self.capacity) if c > 0] if self.state == "ready" else []

    def load_before(self, second):
        """What is on the node already and still there then; None is a plan without times."""
        if second is None or not self.ending:
            return self.used
        gone = [load for at, load in self.ending if at <= second]
        return [u - sum(g[r] for g in gone) for r, u in enumerate(self.used)]


class Job:
    """A task of the instance with its units, by their numbers in the plan."""
    def __init__(self, doc, number, first):
        self.doc, self.id, self.number = doc, doc["id"], number
        self.gang = "replicas" in doc
        self.units = range(first, first + doc.get("replicas", 1))
        self.priority, self.weight = doc.get("priority", 0), quantity(doc.get("weight", 1))
        self.release = seconds(doc.get("release", 0))
        self.due = seconds(doc["due"]) if "due" in doc else None
        self.deadline = seconds(doc["deadline"]) if "deadline" in doc else None
        self.after = [(a, 0) if not isinstance(a, dict) else (a["task"], seconds(a.get("lag", 0)))
                      for a in doc.get("after", [])]
        self.groups = listed(doc.get("group"))


class Rule:
    def __init__(self, kind, units, over="node", doc=None, partners=()):
        self.kind, self.units, self.over, self.partners, self.doc = kind, units, over, partners, doc or {}


class Tier:
    """`2*peak + cost <= 7`."""
    def __init__(self, text):
        self.text = text.strip()
        text, _, limit = text.partition("<=")
        self.limit = quantity(limit.strip()) if limit else None
        pairs = [t.strip().rpartition("*") for t in text.split("+")]
        self.terms = [(quantity(f.strip()) if f else 1, name.strip()) for f, _, name in pairs]

    def of(self, values):
        total = sum(f * values[name] for f, name in self.terms)
        return total if self.limit is None else max(total, self.limit)

    @property
    def exact(self):
        """Whether the documentation promises exact values and bounds: counted values and `peak` alone."""
        return len(self.terms) == 1 and self.terms[0][1] not in ("balance", "demand")


class Model:
    def __init__(self, instance, allow_unplaced=False, headroom="0%", survive=None):
        self.instance, self.allow_unplaced, self.headroom = instance, allow_unplaced, headroom
        self.goal = [Tier(t) for t in instance.get("goal", "peak").split(",")]
        self.timed = any(name in TIMED_TERMS for t in self.goal for _, name in t.terms)
        self.read_nodes(headroom)
        self.read_jobs()
        self.read_rules()
        self.allowed = [[n for n in range(len(self.nodes)) if self.may(u, n)] for u in range(len(self.units))]
        # Failures ask no budget.
        self.refuge = [[n for n in range(len(self.nodes)) if self.may(u, n, set())] for u in range(len(self.units))]
        self.add_tiers()
        self.failures = Failures(self, survive) if survive or any("backup" in t for t in instance["tasks"]) else None

    # Reading.

    def read_nodes(self, headroom):
        doc = self.instance
        named = [doc.get("resources", {})] + [n["capacity"] for n in doc["nodes"]] + \
                [t.get("demand", {}) for t in doc["tasks"]]
        self.resources = list(dict.fromkeys(r for names in named for r in names))
        # What no node has and a limit names is the business of limits alone.
        limited = {r.get("resource") for r in doc.get("rules", [])}
        self.aside = {r for r in limited if not any(r in {**n["capacity"], **n.get("used", {})} for n in doc["nodes"])}
        about = [doc.get("resources", {}).get(r, {}) for r in self.resources]
        self.devices = [r for r, a in enumerate(about) if a.get("devices")]
        self.transient = [r for r, a in enumerate(about) if a.get("transient")]
        self.safety_price = [quantity(a.get("safety_price", 0)) for a in about]
        self.nodes = [Node(n, self.resources, doc.get("reserve", {}), headroom) for n in doc["nodes"]]
        self.node_index = {n.id: i for i, n in enumerate(self.nodes)}
        self.one_each = doc.get("one_task_per_node", False)
        self.ratios = [(self.resources.index(r["room"]), self.resources.index(r["with"]), quantity(r.get("ratio", 1)),
                        quantity(r.get("price", 1))) for r in doc.get("ratios", [])]
        self.routes = {(self.node_index[r["from"]], self.node_index[r["to"]]): quantity(r["cost"])
                       for r in doc.get("routes", [])}
        self.z2 = None
        if doc.get("risk") is not None:
            text, _, any_shape = str(doc["risk"]).partition(" ")
            p = Fraction(text[:-1]) / 100 if text.endswith("%") else Fraction(text)
            z2 = (1 - p) / p if any_shape else Fraction(NormalDist().inv_cdf(float(1 - p)) ** 2)
            self.z2 = whole(Fraction(ceil(z2 * 10**6), 10**6))

    def read_jobs(self):
        self.jobs, self.units = [], []
        for number, doc in enumerate(self.instance["tasks"]):
            self.jobs.append(Job(doc, number, len(self.units)))
            self.units += [self.jobs[-1]] * len(self.jobs[-1].units)
        self.job_of = {j.id: j for j in self.jobs}
        self.home = [None] * len(self.units)
        for job in self.jobs:
            homes = listed(job.doc.get("node"))
            for k, u in enumerate(job.units):
                self.home[u] = self.node_index[homes[k if len(homes) > 1 else 0]] if homes else None
        pairs = {(p["task"], p["node"]): p for p in self.instance.get("pairs", [])}
        table = lambda of: [[of(j.doc, n, pairs.get((j.id, n.id), {})) for n in self.nodes] for j in self.units]
        self.demand, self.variance = table(self.read_demand), table(self.read_variance)
        self.stated = table(self.read_stated)
        self.duration, self.cost = table(self.read_duration), table(self.read_cost)

    def read_demand(self, task, node, pair):
        stated = self.read_stated(task, node, pair)
        return [0 if r in self.aside else d for r, d in zip(self.resources, stated)]

    def read_stated(self, task, node, pair):
        """Demands with those that limits alone look at."""
        mean = lambda d: quantity(d["mean"] if isinstance(d, dict) else d)
        return [mean(pair.get("demand", {}).get(r, task.get("demand", {}).get(r, 0))) for r in self.resources]

    def read_variance(self, task, node, pair):
        def squared(r):
            asked, there = task.get("demand", {}).get(r, 0), pair.get("demand", {}).get(r, 1)
            return quantity(asked.get("sd", 0)) ** 2 if isinstance(asked, dict) and quantity(there) > 0 else 0
        return [squared(r) for r in self.resources]

    def full_duration(self, task, node, pair):
        if "duration" in pair:
            return seconds(pair["duration"])
        return ceil(Fraction(seconds(task.get("duration", 0))) / node.speed)

    def read_duration(self, task, node, pair):
        return max(0, self.full_duration(task, node, pair) - seconds(task.get("elapsed", 0)))

    def read_cost(self, task, node, pair):
        if "cost" in pair:
            return quantity(pair["cost"])
        hours = Fraction(self.read_duration(task, node, pair) if self.timed
                         else self.full_duration(task, node, pair), 3600)
        return whole(node.per_hour * hours)

    def read_rules(self):
        self.rules, self.wishes, self.still = [], [], set()
        for job in self.jobs:
            for kind in ("together", "apart"):
                if kind in job.doc:
                    self.rules.append(Rule(kind, job.units, job.doc[kind]))
            if "spread" in job.doc:
                self.rules.append(Rule("spread", job.units, job.doc["spread"]["over"], job.doc["spread"]))
        for doc in self.instance.get("rules", []):
            partners = self.select(doc.get("near"), doc.get("near_group"))
            for units in self.selections(doc):
                if doc.get("resource") == "moved":  # A budget: plans see only the one that allows nothing.
                    self.still |= set(units) if quantity(doc["at_most"]) == 0 else set()
                    continue
                over = doc.get("over", None if doc["rule"] == "limit" else "node")
                into = self.wishes if "price" in doc else self.rules
                into.append(Rule(doc["rule"], units, over, doc, partners))

    def select(self, ids, group):
        return [u for u, job in enumerate(self.units) if job.id in listed(ids) or group in job.groups]

    def selections(self, doc):
        if doc.get("each") == "key":
            keys = dict.fromkeys(j.doc["key"] for j in self.jobs if "key" in j.doc)
            return [[u for u, j in enumerate(self.units) if j.doc.get("key") == k] for k in keys]
        if doc.get("each") == "group":
            return [self.select(None, g) for g in dict.fromkeys(g for j in self.jobs for g in j.groups)]
        return [self.select(doc.get("tasks"), doc.get("group"))]

    def add_tiers(self):
        """The tiers nobody wrote: what is left out first, and `soft` last, where there is any of it."""
        self.soft = bool(self.ratios) or any(self.safety_price[r] > 0 and n.safety[r] is not None
                                             for n in self.nodes for r in range(len(self.resources))) \
            or any(j.doc.get("prefers") for j in self.jobs) or any(t.endswith(":prefer") for n in self.nodes for t in n.taints) \
            or any(quantity(wish.doc["price"]) > 0 for wish in self.wishes)
        if self.soft and not any(name == "soft" for t in self.goal for _, name in t.terms):
            self.goal = self.goal + [Tier("soft")]
        self.priorities = sorted({j.priority for j in self.jobs}, reverse=True) if self.allow_unplaced else []
        names = [f"unplaced({p})" for p in self.priorities] if len(self.priorities) > 1 else ["unplaced"]
        self.left_names = dict(zip(self.priorities, names))
        self.goal = [Tier(self.left_names[p]) for p in self.priorities] + self.goal
        self.used_terms = {name for t in self.goal for _, name in t.terms}

    # What a plan must keep.

    def value_of(self, node, label):
        return self.nodes[node].id if label == "node" else self.nodes[node].labels.get(label)

    def may(self, unit, n, still=None):
        """Rule 3: the node will do, pins hold, and what no budget lets move stays."""
        task = self.units[unit].doc
        home = self.home[unit]
        stays = unit in (self.still if still is None else still) and home is not None and self.nodes[home].state == "ready"
        return self.welcome(unit, n) and (not (task.get("pinned") or "elapsed" in task or stays) or n == home)

    def welcome(self, unit, n):
        """Rule 3 but for pins: the node is ready, its labels and taints will do, labels of rules are there."""
        task, node = self.units[unit].doc, self.nodes[n]
        hard = [t for t in node.taints if not t.endswith(":prefer")]
        return (node.state == "ready" and chosen(node.labels, {k: task.get(k, {}) for k in ("requires", "avoid")})
                and (not task.get("either") or any(chosen(node.labels, e) for e in task["either"]))
                and all(tolerated(t, task.get("tolerations", [])) for t in hard)
                and all(self.value_of(n, r.over) is not None for r in self.rules
                        if unit in r.units and r.kind != "limit"))

    def node_holds(self, n, runs):
        """Rules 2, 4, 5 and 7 on one node, at every second at which something starts. `runs` is (start, end, unit);
        without times all run at once, from None on."""
        node = self.nodes[n]
        most = min([1] * self.one_each + [node.max_tasks] * (node.max_tasks is not None), default=None)
        for second in {start for start, _, _ in runs}:
            now = [u for start, end, u in runs if second is None or start <= second < end]
            if most is not None and len(now) > most or not self.loads_hold(n, node.load_before(second), now):
                return False
        return all(self.deal(n, r, runs) is not None for r in self.devices)

    def loads_hold(self, n, before, units):
        for r, room in enumerate(self.nodes[n].room):
            added = sum(self.demand[u][n][r] for u in units)
            spare = room - before[r] - added
            if added > 0 and spare < 0:
                return False
            if self.z2 is not None and spare ** 2 < self.z2 * sum(self.variance[u][n][r] for u in units):
                return False
            if r in self.transient:
                here = sum(self.demand[u][n][r] for u in range(len(self.units)) if self.home[u] == n)
                comes = sum(self.demand[u][n][r] for u in units if self.home[u] != n)
                if comes > 0 and before[r] + here + comes > room:
                    return False
        return True

    def deal(self, n, r, runs):
        """Cards for each unit that wants some, kept from its start to its end; None where there is no way."""
        left = self.nodes[n].used[r]
        before = []
        for _ in range(int(self.nodes[n].capacity[r])):
            before.append(min(1, left))
            left -= before[-1]
        wanting = sorted((x for x in runs if self.demand[x[2]][n][r] > 0), key=lambda x: (x[0] is not None, x[0] or 0))

        def go(k, dealt):
            if k == len(wanting):
                return dealt
            start, _, unit = wanting[k]
            load = list(before)
            for (_, end, other), cards in zip(wanting, dealt):
                if start is None or end > start:
                    for card in cards:
                        load[card] += min(1, self.demand[other][n][r])
            want = self.demand[unit][n][r]
            free = [c for c, taken in enumerate(load) if taken + min(1, want) <= 1]
            for cards in combinations(free, max(1, int(want))):
                if (found := go(k + 1, dealt + [cards])) is not None:
                    return found
            return None
        return go(0, [])

    def cards_hold(self, n, r, runs, cards):
        """Whether the cards that a plan names are right: `cards` by unit."""
        left, loads = self.nodes[n].used[r], []
        for _ in range(int(self.nodes[n].capacity[r])):
            loads.append(min(1, left))
            left -= loads[-1]
        for second in {start for start, _, _ in runs}:
            load = list(loads)
            for start, end, u in runs:
                if second is None or start <= second < end:
                    want = self.demand[u][n][r]
                    named = cards.get(u, [])
                    if len(set(named)) != len(named) or len(named) != (0 if want == 0 else max(1, int(want))):
                        return False
                    for card in named:
                        if not 0 <= card < len(load):
                            return False
                        load[card] += min(1, want)
            if any(x > 1 and x > b for x, b in zip(load, loads)):
                return False
        return True

    def rules_hold(self, place, stopped=()):
        """Rule 6, for the placement as a whole: gangs, and rules between tasks, but for those that speak of what stopped; limits
        count what runs."""
        silent = lambda units: not any(u in stopped for u in units)
        gangs = [j.units for j in self.jobs if j.gang] + [r.units for r in self.rules if r.kind == "gang"]
        if any(silent(units) and 0 < sum(place[u] is not None for u in units) < len(units) for units in gangs):
            return False
        for job in self.jobs:
            if self.timed and job.after and place[job.units[0]] is not None:
                if any(place[u] is None for other, _ in job.after for u in self.job_of[other].units):
                    return False
        return all(self.rule_holds(rule, place) for rule in self.rules
                   if not self.is_instant(rule) and (rule.kind == "limit" or silent([*rule.units, *rule.partners])))

    def is_instant(self, rule):
        """A limit that holds at every instant, not for the placement."""
        return self.timed and rule.kind == "limit" and rule.doc.get("when") != "always"

    def instants_hold(self, place, starts):
        """Limits at every second at which something starts or the limit changes; gangs that start as one."""
        start = lambda u: starts[self.units[u].number]
        for rule in self.rules:
            there = [u for u in rule.units if place[u] is not None and start(u) is not None]
            if rule.kind == "gang" and rule.doc.get("when") == "as-one" and len({start(u) for u in there}) > 1:
                return False
            if self.is_instant(rule):
                later = sorted((seconds(step["from"]), quantity(step["at_most"])) for step in rule.doc.get("later", []))
                for second in {start(u) for u in there} | {at for at, _ in later}:
                    now = [u for u in there if start(u) <= second < start(u) + self.duration[u][place[u]]]
                    most = [quantity(rule.doc["at_most"])] + [most for at, most in later if at <= second]
                    if not self.limit_holds(rule, now, place, most[-1]):
                        return False
        return True

    def limit_holds(self, rule, units, place, most=None):
        """Sums over nodes with each of the values, or over all nodes where the rule is over nothing."""
        what, sums = rule.doc["resource"], {}
        for u in units:
            n = place[u]
            value = None if n is None else "" if rule.over is None else self.value_of(n, rule.over)
            if value is not None and ("values" not in rule.doc or value in listed(rule.doc["values"])):
                sums[value] = sums.get(value, 0) + (1 if what == "tasks" else self.stated[u][n][self.resources.index(what)])
        most = quantity(rule.doc["at_most"]) if most is None else most
        return all(s <= most for s in sums.values())

    def rule_holds(self, rule, place):
        if rule.kind == "limit":
            return self.limit_holds(rule, rule.units, place)
        values = [self.value_of(place[u], rule.over) for u in rule.units if place[u] is not None]
        count = {v: values.count(v) for v in values}
        if rule.kind == "together":
            return len(count) <= 1
        if rule.kind == "apart":
            return len(count) == len(values)
        if rule.kind == "near":
            where = {self.value_of(place[u], rule.over) for u in rule.partners if place[u] is not None}
            return all(v in where for v in count)
        if rule.kind == "spread" and values:
            low, high, skew = (rule.doc.get(k) for k in ("at_least", "at_most", "max_skew"))
            if low is not None and len(count) < low or high is not None and len(count) > high:
                return False
            if skew is not None:
                there = rule.doc.get("present", {})
                usable = {self.value_of(n, rule.over) for u in rule.units for n in range(len(self.nodes)) if self.welcome(u, n)}
                total = lambda v: count.get(v, 0) + there.get(v, 0)
                return max(map(total, count)) - min(map(total, usable | set(count) | set(there))) <= skew
        return True

    def runs_of(self, place, starts):
        """For each node what runs there: (start, end, unit)."""
        runs = [[] for _ in self.nodes]
        for u, n in enumerate(place):
            if n is not None:
                start = starts[self.units[u].number] if self.timed else None
                runs[n].append((start, start + self.duration[u][n] if self.timed else None, u))
        return runs

    def open(self, unit, n, start):
        """Rule about windows: nothing runs on a node while it is closed."""
        end = start + self.duration[unit][n]
        return all(end <= a or start >= b for a, b in self.nodes[n].closed)

    def violations(self, place, starts=None):
        """What a whole plan breaks, in words; empty where it is a plan."""
        found = []
        if not self.allow_unplaced and None in place:
            found.append("not all placed")
        found += [f"{self.units[u].id} not on {self.nodes[n].id}" for u, n in enumerate(place)
                  if n is not None and n not in self.allowed[u]]
        if not self.rules_hold(place):
            found.append("rules")
        if not found and self.failures and not self.failures.all_right(place):
            found.append("failures")
        if self.timed:
            if any(place[u] is not None and starts[j.number] is None for j in self.jobs for u in j.units):
                return found + ["no start"]
            found += self.time_violations(place, starts)
            if not self.instants_hold(place, starts):
                found.append("rules at an instant")
        found += [f"no room on {self.nodes[n].id}" for n, runs in enumerate(self.runs_of(place, starts))
                  if not self.node_holds(n, runs)]
        return found

    def time_violations(self, place, starts):
        found = []
        for job in self.jobs:
            if any(place[u] is None for u in job.units):
                continue
            start, end = starts[job.number], self.end(job, place, starts[job.number])
            if start < job.release and "elapsed" not in job.doc:
                found.append(f"{job.id} before its release")
            if job.deadline is not None and end > job.deadline:
                found.append(f"{job.id} after its deadline")
            if "elapsed" in job.doc and start != 0:
                found.append(f"{job.id} runs already")
            if not all(self.open(u, place[u], start) for u in job.units):
                found.append(f"{job.id} on a closed node")
            for other, lag in job.after:
                other = self.job_of[other]
                if all(place[u] is not None for u in other.units) and start < self.end(other, place, starts[other.number]) + lag:
                    found.append(f"{job.id} before {other.id} is over")
        return found

    def end(self, job, place, start):
        return start + max(self.duration[u][place[u]] for u in job.units)

    # What a plan is worth.

    def values(self, place, starts=None):
        """The value of each tier."""
        static = self.static_values(place)
        if self.timed:
            static.update(self.timed_values(place, starts))
        return tuple(tier.of(static) for tier in self.goal)

    def static_values(self, place):
        """All terms that know no time."""
        out, used = {}, self.used_terms
        where = [(u, n) for u, n in enumerate(place) if n is not None]
        for p, name in self.left_names.items():
            out[name] = sum(self.units[u].weight for u, n in enumerate(place) if n is None and self.units[u].priority == p)
        if "nodes" in used:
            out["nodes"] = len({n for _, n in where})
        if "cost" in used:
            out["cost"] = sum(self.cost[u][n] for u, n in where) + sum(self.nodes[n].price for n in {n for _, n in where})
        if used & {"moves", "moved", "group_moves"}:
            moved = [(u, n) for u, n in where if self.home[u] not in (None, n)]
            out["moved"] = len(moved)
            out["moves"] = sum(quantity(self.units[u].doc.get("move_cost", 1)) + self.routes.get((self.home[u], n), 0)
                               for u, n in moved)
            groups = [g for u, _ in moved for g in self.units[u].groups]
            out["group_moves"] = max(map(groups.count, groups), default=0)
        if "energy" in used:
            out["energy"] = (sum(self.nodes[n].idle_watts for n in {n for _, n in where})
                             + sum(w * d for u, n in where for w, d in zip(self.nodes[n].watts, self.demand[u][n])))
        if "demand" in used:
            out["demand"] = sum(sum(self.demand[u][n]) for u, n in where)
        if used & {"peak", "balance", "soft"}:
            loads = [list(n.used) for n in self.nodes]
            for u, n in where:
                for r, d in enumerate(self.demand[u][n]):
                    loads[n][r] += d
            if "soft" in used:
                out["soft"] = self.soft_value(where, loads, place)
            if not self.timed:
                most = [max(Fraction(loads[n][r]) / node.capacity[r] for r in node.counted)
                        for n, node in enumerate(self.nodes) if node.counted]
                out["peak"] = whole(max(most, default=0))
                mean = sum(most) / len(most) if most else 0
                out["balance"] = sum((m - mean) ** 2 for m in most) / len(most) if most else 0
        return out

    @cached_property
    def distaste(self):
        """What each unit's own preferences and the soft taints of a node cost there."""
        def of(task, node):
            unmet = sum(quantity(p.get("weight", 1)) for p in task.get("prefers", []) if not chosen(node.labels, p))
            return unmet + sum(t.endswith(":prefer") and not tolerated(t, task.get("tolerations", [])) for t in node.taints)
        return [[of(j.doc, node) for node in self.nodes] for j in self.units]

    def soft_value(self, where, loads, place):
        total = sum(self.distaste[u][n] for u, n in where)
        total += sum(quantity(wish.doc["price"]) * self.breaches(wish, place) for wish in self.wishes)
        for n, node in enumerate(self.nodes):
            if node.state != "ready":
                continue
            for r, safe in enumerate(node.safety):
                if safe is not None:
                    over = lambda load: max(0, load - safe)
                    total += self.safety_price[r] * (over(loads[n][r]) - over(node.used[r]))
            for room, beside, ratio, price in self.ratios:
                free = lambda r: node.capacity[r] - loads[n][r]
                total += price * max(0, ratio * free(room) - free(beside))
        return whole(total)

    def breaches(self, wish, place):
        """How often a rule with a price is broken."""
        placed = [self.value_of(place[u], wish.over) for u in wish.units if place[u] is not None]
        values = [v for v in placed if v is not None]
        count = {v: values.count(v) for v in values}
        if not placed:
            return 0
        if wish.kind == "together":
            return max(0, len(count) - 1)
        if wish.kind == "apart":
            return len(values) - len(count)
        if wish.kind == "near":
            where = {self.value_of(place[u], wish.over) for u in wish.partners if place[u] is not None} - {None}
            return sum(v not in where for v in placed)
        low, high, skew = (wish.doc.get(k) for k in ("at_least", "at_most", "max_skew"))
        total = max(0, low - len(count)) if low is not None else 0
        total += max(0, len(count) - high) if high is not None else 0
        if skew is not None:
            there = wish.doc.get("present", {})
            usable = {self.value_of(n, wish.over) for u in wish.units for n in range(len(self.nodes)) if self.welcome(u, n)}
            full = lambda v: count.get(v, 0) + there.get(v, 0)
            least = min(map(full, (usable - {None}) | set(there)), default=0)
            total += max(0, max(map(full, count), default=0) - least - skew)
        return total

    def timed_values(self, place, starts):
        """Terms about time, of the jobs that have a start."""
        done = [(j, starts[j.number], self.end(j, place, starts[j.number]))
                for j in self.jobs if place[j.units[0]] is not None and starts[j.number] is not None]
        out = {"makespan": max((end for _, _, end in done), default=0),
               "completion": sum(j.weight * end for j, _, end in done),
               "tardiness": sum(j.weight * max(0, end - j.due) for j, _, end in done if j.due is not None),
               "wait": sum(j.weight * (start - j.release) for j, start, _ in done)}
        if "peak" in self.used_terms:
            now = [None if starts[self.units[u].number] is None else n for u, n in enumerate(place)]
            out["peak"] = max((self.node_peak(n, runs) for n, runs in enumerate(self.runs_of(now, starts))), default=0)
        return out

    def node_peak(self, n, runs):
        """The highest utilisation at any instant; what was there before counts from the start on."""
        node, most = self.nodes[n], 0
        for second in {0} | {start for start, _, _ in runs}:
            load = list(node.load_before(second))
            for start, end, u in runs:
                if start <= second < end:
                    load = [a + b for a, b in zip(load, self.demand[u][n])]
            most = max([most] + [whole(Fraction(load[r]) / node.capacity[r]) for r in node.counted])
        return most
