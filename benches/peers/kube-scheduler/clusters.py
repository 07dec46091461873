"""Random small clusters in the words of the Kubernetes API, one to three features each.

`cluster(seed, features)` is a list of API objects: nodes, pods that run, and pods that wait (named
`w-0`, `w-1`, ... in the namespace `d`). The same arguments give the same objects.
"""

import copy
import random

ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"
APPS = ["web", "db", "ml"]


class Cluster:
    def __init__(self, seed, features, waiting=1, nodes=None):
        self.rng = random.Random(f"{seed} {' '.join(features)}")
        self.objects = []
        self.extra = []
        rng = self.rng
        count = rng.randint(*(nodes or (3, 12)))
        zones = ["a", "b", "c", "d"][: rng.randint(1, 4)]
        self.zones = zones
        self.nodes = [self.node(k, rng.choice(zones)) for k in range(count)]
        self.running = []
        for node in self.nodes:
            for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
                pod = self.pod(f"r-{len(self.running)}")
                pod["spec"]["nodeName"] = node["metadata"]["name"]
                pod["status"] = {"phase": "Running"}
                self.running.append(pod)
        self.waiting = [self.pod(f"w-{k}") for k in range(waiting)]
        for name in features:
            FEATURES[name](self)
        self.replicate()

    def all(self):
        once = {(o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]): o for o in self.extra}
        return list(once.values()) + self.nodes + self.running + self.waiting

    def replicate(self):
        """Of many waiting pods most are copies of the first few, with claims of their own or shared."""
        first = self.waiting[: max(1, len(self.waiting) // 3)] or [None]
        claims = {o["metadata"]["name"]: o for o in self.extra if o["kind"] == "PersistentVolumeClaim"}
        devices = {o["metadata"]["name"]: o for o in self.extra if o["kind"] == "ResourceClaim"}
        for k in range(len(first), len(self.waiting)):
            pod = copy.deepcopy(self.rng.choice(first))
            pod["metadata"]["name"] = f"w-{k}"
            self.waiting[k] = pod
            own = self.chance(0.7)
            for volume in pod["spec"].get("volumes", []):
                old = claims.get(volume["persistentVolumeClaim"]["claimName"])
                if own and old and "volumeName" not in old["spec"]:
                    new = copy.deepcopy(old)
                    new["metadata"]["name"] = volume["persistentVolumeClaim"]["claimName"] = f"{volume['name']}-of-{k}"
                    self.extra.append(new)
            for claim in pod["spec"].get("resourceClaims", []):
                old = devices.get(claim.get("resourceClaimName"))
                if own and old:
                    new = copy.deepcopy(old)
                    new["metadata"]["name"] = claim["resourceClaimName"] = f"{claim['name']}-of-{k}"
                    self.extra.append(new)

    def chance(self, part):
        return self.rng.random() < part

    def node(self, k, zone):
        rng = self.rng
        name = f"n{k}"
        labels = {HOST: name, "disk": rng.choice(["ssd", "hdd"]), "size": str(rng.randint(1, 9))}
        if not self.chance(0.1):
            labels[ZONE] = zone
        if self.chance(0.4):
            labels["pool"] = rng.choice(["red", "blue"])
        give = {"cpu": rng.choice(["2", "4", "8"]), "memory": rng.choice(["4Gi", "16Gi"]),
                "pods": "20", "ephemeral-storage": "10Gi"}
        return {"apiVersion": "v1", "kind": "Node",
                "metadata": {"name": name, "labels": labels}, "spec": {},
                "status": {"allocatable": give,
                           "conditions": [{"type": "Ready", "status": "True"}]}}

    def pod(self, name):
        rng = self.rng
        labels = {"app": rng.choice(APPS)}
        if self.chance(0.3):
            labels["tier"] = rng.choice(["front", "back"])
        requests = {"cpu": rng.choice(["100m", "500m", "1", "1500m"]), "memory": rng.choice(["64Mi", "1Gi"])}
        return {"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": name, "namespace": "d", "labels": labels},
                "spec": {"containers": [{"name": "c", "resources": {"requests": requests}}]}}

    # Selectors ---------------------------------------------------------------------------------

    def label_selector(self):
        rng = self.rng
        kind = rng.randint(0, 5)
        if kind == 0:
            return {}
        if kind <= 2:
            return {"matchLabels": {"app": rng.choice(APPS)}}
        operator = rng.choice(["In", "NotIn", "Exists", "DoesNotExist"])
        expression = {"key": rng.choice(["app", "tier"]), "operator": operator}
        if operator in ("In", "NotIn"):
            expression["values"] = rng.sample(APPS + ["front", "back"], rng.randint(1, 3))
        return {"matchExpressions": [expression]}

    def node_term(self):
        rng = self.rng
        term = {}
        for _ in range(rng.randint(0, 2)):
            operator = rng.choice(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"])
            key = "size" if operator in ("Gt", "Lt") else rng.choice([ZONE, "disk", "pool", "size"])
            expression = {"key": key, "operator": operator}
            if operator in ("Gt", "Lt"):
                expression["values"] = [str(rng.randint(1, 9))]
            elif operator in ("In", "NotIn"):
                values = {"disk": ["ssd", "hdd"], "pool": ["red", "blue"], ZONE: ["a", "b", "c"],
                          "size": ["1", "2", "3", "4", "5"]}[key]
                expression["values"] = rng.sample(values, rng.randint(1, len(values)))
            term.setdefault("matchExpressions", []).append(expression)
        if self.chance(0.2):
            name = rng.choice(self.nodes)["metadata"]["name"]
            term["matchFields"] = [{"key": "metadata.name", "operator": rng.choice(["In", "NotIn"]), "values": [name]}]
        return term

    def everywhere(self, part, change):
        """Changes the waiting pods, and some of those that run."""
        for pod in self.waiting:
            change(pod)
        for pod in self.running:
            if self.chance(part):
                change(pod)


def affinity(pod, kind):
    return pod["spec"].setdefault("affinity", {}).setdefault(kind, {})


REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def requests(c):
    rng = c.rng

    def change(pod):
        spec = pod["spec"]
        kind = rng.randint(0, 6)
        if kind == 0:
            spec["initContainers"] = [{"name": "i", "resources": {"requests": {"cpu": rng.choice(["1", "3", "5"])}}}]
        if kind in (1, 2):
            side = {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "700m"}}}
            first = {"name": "i", "resources": {"requests": {"cpu": rng.choice(["1", "2", "3"])}}}
            spec["initContainers"] = [side, first] if kind == 1 else [first, side]
        if kind == 3:
            spec["containers"][0]["resources"] = {"limits": {"cpu": rng.choice(["1", "3"]), "memory": "2Gi"}}
        if kind == 4 and "runtimeClassName" not in spec:
            spec["overhead"] = {"cpu": "250m", "memory": "100Mi"}
        if kind == 5:
            spec["containers"][0]["resources"].setdefault("requests", {})["ephemeral-storage"] = rng.choice(["1Gi", "6Gi"])
        if kind == 6:
            spec["resources"] = {"requests": {"cpu": rng.choice(["1", "3"])}}
        if c.chance(0.2):
            spec["containers"].append({"name": "d"})

    c.everywhere(0.4, change)
    for node in c.nodes:
        if c.chance(0.2):
            node["status"]["allocatable"]["pods"] = str(rng.randint(1, 3))


