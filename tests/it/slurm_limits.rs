//! Slurm: limits over sets of jobs, heterogeneous jobs, reservations; what starts now and what when.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::helpers::stowplan;

/// When the dumps were made.
const NOW: i64 = 1_790_000_000;

/// A pending job of one task with a CPU, 60 minutes long, changed so.
fn job(id: i64, more: Value) -> Value {
    let mut job = json!({
        "job_id": id, "job_state": ["PENDING"], "cpus": 1, "tasks": 1, "node_count": 1, "max_nodes": 1,
        "memory_per_cpu": 1, "time_limit": 60, "user_name": "ada", "account": "bio", "qos": "normal",
        "name": format!("j{id}"), "submit_time": NOW - 60, "tres_req_str": "cpu=1,mem=1M,node=1",
    });
    job.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    job
}

/// The same, running on the first node until so many seconds from now.
fn running(id: i64, seconds: i64, more: Value) -> Value {
    let mut job = job(id, more);
    job["job_state"] = json!(["RUNNING"]);
    job["nodes"] = json!("n1");
    job["tres_alloc_str"] = job["tres_req_str"].clone();
    job["end_time"] = json!(NOW + seconds);
    job
}

/// Nodes n1, n2, ... of 16 CPUs each, with these jobs, and what other commands print.
fn dump(nodes: usize, jobs: Vec<Value>, more: Value) -> Value {
    let node =
        |k| json!({"name": format!("n{k}"), "cpus": 16, "real_memory": 1000, "state": ["IDLE"]});
    let nodes: Vec<Value> = (1..=nodes).map(node).collect();
    let mut dump = json!({"nodes": nodes, "jobs": jobs, "last_update": NOW});
    dump.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    dump
}

struct Said {
    code: i32,
    /// Start of each task that has a place; its node.
    starts: BTreeMap<String, i64>,
    nodes: BTreeMap<String, Vec<String>>,
    told: String,
    proven: bool,
}

fn solve(dump: &Value, flags: &[&str]) -> Said {
    let mut command = stowplan();
    command.args(["solve", "-", "--format", "slurm", "--output", "json", "--time-limit", "10s"]);
    let done = command.args(flags).write_stdin(dump.to_string()).output().unwrap();
    let told = String::from_utf8(done.stderr).unwrap();
    let plan: Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
    let (mut starts, mut nodes) = (BTreeMap::new(), BTreeMap::new());
    for entry in plan["assignments"].as_array().into_iter().flatten() {
        let task = entry["task"].as_str().unwrap().to_owned();
        starts.insert(task.clone(), entry["start"].as_i64().unwrap_or(0));
        let node = entry["node"].as_str().unwrap().to_owned();
        nodes.entry(task).or_insert_with(Vec::new).push(node);
    }
    let assumed = plan["instance"]["assumptions"].to_string();
    let proven = plan["status"] == "optimal";
    Said { code: done.status.code().unwrap(), starts, nodes, told: told + &assumed, proven }
}

fn started(said: &Said) -> Vec<&str> {
    said.starts.keys().map(String::as_str).collect()
}

fn licences(total: i64, used: i64) -> Value {
    json!({"licenses": [{"LicenseName": "ansys", "Total": total, "Used": used, "Free": total - used,
        "Remote": false, "Reserved": 0, "LastConsumed": 0, "LastDeficit": 0}]})
}

