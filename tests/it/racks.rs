//! Groups of pods that want a rack of their own (`exclusive-topology` of LeaderWorkerSet and
//! JobSet), and hyper-nodes whose members are a pattern.

use serde_json::{Value, json};

use crate::clusters::{containers, node, placed, places, pod, solve};

const OF_GROUP: &str = "leaderworkerset.sigs.k8s.io/exclusive-topology";
const OF_SUBGROUP: &str = "leaderworkerset.sigs.k8s.io/subgroup-exclusive-topology";
const OF_JOB: &str = "alpha.jobset.sigs.k8s.io/exclusive-topology";

/// Racks `a`, `b`, ... of two nodes with two cards each.
fn racks(count: usize) -> Vec<Value> {
    let node_of = |k: usize| {
        let rack = ["a", "b", "c", "d", "e", "f"][k / 2];
        let mut node = node(&format!("{rack}{}", k % 2), 64, json!({"nvidia.com/gpu": "2"}));
        node["metadata"]["labels"]["rack"] = json!(rack);
        node
    };
    (0..2 * count).map(node_of).collect()
}

fn template() -> Value {
    json!({"spec": {"containers": containers(json!({"nvidia.com/gpu": "1"}))}})
}

fn sets(name: &str, groups: u32, size: u32, notes: Value, policy: Value) -> Value {
    json!({"apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet",
        "metadata": {"name": name, "namespace": "d", "annotations": notes},
        "spec": {"replicas": groups, "leaderWorkerTemplate":
            {"size": size, "workerTemplate": template(), "subGroupPolicy": policy}}})
}

fn jobs(name: &str, notes: Value, list: Value) -> Value {
    json!({"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet",
        "metadata": {"name": name, "namespace": "e", "annotations": notes},
        "spec": {"replicatedJobs": list}})
}

/// The racks of each group, told by the name of its pods without their number: `x-0: ab`.
fn homes(items: Vec<Value>) -> (Vec<String>, Value) {
    let (code, answer, said) = solve(&items, &["--allow-unplaced"]);
    assert_eq!(code, 0, "{said}");
    let mut homes: Vec<(String, String)> = Vec::new();
    for (task, node) in places(&answer) {
        let (group, _) = task.rsplit_once('-').unwrap();
        let rack = &node[..1];
        match homes.iter_mut().find(|(known, _)| known == group) {
            Some((_, racks)) if racks.ends_with(rack) => {}
            Some((_, racks)) => racks.push_str(rack),
            None => homes.push((group.to_owned(), rack.to_owned())),
        }
    }
    (homes.into_iter().map(|(group, racks)| format!("{group}: {racks}")).collect(), answer)
}

fn all_differ(homes: &[String]) -> bool {
    let mut racks: Vec<&str> = homes.iter().map(|home| home.rsplit_once(' ').unwrap().1).collect();
    let count = racks.len();
    racks.sort_unstable();
    racks.dedup();
    racks.len() == count && racks.iter().all(|racks| racks.len() == 1)
}

#[test]
fn each_group_has_a_rack_of_its_own() {
    let own = json!({OF_GROUP: "rack"});
    // Groups of two have room twice on a rack, but not if they want it for themselves.
    let (four, answer) = homes([racks(2), vec![sets("x", 4, 2, json!({}), Value::Null)]].concat());
    assert_eq!((four.len(), placed(&answer)), (4, 8));
    let (two, answer) = homes([racks(2), vec![sets("x", 4, 2, own.clone(), Value::Null)]].concat());
    assert_eq!((two.len(), placed(&answer)), (2, 4), "{two:?}");
    assert!(all_differ(&two), "{two:?}");
    assert_eq!(answer["instance"]["assumptions"], Value::Null);
    assert_eq!(answer["status"], "optimal");
    // Of another set without the annotation too.
    let plain = sets("y", 1, 1, json!({}), Value::Null);
    let (both, _) =
        homes([racks(2), vec![sets("x", 2, 2, own.clone(), Value::Null), plain]].concat());
    assert!(both.len() == 2 && all_differ(&both), "{both:?}");
    // One that runs has its rack; so has its leader, which says so itself.
    let runs = |labels: Value, node: &str| {
        let mut pod = pod("run-0", "", json!({"cpu": "1"}), json!({"nodeName": node}));
        pod["metadata"]["labels"] = labels;
        pod
    };
    let group = json!({"leaderworkerset.sigs.k8s.io/group-key": "k"});
    let items = [racks(3), vec![sets("x", 3, 2, own.clone(), Value::Null), runs(group, "b1")]];
    let (two, _) = homes(items.concat());
    assert!(two.len() == 2 && !two.iter().any(|home| home.contains('b')), "{two:?}");
    // Many groups are one rule, not a rule for each two of them.
    let (six, answer) = homes([racks(6), vec![sets("x", 200, 2, own, Value::Null)]].concat());
    assert!(six.len() == 6 && all_differ(&six), "{six:?}");
    assert_eq!(answer["goal"][0]["value"], json!(388.0), "{}", answer["goal"]);
}

