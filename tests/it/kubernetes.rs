//! Kubernetes from end to end: public dumps counted against the files, a made-up cluster
//! planned, bound and read again.

use std::path::Path;

use serde_json::{Value, json};
use stowplan::format::{Input, Source, read_claim, read_draft, read_instance};

use crate::helpers::{plan, public_data, run, stowplan};

fn draft(files: &[&Path]) -> stowplan::model::Draft {
    let files = files.iter().map(|path| Source::read(path).unwrap()).collect();
    read_draft(&Input::of(files), None).unwrap()
}

#[test]
fn public_nodes_are_counted() {
    let Some(folder) = public_data() else { return };
    let draft = draft(&[&folder.join("kubernetes/openb_node_list_gpu_node.yaml")]);
    assert_eq!((draft.nodes.len(), draft.tasks.len()), (1213, 0));
    let names: Vec<&str> = draft.resources.iter().map(|r| r.name.as_str()).collect();
    let cards = "alibabacloud.com/gpu-count";
    assert_eq!(names, ["cpu", "memory", cards, "alibabacloud.com/gpu-milli"]);
    // Summed by a script over the lines of `allocatable`.
    let total = |name: &str| -> f64 {
        let at = names.iter().position(|known| *known == name).unwrap() as u16;
        let own = |node: &stowplan::model::NodeDraft| {
            node.capacity.iter().find(|(r, _)| *r == at).map_or(0.0, |(_, amount)| amount.to_f64())
        };
        draft.nodes.iter().map(own).sum()
    };
    assert_eq!(total(cards), 6212.0);
    assert_eq!(total("cpu"), CORES);
    assert_eq!(total("memory") / f64::from(1 << 20), MEBIBYTES);
    assert!(draft.nodes.iter().all(|node| node.max_tasks == Some(1001)));
    assert_eq!(draft.warnings, [""; 0]);
}

#[test]
fn the_public_pair_is_load() {
    let Some(folder) = public_data() else { return };
    let pods = folder.join("kubernetes/honeycomb_pods.json");
    let draft = draft(&[&pods, &folder.join("kubernetes/honeycomb_nodes.json")]);
    assert_eq!((draft.nodes.len(), draft.tasks.len()), (2, 0));
    let amounts = |list: &[(u16, stowplan::model::Decimal)]| -> Vec<(String, String)> {
        let named = list
            .iter()
            .map(|(r, q)| (draft.resources[usize::from(*r)].name.clone(), q.to_string()));
        named.collect()
    };
    let first = &draft.nodes[0];
    let capacity = amounts(&first.capacity);
    assert_eq!(capacity[0], ("cpu".to_owned(), "7.91".to_owned()));
    assert_eq!(capacity[1], ("memory".to_owned(), (31_127_824_i64 * 1024).to_string()));
    assert_eq!(first.taints[0].to_string(), "type=hound");
    assert_eq!(amounts(&first.used), USED.map(|(a, b)| (a.to_owned(), b.to_owned())));
    let most: Vec<_> = draft.nodes.iter().map(|node| node.max_tasks).collect();
    assert_eq!(most, [Some(58 - 11), Some(58)], "eleven pods run on the first node");
}

/// Requests of the pods of the first node, summed with jq.
const USED: [(&str, &str); 2] = [("cpu", "0.45"), ("memory", "209715200")];
const CORES: f64 = 107_018.0;
const MEBIBYTES: f64 = 503_828_480.0;

