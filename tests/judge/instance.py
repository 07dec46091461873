"""Random tiny instances as the program's own JSON, built from features by name.

A case is {"instance": ..., "options": [...], "features": [...]}: `options` are the flags of the command line that
change what is asked."""

TERMS = ["peak", "balance", "cost", "nodes", "demand", "energy", "soft", "moves", "moved", "group_moves"]
TIMED = ["makespan", "completion", "tardiness", "wait"]
# What belongs to plans without times only, and to plans in time only.
PLAIN_ONLY = {"risk", "risk-any", "balance", "demand-goal", "energy", "group_moves", "transient", "ratios", "safety", "no-duration",
              "backup", "survive", "wish"}
TIMED_ONLY = set(TIMED) | {"release", "due", "deadline", "after", "lag", "window", "available_at", "elapsed", "ending"}
FEATURES = {}
# Pairs of features that contradict each other.
EXCLUDED = [{"risk", "risk-any"}, {"large", "fractions"}, {"cards", "risk"}, {"cards", "risk-any"}, {"cards", "backup"},
            {"cards", "survive"}, {"survive", "unplaced"}, {"survive", "backup"}, {"pinned", "backup"},
            {"unplaced", "backup"}]


def feature(name):
    def keep(build):
        FEATURES[name] = build
        return build
    return keep


def possible(a, b):
    """Whether two features can meet in an instance."""
    return not ((a in PLAIN_ONLY and b in TIMED_ONLY) or (b in PLAIN_ONLY and a in TIMED_ONLY) or {a, b} in EXCLUDED)


