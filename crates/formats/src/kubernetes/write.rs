//! A plan as objects of the API: a Binding for each waiting pod, manifests with the nodes
//! that their pods are planned on; and such objects read as a plan again.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use super::super::Running;
use super::super::source::{Source, Text};
use super::affinity::HOSTNAME;
use super::objects::{Object, each, pointer};
use super::{cluster, fits};
use base::error::{Error, Kind, Result};
use model::{Claim, ClaimedPlacement, Instance, NodeId, Plan};

/// The path of required node affinity below a pod's `spec`.
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";

/// The annotation by which a manifest says which of its pods is planned on which node.
const PLAN: &str = "stowplan/plan";
/// Bytes of it at most: the API takes 256 KiB of annotations.
const LONGEST: usize = 200 << 10;
/// What the API sets by itself, and does not want to be told when something is made.
const SET: [&str; 6] =
    ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink"];

/// Pods with their nodes.
type Pods<'a> = Vec<(&'a str, NodeId)>;

/// Writes the plan as a v1 List: Bindings in the order of the pods, and manifests whose
/// template names the one node, or by required node affinity the nodes, of its pods.
/// What the plan leaves out is left out here.
///
/// # Errors
/// Sources that are no Kubernetes objects or another instance's, nodes that a manifest
/// cannot name because they have no host name.
pub fn write_objects(sources: &[Source], instance: &Instance, plan: &Plan) -> Result<String> {
    let texts = sources.iter().map(Source::text).collect::<Result<Vec<_>>>()?;
    if texts.is_empty() || !texts.iter().all(|text| fits(text.text)) {
        let cause = "only instances of Kubernetes objects have pods to bind";
        return Err(Error::usage(cause).help("give the files that kubectl printed"));
    }
    let read = cluster(&texts, Running::Load)?;
    let placed: FxHashMap<&str, NodeId> =
        plan.placements().map(|(task, node)| (instance.task_name(task), node)).collect();
    // Nodes by the place of the object and the template within it.
    let mut nodes: FxHashMap<(usize, String), BTreeMap<String, Pods>> = FxHashMap::default();
    for pod in &read.waiting {
        let Some(node) = placed.get(pod.id.as_str()) else { continue };
        let at = (pod.place.file, pod.place.within());
        let template = pod.template.clone().unwrap_or_default();
        nodes.entry(at).or_default().entry(template).or_default().push((pod.id.as_str(), *node));
    }
    let mut items = Vec::new();
    for (file, source) in texts.iter().enumerate() {
        each(file, *source, &mut |object| {
            if let Some(templates) = nodes.get(&(file, object.place.within())) {
                items.push(written(object, templates, instance)?);
            }
            Ok(())
        })?;
    }
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
    let text = serde_json::to_string_pretty(&list);
    text.map(|text| text + "\n").map_err(|error| Error::new(Kind::Io, error.to_string()))
}

fn written(
    object: Object,
    templates: &BTreeMap<String, Pods>,
    instance: &Instance,
) -> Result<Value> {
    if let Some(&[(_, node)]) = templates.get("").map(Vec::as_slice) {
        let (namespace, name) = object.name.split_once('/').unwrap_or(("default", &object.name));
        return Ok(json!({
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": { "name": name, "namespace": namespace },
            "target": { "apiVersion": "v1", "kind": "Node", "name": instance.node_name(node) },
        }));
    }
    let place = object.whole_place();
    let mut manifest = object.value;
    if let Some(fields) = manifest.as_object_mut() {
        fields.remove("status");
    }
    let planned = templates.values().flatten();
    let planned = planned.map(|(pod, node)| ((*pod).to_owned(), json!(instance.node_name(*node))));
    let planned = Value::Object(planned.collect()).to_string();
    let metadata = child(&mut manifest, "metadata");
    if let Some(fields) = metadata.as_object_mut() {
        SET.iter().for_each(|field| drop(fields.remove(*field)));
    }
    if planned.len() <= LONGEST {
        child(metadata, "annotations")[PLAN] = json!(planned);
    }
    for (template, pods) in templates {
        let spec = manifest.pointer_mut(&pointer(template)).and_then(|t| t.get_mut("spec"));
        let Some(spec) = spec else { continue };
        match pods[..] {
            [(_, only)] => spec["nodeName"] = json!(instance.node_name(only)),
            _ => confine(spec, pods, instance).map_err(|error| error.at(place.clone()))?,
        }
    }
    Ok(manifest)
}

