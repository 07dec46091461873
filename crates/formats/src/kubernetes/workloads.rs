//! Manifests that make pods: Deployment, ReplicaSet, StatefulSet, ReplicationController,
//! Job, and Volcano's Job.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{PodTemplateSpec, ReplicationController};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::super::source::Text;
use super::objects::{Object, Place};
use base::error::Result;

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
    /// Seconds after which all of it is ended.
    pub(super) most: Option<i64>,
    /// Its pods wait for somebody to start it.
    pub(super) suspended: bool,
    /// Fields that the types do not have.
    pub(super) unknown: Vec<String>,
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
            most: None,
            suspended: false,
            unknown,
        }
    };
    let count = |replicas: Option<i32>| i64::from(replicas.unwrap_or(1));
    Ok(Some(match (group, object.kind.as_str()) {
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
            vec![set]
        }
        ("batch", "Job") => {
            let (typed, unknown) = object.typed::<Job>(source)?;
            let spec = typed.spec.unwrap_or_default();
            let done = typed.status.and_then(|status| status.succeeded).unwrap_or(0);
            let left = spec.completions.map_or(i32::MAX, |completions| completions - done);
            let replicas = count(spec.parallelism).min(i64::from(left)).max(0);
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
                if several || !task.name.is_empty() {
                    one.name = format!("{}-{}", one.name, task.name);
                }
                list.push(one);
            }
            list
        }
        _ => return Ok(None),
    }))
}
