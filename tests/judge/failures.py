"""Plans that nodes may fail under: `backup` of tasks and `--survive`, docs/model.md, "When nodes fail"."""
import copy
from itertools import product


class Failures:
    def __init__(self, model, survive):
        self.model, self.survive = model, survive
        self.backed = [(u, "node" if j.doc["backup"] is True else j.doc["backup"])
                       for u, j in enumerate(model.units) if j.doc.get("backup")]
        self.after = {}

    def sets(self, label):
        """What fails as one: each node, or all nodes with the same value of a label."""
        values = [self.model.value_of(n, label) for n in range(len(self.model.nodes))]
        return [frozenset(n for n, v in enumerate(values) if v == value) for value in dict.fromkeys(values) if value is not None]

    def model_after(self, failed):
        """The instance with these nodes down; what runs elsewhere has its room there, so nothing is transient."""
        if failed not in self.after:
            document = copy.deepcopy(self.model.instance)
            for n in failed:
                document["nodes"][n]["state"] = "down"
            for about in document.get("resources", {}).values():
                about.pop("transient", None)
            for task in document["tasks"]:
                task.pop("backup", None)
            self.after[failed] = type(self.model)(document, self.model.allow_unplaced, self.model.headroom)
        return self.after[failed]

    def holds(self, place, failed, moved, stopped=()):
        """Whether every rule holds once the nodes have failed and units went where `moved` says."""
        after = self.model_after(failed)
        now = [None if u in stopped else moved.get(u, n) for u, n in enumerate(place)]
        if any(n is not None and n in failed or u in moved and n not in after.allowed[u] for u, n in enumerate(now)):
            return False
        runs = after.runs_of(now, None)
        return all(after.node_holds(n, runs[n]) for n in set(moved.values())) and after.rules_hold(now, stopped)

    def fallbacks(self, place, failed):
        """Every way for what was on failed nodes to go elsewhere while all else stays."""
        displaced = [u for u, n in enumerate(place) if n in failed]
        for nodes in product(*(self.model_after(failed).allowed[u] for u in displaced)):
            moved = dict(zip(displaced, nodes))
            if self.holds(place, failed, moved):
                yield moved

    def standbys_hold(self, place, standby):
        """Whether these standbys, nodes by unit, keep what `backup` promises."""
        for u, label in self.backed:
            if place[u] is not None:
                here, there = (self.model.value_of(n, label) for n in (place[u], standby[u]))
                if standby[u] == place[u] or here is not None and here == there or standby[u] not in self.model.refuge[u]:
                    return False
        for label in {"node"} | {label for _, label in self.backed}:
            for failed in self.sets(label):
                there = {u for u, n in enumerate(place) if n in failed}
                goes = {u: standby[u] for u, over in self.backed if u in there and label in ("node", over)}
                if there and not self.holds(place, failed, goes, there - set(goes)):
                    return False
        return True

    def standbys(self, place):
        """Every way to give standbys."""
        units = [u for u, _ in self.backed if place[u] is not None]
        for nodes in product(*(self.model.refuge[u] for u in units)):
            standby = dict(zip(units, nodes))
            if self.standbys_hold(place, standby):
                yield standby

    def all_right(self, place):
        """Whether there is a fallback for every failure asked for, and standbys."""
        if self.survive and not all(any(True for _ in self.fallbacks(place, f)) for f in self.sets(self.survive)):
            return False
        return not self.backed or any(True for _ in self.standbys(place))

    def stated_wrong(self, document, place):
        """What is wrong with the standbys and fallbacks that a plan states."""
        model, found = self.model, []
        unit = lambda a: model.job_of[a["task"]].units[a.get("unit", 0)]
        if self.backed:
            standby = {unit(a): model.node_index[a["standby"]["node"]] for a in document["assignments"] if "standby" in a}
            wanted = {u for u, _ in self.backed if place[u] is not None}
            if set(standby) != wanted or not self.standbys_hold(place, standby):
                found.append("standbys")
        if self.survive:
            stated = {}
            for failure in document["survives"]["failures"]:
                failed = frozenset(n for n in range(len(model.nodes)) if model.value_of(n, self.survive) in failure["fail"])
                stated[failed] = {unit(a): model.node_index[a["to"]] for a in failure["fallback"]}
            for failed in self.sets(self.survive):
                there = {u for u, n in enumerate(place) if n in failed}
                if there and (set(stated.get(failed, {})) != there or not self.holds(place, failed, stated[failed])):
                    found.append(f"fallback for {sorted(model.nodes[n].id for n in failed)}")
        return found
