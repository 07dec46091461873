//! The instance by classes: equal tasks are one kind with a count, equal nodes one type.

use super::super::problem::{Problem, Vector, fits, sub};
use model::gcd;
use rustc_hash::FxHashMap;

/// Equal tasks.
pub struct Kind<const R: usize> {
    pub demand: Vector<R>,
    /// The kind in the sense of `Problem`: where the tasks may run.
    label: u16,
    pub tasks: Vec<u32>,
}

/// Equal nodes: same room, same price, same tasks allowed.
pub struct Type<const R: usize> {
    /// What tasks may fill.
    pub room: Vector<R>,
    pub price: i64,
    /// Which of the `Shape::groups` of kinds may run here.
    pub group: usize,
    pub nodes: Vec<u32>,
}

/// Kinds of tasks and types of nodes.
pub struct Shape<const R: usize> {
    pub kinds: Vec<Kind<R>>,
    pub types: Vec<Type<R>>,
    /// Sets of kinds that occur as "what may run on a node", each as a list of kinds.
    pub groups: Vec<Vec<u32>>,
    /// Total demand.
    pub total: Vector<R>,
    /// Values are multiples of this.
    pub step: i64,
}

impl<const R: usize> Shape<R> {
    /// Groups tasks and nodes; nodes without room for any task are left out.
    pub fn new(p: &Problem<R>, prices: &[i64]) -> Self {
        let kinds = kinds(p);
        let mut groups: Vec<Vec<u32>> = Vec::new();
        let mut group_of: FxHashMap<Vec<u32>, usize> = FxHashMap::default();
        let mut at: FxHashMap<(Vector<R>, i64, usize), usize> = FxHashMap::default();
        let mut types: Vec<Type<R>> = Vec::new();
        for (j, price) in prices.iter().enumerate() {
            let room = sub(p.cap[j], p.used[j]);
            let own: Vec<u32> = (0..kinds.len() as u32)
                .filter(|k| p.allowed.is_empty() || p.allowed[label(&kinds, *k)][j])
                .collect();
            if !own.iter().any(|k| fits(&kinds[*k as usize].demand, &room)) {
                continue;
            }
            let group = *group_of.entry(own).or_insert_with_key(|own| {
                groups.push(own.clone());
                groups.len() - 1
            });
            let t = *at.entry((room, *price, group)).or_insert_with(|| {
                types.push(Type { room, price: *price, group, nodes: Vec::new() });
                types.len() - 1
            });
            types[t].nodes.push(j as u32);
        }
        let step = types.iter().fold(0, |g, t| gcd(g, t.price)).max(1);
        Shape { kinds, types, groups, total: p.total(), step }
    }

    /// Whether some task fits on no node at all.
    pub fn hopeless(&self) -> bool {
        let hosts = |k: u32| {
            let d = &self.kinds[k as usize].demand;
            self.types.iter().any(|t| fits(d, &t.room) && self.groups[t.group].contains(&k))
        };
        !(0..self.kinds.len() as u32).all(hosts)
    }

    /// Nodes for a choice: so many of each type, which ones does not matter.
    pub fn nodes(&self, x: &[i64]) -> Vec<u32> {
        let some = self.types.iter().zip(x).flat_map(|(t, x)| t.nodes.iter().take(*x as usize));
        some.copied().collect()
    }
}

fn label<const R: usize>(kinds: &[Kind<R>], k: u32) -> usize {
    usize::from(kinds[k as usize].label)
}

fn kinds<const R: usize>(p: &Problem<R>) -> Vec<Kind<R>> {
    let mut at: FxHashMap<(Vector<R>, u16), usize> = FxHashMap::default();
    let mut kinds: Vec<Kind<R>> = Vec::new();
    for (i, demand) in p.demand.iter().enumerate() {
        let label = if p.allowed.is_empty() { 0 } else { p.kind[i] };
        let k = *at.entry((*demand, label)).or_insert_with(|| {
            kinds.push(Kind { demand: *demand, label, tasks: Vec::new() });
            kinds.len() - 1
        });
        kinds[k].tasks.push(i as u32);
    }
    kinds
}
