//! What waits in a cluster and where it may go: pods that operators make, groups, queues and quotas,
//! shares of cards, claimed devices.

use serde_json::{Value, json};

use crate::clusters::{containers, node, placed, places, pod, solve};

/// Eight cards on two nodes, and one object.
fn on_cards(object: Value) -> (i32, Value, String) {
    let nodes = ["g0", "g1"].map(|name| node(name, 64, json!({"nvidia.com/gpu": "4"})));
    solve(&[nodes.to_vec(), vec![object]].concat(), &["--allow-unplaced"])
}

fn template(gpus: u32) -> Value {
    let own = containers(json!({"cpu": "1", "nvidia.com/gpu": gpus.to_string()}));
    json!({"spec": {"containers": own}})
}

#[test]
fn what_operators_make_begins_whole() {
    let object = |group: &str, kind: &str, spec: Value| {
        json!({"apiVersion": format!("{group}/v1"), "kind": kind,
            "metadata": {"name": "x", "namespace": "d"}, "spec": spec})
    };
    let group =
        |replicas: u32, gpus: u32| json!({"replicas": replicas, "template": template(gpus)});
    let sets = |size: u32| {
        object(
            "leaderworkerset.x-k8s.io",
            "LeaderWorkerSet",
            json!({"replicas": 2, "leaderWorkerTemplate": {"size": size, "workerTemplate": template(2)}}),
        )
    };
    let ray = |workers: u32| {
        let workers = json!([{"groupName": "g", "replicas": workers, "numOfHosts": 2,
            "template": template(1)}]);
        let spec = json!({"headGroupSpec": {"template": template(0)}, "workerGroupSpecs": workers});
        object("ray.io", "RayJob", json!({"rayClusterSpec": spec}))
    };
    let torch = |workers: u32, least: Value| {
        let specs = json!({"Master": group(1, 1), "Worker": group(workers, 1)});
        let policy = json!({"schedulingPolicy": {"minAvailable": least}});
        object(
            "kubeflow.org",
            "PyTorchJob",
            json!({"runPolicy": policy, "pytorchReplicaSpecs": specs}),
        )
    };
    let jobs = |many: u32| {
        let job = json!({"spec": {"parallelism": 2, "template": template(1)}});
        let list = json!([{"name": "w", "replicas": many, "template": job}]);
        object("jobset.x-k8s.io", "JobSet", json!({"replicatedJobs": list}))
    };
    let spark = |many: u32| {
        let executor = json!({"instances": many, "cores": 1, "memory": "1g",
            "gpu": {"name": "nvidia.com/gpu", "quantity": 1}});
        object(
            "sparkoperator.k8s.io",
            "SparkApplication",
            json!({"type": "Scala", "driver": {"cores": 1, "memory": "512m"}, "executor": executor}),
        )
    };
    for (object, tasks, placed_of) in [
        // Groups begin by themselves: one of 8 cards, of 10 none.
        (sets(2), 4, 4),
        (sets(4), 8, 4),
        (sets(5), 10, 0),
        (ray(4), 9, 9),
        (ray(5), 11, 0),
        (torch(7, Value::Null), 8, 8),
        (torch(8, Value::Null), 9, 0),
        // Any eight of nine.
        (torch(8, json!(8)), 9, 8),
        (jobs(4), 8, 8),
        (jobs(5), 10, 0),
        (spark(8), 9, 9),
        (spark(9), 10, 0),
    ] {
        let (code, answer, said) = on_cards(object.clone());
        assert_eq!(code, 0, "{said}");
        let all = answer["instance"]["tasks"].as_u64();
        assert_eq!((all, placed(&answer)), (Some(tasks), placed_of), "{object}");
        assert_eq!(answer["instance"]["assumptions"], Value::Null, "{object}");
    }
    // What the operator has made is not made again.
    let mut made = pod("x-0", "", json!({"cpu": "1", "nvidia.com/gpu": "1"}), json!({}));
    made["metadata"]["labels"] = json!({"jobset.sigs.k8s.io/jobset-name": "x"});
    let nodes = ["g0", "g1"].map(|name| node(name, 64, json!({"nvidia.com/gpu": "4"})));
    let (_, answer, _) = solve(&[nodes.to_vec(), vec![jobs(4), made]].concat(), &[]);
    assert_eq!(answer["instance"]["tasks"], 1);
}