/// A small cluster: running, finished and waiting pods with every kind of rule, and manifests.
fn cluster() -> Value {
    let mut items = Vec::new();
    for k in 0..6 {
        items.push(json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": format!("n{k}"), "labels": {"kubernetes.io/hostname": format!("n{k}"), "zone": format!("z{}", k % 3)}},
            "spec": {"taints": if k == 5 { json!([{"key": "gpu", "effect": "NoSchedule"}]) } else { json!([]) }},
            "status": {"allocatable": {"cpu": "8", "memory": "16Gi", "pods": "20", "nvidia.com/gpu": if k == 5 { "4" } else { "0" }}},
        }));
    }
    let pod = |name: &str, app: &str, spec: Value| {
        let mut full = json!({"containers": [{"name": "c", "resources": {"requests": {"cpu": "900m", "memory": "1Gi"}}}]});
        full.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "d", "labels": {"app": app}}, "spec": full})
    };
    let selector = |app: &str| json!({"matchLabels": {"app": app}});
    for k in 0..4 {
        items.push(pod(&format!("r{k}"), "web", json!({"nodeName": format!("n{k}")})));
        let term =
            json!([{"topologyKey": "kubernetes.io/hostname", "labelSelector": selector("db")}]);
        let away = json!({"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": term}}});
        items.push(pod(&format!("db{k}"), "db", away));
        let spread = json!([{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector("web")}]);
        items.push(pod(&format!("web{k}"), "web", json!({"topologySpreadConstraints": spread})));
    }
    items.push(json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "train", "namespace": "d"},
        "spec": {"parallelism": 1, "template": {"spec": {
            "tolerations": [{"key": "gpu", "operator": "Exists"}],
            "containers": [{"name": "c", "resources": {"limits": {"cpu": 2, "nvidia.com/gpu": 2}}}]}}},
    }));
    items.push(json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "namespace": "d"},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": 1}}}]}}},
    }));
    json!({"apiVersion": "v1", "items": items, "kind": "List"})
}

