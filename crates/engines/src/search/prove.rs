//! Exact solving of small instances: raise the target from the bound, one attainable value at a
//! time, and ask the closing at each. The first value that is not impossible is the optimum.

use super::bound::Counting;
use super::closing::{Answer, Closing, Limit};
use super::problem::Problem;
use super::ratio::Ratio;

/// What raising the target found.
pub struct Proof {
    /// No plan has a smaller peak.
    pub bound: Ratio,
    /// A plan with exactly that peak, if one was found.
    pub plan: Option<Vec<u32>>,
    pub work: u64,
}

/// Raises the target from `bound` until a plan exists, the limit (on the work of all steps
/// together) is used up, or `below` is reached, the value of a plan at hand.
pub fn raise<const R: usize>(
    p: &Problem<R>,
    counting: &Counting<R>,
    bound: Ratio,
    below: Ratio,
    limit: Limit,
) -> Proof {
    let mut proof = Proof { bound, plan: None, work: 0 };
    while proof.bound < below && proof.work < limit.work {
        let limit = Limit { work: limit.work - proof.work, ..limit };
        let mut closing = Closing::new(&p.demand, &p.room(proof.bound), |i, j| p.may(i, j), limit);
        let answer = closing.run();
        proof.work += closing.work();
        match answer {
            Answer::Packed(of) => {
                proof.plan = Some(of.into_iter().map(u32::from).collect());
                return proof;
            }
            Answer::Unknown => return proof,
            Answer::Impossible => match counting.next_value(proof.bound) {
                Some(z) => proof.bound = z,
                None => return proof,
            },
        }
    }
    proof
}
