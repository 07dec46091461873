//! Questions that people have about a cluster, from the dump to the answer: what may leave a node,
//! whom a pod would evict, what a new node brings along.

use serde_json::{Value, json};

use crate::helpers::stowplan;

/// A node with so many cores, 64 GiB and, beside them, what else it gives.
pub fn node(name: &str, cpu: u32, more: Value) -> Value {
    let mut give = json!({"cpu": cpu.to_string(), "memory": "64Gi", "pods": "99"});
    give.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": {}, "status": {"allocatable": give}})
}

pub fn containers(requests: Value) -> Value {
    json!([{"name": "c", "resources": {"requests": requests}}])
}

/// A pod of the namespace `d`, with an owner unless that is empty.
pub fn pod(name: &str, owner: &str, requests: Value, spec: Value) -> Value {
    let mut full = json!({"containers": containers(requests)});
    full.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    let app = name.rsplit_once('-').map_or(name, |(app, _)| app);
    let mut metadata = json!({"name": name, "namespace": "d", "labels": {"app": app}});
    if let Some((kind, owner)) = owner.split_once('/') {
        metadata["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": kind, "name": owner,
            "uid": "u", "controller": true}]);
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": full})
}

fn runs(name: &str, node: &str, cpu: &str) -> Value {
    pod(name, "ReplicaSet/r", json!({"cpu": cpu}), json!({"nodeName": node}))
}

fn budget(name: &str, app: &str, spec: Value, allowed: Option<u32>) -> Value {
    let mut full = json!({"selector": {"matchLabels": {"app": app}}});
    full.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    let mut object = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": "d"}, "spec": full});
    if let Some(allowed) = allowed {
        object["status"] = json!({"disruptionsAllowed": allowed, "currentHealthy": 2,
            "desiredHealthy": 2, "expectedPods": 2});
    }
    object
}

/// The exit code, the answer and what is said beside it.
pub fn ask(items: &[Value], args: &[&str]) -> (i32, Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dump.json");
    std::fs::write(&file, json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string())
        .unwrap();
    let args: Vec<&str> =
        args.iter().map(|arg| if *arg == "DUMP" { file.to_str().unwrap() } else { *arg }).collect();
    let output = stowplan().args(args).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let answer = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (output.status.code().unwrap(), answer, String::from_utf8(output.stderr).unwrap())
}

/// Where each task is, by its name without the namespace.
pub fn places(answer: &Value) -> Vec<(String, String)> {
    let list = answer["assignments"].as_array().unwrap().iter();
    let mut places: Vec<(String, String)> = list
        .map(|one| {
            let task = one["task"].as_str().unwrap();
            (task.trim_start_matches("d/").to_owned(), one["node"].as_str().unwrap().to_owned())
        })
        .collect();
    places.sort();
    places
}

pub fn placed(answer: &Value) -> usize {
    answer["assignments"].as_array().unwrap().len()
}

