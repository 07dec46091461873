//! Groups of pods that want a rack, pool or zone of their own (`exclusive-topology` of
//! LeaderWorkerSet and JobSet): the labels and affinity that their webhooks give to pods.

use k8s_openapi::api::core::v1::{Affinity, PodAffinityTerm, PodTemplateSpec, Toleration};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use serde_json::Value;

/// The labels whose values tell groups, parts of groups and jobs apart.
pub(super) const GROUP: &str = "leaderworkerset.sigs.k8s.io/group-key";
pub(super) const SUBGROUP: &str = "leaderworkerset.sigs.k8s.io/subgroup-key";
const JOB: &str = "jobset.sigs.k8s.io/job-key";
/// What asks for it.
pub(super) const OF_GROUP: &str = "leaderworkerset.sigs.k8s.io/exclusive-topology";
pub(super) const OF_SUBGROUP: &str = "leaderworkerset.sigs.k8s.io/subgroup-exclusive-topology";
const OF_JOB: &str = "alpha.jobset.sigs.k8s.io/exclusive-topology";
/// With it the nodes' labels and taints say which job is theirs.
const BY_NODES: &str = "alpha.jobset.sigs.k8s.io/node-selector";
const NODES_JOB: &str = "alpha.jobset.sigs.k8s.io/namespaced-job";
const NODES_TAINT: &str = "alpha.jobset.sigs.k8s.io/no-schedule";

/// What the pods of a part are marked with when they are made.
#[derive(Clone, Debug)]
pub(super) enum Mark {
    /// They have this label, and keep nobody away.
    Is(&'static str, String),
    /// They have this label, are all on one value of `over`, and where they lead no pod with
    /// another value of the label may be there.
    Own { label: &'static str, value: String, over: String, lead: bool },
    /// They run where the nodes are labelled for the job.
    OnNodesOf(String),
}

/// An annotation of an object, or of a template within it.
pub(super) fn note<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get("metadata")?.get("annotations")?.get(name)?.as_str()
}

/// What the pods of a JobSet's job are marked with: the first of them, and the others.
pub(super) fn of_job(set: &Value, jobs: &Value, space: &str, job: &str) -> [Vec<Mark>; 2] {
    let says = |name| note(&jobs["template"], name).or(note(set, name));
    let value = format!("{space}/{job}");
    let is = Mark::Is(JOB, space.to_owned());
    match (says(OF_JOB), says(BY_NODES)) {
        (None, _) => [vec![is.clone()], vec![is]],
        (Some(_), Some(_)) => {
            let marks = vec![is, Mark::OnNodesOf(format!("{space}_{job}"))];
            [marks.clone(), marks]
        }
        (Some(over), None) => [true, false].map(|lead| {
            let (value, over) = (value.clone(), over.to_owned());
            vec![Mark::Own { label: JOB, value, over, lead }]
        }),
    }
}

/// Gives pods of the template their marks.
pub(super) fn mark(template: &mut PodTemplateSpec, marks: &[Mark]) {
    for one in marks {
        match one {
            Mark::Is(label, value) => set(template, label, value),
            Mark::Own { label, value, over, lead } => {
                set(template, label, value);
                let affinity =
                    template.spec.get_or_insert_default().affinity.get_or_insert_default();
                own(affinity, (label, value), over, *lead);
            }
            Mark::OnNodesOf(job) => {
                let spec = template.spec.get_or_insert_default();
                let selector = spec.node_selector.get_or_insert_default();
                selector.insert(NODES_JOB.to_owned(), job.clone());
                spec.tolerations.get_or_insert_default().push(Toleration {
                    key: Some(NODES_TAINT.to_owned()),
                    operator: Some("Exists".to_owned()),
                    effect: Some("NoSchedule".to_owned()),
                    ..Toleration::default()
                });
            }
        }
    }
}

fn set(template: &mut PodTemplateSpec, label: &str, value: &str) {
    let labels = template.metadata.get_or_insert_default().labels.get_or_insert_default();
    labels.insert(label.to_owned(), value.to_owned());
}

fn own(affinity: &mut Affinity, (label, value): (&str, &str), over: &str, lead: bool) {
    let wants = |operator: &str| LabelSelectorRequirement {
        key: label.to_owned(),
        operator: operator.to_owned(),
        values: (operator != "Exists").then(|| vec![value.to_owned()]),
    };
    let term = |expressions: Vec<LabelSelectorRequirement>| PodAffinityTerm {
        label_selector: Some(LabelSelector {
            match_expressions: Some(expressions),
            ..LabelSelector::default()
        }),
        topology_key: over.to_owned(),
        namespace_selector: (label == JOB).then(LabelSelector::default),
        ..PodAffinityTerm::default()
    };
    let near = affinity.pod_affinity.get_or_insert_default();
    let near = near.required_during_scheduling_ignored_during_execution.get_or_insert_default();
    near.push(term(vec![wants("In")]));
    if lead {
        let away = affinity.pod_anti_affinity.get_or_insert_default();
        let away = away.required_during_scheduling_ignored_during_execution.get_or_insert_default();
        away.push(term(vec![wants("Exists"), wants("NotIn")]));
    }
}
