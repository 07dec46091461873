//! Shards: shares of cards that are GRES of their own. A card is given out whole or in shares.

use super::amounts::Amounts;
use super::cluster::Cluster;
use model::Direction;

/// What cards and their shares have in common: the shares that are not given out, as such or with
/// their card.
const SHARES: &str = "gpu shares";

impl Cluster {
    /// Counts shares and whole cards together, where nodes have both: a card is all of its shares.
    pub(super) fn share_cards(&mut self) {
        let of = |amounts: &Amounts, name: &str| amounts.gres.get(name).copied().unwrap_or(0);
        let mut each: Vec<i64> = Vec::new();
        for node in &self.nodes {
            let (cards, shards) = (of(&node.has, "gpu"), of(&node.has, "shard"));
            if cards > 0 && shards > 0 {
                each.push(shards / cards);
            }
        }
        let (Some(least), Some(most)) = (each.iter().min(), each.iter().max()) else { return };
        let least = (*least).max(1);
        if *most != least {
            let cause =
                "cards have different numbers of shards: the least is taken of a whole card";
            self.warnings.assume(Direction::Wider, "nodes[].gres".to_owned(), cause);
        }
        if self.pending.iter().any(|job| job.shape.names().any(|name| name == "shard")) {
            let cause = "shards of a job come from one card: planned as if from several";
            self.warnings.assume(Direction::Wider, "jobs[].tres_req_str".to_owned(), cause);
        }
        let add = |amounts: &mut Amounts| {
            let all = of(amounts, "gpu").saturating_mul(least);
            let all = all.saturating_add(of(amounts, "shard"));
            if all > 0 {
                amounts.gres.insert(SHARES.to_owned(), all);
            }
        };
        for node in &mut self.nodes {
            let (cards, shards) = (of(&node.has, "gpu"), of(&node.has, "shard"));
            let has = if shards > 0 { shards } else { cards.saturating_mul(least) };
            let mut used = node.used();
            [&mut used, &mut node.stated, &mut node.held].into_iter().for_each(add);
            node.ending.iter_mut().for_each(|(_, amounts)| add(amounts));
            if has > 0 {
                // What is taken may be more than what the least counts for.
                let most = has.max(of(&used, SHARES));
                node.has.gres.insert(SHARES.to_owned(), most);
            }
        }
        for job in &mut self.pending {
            add(&mut job.shape.task);
            add(&mut job.shape.node);
            job.shape.pool.iter_mut().for_each(|(_, unit)| add(unit));
        }
    }
}
