//! Kubernetes from end to end: public dumps counted against the files, a made-up cluster
//! planned, bound and read again.

use std::path::Path;

use serde_json::{Value, json};
use stowplan::format::{Input, Source, read_claim, read_draft, read_instance};

use crate::helpers::{public_data, stowplan};

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
