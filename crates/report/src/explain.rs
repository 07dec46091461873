//! Explanations, for people and for scripts.

use schemars::JsonSchema;
use serde::Serialize;

use super::{json, number};
use model::{Instance, TierValue, differ};
use plan::explain::{Change, NoPlanWhy, PlanWhy, TaskWhy};

/// Nodes listed for a task at most, unless asked for JSON.
const NODES: usize = 40;

/// Why there is no plan.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConflictDoc {
    /// What cannot all be had: tasks, rules, capacities.
    pub conflict: Vec<ElementDoc>,
    /// Without any one of these the rest has a plan.
    pub minimal: bool,
    /// Ways out that were tried, fewest changes first.
    pub repairs: Vec<RepairDoc>,
}

/// A part of a conflict.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ElementDoc {
    /// `task`, `rule`, `capacity` or `max-tasks`.
    pub kind: String,
    /// In words.
    pub detail: String,
}

/// A way out.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RepairDoc {
    /// In words.
    pub detail: String,
    /// How many things change.
    pub changes: usize,
    /// Proven: nothing smaller of its kind leads to a plan.
    pub least: bool,
    /// What it costs, where nodes have prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
}

impl ConflictDoc {
    /// The document of an explanation.
    pub fn of(instance: &Instance, why: &NoPlanWhy) -> ConflictDoc {
        ConflictDoc {
            conflict: (why.conflict.elements.iter())
                .map(|element| ElementDoc {
                    kind: element.kind().to_owned(),
                    detail: element.words(instance),
                })
                .collect(),
            minimal: why.conflict.minimal,
            repairs: (why.repairs.iter())
                .map(|repair| RepairDoc {
                    detail: repair.words.clone(),
                    changes: repair.changes,
                    least: repair.least,
                    price: repair.price,
                })
                .collect(),
        }
    }

    /// One line: the conflict if it is short, and the smallest repair.
    pub fn short(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if (1..=6).contains(&self.conflict.len()) {
            let parts: Vec<&str> = self.conflict.iter().map(|e| e.detail.as_str()).collect();
            lines.push(format!("cannot all be had: {}", parts.join("; ")));
        }
        lines.extend(self.repairs.first().map(|repair| format!("would help: {}", repair.detail)));
        lines
    }
}

#[derive(Serialize)]
struct InfeasibleDoc<'a> {
    schema_version: u32,
    status: &'static str,
    #[serde(flatten)]
    why: NoPlanDoc<'a>,
}

/// The explanation as JSON.
pub fn infeasible_json(instance: &Instance, why: &NoPlanWhy) -> String {
    let why = NoPlanDoc::of(instance, why);
    json::pretty(&InfeasibleDoc { schema_version: 1, status: "infeasible", why })
}

fn certificate(why: &NoPlanWhy) -> (&str, &str) {
    match &why.certificate {
        Some((code, detail)) => (code, detail),
        None => ("infeasible", "the integer program has no solution"),
    }
}

/// The explanation for a terminal.
pub fn infeasible_text(instance: &Instance, why: &NoPlanWhy) -> String {
    let (_, detail) = certificate(why);
    let read = if instance.may_be_too_narrow() { " for the instance as read" } else { "" };
    let mut text = format!("There is no plan{read}: {detail}.\n\n");
    let parts = &why.conflict.elements;
    text.push_str(if why.conflict.minimal {
        "These cannot all be had, and without any one of them the rest has a plan:\n"
    } else {
        "These cannot all be had; fewer may do:\n"
    });
    for element in parts.iter().take(NODES) {
        text.push_str(&format!("  - {}\n", element.words(instance)));
    }
    if parts.len() > NODES {
        text.push_str(&format!("  - and {} more\n", number::grouped(parts.len() - NODES)));
    }
    if why.repairs.is_empty() {
        text.push_str("\nNo single kind of repair was found in the time given.\n");
        return text;
    }
    text.push_str("\nAny of these makes a plan possible (each was tried):\n");
    for repair in &why.repairs {
        let price = repair.price.map(|price| format!(", price {}", number::plain(price)));
        let least = match repair.change {
            _ if !repair.least => "",
            Change::Drop(_) => " (proven: nothing lighter will do)",
            Change::Raise { .. } | Change::Add { .. } | Change::Loosen { .. } => {
                " (proven: less will not do)"
            }
            Change::Lift(_) | Change::Undemand(_) => "",
        };
        text.push_str(&format!("  - {}{}{least}\n", repair.words, price.unwrap_or_default()));
    }
    text
}