def devices(c):
    rng = c.rng
    for node in c.nodes:
        if c.chance(0.6):
            node["status"]["allocatable"]["nvidia.com/gpu"] = str(rng.choice([0, 1, 4, 8]))
        if c.chance(0.3):
            node["status"]["allocatable"]["hugepages-2Mi"] = "1Gi"

    def change(pod):
        n = str(rng.choice([0, 1, 2, 4]))
        resources = pod["spec"]["containers"][0]["resources"]
        resources["limits"] = {"nvidia.com/gpu": n}
        if c.chance(0.3):
            resources["limits"]["hugepages-2Mi"] = "256Mi"

    c.everywhere(0.3, change)


def ports(c):
    rng = c.rng

    def change(pod):
        port = {"containerPort": rng.choice([80, 81, 82]), "protocol": rng.choice(["TCP", "TCP", "UDP"])}
        if c.chance(0.5):
            port["protocol"] = "TCP"
            del port["protocol"]
        if c.chance(0.25):
            pod["spec"]["hostNetwork"] = True
        else:
            port["hostPort"] = port["containerPort"] if c.chance(0.5) else rng.choice([80, 81, 82])
            if c.chance(0.4):
                port["hostIP"] = rng.choice(["10.0.0.1", "10.0.0.2", "0.0.0.0", "127.0.0.1"])
        if pod["spec"].get("hostNetwork"):
            port["hostPort"] = port["containerPort"]
        kind = rng.randint(0, 4)
        if kind == 0:
            side = {"name": "p", "ports": [port]}
            if c.chance(0.5):
                side["restartPolicy"] = "Always"
            pod["spec"].setdefault("initContainers", []).append(side)
        else:
            pod["spec"]["containers"][0]["ports"] = [port]

    c.everywhere(0.6, change)


