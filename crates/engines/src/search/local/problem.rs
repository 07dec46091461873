//! An instance in flat arrays, as the local search looks at it: every rule and
//! every goal, nodes that take tasks only, and "nowhere" as the node after the last.

use super::super::problem::{Vector, fits, sub};
use super::spread::Varying;
use model::{Goal, Instance, NodeId, Placement, Plan, RoomRatio, Shape, TaskId, Tier};

/// What one tier weighs, per integer unit of each of its terms.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    pub balance: f64,
    pub peak: f64,
    pub group_moves: f64,
    /// Prices of placements, each with the weight of a step.
    placements: Vec<(f64, Placement)>,
    /// What each node costs once it is used; empty where none costs anything.
    used: Vec<f64>,
    /// Load above safety capacities, missing room and breaches of wishes, a step.
    pub margins: f64,
    /// Demand placed.
    amounts: f64,
    /// Leaving tasks out: of one priority, or of all.
    unplaced: Option<(f64, Option<i64>)>,
}

impl Weights {
    fn of(instance: &Instance, nodes: &[NodeId], tier: &Tier) -> Weights {
        let mut weights = Weights::default();
        for part in &tier.terms {
            let w = part.weight;
            match part.term.shape() {
                Shape::Prices(prices) => {
                    let step = w * (prices.scale)(instance).to_f64(1);
                    if prices.placement.any(instance) {
                        weights.placements.push((step, prices.placement));
                    }
                    if prices.any_use(instance) {
                        weights.used.resize(nodes.len(), 0.0);
                        for (sum, node) in weights.used.iter_mut().zip(nodes) {
                            *sum += step * prices.of_use(instance, *node) as f64;
                        }
                    }
                    if prices.margins {
                        weights.margins += step;
                    }
                }
                Shape::Amounts => weights.amounts = w,
                Shape::Highest => weights.peak = w,
                Shape::Variance => weights.balance = w,
                Shape::LargestGroup => weights.group_moves = w,
                Shape::LeftOut => {
                    let step = w * instance.weight_scale().to_f64(1);
                    weights.unplaced = Some((step, part.term.priority()));
                }
                // Refused before anything is searched.
                Shape::LastEnd | Shape::Seconds(_) => {}
            }
        }
        weights
    }

    /// Whether the utilisation of nodes matters as such.
    pub fn even(&self) -> bool {
        self.peak > 0.0 || self.balance > 0.0
    }
}

/// The instance, flat. Nodes are numbered among those that take tasks.
pub struct Problem<'a, const R: usize> {
    pub instance: &'a Instance,
    pub nodes: Vec<NodeId>,
    pub demand: Vec<Vector<R>>,
    /// Where each task runs now; nowhere if it does not.
    pub home: Vec<u32>,
    /// All bits, none for resources that a task goes on taking on its current node until all
    /// moves are over.
    lasting: Vector<R>,
    /// What tasks may fill, less what is there before and what those now there go on taking.
    pub room: Vec<Vector<R>>,
    /// Load that is there before any task is placed.
    pub used: Vec<Vector<R>>,
    pub capacity: Vec<Vector<R>>,
    /// One over the capacity, 0 where there is none.
    pub inverse: Vec<[f64; R]>,
    /// Where the price of load begins, and the price of a step.
    pub safety: Vec<Vector<R>>,
    pub safety_price: Vector<R>,
    ratios: Vec<RoomRatio>,
    pub varying: Option<Varying<R>>,
    pairs: bool,
    /// Tasks that every node takes.
    anywhere: Vec<bool>,
    /// Nodes that have any capacity, by which averages are taken.
    pub counted: f64,
    pub tiers: Vec<Weights>,
    /// Tasks may be nowhere.
    pub may_drop: bool,
    /// Tasks that can move at all.
    pub movable: Vec<u32>,
}