#[test]
fn a_group_begins_with_any_few_of_its_members() {
    let task = |name: &str, replicas: u32, gpus: u32| json!({"name": name, "replicas": replicas, "template": template(gpus)});
    let job = |least: u32, tasks: Value| {
        json!({"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job",
            "metadata": {"name": "m", "namespace": "d"},
            "spec": {"minAvailable": least, "tasks": tasks}})
    };
    // One of four cards, eight of one: eight cards are the big one and four, or the eight.
    let tasks = json!([task("big", 1, 4), task("small", 8, 1)]);
    for (least, wanted) in [(2, 8), (8, 8), (9, 0)] {
        let (_, answer, said) = on_cards(job(least, tasks.clone()));
        assert_eq!(placed(&answer), wanted, "{least}: {said}");
        assert_eq!(answer["instance"]["assumptions"], Value::Null);
    }
    // Fewer members than it takes to begin.
    let group = json!({"apiVersion": "scheduling.x-k8s.io/v1alpha1", "kind": "PodGroup",
        "metadata": {"name": "g", "namespace": "d"}, "spec": {"minMember": 3}});
    let member = |name: &str| {
        let mut pod = pod(name, "", json!({"cpu": "1"}), json!({}));
        pod["metadata"]["labels"] = json!({"scheduling.x-k8s.io/pod-group": "g"});
        pod
    };
    let items = vec![node("n", 8, json!({})), group, member("a-0"), member("a-1")];
    let (code, _, said) = solve(&items, &[]);
    assert!(code == 1 && said.contains("lacks 1 members to begin"), "{said}");
    let (_, answer, _) = solve(&[items, vec![member("a-2")]].concat(), &[]);
    assert_eq!(placed(&answer), 3);
}

fn queue_job(name: &str, queue: &str, pods: u32, cpu: &str) -> Value {
    json!({"apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": name, "namespace": "d", "labels": {"kueue.x-k8s.io/queue-name": queue}},
        "spec": {"suspend": true, "parallelism": pods, "completions": pods,
            "template": {"spec": {"containers": containers(json!({"cpu": cpu}))}}}})
}

fn queue(name: &str, quotas: Value, status: Value) -> [Value; 2] {
    let resources: Vec<Value> = quotas.as_array().unwrap().clone();
    let flavors: Vec<Value> = resources
        .into_iter()
        .map(|one| json!({"name": one["flavor"], "resources": [one["quota"]]}))
        .collect();
    [
        json!({"apiVersion": "kueue.x-k8s.io/v1beta1", "kind": "ClusterQueue", "metadata": {"name": name},
            "spec": {"cohort": "all", "resourceGroups": [{"coveredResources": ["cpu"], "flavors": flavors}]},
            "status": status}),
        json!({"apiVersion": "kueue.x-k8s.io/v1beta1", "kind": "LocalQueue",
            "metadata": {"name": format!("l-{name}"), "namespace": "d"}, "spec": {"clusterQueue": name}}),
    ]
}

fn flavor(name: &str, labels: Value) -> Value {
    json!({"apiVersion": "kueue.x-k8s.io/v1beta1", "kind": "ResourceFlavor", "metadata": {"name": name},
        "spec": {"nodeLabels": labels}})
}