/// Four licences, three jobs of two: two jobs, then one.
#[test]
fn licences_bound_what_runs_at_once() {
    let jobs = || (1..=3).map(|id| job(id, json!({"licenses": "ansys:2"}))).collect::<Vec<_>>();
    let said = solve(&dump(1, jobs(), licences(4, 0)), &["--timed"]);
    let mut starts: Vec<i64> = said.starts.values().copied().collect();
    starts.sort_unstable();
    assert_eq!((said.code, starts), (0, vec![0, 0, 3600]), "{}", said.told);
    assert!(said.proven && !said.told.contains("licence"), "{}", said.told);
    let now = solve(&dump(1, jobs(), licences(4, 0)), &[]);
    assert_eq!((now.code, now.starts.len()), (0, 2), "{}", now.told);
    // What runs has some; they come back when it ends.
    let mut busy = jobs();
    busy.push(running(9, 1800, json!({"licenses": "ansys:3"})));
    let dumped = dump(1, busy, licences(4, 3));
    assert_eq!(solve(&dumped, &[]).starts.len(), 0);
    let said = solve(&dumped, &["--timed"]);
    let mut starts: Vec<i64> = said.starts.values().copied().collect();
    starts.sort_unstable();
    assert_eq!(starts, [1800, 1800, 5400], "{}", said.told);
    // What nobody in the dump has is gone for good, and that is said.
    let said = solve(&dump(1, jobs(), licences(4, 1)), &["--timed"]);
    let mut starts: Vec<i64> = said.starts.values().copied().collect();
    starts.sort_unstable();
    assert_eq!(starts, [0, 3600, 7200], "{}", said.told);
    assert!(said.told.contains("no job in the dump has"), "{}", said.told);
    // A job over several nodes takes its licences once, shares or not.
    let wide = |id: i64| {
        let more = json!({"cpus": 30, "tasks": 30, "node_count": 2, "max_nodes": 3, "licenses": "ansys:2",
            "tres_req_str": "cpu=30,mem=30M,node=2"});
        job(id, more)
    };
    let said = solve(&dump(9, vec![wide(1), wide(2), wide(3)], licences(5, 0)), &[]);
    assert_eq!(said.starts.len(), 2, "{}", said.told);
    // Nobody says how many there are.
    let said = solve(&dump(1, jobs(), json!({})), &["--timed"]);
    assert!(said.starts.values().all(|start| *start == 0), "{}", said.told);
    assert!(said.told.contains("how many licences there are is not said"), "{}", said.told);
    assert!(said.told.contains("wider"), "{}", said.told);
}

/// `--array=3-8%2`: two at a time, those that run counted.
#[test]
fn arrays_run_so_many_tasks_at_once() {
    let array = json!({"array_job_id": 5, "array_task_string": "3-8%2", "array_max_tasks": 2,
        "state_reason": "JobArrayTaskLimit"});
    let said = solve(&dump(1, vec![job(5, array.clone())], json!({})), &["--timed"]);
    let mut starts: Vec<i64> = said.starts.values().copied().collect();
    starts.sort_unstable();
    assert_eq!(starts, [0, 0, 3600, 3600, 7200, 7200], "{}", said.told);
    assert_eq!(solve(&dump(1, vec![job(5, array.clone())], json!({})), &[]).starts.len(), 2);
    let element = json!({"array_job_id": 5, "array_task_id": 1, "array_max_tasks": 2});
    let jobs = vec![job(5, array), running(6, 600, element)];
    let said = solve(&dump(1, jobs.clone(), json!({})), &["--timed"]);
    let mut starts: Vec<i64> = said.starts.values().copied().collect();
    starts.sort_unstable();
    assert_eq!(starts, [0, 600, 3600, 4200, 7200, 7800], "{}", said.told);
    assert_eq!(solve(&dump(1, jobs, json!({})), &[]).starts.len(), 1);
}

/// `--dependency=singleton`: one of its name and user at a time, in the order of submission.
#[test]
fn singletons_come_one_after_the_other() {
    let one = |id| job(id, json!({"name": "same", "dependency": "singleton(unfulfilled)"}));
    let other = job(4, json!({"name": "same", "user_name": "bob", "dependency": "singleton"}));
    let first = running(1, 900, json!({"name": "same"}));
    let jobs = vec![first, one(3), one(2), other];
    let said = solve(&dump(1, jobs.clone(), json!({})), &["--timed"]);
    let starts: Vec<i64> = said.starts.values().copied().collect();
    assert_eq!(starts, [900, 4500, 0], "{}", said.told);
    assert_eq!(started(&solve(&dump(1, jobs, json!({})), &[])), ["4"]);
}