def selectors(c):
    rng = c.rng
    for pod in c.waiting:
        if c.chance(0.5):
            key, value = rng.choice([("disk", "ssd"), ("pool", "red"), (ZONE, "a"), ("none", "x")])
            pod["spec"]["nodeSelector"] = {key: value}
        if c.chance(0.7):
            terms = [c.node_term() for _ in range(rng.randint(1, 3))]
            affinity(pod, "nodeAffinity")[REQUIRED] = {"nodeSelectorTerms": terms}
        if c.chance(0.3):
            affinity(pod, "nodeAffinity")[PREFERRED] = [{"weight": 5, "preference": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}}]


def taints(c):
    rng = c.rng
    for node in c.nodes:
        for _ in range(rng.choice([0, 1, 1, 2])):
            taint = {"key": rng.choice(["k", "l"]), "effect": rng.choice(["NoSchedule", "NoExecute", "PreferNoSchedule"])}
            if c.chance(0.7):
                taint["value"] = rng.choice(["1", "2"])
            node["spec"].setdefault("taints", []).append(taint)
    for pod in c.waiting:
        for _ in range(rng.randint(0, 3)):
            t = {"operator": rng.choice(["Exists", "Equal"])}
            if t["operator"] == "Equal" or c.chance(0.8):
                t["key"] = rng.choice(["k", "l"])
            if t["operator"] == "Equal":
                t["value"] = rng.choice(["1", "2", ""])
                if c.chance(0.3):
                    del t["operator"]
            if c.chance(0.6):
                t["effect"] = rng.choice(["NoSchedule", "NoExecute", "PreferNoSchedule"])
                if t["effect"] == "NoExecute" and c.chance(0.5):
                    t["tolerationSeconds"] = 300
            pod["spec"].setdefault("tolerations", []).append(t)


def conditions(c):
    rng = c.rng
    for node in c.nodes:
        kind = rng.randint(0, 6)
        if kind == 0:
            node["spec"]["unschedulable"] = True
        if kind == 1:
            node["status"]["conditions"] = [{"type": "Ready", "status": rng.choice(["False", "Unknown"])}]
        if kind == 2:
            node["status"]["conditions"].append({"type": rng.choice(["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"]),
                                                 "status": rng.choice(["True", "False"])})
        if kind == 3 and c.chance(0.5):
            node["spec"]["taints"] = node["spec"].get("taints", []) + [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]
    keys = ["unschedulable", "not-ready", "unreachable", "memory-pressure", "disk-pressure", "network-unavailable"]
    for pod in c.waiting:
        for _ in range(rng.randint(0, 3)):
            t = {"key": "node.kubernetes.io/" + rng.choice(keys), "operator": "Exists"}
            if c.chance(0.5):
                t["effect"] = rng.choice(["NoSchedule", "NoExecute"])
            pod["spec"].setdefault("tolerations", []).append(t)


def spread(c):
    rng = c.rng

    def change(pod):
        for _ in range(rng.randint(1, 2)):
            key = rng.choice([ZONE, ZONE, HOST, "pool"])
            constraint = {"maxSkew": rng.randint(1, 2), "topologyKey": key,
                          "whenUnsatisfiable": "DoNotSchedule" if c.chance(0.85) else "ScheduleAnyway"}
            if c.chance(0.95):
                constraint["labelSelector"] = c.label_selector() if c.chance(0.5) else {"matchLabels": {"app": pod["metadata"]["labels"]["app"]}}
            if any(o["topologyKey"] == key and o["whenUnsatisfiable"] == constraint["whenUnsatisfiable"]
                   for o in pod["spec"].get("topologySpreadConstraints", [])):
                continue
            pod["spec"].setdefault("topologySpreadConstraints", []).append(constraint)

    c.everywhere(0.2, change)
    deleted(c, 0.1)