#[test]
fn each_subgroup_has_a_rack_of_its_own() {
    let own = json!({OF_SUBGROUP: "rack"});
    let by = |size: u32, kind: &str| json!({"subGroupSize": size, "type": kind});
    let spread = |items: Vec<Value>| -> Vec<String> {
        let (code, answer, said) = solve(&items, &["--allow-unplaced"]);
        assert_eq!(code, 0, "{said}");
        places(&answer).into_iter().map(|(_, node)| node[..1].to_owned()).collect()
    };
    // Four pods, two and two: leader and first worker, the others.
    let racks_of =
        spread([racks(2), vec![sets("x", 1, 4, own.clone(), by(2, "LeaderWorker"))]].concat());
    assert!(racks_of[0] == racks_of[1] && racks_of[2] == racks_of[3], "{racks_of:?}");
    assert_ne!(racks_of[1], racks_of[2]);
    // Five: the leader is one too many and goes with the first two workers.
    let racks_of =
        spread([racks(2), vec![sets("x", 1, 5, own.clone(), by(2, "LeaderWorker"))]].concat());
    assert!(racks_of[0] == racks_of[1] && racks_of[1] == racks_of[2], "{racks_of:?}");
    assert!(racks_of[3] == racks_of[4] && racks_of[2] != racks_of[3], "{racks_of:?}");
    // Three subgroups have no place on two racks.
    let none =
        spread([racks(2), vec![sets("x", 1, 6, own.clone(), by(2, "LeaderWorker"))]].concat());
    assert_eq!(none, [""; 0]);
    // A leader outside the subgroups may be anywhere: four workers fill one rack.
    let racks_of = spread([racks(3), vec![sets("x", 1, 9, own, by(4, "LeaderExcluded"))]].concat());
    assert_eq!(racks_of.len(), 9);
    assert!(racks_of[1..5].windows(2).all(|two| two[0] == two[1]), "{racks_of:?}");
    assert!(racks_of[5..].windows(2).all(|two| two[0] == two[1]), "{racks_of:?}");
}

#[test]
fn each_job_of_a_set_has_a_rack_of_its_own() {
    let job = |name: &str, replicas: u32, notes: Value| {
        json!({"name": name, "replicas": replicas, "template":
            {"metadata": {"annotations": notes}, "spec": {"parallelism": 3, "completions": 3, "template": template()}}})
    };
    let own = json!({OF_JOB: "rack"});
    let (three, answer) =
        homes([racks(3), vec![jobs("s", own.clone(), json!([job("w", 3, json!({}))]))]].concat());
    assert!(three.len() == 3 && all_differ(&three), "{three:?}");
    assert_eq!(answer["instance"]["assumptions"], Value::Null);
    let (none, _) =
        homes([racks(2), vec![jobs("s", own.clone(), json!([job("w", 3, json!({}))]))]].concat());
    assert_eq!(none, [""; 0], "all jobs of a set begin together");
    // Only of one of its jobs, beside which the others have no place.
    let list = json!([job("own", 1, own.clone()), job("any", 1, json!({}))]);
    let (two, _) = homes([racks(2), vec![jobs("s", json!({}), list)]].concat());
    assert!(two.len() == 2 && all_differ(&two), "{two:?}");
    // By labels of the nodes, where somebody has labelled them.
    let by_nodes = json!({OF_JOB: "rack", "alpha.jobset.sigs.k8s.io/node-selector": "true"});
    let mut nodes = racks(2);
    for node in &mut nodes[2..] {
        node["metadata"]["labels"]["alpha.jobset.sigs.k8s.io/namespaced-job"] = json!("e_s-w-0");
        node["spec"]["taints"] =
            json!([{"key": "alpha.jobset.sigs.k8s.io/no-schedule", "effect": "NoSchedule"}]);
    }
    let (one, _) =
        homes([nodes, vec![jobs("s", by_nodes, json!([job("w", 1, json!({}))]))]].concat());
    assert_eq!(one, ["e/s-w-0: b"]);
}

#[test]
fn hyper_nodes_have_the_nodes_that_a_pattern_names() {
    let hyper = |name: &str, tier: u32, kind: &str, selector: Value| {
        json!({"apiVersion": "topology.volcano.sh/v1alpha1", "kind": "HyperNode",
            "metadata": {"name": name},
            "spec": {"tier": tier, "members": [{"type": kind, "selector": selector}]}})
    };
    let like = |pattern: &str| json!({"regexMatch": {"pattern": pattern}});
    let job = |tier: u32, pods: u32| {
        json!({"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job",
            "metadata": {"name": "v", "namespace": "d"},
            "spec": {"minAvailable": pods, "networkTopology": {"mode": "hard", "highestTierAllowed": tier},
                "tasks": [{"name": "w", "replicas": pods, "template": template()}]}})
    };
    let switches =
        || vec![hyper("s0", 1, "Node", like("^a[01]$|^b0")), hyper("s1", 1, "Node", like("b1|c"))];
    let (_, answer, said) = solve(&[racks(3), switches(), vec![job(1, 6)]].concat(), &[]);
    assert_eq!(answer["instance"]["assumptions"], Value::Null, "{said}");
    let nodes: Vec<bool> = places(&answer)
        .iter()
        .map(|(_, node)| ["a0", "a1", "b0"].contains(&node.as_str()))
        .collect();
    assert!(nodes.len() == 6 && nodes.iter().all(|first| *first == nodes[0]), "{nodes:?}");
    let (code, ..) = solve(&[racks(3), switches(), vec![job(1, 7)]].concat(), &[]);
    assert_eq!(code, 1);
    // Parts have names, and no patterns; what is not understood is left out, with a word.
    let above = hyper("s2", 2, "HyperNode", like("s[01]"));
    let (_, answer, _) = solve(&[racks(3), switches(), vec![above, job(2, 6)]].concat(), &[]);
    assert_eq!(placed(&answer), 6);
    let odd = vec![hyper("s3", 1, "Node", like("(((((a{99}){99}){99}){99}"))];
    let (_, answer, _) = solve(&[racks(3), switches(), odd, vec![job(1, 6)]].concat(), &[]);
    assert_eq!(answer["instance"]["assumptions"].as_array().unwrap().len(), 1);
}
