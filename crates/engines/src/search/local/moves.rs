//! The moves of the local search, and annealing by them.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::super::budget::Budget;
use super::super::problem::Vector;
use super::board::Board;
use model::TaskId;

/// How long and how hot: temperatures in units of the tier.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Moves proposed: the unit of a work limit.
    pub moves: u64,
    pub hot: f64,
    pub cold: f64,
    /// Whether nodes may be overloaded on the way, at a price that rises.
    pub strained: bool,
    /// The value at which there is nothing left to do.
    pub enough: f64,
}

/// Moves between two looks at temperature, clock and value.
const CHUNK: u64 = 4096;
/// Doublings of the power by which `peak` is smoothed, at the start and at the end.
const POWERS: (i32, i32) = (4, 8);

/// What to propose apart from anything anywhere.
pub struct Guide {
    /// Tasks that have to move together: gangs, and rules that keep tasks together.
    bundles: Vec<Vec<u32>>,
    /// Tasks that can move by size, and where in that order each task is.
    by_size: Vec<u32>,
    rank: Vec<u32>,
    /// The nodes where each task costs least; empty where it costs the same everywhere.
    prefer: Vec<Vec<u32>>,
}

/// Nodes that a task prefers.
const PREFERRED: usize = 12;
/// Most pairs of task and node to look at for that.
const MANY: usize = 50_000_000;

impl Guide {
    /// For the stage of the board.
    pub fn of<const R: usize>(board: &Board<R>) -> Guide {
        let problem = board.problem;
        let instance = problem.instance;
        let together = instance
            .rules()
            .iter()
            .filter(|rule| rule.at_most() == 1 || (rule.all_or_none() && problem.may_drop));
        let m = problem.nodes.len();
        let uneven = problem.tolls_differ(board.stage) && board.node_of.len() * m <= MANY;
        let prefer = |i: usize| {
            let nodes = (0..m).filter(|j| problem.may(i, *j));
            let mut nodes: Vec<(f64, u32)> =
                nodes.map(|j| (problem.toll(board.stage, i, j), j as u32)).collect();
            nodes.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            nodes.into_iter().take(PREFERRED).map(|(_, j)| j).collect()
        };
        let (by_size, rank) = sizes(board);
        Guide {
            by_size,
            rank,
            bundles: together.map(|rule| rule.tasks.iter().map(|t| t.0).collect()).collect(),
            prefer: if uneven {
                (0..board.node_of.len()).map(prefer).collect()
            } else {
                Vec::new()
            },
        }
    }

    /// A task about as large, which is likely to fit in the other's place; or any.
    fn like(&self, i: usize, rng: &mut ChaCha8Rng) -> usize {
        let n = self.by_size.len() as u32;
        let reach = match rng.random_range(0..4u32) {
            0 => n,
            1 => n / 4,
            2 => n / 16,
            _ => n / 64,
        };
        let low = self.rank[i].saturating_sub(reach.max(4));
        let high = (self.rank[i] + reach.max(4)).min(n - 1);
        self.by_size[rng.random_range(low..=high) as usize] as usize
    }

    /// A node for the task: one that it prefers, or any.
    ///
    /// Or the one where it runs now: there it takes no transient resource from others, so a
    /// move back makes room for moves that matter, and a plan full of needless ones has none.
    pub fn node<const R: usize>(&self, board: &Board<R>, i: usize, rng: &mut ChaCha8Rng) -> usize {
        let home = board.problem.home[i] as usize;
        if home != board.problem.nowhere() && rng.random_range(0..4u32) == 0 {
            return home;
        }
        match self.prefer.get(i) {
            Some(list) if !list.is_empty() && rng.random_range(0..4u32) > 0 => {
                any(list, rng) as usize
            }
            _ => somewhere(board, rng),
        }
    }
}

/// Tasks that can move, by their mean share of a node's capacity, and the rank of each.
fn sizes<const R: usize>(board: &Board<R>) -> (Vec<u32>, Vec<u32>) {
    let g = board.problem;
    let mean = g.mean_capacity();
    let size = |i: &u32| -> f64 {
        (0..R).map(|r| g.demand[*i as usize][r] as f64 / mean[r].max(1.0)).sum()
    };
    let mut by_size = g.movable.clone();
    by_size.sort_by(|a, b| size(a).total_cmp(&size(b)));
    let mut rank = vec![0; g.demand.len()];
    by_size.iter().enumerate().for_each(|(at, i)| rank[*i as usize] = at as u32);
    (by_size, rank)
}

