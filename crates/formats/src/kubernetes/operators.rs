//! Manifests of operators that make pods: LeaderWorkerSet, RayCluster, RayJob and RayService, the
//! jobs of Kubeflow, JobSet, SparkApplication. Their pods begin all or none.

use k8s_openapi::api::core::v1::PodTemplateSpec;
use serde_json::{Value, json};

use super::super::source::Text;
use super::exclusive::{GROUP, Mark, OF_GROUP, OF_SUBGROUP, SUBGROUP, mark, note, of_job};
use super::objects::{Object, pointer};
use super::typed;
use super::workloads::Workload;
use base::error::Result;

/// What an operator's object is, and the label of its pods that names it.
const KINDS: [(&str, &str, &str); 14] = [
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet", "leaderworkerset.sigs.k8s.io/name"),
    ("ray.io", "RayCluster", "ray.io/cluster"),
    ("ray.io", "RayJob", "ray.io/originated-from-cr-name"),
    ("ray.io", "RayService", "ray.io/originated-from-cr-name"),
    ("kubeflow.org", "PyTorchJob", KUBEFLOW),
    ("kubeflow.org", "TFJob", KUBEFLOW),
    ("kubeflow.org", "MPIJob", KUBEFLOW),
    ("kubeflow.org", "XGBoostJob", KUBEFLOW),
    ("kubeflow.org", "PaddleJob", KUBEFLOW),
    ("kubeflow.org", "MXJob", KUBEFLOW),
    ("kubeflow.org", "JAXJob", KUBEFLOW),
    ("jobset.x-k8s.io", "JobSet", "jobset.sigs.k8s.io/jobset-name"),
    ("sparkoperator.k8s.io", "SparkApplication", SPARK),
    ("sparkoperator.k8s.io", "ScheduledSparkApplication", SPARK),
];
const KUBEFLOW: &str = "training.kubeflow.org/job-name";
const SPARK: &str = "sparkoperator.k8s.io/app-name";

/// So many pods of one template within an operator's object.
struct Part {
    /// Name of the pods, before their number.
    name: String,
    first: i64,
    replicas: i64,
    /// Where in the manifest the template stands.
    at: String,
    /// What is to be read there, where the manifest has no template of pods.
    template: Option<Value>,
    /// Name of the gang that they are members of.
    gang: String,
    /// What tells them from pods of other groups.
    marks: Vec<Mark>,
}

/// The label by which pods name the object of such a kind that made them.
fn label_of_pods(group: &str, kind: &str) -> Option<&'static str> {
    KINDS.iter().find(|row| (row.0, row.1) == (group, kind)).map(|row| row.2)
}

/// The labels by which pods name what made them.
pub(super) fn labels_of_pods() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|row| row.2)
}