/// Parts of a heterogeneous job start together, and so do parts of one that is spread unevenly.
#[test]
fn heterogeneous_jobs_start_together() {
    let part = |id: i64, k: i64, partition: &str| {
        let more = json!({"het_job_id": 700, "het_job_offset": k, "het_job_id_set": "700-701",
            "partition": partition});
        job(id, more)
    };
    let mut whole = dump(2, vec![part(700, 0, "cpu"), part(701, 1, "gpu")], json!({}));
    whole["nodes"][0]["partitions"] = json!(["gpu"]);
    whole["nodes"][1]["partitions"] = json!(["cpu"]);
    assert_eq!(started(&solve(&whole, &[])), ["700", "701"]);
    whole["jobs"].as_array_mut().unwrap().push(running(
        9,
        5400,
        json!({"cpus": 16, "tres_req_str": "cpu=16,mem=1M,node=1"}),
    ));
    let said = solve(&whole, &["--timed"]);
    let starts: Vec<i64> = said.starts.values().copied().collect();
    assert_eq!(starts, [5400, 5400], "{}", said.told);
    assert!(solve(&whole, &[]).starts.is_empty());
    // A part that is held keeps the others back.
    whole["jobs"][1]["state_reason"] = json!("JobHeldUser");
    let said = solve(&whole, &[]);
    assert!(said.told.contains("another part of the heterogeneous job"), "{}", said.told);
    // A job with something on each node and uneven shares.
    let uneven = json!({"cpus": 20, "tasks": 20, "node_count": 1, "max_nodes": 0, "memory_per_cpu": null,
        "memory_per_node": 10, "tres_req_str": "cpu=20,mem=10M,node=1"});
    let taken = running(9, 900, json!({"cpus": 14, "tres_req_str": "cpu=14,mem=1M,node=1"}));
    let said = solve(&dump(2, vec![job(1, uneven), taken], json!({})), &["--timed"]);
    let starts: Vec<i64> = said.starts.values().copied().collect();
    assert!(starts.windows(2).all(|pair| pair[0] == pair[1]), "{starts:?} {}", said.told);
}

fn qos(name: &str, max: Value) -> Value {
    json!({"name": name, "flags": [], "limits": {"max": max}})
}

