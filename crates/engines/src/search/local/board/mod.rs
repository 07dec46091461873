//! A plan that moves: loads, members, prices and rules kept incrementally. It
//! alone says what a change is worth; whoever proposes changes never computes that.

mod change;

use super::super::problem::{Vector, add, fits, sub};
use super::groups::Groups;
use super::problem::Problem;
use super::spread::Spread;
use model::TaskId;
use model::state::{Step, Ties, Wishes};

/// A node as it would be.
#[derive(Clone, Copy)]
struct Side<const R: usize> {
    node: usize,
    load: Vector<R>,
    count: u32,
}

/// Tiers before the stage's own keep their values; the stage's tier is what changes are
/// priced by.
#[derive(Clone)]
pub struct Board<'g, 'a, const R: usize> {
    pub problem: &'g Problem<'a, R>,
    /// The tier that is being minimised.
    pub stage: usize,
    /// What earlier tiers may be worth at most.
    caps: Vec<f64>,
    /// What is still free, as far as tasks may fill it.
    room: Vec<Vector<R>>,
    ceiling: Option<&'g [Vector<R>]>,
    load: Vec<Vector<R>>,
    count: Vec<u32>,
    pub node_of: Vec<u32>,
    /// Tasks of each node, nowhere last, and where in that list each task is.
    members: Vec<Vec<u32>>,
    position: Vec<u32>,
    ties: Ties<'a>,
    wishes: Wishes<'a>,
    /// Whether any tier up to the stage's pays for wishes.
    wished: bool,
    spread: Spread<R>,
    /// Per tier up to the stage's and node: what the node by itself is worth.
    own: Vec<Vec<f64>>,
    /// Per tier and task: its toll where it is.
    paid: Vec<Vec<f64>>,
    /// Per tier: sums over nodes and over tasks.
    sum: Vec<f64>,
    groups: Groups,
    grouped: bool,
    /// Utilisation of each node with its sum, sum of squares and sum of powers.
    level: Vec<f64>,
    total: [f64; 3],
    /// The power, as a number of doublings, and the level that counts as 1.
    power: (i32, f64),
    even: bool,
    /// What a unit above a node's room costs while nodes may be overloaded; none while they
    /// may not.
    strain: Option<[f64; R]>,
    /// What overload costs on each node, and in all.
    over: Vec<f64>,
    over_sum: f64,
    /// Where `balance` is the goal: the level that every node is drawn to, instead of
    /// the mean.
    pub aim: Option<f64>,
}

impl<'g, 'a, const R: usize> Board<'g, 'a, R> {
    /// The plan as it is; `ceiling` is what nodes may carry at most once all moves are over,
    /// where an earlier tier says so.
    pub fn new(
        problem: &'g Problem<'a, R>,
        stage: usize,
        caps: Vec<f64>,
        ceiling: Option<&'g [Vector<R>]>,
        node_of: &[u32],
    ) -> Self {
        let m = problem.nodes.len();
        let mut board = Board {
            problem,
            stage,
            caps,
            room: problem.room.clone(),
            ceiling,
            load: problem.used.clone(),
            count: vec![0; m + 1],
            node_of: vec![u32::MAX; node_of.len()],
            members: vec![Vec::new(); m + 1],
            position: vec![0; node_of.len()],
            ties: Ties::new(problem.instance),
            wishes: Wishes::new(problem.instance),
            wished: !problem.instance.wishes().is_empty()
                && problem.tiers[..=stage].iter().any(|w| w.margins > 0.0),
            spread: Spread::new(problem),
            own: vec![vec![0.0; m + 1]; stage + 1],
            paid: vec![vec![0.0; node_of.len()]; stage + 1],
            sum: vec![0.0; stage + 1],
            groups: Groups::new(problem.instance.groups().len()),
            grouped: problem.tiers[..=stage].iter().any(|w| w.group_moves > 0.0),
            level: vec![0.0; m],
            total: [0.0; 3],
            power: (5, 1.0),
            even: problem.tiers[..=stage].iter().any(|w| w.even()),
            strain: None,
            over: vec![0.0; m + 1],
            over_sum: 0.0,
            aim: None,
        };
        board.room.push([i64::MAX / 4; R]);
        board.load.push([0; R]);
        for (i, j) in node_of.iter().enumerate() {
            board.enter(i, *j as usize);
        }
        let highest = (0..m).map(|j| problem.utilisation(j, &board.load[j])).fold(0.0, f64::max);
        board.set_power(5, highest.max(1e-9));
        board
    }

