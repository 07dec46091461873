//! A schedule to begin with: kept where it holds, in its order and on its nodes where it does not.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::improve::{Built, Search, better};
use super::problem::{NEVER, NONE};
use super::serial::{Builder, Recipe};
use model::Schedule;

/// What is given to begin with.
#[derive(Clone, Debug)]
pub struct Given {
    /// Nodes, and starts where they are known.
    pub schedule: Schedule,
    /// It breaks no rule: the answer is no worse.
    pub holds: bool,
}

const NAME: &str = "the plan given";

impl Search<'_> {
    /// The schedule given, or a better one with the same nodes in the order of its starts; tasks
    /// that have no room there are placed elsewhere. `used` counts work.
    pub fn begin_with(&self, given: &Given, used: &mut u64) -> Built {
        let p = self.p;
        let (plan, start) = (&given.schedule.plan, &given.schedule.start);
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut order = self.figures.order(p, self.rule(), 0.0, &mut rng);
        let first = |k: u32| p.jobs[k as usize].first as usize;
        order.sort_by_key(|k| start[first(*k)].unwrap_or(NEVER));
        let want = (0..p.jobs.len()).map(|k| {
            let node = plan.placement[p.jobs[k].first as usize].map_or(NONE, |node| node.0);
            let fits = p.jobs[k].units == 1 && p.places(k).binary_search(&node).is_ok();
            if fits { node } else { NONE }
        });
        let mut recipe = Recipe { order, want: want.collect(), ..Recipe::default() };
        let mut b = Builder::new(p);
        b.build(&recipe, self.aim);
        b.stop = Some(self.stop);
        let mut best = Built::of(&b, self.aim, &recipe, NAME);
        loop {
            let lost = |k: &usize| b.start[*k] >= NEVER && recipe.want[*k] != NONE;
            let lost: Vec<usize> = (0..p.jobs.len()).filter(lost).collect();
            if lost.is_empty() {
                break;
            }
            lost.into_iter().for_each(|k| recipe.want[k] = NONE);
            b.build(&recipe, self.aim);
            let next = Built::of(&b, self.aim, &recipe, NAME);
            best = better(Some(best.clone()), Some(next)).unwrap_or(best);
        }
        *used += b.work;
        if !given.holds {
            return best;
        }
        b.adopt(&given.schedule);
        let own = Built::of(&b, self.aim, &best.recipe, NAME);
        better(Some(own.clone()), Some(best)).unwrap_or(own)
    }
}