/// What a QOS lets users, accounts, each job and all jobs have at once.
#[test]
fn a_qos_bounds_its_jobs_together() {
    let jobs = |more: &Value| (1..=4).map(|id| job(id, more.clone())).collect::<Vec<_>>();
    let none = json!({});
    let starts = |jobs: Vec<Value>, max: Value| {
        let said = solve(&dump(2, jobs, json!({"qos": [qos("normal", max)]})), &[]);
        assert_eq!(said.code, 0, "{}", said.told);
        started(&said).join(" ")
    };
    let cpu = |count: i64| json!([{"type": "cpu", "name": "", "id": 1, "count": count}]);
    assert_eq!(starts(jobs(&none), json!({})), "1 2 3 4");
    let per_user = json!({"jobs": {"active_jobs": {"per": {"user": {"set": true, "number": 2}}}}});
    assert_eq!(starts(jobs(&none), per_user.clone()).len(), 3);
    // What counts submitted jobs bounds nobody here; an older form has no other count.
    let submitted =
        json!({"jobs": {"active_jobs": {"per": {}}, "per": {"user": {"set": true, "number": 2}}}});
    assert_eq!(starts(jobs(&none), submitted), "1 2 3 4");
    assert_eq!(starts(jobs(&none), json!({"jobs": {"per": {"user": 2}}})).len(), 3);
    let mut two_users = jobs(&none);
    two_users[3]["user_name"] = json!("bob");
    assert_eq!(starts(two_users, json!({"jobs": {"per": {"user": 1}}})).matches(' ').count(), 1);
    assert_eq!(starts(jobs(&none), json!({"active_jobs": {"count": 1}})).len(), 1);
    assert_eq!(starts(jobs(&none), json!({"active_jobs": {"count": 0}})).len(), 0);
    assert_eq!(starts(jobs(&none), json!({"tres": {"total": cpu(3)}})).matches(' ').count(), 2);
    assert_eq!(starts(jobs(&none), json!({"tres": {"per": {"user": cpu(1)}}})).len(), 1);
    assert_eq!(starts(jobs(&none), json!({"tres": {"per": {"account": cpu(2)}}})).len(), 3);
    // Megabytes.
    let memory = json!([{"type": "mem", "name": "", "id": 2, "count": 3}]);
    assert_eq!(starts(jobs(&none), json!({"tres": {"total": memory}})).matches(' ').count(), 2);
    // What runs counts, and comes back in time.
    let mut busy = jobs(&none);
    busy.push(running(9, 600, json!({})));
    assert_eq!(starts(busy.clone(), per_user.clone()).len(), 1);
    let said =
        solve(&dump(2, busy, json!({"qos": [qos("normal", per_user.clone())]})), &["--timed"]);
    let mut times: Vec<i64> = said.starts.values().copied().collect();
    times.sort_unstable();
    assert_eq!(times, [0, 600, 3600, 4200], "{}", said.told);
    // A job alone beyond what a job may have is out; a reason that is read here is not believed.
    let mut wide = jobs(&none);
    wide[0]["tres_req_str"] = json!("cpu=2,mem=2M,node=1");
    wide[1]["state_reason"] = json!("QOSMaxJobsPerUserLimit");
    wide[2]["state_reason"] = json!("QOSUsageThreshold");
    let limits = json!({"tres": {"per": {"job": cpu(1)}}, "wall_clock": {"per": {"job": 60}}});
    assert_eq!(starts(wide.clone(), limits), "2 4");
    let short = json!({"wall_clock": {"per": {"job": {"set": true, "number": 59}}}});
    let said = solve(&dump(2, jobs(&none), json!({"qos": [qos("normal", short)]})), &[]);
    assert!(said.told.contains("QOS normal lets a job run 59 minutes"), "{}", said.told);
    // Without the file Slurm's word counts.
    assert_eq!(started(&solve(&dump(2, wide, json!({})), &[])), ["1", "4"]);
    let nodes = json!({"tres": {"total": [{"type": "node", "name": "", "id": 4, "count": 1}]}});
    let said = solve(&dump(2, jobs(&none), json!({"qos": [qos("normal", nodes)]})), &[]);
    assert!(said.told.contains("limits on `node` of several jobs"), "{}", said.told);
}

/// Associations: of the account, of the accounts above, and what each user inherits; what a QOS says
/// stands before them, and the QOS of the partition before that of the job.
#[test]
fn associations_bound_their_accounts() {
    let jobs: Vec<Value> = (1..=4)
        .map(|id| {
            job(id, json!({"user_name": if id == 4 { "bob" } else { "ada" }, "partition": "p"}))
        })
        .collect();
    let tree = |root: Value, bio: Value, ada: Value| {
        let one = |account: &str, parent: &str, user: &str, max: Value| {
            json!({"account": account, "parent_account": parent, "user": user, "cluster": "c",
                "partition": "", "max": max})
        };
        json!([one("root", "", "", root), one("bio", "root", "", bio), one("bio", "", "ada", ada)])
    };
    let none = || json!({});
    let count = |associations: Value, qos: Value, partitions: Value| {
        let more = json!({"associations": associations, "qos": qos, "partitions": partitions});
        let said = solve(&dump(2, jobs.clone(), more), &[]);
        assert_eq!(said.code, 0, "{}", said.told);
        said.starts.len()
    };
    let group = |n: i64| json!({"jobs": {"per": {"count": n}}});
    let each = |n: i64| json!({"jobs": {"active": n}});
    let no = || json!([]);
    assert_eq!(count(tree(none(), none(), none()), no(), no()), 4);
    assert_eq!(count(tree(none(), group(2), none()), no(), no()), 2);
    assert_eq!(count(tree(group(3), none(), none()), no(), no()), 3);
    assert_eq!(count(tree(none(), none(), each(1)), no(), no()), 2, "bob has no limit");
    assert_eq!(count(tree(none(), each(1), none()), no(), no()), 2, "each of them one");
    assert_eq!(count(tree(none(), each(1), each(2)), no(), no()), 3, "the nearest counts");
    let cpu = json!({"tres": {"total": [{"type": "cpu", "name": "", "count": 1}]}});
    assert_eq!(count(tree(cpu, none(), none()), no(), no()), 1);
    let of_jobs = |name: &str, n: i64| qos(name, json!({"active_jobs": {"count": n}}));
    assert_eq!(count(tree(none(), group(2), none()), json!([of_jobs("normal", 3)]), no()), 3);
    let partitions =
        json!([{"name": "p", "nodes": {"configured": "n[1-2]"}, "qos": {"assigned": "part"}}]);
    let both = json!([of_jobs("normal", 3), of_jobs("part", 1)]);
    assert_eq!(count(tree(none(), group(2), none()), both.clone(), partitions.clone()), 1);
    let mut first = both;
    first[0]["flags"] = json!(["OVERRIDE_PARTITION_QOS"]);
    assert_eq!(count(no(), first, partitions), 3);
}

