//! Demands and capacities that are probably written in different units.

use super::Format;
use model::{Draft, Instance, Resource};

/// Resources without a unit of which every node has whole mebibytes are bytes: nobody counts
/// anything else by multiples of 1,048,576.
pub(super) fn name_bytes(draft: &mut Draft) {
    let mut whole = vec![None; draft.resources.len()];
    for (r, amount) in draft.nodes.iter().flat_map(|node| &node.capacity) {
        let whole = &mut whole[usize::from(*r)];
        if !amount.is_zero() {
            let fine = amount.at_places(0).is_some_and(|amount| amount % (1 << 20) == 0);
            *whole = Some(fine && whole.unwrap_or(true));
        }
    }
    for (resource, _) in draft.resources.iter_mut().zip(whole).filter(|(_, w)| *w == Some(true)) {
        if !resource.devices && resource.unit.is_none() {
            resource.unit = Some("byte".to_owned());
        }
    }
}

/// How many times larger or smaller one is than the other before somebody is asked.
const FAR: i128 = 10_000;

/// What is suspicious of what a person wrote, in words with both amounts.
pub(super) fn suspicious(format: Format, instance: &Instance) -> Vec<String> {
    let mut told = Vec::new();
    if !matches!(format, Format::Json | Format::Csv) {
        return told;
    }
    for (r, resource) in instance.resources().iter().enumerate() {
        let demands = instance.task_ids().map(|task| instance.demand(task)[r]).filter(|d| *d > 0);
        let capacities = instance.node_ids().map(|node| instance.capacity(node)[r]);
        let (mut least, mut most) = (i64::MAX, 0);
        demands.for_each(|demand| (least, most) = (least.min(demand), most.max(demand)));
        let (mut small, mut large) = (i64::MAX, 0);
        capacities
            .filter(|capacity| *capacity > 0)
            .for_each(|capacity| (small, large) = (small.min(capacity), large.max(capacity)));
        if most == 0 || large == 0 {
            continue;
        }
        let name = &resource.name;
        // One of the two is in bytes, as far as one can see.
        let bytes = Resource { unit: Some("byte".to_owned()), ..resource.clone() };
        let show = |steps: i64| match resource.scale.show(steps).parse::<i64>() {
            Ok(amount) if amount % (1 << 20) == 0 => bytes.show(steps),
            _ => resource.show(steps),
        };
        let words = if i128::from(most) * FAR <= i128::from(small) {
            format!(
                "no task demands more than {} and no node has less than {}",
                show(most),
                show(small)
            )
        } else if i128::from(least) >= i128::from(large) * FAR {
            format!(
                "no task demands less than {} and no node has more than {}",
                show(least),
                show(large)
            )
        } else {
            continue;
        };
        told.push(format!(
            "{name}: {words}: are both in the same unit? Write 64GiB, or --units {name}=GiB for bare numbers in tables"
        ));
    }
    told
}