/// What an annealing left.
pub struct Best {
    pub value: f64,
    pub node_of: Vec<u32>,
    /// Moves proposed.
    pub moves: u64,
}

/// Anneals in place; keeps the best plan it looks at.
pub fn anneal<const R: usize>(
    board: &mut Board<R>,
    schedule: Schedule,
    guide: &Guide,
    rng: &mut ChaCha8Rng,
    budget: &Budget,
) -> Best {
    let mut best = Best { value: board.value(), node_of: board.node_of.clone(), moves: 0 };
    // Looking costs as much as a few moves for each task and node.
    let chunk = CHUNK.max((board.node_of.len() + board.problem.nodes.len()) as u64);
    let dice = dice();
    let mut doublings = 0;
    let mut strain = schedule.strained.then(|| Strain::new(board, schedule.moves / chunk));
    while best.moves < schedule.moves && best.value > schedule.enough && !budget.over() {
        let part = best.moves as f64 / schedule.moves as f64;
        let heat = schedule.hot * (schedule.cold / schedule.hot).powf(part);
        let wanted = POWERS.0 + ((POWERS.1 - POWERS.0 + 1) as f64 * part) as i32;
        if wanted != doublings {
            doublings = wanted;
            board.set_power(doublings, board.highest().max(1e-9));
        } else {
            board.level_anew();
        }
        if let Some(prices) = &mut strain {
            let lacking = board.lacking();
            if part > COLDER && lacking == [0; R] {
                strain = None;
                board.set_strain(None);
            } else {
                board.set_strain(Some(prices.prices(heat, part, &lacking)));
            }
        }
        for _ in 0..chunk.min(schedule.moves - best.moves) {
            let most = heat * any(&dice, rng);
            step(board, guide, most, rng);
        }
        best.moves += chunk;
        let value = board.value();
        if value < best.value && board.lacking() == [0; R] {
            best.value = value;
            best.node_of.clone_from(&board.node_of);
        }
    }
    best
}

/// The price of overload while an annealing allows it: what one task may put on top of a
/// full node for free, so to speak, shrinks from half a node to a millionth. A resource that
/// stays overloaded gets dearer by itself.
struct Strain<const R: usize> {
    /// One over the mean capacity.
    inverse: [f64; R],
    dearer: [f64; R],
    growth: f64,
}

/// Parts of a node that are tolerated per unit of heat, at first and at last.
const TOLERATED: (f64, f64) = (0.5, 1e-6);
/// From then on an annealing that overloads no node overloads none any more: that is faster,
/// and moves in the cold are small.
const COLDER: f64 = 0.5;
/// When in an annealing resources begin to get dearer by themselves, and how much they can.
const DEARER: (f64, f64) = (0.3, 1e5);

impl<const R: usize> Strain<R> {
    fn new(board: &Board<R>, chunks: u64) -> Self {
        let rest = (1.0 - DEARER.0) * chunks.max(1) as f64;
        Strain {
            inverse: board.problem.mean_capacity().map(|mean| 1.0 / mean.max(1.0)),
            dearer: [1.0; R],
            growth: DEARER.1.powf(1.0 / rest),
        }
    }

    fn prices(&mut self, heat: f64, part: f64, lacking: &Vector<R>) -> [f64; R] {
        let tolerated = TOLERATED.0 * (TOLERATED.1 / TOLERATED.0).powf(part);
        let lack = |r: &usize| part > DEARER.0 && lacking[*r] > 0;
        (0..R).filter(lack).for_each(|r| self.dearer[r] *= self.growth);
        std::array::from_fn(|r| heat * self.inverse[r] / tolerated * self.dearer[r])
    }
}

/// How much worse than the temperature a move may be, drawn beforehand: logarithms are slow.
fn dice() -> Vec<f64> {
    let sides = 1 << 12;
    (0..sides).map(|k| -((k as f64 + 0.5) / sides as f64).ln()).collect()
}

/// One of a list that is not empty.
fn any<T: Copy>(list: &[T], rng: &mut ChaCha8Rng) -> T {
    list[rng.random_range(0..list.len() as u32) as usize]
}

/// A task of the dearer one of two nodes.
fn busy<const R: usize>(board: &Board<R>, rng: &mut ChaCha8Rng) -> Option<usize> {
    let a = rng.random_range(0..board.problem.nodes.len() as u32) as usize;
    let b = rng.random_range(0..board.problem.nodes.len() as u32) as usize;
    let j = if board.own(a) >= board.own(b) { a } else { b };
    member(board, j, rng)
}