#[test]
fn a_plan_becomes_bindings_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let dump = cluster();
    std::fs::write(file("dump.json"), dump.to_string()).unwrap();
    let run = |arguments: &[&str]| {
        let output = stowplan().args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}\n{said}");
        (String::from_utf8(output.stdout).unwrap(), said)
    };
    let (plan, warnings) = run(&["solve", &file("dump.json"), "--output", "json"]);
    assert_eq!(warnings, "");
    std::fs::write(file("plan.json"), &plan).unwrap();
    run(&["check", &file("dump.json"), &file("plan.json")]);
    let (list, _) = run(&["export", &file("dump.json"), &file("plan.json"), "--to", "kubernetes"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let nodes: std::collections::BTreeMap<&str, &str> = plan["assignments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| (a["task"].as_str().unwrap(), a["node"].as_str().unwrap()))
        .collect();
    assert_eq!(nodes.len(), 4 + 4 + 1 + 2);
    assert_eq!(nodes["d/train-0"], "n5", "the only node with cards");

    // The plan's placement is the bindings'; manifests name their nodes.
    let items = list["items"].as_array().unwrap();
    let bindings: Vec<&Value> = items.iter().filter(|item| item["kind"] == "Binding").collect();
    assert_eq!((bindings.len(), items.len()), (8, 10));
    for binding in &bindings {
        let task = format!("d/{}", binding["metadata"]["name"].as_str().unwrap());
        assert_eq!(binding["target"]["name"], nodes[task.as_str()]);
    }
    let kind = |kind: &str| items.iter().find(|item| item["kind"] == kind).unwrap();
    assert_eq!(kind("Job")["spec"]["template"]["spec"]["nodeName"], "n5");
    let terms = &kind("Deployment")["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        ["nodeSelectorTerms"];
    let mut named = vec![nodes["d/api-0"], nodes["d/api-1"]];
    named.sort_unstable();
    named.dedup();
    assert_eq!(terms[0]["matchExpressions"][0]["values"], json!(named));

    // All of it is a plan, and the same one.
    std::fs::write(file("list.json"), list.to_string()).unwrap();
    run(&["check", &file("dump.json"), &file("list.json")]);
    let claim = read_claim(&Source::read(Path::new(&file("list.json"))).unwrap()).unwrap();
    let read = claim.assignments.iter().map(|a| (a.task.as_str(), a.node.as_str()));
    assert_eq!(read.collect::<std::collections::BTreeMap<_, _>>(), nodes);

    // As a plan of the pods alone, the checker accepts them.
    let mut pods = dump.clone();
    pods["items"]
        .as_array_mut()
        .unwrap()
        .retain(|item| item["kind"] == "Node" || item["kind"] == "Pod");
    std::fs::write(file("pods.json"), pods.to_string()).unwrap();
    std::fs::write(file("bindings.json"), json!({"kind": "List", "items": bindings}).to_string())
        .unwrap();
    run(&["check", &file("pods.json"), &file("bindings.json")]);

    // With the bindings applied what is left has a plan too, and the loads are those planned.
    for (k, item) in dump["items"].as_array().unwrap().iter().enumerate() {
        let name = format!("d/{}", item["metadata"]["name"].as_str().unwrap());
        if let (true, Some(node)) = (item["kind"] == "Pod", nodes.get(name.as_str())) {
            pods["items"][k]["spec"]["nodeName"] = json!(node);
        }
    }
    let manifests = dump["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["kind"] == "Job" || item["kind"] == "Deployment");
    pods["items"].as_array_mut().unwrap().extend(manifests.cloned());
    std::fs::write(file("after.json"), pods.to_string()).unwrap();
    let (after, warnings) = run(&["solve", &file("after.json"), "--output", "json"]);
    assert_eq!(warnings, "");
    std::fs::write(file("after_plan.json"), &after).unwrap();
    run(&["check", &file("after.json"), &file("after_plan.json")]);
    let instance =
        read_instance(&Input::One(Source::read(Path::new(&file("after.json"))).unwrap()), None)
            .unwrap();
    assert_eq!(instance.tasks(), 3);
    let sum: i64 = instance.node_ids().map(|node| instance.used(node)[0]).sum();
    assert_eq!(instance.resources()[0].scale.show(sum), "10.8", "twelve pods of 0.9 cores run");
}

/// The rules that the fixture breaks when a plan does not mind them.
#[test]
fn plans_that_break_the_cluster_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (dump, plan) = (folder.path().join("dump.json"), folder.path().join("plan.csv"));
    std::fs::write(&dump, cluster().to_string()).unwrap();
    let judge = |rows: &str| {
        std::fs::write(&plan, format!("task,node\n{rows}")).unwrap();
        let output = stowplan().arg("check").args([&dump, &plan]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    };
    let said = judge(
        "d/db0,n0\nd/db1,n0\nd/web0,n0\nd/web1,n3\nd/web2,n0\nd/web3,n3\nd/train-0,n1\nd/api-0,n5\nd/api-1,n5\n",
    );
    for part in [
        "rule: rule `anti-affinity of d/db0` (apart): `d/db0`, `d/db1` share node n0",
        "rule: rule `topology spread of d/web0` (spread): the fullest zone has",
        "capacity: node `n1`",
        "tainted: ",
    ] {
        assert!(said.contains(part), "{said}\nlacks {part}");
    }
}

/// What a source says and the instance does not stands beside every claim.
#[test]
fn claims_say_what_they_assume() {
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"},
        "status": {"allocatable": {"cpu": "4", "pods": "9"}}});
    let pod = |more: Value, cpu: &str| {
        let mut spec = json!({"containers": [{"name": "c", "image": "i",
            "resources": {"requests": {"cpu": cpu}}}]});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "w"}, "spec": spec})
    };
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("dump.json");
    let run = |pod: &Value, args: &[&str]| {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [node, pod]});
        std::fs::write(&dump, list.to_string()).unwrap();
        let output = stowplan().args(args).arg(&dump).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    // A claim on a device that is not read: the plan may be refused.
    let claims = pod(json!({"resourceClaims": [{"name": "gpu"}]}), "1");
    let (code, out, err) = run(&claims, &["solve"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("optimal as read (gap 0 %) · 1 assumption"), "{out}");
    assert!(err.contains("spec.resourceClaims") && err.contains("may do what the cluster refuses"));
    let (_, out, _) = run(&claims, &["solve", "--output", "json"]);
    let doc: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(doc["instance"]["assumptions"][0]["direction"], "wider");
    let (code, out, err) = run(&claims, &["solve", "--strict"]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("--strict allows none"), "{err}");
    // Wider, there is no plan at all: that stays proven.
    let wide = pod(json!({"resourceClaims": [{"name": "gpu"}]}), "5");
    let (code, _, err) = run(&wide, &["solve"]);
    assert_eq!(code, 1);
    assert!(err.contains("no plan exists: "), "{err}");
    // A toleration that is not understood: the cluster may allow what the plan does not.
    let narrow = pod(json!({"tolerations": [{"key": "a", "operator": "Near"}]}), "5");
    let (code, out, err) = run(&narrow, &["solve", "--output", "json"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("no plan exists for the instance as read"), "{err}");
    let doc: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(doc["status"], "unknown");
}

/// What runs is among the tasks where the question, or the plan, is about it.
#[test]
fn what_runs_can_be_asked_about() {
    let node = |name: &str| {
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name},
            "status": {"allocatable": {"cpu": "8", "memory": "32Gi", "pods": "110"}}})
    };
    let pod = |name: &str, cpu: &str, node: Option<&str>| {
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "x", "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "1", "controller": true}]},
            "spec": {"nodeName": node, "containers": [
                {"name": "c", "resources": {"requests": {"cpu": cpu}}}]},
            "status": {"phase": if node.is_some() { "Running" } else { "Pending" }}})
    };
    let items = json!([
        node("n1"),
        node("n2"),
        node("n3"),
        pod("a", "2", Some("n1")),
        pod("b", "3", Some("n2")),
        pod("c", "2", Some("n3")),
        pod("w", "7", None)
    ]);
    let dump = json!({"apiVersion": "v1", "kind": "List", "items": items});
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let dump = file("dump.json", &dump.to_string());
    let run = |args: &[&str]| {
        let output = stowplan().args(args).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };

    let (code, text) = run(&["explain", &dump, "--task", "x/w"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("n1, n3: lacks 1 core cpu\n  n2: lacks 2 core cpu"), "{text}");
    assert!(text.contains("There is no plan: task `x/w` fits on no node"), "{text}");
    let (code, text) = run(&["explain", &dump, "--task", "x/a"]);
    assert!(code == Some(0) && text.starts_with("`x/a` is on `n1`"), "{text}");
    let (_, text) = run(&["explain", &dump, "--task", "x/w", "--output", "json"]);
    let doc: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(doc["no_plan"]["conflict"][0]["kind"], "task");
    assert_eq!(doc["nodes"].as_array().unwrap().len(), 3);

    // Seven cores in use and a pod of seven: two nodes, if what runs may move.
    let (code, text) = run(&["solve", &dump, "--goal", "nodes"]);
    assert!(code == Some(0) && text.contains("on 2 of 3 nodes · optimal"), "{text}");
    assert!(text.contains("3 moves in 2 waves"), "{text}");

    let plans: [&[&str]; 4] = [
        &["solve", &dump, "--allow-unplaced"],
        &["solve", &dump, "--preempt"],
        &["replan", &dump, "--goal", "nodes, moved"],
        &["replan", &dump, "--drain", "n1", "--allow-unplaced"],
    ];
    for (k, args) in plans.into_iter().enumerate() {
        let (_, plan) = run(&[args, &["--output", "json"]].concat());
        let plan = file(&format!("plan{k}.json"), &plan);
        let (code, text) = run(&["check", &dump, &plan]);
        assert!(code == Some(0) && text.starts_with("ok: "), "{args:?}: {text}");
        let (code, text) = run(&["survive", &dump, &plan]);
        assert!(text.contains("failures of node"), "{args:?}: {code:?} {text}");
        let (code, text) = run(&["explain", &dump, &plan, "--task", "x/a"]);
        assert!(code == Some(0) && text.contains("`x/a`"), "{args:?}: {text}");
    }
    // A plan that moves what runs onto a full node is not taken for another reading.
    let csv = "task,node\nx/w,n1\nx/a,n1\nx/b,n2\nx/c,n3\n";
    let (code, text) = run(&["check", &dump, &file("full.csv", csv)]);
    assert!(code == Some(1) && text.contains("capacity: node `n1` carries 9 cpu"), "{text}");
}

