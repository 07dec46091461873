//! Shares of GPUs as demands of pods, and cards as resources of nodes.

use super::cluster::Cluster;
use super::shares::{
    CARD, CARD_MEMORY, CORE_CARDS, GPU, GPU_CORES, GPU_MEMORY, GPU_PERCENT, MEMORY_CARDS, Share,
    steps_of,
};
use model::Direction;

impl Cluster {
    /// Turns shares into demands for parts of cards.
    pub(super) fn share_out(&mut self) {
        self.annotated();
        if self.hosts.iter().any(|host| !host.cards.is_empty()) {
            self.registered();
        }
    }

    /// The least memory of a card, by the labels of nodes that have any.
    fn least_memory(&self) -> Option<(i64, bool)> {
        let label = |host: &super::nodes::Host| {
            let own = host.labels.iter().find(|(key, _)| key == CARD_MEMORY);
            own.and_then(|(_, text)| text.parse::<i64>().ok())
        };
        let with_cards = self.hosts.iter().filter(|host| host.allocatable.contains_key(GPU));
        let all: Vec<i64> = with_cards.filter_map(label).filter(|memory| *memory > 0).collect();
        let least = all.iter().copied().min()?;
        Some((least, all.iter().any(|memory| *memory != least)))
    }

    fn annotated(&mut self) {
        let least = self.least_memory();
        let all =
            self.running.iter().map(|p| (p, false)).chain(self.waiting.iter().map(|p| (p, true)));
        let mut told: Vec<(Direction, String, &str)> = Vec::new();
        let mut more: Vec<Option<i64>> = Vec::new();
        for (pod, waits) in all {
            let place = || self.show(pod.place, &pod.id);
            let asked = match &pod.share {
                None => None,
                Some(Share::Part(part, many)) => Some((*part, *many)),
                Some(Share::Memory(memory, many)) => match least {
                    Some((of, differs)) => {
                        if differs {
                            let what = "cards differ in memory: a share of the smallest is planned";
                            told.push((Direction::Narrower, place(), what));
                        }
                        Some((steps_of(*memory, of).min(CARD), *many))
                    }
                    None => {
                        let what = "no node says how much memory its cards have (nvidia.com/gpu.memory): whole cards are planned";
                        told.push((Direction::Narrower, place(), what));
                        Some((CARD, *many))
                    }
                },
            };
            more.push(asked.map(|(part, many)| {
                if many > 1 && part < CARD {
                    let what = "shares of several cards at once: whole cards are planned";
                    told.push((Direction::Narrower, place(), what));
                    return many.saturating_mul(CARD);
                }
                if !waits {
                    let what = "which cards running pods share is not known: they are taken to fill one after the other";
                    told.push((Direction::Either, place(), what));
                }
                part.saturating_mul(many)
            }));
        }
        self.shared |= more.iter().any(Option::is_some);
        let running = self.running.len();
        for (k, steps) in more.into_iter().enumerate().filter_map(|(k, s)| Some((k, s?))) {
            let pod = match k.checked_sub(running) {
                Some(k) => &mut self.waiting[k],
                None => &mut self.running[k],
            };
            let mut needs = self.needs[pod.needs].clone();
            needs.insert(GPU.to_owned(), steps);
            pod.needs = self.needs_at.number(&mut self.needs, needs);
        }
        for (errs, place, what) in told {
            self.warnings.assume(errs, &place, "metadata.annotations", what);
        }
    }

    /// HAMi's cards, and what pods ask of them. Cores are left out where memory is always the
    /// larger share: then what fits by memory fits by cores.
    fn registered(&mut self) {
        let cards = || self.hosts.iter().flat_map(|host| host.cards.iter().copied());
        let (least, most) = (cards().min().unwrap_or(1), cards().max().unwrap_or(1));
        let mut told: Vec<(Direction, &str)> = Vec::new();
        let mut any = [false; 3];
        let mut shares: Vec<Option<(i64, i64)>> = Vec::with_capacity(self.needs.len());
        for needs in &mut self.needs {
            let many = needs.get(GPU).copied().unwrap_or(0) / CARD;
            let memory = needs.remove(GPU_MEMORY);
            let percent = needs.remove(GPU_PERCENT);
            let cores = needs.remove(GPU_CORES).unwrap_or(0).clamp(0, 100) * (CARD / 100);
            if many == 0 {
                shares.push(None);
                continue;
            }
            let part = match (memory, percent) {
                (Some(memory), _) => {
                    any[0] |= least != most;
                    steps_of(memory, least).min(CARD)
                }
                (None, Some(percent)) => percent.clamp(1, 100) * (CARD / 100),
                (None, None) => CARD,
            };
            if many > 1 && (part < CARD || cores > 0) {
                any[1] = true;
                shares.push(Some((many.saturating_mul(CARD), many.saturating_mul(CARD))));
            } else {
                shares.push(Some((part.saturating_mul(many), cores)));
            }
        }
        let larger =
            |share: &Option<(i64, i64)>| share.is_none_or(|(memory, cores)| cores <= memory);
        let by_memory = shares.iter().all(larger);
        for (needs, share) in self.needs.iter_mut().zip(shares) {
            let Some((memory, cores)) = share else { continue };
            needs.insert(MEMORY_CARDS.to_owned(), memory);
            if !by_memory && cores > 0 {
                needs.insert(CORE_CARDS.to_owned(), cores);
                any[2] = true;
            }
        }
        for host in &mut self.hosts {
            let many = host.cards.len() as i64 * CARD;
            host.allocatable.insert(MEMORY_CARDS.to_owned(), many);
            if !by_memory {
                host.allocatable.insert(CORE_CARDS.to_owned(), many);
            }
        }
        if any[0] {
            told.push((
                Direction::Narrower,
                "cards differ in memory: shares of the smallest are planned",
            ));
        }
        if any[1] {
            told.push((
                Direction::Narrower,
                "shares of several cards at once: whole cards are planned",
            ));
        }
        if any[2] {
            told.push((
                Direction::Wider,
                "that cores and memory are of the same card is not planned with",
            ));
        }
        let taken = |pod: &super::pods::Pod| self.needs[pod.needs].contains_key(MEMORY_CARDS);
        if self.running.iter().any(taken) {
            told.push((
                Direction::Either,
                "which cards running pods share is not known: they are taken to fill one after the other",
            ));
        }
        for (errs, what) in told {
            self.warnings.assume(errs, "", GPU_MEMORY, what);
        }
    }
}