    /// How strongly the fullest nodes count, where `peak` is a goal: utilisations over
    /// `level` to the power 2^`doublings`. Recomputes every sum, so that rounding errors
    /// do not pile up.
    pub fn set_power(&mut self, doublings: i32, level: f64) {
        self.power = (doublings, level);
        self.level_anew();
        for t in 0..=self.stage {
            for j in 0..self.own[t].len() {
                self.own[t][j] =
                    self.problem.own(t, j, &self.load[j], self.count[j], t == self.stage);
            }
            for (i, j) in self.node_of.iter().enumerate() {
                self.paid[t][i] = self.problem.toll(t, i, *j as usize);
            }
            self.sum[t] = self.own[t].iter().chain(&self.paid[t]).sum();
        }
    }

    /// Lets nodes be overloaded at these prices, or no longer.
    pub fn set_strain(&mut self, prices: Option<[f64; R]>) {
        self.strain = prices;
        for j in 0..self.over.len() {
            self.over[j] = self.strain_of(&self.room[j]);
        }
        self.over_sum = self.over.iter().sum();
    }

    /// Whether nodes may be overloaded.
    pub fn strained(&self) -> bool {
        self.strain.is_some()
    }

    /// What is lacking in each resource, over all nodes.
    pub fn lacking(&self) -> Vector<R> {
        let mut sum = [0; R];
        for room in &self.room {
            (0..R).for_each(|r| sum[r] += (-room[r]).max(0));
        }
        sum
    }

    /// What a node with this room pays for its overload.
    fn strain_of(&self, room: &Vector<R>) -> f64 {
        let Some(prices) = &self.strain else { return 0.0 };
        (0..R).map(|r| (-room[r]).max(0) as f64 * prices[r]).sum()
    }

    /// Sums over utilisations, afresh: when the fullest node empties, what is left of a sum of
    /// high powers is mostly rounding.
    pub fn level_anew(&mut self) {
        self.total = [0.0; 3];
        for j in 0..self.level.len() {
            self.level[j] = self.problem.utilisation(j, &self.load[j]);
            let now = self.powers(self.level[j]);
            (0..3).for_each(|k| self.total[k] += now[k]);
        }
    }

    fn powers(&self, level: f64) -> [f64; 3] {
        let mut power = level / self.power.1;
        (0..self.power.0).for_each(|_| power *= power);
        [level, level * level, power]
    }

    /// What tier `t` makes of sums over the nodes' utilisations.
    fn evenness(&self, t: usize, total: &[f64; 3]) -> f64 {
        let w = &self.problem.tiers[t];
        let mut sum = 0.0;
        if w.balance > 0.0 {
            let mean = total[0] / self.problem.counted;
            let aim = self.aim.filter(|_| t == self.stage).unwrap_or(mean);
            let square = total[1] / self.problem.counted - 2.0 * aim * mean + aim * aim;
            sum += w.balance * square.max(0.0);
        }
        if w.peak > 0.0 {
            let root = (0..self.power.0).fold(total[2].max(0.0), |x, _| x.sqrt());
            sum += w.peak * root * self.power.1;
        }
        sum
    }

    /// What the stage's tier is worth, exactly up to rounding.
    pub fn value(&self) -> f64 {
        let (t, problem) = (self.stage, self.problem);
        let w = &problem.tiers[t];
        let own = |j: usize| problem.own(t, j, &self.load[j], self.count[j], false);
        let mut sum = (0..self.load.len()).map(own).sum::<f64>() + self.paid[t].iter().sum::<f64>();
        if w.balance > 0.0 {
            let mean = self.total[0] / problem.counted;
            sum += w.balance * (self.total[1] / problem.counted - mean * mean).max(0.0);
        }
        let wished = if self.wished { w.margins * self.wishes.total() as f64 } else { 0.0 };
        sum + w.peak * self.highest() + w.group_moves * f64::from(self.groups.most) + wished
    }

