//! Moves of pods as a POSIX shell script that evicts them wave by wave.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use base::error::{Error, Result};
use model::{Instance, NodeId, Plan, TaskId};
use plan::replan::Order;

const HEAD: &str = "\
#!/bin/sh
# Moves running pods as planned: nodes that are left take no new pods meanwhile, pods are evicted in
# waves, and a wave begins when all pods of the last one's namespaces are ready. Evictions keep every
# PodDisruptionBudget. The scheduler chooses the nodes; those planned are comments.
# Ends at the first failure; what is cordoned stays so then.
set -eu
TIMEOUT=\"${TIMEOUT:-10m}\"
evict() {
    printf '{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{\"namespace\":\"%s\",\"name\":\"%s\"}}' \"$1\" \"$2\" |
        kubectl create --raw \"/api/v1/namespaces/$1/pods/$2/eviction\" -f - >/dev/null
}
gone() {
    kubectl wait --for=delete --timeout=\"$TIMEOUT\" --namespace \"$1\" \"pod/$2\"
}
ready() {
    kubectl wait --for=condition=Ready --timeout=\"$TIMEOUT\" --namespace \"$1\" pods --all \\
        --field-selector=\"status.phase!=Succeeded,status.phase!=Failed${2:-}\"
}
";

/// Pods that stay waiting are named one by one up to so many; beyond, whatever has no node yet.
const NAMED: usize = 50;

/// Writes the order of moves towards a plan as evictions; pods that wait and moves that have no
/// place in the order are comments, and with the latter the script ends with 1. Nodes that the plan
/// still uses are uncordoned at the end.
///
/// # Errors
/// Names that no pod and no node of Kubernetes has.
pub fn kubectl_script(instance: &Instance, end: &Plan, order: &Order) -> Result<String> {
    let mut text = HEAD.to_owned();
    // Writing to a string does not fail.
    let mut line = |words: std::fmt::Arguments| {
        let _ = writeln!(text, "{words}");
    };
    let waiting = waiting(instance, end)?;
    let left: BTreeSet<NodeId> = order.moves().filter_map(|m| m.from).collect();
    for node in &left {
        line(format_args!("kubectl cordon {}", checked(instance.node_name(*node))?));
    }
    for (k, wave) in order.waves.iter().enumerate() {
        line(format_args!("\n# wave {}", k + 1));
        let mut pods: Vec<(&str, &str)> = Vec::new();
        for m in wave.iter().flatten() {
            let (space, pod) = named(instance, m.task)?;
            let to = match m.to {
                Some(node) => checked(instance.node_name(node))?,
                None => "nowhere",
            };
            match m.from {
                Some(_) => {
                    line(format_args!("evict {space} {pod} # to {to}"));
                    pods.push((space, pod));
                }
                None => line(format_args!("# {space}/{pod} waits: to {to}")),
            }
        }
        pods.iter().for_each(|(space, pod)| line(format_args!("gone {space} {pod}")));
        let spaces: BTreeSet<&str> = pods.iter().map(|(space, _)| *space).collect();
        for space in spaces {
            line(format_args!("ready {space}{}", waiting.get(space).map_or("", String::as_str)));
        }
    }
    line(format_args!(""));
    let used: BTreeSet<NodeId> = end.placements().map(|(_, node)| node).collect();
    for node in left.intersection(&used) {
        line(format_args!("kubectl uncordon {}", instance.node_name(*node)));
    }
    for stuck in &order.stuck {
        let (space, pod) = named(instance, stuck.of.task)?;
        line(format_args!("echo '{space}/{pod} has no place in the order of moves' >&2"));
    }
    line(format_args!("exit {}", u8::from(!order.stuck.is_empty())));
    Ok(text)
}

/// For namespaces with pods that stay waiting, which are never ready: what leaves them out.
fn waiting<'a>(instance: &'a Instance, end: &Plan) -> Result<BTreeMap<&'a str, String>> {
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for task in end.unplaced().filter(|task| instance.current(*task).is_none()) {
        let (space, pod) = named(instance, task)?;
        all.entry(space).or_default().push(pod);
    }
    let selector = |pods: Vec<&str>| match pods.len() > NAMED {
        true => " ,spec.nodeName!=".to_owned(),
        false => pods.iter().fold(" ".to_owned(), |all, pod| all + ",metadata.name!=" + pod),
    };
    Ok(all.into_iter().map(|(space, pods)| (space, selector(pods))).collect())
}

/// Namespace and name of a pod.
fn named(instance: &Instance, task: TaskId) -> Result<(&str, &str)> {
    let name = instance.task_name(task);
    match name.split_once('/') {
        Some((space, pod)) => Ok((checked(space)?, checked(pod)?)),
        None => Err(not_a_name(name)),
    }
}

/// A name that the API takes, which needs no quotes.
fn checked(name: &str) -> Result<&str> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    match !name.is_empty() && !name.starts_with('-') && name.chars().all(fine) {
        true => Ok(name),
        false => Err(not_a_name(name)),
    }
}

fn not_a_name(name: &str) -> Error {
    Error::usage(format!("{name:?} is the name of no pod or node of Kubernetes"))
        .help("`--to kubectl` is for plans of Kubernetes dumps: stowplan replan DUMP --output json")
}
