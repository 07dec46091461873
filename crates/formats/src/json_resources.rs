//! Resources as JSON names them: by name wherever an amount stands.

use rustc_hash::FxHashMap;

use super::source::Text;
use super::values::{Ordered, Portion, Quantity};
use base::error::Result;
use base::nearest;
use model::{Decimal, Draft, Part, is_resource_name};

/// Positions of resources by name.
pub(super) struct ResourceNames<'a> {
    pub(super) source: Text<'a>,
    pub(super) at: FxHashMap<String, u16>,
}

impl ResourceNames<'_> {
    pub(super) fn position(
        &mut self,
        draft: &mut Draft,
        name: &str,
        place: impl Fn() -> String,
    ) -> Result<u16> {
        if let Some(at) = self.at.get(name) {
            return Ok(*at);
        }
        let error = |cause: String| Err(self.source.error(cause).at(place()));
        if !is_resource_name(name) {
            return error(format!("{name:?} is no name for a resource: use printable characters"));
        }
        if draft.resources.len() >= 1000 {
            return error("there are more than 1000 resources".to_owned());
        }
        let at = draft.resource(name);
        self.at.insert(name.to_owned(), at);
        Ok(at)
    }

    pub(super) fn quantities(
        &mut self,
        draft: &mut Draft,
        map: Ordered<Quantity>,
        place: impl Fn() -> String,
    ) -> Result<Vec<(u16, Decimal)>> {
        let mut list = Vec::with_capacity(map.0.len());
        for (name, quantity) in map.0 {
            list.push((self.position(draft, &name, &place)?, quantity.0));
        }
        Ok(list)
    }

    pub(super) fn portions(
        &mut self,
        draft: &mut Draft,
        map: Ordered<Portion>,
        place: impl Fn() -> String,
    ) -> Result<Vec<(u16, Part)>> {
        let mut list = Vec::with_capacity(map.0.len());
        for (name, portion) in map.0 {
            list.push((self.position(draft, &name, &place)?, portion.0));
        }
        Ok(list)
    }
}

/// A load or a reserve in a resource that no node has is a slip of the pen.
pub(super) fn check_used(source: Text, draft: &Draft) -> Result<()> {
    let mut offered = vec![false; draft.resources.len()];
    for (r, _) in draft.nodes.iter().flat_map(|node| &node.capacity) {
        offered[usize::from(*r)] = true;
    }
    let check = |r: u16, place: String| {
        if offered[usize::from(r)] {
            return Ok(());
        }
        let name = &draft.resources[usize::from(r)].name;
        let known = draft.resources.iter().zip(&offered).filter(|(_, offered)| **offered);
        let near = nearest(name, known.map(|(resource, _)| resource.name.as_str()));
        let cause = format!("no node has a capacity for resource `{name}`");
        let remedy = near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
        Err(source.error(cause).at(format!("{place}.{name}")).help(remedy))
    };
    for (r, _) in &draft.reserve {
        check(*r, "reserve".to_owned())?;
    }
    for (k, ratio) in draft.ratios.iter().enumerate() {
        check(ratio.room, format!("ratios[{k}].room"))?;
        check(ratio.with, format!("ratios[{k}].with"))?;
    }
    for (k, node) in draft.nodes.iter().enumerate() {
        for (r, _) in &node.used {
            check(*r, format!("nodes[{k}].used"))?;
        }
        for (r, _) in &node.overhead {
            check(*r, format!("nodes[{k}].overhead"))?;
        }
        for (r, _) in &node.reserve {
            check(*r, format!("nodes[{k}].reserve"))?;
        }
        for (r, _) in &node.watts {
            check(*r, format!("nodes[{k}].watts"))?;
        }
        for (r, _) in &node.safety {
            check(*r, format!("nodes[{k}].safety"))?;
        }
    }
    Ok(())
}