class Draw:
    """An instance in the making."""
    def __init__(self, rng, features, size):
        self.rng, self.features = rng, features
        self.timed = bool(set(features) & TIMED_ONLY) or (not set(features) & PLAIN_ONLY and rng.random() < 0.5)
        self.options, self.rules, self.pairs, self.doc = [], [], [], {}
        self.terms = []
        tasks = [[1, 2], [1, 2, 2, 3, 3, 4] if self.timed else [1, 2, 3, 3, 4, 4, 5], range(5, 11)][size]
        nodes = [[1, 2, 2], [1, 2, 2, 3, 3, 3], [2, 3, 4]][size]
        self.resources = ["cpu"] if rng.random() < 0.6 else ["cpu", "mem"]
        self.nodes = [self.node(i) for i in range(rng.choice(nodes))]
        self.tasks = [self.task(i) for i in range(rng.choice(tasks))]

    def node(self, i):
        return {"id": f"n{i}", "capacity": {r: self.rng.randint(3, 9) for r in self.resources}}

    def task(self, i):
        task = {"id": f"t{i}", "demand": {r: self.rng.randint(0 if r == "mem" else 1, 4) for r in self.resources}}
        if self.timed or self.rng.random() < 0.3:
            task["duration"] = self.rng.choice([1, 1, 2, 3, 4])
        return task

    def some(self, things, chance=0.5):
        """At least one of them."""
        picked = [t for t in things if self.rng.random() < chance]
        return picked or [self.rng.choice(things)]

    def labels(self):
        """Nodes have a zone, a kind, and a size, most of them."""
        for node in self.nodes:
            if "labels" not in node:
                node["labels"] = {"zone": self.rng.choice("ab"), "kind": self.rng.choice("xy"),
                                  "size": str(self.rng.randint(1, 9))}
                if self.rng.random() < 0.15:
                    del node["labels"][self.rng.choice(["zone", "kind", "size"])]

    def selection(self):
        """A label and what is asked of it."""
        self.labels()
        if self.rng.random() < 0.5:
            return {"zone": self.rng.choice(["a", "b", ["a", "b"], "*"])}
        return {"kind": self.rng.choice(["x", "y", "*"])}

    def homes(self):
        """Tasks run somewhere now."""
        for task in self.some(self.tasks, 0.7):
            if "node" not in task:
                home = lambda: self.rng.choice(self.nodes)["id"]
                if "replicas" in task and self.rng.random() < 0.7:
                    task["node"] = [home() for _ in range(task["replicas"])]
                else:
                    task["node"] = home()

    def rule(self, kind, **asked):
        """A rule with whom it concerns: tasks, a group, or each key or group."""
        rng = self.rng
        rule = {"rule": kind, **asked}
        how = rng.choice(["tasks", "tasks", "tasks", "group", "each"])
        if "each" in self.features and kind != "near":
            how = "each"
        elif "groups" in self.features and rng.random() < 0.7:
            how = "group"
        if how == "tasks":
            rule["tasks"] = [t["id"] for t in self.some(self.tasks, 0.8)]
        elif how == "group":
            for t in self.some(self.tasks, 0.8):
                t.setdefault("group", "g")
            rule["group"] = rng.choice(sorted({g for t in self.tasks for g in ([t["group"]] if isinstance(t.get("group"), str)
                                                                                else t.get("group", []))}))
        else:
            rule["each"] = rng.choice(["key", "group"])
            if rule["each"] == "key":
                for t in self.tasks:
                    t.setdefault("key", rng.choice("kl"))
            else:
                for t in self.some(self.tasks, 0.8):
                    t.setdefault("group", rng.choice(["g", "h", ["g", "h"]]))
        if kind == "limit" and rng.random() < 0.3:
            rule["over"] = "node"
        elif kind != "gang" and ("over-label" in self.features or rng.random() < 0.4):
            self.labels()
            rule["over"] = rng.choice(["zone", "kind"])
        if kind == "gang" and rng.random() < 0.4:
            rule["when"] = "as-one"
        self.rules.append(rule)
        return rule

    def finish(self):
        """The case, with the goal made of what features asked for."""
        self.tidy()
        rng, doc = self.rng, self.doc
        if self.timed and not set(self.terms) & set(TIMED):
            self.terms.append(rng.choice(TIMED))
        if "goal-default" in self.features and not self.timed and not self.terms:
            pass
        else:
            doc["goal"] = self.goal()
        doc.update(nodes=self.nodes, tasks=self.tasks)
        for key, value in (("rules", self.rules), ("pairs", self.pairs)):
            if value:
                doc[key] = value
        if "permuted" in self.features:
            rng.shuffle(self.tasks)
        present = sorted(set(self.features) | {"timed" if self.timed else "plain"})
        return {"instance": doc, "options": self.options, "features": present}

    def tidy(self):
        """What the reader would refuse is made right: the judge is about plans."""
        for about in self.tasks + self.pairs:
            # What no node has is plain.
            licence = about.get("demand", {}).pop("licence", None)
            if licence is not None and about in self.tasks:
                about["demand"]["licence"] = licence["mean"] if isinstance(licence, dict) else licence
        if any(r.get("resource") == "licence" for r in self.rules):
            self.tasks[0].setdefault("demand", {}).setdefault("licence", 1)
        for t in self.tasks:
            for r in t.get("demand", {}):
                if r != "licence" and not any(r in n["capacity"] for n in self.nodes):
                    self.nodes[0]["capacity"][r] = 0
            if "elapsed" in t:
                t.pop("release", None)
                t.pop("after", None)
                for n in self.nodes:
                    if n["id"] in t["node"]:
                        n.pop("available_at", None)
                        n.pop("closed", None)
                for p in self.pairs:
                    if p["task"] == t["id"] and "duration" in p:
                        p["duration"] += 1
            if "deadline" in t and self.rng.random() < 0.8:
                t["deadline"] += t.get("release", 0)
        if "survive" in self.features and self.options[-1] == "zone" and not any("zone" in n.get("labels", {}) for n in self.nodes):
            self.nodes[0].setdefault("labels", {})["zone"] = "a"
        for n in self.nodes:
            for field in ("used", "reserve", "safety", "watts"):
                for r in n.get(field, {}):
                    n["capacity"].setdefault(r, 0)
        for about in self.rules + [t.get("spread", {}) for t in self.tasks]:
            over = about.get("over", "node")
            if over != "node" and not any(over in n.get("labels", {}) for n in self.nodes):
                self.nodes[0].setdefault("labels", {})[over] = "a"
        for t in self.tasks:
            for over in (t.get("together"), t.get("apart")):
                if over == "zone" and not any(over in n.get("labels", {}) for n in self.nodes):
                    self.nodes[0].setdefault("labels", {})[over] = "a"

    def goal(self):
        rng = self.rng
        terms = self.terms or [rng.choice(["peak", "cost", "nodes", "balance"] if not self.timed else TIMED)]
        if len(terms) < 3 and rng.random() < 0.4:
            more = ["peak", "nodes", "cost", "soft"] + (TIMED if self.timed else ["balance", "moved"])
            terms = terms + [t for t in [rng.choice(more)] if t not in terms]
        rng.shuffle(terms)
        tiers = []
        for term in terms:
            factor = rng.choice(["", "", "2*", "10*"] + (["0.5*"] if "sums" in self.features else []))
            if tiers and ("sums" in self.features or rng.random() < 0.15):
                tiers[-1] += f" + {factor}{term}"
            else:
                tiers.append(f"{factor if 'sums' in self.features else ''}{term}")
        if "limit" in self.features:
            k = rng.randrange(len(tiers))
            tiers[k] += f" <= {rng.choice(['0', '1', '2', '3', '0.5', '7'])}"
            others = [t for t in ["nodes", "cost", "peak", "soft", "moved"] if t not in terms]
            if len(tiers) == 1 and others:
                tiers.append(rng.choice(others))
        return ", ".join(tiers)