/// What an operator's object says about pods to come; nothing for other kinds. `like` is what
/// they have in common.
///
/// # Errors
/// Templates with values of other types than the API has.
pub(super) fn workloads(
    object: &Object,
    source: Text,
    like: impl Fn() -> Workload,
) -> Result<Option<Vec<Workload>>> {
    let spec = object.value.get("spec").unwrap_or(&Value::Null);
    let mut least = None;
    let base = &like().name;
    let parts = match (object.group.as_str(), object.kind.as_str()) {
        ("leaderworkerset.x-k8s.io", "LeaderWorkerSet") => leaders(&object.value, &like()),
        ("ray.io", "RayCluster") => ray(spec, "spec", base),
        ("ray.io", "RayJob") => ray(&spec["rayClusterSpec"], "spec.rayClusterSpec", base),
        ("ray.io", "RayService") => ray(&spec["rayClusterConfig"], "spec.rayClusterConfig", base),
        ("kubeflow.org", _) if label_of_pods(&object.group, &object.kind).is_some() => {
            least =
                spec.pointer("/runPolicy/schedulingPolicy/minAvailable").and_then(Value::as_i64);
            kubeflow(spec, base)
        }
        ("jobset.x-k8s.io", "JobSet") => job_set(&object.value, &like()),
        ("sparkoperator.k8s.io", "SparkApplication") => spark(spec, "spec", base),
        ("sparkoperator.k8s.io", "ScheduledSparkApplication") => {
            spark(&spec["template"], "spec.template", base)
        }
        _ => return Ok(None),
    };
    let mut sizes: Vec<(String, i64)> = Vec::new();
    for part in &parts {
        match sizes.iter_mut().find(|(gang, _)| *gang == part.gang) {
            Some((_, size)) => *size += part.replicas,
            None => sizes.push((part.gang.clone(), part.replicas)),
        }
    }
    let mut list = Vec::with_capacity(parts.len());
    for part in parts {
        let value = part.template.as_ref().or_else(|| object.value.pointer(&pointer(&part.at)));
        let (mut template, unknown) = match value.filter(|value| !value.is_null()) {
            None => (PodTemplateSpec::default(), Vec::new()),
            Some(value) => typed::read::<PodTemplateSpec>(value).map_err(|(error, path)| {
                let place = format!("{}, {}.{path}", object.whole_place(), part.at);
                source.error(error.to_string()).at(place)
            })?,
        };
        mark(&mut template, &part.marks);
        let size = sizes.iter().find(|(gang, _)| *gang == part.gang).map_or(0, |(_, size)| *size);
        let common = like();
        let gang = format!("{}/{}", common.namespace, part.gang);
        list.push(Workload {
            name: part.name,
            first: part.first,
            replicas: part.replicas,
            template,
            gang: Some((gang, least.unwrap_or(size))),
            suspended: common.suspended || suspended(spec),
            unknown: unknown.iter().map(|field| format!("{}.{field}", part.at)).collect(),
            template_at: part.at,
            made: label_of_pods(&object.group, &object.kind).map(|label| (label, base.clone())),
            ..common
        });
    }
    Ok(Some(list))
}

fn suspended(spec: &Value) -> bool {
    let says = |at: &str| spec.pointer(at).and_then(Value::as_bool) == Some(true);
    says("/suspend") || says("/runPolicy/suspend")
}

fn count(value: &Value, usual: i64) -> i64 {
    value.as_i64().unwrap_or(usual).max(0)
}

/// Groups of a leader and its workers, each a gang; workers of one subgroup are one part.
fn leaders(set: &Value, like: &Workload) -> Vec<Part> {
    let base = &like.name;
    let spec = &set["spec"];
    let both = &spec["leaderWorkerTemplate"];
    let (groups, size) = (count(&spec["replicas"], 1), count(&both["size"], 1).max(1));
    let at = |name: &str| format!("spec.leaderWorkerTemplate.{name}");
    let own = if both["leaderTemplate"].is_null() { "workerTemplate" } else { "leaderTemplate" };
    let policy = &both["subGroupPolicy"];
    let subgroup = policy["subGroupSize"].as_i64().filter(|size| *size > 0);
    let with_leader = policy["type"].as_str() != Some("LeaderExcluded");
    let marks = |k: i64, within: Option<i64>, lead: bool| {
        let value = format!("{base}-{k}");
        let mut marks = vec![match note(set, OF_GROUP) {
            Some(over) => {
                Mark::Own { label: GROUP, value: value.clone(), over: over.to_owned(), lead }
            }
            None => Mark::Is(GROUP, base.clone()),
        }];
        marks.extend(within.map(|within| match note(set, OF_SUBGROUP) {
            Some(over) => {
                let (value, over) = (format!("{value}/{within}"), over.to_owned());
                Mark::Own { label: SUBGROUP, value, over, lead: true }
            }
            None => Mark::Is(SUBGROUP, base.clone()),
        }));
        marks
    };
    let group = |k: i64| {
        let gang = format!("{base}-{k}");
        let part = |at: String, first: i64, replicas: i64, marks: Vec<Mark>| {
            let (name, gang) = (gang.clone(), gang.clone());
            Part { name, first, replicas, at, template: None, gang, marks }
        };
        let leads = subgroup.filter(|_| with_leader).map(|_| 0);
        let mut parts = vec![part(at(own), 0, 1, marks(k, leads, true))];
        let few = groups.saturating_mul(size) <= MOST;
        let apart = subgroup.filter(|_| few && note(set, OF_SUBGROUP).is_some());
        let mut first = 1;
        while first < size {
            let within = |worker: i64| subgroup.map(|each| subgroup_of(worker, size, each));
            let mut next = size;
            if let Some(each) = apart {
                next = first + 1;
                while next < size.min(first + each) && within(next) == within(first) {
                    next += 1;
                }
            }
            let marks = marks(k, within(first), false);
            parts.push(part(at("workerTemplate"), first, next - first, marks));
            first = next;
        }
        parts
    };
    // More than an instance may have is refused later, by the number of pods.
    (0..groups.min(MOST)).flat_map(group).collect()
}

