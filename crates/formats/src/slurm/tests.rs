//! Each feature of Slurm's dumps in a small one of its own.

use super::super::source::Text;
use super::*;
use model::{Ask, Instance, NodeId, NodeState, TaskId};

/// Two nodes, with more in the second's place and one pending job.
fn draft(node: &str, job: &str) -> Result<Draft> {
    let text = format!(
        r#"{{"nodes": [
            {{"name": "n1", "cpus": 8, "real_memory": 1000, "state": ["IDLE"], "partitions": ["p"]}},
            {{"name": "n2", "cpus": 8, "real_memory": 2000, "state": ["IDLE"], "partitions": ["p", "q"], {node} "boards": 1}}
           ],
           "jobs": [{{"job_id": 7, "job_state": ["PENDING"], {job} "nice": 0}}]}}"#
    );
    read(&[Text { name: "dump", text: &text }], &untimed())
}

fn instance(node: &str, job: &str) -> Instance {
    draft(node, job).unwrap().build().unwrap()
}

/// Nodes that the only task, or every unit, may run on.
fn open(node: &str, job: &str) -> Vec<String> {
    let instance = instance(node, job);
    let ready = |node: &NodeId| instance.eligible(TaskId(0), *node);
    let names = instance.node_ids().filter(ready).map(|node| instance.node_name(node).to_owned());
    names.collect()
}

/// What the first task takes: CPUs, MiB, and so on, in the order of the resources.
fn takes(node: &str, job: &str) -> Vec<i64> {
    let draft = draft(node, job).unwrap();
    let whole = |(r, amount): &(u16, Decimal)| {
        let value = amount.at_places(0).unwrap();
        if draft.resources[*r as usize].name == "memory" { value >> 20 } else { value }
    };
    draft.tasks[0].demand.iter().map(whole).collect()
}

/// No plan in time is wanted.
fn untimed() -> Beside<'static> {
    Beside { untimed: true, ..Beside::default() }
}

/// What is said of a draft.
fn said(draft: &Draft) -> Vec<String> {
    let assumed = draft.assumptions.iter().map(ToString::to_string);
    draft.warnings.iter().cloned().chain(assumed).collect()
}

fn warnings(node: &str, job: &str) -> Vec<String> {
    said(&draft(node, job).unwrap())
}