/// Jobs that belong on one rack (Kueue), in slices or as a whole, and on one hyper-node (Volcano).
#[test]
fn jobs_stay_on_one_rack() {
    let node = |name: &str, rack: &str, gpus: &str| {
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"rack": rack}},
            "status": {"allocatable": {"nvidia.com/gpu": gpus, "cpu": "64", "pods": "110"}}})
    };
    let pods = json!({"containers": [
        {"name": "c", "resources": {"limits": {"nvidia.com/gpu": "1"}}}]});
    let job = |count: u32, notes: Value| {
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "train"},
            "spec": {"parallelism": count, "completions": count,
                "template": {"metadata": {"annotations": notes}, "spec": pods}}})
    };
    let nodes =
        [node("a1", "a", "2"), node("a2", "a", "2"), node("b1", "b", "3"), node("c1", "c", "1")];
    let placed = |more: Vec<Value>| {
        let items: Vec<Value> = nodes.iter().cloned().chain(more).collect();
        let dump = json!({"apiVersion": "v1", "kind": "List", "items": items});
        let text = dump.to_string().into_bytes();
        let instance =
            read_instance(&Input::One(Source { name: "dump".into(), bytes: text }), None).unwrap();
        let outcome = plan(run(&instance, "auto", true));
        let racks = outcome.plan.placement.iter().flatten().map(|node| {
            let name = instance.node_name(*node);
            name.chars().next().unwrap()
        });
        (racks.collect::<String>(), instance.assumptions().len())
    };
    let whole = json!({"kueue.x-k8s.io/podset-required-topology": "rack"});
    assert_eq!(placed(vec![job(4, whole.clone())]), ("aaaa".to_owned(), 0));
    assert_eq!(placed(vec![job(5, whole.clone())]).0.len(), 4);
    let unknown = json!({"kueue.x-k8s.io/podset-required-topology": "block"});
    assert_eq!(placed(vec![job(2, unknown)]).0, "");
    let slices = json!({"kueue.x-k8s.io/podset-slice-required-topology": "rack",
        "kueue.x-k8s.io/podset-slice-size": "2"});
    let (racks, _) = placed(vec![job(6, slices)]);
    assert_eq!(racks.len(), 6);
    let chars: Vec<char> = racks.chars().collect();
    assert!(chars.chunks(2).all(|two| two[0] == two[1]), "{racks}");
    let soft = json!({"kueue.x-k8s.io/podset-preferred-topology": "rack"});
    let (racks, assumptions) = placed(vec![job(8, soft)]);
    assert_eq!((racks.len(), assumptions), (8, 1));
    // One of the job runs on rack b already: two more have room there.
    let running = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "train-x",
        "namespace": "default", "annotations": whole,
        "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "train", "uid": "1", "controller": true}]},
        "spec": {"nodeName": "b1", "containers": pods["containers"]}, "status": {"phase": "Running"}});
    let waiting = |name: &str| {
        let mut pod = running.clone();
        pod["metadata"]["name"] = json!(name);
        pod["spec"]["nodeName"] = Value::Null;
        pod["status"]["phase"] = json!("Pending");
        pod
    };
    let all = vec![running.clone(), waiting("train-y"), waiting("train-z"), waiting("train-w")];
    assert_eq!(placed(all).0, "bb");

    let hyper = |name: &str, tier: u32, kind: &str, members: &[&str]| {
        let members = members
            .iter()
            .map(|name| json!({"type": kind, "selector": {"exactMatch": {"name": name}}}));
        json!({"apiVersion": "topology.volcano.sh/v1alpha1", "kind": "HyperNode",
            "metadata": {"name": name}, "spec": {"tier": tier, "members": members.collect::<Vec<_>>()}})
    };
    let volcano = |tier: u32, mode: &str| {
        json!({"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job", "metadata": {"name": "v"},
            "spec": {"minAvailable": 4, "networkTopology": {"mode": mode, "highestTierAllowed": tier},
                "tasks": [{"name": "w", "replicas": 4, "template": {"spec": pods}}]}})
    };
    let switches = || {
        vec![
            hyper("s0", 1, "Node", &["a1", "c1"]),
            hyper("s1", 1, "Node", &["a2", "b1"]),
            hyper("s2", 2, "HyperNode", &["s0", "s1"]),
        ]
    };
    let with = |one: Value| switches().into_iter().chain([one]).collect::<Vec<_>>();
    let (racks, _) = placed(with(volcano(1, "hard")));
    assert!(racks.len() == 4 && racks.chars().all(|rack| rack != 'c'), "{racks}");
    assert_eq!(racks.matches('b').count() + racks.matches('a').count(), 4);
    assert!(racks.matches('b').count() >= 2, "all four are under s1: {racks}");
    assert_eq!(placed(with(volcano(2, "hard"))).0.len(), 4);
    assert_eq!(placed(with(volcano(1, "soft"))).1, 1);
    let five = |tier: u32| {
        let mut job = volcano(tier, "hard");
        (job["spec"]["minAvailable"], job["spec"]["tasks"][0]["replicas"]) = (json!(6), json!(6));
        placed(with(job)).0.len()
    };
    assert_eq!((five(1), five(2)), (0, 6));
}