fn tiers(values: &[TierValue]) -> String {
    values.iter().map(|v| number::tier(&v.tier, v.value)).collect::<Vec<_>>().join(", ")
}

/// How the goal would change: the first tier that does.
fn change(from: &[TierValue], to: &[TierValue]) -> String {
    let pairs = from.iter().zip(to);
    let differs = pairs.clone().find(|(a, b)| differ(a.value, b.value));
    match differs {
        None => "would not change the goal".to_owned(),
        Some((a, b)) if a.value == 0.0 => format!("{} from 0", number::tier(&b.tier, b.value)),
        Some((a, b)) => {
            let part = 100.0 * (b.value - a.value) / a.value.abs();
            format!("{} {part:+.2} %, to {}", a.tier, number::tier(&b.tier, b.value))
        }
    }
}

/// A task's explanation for a terminal.
pub fn task_text(instance: &Instance, why: &TaskWhy) -> String {
    let name = instance.task_name(why.task);
    let mut text = match why.node {
        Some(node) => {
            format!("`{name}` is on `{}`; {}\n", instance.node_name(node), tiers(&why.values))
        }
        None => format!("`{name}` has no node\n"),
    };
    let mut open: Vec<_> = why.others.iter().filter(|other| other.values.is_some()).collect();
    let key = |values: &Option<Vec<TierValue>>| {
        values.iter().flatten().map(|v| v.value).collect::<Vec<f64>>()
    };
    open.sort_by(|a, b| {
        key(&a.values).partial_cmp(&key(&b.values)).unwrap_or(std::cmp::Ordering::Equal)
    });
    for other in open.iter().take(NODES) {
        let values = other.values.as_deref().unwrap_or_default();
        let node = instance.node_name(other.node);
        text.push_str(&format!("  {node}: {}\n", change(&why.values, values)));
    }
    // What blocks many nodes in the same way is said once.
    let mut blocked: Vec<(&str, Vec<&str>)> = Vec::new();
    for other in &why.others {
        let Some((_, words)) = &other.blocked else { continue };
        let node = instance.node_name(other.node);
        match blocked.iter_mut().find(|(known, _)| known == words) {
            Some((_, nodes)) => nodes.push(node),
            None => blocked.push((words, vec![node])),
        }
    }
    blocked.sort_by_key(|(_, nodes)| std::cmp::Reverse(nodes.len()));
    for (words, nodes) in blocked.iter().take(NODES) {
        let shown = nodes.iter().take(6).copied().collect::<Vec<_>>().join(", ");
        let more = match nodes.len().saturating_sub(6) {
            0 => String::new(),
            more => format!(" and {} more", number::grouped(more)),
        };
        text.push_str(&format!("  {shown}{more}: {words}\n"));
    }
    for less in &why.less {
        let resource = &instance.resources()[less.resource];
        let own = resource.unit.as_ref().filter(|unit| *unit != "byte" && **unit != resource.name);
        let unit = own.map_or(String::new(), |unit| format!("{unit} "));
        text.push_str(&format!(
            "  ask for {} {unit}{} less: then `{}` has room\n",
            resource.show(less.by),
            resource.name,
            instance.node_name(less.node)
        ));
    }
    if let Some(swap) = &why.swap {
        text.push_str(&format!(
            "  no other node has room; swapping with `{}` on `{}`: {}\n",
            instance.task_name(swap.with),
            instance.node_name(swap.node),
            change(&why.values, &swap.values)
        ));
    }
    text
}

#[derive(Serialize)]
struct TaskDoc<'a> {
    schema_version: u32,
    task: &'a str,
    node: Option<&'a str>,
    goal: Vec<ValueDoc>,
    nodes: Vec<NodeDoc<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    less: Vec<LessDoc<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    swap: Option<SwapDoc<'a>>,
    /// Why there is no plan of all tasks; the rest is about what runs, with nothing else placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    no_plan: Option<NoPlanDoc<'a>>,
}

#[derive(Serialize)]
struct NoPlanDoc<'a> {
    code: &'a str,
    detail: &'a str,
    #[serde(flatten)]
    why: ConflictDoc,
}

impl<'a> NoPlanDoc<'a> {
    fn of(instance: &Instance, why: &'a NoPlanWhy) -> NoPlanDoc<'a> {
        let (code, detail) = certificate(why);
        NoPlanDoc { code, detail, why: ConflictDoc::of(instance, why) }
    }
}

/// What the task would have to ask less of.
#[derive(Serialize)]
struct LessDoc<'a> {
    resource: &'a str,
    by: f64,
    node: &'a str,
}

#[derive(Serialize)]
struct ValueDoc {
    tier: String,
    value: f64,
}