    /// The highest utilisation of a node.
    pub fn highest(&self) -> f64 {
        self.level.iter().copied().fold(0.0, f64::max)
    }

    /// What the stage's tier pays for the node by itself.
    pub fn own(&self, j: usize) -> f64 {
        self.own[self.stage][j]
    }

    /// The tasks on a node.
    pub fn members(&self, j: usize) -> &[u32] {
        &self.members[j]
    }

    /// What tasks may still fill of the node.
    pub fn room(&self, j: usize) -> &Vector<R> {
        &self.room[j]
    }

    /// Change of the stage's tier when `moves` turn nodes into `sides`; none where an earlier
    /// tier would get worse.
    fn price(&self, sides: &[Side<R>], moves: &[(usize, usize)]) -> Option<f64> {
        let g = self.problem;
        if !sides.iter().all(|side| self.under(side.node, &side.load)) {
            return None;
        }
        let most_moved = if self.grouped { self.most_moved_after(moves) } else { 0 };
        let wished = if self.wished { self.wishes.after(&self.steps(moves)) as f64 } else { 0.0 };
        let mut total = self.total;
        if self.even {
            for side in sides.iter().filter(|side| side.node < self.level.len()) {
                let was = self.powers(self.level[side.node]);
                let now = self.powers(self.problem.utilisation(side.node, &side.load));
                (0..3).for_each(|k| total[k] += now[k] - was[k]);
            }
        }
        let mut delta = 0.0;
        for t in 0..=self.stage {
            let own = |side: &Side<R>| {
                let now = self.problem.own(t, side.node, &side.load, side.count, t == self.stage);
                now - self.own[t][side.node]
            };
            let toll = |&(i, j): &(usize, usize)| g.toll(t, i, j) - self.paid[t][i];
            delta = sides.iter().map(own).sum::<f64>() + moves.iter().map(toll).sum::<f64>();
            if self.grouped {
                let more = f64::from(most_moved) - f64::from(self.groups.most);
                delta += g.tiers[t].group_moves * more;
            }
            delta += g.tiers[t].margins * wished;
            if self.problem.tiers[t].even() {
                delta += self.evenness(t, &total) - self.evenness(t, &self.total);
            }
            if t < self.stage && self.worth(t) + delta > self.caps[t] {
                return None;
            }
        }
        Some(delta)
    }

    fn worth(&self, t: usize) -> f64 {
        let moved = self.problem.tiers[t].group_moves * f64::from(self.groups.most);
        let wished = self.problem.tiers[t].margins * self.wishes.total() as f64;
        self.sum[t] + self.evenness(t, &self.total) + moved + wished
    }

    /// What moves are judged by: the stage's tier, and overload while there may be some.
    fn strained_worth(&self) -> f64 {
        self.worth(self.stage) + self.over_sum
    }

    /// Task `i` to node `b`, if it fits and costs at most `most`: what it costs. Changes
    /// nothing, and asks no rules between tasks.
    pub fn relocate(&self, i: usize, b: usize, most: f64) -> Option<f64> {
        let (g, a) = (self.problem, self.node_of[i] as usize);
        if a == b || !g.may(i, b) || self.full(b) {
            return None;
        }
        let strain = match self.strain {
            None if !g.has_room(i, b, None, &self.room[b]) => return None,
            None if !self.spread.bears(g, b, &self.room[b], Some(i), None) => return None,
            None => 0.0,
            Some(_) => {
                let room = [add(self.room[a], g.takes(i, a)), sub(self.room[b], g.takes(i, b))];
                self.strains((a, b), &room, most + self.paid[self.stage][i])?
            }
        };
        let out = g.demand_on(i, a);
        let sides = [
            Side { node: a, load: sub(self.load[a], out), count: self.count[a] - 1 },
            Side { node: b, load: add(self.load[b], g.demand_on(i, b)), count: self.count[b] + 1 },
        ];
        let delta = strain + self.price(&sides, &[(i, b)])?;
        (delta <= most).then_some(delta)
    }