fn reservation(name: &str, nodes: &str, from: i64, to: i64) -> Value {
    json!({"name": name, "node_list": nodes, "start_time": NOW + from, "end_time": NOW + to,
        "flags": ["MAINT", "IGNORE_JOBS"], "users": "root"})
}

/// Maintenance in twelve hours: a job of six starts, one of 24 waits until it is over.
#[test]
fn nothing_runs_into_a_reservation() {
    let hours = |id, hours: i64| job(id, json!({"time_limit": hours * 60}));
    let maint = || json!({"reservations": [reservation("maint", "n[1-2]", 12 * 3600, 18 * 3600)]});
    let jobs = vec![hours(1, 24), hours(2, 6), hours(3, 12)];
    let said = solve(&dump(2, jobs.clone(), maint()), &["--timed"]);
    let starts: Vec<i64> = said.starts.values().copied().collect();
    assert_eq!(starts, [18 * 3600, 0, 0], "{}", said.told);
    assert_eq!(started(&solve(&dump(2, jobs.clone(), maint()), &[])), ["2", "3"]);
    // On one of the nodes only: the other is free.
    let one = json!({"reservations": [reservation("maint", "n1", 12 * 3600, 18 * 3600)]});
    let said = solve(&dump(2, jobs.clone(), one), &[]);
    assert_eq!(
        (started(&said), &said.nodes["1"][..]),
        (vec!["1", "2", "3"], &["n2".to_owned()][..])
    );
    // Over already.
    let past = json!({"reservations": [reservation("maint", "n[1-2]", -7200, -3600)]});
    assert_eq!(solve(&dump(2, jobs, past), &[]).starts.len(), 3);
}

/// Jobs of a reservation run within it, on nodes that are kept from the others.
#[test]
fn jobs_of_a_reservation_run_within_it() {
    let mine = |id| job(id, json!({"resv_name": "course", "state_reason": "Reservation"}));
    let kept = |from, to| json!({"reservations": [reservation("course", "n2", from, to)]});
    let with = |more: Value| {
        let mut all = dump(2, vec![job(1, json!({})), mine(2)], more);
        all["nodes"][1]["state"] = json!(["IDLE", "RESERVED"]);
        all
    };
    let said = solve(&with(kept(-60, 7200)), &[]);
    assert_eq!((&said.nodes["1"][0][..], &said.nodes["2"][0][..]), ("n1", "n2"), "{}", said.told);
    let timed = solve(&with(kept(-60, 7200)), &["--timed"]);
    assert_eq!((timed.starts["1"], timed.starts["2"]), (0, 0), "{}", timed.told);
    assert_eq!((&timed.nodes["1"][0][..], &timed.nodes["2"][0][..]), ("n1", "n2@course"));
    // It begins later: not now, and no sooner in time.
    let mut later = with(kept(1800, 7200));
    later["nodes"][1]["state"] = json!(["IDLE"]);
    let said = solve(&later, &[]);
    assert_eq!((started(&said), &said.nodes["1"][0][..]), (vec!["1"], "n1"), "{}", said.told);
    assert!(said.told.contains("its reservation begins later"), "{}", said.told);
    assert_eq!(solve(&later, &["--timed"]).starts["2"], 1800);
    // A controller starts what is longer than the reservation: so does the plan of what starts now.
    assert_eq!(started(&solve(&with(kept(-60, 600)), &[])), ["1", "2"]);
    let said = solve(&with(kept(-60, 600)), &["--timed"]);
    assert_eq!(started(&said), ["1"]);
    assert!(said.told.contains("its reservation ends before it would"), "{}", said.told);
    assert!(solve(&with(kept(-7200, -60)), &[]).told.contains("its reservation is over"));
    // Another reservation on its nodes keeps it out too.
    let mut two = kept(-60, 7200);
    two["reservations"].as_array_mut().unwrap().push(reservation("maint", "n2", 1800, 9000));
    assert_eq!(started(&solve(&with(two), &[])), ["1"]);
    // Nodes say themselves for which reservation they are kept.
    let mut named = with(json!({}));
    named["nodes"][1]["reservation"] = json!("course");
    named["jobs"][1]["state_reason"] = json!("Resources");
    let said = solve(&named, &[]);
    assert_eq!((&said.nodes["1"][0][..], &said.nodes["2"][0][..]), ("n1", "n2"), "{}", said.told);
    // Without a name, nobody knows.
    let said = solve(&with(json!({})), &[]);
    assert_eq!((started(&said), &said.nodes["1"][0][..]), (vec!["1"], "n1"), "{}", said.told);
}

