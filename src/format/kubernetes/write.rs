//! A plan as objects of the API: a Binding for each waiting pod, manifests with the nodes
//! that their pods are planned on.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use super::super::source::Source;
use super::objects::{Object, each};
use super::{cluster, fits};
use crate::error::{Error, Kind, Result};
use crate::model::{Instance, NodeId, Plan};

const HOSTNAME: &str = "kubernetes.io/hostname";
/// The path of required node affinity below a pod's `spec`.
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";

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
    let read = cluster(&texts)?;
    let placed: FxHashMap<&str, NodeId> =
        plan.placements().map(|(task, node)| (instance.task_name(task), node)).collect();
    // Nodes by the place of the object and the template within it.
    let mut nodes: FxHashMap<(usize, String), BTreeMap<String, Vec<NodeId>>> = FxHashMap::default();
    for pod in &read.waiting {
        let Some(node) = placed.get(pod.id.as_str()) else { continue };
        let at = (pod.place.file, pod.place.within());
        let template = pod.template.clone().unwrap_or_default();
        nodes.entry(at).or_default().entry(template).or_default().push(*node);
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
    templates: &BTreeMap<String, Vec<NodeId>>,
    instance: &Instance,
) -> Result<Value> {
    if let Some(&[node]) = templates.get("").map(Vec::as_slice) {
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
    for (template, nodes) in templates {
        let pointer = template.replace(['.', '['], "/").replace(']', "");
        let spec = manifest.pointer_mut(&format!("/{pointer}")).and_then(|t| t.get_mut("spec"));
        let Some(spec) = spec else { continue };
        match nodes[..] {
            [only] => spec["nodeName"] = json!(instance.node_name(only)),
            _ => confine(spec, nodes, instance).map_err(|error| error.at(place.clone()))?,
        }
    }
    Ok(manifest)
}

/// Adds the nodes to every term of required node affinity.
fn confine(spec: &mut Value, nodes: &[NodeId], instance: &Instance) -> Result<()> {
    let mut names = Vec::with_capacity(nodes.len());
    for node in nodes {
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