def spread_policies(c):
    rng = c.rng
    spread(c)
    for pod in c.waiting:
        for constraint in pod["spec"].get("topologySpreadConstraints", []):
            for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
                if c.chance(0.6):
                    constraint[field] = rng.choice(["Honor", "Ignore"])
            if constraint["whenUnsatisfiable"] == "DoNotSchedule" and c.chance(0.4):
                constraint["minDomains"] = rng.randint(1, 4)
            if c.chance(0.3) and "labelSelector" in constraint:
                constraint["matchLabelKeys"] = [rng.choice(["tier", "version"])]
    for node in c.nodes:
        if c.chance(0.3):
            node["spec"].setdefault("taints", []).append({"key": "k", "effect": rng.choice(["NoSchedule", "NoExecute"])})
        if c.chance(0.1):
            node["spec"]["unschedulable"] = True
    for pod in c.waiting:
        if c.chance(0.5):
            affinity(pod, "nodeAffinity")[REQUIRED] = {"nodeSelectorTerms": [c.node_term() for _ in range(2)]}


def deleted(c, part):
    for pod in c.running:
        if c.chance(part):
            pod["metadata"]["deletionTimestamp"] = "2026-01-05T08:00:00Z"
            pod["metadata"]["deletionGracePeriodSeconds"] = 30


def pod_affinity(c):
    rng = c.rng
    for name, team in (("d", "one"), ("e", "two"), ("f", "two")):
        c.extra.append({"apiVersion": "v1", "kind": "Namespace",
                        "metadata": {"name": name, "labels": {"team": team, "kubernetes.io/metadata.name": name}}})
    for pod in c.running:
        if c.chance(0.3):
            pod["metadata"]["namespace"] = rng.choice(["e", "f"])

    def term(pod):
        t = {"topologyKey": rng.choice([ZONE, HOST, "pool"]), "labelSelector": c.label_selector()}
        if c.chance(0.1):
            del t["labelSelector"]
        kind = rng.randint(0, 5)
        if kind == 0:
            t["namespaces"] = rng.sample(["d", "e", "f"], rng.randint(1, 2))
        if kind == 1:
            t["namespaceSelector"] = rng.choice([{}, {"matchLabels": {"team": "two"}}])
        if kind == 2:
            t["namespaces"] = ["d"]
            t["namespaceSelector"] = {"matchLabels": {"team": "two"}}
        if "labelSelector" in t and c.chance(0.2):
            t[rng.choice(["matchLabelKeys", "mismatchLabelKeys"])] = ["tier"]
        return t

    def change(pod):
        kind = rng.randint(0, 3)
        if kind != 0:
            affinity(pod, "podAntiAffinity")[REQUIRED] = [term(pod) for _ in range(rng.randint(1, 2))]
        if kind != 1:
            affinity(pod, "podAffinity")[REQUIRED] = [term(pod) for _ in range(rng.randint(1, 2))]
        if c.chance(0.2):
            affinity(pod, "podAffinity")[PREFERRED] = [{"weight": 3, "podAffinityTerm": term(pod)}]

    for pod in c.waiting:
        change(pod)
    for pod in c.running:
        if c.chance(0.25):
            affinity(pod, "podAntiAffinity")[REQUIRED] = [term(pod)]
    deleted(c, 0.1)


def gates(c):
    for pod in c.waiting:
        if c.chance(0.7):
            pod["spec"]["schedulingGates"] = [{"name": "example.com/wait"}]


def runtime_class(c):
    rng = c.rng
    kata = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "kata"}, "handler": "kata"}
    if c.chance(0.7):
        kata["overhead"] = {"podFixed": {"cpu": rng.choice(["250m", "2"]), "memory": "512Mi"}}
    if c.chance(0.7):
        kata["scheduling"] = {"nodeSelector": {"disk": "ssd"}}
        if c.chance(0.6):
            kata["scheduling"]["tolerations"] = [{"key": "kata", "operator": "Exists"}]
    c.extra.append(kata)
    for node in c.nodes:
        if c.chance(0.4):
            node["spec"].setdefault("taints", []).append({"key": "kata", "effect": "NoSchedule"})

    def change(pod):
        pod["spec"]["runtimeClassName"] = "kata"
        pod["spec"].pop("overhead", None)

    c.everywhere(0.3, change)