#[test]
fn queues_admit_what_their_quotas_and_cohorts_leave() {
    let quota = |nominal: u32, more: Value| {
        let mut quota = json!({"name": "cpu", "nominalQuota": nominal});
        quota.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([{"flavor": "std", "quota": quota}])
    };
    let used = |total: u32| json!({"flavorsReservation": [{"name": "std", "resources": [{"name": "cpu", "total": total.to_string()}]}]});
    let nothing = json!({"flavorsReservation": []});
    let cluster = |a: [Value; 2], b: [Value; 2], jobs: &[Value]| {
        let rest = [node("n", 64, json!({})), flavor("std", json!({}))];
        let (code, answer, said) =
            solve(&[&rest[..], &a, &b, jobs].concat(), &["--allow-unplaced"]);
        assert_eq!(code, 0, "{said}");
        assert_eq!(answer["instance"]["assumptions"], Value::Null, "{said}");
        placed(&answer)
    };
    let none = || json!({});
    let a = |more: Value, status: &Value| queue("a", quota(9, more), status.clone());
    let b = |more: Value, status: &Value| queue("b", quota(12, more), status.clone());
    let lends = |most: u32| json!({"lendingLimit": most});
    let one = |pods: u32| vec![queue_job("j", "l-a", pods, "1")];
    // Nine of its own and all twelve of the other, or the one that it lends.
    assert_eq!(cluster(a(none(), &nothing), b(none(), &nothing), &one(21)), 21);
    assert_eq!(cluster(a(none(), &nothing), b(none(), &nothing), &one(22)), 0);
    assert_eq!(cluster(a(none(), &nothing), b(lends(1), &nothing), &one(10)), 10);
    assert_eq!(cluster(a(none(), &nothing), b(lends(1), &nothing), &one(11)), 0);
    // What is borrowed at most, what is reserved here, what is reserved there.
    let borrows = json!({"borrowingLimit": 2});
    assert_eq!(cluster(a(borrows.clone(), &nothing), b(none(), &nothing), &one(11)), 11);
    assert_eq!(cluster(a(borrows, &nothing), b(none(), &nothing), &one(12)), 0);
    assert_eq!(cluster(a(none(), &used(4)), b(none(), &used(12)), &one(5)), 5);
    assert_eq!(cluster(a(none(), &used(4)), b(none(), &used(12)), &one(6)), 0);
    assert_eq!(cluster(a(none(), &nothing), b(lends(1), &used(12)), &one(9)), 9);
    assert_eq!(cluster(a(none(), &nothing), b(lends(1), &used(12)), &one(10)), 0);
    // Two queues together: b keeps eleven of its twelve to itself.
    let both = |left: u32, right: u32| {
        vec![queue_job("j", "l-a", left, "1"), queue_job("k", "l-b", right, "1")]
    };
    assert_eq!(cluster(a(none(), &nothing), b(lends(1), &nothing), &both(10, 11)), 21);
    assert_eq!(cluster(a(none(), &nothing), b(lends(1), &nothing), &both(10, 12)), 12);
    assert_eq!(cluster(a(none(), &nothing), b(lends(1), &nothing), &both(9, 12)), 21);
}

#[test]
fn each_job_gets_one_flavour() {
    let mut nodes = vec![node("s", 64, json!({})), node("t", 64, json!({}))];
    nodes[0]["metadata"]["labels"]["kind"] = json!("spot");
    nodes[1]["metadata"]["labels"]["kind"] = json!("paid");
    let quota = |n: u32| json!({"name": "cpu", "nominalQuota": n});
    let quotas =
        json!([{"flavor": "spot", "quota": quota(4)}, {"flavor": "paid", "quota": quota(6)}]);
    let rest = [
        nodes,
        vec![flavor("spot", json!({"kind": "spot"})), flavor("paid", json!({"kind": "paid"}))],
        queue("a", quotas, json!({"flavorsReservation": []})).to_vec(),
    ]
    .concat();
    let fits = |jobs: &[u32]| {
        let jobs = jobs.iter().enumerate();
        let jobs = jobs.map(|(k, pods)| queue_job(&format!("j{k}"), "l-a", *pods, "1"));
        let all = [rest.clone(), jobs.collect()].concat();
        placed(&solve(&all, &["--allow-unplaced"]).1)
    };
    assert_eq!(fits(&[4, 6]), 10);
    // Ten cores are left, not six of one kind.
    assert_eq!(fits(&[5, 5]), 5);
    assert_eq!(fits(&[7]), 0);
}

#[test]
fn quotas_of_namespaces_bound_what_is_to_be_made() {
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "d"},
        "spec": {"hard": {"requests.cpu": "6", "pods": "10", "services": "2", "count/jobs.batch": "3"}},
        "status": {"used": {"requests.cpu": "2", "pods": "1"}}});
    let range = json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "r", "namespace": "d"},
        "spec": {"limits": [{"type": "Container", "defaultRequest": {"cpu": "2"}}]}});
    let deployment = |requests: Value| {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w", "namespace": "d"},
            "spec": {"replicas": 12, "selector": {"matchLabels": {"app": "w"}}, "template": {
                "metadata": {"labels": {"app": "w"}}, "spec": {"containers": containers(requests)}}}})
    };
    // A pod that is there already is part of what is used.
    let there = pod("there-0", "", json!({"cpu": "2"}), json!({}));
    let fits = |more: Vec<Value>| {
        let items = [vec![node("n", 64, json!({})), quota.clone(), there.clone()], more].concat();
        let (code, answer, said) = solve(&items, &["--allow-unplaced"]);
        assert_eq!(code, 0, "{said}");
        assert_eq!(answer["instance"]["assumptions"], Value::Null, "{said}");
        placed(&answer) - 1
    };
    assert_eq!(fits(vec![deployment(json!({"cpu": "1"}))]), 4);
    assert_eq!(fits(vec![deployment(json!({}))]), 9);
    assert_eq!(fits(vec![deployment(json!({})), range]), 2);
}