/// The subgroup of a worker: a leader that is one too many belongs to the first.
fn subgroup_of(worker: i64, size: i64, each: i64) -> i64 {
    let over = (size - 1) % each == 0 && size % each != 0;
    (worker - i64::from(over)) / each
}

/// More groups than this are not looked at one by one.
const MOST: i64 = 1_000_000;

/// The head and the groups of workers, all one gang.
fn ray(spec: &Value, at: &str, base: &str) -> Vec<Part> {
    let part = |name: String, replicas: i64, at: String| Part {
        name,
        first: 0,
        replicas,
        at,
        template: None,
        gang: base.to_owned(),
        marks: Vec::new(),
    };
    let mut parts = vec![part(format!("{base}-head"), 1, format!("{at}.headGroupSpec.template"))];
    for (k, group) in spec["workerGroupSpecs"].as_array().into_iter().flatten().enumerate() {
        let name = group["groupName"].as_str().unwrap_or("worker");
        let least = count(&group["minReplicas"], 0);
        let wanted = count(&group["replicas"], least).max(least);
        let pods = wanted.saturating_mul(count(&group["numOfHosts"], 1).max(1));
        let suspended = group["suspend"].as_bool() == Some(true);
        let at = format!("{at}.workerGroupSpecs[{k}].template");
        parts.push(part(format!("{base}-{name}"), if suspended { 0 } else { pods }, at));
    }
    parts
}

/// Replicas by role, whatever framework the key is called after.
fn kubeflow(spec: &Value, base: &str) -> Vec<Part> {
    let fields = spec.as_object().into_iter().flatten();
    let roles = fields.filter(|(key, _)| key.ends_with("ReplicaSpecs"));
    let of = |(key, roles): (&String, &Value)| -> Vec<Part> {
        let roles = roles.as_object().into_iter().flatten();
        roles
            .map(|(role, one)| Part {
                name: format!("{base}-{}", role.to_lowercase()),
                first: 0,
                replicas: count(&one["replicas"], 1),
                at: format!("spec.{key}.{role}.template"),
                template: None,
                gang: base.to_owned(),
                marks: Vec::new(),
            })
            .collect()
    };
    roles.flat_map(of).collect()
}

/// Jobs of one set, begun together.
fn job_set(set: &Value, like: &Workload) -> Vec<Part> {
    let base = &like.name;
    let mut parts = Vec::new();
    for (k, jobs) in set["spec"]["replicatedJobs"].as_array().into_iter().flatten().enumerate() {
        let name = jobs["name"].as_str().unwrap_or_default();
        let job = &jobs["template"]["spec"];
        let each = count(&job["parallelism"], 1).min(count(&job["completions"], i64::MAX));
        for replica in 0..count(&jobs["replicas"], 1).min(MOST) {
            let name = format!("{base}-{name}-{replica}");
            let [leads, follows] = of_job(set, jobs, &like.namespace, &name);
            let alike = !leads.iter().any(|mark| matches!(mark, Mark::Own { .. }));
            let part = |first: i64, replicas: i64, marks: Vec<Mark>| Part {
                name: name.clone(),
                first,
                replicas,
                at: format!("spec.replicatedJobs[{k}].template.spec.template"),
                template: None,
                gang: base.to_owned(),
                marks,
            };
            if alike || each < 1 {
                parts.push(part(0, each, leads));
            } else {
                parts.extend([part(0, 1, leads), part(1, each - 1, follows)]);
            }
        }
    }
    parts
}

