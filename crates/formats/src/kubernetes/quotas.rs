//! Quotas of namespaces, which bound the pods that are yet to be made, and what a namespace fills
//! in where pods ask for nothing.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{LimitRange, PodSpec, ResourceQuota};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::requests::{Wrong, decimal, steps};
use model::{Ask, Decimal, Direction, Limit, LimitDraft, RuleDraft, Whom};

/// A limit on the sum of what these pods need, in steps of the resource.
pub(super) fn limit(
    name: &str,
    resource: &str,
    over: &str,
    value: Option<String>,
    at_most: i64,
    ids: Vec<String>,
) -> RuleDraft {
    let at_most = decimal(resource, at_most).unwrap_or(Decimal::ZERO);
    RuleDraft {
        limit: Some(LimitDraft {
            resource: resource.to_owned(),
            values: value.into_iter().collect(),
            at_most,
            later: Vec::new(),
            always: true,
        }),
        ..RuleDraft::new(name.to_owned(), Ask::Limit(Limit::default()), over, Whom::Tasks(ids))
    }
}

/// What a namespace may have, and what it has.
#[derive(Debug)]
pub(super) struct Quota {
    pub(super) name: String,
    pub(super) namespace: String,
    /// Still to be had, by the quota's own key.
    pub(super) left: BTreeMap<String, i64>,
    /// Only pods of these priority classes count.
    pub(super) classes: Option<Vec<String>>,
}

/// What namespaces bound and fill in.
#[derive(Debug, Default)]
pub(super) struct Quotas {
    pub(super) quotas: Vec<Quota>,
    /// Namespace, requests for containers that ask for nothing.
    defaults: Vec<(String, BTreeMap<String, Quantity>)>,
}

/// Keys of quotas that count no pods and nothing that pods ask for.
fn counts_other_things(key: &str) -> bool {
    let known = ["services", "secrets", "configmaps", "replicationcontrollers", "resourcequotas"];
    let storage = ["persistentvolumeclaims", "requests.storage", "services.loadbalancers"];
    (key.starts_with("count/") && key != "count/pods")
        || known.contains(&key)
        || storage.contains(&key)
        || key == "services.nodeports"
        || key.contains(".storageclass.storage.k8s.io/")
}

/// The resource whose requests a key of a quota bounds.
pub(super) fn resource(key: &str) -> Option<&str> {
    match key {
        "pods" | "count/pods" => Some("tasks"),
        "cpu" | "memory" | "ephemeral-storage" => Some(key),
        _ if key.starts_with("hugepages-") => Some(key),
        _ => key.strip_prefix("requests."),
    }
}

impl Quotas {
    /// Takes a quota over.
    ///
    /// # Errors
    /// Quantities that are none.
    pub(super) fn quota(
        &mut self,
        quota: ResourceQuota,
        tell: &mut dyn FnMut(Direction, String, String),
    ) -> Result<(), Wrong> {
        let spec = quota.spec.unwrap_or_default();
        let used = quota.status.and_then(|status| status.used).unwrap_or_default();
        let mut classes = None;
        let of_classes = |one: &&k8s_openapi::api::core::v1::ScopedResourceSelectorRequirement| {
            one.scope_name == "PriorityClass" && one.operator == "In"
        };
        let selectors =
            spec.scope_selector.iter().flat_map(|s| s.match_expressions.iter().flatten());
        let (known, other): (Vec<_>, Vec<_>) = selectors.partition(of_classes);
        if let [only] = &known[..] {
            classes = Some(only.values.clone().unwrap_or_default());
        }
        if known.len() > 1 || !other.is_empty() || spec.scopes.iter().flatten().next().is_some() {
            let what = "the quota counts pods of some scopes only: it is left out".to_owned();
            tell(Direction::Wider, "spec.scopes".to_owned(), what);
            return Ok(());
        }
        let mut left = BTreeMap::new();
        for (key, hard) in spec.hard.into_iter().flatten() {
            if counts_other_things(&key) {
                continue;
            }
            let Some(resource) = resource(&key) else {
                let what = "limits of containers are not planned with".to_owned();
                tell(Direction::Wider, format!("spec.hard.{key}"), what);
                continue;
            };
            let read = |quantity: &Quantity, field: String| {
                steps(resource, quantity).map_err(|cause| Wrong { field, cause })
            };
            let most = read(&hard, format!("spec.hard.{key}"))?;
            let taken =
                used.get(&key).map(|q| read(q, format!("status.used.{key}"))).transpose()?;
            if taken.is_none() {
                let what = "what is used is not said: nothing is taken to be".to_owned();
                tell(Direction::Wider, format!("status.used.{key}"), what);
            }
            left.insert(key, most.saturating_sub(taken.unwrap_or(0)).max(0));
        }
        self.quotas.push(Quota {
            name: quota.metadata.name.unwrap_or_default(),
            namespace: quota.metadata.namespace.unwrap_or_else(|| "default".to_owned()),
            left,
            classes,
        });
        Ok(())
    }

    /// Takes what a namespace fills in over.
    pub(super) fn range(
        &mut self,
        range: LimitRange,
        tell: &mut dyn FnMut(Direction, String, String),
    ) {
        let namespace = range.metadata.namespace.unwrap_or_else(|| "default".to_owned());
        for (k, item) in range.spec.into_iter().flat_map(|spec| spec.limits).enumerate() {
            let bounds = [
                ("min", item.min.is_some()),
                ("max", item.max.is_some()),
                ("maxLimitRequestRatio", item.max_limit_request_ratio.is_some()),
            ];
            let pods = item.type_ == "Container" || item.type_ == "Pod";
            for (field, _) in bounds.into_iter().filter(|(_, is)| *is && pods) {
                let what = "bounds on what a pod may ask for are not planned with".to_owned();
                tell(Direction::Wider, format!("spec.limits[{k}].{field}"), what);
            }
            if item.type_ == "Container" {
                let requests = item.default_request.unwrap_or_default();
                let mut all = item.default.unwrap_or_default();
                all.extend(requests);
                self.defaults.push((namespace.clone(), all));
            }
        }
    }

    /// The pod as the API server makes it: containers that ask for nothing ask for what their
    /// namespace fills in.
    pub(super) fn fill_in(&self, namespace: &str, spec: &mut PodSpec) {
        let own = self.defaults.iter().filter(|(space, _)| space == namespace);
        let own: Vec<&BTreeMap<String, Quantity>> = own.map(|(_, all)| all).collect();
        if own.is_empty() {
            return;
        }
        let starting = spec.init_containers.iter_mut().flatten();
        for container in spec.containers.iter_mut().chain(starting) {
            let resources = container.resources.get_or_insert_default();
            for (resource, amount) in own.iter().flat_map(|all| all.iter()) {
                let limited =
                    resources.limits.as_ref().is_some_and(|all| all.contains_key(resource));
                let requests = resources.requests.get_or_insert_default();
                if !limited {
                    requests.entry(resource.clone()).or_insert_with(|| amount.clone());
                }
            }
        }
    }
}