#[test]
fn both_forms_of_numbers() {
    let plain = r#""cpus": 4, "memory_per_cpu": 100, "node_count": 1, "time_limit": 30,"#;
    let wrapped = r#""cpus": {"set": true, "infinite": false, "number": 4},
        "memory_per_cpu": {"set": true, "infinite": false, "number": 100},
        "memory_per_node": {"set": false, "infinite": false, "number": 0},
        "time_limit": {"set": true, "infinite": false, "number": 30},"#;
    for job in [plain, wrapped] {
        assert_eq!(takes("", job), [4, 400]);
        assert_eq!(draft("", job).unwrap().tasks[0].duration, Some(1800));
    }
    let infinite = r#""time_limit": {"set": true, "infinite": true, "number": 0},"#;
    assert_eq!(draft("", infinite).unwrap().tasks[0].duration, None);
    assert_eq!(draft("", r#""time_limit": 4294967295,"#).unwrap().tasks[0].duration, None);
}

#[test]
fn what_a_job_takes() {
    let gpus = r#""gres": "gpu:a100:6(S:0-1),gpu:l40s:2,nic:1","#;
    for (job, amounts) in [
        (r#""tres_req_str": "cpu=4,mem=62.50G,node=1,gres/gpu=2","#, &[4, 64000, 2, 0][..]),
        (r#""cpus": 2, "tres_per_node": "gres/gpu:a100:2","#, &[2, 0, 2, 2, 0]),
        (r#""cpus": 2, "tres_per_node": "gres:gpu:3","#, &[2, 0, 3, 0]),
        (r#""cpus": 2, "tres_per_job": "gpu:4","#, &[2, 0, 4, 0]),
        (r#""cpus": 4, "tasks": 4, "tres_per_task": "cpu:1,gres/gpu:1","#, &[1, 0, 1, 0]),
        (r#""cpus": 1, "tres_per_job": "gpu:2", "cpus_per_tres": "gpu:3","#, &[6, 0, 2, 0]),
        (r#""cpus": 1, "tres_per_job": "gpu:2", "memory_per_tres": "gpu:300","#, &[1, 600, 2, 0]),
        (r#""cpus": 2, "tres_per_socket": "gpu:1", "sockets_per_node": 2,"#, &[2, 0, 2, 0]),
        // Two nodes: what is said of the whole is halved, what is said of a node is not.
        (
            r#""node_count": 2, "tres_req_str": "cpu=8,mem=200M,node=2,gres/gpu=4","#,
            &[4, 100, 2, 0],
        ),
        (
            r#""node_count": 2, "cpus": 8, "memory_per_node": 70, "tres_per_node": "gpu:1","#,
            &[4, 70, 1, 0],
        ),
    ] {
        assert_eq!(takes(gpus, job), amounts, "{job}");
    }
}

#[test]
fn capacities_and_what_is_used() {
    let node = r#""gres": "gpu:a100:4", "gres_used": "gpu:a100:1(IDX:0)", "alloc_cpus": 3, "alloc_memory": 500,
        "effective_cpus": 7, "specialized_memory": 100,"#;
    let running = r#""tres_per_node": "gpu:a100:1"}, {"job_id": 8, "job_state": ["RUNNING"], "nodes": "n2",
        "tres_alloc_str": "cpu=2,mem=600M,node=1,gres/gpu=2","#;
    let instance = instance(node, running);
    let names: Vec<&str> = instance.resources().iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["cpu", "memory", "gpu", "gpu:a100"]);
    let shown = |amounts: &[i64]| -> Vec<f64> {
        let scales = instance.resources().iter().zip(amounts);
        scales.map(|(resource, amount)| resource.scale.to_f64(*amount)).collect()
    };
    let mib = f64::from(1 << 20);
    assert_eq!(shown(instance.capacity(NodeId(1))), [7.0, 1900.0 * mib, 4.0, 4.0]);
    // The greater of what the node says and what its jobs hold; the type follows from the only one.
    assert_eq!(shown(instance.used(NodeId(1))), [3.0, 600.0 * mib, 2.0, 2.0]);
    assert_eq!(shown(instance.used(NodeId(0))), [0.0; 4]);
}

#[test]
fn states_of_nodes() {
    for (text, state) in [
        (r#"["IDLE"]"#, NodeState::Ready),
        (r#"["MIXED", "PLANNED"]"#, NodeState::Ready),
        (r#"["IDLE", "CLOUD", "POWERED_DOWN"]"#, NodeState::Ready),
        (r#""allocated""#, NodeState::Ready),
        (r#"["MIXED", "DRAIN"]"#, NodeState::Drain),
        (r#""idle+drain""#, NodeState::Drain),
        (r#"["IDLE", "MAINTENANCE", "RESERVED"]"#, NodeState::Drain),
        (r#""idle$""#, NodeState::Drain),
        (r#"["ALLOCATED", "FAIL"]"#, NodeState::Drain),
        (r#"["DOWN", "DRAIN"]"#, NodeState::Down),
        (r#"["IDLE", "NOT_RESPONDING"]"#, NodeState::Down),
        (r#""idle*""#, NodeState::Down),
    ] {
        let text = format!(
            r#"{{"nodes": [{{"name": "n", "cpus": 1, "real_memory": 1, "state": {text}}}],
                "jobs": [{{"job_id": 7, "job_state": "PENDING"}}]}}"#
        );
        let draft = read(&[Text { name: "dump", text: &text }], &untimed()).unwrap();
        assert_eq!(draft.nodes[0].state, state, "{text}");
        assert!(draft.warnings.is_empty(), "{text}");
    }
    let drain = r#""state_flags": ["DRAIN"],"#;
    assert_eq!(draft(drain, "").unwrap().nodes[1].state, NodeState::Drain);
    let odd = r#""state_flags": ["SLEEPY"],"#;
    assert_eq!(
        warnings(odd, ""),
        [
            "dump: nodes[1].state: the state `SLEEPY` is not known: such nodes take no tasks; the plan may refuse what the cluster allows"
        ]
    );
}

#[test]
fn where_a_job_may_run() {
    let features = r#""features": ["a100", "nvme"],"#;
    for (job, nodes) in [
        ("", &["n1", "n2"][..]),
        (r#""partition": "q","#, &["n2"]),
        (r#""partition": "q,p","#, &["n1", "n2"]),
        (r#""partition": "r","#, &[]),
        (r#""features": "a100&nvme","#, &["n2"]),
        (r#""features": "a100&ssd","#, &[]),
        (r#""features": "(ssd|nvme)&a100","#, &["n2"]),
        (r#""partition": "p,q", "features": "nvme|ssd","#, &["n2"]),
        (r#""features": "[a100|h100]","#, &["n2"]),
        (r#""excluded_nodes": "n[2-9]","#, &["n1"]),
        (r#""required_nodes": "n2","#, &["n2"]),
    ] {
        assert_eq!(open(features, job), nodes, "{job}");
    }
    assert_eq!(open(r#""temporary_disk": 10,"#, r#""minimum_tmp_disk_per_node": 10,"#), ["n2"]);
    assert!(open("", r#""minimum_tmp_disk_per_node": 10,"#).is_empty());
    let preference = draft(features, r#""prefer": "nvme","#).unwrap();
    assert_eq!(preference.tasks[0].requires.prefers.len(), 1);
}

#[test]
fn jobs_on_several_nodes_are_gangs() {
    let draft = draft("", r#""node_count": 2, "cpus": 4,"#).unwrap();
    assert_eq!(draft.tasks[0].replicas, Some(2));
    let instance = draft.build().unwrap();
    assert_eq!(instance.tasks(), 2);
    assert_eq!(instance.rules().len(), 2, "all or none, and apart");
}

#[test]
fn arrays_are_tasks_of_their_own() {
    let of = |job: &str| -> Vec<String> {
        draft("", job).unwrap().tasks.iter().map(|task| task.id.clone()).collect()
    };
    assert_eq!(
        of(r#""array_job_id": 7, "array_task_string": "1-3,9","#),
        ["7_1", "7_2", "7_3", "7_9"]
    );
    assert_eq!(of(r#""array_job_id": 5, "array_task_id": 4,"#), ["5_4"]);
    assert_eq!(of(r#""array_job_id": 0, "array_task_id": null, "array_task_string": "","#), ["7"]);
    let cut = r#""array_task_string": "0,2,...%1","#;
    assert_eq!(of(cut), ["7_0", "7_2"]);
    assert_eq!(warnings("", cut).len(), 1, "one at once is a limit");
}

#[test]
fn exclusive_jobs_take_whole_nodes() {
    let node = r#""gres": "gpu:4", "alloc_cpus": 1,"#;
    let job = r#""exclusive": ["true"], "cpus": 2, "tres_per_node": "gpu:1"}, {"job_id": 9, "job_state": "PENDING","#;
    let instance = instance(node, job);
    let on = |node: u32| instance.demand_on(TaskId(0), NodeId(node)).to_vec();
    assert_eq!(on(0)[0], 8, "all CPUs");
    assert_eq!((on(1)[0], on(1)[2]), (8, 4), "all CPUs and cards");
    assert!(!instance.fits_alone(TaskId(0), NodeId(1)), "something runs there");
    assert_eq!(instance.demand(TaskId(1))[0], 1);
}

#[test]
fn what_is_not_planned_is_said_once() {
    let job = r#""dependency": "afterok:1", "licenses": "x:1", "contiguous": true, "cores_per_socket": 4, "node_count": 2},
        {"job_id": 8, "job_state": "PENDING", "dependency": "afterok:2"},
        {"job_id": 9, "job_state": "RUNNING", "nodes": "elsewhere", "tres_alloc_str": "cpu=1"},
        {"job_id": 10, "job_state": "DREAMING","#;
    let list = warnings("", job).join("\n");
    for part in [
        "dump: jobs[0].dependency: dependencies count in plans in time only: without time they are taken as met (and 1 more such)",
        "dump: jobs[0].dependency: a job that is not in the dump is taken as over (and 1 more such)",
        "dump: jobs[0].licenses: how many licences there are is not said",
        "dump: jobs[0].contiguous: contiguous",
        "dump: jobs[0].cores_per_socket: cores",
        "dump: jobs[2].nodes: the job runs on a node that is not in the dump",
        "dump: jobs[3].job_state: the state `DREAMING` is not known",
    ] {
        assert!(list.contains(part), "{part} in\n{list}");
    }
    assert_eq!(list.lines().count(), 7, "{list}");
}

/// A dump from second 1000 on: job 1 runs until 1300 on half of the only node, 2 is over.
fn in_time(jobs: &str, start: Option<i64>) -> Draft {
    let text = format!(
        r#"{{"nodes": [{{"name": "n", "cpus": 8, "real_memory": 100, "alloc_cpus": 5, "gres": "gpu:a:4"}}],
            "partitions": [{{"name": "p", "nodes": {{"configured": "n"}},
                "defaults": {{"time": {{"set": true, "infinite": false, "number": 2}}}}}}],
            "jobs": [{{"job_id": 1, "job_state": "RUNNING", "nodes": "n", "tres_alloc_str": "cpu=4,gres/gpu=2",
                "start_time": 1000, "end_time": 1300, "time_limit": 5}},
              {{"job_id": 2, "job_state": "COMPLETED"}}, {jobs}]}}"#
    );
    read(&[Text { name: "dump", text: &text }], &Beside { start, ..untimed() }).unwrap()
}

#[test]
fn what_runs_ends_and_jobs_begin_when_they_may() {
    let jobs = r#"
        {"job_id": 3, "job_state": "PENDING", "partition": "p", "eligible_time": 1100, "deadline": 2000},
        {"job_id": 4, "job_state": "PENDING", "time_limit": 1, "eligible_time": 900, "deadline": 1050,
            "dependency": "afterok:3(unfulfilled),afterany:2:1(unfulfilled)"},
        {"job_id": 5, "job_state": "PENDING", "time_limit": 4294967295, "partition": "p", "submit_time": 1010},
        {"job_id": 6, "job_state": "PENDING", "time_limit": 1, "dependency": "afterok:3?afterok:4"},
        {"job_id": 7, "job_state": "PENDING", "time_limit": 1, "dependency": "singleton,after:3+5,afterany:7_*"},
        {"job_id": 8, "array_job_id": 8, "array_task_string": "1-2", "job_state": "PENDING", "time_limit": 1},
        {"job_id": 9, "array_job_id": 9, "array_task_string": "1-2", "job_state": "PENDING", "time_limit": 1,
            "dependency": "aftercorr:8_*(unfulfilled)"},
        {"job_id": 10, "job_state": "PENDING", "time_limit": 1, "dependency": "afterok:8_*"}"#;
    let draft = in_time(jobs, None);
    assert_eq!(draft.start, Some(1010), "the newest thing that happened");
    let amount = |list: &[(u16, Decimal)]| -> Vec<String> {
        list.iter().map(|(_, amount)| amount.to_string()).collect()
    };
    let (at, ended) = &draft.nodes[0].ending[0];
    assert_eq!((*at, amount(ended)), (When::On(1300), vec!["4".into(), "0".into(), "2".into()]));
    assert_eq!(draft.nodes[0].used[0].1.to_string(), "5");
    let task = |id: &str| draft.tasks.iter().find(|task| task.id == id).unwrap();
    let after = |id: &str| -> Vec<&str> {
        task(id).after.iter().map(|after| after.task.as_str()).collect()
    };
    let of = |id: &str| (task(id).duration, task(id).release, task(id).deadline);
    let on = |at: i64| Some(When::On(at));
    assert_eq!(of("3"), (Some(120), on(1100), on(2000)));
    assert_eq!(of("4"), (Some(60), on(1300), None), "the end of job 1; the deadline is past hope");
    assert_eq!(of("5"), (None, None, None));
    assert_eq!(after("4"), ["3"]);
    assert!(after("6").is_empty() && after("7").is_empty());
    assert_eq!((after("9_2"), after("10")), (vec!["8_2"], vec!["8_1", "8_2"]));
    let list = said(&draft).join("\n");
    for part in [
        "jobs[3].deadline: the job cannot keep its deadline",
        "jobs[5].dependency: one of several dependencies",
        "`singleton` is taken as met",
        "the dependency `after` is not planned with",
    ] {
        assert!(list.contains(part), "{part} in\n{list}");
    }
    assert_eq!(list.lines().count(), 5, "{list}");
    // As of another time: what should have ended has.
    let later = in_time(jobs, Some(1400));
    assert_eq!(later.start, Some(1400));
    assert!(said(&later).join("").contains("should have ended"));
    let timed =
        in_time(r#"{"job_id": 3, "job_state": "PENDING", "cpus": 4, "time_limit": 1}"#, None);
    let instance = timed.build().unwrap();
    assert_eq!(instance.used_at(NodeId(0), 299)[0], 5);
    assert_eq!(instance.used_at(NodeId(0), 300)[0], 1);
}

#[test]
fn switches_and_partitions_come_in_files_of_their_own() {
    let text = |name: &'static str, text: &'static str| Text { name, text };
    let nodes = r#"{"nodes": [{"name": "n1", "cpus": 1, "real_memory": 1, "state": "idle"},
        {"name": "n2", "cpus": 1, "real_memory": 1, "state": "idle"}], "meta": {}}"#;
    let partitions = r#"{"partitions": [{"name": "p", "nodes": {"configured": "n[1-2]"},
        "maximums": {"nodes": {"set": true, "infinite": false, "number": 2}}}]}"#;
    let jobs = r#"{"jobs": [{"job_id": 1, "job_state": ["PENDING"], "partition": "p", "node_count": 2,
        "cpus": 2, "minimum_switches": 1}]}"#;
    let topology = "SwitchName=a Nodes=n1\nSwitchName=b Nodes=n2\n";
    let files = [
        text("jobs", jobs),
        text("topology", topology),
        text("partitions", partitions),
        text("nodes", nodes),
    ];
    let draft = read(&files, &untimed()).unwrap();
    let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(draft.nodes[0].labels, [label("switch", "a"), label("partition:p", "yes")]);
    assert_eq!(draft.tasks[0].within.len(), 2, "apart, and at one switch");
    assert!(said(&draft).is_empty(), "{:?}", said(&draft));
}

#[test]
fn newer_sinfo_has_groups_of_nodes() {
    let text = r#"{"sinfo": [
        {"node": {"state": ["MIXED"]}, "nodes": {"nodes": ["n1"]}, "partition": {"name": "p"},
         "cpus": {"allocated": 3, "minimum": 8, "maximum": 8}, "memory": {"allocated": 10, "minimum": 100, "maximum": 100},
         "features": {"total": "a,b", "active": "a"}, "gres": {"total": "gpu:2", "used": "gpu:1"}},
        {"node": {"state": ["MIXED"]}, "nodes": {"nodes": ["n1"]}, "partition": {"name": "q"},
         "cpus": {"allocated": 3, "minimum": 8, "maximum": 8}, "memory": {"allocated": 10, "minimum": 100, "maximum": 100}},
        {"node": {"state": ["IDLE"]}, "nodes": {"nodes": ["n[2-3]"]}, "partition": {"name": "q"},
         "cpus": {"allocated": 0, "minimum": 4, "maximum": 8}, "memory": {"allocated": 0, "minimum": 50, "maximum": 50}}],
        "jobs": [{"job_id": 1, "job_state": ["PENDING"]}]}"#;
    let draft = read(&[Text { name: "dump", text }], &untimed()).unwrap();
    let names: Vec<&str> = draft.nodes.iter().map(|node| node.id.as_str()).collect();
    assert_eq!(names, ["n1", "n2", "n3"]);
    let keys: Vec<&str> = draft.nodes[0].labels.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["partition:p", "partition:q", "feature:a"]);
    assert_eq!(draft.nodes[0].used[0].1.to_string(), "3");
    assert_eq!(draft.nodes[0].capacity[2].1.to_string(), "2");
    assert_eq!(said(&draft).len(), 1, "{:?}", said(&draft));
    assert!(said(&draft)[0].contains("differ in CPUs"));
}

#[test]
fn wrong_fields_are_named() {
    for (node, job, message) in [
        (
            r#""alloc_cpus": "many","#,
            "",
            "dump: nodes[1].alloc_cpus: `\"many\"` is no whole number from 0",
        ),
        (r#""alloc_cpus": -1,"#, "", "dump: nodes[1].alloc_cpus: `-1` is no whole number from 0"),
        (
            r#""gres": "gpu:","#,
            "",
            "dump: nodes[1].gres: `gpu:` is no resource such as gpu:2 or gpu:a100:2",
        ),
        (r#""features": 1.5,"#, "", "dump: nodes[1].features: this is no list of texts"),
        ("", r#""cpus": {"set": true},"#, "dump: jobs[0].cpus: this is no number"),
        ("", r#""cpus": 1e300,"#, "dump: jobs[0].cpus: `1e+300` is no whole number from 0"),
        (
            "",
            r#""cpus": 9999999999999999,"#,
            "dump: jobs[0].cpus: 9999999999999999 is out of range",
        ),
        (
            "",
            r#""features": "a&","#,
            "dump: jobs[0].features: `a&` is no constraint such as a100&nvme or (a|b)&c",
        ),
        (
            "",
            r#""excluded_nodes": "n[1-","#,
            "dump: jobs[0].excluded_nodes: a bracket of `n[1-` has no partner",
        ),
        ("", r#""tres_req_str": "mem=much","#, "dump: jobs[0].tres_req_str: `mem=much` is no"),
        (
            "",
            r#""node_count": 100000000,"#,
            "dump: jobs[0].node_count: the job asks for 100000000 nodes",
        ),
        ("", r#""array_task_string": "1-99999999","#, "dump: jobs[0].array_task_string: "),
        (
            "",
            r#""nice": 1}, {"job_id": 7, "job_state": "PENDING","#,
            "dump: jobs[1]: the job `7` appears twice",
        ),
        ("", r#""nice": 1}, {"job_state": "PENDING","#, "dump: jobs[1]: the job has neither"),
    ] {
        // What is odd in one place is left out there, and said.
        let told = draft(node, job).map_or_else(|error| error.to_string(), |d| said(&d).join("\n"));
        let memory = message.contains("mem=much");
        let cause = if memory {
            "dump: jobs[0].tres_req_str: `much` is no amount of memory"
        } else {
            message
        };
        assert!(told.contains(cause), "{told}");
    }
    for (text, message) in [
        ("[1]", "dump: this is no output of Slurm's: the top level is no object"),
        (
            r#"{"meta": {}}"#,
            "dump: none of the keys `nodes`, `sinfo`, `jobs`, `partitions`, `licenses`, `qos`, `associations`, `reservations` is in it",
        ),
        (r#"{"jobs": 3}"#, "dump: jobs: this is no list"),
        (r#"{"jobs": [3]}"#, "dump: jobs[0]: this is no object"),
        (r#"{"jobs": []}"#, "dump: there are no nodes"),
        (
            r#"{"nodes": [{"cpus": 1}]}"#,
            "dump: there are no nodes: dump: nodes[0]: the node has no name",
        ),
        (
            r#"{"nodes": [{"name": "a"}]}"#,
            "dump: there are no nodes: dump: nodes[0]: the node has no `cpus`",
        ),
        (
            r#"{"nodes": [{"name": "a", "cpus": 1, "real_memory": 1}], "jobs": [{"job_state": "RUNNING", "nodes": "a"}]}"#,
            "dump: no job is pending among 1: the queue is empty",
        ),
        (
            r#"{"nodes": [{"name": "a", "cpus": 1, "real_memory": 1}, {"name": "a", "cpus": 1, "real_memory": 1}]}"#,
            "dump: nodes[1]: the node `a` appears twice",
        ),
    ] {
        let error = read(&[Text { name: "dump", text }], &untimed()).unwrap_err().to_string();
        assert_eq!(error, message, "{text}");
    }
}

/// Tasks of the job with their units, and the CPUs of one.
fn parts(node: &str, job: &str) -> Vec<(String, u32, i64)> {
    let draft = draft(node, job).unwrap();
    let cpu = |task: &TaskDraft| task.demand[0].1.at_places(0).unwrap();
    let one = |task: &TaskDraft| (task.id.clone(), task.replicas.unwrap_or(1), cpu(task));
    draft.tasks.iter().map(one).collect()
}

#[test]
fn tasks_are_where_there_is_room() {
    let own = |id: &str, units: u32, cpu: i64| (id.to_owned(), units, cpu);
    let free = r#""cpus": 12, "tasks": 12, "node_count": 1, "max_nodes": 0, "memory_per_cpu": 10,"#;
    assert_eq!(parts("", free), [own("7", 12, 1)]);
    assert!(draft("", free).unwrap().tasks[0].within.is_empty());
    assert!(draft("", free).unwrap().assumptions.is_empty());
    let range = r#""cpus": 12, "tasks": 12, "node_count": 2, "max_nodes": 3,"#;
    let spread = Ask::Spread { at_least: 2, at_most: 3, max_skew: None };
    assert_eq!(draft("", range).unwrap().tasks[0].within, [(spread, "node".to_owned())]);
    // `node_count` of 22.05 is what the job would get.
    let wag = r#""cpus": 12, "tasks": 12, "node_count": 9, "tres_req_str": "cpu=12,node=1","#;
    assert!(draft("", wag).unwrap().tasks[0].within.is_empty());
    let one = r#""cpus": 8, "tasks": 8, "node_count": 1, "max_nodes": 1,"#;
    assert_eq!(parts("", one), [own("7", 1, 8)]);
    // What is taken on each node: the fewest nodes that will do, in equal shares where those do.
    let even = r#""cpus": 12, "tasks": 12, "memory_per_node": 100,"#;
    assert_eq!(parts("", even), [own("7", 2, 6)]);
    let uneven = r#""cpus": 13, "tasks": 13, "memory_per_node": 100,"#;
    assert_eq!(parts("", uneven), [own("7", 2, 1), own("7:1", 11, 1)]);
    let draft = draft("", uneven).unwrap();
    assert_eq!(draft.rules.len(), 2, "all or none, and on the nodes of the first");
    assert_eq!(draft.assumptions[0].direction, Direction::Narrower);
    assert!(draft.build().is_ok());
    let each = r#""cpus": 6, "tasks": 6, "tasks_per_node": 4,"#;
    assert_eq!(parts("", each), [own("7", 2, 4)], "CPUs for four on each");
}

#[test]
fn cards_of_a_job_are_on_several_nodes() {
    let node =
        r#""gres": "gpu:a:4"}, {"name": "n3", "cpus": 8, "real_memory": 2000, "gres": "gpu:b:4","#;
    let takes = |job: &str| -> Vec<(u32, Vec<i64>)> {
        let draft = draft(node, job).unwrap();
        let of = |task: &TaskDraft| {
            let all = task.demand.iter().map(|(_, amount)| amount.at_places(0).unwrap());
            (task.replicas.unwrap_or(1), all.collect())
        };
        draft.tasks.iter().map(of).collect()
    };
    let job = r#""cpus": 1, "tasks": 1, "tres_per_job": "gres/gpu:6","#;
    assert_eq!(takes(job), [(2, vec![1, 0, 1]), (4, vec![0, 0, 1])]);
    let job = r#""cpus": 1, "tasks": 1, "tres_per_job": "gres/gpu:7","#;
    assert_eq!(takes(job), [(2, vec![1, 0, 1]), (5, vec![0, 0, 1])]);
    let job = r#""cpus": 1, "tasks": 1, "tres_per_job": "gres/gpu:4", "cpus_per_tres": "gpu:4","#;
    assert_eq!(takes(job), [(2, vec![4, 0, 1]), (2, vec![4, 0, 1])]);
    let job = r#""cpus": 6, "tasks": 6, "tres_per_task": "gres/gpu:1","#;
    assert_eq!(takes(job), [(6, vec![1, 0, 1])]);
}

#[test]
fn no_memory_asked_for_is_all_of_it() {
    let job =
        r#""cpus": 1, "tasks": 1, "memory_per_node": 0, "tres_req_str": "cpu=1,mem=2000M,node=1","#;
    let plain = instance("", job);
    let on = |node: u32| plain.demand_on(TaskId(0), NodeId(node))[1];
    let mib = plain.capacity(NodeId(0))[1];
    assert_eq!((on(0), on(1)), (mib, 2 * mib));
    // Nodes at work of which no memory is taken: nobody takes any.
    let free = instance(r#""alloc_cpus": 4, "alloc_memory": 0,"#, job);
    assert_eq!(free.demand(TaskId(0))[1], 0);
}

#[test]
fn what_cannot_start_takes_no_room() {
    let rest = r#"}, {"job_id": 8, "job_state": ["PENDING"], "state_reason": "Priority","#;
    for reason in
        ["JobHeldUser", "DependencyNeverSatisfied", "QOSMaxCpuPerUserLimit", "BadConstraints"]
    {
        let job = format!(r#""state_reason": "{reason}" {rest}"#);
        let draft = draft("", &job).unwrap();
        assert_eq!((draft.tasks.len(), draft.tasks[0].id.as_str()), (1, "8"), "{reason}");
        let line = format!("dump: jobs: left out, as it cannot start: 7 (Slurm says {reason})");
        assert_eq!(draft.warnings, [line]);
    }
    let alone = draft("", r#""state_reason": "PartitionDown","#).unwrap_err();
    assert_eq!(
        alone.to_string(),
        "dump: none of 1 pending jobs can start: 7 (Slurm says PartitionDown)"
    );
}

#[test]
fn partitions_let_jobs_in() {
    let told = |partition: &str, job: &str| -> String {
        let text = format!(
            r#"{{"nodes": [{{"name": "n", "cpus": 8, "real_memory": 100}}],
                "partitions": [{{"name": "p", "nodes": {{"configured": "n"}}, {partition} "cluster": ""}}],
                "jobs": [{{"job_id": 7, "job_state": "PENDING", "partition": "p", "time_limit": 60, "cpus": 2,
                    "qos": "normal", "account": "physics", {job} "nice": 0}}]}}"#
        );
        match read(&[Text { name: "dump", text: &text }], &untimed()) {
            Ok(draft) => draft.tasks[0].id.clone(),
            Err(error) => error.to_string().replace("dump: none of 1 pending jobs can start: ", ""),
        }
    };
    for (partition, job, found) in [
        ("", "", "7"),
        (r#""partition": {"state": ["DOWN"]},"#, "", "7 (partition `p` is down)"),
        (r#""partition": {"state": ["DRAIN"]},"#, "", "7"),
        (r#""maximums": {"time": 30},"#, "", "7 (partition `p` lets a job run 30 minutes)"),
        (r#""maximums": {"time": 60},"#, "", "7"),
        (
            r#""maximums": {"nodes": 1},"#,
            r#""node_count": 2,"#,
            "7 (partition `p` lets a job have 1 nodes)",
        ),
        (
            r#""maximums": {"cpus_per_node": 1},"#,
            "",
            "7 (partition `p` lets jobs have 1 CPUs of a node)",
        ),
        (
            r#""qos": {"allowed": "high,low"},"#,
            "",
            "7 (partition `p` does not let the QOS `normal` in)",
        ),
        (r#""qos": {"allowed": "normal"},"#, "", "7"),
        (
            r#""accounts": {"deny": "physics"},"#,
            "",
            "7 (partition `p` does not let the account `physics` in)",
        ),
    ] {
        assert_eq!(told(partition, job), found, "{partition} {job}");
    }
}

#[test]
fn resources_that_no_job_takes() {
    let node = r#""gres": "gpu:2,nsight:no_consume:1","#;
    let job = r#""tres_per_node": "gres/gpu:1,gres/nsight","#;
    assert_eq!(open(node, job), ["n2"]);
    let names: Vec<String> =
        draft(node, job).unwrap().resources.iter().map(|r| r.name.clone()).collect();
    assert_eq!(names, ["cpu", "memory", "gpu"]);
}

#[test]
fn a_queue_is_in_its_order_and_says_what_waits() {
    let jobs = r#"{"nodes": [{"name": "n", "cpus": 8, "real_memory": 100}], "jobs": [
        {"job_id": 1, "job_state": "PENDING", "priority": 5, "submit_time": 20},
        {"job_id": 2, "job_state": "PENDING", "priority": 5, "submit_time": 10},
        {"job_id": 3, "job_state": "PENDING", "priority": 9, "submit_time": 30},
        {"job_id": 4, "job_state": "PENDING", "dependency": "afterok:1(unfulfilled)"},
        {"job_id": 5, "job_state": "PENDING", "eligible_time": 5000},
        {"job_id": 6, "job_state": "PENDING", "state_reason": "Licenses", "priority": 1}]}"#;
    let read = |now: bool| {
        let beside = Beside { now, ..untimed() };
        super::read(&[Text { name: "dump", text: jobs }], &beside).unwrap()
    };
    let ids =
        |draft: &Draft| -> Vec<String> { draft.tasks.iter().map(|task| task.id.clone()).collect() };
    let (all, now) = (read(false), read(true));
    assert_eq!(ids(&all), ["3", "2", "1", "6", "4", "5"]);
    assert!(all.queue && all.warnings.is_empty());
    assert_eq!(ids(&now), ["3", "2", "1"]);
    assert_eq!(
        now.warnings,
        [
            "dump: jobs: left out, as it cannot start: 6 (Slurm says Licenses)",
            "dump: jobs: left out, as it cannot start: 4 (it comes after jobs that wait)",
            "dump: jobs: left out, as it cannot start: 5 (it may not start yet)",
        ]
    );
}