def storage_class(name, mode, provisioner, **more):
    return {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
            "provisioner": provisioner, "volumeBindingMode": mode, **more}


def claim(c, name, storage, volume=None, mode="ReadWriteOnce", size="1Gi"):
    made = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": "d"},
            "spec": {"accessModes": [mode], "storageClassName": storage, "resources": {"requests": {"storage": size}}},
            "status": {"phase": "Pending"}}
    if volume:
        made["spec"]["volumeName"] = volume
        made["status"]["phase"] = "Bound"
        made["metadata"]["annotations"] = {"pv.kubernetes.io/bind-completed": "yes"}
    c.extra.append(made)
    return made


def volume(c, name, storage, terms=None, labels=None, to=None, size="1Gi", mode="ReadWriteOnce", driver="csi.example.com"):
    made = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name, "labels": labels or {}},
            "spec": {"capacity": {"storage": size}, "accessModes": [mode], "storageClassName": storage,
                     "csi": {"driver": driver, "volumeHandle": name}},
            "status": {"phase": "Bound" if to else "Available"}}
    if terms:
        made["spec"]["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
    if to:
        made["spec"]["claimRef"] = {"namespace": "d", "name": to}
    c.extra.append(made)
    return made


def use(pod, name):
    volumes = pod["spec"].setdefault("volumes", [])
    volumes.append({"name": f"v{len(volumes)}", "persistentVolumeClaim": {"claimName": name}})


def volumes(c):
    """Claims that are bound: the volume says which nodes reach it, by affinity or by zone label."""
    rng = c.rng
    c.extra.append(storage_class("disk", "Immediate", "csi.example.com"))
    for k, pod in enumerate(c.waiting):
        for j in range(rng.randint(1, 2)):
            name = f"data-{k}-{j}"
            terms, labels = None, None
            kind = rng.randint(0, 4)
            if kind <= 1:
                terms = [{"matchExpressions": [{"key": ZONE, "operator": "In", "values": rng.sample(["a", "b", "c"], rng.randint(1, 2))}]}]
            if kind == 2:
                terms = [{"matchExpressions": [{"key": HOST, "operator": "In", "values": [rng.choice(c.nodes)["metadata"]["name"]]}]}]
            if kind == 3:
                labels = {ZONE: rng.choice(["a", "b", "a__b"])}
            if kind == 4 and c.chance(0.5):
                terms = [c.node_term() or {"matchExpressions": [{"key": "disk", "operator": "Exists"}]} for _ in range(2)]
                for term in terms:
                    term.pop("matchFields", None)
                terms = [t for t in terms if t] or None
            volume(c, "pv-" + name, "disk", terms, labels, to=name)
            claim(c, name, "disk", "pv-" + name)
            use(pod, name)
        if c.chance(0.15):
            pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] = "not-there"


def late_volumes(c):
    """Claims that are bound once their pod has a node."""
    rng = c.rng
    topologies = None
    if c.chance(0.6):
        topologies = [{"matchLabelExpressions": [{"key": ZONE, "values": rng.sample(["a", "b", "c"], rng.randint(1, 2))}]}]
    more = {"allowedTopologies": topologies} if topologies else {}
    c.extra.append(storage_class("late", "WaitForFirstConsumer", "csi.example.com", **more))
    c.extra.append(storage_class("local", "WaitForFirstConsumer", "kubernetes.io/no-provisioner"))
    c.extra.append(storage_class("now", "Immediate", "csi.example.com"))
    for k in range(rng.randint(0, 5)):
        node = rng.choice(c.nodes)["metadata"]["name"]
        terms = [{"matchExpressions": [{"key": HOST, "operator": "In", "values": [node]}]}]
        volume(c, f"local-{k}", rng.choice(["local", "local", "late"]), terms, size=rng.choice(["1Gi", "5Gi"]),
               mode=rng.choice(["ReadWriteOnce", "ReadWriteOnce", "ReadOnlyMany"]))
    for k, pod in enumerate(c.waiting):
        for j in range(rng.randint(1, 2)):
            name = f"late-{k}-{j}"
            made = claim(c, name, rng.choice(["late", "late", "local", "local", "now"]), size=rng.choice(["1Gi", "3Gi"]))
            if c.chance(0.15):
                made["spec"]["selector"] = {"matchLabels": {"x": "y"}}
            use(pod, name)