/// Nodes in blocks of five: `-N6 --segment=3` has two halves, each within a block.
#[test]
fn segments_are_within_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let wide = |segment: i64| {
        let more = json!({"cpus": 96, "tasks": 6, "node_count": 6, "max_nodes": 6, "cpus_per_task": 16,
            "tres_req_str": "cpu=96,mem=6M,node=6", "segment_size": segment});
        dump(10, vec![job(1, more)], json!({}))
    };
    let conf = folder.path().join("topology.conf");
    std::fs::write(&conf, "BlockName=b1 Nodes=n[1-5]\nBlockName=b2 Nodes=n[6-10]\nBlockSizes=5\n")
        .unwrap();
    let yaml = folder.path().join("topology.yaml");
    let text = "- topology: t\n  cluster_default: true\n  block:\n    block_sizes: [5]\n    blocks:\n      - block: b1\n        nodes: n[1-5]\n      - block: b2\n        nodes: n[6-10]\n";
    std::fs::write(&yaml, text).unwrap();
    for topology in [&conf, &yaml] {
        for (segment, parts) in [(3, vec![3, 3]), (2, vec![2, 2, 2]), (4, vec![4, 2]), (0, vec![6])]
        {
            let file = folder.path().join("dump.json");
            std::fs::write(&file, wide(segment).to_string()).unwrap();
            for timed in [false, true] {
                let mut command = stowplan();
                command.arg("solve").arg(&file).arg(topology).args(["--output", "json"]);
                command.args(["--time-limit", "5s"]);
                command.args(timed.then_some("--timed"));
                let done = command.output().unwrap();
                let plan: Value = serde_json::from_slice(&done.stdout).unwrap();
                let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
                for entry in plan["assignments"].as_array().unwrap() {
                    let node = entry["node"].as_str().unwrap()[1..].parse().unwrap();
                    found.entry(entry["task"].as_str().unwrap().to_owned()).or_default().push(node);
                }
                let sizes: Vec<usize> = found.values().map(Vec::len).collect();
                let said = String::from_utf8(done.stderr).unwrap();
                assert_eq!(sizes, parts, "{segment} {timed}: {said}");
                let within =
                    |nodes: &Vec<usize>| nodes.iter().all(|n| (n - 1) / 5 == (nodes[0] - 1) / 5);
                assert!(segment == 0 || found.values().all(within), "{found:?}");
                let mut nodes: Vec<usize> = found.into_values().flatten().collect();
                nodes.sort_unstable();
                nodes.dedup();
                assert_eq!(nodes.len(), 6);
            }
        }
    }
}

