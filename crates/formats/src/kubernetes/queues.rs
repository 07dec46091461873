//! What Kueue admits: cluster queues with quotas, cohorts that lend to each other, flavours of
//! nodes. Only pods that still wait to be admitted are under a quota; those that are admitted are
//! part of what is used.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde::Deserialize;
use serde_json::Value;

use super::objects::Object;
use super::requests::{Amounts, Wrong, steps};

/// The label by which workloads name their queue.
pub(super) const QUEUE: &str = "kueue.x-k8s.io/queue-name";
/// What scheduling gates of Kueue begin with.
pub(super) const GATE: &str = "kueue.x-k8s.io/";

/// What there is of queues.
#[derive(Debug, Default)]
pub(super) struct Queues {
    /// Queues of namespaces, `namespace/name`, with the cluster queue behind each.
    pub(super) local: BTreeMap<String, String>,
    pub(super) cluster: BTreeMap<String, ClusterQueue>,
    /// Labels of the nodes of a flavour.
    pub(super) flavors: BTreeMap<String, BTreeMap<String, String>>,
    /// Cohorts that have a parent or a quota of their own.
    pub(super) nested: Vec<String>,
}

#[derive(Debug)]
pub(super) struct ClusterQueue {
    pub(super) cohort: Option<String>,
    pub(super) held: bool,
    /// It may preempt what others, or its own, run.
    pub(super) preempts: bool,
    /// Resources that it has quotas for, with the flavours in order of preference.
    pub(super) groups: Vec<(Vec<String>, Vec<Flavor>)>,
    /// What is used, by flavour; unknown where the status says nothing.
    pub(super) used: Option<BTreeMap<String, Amounts>>,
}

#[derive(Debug)]
pub(super) struct Flavor {
    name: String,
    quotas: BTreeMap<String, Quota>,
}

/// What a queue has of a resource in a flavour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quota {
    pub(super) nominal: i64,
    /// Most that it borrows; any amount when absent.
    pub(super) borrowing: Option<i64>,
    /// Most that it lends; all when absent.
    pub(super) lending: Option<i64>,
}