# Labels, taints and states.

@feature("requires")
def requires(d):
    for t in d.some(d.tasks):
        t["requires"] = d.selection()


@feature("avoid")
def avoid(d):
    for t in d.some(d.tasks):
        t["avoid"] = {**d.selection()}
        if t["avoid"].get("zone") == "*" or t["avoid"].get("kind") == "*":
            t["avoid"] = {"zone": d.rng.choice("ab")}


@feature("either")
def either(d):
    for t in d.some(d.tasks):
        t["either"] = [{"requires": d.selection()}, d.rng.choice([{"avoid": d.selection()}, {"requires": d.selection()}])]


@feature("ranges")
def ranges(d):
    d.labels()
    for t in d.some(d.tasks):
        low, high = d.rng.randint(0, 5), d.rng.randint(4, 10)
        span = d.rng.choice([f">{low}", f"<{high}", f">{low}<{high}"])
        t.setdefault(d.rng.choice(["requires", "requires", "avoid"]), {})["size"] = span


@feature("taints")
def taints(d):
    for n in d.some(d.nodes):
        n.setdefault("taints", []).append(d.rng.choice(["team=a", "team=b", "gpu=x:no-execute", "gpu=x"]))
    for t in d.some(d.tasks, 0.8):
        t.setdefault("tolerations", []).append(d.rng.choice(["team=a", "team", "*", "gpu:no-execute", "gpu=x", "*:no-schedule"]))


@feature("soft-taints")
def soft_taints(d):
    for n in d.some(d.nodes):
        n.setdefault("taints", []).append(d.rng.choice(["slow=x:prefer", "old=y:prefer"]))
    for t in d.some(d.tasks, 0.3):
        t.setdefault("tolerations", []).append(d.rng.choice(["slow", "old=y:prefer", "*:prefer"]))


@feature("state")
def state(d):
    if len(d.nodes) == 1:
        d.nodes.append(d.node(1))
    d.rng.choice(d.nodes)["state"] = d.rng.choice(["drain", "down"])


@feature("pinned")
def pinned(d):
    for t in d.some(d.tasks, 0.3):
        t.setdefault("node", d.rng.choice(d.nodes)["id"])
        t["pinned"] = True


# Rooms.

@feature("used")
def used(d):
    for n in d.some(d.nodes, 0.6):
        r = d.rng.choice(d.resources)
        n.setdefault("used", {})[r] = d.rng.choice([1, 1, 2, 2, 3, 6, 8, 9])


@feature("reserve")
def reserve(d):
    r = d.rng.choice(d.resources)
    if d.rng.random() < 0.5:
        d.doc["reserve"] = {r: d.rng.choice([1, "0.5", 2])}
    else:
        d.rng.choice(d.nodes).setdefault("reserve", {})[r] = d.rng.choice([0, 1, 2, 3])