/// Moves of each wave, by the names of their tasks.
fn waves(answer: &Value) -> Vec<Vec<String>> {
    let list = answer["moves"]["waves"].as_array().unwrap().iter();
    list.map(|wave| {
        let steps = wave.as_array().unwrap().iter();
        let mut names: Vec<String> =
            steps.map(|step| step["task"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    })
    .collect()
}

pub fn solve(items: &[Value], more: &[&str]) -> (i32, Value, String) {
    ask(items, &[&["solve", "DUMP", "--output", "json", "--quiet"][..], more].concat())
}

fn three_nodes() -> Vec<Value> {
    let mut items: Vec<Value> =
        ["w1", "w2", "w3"].into_iter().map(|name| node(name, 8, json!({}))).collect();
    for host in ["w1", "w2", "w3"] {
        let name = format!("proxy-{host}");
        items.push(pod(
            &name,
            "DaemonSet/proxy",
            json!({"cpu": "100m"}),
            json!({"nodeName": host}),
        ));
    }
    items.extend([
        runs("orders-0", "w1", "2"),
        runs("orders-1", "w2", "2"),
        runs("search-0", "w1", "1"),
        runs("search-1", "w1", "1"),
        runs("search-2", "w3", "1"),
    ]);
    items
}

#[test]
fn a_node_is_drained_as_its_budgets_allow() {
    let drain = ["replan", "DUMP", "--drain", "w1", "--output", "json", "--quiet"];
    // Nothing keeps them: three moves, at once, and what belongs to the node is not asked.
    let mut items = three_nodes();
    let (code, answer, _) = ask(&items, &drain);
    assert_eq!((code, waves(&answer).len()), (0, 1), "{answer}");
    assert_eq!(waves(&answer)[0], ["d/orders-0", "d/search-0", "d/search-1"]);
    // One of a kind at a time.
    items.push(budget("search", "search", json!({"maxUnavailable": 1}), None));
    let (code, answer, said) = ask(&items, &drain);
    let steps = waves(&answer);
    assert_eq!((code, steps.len(), steps.concat().len()), (0, 2, 3), "{answer} {said}");
    let of_search = |wave: &Vec<String>| wave.iter().filter(|t| t.contains("search")).count();
    assert!(steps.iter().all(|wave| of_search(wave) == 1), "{steps:?}");
    // None of a kind: it is stuck, and the others move all the same.
    items.push(budget("orders", "orders", json!({"minAvailable": 2}), Some(0)));
    let (code, answer, _) = ask(&items, &drain);
    assert_eq!((code, waves(&answer).concat().len()), (1, 2), "{answer}");
    let stuck = answer["moves"]["stuck"].as_array().unwrap();
    assert_eq!((stuck.len(), stuck[0]["task"].as_str()), (1, Some("d/orders-0")), "{stuck:?}");
    assert!(stuck[0]["reason"].as_str().unwrap().contains("PodDisruptionBudget d/orders"));
    // Elsewhere it stays: node w3 can be emptied, and nothing of `orders` moves for it.
    let (code, answer, _) =
        ask(&items, &["replan", "DUMP", "--goal", "nodes, moved", "--output", "json", "--quiet"]);
    assert_eq!((code, waves(&answer).concat()), (0, vec!["d/search-2".to_owned()]), "{answer}");
}

#[test]
fn what_kubectl_would_not_evict_needs_its_flag() {
    let hold = |spec: Value, notes: Value, owner: &str| {
        let mut own = json!({"nodeName": "w1"});
        own.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        let mut one = pod("one-0", owner, json!({"cpu": "1"}), own);
        one["metadata"]["annotations"] = notes;
        vec![node("w1", 4, json!({})), node("w2", 4, json!({})), one]
    };
    let unsafe_one = json!({"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"});
    let local = json!({"volumes": [{"name": "v", "emptyDir": {}}]});
    for (items, flag) in [
        (hold(json!({}), json!({}), ""), "--force"),
        (hold(json!({}), unsafe_one, "ReplicaSet/r"), "--force"),
        (hold(local, json!({}), "ReplicaSet/r"), "--delete-emptydir-data"),
    ] {
        let drain = ["replan", "DUMP", "--drain", "w1", "--output", "json", "--quiet"];
        let (code, answer, _) = ask(&items, &drain);
        let reason = answer["moves"]["stuck"][0]["reason"].as_str().unwrap().to_owned();
        assert!(code == 1 && reason.contains(flag), "{code} {reason}");
        let (code, answer, _) = ask(&items, &[&drain[..], &[flag]].concat());
        assert_eq!((code, waves(&answer).concat().len()), (0, 1), "{answer}");
    }
}

#[test]
fn what_runs_is_asked_about_without_a_plan() {
    let mut items = three_nodes();
    items.push(budget("orders", "orders", json!({"minAvailable": 2}), Some(0)));
    let (code, answer, _) = ask(&items, &["survive", "DUMP", "--output", "json", "--quiet"]);
    // Failures ask no budget.
    assert_eq!((code, answer["counts"]["survived"].as_u64()), (0, Some(3)), "{answer}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.toml");
    let scenarios = "[[scenario]]\nname = \"drained\"\ndrain = \"w1\"\n\n[[scenario]]\nname = \"fails\"\ndown = \"w1\"\n";
    std::fs::write(&file, scenarios).unwrap();
    let (code, answer, _) =
        ask(&items, &["what-if", "DUMP", file.to_str().unwrap(), "--output", "json", "--quiet"]);
    let rows = answer["scenarios"].as_array().unwrap();
    let fits: Vec<&str> = rows.iter().map(|row| row["fit"].as_str().unwrap()).collect();
    assert_eq!((code, fits), (0, vec!["no", "yes"]), "{answer}");
    assert!(rows[0]["reason"].as_str().unwrap().contains("d/orders"), "{answer}");
}

#[test]
fn higher_priorities_evict_the_fewest() {
    let low = |name: &str, host: &str, cpu: &str| {
        pod(name, "", json!({"cpu": cpu}), json!({"nodeName": host, "priority": 1}))
    };
    let waits = |cpu: &str, more: Value| {
        let mut spec = json!({"priority": 9});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        pod("high-0", "", json!({"cpu": cpu}), spec)
    };
    let mut items = vec![node("p1", 8, json!({})), node("p2", 8, json!({}))];
    items.extend([low("a-0", "p1", "4"), low("b-0", "p1", "4"), low("c-0", "p2", "7")]);
    let peers = |items: &[Value], high: Value| {
        let all = [items, &[high]].concat();
        let (code, answer, said) = solve(&all, &["--preempt"]);
        assert_eq!(code, 0, "{answer} {said}");
        let left = answer["unplaced"].as_array().unwrap().iter();
        let left: Vec<String> = left.map(|one| one["task"].as_str().unwrap().to_owned()).collect();
        (places(&answer).iter().any(|(task, _)| task == "high-0"), left)
    };
    // Six cores: both of p1, or the one of p2.
    assert_eq!(peers(&items, waits("6", json!({}))), (true, vec!["d/c-0".to_owned()]));
    // It evicts nobody, and nobody of its own priority.
    let never = waits("6", json!({"preemptionPolicy": "Never"}));
    assert_eq!(peers(&items, never), (false, vec!["d/high-0".to_owned()]));
    let same = waits("6", json!({"priority": 1}));
    assert_eq!(peers(&items, same), (false, vec!["d/high-0".to_owned()]));
}

#[test]
fn a_new_node_comes_with_its_daemons() {
    let mut items = vec![node("m-1", 16, json!({})), node("m-2", 16, json!({}))];
    for host in ["m-1", "m-2"] {
        let name = format!("agent-{host}");
        items.push(pod(
            &name,
            "DaemonSet/agent",
            json!({"cpu": "1500m"}),
            json!({"nodeName": host}),
        ));
    }
    (0..4)
        .for_each(|k| items.push(pod(&format!("hpc-{k}"), "", json!({"cpu": "7500m"}), json!({}))));
    let (code, answer, _) = ask(&items, &["explain", "DUMP"]);
    let text = answer.as_str().unwrap();
    // 16 less 1.5 leave room for one of 7.5.
    assert!(code == 1 && text.contains("add 2 nodes like `m-1` (proven"), "{text}");
}

#[test]
fn a_daemon_set_wants_a_pod_on_every_node_that_it_means() {
    let mut items = vec![node("a", 4, json!({})), node("b", 4, json!({})), node("c", 4, json!({}))];
    items[2]["spec"] = json!({"taints": [{"key": "gpu", "effect": "NoSchedule"}]});
    items.push(runs("full-0", "b", "3800m"));
    let set = |tolerations: Value| {
        json!({"apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": {"name": "flow", "namespace": "d"},
            "spec": {"selector": {"matchLabels": {"app": "flow"}}, "template": {
                "metadata": {"labels": {"app": "flow"}},
                "spec": {"tolerations": tolerations, "containers": containers(json!({"cpu": "300m"}))}}}})
    };
    let (code, _, said) = solve(&[items.clone(), vec![set(json!([]))]].concat(), &[]);
    assert!(code == 1 && said.contains("`d/flow-b`"), "{said}");
    // Where its pod is already, none is planned; where a taint is tolerated, one is.
    let there = pod("flow-x", "DaemonSet/flow", json!({"cpu": "300m"}), json!({"nodeName": "b"}));
    let all = [items.clone(), vec![there, set(json!([{"operator": "Exists"}]))]].concat();
    let (code, answer, said) = solve(&all, &[]);
    let wanted = [("flow-a", "a"), ("flow-c", "c")];
    let wanted = wanted.map(|(task, node)| (task.to_owned(), node.to_owned()));
    assert_eq!((code, places(&answer)), (0, wanted.to_vec()), "{said}");
}

#[test]
fn a_replan_becomes_a_script_of_evictions() {
    let mut items = three_nodes();
    items.push(budget("search", "search", json!({"maxUnavailable": 1}), Some(1)));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    let path = file.to_str().unwrap();
    let drain = ["replan", "DUMP", "--drain", "w1", "--output", "json", "--quiet", "-o", path];
    assert_eq!(ask(&items, &drain).0, 0);
    let (code, script, said) = ask(&items, &["export", "DUMP", path, "--to", "kubectl"]);
    let script = script.as_str().unwrap();
    assert_eq!(code, 0, "{said}");
    let at = |words: &str| script.find(words).unwrap_or_else(|| panic!("{words}: {script}"));
    assert!(
        at("kubectl cordon w1") < at("# wave 1") && at("# wave 1") < at("# wave 2"),
        "{script}"
    );
    for pod in ["orders-0", "search-0", "search-1"] {
        assert!(at(&format!("evict d {pod} # to w")) < at(&format!("gone d {pod}")), "{script}");
    }
    assert!(script.ends_with("exit 0\n") && !script.contains("uncordon w1"), "{script}");
    let shell = std::process::Command::new("sh").arg("-n").arg("-c").arg(script).status();
    assert!(shell.unwrap().success());
    // Of other instances there is nothing to evict.
    let own = ["data/five-nodes-running.json", "data/five-nodes-running.json"];
    let moved = ["replan", own[0], "--drain", "A", "--output", "json", "-o", path];
    assert_eq!(ask(&[], &moved).0, 0);
    let (code, _, said) = ask(&[], &["export", own[1], path, "--to", "kubectl"]);
    assert!(code == 2 && said.contains("no pod or node"), "{said}");
}

#[test]
fn what_waits_stays_waiting_in_a_question_about_what_runs() {
    let waits =
        |name: &str, cpu: &str, spec: Value| pod(name, "ReplicaSet/r", json!({"cpu": cpu}), spec);
    let nodes: Vec<Value> =
        ["w1", "w2", "w3"].into_iter().map(|name| node(name, 8, json!({}))).collect();
    let even = json!({"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "web"}}}]});
    let on = |node: &str| {
        let mut spec = even.clone();
        spec["nodeName"] = json!(node);
        spec
    };
    let items = [
        nodes.clone(),
        vec![
            waits("web-0", "1", on("w1")),
            waits("web-1", "1", on("w2")),
            runs("api-0", "w1", "2"),
            waits("web-2", "99", even.clone()),
            waits("small-0", "1", json!({})),
        ],
    ]
    .concat();
    let drain = &["replan", "DUMP", "--drain", "w1", "--output", "json"];
    let (code, answer, said) = ask(&items, drain);
    assert_eq!((code, &answer["status"]), (0, &json!("optimal")), "{said}");
    assert_eq!(waves(&answer).concat(), ["d/api-0", "d/web-0"]);
    // The spread still counts what runs, though one of its pods waits.
    let web = |places: Vec<(String, String)>| places.into_iter().find(|(task, _)| task == "web-0");
    assert_eq!(web(places(&answer)).unwrap().1, "w3");
    let left: Vec<(&str, &str)> = (answer["unplaced"].as_array().unwrap().iter())
        .map(|one| (one["task"].as_str().unwrap(), one["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(left, [("d/web-2", "capacity"), ("d/small-0", "waits")]);
    let detail = answer["unplaced"][1]["detail"].as_str().unwrap();
    assert!(detail.contains("`w2` has room for it by itself, so has another"), "{detail}");
    // The script does not wait for what stays waiting, and the plan is one of the dump.
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.json");
    std::fs::write(&plan, answer.to_string()).unwrap();
    let plan = plan.to_str().unwrap();
    let (code, script, said) = ask(&items, &["export", "DUMP", plan, "--to", "kubectl"]);
    assert_eq!(code, 0, "{said}");
    let ready = "ready d ,metadata.name!=web-2,metadata.name!=small-0\n";
    assert!(script.as_str().unwrap().contains(ready), "{script}");
    let (code, _, said) = ask(&items, &["check", "DUMP", plan]);
    assert_eq!(code, 0, "{said}");
    // Fewer nodes, too.
    let (code, fewer, said) =
        ask(&items, &["replan", "DUMP", "--goal", "nodes,moved", "--output", "json"]);
    assert_eq!((code, placed(&fewer)), (0, 3), "{said}");
    let (code, _, said) = ask(&items, &[&drain[..], &["--all"]].concat());
    assert!(code == 1 && said.contains("no plan exists") && said.contains("d/web-2"), "{said}");

    // Without a change the question is what has to move so that all have room.
    let items = [
        nodes[..2].to_vec(),
        vec![runs("a-0", "w1", "4"), runs("b-0", "w2", "4"), waits("big-0", "8", json!({}))],
    ];
    let (code, answer, said) = ask(&items.concat(), &["replan", "DUMP", "--output", "json"]);
    assert_eq!((code, placed(&answer)), (0, 3), "{said}");
    assert_eq!(answer["goal"][0]["value"], json!(1.0));
}

#[test]
fn what_runs_where_it_could_not_come_again_is_left_alone() {
    // Of the pods of `w1` one came before the node was smaller; of `w2`, before it lost its label.
    let mut items =
        vec![node("w1", 2, json!({})), node("w2", 8, json!({})), node("w3", 8, json!({}))];
    items[2]["metadata"]["labels"]["pool"] = json!("red");
    let even = json!({"nodeName": "w2", "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "pool",
        "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "e"}}}]});
    items.extend([
        runs("a-0", "w1", "2"),
        runs("b-0", "w1", "1"),
        pod("e-0", "ReplicaSet/r", json!({"cpu": "1"}), even),
        runs("c-0", "w3", "1"),
    ]);
    let (code, answer, said) =
        ask(&items, &["replan", "DUMP", "--drain", "w3", "--output", "json"]);
    assert_eq!((code, waves(&answer).concat()), (0, vec!["d/c-0".to_owned()]), "{said}");
    let assumed = &answer["instance"]["assumptions"];
    assert_eq!((&assumed[0]["direction"], &assumed[1]), (&json!("either"), &Value::Null));
    // Its own node is drained all the same.
    let (code, answer, said) =
        ask(&items, &["replan", "DUMP", "--drain", "w1", "--output", "json"]);
    assert_eq!((code, waves(&answer).concat().len()), (0, 2), "{said}");
}

#[test]
fn tables_say_long_ends_of_names_once_and_show_what_is_asked_for() {
    let end = ".eu-central-1.compute.internal";
    let host = |k: u32| {
        let mut host =
            node(&format!("ip-10-0-0-{k}{end}"), 8, json!({"ephemeral-storage": "17Gi"}));
        host["status"]["allocatable"]["memory"] = json!("31127824Ki");
        host
    };
    let first = format!("ip-10-0-0-1{end}");
    let items = [host(1), host(2), runs("a-0", &first, "2")];
    let (code, text, said) = ask(&items, &["replan", "DUMP", "--drain", &first]);
    assert_eq!(code, 0, "{said}");
    let text = text.as_str().unwrap();
    assert_eq!(text.matches(end).count(), 1, "{text}");
    for part in [
        "names of nodes end in `.eu-central-1.compute.internal`",
        "nobody asks for memory, ephemeral-storage",
        "a-0  ip-10-0-0-1  ip-10-0-0-2",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Machines read whole names.
    let (_, answer, _) = ask(&items, &["replan", "DUMP", "--drain", &first, "--output", "json"]);
    assert_eq!(places(&answer)[0].1, format!("ip-10-0-0-2{end}"));
    let small = pod("b-0", "", json!({"memory": "512Mi"}), json!({}));
    let (_, text, _) = ask(&[host(1), host(2), small], &["solve", "DUMP"]);
    let text = text.as_str().unwrap();
    assert!(
        text.contains("memory used / capacity (GiB)") && text.contains("0.5 / 29.6858"),
        "{text}"
    );
}