    /// Tasks `i` and `k` change places; as [`Board::relocate`].
    pub fn swap(&self, i: usize, k: usize, most: f64) -> Option<f64> {
        let g = self.problem;
        let (a, b) = (self.node_of[i] as usize, self.node_of[k] as usize);
        if a == b || !g.may(i, b) || !g.may(k, a) {
            return None;
        }
        let bears = |i, j, k| self.spread.bears(g, j, &self.room[j], Some(i), Some(k));
        let fits = || {
            g.has_room(i, b, Some(k), &self.room[b])
                && g.has_room(k, a, Some(i), &self.room[a])
                && bears(i, b, k)
                && bears(k, a, i)
        };
        let strain = match self.strain {
            None if !fits() => return None,
            None => 0.0,
            Some(_) => {
                let at_a = sub(g.takes(k, a), g.takes(i, a));
                let at_b = sub(g.takes(i, b), g.takes(k, b));
                let room = [sub(self.room[a], at_a), sub(self.room[b], at_b)];
                let paid = &self.paid[self.stage];
                self.strains((a, b), &room, most + (paid[i] + paid[k]))?
            }
        };
        let to_b = sub(g.demand_on(i, b), g.demand_on(k, b));
        let to_a = sub(g.demand_on(k, a), g.demand_on(i, a));
        let sides = [
            Side { node: a, load: add(self.load[a], to_a), count: self.count[a] },
            Side { node: b, load: add(self.load[b], to_b), count: self.count[b] },
        ];
        let delta = strain + self.price(&sides, &[(i, b), (k, a)])?;
        (delta <= most).then_some(delta)
    }

    /// No more than this is gained on two nodes, apart from what their tasks pay.
    fn gain(&self, a: usize, b: usize) -> f64 {
        if self.even || self.wished {
            return f64::INFINITY;
        }
        let own = &self.own[self.stage];
        own[a] + own[b] + 2.0 * self.problem.tiers[self.stage].group_moves
    }

    /// Change of what overload costs when two nodes have this room; none where that alone is
    /// more than `most` and all that the nodes could gain.
    fn strains(&self, (a, b): (usize, usize), room: &[Vector<R>; 2], most: f64) -> Option<f64> {
        let change =
            self.strain_of(&room[0]) - self.over[a] + self.strain_of(&room[1]) - self.over[b];
        (change <= most + self.gain(a, b)).then_some(change)
    }

    /// Whether an earlier tier allows this load.
    fn under(&self, j: usize, load: &Vector<R>) -> bool {
        self.ceiling.and_then(|ceiling| ceiling.get(j)).is_none_or(|most| fits(load, most))
    }

    /// The most moved tasks of any one group after the moves.
    fn most_moved_after(&self, moves: &[(usize, usize)]) -> u32 {
        let g = self.problem;
        self.groups.most_after(moves.iter().flat_map(|&(i, j)| {
            let more = i64::from(g.moved(i, j)) - i64::from(g.moved(i, self.node_of[i] as usize));
            let groups = g.instance.groups_of(TaskId(i as u32));
            groups.iter().map(move |group| (*group, more)).filter(|(_, more)| *more != 0)
        }))
    }

    /// Where the tasks come from and where they go.
    fn steps(&self, moves: &[(usize, usize)]) -> Vec<Step> {
        let place = |j: usize| self.problem.nodes.get(j).copied();
        let step = |&(i, j): &(usize, usize)| {
            (TaskId(i as u32), place(self.node_of[i] as usize), place(j))
        };
        moves.iter().map(step).collect()
    }

    fn count_moved(&mut self, i: usize, more: bool) {
        for group in self.problem.instance.groups_of(TaskId(i as u32)) {
            self.groups.count(*group, more);
        }
    }

    /// The node takes no further task.
    fn full(&self, j: usize) -> bool {
        let most = |node| self.problem.instance.max_tasks(node);
        self.problem.nodes.get(j).is_some_and(|node| self.count[j] >= most(*node))
    }
}
