//! What a pod asks for in all, as the scheduler computes it: the sum of its containers, or
//! the peak while its init containers run, whichever is more, and the overhead.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, PodSpec, PodStatus, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::shares::in_cards;
use model::{Decimal, QuantityError};

/// Amounts by resource: thousandths of `cpu`, whole units of everything else, as the
/// scheduler counts them; of cards parts too fine to matter.
pub(super) type Amounts = BTreeMap<String, i64>;

/// What is wrong with a quantity, and in which field.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// `containers[0].resources.requests.cpu`
    pub(super) field: String,
    pub(super) cause: String,
}

const CPU: &str = "cpu";
/// Decimal places in which a resource is counted.
fn places(resource: &str) -> u8 {
    match resource {
        CPU => 3,
        _ if in_cards(resource) => 9,
        _ => 0,
    }
}

/// A quantity in whole steps of its resource, rounded up.
pub(super) fn steps(resource: &str, quantity: &Quantity) -> Result<i64, String> {
    let exact = Decimal::parse(&quantity.0).map_err(|error| error.to_string())?;
    let too_large = || QuantityError::TooLarge(quantity.0.clone()).to_string();
    exact.up_to_places(places(resource)).ok_or_else(too_large)
}

/// The decimal that so many steps are.
pub(super) fn decimal(resource: &str, steps: i64) -> Result<Decimal, QuantityError> {
    match places(resource) {
        0 => Decimal::from_integer(steps),
        3 => Decimal::parse(&format!("{steps}m")),
        _ => Decimal::parse(&format!("{steps}n")),
    }
}

/// A list of quantities in steps.
pub(super) fn amounts(
    list: Option<&BTreeMap<String, Quantity>>,
    field: &str,
) -> Result<Amounts, Wrong> {
    let mut amounts = Amounts::new();
    for (resource, quantity) in list.into_iter().flatten() {
        let wrong = |cause| Wrong { field: format!("{field}.{resource}"), cause };
        amounts.insert(resource.clone(), steps(resource, quantity).map_err(wrong)?);
    }
    Ok(amounts)
}

/// Adds amounts; sums too large to count stay at the largest number there is, which no
/// node has.
pub(super) fn add(to: &mut Amounts, more: &Amounts) {
    for (resource, amount) in more {
        let sum = to.entry(resource.clone()).or_insert(0);
        *sum = sum.saturating_add(*amount);
    }
}

fn raise(to: &mut Amounts, other: &Amounts) {
    for (resource, amount) in other {
        let most = to.entry(resource.clone()).or_insert(0);
        *most = (*most).max(*amount);
    }
}

/// Requests, and limits where there is no request: what the API server fills in.
fn requested(resources: Option<&ResourceRequirements>, field: &str) -> Result<Amounts, Wrong> {
    let Some(resources) = resources else { return Ok(Amounts::new()) };
    let mut all = amounts(resources.limits.as_ref(), &format!("{field}.limits"))?;
    all.extend(amounts(resources.requests.as_ref(), &format!("{field}.requests"))?);
    Ok(all)
}

/// A container's requests; of a running one what it has, where that is more than it asks.
fn of_container(
    container: &Container,
    status: Option<&PodStatus>,
    field: &str,
) -> Result<Amounts, Wrong> {
    let mut asked = requested(container.resources.as_ref(), &format!("{field}.resources"))?;
    let lists =
        status.into_iter().flat_map(|s| [&s.container_statuses, &s.init_container_statuses]);
    let known = lists.flatten().flatten().find(|known| known.name == container.name);
    if let Some(known) = known {
        let field = format!("status of {}", container.name);
        let given = known.resources.as_ref().and_then(|r| r.requests.as_ref());
        raise(&mut asked, &amounts(given, &format!("{field}.resources.requests"))?);
        let allocated = known.allocated_resources.as_ref();
        raise(&mut asked, &amounts(allocated, &format!("{field}.allocatedResources"))?);
    }
    Ok(asked)
}

/// Resources that a pod may ask for as a whole.
fn for_whole_pods(resource: &str) -> bool {
    resource == CPU || resource == "memory" || resource.starts_with("hugepages-")
}