@feature("reserve-part")
def reserve_part(d):
    r = d.rng.choice(d.resources)
    if d.rng.random() < 0.5:
        d.doc["reserve"] = {**d.doc.get("reserve", {}), r: d.rng.choice(["10%", "25%", "33%"])}
    else:
        d.rng.choice(d.nodes).setdefault("reserve", {})[r] = d.rng.choice(["10%", "50%", "12.5%"])


@feature("headroom")
def headroom(d):
    d.options += ["--headroom", d.rng.choice(["10%", "0.25", "15%"])]


@feature("max_tasks")
def max_tasks(d):
    for n in d.some(d.nodes, 0.7):
        n["max_tasks"] = d.rng.choice([0, 1, 1, 2, 2, 3])


@feature("one-each")
def one_each(d):
    d.doc["one_task_per_node"] = True


@feature("no-capacity")
def no_capacity(d):
    n = d.rng.choice(d.nodes)
    if d.rng.random() < 0.5:
        n["capacity"] = {}
    else:
        n["capacity"][d.rng.choice(list(n["capacity"]) or d.resources)] = 0


@feature("zero-demand")
def zero_demand(d):
    t = d.rng.choice(d.tasks)
    if d.rng.random() < 0.5:
        t.pop("demand")
    else:
        t["demand"] = {r: 0 for r in d.resources}


@feature("fractions")
def fractions(d):
    for t in d.some(d.tasks):
        if t.get("demand"):
            t["demand"][d.rng.choice(d.resources)] = d.rng.choice(["0.5", "1.25", "250m", "1.1", "2.75"])
    for n in d.some(d.nodes, 0.3):
        if n["capacity"]:
            n["capacity"][d.rng.choice(d.resources)] = d.rng.choice(["3.5", "4.2", "2500m", "7.9"])


@feature("cards")
def cards(d):
    d.doc.setdefault("resources", {})["gpu"] = {"devices": True}
    for n in d.some(d.nodes, 0.8):
        n["capacity"]["gpu"] = d.rng.randint(1, 3)
        if d.rng.random() < 0.3:
            n.setdefault("used", {})["gpu"] = d.rng.choice(["0.5", "0.25", 1, "0.7"])
    if not any("gpu" in n["capacity"] for n in d.nodes):
        d.nodes[0]["capacity"]["gpu"] = 2
    for t in d.some(d.tasks, 0.8):
        t.setdefault("demand", {})["gpu"] = d.rng.choice(["0.5", "0.3", "0.7", "0.25", 1, 1, 2])


# Gangs and rules between tasks.

@feature("gang")
def gang(d):
    t = d.rng.choice(d.tasks)
    t["replicas"] = d.rng.choice([1, 2, 2, 3] if not d.timed else [2, 2, 2, 3])
    if t["replicas"] == 3 and len(d.tasks) > 2:
        d.tasks.remove(d.rng.choice([x for x in d.tasks if x is not t]))


@feature("gang-rule")
def gang_rule(d):
    d.rule("gang")


@feature("together")
def together(d):
    gangs = [t for t in d.tasks if "replicas" in t]
    if gangs and d.rng.random() < 0.4:
        d.labels()
        gangs[0]["together"] = d.rng.choice(["zone", "node"])
    else:
        d.rule("together")


@feature("apart")
def apart(d):
    gangs = [t for t in d.tasks if "replicas" in t]
    if gangs and d.rng.random() < 0.4:
        d.labels()
        gangs[0]["apart"] = d.rng.choice(["zone", "node"])
    else:
        d.rule("apart")


def spread(d, **asked):
    gangs = [t for t in d.tasks if "replicas" in t and "spread" not in t]
    if gangs and d.rng.random() < 0.3:
        d.labels()
        gangs[0]["spread"] = {"over": d.rng.choice(["zone", "node"]), **asked}
        return gangs[0]["spread"]
    return d.rule("spread", **asked)


@feature("at_most")
def at_most(d):
    spread(d, at_most=d.rng.choice([1, 1, 2]))


@feature("at_least")
def at_least(d):
    if len(d.tasks) == 1:
        d.tasks.append(d.task(1))
    rule = spread(d, at_least=d.rng.choice([1, 2, 2]))
    if rule.get("each") or len(rule.get("tasks", [])) == 1:
        rule.pop("each", None)
        rule["tasks"] = [t["id"] for t in d.tasks]