impl<'a, const R: usize> Problem<'a, R> {
    pub fn new(instance: &'a Instance, goal: &Goal, may_drop: bool) -> Self {
        let nodes: Vec<NodeId> =
            instance.node_ids().filter(|node| instance.counted(*node)).collect();
        let of = |row: &dyn Fn(NodeId) -> Vec<i64>| -> Vec<Vector<R>> {
            nodes.iter().map(|node| padded(&row(*node))).collect()
        };
        let capacity = of(&|node| instance.capacity(node).to_vec());
        let used = of(&|node| instance.used(node).to_vec());
        let safety = |node: NodeId| {
            let width = instance.resources().len();
            let from = |r: usize| instance.safety(node).get(r).copied().unwrap_or(i64::MAX);
            (0..width).map(|r| from(r).max(instance.used(node)[r])).collect()
        };
        let inverse = |c: &Vector<R>| c.map(|c| if c > 0 { 1.0 / c as f64 } else { 0.0 });
        let prices: Vec<i64> =
            (0..instance.resources().len()).map(|r| instance.safety_price(r)).collect();
        let movable = instance.task_ids().filter(|task| instance.pin(*task).is_none());
        let mut problem = Problem {
            demand: instance.task_ids().map(|task| padded(instance.demand(task))).collect(),
            room: of(&|node| {
                let taken = instance.used(node).iter().zip(instance.held(node));
                let room = instance.limit(node).iter().zip(taken);
                // What was overloaded before takes nothing more, and is nobody's fault.
                room.map(|(limit, (used, held))| (limit - used - held).max(0)).collect()
            }),
            home: Vec::new(),
            lasting: std::array::from_fn(|r| {
                let kept = r < instance.resources().len() && instance.transient(r);
                if kept && instance.has_transient() { 0 } else { -1 }
            }),
            anywhere: Vec::new(),
            ratios: instance.ratios().to_vec(),
            varying: Varying::of(instance),
            pairs: instance.has_pairs(),
            inverse: capacity.iter().map(inverse).collect(),
            counted: capacity.iter().filter(|c| c.iter().any(|c| *c > 0)).count().max(1) as f64,
            capacity,
            used,
            safety: of(&safety),
            safety_price: padded(&prices),
            tiers: goal.tiers.iter().map(|tier| Weights::of(instance, &nodes, tier)).collect(),
            may_drop,
            movable: movable.map(|task| task.0).collect(),
            nodes,
            instance,
        };
        let all = |requirement: u32| {
            problem.nodes.iter().all(|n| instance.eligible_nodes(requirement)[n.index()])
        };
        let accepted: Vec<bool> = (0..instance.requirements().len() as u32).map(all).collect();
        problem.anywhere = (instance.task_ids())
            .map(|t| accepted[instance.requirement_of(t) as usize] && instance.pin(t).is_none())
            .collect();
        let current = instance.task_ids().map(|task| instance.current(task)).collect();
        problem.home = problem.numbers(&Plan { placement: current, cards: Vec::new() });
        problem
    }

    /// The number of "nowhere".
    pub fn nowhere(&self) -> usize {
        self.nodes.len()
    }

    /// Whether any task runs now.
    pub fn runs(&self) -> bool {
        self.home.iter().any(|j| *j as usize != self.nowhere())
    }

    /// Of each resource, over all nodes.
    pub fn mean_capacity(&self) -> [f64; R] {
        let m = self.nodes.len().max(1) as f64;
        std::array::from_fn(|r| self.capacity.iter().map(|c| c[r] as f64).sum::<f64>() / m)
    }

    /// What the task adds to the load of a node.
    pub fn demand_on(&self, i: usize, j: usize) -> Vector<R> {
        let task = TaskId(i as u32);
        match self.nodes.get(j) {
            None => [0; R],
            Some(node) if self.pairs && self.instance.task_has_pairs(task) => {
                padded(self.instance.demand_on(task, *node))
            }
            Some(_) => self.demand[i],
        }
    }

    /// What of the node's room the task takes: less than its demand on its current node.
    pub fn takes(&self, i: usize, j: usize) -> Vector<R> {
        let demand = self.demand_on(i, j);
        match self.home[i] as usize == j {
            true => std::array::from_fn(|r| demand[r] & self.lasting[r]),
            false => demand,
        }
    }

    /// Whether the node has room for the task, once another has left it.
    #[inline]
    pub fn has_room(&self, i: usize, j: usize, leaves: Option<usize>, room: &Vector<R>) -> bool {
        if self.pairs {
            let out = leaves.map_or([0; R], |k| self.takes(k, j));
            return fits(&sub(self.takes(i, j), out), room);
        }
        let all = [-1; R];
        let mask = |i: usize| if self.home[i] as usize == j { &self.lasting } else { &all };
        let (inn, kept) = (&self.demand[i], mask(i));
        match leaves {
            None => (0..R).all(|r| inn[r] & kept[r] <= room[r]),
            Some(k) => {
                let (out, left) = (&self.demand[k], mask(k));
                (0..R).all(|r| (inn[r] & kept[r]) - (out[r] & left[r]) <= room[r])
            }
        }
    }