/// What the pod needs on its node. `status` of a pod that runs there.
///
/// # Errors
/// Quantities that are none, with the field.
pub(super) fn effective(spec: &PodSpec, status: Option<&PodStatus>) -> Result<Amounts, Wrong> {
    let mut sum = Amounts::new();
    for (k, container) in spec.containers.iter().enumerate() {
        add(&mut sum, &of_container(container, status, &format!("containers[{k}]"))?);
    }
    // Sidecars started so far, and the most that is needed while any init container runs.
    let (mut sidecars, mut starting) = (Amounts::new(), Amounts::new());
    for (k, container) in spec.init_containers.iter().flatten().enumerate() {
        let own = of_container(container, status, &format!("initContainers[{k}]"))?;
        if container.restart_policy.as_deref() == Some("Always") {
            add(&mut sum, &own);
            add(&mut sidecars, &own);
            raise(&mut starting, &sidecars);
        } else {
            let mut now = sidecars.clone();
            add(&mut now, &own);
            raise(&mut starting, &now);
        }
    }
    raise(&mut sum, &starting);
    if let Some(pod) = &spec.resources {
        let limits = amounts(pod.limits.as_ref(), "resources.limits")?;
        for (resource, limit) in limits.into_iter().filter(|(name, _)| for_whole_pods(name)) {
            sum.entry(resource).or_insert(limit);
        }
        let whole = amounts(pod.requests.as_ref(), "resources.requests")?;
        sum.extend(whole.into_iter().filter(|(name, _)| for_whole_pods(name)));
    }
    add(&mut sum, &amounts(spec.overhead.as_ref(), "overhead")?);
    sum.retain(|_, amount| *amount > 0);
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::super::shares::CARD;
    use super::*;

    fn pod(text: &str) -> PodSpec {
        yaml_serde::from_str(text).unwrap()
    }

    fn needs(text: &str) -> Vec<(String, i64)> {
        effective(&pod(text), None).unwrap().into_iter().collect()
    }

    fn list(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
        expected.iter().map(|(name, amount)| ((*name).to_owned(), *amount)).collect()
    }

    #[test]
    fn quantities_are_counted_as_the_scheduler_does() {
        for (resource, text, expected) in [
            ("cpu", "100m", 100),
            ("cpu", "2", 2000),
            ("cpu", "0.1", 100),
            ("cpu", "1e-1", 100),
            ("cpu", "0.0001", 1),
            ("cpu", "1500u", 2),
            ("cpu", "1n", 1),
            ("cpu", "12E2", 1_200_000),
            ("memory", "1.5Gi", 1_610_612_736),
            ("memory", "500Mi", 524_288_000),
            ("memory", "1e3", 1000),
            ("memory", "123k", 123_000),
            ("memory", "0.1Gi", 107_374_183),
            ("memory", "128974848", 128_974_848),
            ("memory", "129e6", 129_000_000),
            ("memory", "128974848000m", 128_974_848),
            ("memory", "100m", 1),
            ("nvidia.com/gpu", "8", 8 * CARD),
            ("nvidia.com/gpu", "0", 0),
        ] {
            assert_eq!(steps(resource, &Quantity(text.into())), Ok(expected), "{resource} {text}");
        }
        for text in ["", "1.5.2", "abc", "-1", "1Zi", "1 Gi", "99999999999E"] {
            assert!(steps("cpu", &Quantity(text.into())).is_err(), "{text}");
        }
    }

    #[test]
    fn the_sum_of_containers_or_the_largest_init_container() {
        let text = "
containers:
- {name: a, resources: {requests: {cpu: 250m, memory: 64Mi}}}
- {name: b, resources: {requests: {cpu: 250m, memory: 64Mi}, limits: {nvidia.com/gpu: 1}}}
initContainers:
- {name: x, resources: {requests: {cpu: 400m, memory: 512Mi}}}
- {name: y, resources: {requests: {cpu: 600m}}}
";
        let memory = 512 << 20;
        assert_eq!(
            needs(text),
            list(&[("cpu", 600), ("memory", memory), ("nvidia.com/gpu", CARD)])
        );
    }

    #[test]
    fn sidecars_count_beside_everything_that_starts_after_them() {
        let text = "
containers:
- {name: a, resources: {requests: {cpu: 1}}}
initContainers:
- {name: before, resources: {requests: {cpu: 3}}}
- {name: sidecar, restartPolicy: Always, resources: {requests: {cpu: 2, memory: 1Gi}}}
- {name: after, resources: {requests: {cpu: 2500m}}}
";
        // Running: 1 + 2. While starting: 3, then 2, then 2 + 2.5.
        assert_eq!(needs(text), list(&[("cpu", 4500), ("memory", 1 << 30)]));
        let later = text.replace("2500m", "500m").replace("{cpu: 3}", "{cpu: 100m}");
        assert_eq!(needs(&later), list(&[("cpu", 3000), ("memory", 1 << 30)]));
    }

    #[test]
    fn overhead_comes_on_top_and_whole_pods_have_the_last_word() {
        let text = "
overhead: {cpu: 250m, memory: 120Mi}
containers:
- {name: a, resources: {limits: {cpu: 500m, memory: 100Mi}}}
";
        assert_eq!(needs(text), list(&[("cpu", 750), ("memory", 220 << 20)]));
        let whole = format!(
            "resources: {{requests: {{cpu: 2}}, limits: {{memory: 1Gi, hugepages-2Mi: 4Mi}}}}\n{text}"
        );
        let expected = [("cpu", 2250), ("hugepages-2Mi", 4 << 20), ("memory", 220 << 20)];
        assert_eq!(needs(&whole), list(&expected));
        assert_eq!(needs("containers: [{name: a}]"), []);
    }

    #[test]
    fn a_request_beats_its_limit_and_running_pods_have_what_they_were_given() {
        let spec = pod("
containers:
- {name: a, resources: {requests: {cpu: 100m}, limits: {cpu: 2}}}
");
        assert_eq!(effective(&spec, None).unwrap()["cpu"], 100);
        let status: PodStatus = yaml_serde::from_str(
            "
containerStatuses:
- {name: a, image: x, imageID: y, ready: true, restartCount: 0, allocatedResources: {cpu: 300m}}
",
        )
        .unwrap();
        assert_eq!(effective(&spec, Some(&status)).unwrap()["cpu"], 300);
    }

    #[test]
    fn what_is_no_quantity_names_its_field() {
        let spec = pod("containers: [{name: a}, {name: b, resources: {limits: {memory: lots}}}]");
        let wrong = effective(&spec, None).unwrap_err();
        assert_eq!(wrong.field, "containers[1].resources.limits.memory");
        assert!(wrong.cause.contains("`lots` is not a quantity"));
    }
}