@feature("max_skew")
def max_skew(d):
    spread(d, max_skew=d.rng.choice([0, 1, 1, 2]))


@feature("present")
def present(d):
    rule = d.rule("spread", max_skew=d.rng.choice([0, 1, 1, 2]))
    if rule.get("over", "node") == "node":
        values = [n["id"] for n in d.nodes]
    else:
        values = sorted({n["labels"][rule["over"]] for n in d.nodes if rule["over"] in n.get("labels", {})})
    if values:
        rule["present"] = {v: d.rng.randint(0, 3) for v in d.some(values)}


@feature("near")
def near(d):
    if len(d.tasks) == 1:
        d.tasks.append(d.task(1))
    rule = d.rule("near")
    if "tasks" in rule and d.rng.random() < 0.7:
        partners = d.some([t["id"] for t in d.tasks], 0.3)
        rule["near"] = partners
        rule["tasks"] = [t for t in rule["tasks"] if t not in partners] or \
            [t["id"] for t in d.tasks if t["id"] not in partners] or rule["tasks"]
    else:
        t = d.rng.choice(d.tasks)
        t.setdefault("group", "p")
        rule["near_group"] = t["group"] if isinstance(t["group"], str) else t["group"][0]


@feature("wish")
def wish(d):
    """A rule that may be broken at a price; another may be there that may not."""
    kind = d.rng.choice(["together", "apart", "near", "spread", "spread"])
    if kind == "near":
        near(d)
    elif kind == "spread":
        asked = d.rng.choice([{"at_most": 1}, {"at_least": 2}, {"max_skew": 0}, {"max_skew": 1}, {"at_least": 2, "max_skew": 0}])
        rule = d.rule("spread", **asked)
        if "at_least" in asked:
            rule.pop("each", None)
            rule.pop("group", None)
            if len(d.tasks) == 1:
                d.tasks.append(d.task(1))
            rule["tasks"] = [t["id"] for t in d.tasks]
    else:
        d.rule(kind)
    d.rules[-1]["price"] = d.rng.choice([1, 1, 2, "0.5", 3])


def limit(d, resource, at_most):
    rule = d.rule("limit", resource=resource, at_most=at_most)
    if "over" in rule and d.rng.random() < 0.4:
        over = rule["over"]
        values = [n["id"] if over == "node" else n["labels"][over] for n in d.nodes
                  if over == "node" or over in n.get("labels", {})]
        if values:
            rule["values"] = sorted(set(d.some(values)))
    if d.timed and d.rng.random() < 0.4:
        rule["when"] = "always"
    elif d.rng.random() < 0.3:
        rule["later"] = [{"from": at, "at_most": d.rng.choice([0, 1, 2, 3, 5])} for at in sorted(d.rng.sample([1, 2, 3, 5], 2))]
    return rule


@feature("limit")
def limit_of_resource(d):
    limit(d, d.rng.choice(["cpu", d.resources[-1]]), d.rng.choice([2, 3, 4, 6, 8, "2.5"]))


@feature("limit-tasks")
def limit_of_tasks(d):
    limit(d, "tasks", d.rng.choice([0, 1, 1, 2, 2, 3]))


@feature("budget")
def budget(d):
    """So many may move at once; with none what runs stays."""
    for t in d.some(d.tasks, 0.4):
        t.setdefault("node", d.rng.choice(d.nodes)["id"])
    rule = d.rule("limit", resource="moved", at_most=d.rng.choice([0, 0, 1, 2]))
    rule.pop("over", None)


@feature("limit-licence")
def limit_of_licence(d):
    """A resource that no node has."""
    for t in d.tasks:
        t.setdefault("demand", {})["licence"] = d.rng.choice([0, 1, 1, 2, "0.5"])
    limit(d, "licence", d.rng.choice([1, 2, 2, 3, "1.5"]))


@feature("each")
def each(d):
    d.rule(d.rng.choice(["together", "apart", "gang"]))