    /// Whether the task runs now and would do so elsewhere.
    pub fn moved(&self, i: usize, j: usize) -> bool {
        let (home, nowhere) = (self.home[i] as usize, self.nowhere());
        home != nowhere && j != home && j != nowhere
    }

    /// Whether the task may be there as far as the node is concerned.
    pub fn may(&self, i: usize, j: usize) -> bool {
        match self.nodes.get(j) {
            None => self.may_drop,
            Some(node) => self.anywhere[i] || self.instance.eligible(TaskId(i as u32), *node),
        }
    }

    /// What tier `t` pays for the task being there, whatever else is there.
    pub fn toll(&self, t: usize, i: usize, j: usize) -> f64 {
        let (w, instance, task) = (&self.tiers[t], self.instance, TaskId(i as u32));
        let Some(node) = self.nodes.get(j).copied() else {
            let priority = instance.priority(task);
            return match w.unplaced {
                Some((w, of)) if of.is_none_or(|of| of == priority) => {
                    w * instance.drop_weight(task) as f64
                }
                _ => 0.0,
            };
        };
        let mut sum = 0.0;
        for (step, placement) in &w.placements {
            sum += step * placement.price(instance, task, node) as f64;
        }
        if w.amounts > 0.0 {
            let amounts = instance.demand_on(task, node).iter().zip(instance.resources());
            sum += w.amounts * amounts.map(|(d, r)| r.scale.to_f64(*d)).sum::<f64>();
        }
        sum
    }

    /// Whether it matters to tier `t` by itself where a task is, wherever it runs now.
    pub fn tolls_differ(&self, t: usize) -> bool {
        let w = &self.tiers[t];
        let priced = |(_, placement): &(f64, Placement)| matches!(placement, Placement::Priced(..));
        w.placements.iter().any(priced) || (w.amounts > 0.0 && self.instance.has_pairs())
    }

    /// The dominant utilisation of a node with this load.
    pub fn utilisation(&self, j: usize, load: &Vector<R>) -> f64 {
        (0..R).map(|r| load[r] as f64 * self.inverse[j][r]).fold(0.0, f64::max)
    }

    /// What tier `t` pays for the node by itself. `guided` smooths the step from a
    /// little load to none, so that a search is drawn to emptying nodes.
    pub fn own(&self, t: usize, j: usize, load: &Vector<R>, count: u32, guided: bool) -> f64 {
        let w = &self.tiers[t];
        if j == self.nowhere() {
            return 0.0;
        }
        let mut sum = 0.0;
        if w.margins > 0.0 {
            let over = |r: usize| (load[r] - self.safety[j][r]).max(0) * self.safety_price[r];
            let lacking = self.ratios.iter().map(|ratio| ratio.cost(&self.capacity[j], load));
            let priced = (0..R).map(over).sum::<i64>() + lacking.sum::<i64>();
            sum += w.margins * priced as f64;
        }
        if let (true, Some(open)) = (count > 0, w.used.get(j)) {
            sum += match guided {
                true => open * (0.6 + 0.4 * self.utilisation(j, load).sqrt()),
                false => *open,
            };
        }
        sum
    }

    /// Numbers of the nodes that the plan uses.
    pub fn numbers(&self, plan: &Plan) -> Vec<u32> {
        let mut at = vec![self.nowhere() as u32; self.instance.nodes()];
        for (j, node) in self.nodes.iter().enumerate() {
            at[node.index()] = j as u32;
        }
        let nowhere = self.nowhere() as u32;
        plan.placement.iter().map(|node| node.map_or(nowhere, |node| at[node.index()])).collect()
    }

    /// The plan of these numbers; cards are dealt out by whoever needs them.
    pub fn plan(&self, node_of: &[u32]) -> Plan {
        let placement = node_of.iter().map(|j| self.nodes.get(*j as usize).copied()).collect();
        Plan { placement, cards: Vec::new() }
    }
}

fn padded<const R: usize>(row: &[i64]) -> Vector<R> {
    std::array::from_fn(|r| row.get(r).copied().unwrap_or(0))
}