def once_pod(c):
    """ReadWriteOncePod claims, some in use."""
    rng = c.rng
    c.extra.append(storage_class("disk", "Immediate", "csi.example.com"))
    for k in range(2):
        volume(c, f"pv-once-{k}", "disk", to=f"once-{k}", mode="ReadWriteOncePod")
        claim(c, f"once-{k}", "disk", f"pv-once-{k}", mode="ReadWriteOncePod")
        if c.running and c.chance(0.5):
            pod = rng.choice(c.running)
            pod["metadata"]["namespace"] = "d"
            use(pod, f"once-{k}")
    for pod in c.waiting:
        use(pod, f"once-{rng.randint(0, 1)}")


def attach_limits(c):
    """Nodes that attach so many volumes of a driver and no more."""
    rng = c.rng
    c.extra.append(storage_class("disk", "Immediate", "csi.example.com"))
    c.extra.append(storage_class("late", "WaitForFirstConsumer", "csi.example.com"))
    for node in c.nodes:
        drivers = []
        if c.chance(0.8):
            driver = {"name": "csi.example.com", "nodeID": "x"}
            if c.chance(0.85):
                driver["allocatable"] = {"count": rng.randint(0, 3)}
            drivers.append(driver)
        c.extra.append({"apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": {"name": node["metadata"]["name"]},
                        "spec": {"drivers": drivers}})
    made = 0

    def attach(pod, late):
        nonlocal made
        name = f"vol-{made}"
        made += 1
        driver = "csi.example.com" if c.chance(0.85) else "csi.other.com"
        if late and c.chance(0.3):
            claim(c, name, "late")
        else:
            volume(c, "pv-" + name, "disk", to=name, driver=driver)
            claim(c, name, "disk", "pv-" + name)
        use(pod, name)
        return name

    names = []
    for pod in c.running:
        if c.chance(0.5):
            pod["metadata"]["namespace"] = "d"
            names += [attach(pod, False) for _ in range(rng.randint(1, 2))]
    for pod in c.waiting:
        for _ in range(rng.randint(1, 2)):
            attach(pod, True)
        if names and c.chance(0.3):
            use(pod, rng.choice(names))