#[test]
fn shares_of_cards_land_on_cards() {
    let note = |name: &str, notes: Value| {
        let mut pod = pod(name, "", json!({"cpu": "1"}), json!({}));
        pod["metadata"]["annotations"] = notes;
        pod
    };
    let mut card = node("n", 16, json!({"nvidia.com/gpu": "2"}));
    card["metadata"]["labels"]["nvidia.com/gpu.memory"] = json!("24576");
    let fits = |pods: Vec<Value>| {
        let (code, answer, said) =
            solve(&[vec![card.clone()], pods].concat(), &["--allow-unplaced"]);
        assert_eq!(code, 0, "{said}");
        assert_eq!(answer["instance"]["assumptions"], Value::Null, "{said}");
        placed(&answer)
    };
    let shares = |many: usize, notes: Value| -> Vec<Value> {
        (0..many).map(|k| note(&format!("s-{k}"), notes.clone())).collect()
    };
    assert_eq!(fits(shares(5, json!({"gpu-fraction": "0.5"}))), 4);
    // Not 0.8 on one card and the rest of 0.6 on another.
    assert_eq!(fits(shares(4, json!({"gpu-fraction": "0.6"}))), 2);
    assert_eq!(fits(shares(9, json!({"gpu-memory": "6144"}))), 8);
    // A whole card needs one to itself.
    let whole = pod("whole-0", "", json!({"nvidia.com/gpu": "1"}), json!({}));
    let two = shares(2, json!({"gpu-fraction": "0.7"}));
    assert_eq!(fits([two, vec![whole]].concat()), 2);
}

#[test]
fn cards_that_are_registered_are_shared_by_memory_and_cores() {
    let mut host = node("n", 64, json!({"nvidia.com/gpu": "20"}));
    host["metadata"]["annotations"] = json!({"hami.io/node-nvidia-register":
        "GPU-1,10,11264,100,NVIDIA,0,true,0,m:GPU-2,10,11264,100,NVIDIA,0,true,1,m:"});
    let fits = |many: usize, more: Value| {
        let mut requests = json!({"cpu": "1", "nvidia.com/gpu": "1"});
        requests.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let pods = (0..many).map(|k| pod(&format!("p-{k}"), "", requests.clone(), json!({})));
        let all = [vec![host.clone()], pods.collect()].concat();
        let (code, answer, said) = solve(&all, &["--allow-unplaced"]);
        assert_eq!(code, 0, "{said}");
        (placed(&answer), answer["instance"]["assumptions"].as_array().map_or(0, Vec::len))
    };
    let memory = |mib: u32| json!({"nvidia.com/gpumem": mib.to_string()});
    assert_eq!(fits(5, memory(5000)), (4, 0));
    assert_eq!(fits(7, json!({"nvidia.com/gpumem": "3000", "nvidia.com/gpucores": "20"})), (6, 0));
    assert_eq!(fits(3, json!({})), (2, 0), "without a word all of a card");
    // Cores decide: then that both are of one card is an assumption.
    assert_eq!(fits(7, json!({"nvidia.com/gpumem": "1000", "nvidia.com/gpucores": "40"})), (4, 1));
}

fn slice(node: &str, devices: Value) -> Value {
    json!({"apiVersion": "resource.k8s.io/v1", "kind": "ResourceSlice", "metadata": {"name": format!("{node}-gpu")},
        "spec": {"driver": "gpu.example.com", "nodeName": node,
            "pool": {"name": node, "generation": 1, "resourceSliceCount": 1}, "devices": devices}})
}

