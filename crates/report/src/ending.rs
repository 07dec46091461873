//! The end that the names of all nodes share, such as `.eu-central-1.compute.internal`: a table says
//! it once.

use model::Instance;

/// Shorter ends stay where they are.
const SHORTEST: usize = 8;

/// What the names of all nodes end in, from a dot on; often nothing.
pub(super) struct Ending<'a>(&'a str);

impl<'a> Ending<'a> {
    /// The end of an instance's nodes.
    pub(super) fn of(instance: &'a Instance) -> Ending<'a> {
        let mut names = instance.node_ids().map(|node| instance.node_name(node));
        let first = names.next().unwrap_or_default();
        let mut shared = if instance.nodes() > 1 { first.len() } else { 0 };
        for name in names {
            let pairs = first.bytes().rev().zip(name.bytes().rev());
            let same = pairs.take(shared).take_while(|(a, b)| a == b).count();
            // Something of every name is left.
            shared = same.min(name.len().saturating_sub(1));
        }
        let shared = shared.min(first.len().saturating_sub(1));
        // A dot is a whole character wherever its byte stands.
        let from = first.bytes().skip(first.len() - shared).position(|byte| byte == b'.');
        let end = from.map_or("", |from| &first[first.len() - shared + from..]);
        Ending(if end.len() < SHORTEST { "" } else { end })
    }

    /// A node's name without it.
    pub(super) fn cut<'n>(&self, name: &'n str) -> &'n str {
        name.strip_suffix(self.0).unwrap_or(name)
    }

    /// What has to be said where names are cut.
    pub(super) fn said(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| format!("names of nodes end in `{}`", self.0))
    }
}
