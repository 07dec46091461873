//! In which multiple of its unit a resource is shown, so that bytes can be read.

use super::number;
use model::{Instance, Resource};

/// A resource with the multiple it is shown in.
pub(super) struct Unit<'a> {
    resource: &'a Resource,
    prefix: &'static str,
    size: i64,
}

impl<'a> Unit<'a> {
    /// Every resource's unit.
    pub(super) fn all(instance: &'a Instance) -> Vec<Unit<'a>> {
        (0..instance.resources().len()).map(|r| Unit::of(instance, r)).collect()
    }

    /// The largest binary multiple of which every node's capacity is a whole number; for bytes, of
    /// which some node has one at least.
    fn of(instance: &'a Instance, r: usize) -> Unit<'a> {
        let resource = &instance.resources()[r];
        let all = instance.node_ids().map(|node| instance.capacity(node)[r]);
        let capacities: Vec<f64> =
            all.filter(|c| *c > 0).map(|c| resource.scale.to_f64(c)).collect();
        for (prefix, power) in [("Ti", 40), ("Gi", 30), ("Mi", 20)] {
            let size = 1i64 << power;
            if !capacities.is_empty() && capacities.iter().all(|c| c % size as f64 == 0.0) {
                return Unit { resource, prefix, size };
            }
        }
        let most = capacities.iter().copied().fold(0.0, f64::max);
        let of_bytes = resource.unit.as_deref() == Some("byte");
        let fits = |(_, power): &(&str, u32)| of_bytes && most >= (1i64 << power) as f64;
        let (prefix, power) = [("Gi", 30), ("Mi", 20)].into_iter().find(fits).unwrap_or(("", 0));
        Unit { resource, prefix, size: 1 << power }
    }

    /// `memory used / capacity (GiB)`
    pub(super) fn title(&self, what: &str) -> String {
        let name = format!("{} {what}", self.resource.name).trim_end().to_owned();
        match (self.prefix, self.resource.unit.as_deref()) {
            ("", None) => name,
            // "Gi" and "byte" are written GiB.
            (prefix, Some("byte")) if !prefix.is_empty() => format!("{name} ({prefix}B)"),
            (prefix, unit) => format!("{name} ({prefix}{})", unit.unwrap_or("")),
        }
    }

    /// `608`
    pub(super) fn amount(&self, amount: i64) -> String {
        match self.size {
            1 => self.resource.scale.show(amount),
            size => number::plain(self.resource.scale.to_f64(amount) / size as f64),
        }
    }

    /// `608 / 1024`
    pub(super) fn used_of(&self, used: i64, capacity: i64) -> String {
        format!("{} / {}", self.amount(used), self.amount(capacity))
    }
}