#[test]
fn claims_of_devices_are_counted_where_the_devices_are() {
    let device = |name: &str, memory: &str| json!({"name": name, "attributes": {"model": {"string": "X"}}, "capacity": {"memory": {"value": memory}}});
    let class = json!({"apiVersion": "resource.k8s.io/v1", "kind": "DeviceClass", "metadata": {"name": "gpu"},
        "spec": {"selectors": [{"cel": {"expression": "device.driver == 'gpu.example.com'"}}]}});
    let asks = |selectors: Value| json!({"devices": {"requests": [{"name": "g", "exactly": {"deviceClassName": "gpu", "count": 1, "selectors": selectors}}]}});
    let of = |kind: &str, name: &str, spec: Value| {
        json!({"apiVersion": "resource.k8s.io/v1", "kind": kind,
            "metadata": {"name": name, "namespace": "d"}, "spec": spec})
    };
    let large = json!([{"cel": {"expression":
        "device.capacity['gpu.example.com'].memory.compareTo(quantity('80Gi')) >= 0"}}]);
    let rest = vec![
        node("a", 16, json!({})),
        node("b", 16, json!({})),
        class,
        slice("a", json!([device("g0", "80Gi"), device("g1", "40Gi")])),
        slice("b", json!([device("g0", "80Gi")])),
        of("ResourceClaimTemplate", "any", json!({"spec": asks(json!([]))})),
        of("ResourceClaimTemplate", "large", json!({"spec": asks(large)})),
        of("ResourceClaim", "one", asks(json!([]))),
    ];
    let user = |name: &str, key: &str, claim: &str| {
        let claims = json!([{"name": "gpu", key: claim}]);
        pod(name, "", json!({"cpu": "1"}), json!({"resourceClaims": claims}))
    };
    let template = "resourceClaimTemplateName";
    let fits = |pods: Vec<Value>| {
        let all = [rest.clone(), pods].concat();
        let (code, answer, said) = solve(&all, &["--allow-unplaced"]);
        assert_eq!(code, 0, "{said}");
        assert_eq!(answer["instance"]["assumptions"], Value::Null, "{said}");
        answer
    };
    let many = |many: usize, claim: &str| -> Vec<Value> {
        (0..many).map(|k| user(&format!("{claim}-{k}"), template, claim)).collect()
    };
    assert_eq!(placed(&fits(many(4, "any"))), 3);
    assert_eq!(placed(&fits(many(3, "large"))), 2);
    // A large one is one of any too.
    assert_eq!(placed(&fits([many(2, "large"), many(2, "any")].concat())), 3);
    // Pods of one claim share its device, where it is.
    let two = ["s-0", "s-1"].map(|name| user(name, "resourceClaimName", "one"));
    let answer = fits([two.to_vec(), many(2, "any")].concat());
    let nodes: Vec<String> = places(&answer).into_iter().map(|(_, node)| node).collect();
    assert_eq!(nodes.len(), 4);
    assert_eq!(nodes[2], nodes[3], "{nodes:?}");
}

#[test]
fn conditions_on_devices_compare_versions_and_find_patterns() {
    let device = |name: &str, firmware: &str, model: &str| {
        json!({"name": name,
        "attributes": {"firmware": {"version": firmware}, "model": {"string": model}}})
    };
    let class = json!({"apiVersion": "resource.k8s.io/v1", "kind": "DeviceClass", "metadata": {"name": "gpu"},
        "spec": {"selectors": [{"cel": {"expression": "device.driver == 'gpu.example.com'"}}]}});
    let one = |condition: &str| {
        let condition = condition.replace("OWN", "device.attributes['gpu.example.com']");
        let request = json!({"name": "g", "exactly": {"deviceClassName": "gpu", "count": 1,
            "selectors": [{"cel": {"expression": condition}}]}});
        let claim = json!({"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim",
            "metadata": {"name": "one", "namespace": "d"}, "spec": {"devices": {"requests": [request]}}});
        let claims = json!([{"name": "gpu", "resourceClaimName": "one"}]);
        let items = vec![
            node("a", 16, json!({})),
            node("b", 16, json!({})),
            class.clone(),
            slice("a", json!([device("g0", "1.9.3", "H100-SXM")])),
            slice("b", json!([device("g0", "1.10.0", "H100-PCIe")])),
            claim,
            pod("p-0", "", json!({"cpu": "1"}), json!({"resourceClaims": claims})),
        ];
        let (_, answer, said) = solve(&items, &["--allow-unplaced"]);
        let assumed = answer["instance"]["assumptions"].as_array().map_or(0, Vec::len);
        let node = places(&answer).into_iter().next().map(|(_, node)| node);
        (node.unwrap_or_else(|| format!("none {said}").trim().to_owned()), assumed)
    };
    for (condition, node) in [
        ("OWN.firmware.compareTo(semver('1.10.0')) >= 0", "b"),
        ("OWN.firmware.isLessThan(semver('1.10.0'))", "a"),
        ("OWN.firmware.isGreaterThan(semver('v1.9.3', true))", "b"),
        ("OWN.firmware == semver('1.9.3+build')", "a"),
        ("OWN.firmware.minor() == 10", "b"),
        ("OWN.model.matches('^H[0-9]+-PC')", "b"),
        ("OWN.model.matches(r'-\\w{3}$')", "a"),
        ("OWN.firmware == '1.9.3'", "none"),
    ] {
        assert_eq!(one(condition), (node.to_owned(), 0), "{condition}");
    }
    // What Go may read otherwise is left out, with a word.
    assert_eq!(one("OWN.model.matches('[A-Z&&H]100')").1, 1);
}

