//! What nodes keep free and from where on load has a price: parts of capacities as quantities.

use super::build::error;
use super::draft::{DraftError, DraftItem, NodeDraft, Part};
use super::{Decimal, Draft};

/// What nodes keep free, and from where on their load has a price.
pub(super) struct Room {
    pub(super) reserve: Vec<Vec<(u16, Decimal)>>,
    pub(super) safety: Vec<Vec<(u16, Decimal)>>,
}

impl Room {
    pub(super) fn of(draft: &Draft) -> Result<Room, DraftError> {
        let mut room = Room { reserve: Vec::new(), safety: Vec::new() };
        for (k, node) in draft.nodes.iter().enumerate() {
            let own = |r: u16| node.reserve.iter().any(|(known, _)| *known == r);
            let usual = draft.reserve.iter().filter(|(r, _)| !own(*r));
            let reserve = node.reserve.iter().chain(usual);
            room.reserve.push(parts(node, k, reserve, "reserve")?);
            room.safety.push(parts(node, k, node.safety.iter(), "safety")?);
        }
        Ok(room)
    }

    /// Safety capacities in steps; `i64::MAX` where there is none.
    pub(super) fn thresholds(&self, draft: &Draft, mut steps: Vec<i64>) -> Vec<i64> {
        let width = draft.resources.len();
        for (k, list) in self.safety.iter().enumerate() {
            for r in 0..width {
                if !list.iter().any(|(known, _)| *known as usize == r) {
                    steps[k * width + r] = i64::MAX;
                }
            }
        }
        match self.safety.iter().all(Vec::is_empty) {
            true => Vec::new(),
            false => steps,
        }
    }
}

/// Parts of a node's capacities as quantities.
fn parts<'a>(
    node: &NodeDraft,
    k: usize,
    list: impl Iterator<Item = &'a (u16, Part)>,
    field: &str,
) -> Result<Vec<(u16, Decimal)>, DraftError> {
    list.map(|(r, part)| match part {
        Part::Exact(exact) => Ok((*r, *exact)),
        Part::Percent(percent) => {
            let capacity = node.capacity.iter().find(|(known, _)| known == r);
            let capacity = capacity.map_or(Decimal::ZERO, |(_, capacity)| *capacity);
            let part = capacity.percent(*percent).ok_or_else(|| {
                let cause = format!("{percent} % of {capacity} has too many digits");
                error(DraftItem::Node(k), field, cause, "write the amount instead")
            })?;
            Ok((*r, part))
        }
    })
    .collect()
}