/// Adds the nodes to every term of required node affinity.
fn confine(spec: &mut Value, pods: &[(&str, NodeId)], instance: &Instance) -> Result<()> {
    let mut names = Vec::with_capacity(pods.len());
    for (_, node) in pods {
        let mut labels = instance.labels(*node).iter();
        let Some((_, name)) = labels.find(|(key, _)| key == HOSTNAME) else {
            let cause = format!("node `{}` has no label {HOSTNAME}", instance.node_name(*node));
            return Err(Error::usage(cause).help("manifests name nodes by it: add the label"));
        };
        names.push(name.as_str());
    }
    names.sort_unstable();
    names.dedup();
    let here = json!({ "key": HOSTNAME, "operator": "In", "values": names });
    let affinity = child(child(spec, "affinity"), "nodeAffinity");
    let terms = &mut child(affinity, REQUIRED)["nodeSelectorTerms"];
    match terms.as_array_mut().filter(|terms| !terms.is_empty()) {
        None => *terms = json!([{ "matchExpressions": [here] }]),
        Some(terms) => {
            for term in terms {
                match term.get_mut("matchExpressions").and_then(Value::as_array_mut) {
                    Some(expressions) => expressions.push(here.clone()),
                    None => term["matchExpressions"] = json!([here]),
                }
            }
        }
    }
    Ok(())
}

/// The object's field, an empty object where there is none.
fn child<'a>(of: &'a mut Value, key: &str) -> &'a mut Value {
    let field = &mut of[key];
    if !field.is_object() {
        *field = json!({});
    }
    field
}

/// The plan that an object of [`write_objects`] is a part of, as pods and nodes; `None` for other
/// objects. What the API has has a `uid`: it may bear the annotation of a plan that was carried
/// out long ago.
fn planned(object: &Object) -> Option<std::result::Result<Vec<ClaimedPlacement>, &'static str>> {
    let claimed = |task: &str, node: &str| ClaimedPlacement {
        task: task.to_owned(),
        node: node.to_owned(),
        ..ClaimedPlacement::default()
    };
    if object.kind == "Binding" {
        let Some(node) = object.value.pointer("/target/name").and_then(Value::as_str) else {
            return Some(Err("missing field `target.name`"));
        };
        return Some(Ok(vec![if object.name.contains('/') {
            claimed(&object.name, node)
        } else {
            claimed(&format!("default/{}", object.name), node)
        }]));
    }
    let metadata = object.value.get("metadata").filter(|fields| fields.get("uid").is_none())?;
    let text = metadata.get("annotations")?.get(PLAN)?.as_str()?;
    Some(match serde_json::from_str::<BTreeMap<String, String>>(text) {
        Ok(pods) => Ok(pods.iter().map(|(pod, node)| claimed(pod, node)).collect()),
        Err(_) => Err("the annotation `stowplan/plan` is no object of pods with their nodes"),
    })
}

/// True for objects that say where pods go: the first does.
pub(in super::super) fn is_plan(source: Text) -> bool {
    let mut first = None;
    // Whatever ends the reading, what comes first is known by then.
    let _ = each(0, source, &mut |object| {
        first.get_or_insert(planned(&object).is_some());
        Err(Error::usage("enough"))
    });
    first == Some(true)
}

/// Reads what [`write_objects`] wrote as a plan.
///
/// # Errors
/// Other objects, Bindings without a node, an annotation that does not read.
pub(in super::super) fn claim(source: Text) -> Result<Claim> {
    let mut claim = Claim::default();
    each(0, source, &mut |object| {
        let wrong = |cause: &str| {
            let remedy = "a plan of Kubernetes objects is a List of Bindings, and of manifests that \
                          `export --to kubernetes` wrote";
            source.error(cause).at(object.whole_place()).help(remedy)
        };
        let other = || wrong(&format!("a {} is no part of a plan", object.kind));
        claim.assignments.extend(planned(&object).ok_or_else(other)?.map_err(wrong)?);
        Ok(())
    })?;
    Ok(claim)
}