#[test]
fn all_devices_that_a_request_takes_are_gone_for_the_next() {
    let own = |expression: &str| json!([{"cel": {"expression": format!("device.attributes['gpu.example.com'].{expression}")}}]);
    let class = json!({"apiVersion": "resource.k8s.io/v1", "kind": "DeviceClass", "metadata": {"name": "gpu"},
        "spec": {"selectors": []}});
    let fits = |devices: Value| {
        let request = |name: &str, mode: &str, selectors: Value| json!({"name": name, "exactly": {"deviceClassName": "gpu", "allocationMode": mode, "selectors": selectors}});
        let requests =
            [request("all", "All", own("model == 'a'")), request("one", "ExactCount", own("ecc"))];
        let claim = json!({"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim",
            "metadata": {"name": "one", "namespace": "d"}, "spec": {"devices": {"requests": requests}}});
        let claims = json!([{"name": "gpu", "resourceClaimName": "one"}]);
        let waits = pod("p-0", "", json!({"cpu": "1"}), json!({"resourceClaims": claims}));
        let items = [node("a", 16, json!({})), class.clone(), slice("a", devices), claim, waits];
        placed(&solve(&items, &["--allow-unplaced"]).1)
    };
    let device = |name: &str, model: &str| {
        json!({"name": name,
        "attributes": {"model": {"string": model}, "ecc": {"bool": true}}})
    };
    let mut silent = device("g1", "b");
    silent["attributes"].as_object_mut().unwrap().remove("ecc");
    // The first is taken: the scheduler looks at the second, which does not say, and stops.
    assert_eq!(fits(json!([device("g0", "a"), silent, device("g2", "b")])), 0);
    assert_eq!(fits(json!([device("g0", "a"), device("g2", "b"), silent])), 1);
}

#[test]
fn a_value_counts_that_one_constraint_has_and_another_bars() {
    // Zone a has a node with a pool, which is tainted, and one without: nobody may come there, and
    // yet its nothing is what zone b is compared with.
    let host = |name: &str, zone: &str, pool: Option<&str>, taints: Value| {
        let mut host = node(name, 16, json!({}));
        host["metadata"]["labels"]["zone"] = json!(zone);
        if let Some(pool) = pool {
            host["metadata"]["labels"]["pool"] = json!(pool);
        }
        host["spec"]["taints"] = taints;
        host
    };
    let over = |key: &str, app: &str| {
        json!({"maxSkew": 2, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": app}}})
    };
    let waits = |constraints: Value| {
        let taint = json!([{"key": "k", "effect": "NoSchedule"}]);
        let runs = ["db-0", "db-1"].map(|name| pod(name, "", json!({}), json!({"nodeName": "b"})));
        let mut items = vec![
            host("a0", "a", Some("blue"), taint),
            host("a1", "a", None, json!([])),
            host("b", "b", Some("red"), json!([])),
            pod("db-2", "", json!({"cpu": "1"}), json!({"topologySpreadConstraints": constraints})),
        ];
        items.extend(runs);
        placed(&solve(&items, &["--allow-unplaced"]).1)
    };
    assert_eq!(waits(json!([over("zone", "db"), over("pool", "other")])), 0);
    assert_eq!(waits(json!([over("pool", "other"), over("zone", "db")])), 0);
    assert_eq!(waits(json!([over("zone", "db")])), 1, "to a1");
}