impl Quota {
    /// What it keeps for itself.
    pub(super) fn guaranteed(&self) -> i64 {
        self.nominal - self.lending.map_or(self.nominal, |most| most.min(self.nominal))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceFile {
    name: String,
    nominal_quota: Quantity,
    borrowing_limit: Option<Quantity>,
    lending_limit: Option<Quantity>,
}

fn names(value: &Value) -> Vec<String> {
    let list = value.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

impl Queues {
    /// Takes an object of Kueue over; false for kinds that say nothing of quotas.
    ///
    /// # Errors
    /// Quantities that are none.
    pub(super) fn take(&mut self, object: &Object) -> Result<bool, Wrong> {
        let spec = object.value.get("spec").unwrap_or(&Value::Null);
        let name = object.name.rsplit('/').next().unwrap_or_default().to_owned();
        match object.kind.as_str() {
            "LocalQueue" => {
                let space = object.name.split_once('/').map_or("default", |(space, _)| space);
                let queue = text(&spec["clusterQueue"]).unwrap_or_default();
                self.local.insert(format!("{space}/{name}"), queue);
            }
            "ResourceFlavor" => {
                let labels = spec["nodeLabels"].as_object().into_iter().flatten();
                let labels = labels.filter_map(|(key, value)| Some((key.clone(), text(value)?)));
                self.flavors.insert(name, labels.collect());
            }
            "ClusterQueue" => {
                let queue = ClusterQueue::of(spec, &object.value["status"])?;
                self.cluster.insert(name, queue);
            }
            "Cohort" => {
                let own = |key: &str| spec.get(key).is_some_and(|value| !value.is_null());
                if own("parent") || own("parentName") || own("resourceGroups") {
                    self.nested.push(name);
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl ClusterQueue {
    fn of(spec: &Value, status: &Value) -> Result<ClusterQueue, Wrong> {
        let mut groups = Vec::new();
        for (g, group) in spec["resourceGroups"].as_array().into_iter().flatten().enumerate() {
            let mut flavors = Vec::new();
            for (f, flavor) in group["flavors"].as_array().into_iter().flatten().enumerate() {
                let at = format!("spec.resourceGroups[{g}].flavors[{f}]");
                flavors.push(Flavor {
                    name: text(&flavor["name"]).unwrap_or_default(),
                    quotas: quotas(&flavor["resources"], &at)?,
                });
            }
            groups.push((names(&group["coveredResources"]), flavors));
        }
        let used = [&status["flavorsReservation"], &status["flavorsUsage"]];
        let used = used.into_iter().find_map(Value::as_array).map(|list| {
            let flavor = |one: &Value| {
                let all = one["resources"].as_array().into_iter().flatten();
                let amount = |one: &Value| {
                    let name = text(&one["name"])?;
                    let total: Quantity = serde_json::from_value(one["total"].clone()).ok()?;
                    Some((name.clone(), steps(&name, &total).ok()?))
                };
                Some((text(&one["name"])?, all.filter_map(amount).collect::<Amounts>()))
            };
            list.iter().filter_map(flavor).collect()
        });
        let stop = spec["stopPolicy"].as_str();
        Ok(ClusterQueue {
            cohort: text(&spec["cohortName"]).or_else(|| text(&spec["cohort"])),
            preempts: preempts(&spec["preemption"]),
            held: matches!(stop, Some("Hold" | "HoldAndDrain")),
            groups,
            used,
        })
    }

    /// The quota for a resource in a flavour.
    pub(super) fn quota(&self, flavor: &str, resource: &str) -> Option<Quota> {
        let all = self.groups.iter().flat_map(|(_, flavors)| flavors);
        all.filter(|one| one.name == flavor).find_map(|one| one.quotas.get(resource)).copied()
    }

    pub(super) fn used(&self, flavor: &str, resource: &str) -> i64 {
        let of = self.used.as_ref().and_then(|used| used.get(flavor));
        of.and_then(|amounts| amounts.get(resource)).copied().unwrap_or(0)
    }

    pub(super) fn flavors(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flat_map(|(_, flavors)| flavors).map(|flavor| flavor.name.as_str())
    }
}

/// Whether a policy preempts anything.
fn preempts(policy: &Value) -> bool {
    let some = |at: &str| {
        policy
            .pointer(at)
            .and_then(Value::as_str)
            .is_some_and(|word| !word.is_empty() && word != "Never")
    };
    some("/reclaimWithinCohort")
        || some("/withinClusterQueue")
        || some("/borrowWithinCohort/policy")
}

fn quotas(list: &Value, at: &str) -> Result<BTreeMap<String, Quota>, Wrong> {
    let mut quotas = BTreeMap::new();
    for (r, one) in list.as_array().into_iter().flatten().enumerate() {
        let wrong = |field: &str, cause: String| Wrong {
            field: format!("{at}.resources[{r}]{field}"),
            cause,
        };
        let file: ResourceFile =
            serde_json::from_value(one.clone()).map_err(|error| wrong("", error.to_string()))?;
        let read = |quantity: &Quantity, field: &str| {
            steps(&file.name, quantity).map_err(|cause| wrong(field, cause))
        };
        let optional = |quantity: &Option<Quantity>, field: &str| {
            quantity.as_ref().map(|quantity| read(quantity, field)).transpose()
        };
        let quota = Quota {
            nominal: read(&file.nominal_quota, ".nominalQuota")?,
            borrowing: optional(&file.borrowing_limit, ".borrowingLimit")?,
            lending: optional(&file.lending_limit, ".lendingLimit")?,
        };
        quotas.insert(file.name, quota);
    }
    Ok(quotas)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_keeps_what_it_does_not_lend() {
        let quota = |nominal, lending| Quota { nominal, borrowing: None, lending };
        assert_eq!(quota(12, Some(1)).guaranteed(), 11);
        assert_eq!(quota(12, Some(20)).guaranteed(), 0);
        assert_eq!(quota(12, None).guaranteed(), 0);
    }
}