/// A card is given out whole or in shards.
#[test]
fn shards_and_cards_are_the_same_cards() {
    let gres = |id, tres: &str| {
        let total = format!("cpu=1,mem=1M,node=1,{}=1", tres.replace(':', "="));
        job(id, json!({"tres_per_node": format!("gres/{tres}"), "tres_req_str": total}))
    };
    let mut all =
        dump(1, vec![gres(1, "shard:6"), gres(2, "shard:6"), gres(3, "gpu:1")], json!({}));
    all["nodes"][0]["gres"] = json!("gpu:2,shard:16");
    let said = solve(&all, &[]);
    assert_eq!(said.starts.len(), 2, "{}", said.told);
    assert!(said.told.contains("shards of a job come from one card"), "{}", said.told);
    all["nodes"][0]["gres_used"] = json!("gpu:1,shard:0");
    assert_eq!(solve(&all, &[]).starts.len(), 1);
}

/// The lightest nodes first, unless there is too much for them.
#[test]
fn light_nodes_come_first() {
    let mut all =
        dump(4, (1..=2).map(|id| job(id, json!({"cpus": 16, "tasks": 16}))).collect(), json!({}));
    for (k, weight) in [50, 10, 10, 30].into_iter().enumerate() {
        all["nodes"][k]["weight"] = json!(weight);
    }
    let said = solve(&all, &[]);
    let mut nodes: Vec<&String> = said.nodes.values().flatten().collect();
    nodes.sort();
    nodes.dedup();
    assert_eq!(nodes, ["n2", "n3"], "{}", said.told);
    let said = solve(&all, &["--timed"]);
    assert!(said.told.contains("weights of nodes are not planned with"), "{}", said.told);
}

/// Jobs without a time limit, dumps without `meta`, and queues that can do nothing.
#[test]
fn odd_queues_are_understood() {
    let endless = job(1, json!({"time_limit": {"set": true, "infinite": true, "number": 0}}));
    let said = solve(&dump(1, vec![endless, job(2, json!({}))], json!({})), &["--timed"]);
    assert_eq!((said.code, said.starts.len()), (0, 2), "{}", said.told);
    assert!(said.told.contains("planned as if it ran for a year"), "{}", said.told);
    let held = job(1, json!({"state_reason": "JobHeldUser"}));
    for flags in [&[][..], &["--timed"]] {
        let said = solve(&dump(1, vec![held.clone()], json!({})), flags);
        assert_eq!(said.code, 0, "{}", said.told);
        let words = "none of 1 pending jobs can start: 1 (Slurm says JobHeldUser)";
        assert!(said.told.contains(words) && !said.told.contains("error"), "{}", said.told);
    }
    let folder = tempfile::tempdir().unwrap();
    let whole = dump(1, vec![job(1, json!({}))], json!({}));
    let part = |key: &str| {
        let path = folder.path().join(format!("{key}.json"));
        std::fs::write(&path, json!({key: whole[key]}).to_string()).unwrap();
        path
    };
    let mut command = stowplan();
    command.arg("solve").arg(part("nodes")).arg(part("jobs")).assert().code(0);
}

/// Why a job waits, node by node, and by how much it asks too much.
#[test]
fn explain_says_what_to_ask_less_of() {
    let big = job(
        1,
        json!({"memory_per_cpu": null, "memory_per_node": 1100, "tres_req_str": "cpu=1,mem=1100M,node=1"}),
    );
    let mut all = dump(3, vec![big], json!({}));
    all["nodes"][1]["state"] = json!(["DRAIN"]);
    all["nodes"][2]["real_memory"] = json!(900);
    let mut command = stowplan();
    command.args(["explain", "-", "--format", "slurm", "--task", "1", "--time-limit", "10s"]);
    let done = command.write_stdin(all.to_string()).output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    for part in [
        "`1` has no node",
        "n1: lacks 100 MiB memory",
        "n2: is drained",
        "n3: lacks 200 MiB memory",
        "ask for 100 MiB memory less: then `n1` has room",
    ] {
        assert!(said.contains(part), "{part} in {said} {}", String::from_utf8_lossy(&done.stderr));
    }
}