def claims(c):
    """Dynamic resource allocation: slices, classes, claims by count, by attribute and by capacity."""
    rng = c.rng
    driver = "gpu.example.com"
    selector = [{"cel": {"expression": f'device.driver == "{driver}"'}}]
    c.extra.append({"apiVersion": "resource.k8s.io/v1", "kind": "DeviceClass", "metadata": {"name": "gpu"}, "spec": {"selectors": selector}})
    for node in c.nodes:
        if not c.chance(0.7):
            continue
        name = node["metadata"]["name"]
        gpus = []
        for k in range(rng.randint(1, 4)):
            gpus.append({"name": f"gpu-{k}", "attributes": {"model": {"string": rng.choice(["a100", "h100"])}, "index": {"int": k},
                                                            "ecc": {"bool": c.chance(0.5)},
                                                            "firmware": {"version": rng.choice(["1.9.3", "1.10.0", "1.10.0-rc.1", "2.0.0+b7"])}},
                         "capacity": {"memory": {"value": rng.choice(["40Gi", "80Gi"])}}})
            if c.chance(0.1):
                del gpus[-1]["attributes"]["ecc"]
        c.extra.append({"apiVersion": "resource.k8s.io/v1", "kind": "ResourceSlice", "metadata": {"name": f"slice-{name}"},
                        "spec": {"driver": driver, "nodeName": name, "devices": gpus,
                                 "pool": {"name": name, "generation": 1, "resourceSliceCount": 1}}})
        if c.chance(0.5):
            used = {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim", "metadata": {"name": f"used-{name}", "namespace": "d"},
                    "spec": {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "gpu"}}]}},
                    "status": {"allocation": {"devices": {"results": [{"request": "r", "driver": driver, "pool": name, "device": "gpu-0"}]},
                                              "nodeSelector": {"nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [name]}]}]}}}}
            pods = [p for p in c.running if p["spec"]["nodeName"] == name and p["metadata"]["namespace"] == "d"]
            if pods:
                pods[0]["spec"]["resourceClaims"] = [{"name": "g", "resourceClaimName": f"used-{name}"}]
                pods[0]["spec"]["containers"][0]["resources"]["claims"] = [{"name": "g"}]
                used["status"]["reservedFor"] = [{"resource": "pods", "name": pods[0]["metadata"]["name"], "uid": "u"}]
            c.extra.append(used)
    expressions = [f'device.attributes["{driver}"].model == "h100"',
                   f'device.capacity["{driver}"].memory.compareTo(quantity("80Gi")) >= 0',
                   f'device.attributes["{driver}"].index > 0', f'device.attributes["{driver}"].ecc',
                   f'"ecc" in device.attributes["{driver}"]',
                   f'device.attributes["{driver}"].model.startsWith("a")',
                   f'device.attributes["{driver}"].firmware.compareTo(semver("1.10.0")) >= 0',
                   f'device.attributes["{driver}"].firmware.isLessThan(semver("v1.10", true))',
                   f'device.attributes["{driver}"].firmware == semver("2.0.0")',
                   f'device.attributes["{driver}"].firmware != "1.9.3"', f'device.attributes["{driver}"].firmware == "1.9.3"', f'"1.9.3" != device.attributes["{driver}"].firmware',
                   f'device.attributes["{driver}"].firmware.minor() >= 9',
                   f'device.attributes["{driver}"].model.matches("^(a|b)[0-9]{{2}}")', f'device.driver.matches(r"^gpu\.e.*\.com$")',
                   f'device.attributes["{driver}"].model in ["a100", "b200"] && device.attributes["{driver}"].index < 2']
    for k, pod in enumerate(c.waiting):
        request = {"deviceClassName": "gpu"}
        if c.chance(0.5):
            request["count"] = rng.randint(1, 3)
        if c.chance(0.15):
            request.pop("count", None)
            request["allocationMode"] = "All"
        if c.chance(0.6):
            request["selectors"] = [{"cel": {"expression": e}} for e in rng.sample(expressions, rng.randint(1, 2))]
        body = {"devices": {"requests": [{"name": "r", "exactly": request}]}}
        if c.chance(0.3):
            more = {"deviceClassName": "gpu", "selectors": [{"cel": {"expression": rng.choice(expressions)}}]}
            body["devices"]["requests"].append({"name": "s", "exactly": more})
        name = f"claim-{k}"
        if c.chance(0.5):
            c.extra.append({"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaimTemplate", "metadata": {"name": name, "namespace": "d"}, "spec": {"spec": body}})
            pod["spec"]["resourceClaims"] = [{"name": "g", "resourceClaimTemplateName": name}]
        else:
            c.extra.append({"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim", "metadata": {"name": name, "namespace": "d"}, "spec": body})
            pod["spec"]["resourceClaims"] = [{"name": "g", "resourceClaimName": name}]
        pod["spec"]["containers"][0]["resources"]["claims"] = [{"name": "g"}]


def odd_pods(c):
    """Pods that are over, that are being deleted, that run where there is no node."""
    rng = c.rng
    deleted(c, 0.3)
    for pod in c.running:
        if c.chance(0.2):
            pod["status"]["phase"] = rng.choice(["Succeeded", "Failed"])
        elif c.chance(0.1):
            pod["spec"]["nodeName"] = "gone"
        elif c.chance(0.2):
            pod["status"]["phase"] = "Pending"


FEATURES = {f.__name__.replace("_", "-"): f for f in (
    requests, devices, ports, selectors, taints, conditions, spread, spread_policies, pod_affinity, gates,
    runtime_class, volumes, late_volumes, once_pod, attach_limits, claims, odd_pods)}


def draw(seed):
    """One to three features for a seed."""
    rng = random.Random(f"features {seed}")
    return rng.sample(sorted(FEATURES), rng.choice([1, 1, 2, 2, 3]))


def cluster(seed, features, waiting=1, nodes=None):
    return Cluster(seed, features, waiting, nodes).all()


def owned(seed, features):
    """A cluster where nothing waits, whose pods have controllers and disruption budgets."""
    c = Cluster(seed, features, 0, (3, 7))
    rng = c.rng
    for pod in c.running:
        app = pod["metadata"]["labels"]["app"]
        pod["metadata"]["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": app, "uid": app, "controller": True}]
    for app in APPS:
        if c.chance(0.6):
            bound = {rng.choice(["maxUnavailable", "minAvailable"]): rng.choice([1, 1, 2, "50%"])}
            c.extra.append({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": app, "namespace": "d"},
                            "spec": {"selector": {"matchLabels": {"app": app}}, **bound}})
    return c.all()


def tiny(seed, features, nodes=(2, 4), most=5):
    """A cluster where nothing waits, so small that all placements of its pods can be tried."""
    c = Cluster(seed, features, 0, nodes)
    del c.running[most:]
    for pod in c.running:
        app = pod["metadata"]["labels"]["app"]
        pod["metadata"]["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": app, "uid": app, "controller": True}]
    return c.all()


LEADER_WORKER = "leaderworkerset.sigs.k8s.io"
JOB_SET = "alpha.jobset.sigs.k8s.io"


def exclusive(seed):
    """Nodes in racks, pods that run, and sets of groups of which most want a rack of their own; with each
    set its groups: name and size."""
    rng = random.Random(seed)
    objects, sets = [], []
    racks = "abcde"[: rng.randint(2, 5)]
    for k in range(rng.randint(3, 9)):
        labels = {HOST: f"n{k}"}
        if rng.random() < 0.9:
            labels["rack"] = rng.choice(racks)
        objects.append({"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"n{k}", "labels": labels}, "spec": {},
                        "status": {"allocatable": {"cpu": rng.choice(["2", "4"]), "memory": "64Gi", "pods": "99"},
                                   "conditions": [{"type": "Ready", "status": "True"}]}})
    spec = {"containers": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}]}
    names = [o["metadata"]["name"] for o in objects]
    for k in range(rng.randint(0, 2)):
        label = rng.choice([f"{LEADER_WORKER}/group-key", "jobset.sigs.k8s.io/job-key", "x"])
        objects.append({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"r-{k}", "namespace": "d", "labels": {label: "other"}},
                        "spec": {**spec, "nodeName": rng.choice(names)}, "status": {"phase": "Running"}})
    for name in ["x", "y"][: rng.randint(1, 2)]:
        groups, size, own = rng.randint(1, 4), rng.randint(1, 4), rng.random() < 0.75
        if rng.random() < 0.6:
            notes = {f"{LEADER_WORKER}/exclusive-topology": "rack"} if own else {}
            made = {"apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet",
                    "spec": {"replicas": groups, "leaderWorkerTemplate": {"size": size, "workerTemplate": {"spec": spec}}}}
            key, start = f"{LEADER_WORKER}/group-key", name
        else:
            notes = {f"{JOB_SET}/exclusive-topology": "rack"} if own else {}
            job = {"spec": {"parallelism": size, "completions": size, "template": {"spec": spec}}}
            made = {"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet",
                    "spec": {"replicatedJobs": [{"name": "w", "replicas": groups, "template": job}]}}
            key, start = "jobset.sigs.k8s.io/job-key", f"{name}-w"
        made["metadata"] = {"name": name, "namespace": "d", "annotations": notes}
        sets.append((made, key, own, [f"{start}-{k}" for k in range(groups)], size))
    return objects, sets


def of_group(group, number, key, own, rack):
    """A pod as the webhooks of LeaderWorkerSet and JobSet change it: the first leads, the others follow to its rack."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"{group}-{number}", "namespace": "d", "labels": {key: group}},
           "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}]}}
    if own and number == 0:
        def term(*expressions):
            made = {"topologyKey": "rack", "labelSelector": {"matchExpressions": list(expressions)}}
            return {**made, "namespaceSelector": {}} if key.startswith("jobset") else made
        mine = {"key": key, "operator": "In", "values": [group]}
        other = {"key": key, "operator": "NotIn", "values": [group]}
        pod["spec"]["affinity"] = {"podAffinity": {REQUIRED: [term(mine)]},
                                   "podAntiAffinity": {REQUIRED: [term({"key": key, "operator": "Exists"}, other)]}}
    elif own:
        pod["spec"]["nodeSelector"] = {"rack": rack}
    return pod