/// The driver and its executors. The manifest has no templates of pods: what they ask for follows
/// from cores, memory and overhead.
fn spark(spec: &Value, at: &str, base: &str) -> Vec<Part> {
    let python = matches!(spec["type"].as_str(), Some("Python" | "R"));
    let usual = if python { 0.4 } else { 0.1 };
    let factor = &spec["memoryOverheadFactor"];
    let factor = factor.as_str().and_then(|text| text.parse().ok()).or(factor.as_f64());
    let factor = factor.unwrap_or(usual);
    let executors = &spec["executor"];
    let dynamic = &spec["dynamicAllocation"];
    let wanted = match dynamic["enabled"].as_bool() {
        Some(true) => {
            let least = count(&dynamic["minExecutors"], 0);
            count(&dynamic["initialExecutors"], least).max(least)
        }
        _ => count(&executors["instances"], 1),
    };
    let part = |role: &str, name: &str, replicas: i64| Part {
        name: format!("{base}-{name}"),
        first: 0,
        replicas,
        at: format!("{at}.{role}"),
        template: Some(spark_pod(&spec[role], factor)),
        gang: base.to_owned(),
        marks: Vec::new(),
    };
    vec![part("driver", "driver", 1), part("executor", "exec", wanted)]
}

/// The least memory beside the heap, in MiB.
const LEAST_OVERHEAD: i64 = 384;

fn spark_pod(role: &Value, factor: f64) -> Value {
    let cores = role["cores"].as_i64().unwrap_or(1).to_string();
    let cpu = role["coreRequest"].as_str().map_or(cores, str::to_owned);
    let heap = mebibytes(role["memory"].as_str().unwrap_or("1g"));
    let more = role["memoryOverhead"].as_str().and_then(mebibytes);
    let memory = heap.map(|heap| {
        let usual = ((heap as f64 * factor) as i64).max(LEAST_OVERHEAD);
        format!("{}Mi", heap.saturating_add(more.unwrap_or(usual)))
    });
    // What is no size here is none in the API either, and refused as such.
    let memory = memory.unwrap_or_else(|| role["memory"].as_str().unwrap_or_default().to_owned());
    let mut requests = json!({"cpu": cpu, "memory": memory});
    if let Some(name) = role.pointer("/gpu/name").and_then(Value::as_str) {
        requests[name] = json!(role["gpu"]["quantity"].as_i64().unwrap_or(0).to_string());
    }
    let own = ["nodeSelector", "tolerations", "affinity", "priorityClassName", "schedulerName"];
    let mut spec = json!({"containers": [{"name": "spark", "resources": {"requests": requests}}]});
    for key in own.into_iter().filter(|key| !role[*key].is_null()) {
        spec[key] = role[key].clone();
    }
    let labels = if role["labels"].is_null() { json!({}) } else { role["labels"].clone() };
    json!({"metadata": {"labels": labels}, "spec": spec})
}

/// Sizes as Java writes them: `512m`, `4g`; without a unit MiB.
fn mebibytes(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_suffix('b').unwrap_or(&text);
    let number: String = text.chars().take_while(char::is_ascii_digit).collect();
    let size: i64 = number.parse().ok()?;
    match &text[number.len()..] {
        "k" => Some(size / 1024 + i64::from(size % 1024 > 0)),
        "" | "m" => Some(size),
        "g" => size.checked_mul(1 << 10),
        "t" => size.checked_mul(1 << 20),
        _ => None,
    }
}