/// Proposes one move; makes it if it costs at most `most`.
fn step<const R: usize>(board: &mut Board<R>, guide: &Guide, most: f64, rng: &mut ChaCha8Rng) {
    let movable = &board.problem.movable;
    if movable.is_empty() || board.problem.nodes.is_empty() {
        return;
    }
    // A third of the time a task of a node that costs more than another.
    let busy = if rng.random_range(0..3u32) == 0 { busy(board, rng) } else { None };
    let i = busy.unwrap_or_else(|| any(movable, rng) as usize);
    match rng.random_range(0..32u32) {
        0 if !guide.bundles.is_empty() => {
            let bundle = &guide.bundles[rng.random_range(0..guide.bundles.len())];
            move_bundle(board, bundle, most, rng);
        }
        1..=2 => {
            let b = guide.node(board, i, rng);
            chain(board, (i, b), guide, most, rng);
        }
        3..=17 => {
            let k = match guide.prefer.is_empty() {
                true => guide.like(i, rng),
                false => match member(board, guide.node(board, i, rng), rng) {
                    Some(k) => k,
                    None => return,
                },
            };
            let (a, b) = (board.node_of[i] as usize, board.node_of[k] as usize);
            if let Some(delta) = board.swap(i, k, most) {
                board.commit(&[(i, b), (k, a)], delta);
            }
        }
        _ => {
            let b = guide.node(board, i, rng);
            if let Some(delta) = board.relocate(i, b, most) {
                board.commit(&[(i, b)], delta);
            }
        }
    }
}

/// A task of the node that can move.
pub fn member<const R: usize>(board: &Board<R>, j: usize, rng: &mut ChaCha8Rng) -> Option<usize> {
    let there = board.members(j);
    let k = *there.get(rng.random_range(0..there.len().max(1) as u32) as usize)?;
    board.problem.instance.pin(TaskId(k)).is_none().then_some(k as usize)
}

/// A node, or rarely nowhere where tasks may be nowhere.
fn somewhere<const R: usize>(board: &Board<R>, rng: &mut ChaCha8Rng) -> usize {
    let m = board.problem.nodes.len();
    if board.problem.may_drop && rng.random_range(0..16u32) == 0 {
        return m;
    }
    rng.random_range(0..m as u32) as usize
}

/// Ejection chain: task `i` takes the place of a task that goes to a third node.
fn chain<const R: usize>(
    board: &mut Board<R>,
    (i, b): (usize, usize),
    guide: &Guide,
    most: f64,
    rng: &mut ChaCha8Rng,
) {
    if board.node_of[i] as usize == b {
        return;
    }
    let Some(k) = member(board, b, rng) else { return };
    let c = guide.node(board, k, rng);
    let g = board.problem;
    if c == b {
        return;
    }
    let next = board.room(c);
    let to = g.takes(k, c);
    let leaves = board.node_of[i] as usize == c;
    let own = if leaves { g.takes(i, c) } else { [0; R] };
    let fits = |r: usize| to[r] - own[r] <= next[r];
    if board.strained() || (g.has_room(i, b, Some(k), board.room(b)) && (0..R).all(fits)) {
        board.attempt(&[(k, c), (i, b)], most);
    }
}

/// All tasks of a bundle to one node, or each to some node with the same value of a label;
/// those without a node get one, or all lose theirs.
fn move_bundle<const R: usize>(
    board: &mut Board<R>,
    bundle: &[u32],
    most: f64,
    rng: &mut ChaCha8Rng,
) {
    let (g, m) = (board.problem, board.problem.nodes.len());
    let to = somewhere(board, rng);
    let spread = rng.random_range(0..3u32);
    let labels = g.instance.label_values();
    let label = rng.random_range(0..labels.len().max(1));
    let place = |rng: &mut ChaCha8Rng| {
        let other = rng.random_range(0..m);
        let value = |j: usize| labels.get(label).map(|label| label.of[g.nodes[j].index()]);
        match spread {
            0 => to,
            1 if value(other) == value(to) => other,
            1 => to,
            _ => other,
        }
    };
    let moves: Vec<(usize, usize)> =
        (bundle.iter()).map(|i| (*i as usize, if to == m { m } else { place(rng) })).collect();
    board.attempt(&moves, most);
}