#[derive(Serialize)]
struct NodeDoc<'a> {
    node: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goal: Option<Vec<ValueDoc>>,
}

#[derive(Serialize)]
struct SwapDoc<'a> {
    with: &'a str,
    node: &'a str,
    goal: Vec<ValueDoc>,
}

fn values(list: &[TierValue]) -> Vec<ValueDoc> {
    list.iter().map(|v| ValueDoc { tier: v.tier.to_string(), value: v.value }).collect()
}

/// A task's explanation as JSON, where there is no plan with the reason.
pub fn task_json(instance: &Instance, why: &TaskWhy, no_plan: Option<&NoPlanWhy>) -> String {
    json::pretty(&TaskDoc {
        schema_version: 1,
        task: instance.task_name(why.task),
        node: why.node.map(|node| instance.node_name(node)),
        goal: values(&why.values),
        nodes: (why.others.iter())
            .map(|other| NodeDoc {
                node: instance.node_name(other.node),
                reason: other.blocked.as_ref().map(|(code, _)| *code),
                detail: other.blocked.as_ref().map(|(_, words)| words.as_str()),
                goal: other.values.as_deref().map(values),
            })
            .collect(),
        less: (why.less.iter())
            .map(|less| LessDoc {
                resource: &instance.resources()[less.resource].name,
                by: instance.resources()[less.resource].scale.to_f64(less.by),
                node: instance.node_name(less.node),
            })
            .collect(),
        swap: why.swap.as_ref().map(|swap| SwapDoc {
            with: instance.task_name(swap.with),
            node: instance.node_name(swap.node),
            goal: values(&swap.values),
        }),
        no_plan: no_plan.map(|why| NoPlanDoc::of(instance, why)),
    })
}

#[derive(Serialize)]
struct PlanWhyDoc<'a> {
    schema_version: u32,
    binding: Vec<BindingDoc<'a>>,
    tier: String,
    bound: f64,
    bound_from: &'a str,
    worth: Vec<WorthDoc<'a>>,
}

#[derive(Serialize)]
struct BindingDoc<'a> {
    node: &'a str,
    resource: &'a str,
    utilisation: f64,
    tasks: Vec<&'a str>,
}

#[derive(Serialize)]
struct WorthDoc<'a> {
    node: &'a str,
    resource: &'a str,
    bound: f64,
}

/// A plan's explanation as JSON.
pub fn plan_why_json(instance: &Instance, why: &PlanWhy) -> String {
    let resource = |r: usize| instance.resources()[r].name.as_str();
    json::pretty(&PlanWhyDoc {
        schema_version: 1,
        binding: (why.binding.iter())
            .map(|binding| BindingDoc {
                node: instance.node_name(binding.node),
                resource: resource(binding.resource),
                utilisation: binding.utilisation,
                tasks: binding.tasks.iter().map(|task| instance.task_name(*task)).collect(),
            })
            .collect(),
        tier: why.tier.to_string(),
        bound: why.bound,
        bound_from: &why.why,
        worth: (why.worth.iter())
            .map(|worth| WorthDoc {
                node: instance.node_name(worth.node),
                resource: resource(worth.resource),
                bound: worth.bound,
            })
            .collect(),
    })
}

/// A plan's explanation for a terminal.
pub fn plan_why_text(instance: &Instance, why: &PlanWhy) -> String {
    let mut text = String::from("Fullest:\n");
    for binding in why.binding.iter().take(NODES) {
        let names: Vec<&str> =
            binding.tasks.iter().take(6).map(|task| instance.task_name(*task)).collect();
        let more = match binding.tasks.len().saturating_sub(6) {
            0 => String::new(),
            more => format!(" and {} more", number::grouped(more)),
        };
        text.push_str(&format!(
            "  {} in {}: {}, by {}{more}\n",
            instance.node_name(binding.node),
            instance.resources()[binding.resource].name,
            number::percent(binding.utilisation),
            if names.is_empty() { "what was there before".to_owned() } else { names.join(", ") },
        ));
    }
    text.push_str(&format!(
        "By counting alone, {} is a bound: {}\n",
        number::tier(&why.tier, why.bound),
        why.why
    ));
    if why.worth.is_empty() {
        text.push_str("One more unit of any resource on any one node does not lower that bound.\n");
    } else {
        text.push_str("One more unit would lower it:\n");
    }
    for worth in why.worth.iter().take(NODES) {
        text.push_str(&format!(
            "  of {} on a node like {}: to {}\n",
            instance.resources()[worth.resource].name,
            instance.node_name(worth.node),
            number::tier(&why.tier, worth.bound)
        ));
    }
    text
}
