//! Manifests that make pods: Deployment, ReplicaSet, StatefulSet, ReplicationController,
//! Job, CronJob, and Volcano's Job; those of operators stand in their own file.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job, JobSpec};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, PodTemplateSpec, ReplicationController};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde_json::Value;

use super::super::source::Text;
use super::objects::{Object, Place, pointer};
use super::operators;
use super::queues::QUEUE;
use base::error::Result;
use model::Direction;

/// So many pods of one template.
#[derive(Debug)]
pub(super) struct Workload {
    pub(super) place: Place,
    pub(super) whole_place: String,
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
    /// Kind and name of what made it.
    pub(super) owner: Option<(String, String)>,
    pub(super) replicas: i64,
    /// Number of the first pod.
    pub(super) first: i64,
    pub(super) template: PodTemplateSpec,
    /// Where in the manifest the template stands.
    pub(super) template_at: String,
    /// `namespace/name` of the group that its pods are members of, and the fewest of them
    /// that must run at once, where the manifest says so.
    pub(super) gang: Option<(String, i64)>,
    /// How far apart the group's pods may be, in Volcano's words.
    pub(super) network: Option<Value>,
    /// Seconds after which all of it is ended.
    pub(super) most: Option<i64>,
    /// Its pods wait for somebody to start it.
    pub(super) suspended: bool,
    /// The queue that does.
    pub(super) queue: Option<String>,
    /// The group of the API's own kind that its pods are members of.
    pub(super) member_of: Option<String>,
    /// By which label and name its pods say that an operator made them for it.
    pub(super) made: Option<(&'static str, String)>,
    /// Claims that are made with each pod.
    pub(super) claims: Vec<PersistentVolumeClaim>,
    /// What of it is not planned with.
    pub(super) told: Vec<(Direction, String, String)>,
    /// Fields that the types do not have.
    pub(super) unknown: Vec<String>,
}

/// A DaemonSet that was read.
#[derive(Debug)]
pub(super) struct Daemon {
    pub(super) place: Place,
    pub(super) whole_place: String,
    pub(super) set: DaemonSet,
    pub(super) unknown: Vec<String>,
}

impl Daemon {
    pub(super) fn new(object: &Object, set: DaemonSet, unknown: Vec<String>) -> Daemon {
        Daemon { place: object.place, whole_place: object.whole_place(), set, unknown }
    }
}

/// Volcano's Job, as far as it matters.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VolcanoJob {
    metadata: ObjectMeta,
    spec: VolcanoSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VolcanoSpec {
    min_available: Option<i64>,
    #[serde(default)]
    tasks: Vec<VolcanoTask>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VolcanoTask {
    #[serde(default)]
    name: String,
    replicas: Option<i64>,
    template: PodTemplateSpec,
}

/// The controller of an object, by kind and name.
pub(super) fn controller(metadata: &ObjectMeta) -> Option<(String, String)> {
    let owners = metadata.owner_references.iter().flatten();
    let mut controllers = owners.filter(|owner| owner.controller != Some(false));
    controllers.next().map(|owner| (owner.kind.clone(), owner.name.clone()))
}

/// What the object says about pods to come; nothing for other kinds.
///
/// # Errors
/// Values of other types than the API has.
pub(super) fn workloads(object: &Object, source: Text) -> Result<Option<Vec<Workload>>> {
    let group = object.group.as_str();
    let of = |metadata: ObjectMeta, replicas: i64, template: Option<PodTemplateSpec>, unknown| {
        Workload {
            place: object.place,
            whole_place: object.whole_place(),
            kind: object.kind.clone(),
            owner: controller(&metadata),
            namespace: metadata.namespace.unwrap_or_else(|| "default".to_owned()),
            name: metadata.name.or(metadata.generate_name).unwrap_or_default(),
            replicas,
            first: 0,
            template: template.unwrap_or_default(),
            template_at: "spec.template".to_owned(),
            gang: None,
            network: None,
            most: None,
            suspended: false,
            queue: metadata.labels.and_then(|labels| labels.get(QUEUE).cloned()),
            member_of: None,
            made: None,
            claims: Vec::new(),
            told: Vec::new(),
            unknown,
        }
    };
    let count = |replicas: Option<i32>| i64::from(replicas.unwrap_or(1));
    let mut list = match (group, object.kind.as_str()) {
        ("apps" | "extensions", "Deployment") => {
            let (typed, unknown) = object.typed::<Deployment>(source)?;
            let spec = typed.spec;
            vec![of(typed.metadata, count(spec.replicas), Some(spec.template), unknown)]
        }
        ("apps" | "extensions", "ReplicaSet") => {
            let (typed, unknown) = object.typed::<ReplicaSet>(source)?;
            let spec = typed.spec;
            vec![of(typed.metadata, count(spec.replicas), spec.template, unknown)]
        }
        ("", "ReplicationController") => {
            let (typed, unknown) = object.typed::<ReplicationController>(source)?;
            let spec = typed.spec.unwrap_or_default();
            vec![of(typed.metadata, count(spec.replicas), spec.template, unknown)]
        }
        ("apps", "StatefulSet") => {
            let (typed, unknown) = object.typed::<StatefulSet>(source)?;
            let spec = typed.spec;
            let first = spec.ordinals.and_then(|ordinals| ordinals.start);
            let mut set = of(typed.metadata, count(spec.replicas), Some(spec.template), unknown);
            set.first = i64::from(first.unwrap_or(0));
            set.claims = spec.volume_claim_templates.unwrap_or_default();
            vec![set]
        }
        ("batch", "Job") => {
            let (typed, unknown) = object.typed::<Job>(source)?;
            let spec = typed.spec.unwrap_or_default();
            let done = typed.status.and_then(|status| status.succeeded).unwrap_or(0);
            let replicas = runs_at_once(&spec, done);
            let mut job = of(typed.metadata, replicas, Some(spec.template), unknown);
            job.suspended = spec.suspend == Some(true);
            job.most = spec.active_deadline_seconds;
            vec![job]
        }
        ("batch.volcano.sh", "Job") => {
            let (typed, unknown) = object.typed::<VolcanoJob>(source)?;
            let in_template = |field: &String| field.contains(".template.");
            let unknown: Vec<String> = unknown.into_iter().filter(in_template).collect();
            let several = typed.spec.tasks.len() > 1;
            let mut list = Vec::new();
            for (k, task) in typed.spec.tasks.into_iter().enumerate() {
                let replicas = task.replicas.unwrap_or(1);
                let template = Some(task.template);
                let mut one = of(typed.metadata.clone(), replicas, template, unknown.clone());
                one.template_at = format!("spec.tasks[{k}].template");
                let id = format!("{}/{}", one.namespace, one.name);
                one.gang = typed.spec.min_available.map(|least| (id, least));
                one.network = object.value.pointer("/spec/networkTopology").cloned();
                if several || !task.name.is_empty() {
                    one.name = format!("{}-{}", one.name, task.name);
                }
                list.push(one);
            }
            list
        }
        ("batch", "CronJob") => {
            let (typed, unknown) = object.typed::<CronJob>(source)?;
            let spec = typed.spec;
            let (made, job) = (typed.metadata.uid.is_some(), spec.job_template.spec);
            let job = job.unwrap_or_default();
            let mut one = of(typed.metadata, runs_at_once(&job, 0), Some(job.template), unknown);
            one.template_at = "spec.jobTemplate.spec.template".to_owned();
            one.most = job.active_deadline_seconds;
            one.suspended = spec.suspend == Some(true);
            if made {
                // In the cluster it starts when its time comes; what has started has pods.
                one.replicas = 0;
                let what = "the next run is not planned, its time has not come".to_owned();
                one.told.push((Direction::Wider, "spec.schedule".to_owned(), what));
            }
            vec![one]
        }
        _ => {
            let metadata = || {
                let own = object.value.get("metadata").cloned().unwrap_or_default();
                serde_json::from_value::<ObjectMeta>(own).unwrap_or_default()
            };
            let like = || of(metadata(), 1, None, Vec::new());
            match operators::workloads(object, source, like)? {
                Some(list) => list,
                None => return Ok(None),
            }
        }
    };
    for one in &mut list {
        let at = pointer(&one.template_at);
        let group = object.value.pointer(&format!("{at}/spec/workloadRef"));
        one.member_of = group.and_then(|group| {
            let text = |key: &str| group.get(key).and_then(Value::as_str);
            Some(format!("{}/{}/{}", one.namespace, text("name")?, text("podGroup")?))
        });
        one.unknown.retain(|field| !field.contains(".workloadRef"));
    }
    Ok(Some(list))
}

/// Pods of a job that run at once, with so many done.
fn runs_at_once(job: &JobSpec, done: i32) -> i64 {
    let left = job.completions.map_or(i32::MAX, |completions| completions - done);
    i64::from(job.parallelism.unwrap_or(1).min(left).max(0))
}
