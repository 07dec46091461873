//! Amounts of CPUs, memory and generic resources.

use rustc_hash::{FxHashMap, FxHashSet};

use super::words::Gres;

/// What a node has, or what is taken of it, or what a task takes: by resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Amounts {
    pub(super) cpu: i64,
    /// MiB.
    pub(super) memory: i64,
    /// By name, such as `gpu` or `gpu:a100`; what is typed counts under both.
    pub(super) gres: FxHashMap<String, i64>,
}

impl Amounts {
    /// Adds generic resources. Where a name comes both with and without types, the
    /// typed ones are part of it.
    pub(super) fn add_gres(&mut self, list: &[Gres]) {
        let names: FxHashSet<&str> = list.iter().map(|one| one.name.as_str()).collect();
        for name in names {
            let of = |typed: bool| {
                let own = list.iter().filter(|one| one.name == name && one.kind.is_some() == typed);
                own.map(|one| one.count).fold(0, i64::saturating_add)
            };
            self.put(resource(name, None), of(true).max(of(false)));
        }
        for one in list.iter().filter(|one| one.kind.is_some()) {
            self.put(resource(&one.name, one.kind.as_deref()), one.count);
        }
    }

    fn put(&mut self, name: String, count: i64) {
        let own = self.gres.entry(name).or_default();
        *own = own.saturating_add(count);
    }

    /// The greater of both, resource by resource.
    pub(super) fn raise(&mut self, other: &Amounts) {
        self.cpu = self.cpu.max(other.cpu);
        self.memory = self.memory.max(other.memory);
        for (name, count) in &other.gres {
            let own = self.gres.entry(name.clone()).or_default();
            *own = (*own).max(*count);
        }
    }

    /// So many of these.
    pub(super) fn times(&self, n: i64) -> Amounts {
        let gres = self.gres.iter();
        Amounts {
            cpu: self.cpu.saturating_mul(n),
            memory: self.memory.saturating_mul(n),
            gres: gres.map(|(name, own)| (name.clone(), own.saturating_mul(n))).collect(),
        }
    }

    /// What is left of it.
    pub(super) fn less(&self, other: &Amounts) -> Amounts {
        let of = |name: &String| other.gres.get(name).copied().unwrap_or(0);
        let gres = self.gres.iter();
        Amounts {
            cpu: self.cpu.saturating_sub(other.cpu),
            memory: self.memory.saturating_sub(other.memory),
            gres: gres.map(|(name, own)| (name.clone(), own.saturating_sub(of(name)))).collect(),
        }
    }

    /// How many of the other there is room for.
    pub(super) fn times_of(&self, other: &Amounts) -> i64 {
        let of = |name: &String| self.gres.get(name).copied().unwrap_or(0);
        let gres = other.gres.iter().map(|(name, own)| (of(name), *own));
        let all = [(self.cpu, other.cpu), (self.memory, other.memory)].into_iter().chain(gres);
        let wanted = all.filter(|(_, own)| *own > 0);
        wanted.map(|(has, own)| (has / own).max(0)).min().unwrap_or(i64::MAX)
    }

    /// Whether there is room for the other.
    pub(super) fn holds(&self, other: &Amounts) -> bool {
        self.times_of(other) > 0
    }

    pub(super) fn add(&mut self, other: &Amounts) {
        self.cpu = self.cpu.saturating_add(other.cpu);
        self.memory = self.memory.saturating_add(other.memory);
        other.gres.iter().for_each(|(name, count)| self.put(name.clone(), *count));
    }
}

/// `gpu`, `gpu:a100`; never one of the two resources that are no GRES.
pub(super) fn resource(name: &str, kind: Option<&str>) -> String {
    let name = match name {
        "cpu" | "memory" => format!("gres:{name}"),
        name => name.to_owned(),
    };
    kind.map_or(name.clone(), |kind| format!("{name}:{kind}"))
}