@feature("groups")
def groups(d):
    for t in d.some(d.tasks, 0.8):
        t.setdefault("group", d.rng.choice(["g", "g", "h", ["g", "h"]]))
    d.rule(d.rng.choice(["together", "apart", "gang"]))


@feature("over-label")
def over_label(d):
    d.labels()
    if not d.rules:
        d.rule(d.rng.choice(["together", "apart"]))


# What is left out, and what is liked.

@feature("priority")
def priority(d):
    for t in d.some(d.tasks, 0.6):
        t["priority"] = d.rng.choice([-1, 1, 5])


@feature("weight")
def weight(d):
    for t in d.some(d.tasks, 0.6):
        t["weight"] = d.rng.choice([2, 3, "0.5", "1.25", 10])


@feature("weight-0")
def weight_0(d):
    for t in d.some(d.tasks, 0.4):
        t["weight"] = 0


@feature("unplaced")
def unplaced(d):
    d.options.append("--allow-unplaced")
    if d.rng.random() < 0.6:
        for t in d.some(d.tasks, 0.5):
            if t.get("demand"):
                r = d.rng.choice(list(t["demand"]))
                if r != "gpu":
                    t["demand"][r] = d.rng.randint(4, 9)


@feature("prefers")
def prefers(d):
    for t in d.some(d.tasks):
        wish = {"labels": d.selection()} if d.rng.random() < 0.7 else {"avoid": {"zone": d.rng.choice("ab")}}
        d.labels()
        if d.rng.random() < 0.6:
            wish["weight"] = d.rng.choice([2, 5, "0.5", 0])
        t.setdefault("prefers", []).append(wish)


@feature("safety")
def safety(d):
    r = d.rng.choice(d.resources)
    d.doc.setdefault("resources", {}).setdefault(r, {})["safety_price"] = d.rng.choice([1, 2, "0.5"])
    for n in d.some(d.nodes, 0.8):
        n.setdefault("safety", {})[r] = d.rng.choice([1, 2, "50%", "80%", "30%"])


@feature("ratios")
def ratios(d):
    if len(d.resources) == 1:
        d.resources.append("mem")
        for n in d.nodes:
            if n["capacity"]:
                n["capacity"]["mem"] = d.rng.randint(2, 8)
        for t in d.tasks:
            t.setdefault("demand", {})["mem"] = d.rng.randint(0, 3)
    pair = d.rng.sample(["cpu", "mem"], 2)
    for name in pair:
        d.doc.setdefault("resources", {}).setdefault(name, {})  # it is named, whatever becomes of loads
    d.doc["ratios"] = [{"room": pair[0], "with": pair[1], "ratio": d.rng.choice([1, 2, "0.5"]), "price": d.rng.choice([1, 3])}]


# Costs.

def pair(d):
    """A new pair of a task and a node."""
    task, node = d.rng.choice(d.tasks), d.rng.choice(d.nodes)
    known = [p for p in d.pairs if p["task"] == task["id"] and p["node"] == node["id"]]
    if not known:
        d.pairs.append({"task": task["id"], "node": node["id"]})
        known = d.pairs[-1:]
    return known[0], task


@feature("pair-cost")
def pair_cost(d):
    for _ in range(d.rng.randint(1, 4)):
        pair(d)[0]["cost"] = d.rng.choice([0, 1, 2, 3, 5, "0.5"])
    d.terms.append("cost")


@feature("pair-demand")
def pair_demand(d):
    for _ in range(d.rng.randint(1, 3)):
        about, task = pair(d)
        about["demand"] = {d.rng.choice([r for r in d.resources]): d.rng.randint(0, 5)}


@feature("pair-duration")
def pair_duration(d):
    for _ in range(d.rng.randint(1, 3)):
        about, task = pair(d)
        about["duration"] = d.rng.randint(1, 5)
        task.setdefault("duration", d.rng.randint(1, 4))
    if not d.timed:
        per_hour(d)


@feature("price")
def price(d):
    for n in d.some(d.nodes, 0.7):
        n["price"] = d.rng.choice([1, 2, 3, 5, "2.5"])
    d.terms.append("cost")


@feature("energy")
def energy(d):
    for n in d.some(d.nodes, 0.7):
        n["idle_watts"] = d.rng.choice([0, 1, 2, 5, "2.5"])
    for n in d.some(d.nodes, 0.7):
        n["watts"] = {r: d.rng.choice([1, 2, "0.5"]) for r in d.some(d.resources)}
    d.terms.append("energy")


@feature("per-hour")
def per_hour(d):
    for n in d.some(d.nodes, 0.8):
        n["price_per_hour"] = d.rng.choice([3600, 7200, 1800, 360, 1])
    for t in d.tasks:
        t.setdefault("duration", d.rng.choice([1, 2, 3, 3600]) if not d.timed else 2)
    d.terms.append("cost")


@feature("cost")
def cost(d):
    d.terms.append("cost")


# What may fail.

@feature("backup")
def backup(d):
    if len(d.nodes) == 1:
        d.nodes.append(d.node(1))
    for t in d.some([t for t in d.tasks if not t.get("pinned")] or d.tasks, 0.5):
        t["backup"] = d.rng.choice([True, True, "node", "zone"])
        if t["backup"] == "zone":
            d.labels()


@feature("survive")
def survive(d):
    if len(d.nodes) == 1:
        d.nodes.append(d.node(1))
    for n in d.nodes:
        for r in n["capacity"]:
            n["capacity"][r] += d.rng.randint(0, 4)
    label = d.rng.choice(["node", "node", "zone"])
    if label == "zone":
        d.labels()
    d.options += ["--survive", label]


# What runs now.

@feature("running")
def running(d):
    d.homes()


@feature("moves")
def moves(d):
    d.homes()
    for t in d.some(d.tasks):
        t["move_cost"] = d.rng.choice([0, 1, 2, 5, "0.5"])
    d.terms.append("moves")


@feature("moved")
def moved(d):
    d.homes()
    d.terms.append("moved")


@feature("group_moves")
def group_moves(d):
    d.homes()
    for t in d.some(d.tasks, 0.8):
        t.setdefault("group", d.rng.choice(["g", "g", "h", ["g", "h"]]))
    d.terms.append("group_moves")


@feature("routes")
def routes(d):
    d.homes()
    ids = [n["id"] for n in d.nodes]
    d.doc["routes"] = [{"from": a, "to": b, "cost": d.rng.choice([0, 1, 2, 5, "0.5"])}
                       for a in ids for b in ids if a != b and d.rng.random() < 0.7]
    d.terms.append("moves")


@feature("transient")
def transient(d):
    d.homes()
    d.doc.setdefault("resources", {}).setdefault(d.rng.choice(d.resources), {})["transient"] = True


# Demands that vary.

def vary(d):
    still = {r for r, about in d.doc.get("resources", {}).items() if about.get("transient") or about.get("devices")}
    for t in d.some(d.tasks, 0.7):
        for r, mean in t.get("demand", {}).items():
            if r not in still and mean not in (0, "0") and d.rng.random() < 0.8 and not isinstance(mean, dict):
                t["demand"][r] = {"mean": mean, "sd": d.rng.choice(["0.5", "0.3", 1, "0.25", "1.7"])}


@feature("risk")
def risk(d):
    vary(d)
    d.doc["risk"] = d.rng.choice(["0.01", "5%", "0.2", "0.4", "10%"])


@feature("risk-any")
def risk_any(d):
    vary(d)
    d.doc["risk"] = d.rng.choice(["10% any", "0.3 any", "0.45 any", "0.2 any"])


# Goals.

def goal_feature(name, term=None):
    FEATURES[name] = lambda d: d.terms.append(term or name)


for _name in TIMED + ["peak", "balance", "nodes", "soft"]:
    goal_feature(_name)
goal_feature("demand-goal", "demand")
for _name in ("sums", "limit", "permuted"):
    FEATURES[_name] = lambda d: None


@feature("no-duration")
def no_duration(d):
    for t in d.some(d.tasks):
        t.pop("duration", None)


# Time.

@feature("speed")
def speed(d):
    for n in d.some(d.nodes, 0.7):
        n["speed"] = d.rng.choice([2, "0.5", "1.5", 3])


@feature("release")
def release(d):
    for t in d.some(d.tasks, 0.6):
        t["release"] = d.rng.randint(0, 5)


@feature("due")
def due(d):
    for t in d.some(d.tasks, 0.8):
        t["due"] = d.rng.randint(0, 6)
    if d.rng.random() < 0.7:
        d.terms.append("tardiness")


@feature("deadline")
def deadline(d):
    for t in d.some(d.tasks, 0.5):
        t["deadline"] = d.rng.randint(2, 9)


def chain(d, lag):
    if len(d.tasks) == 1:
        d.tasks.append(d.task(1))
    for i, t in enumerate(d.tasks):
        if i and d.rng.random() < 0.6 or i == 1:
            before = d.rng.choice(d.tasks[:i])["id"]
            t["after"] = [{"task": before, "lag": d.rng.randint(1, 3)} if lag else before]


@feature("after")
def after(d):
    chain(d, False)


@feature("lag")
def lag(d):
    chain(d, True)


@feature("window")
def window(d):
    for n in d.some(d.nodes, 0.6):
        a = d.rng.randint(0, 4)
        n["closed"] = [{"from": a, "to": a + d.rng.randint(1, 3)}]
        if d.rng.random() < 0.3:
            b = n["closed"][0]["to"] + d.rng.randint(1, 4)
            n["closed"].append({"from": b, "to": b + 1})


@feature("available_at")
def available_at(d):
    for n in d.some(d.nodes, 0.6):
        n["available_at"] = d.rng.randint(1, 4)


@feature("elapsed")
def elapsed(d):
    for t in d.some(d.tasks, 0.3):
        t["duration"], t["elapsed"] = d.rng.randint(4, 6), d.rng.randint(0, 1)
        t.setdefault("node", d.rng.choice(d.nodes)["id"])


@feature("ending")
def ending(d):
    for n in d.some(d.nodes, 0.6):
        r = d.rng.choice(d.resources)
        n.setdefault("used", {})[r] = d.rng.randint(2, 5)
        n["ending"] = [{"at": d.rng.randint(1, 4), "used": {r: d.rng.randint(1, 2)}}]


# Numbers that no double holds.

@feature("large")
def large(d):
    """One kind of number is very large, and near others of its kind."""
    rng = d.rng
    big = 10 ** rng.choice([6, 9, 12, 13, 15, 17])
    kind = rng.choice(["room", "weight", "cost", "move", "prefers"] + (["time"] if d.timed else ["price"]))
    near = lambda: str(min(big, 10**9 if kind == "time" else big) + rng.randint(0, 3))
    if kind == "room":
        for n in d.nodes:
            n["capacity"]["cpu"] = str(big * rng.randint(2, 5) + rng.randint(0, 3))
        for t in d.tasks:
            t.setdefault("demand", {})["cpu"] = str(big * rng.randint(1, 3) + rng.randint(0, 3))
    elif kind == "weight":
        for t in d.tasks:
            t["weight"] = near()
    elif kind == "cost":
        d.pairs[:] = [{"task": t["id"], "node": n["id"], "cost": near()} for t in d.tasks for n in d.nodes]
        d.terms.append("cost")
    elif kind == "move":
        d.homes()
        for t in d.tasks:
            t["move_cost"] = near()
        d.terms.append("moves")
    elif kind == "prefers":
        for t in d.tasks:
            t["prefers"] = [{"labels": d.selection(), "weight": near()}]
        d.labels()
    elif kind == "price":
        for n in d.nodes:
            n["price"] = near()
        d.terms.append("cost")
    else:
        for t in d.tasks:
            t["duration"] = near()


# Shapes of the instance come first, what looks at them later.
ORDER = ["survive", "no-capacity", "zero-demand", "cards", "gang"]
LAST = ["ending", "fractions", "transient", "unplaced", "large", "risk", "risk-any"]


def draw(rng, features, size=1):
    """A case with these features; size 0 is very small, 1 small, 2 too large for brute force."""
    d = Draw(rng, set(features), size)
    rank = lambda f: (ORDER.index(f) if f in ORDER else len(ORDER) + (1 + LAST.index(f) if f in LAST else 0), f)
    for name in sorted(features, key=rank):
        FEATURES[name](d)
    d.terms = list(dict.fromkeys(d.terms))
    return d.finish()
