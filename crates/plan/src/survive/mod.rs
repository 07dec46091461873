//! What a plan is worth when nodes fail: for every failure whether the displaced
//! tasks find room on the rest, where, or why not and what is lost.

mod attempt;
mod decide;
mod domain;
mod hold;
mod room;

use std::time::Duration;

use rayon::prelude::*;

use crate::solve::Unplaced;
use attempt::Attempt;
use base::error::Result;
use base::stop::Stop;
use base::threads;
pub use domain::{Domain, domains};
pub use hold::{plan, plan_watched};
use ilp::Backend;
use judge::metrics::goal_values;
use model::state::State;
use model::{Fallback, Instance, NODE, NodeId, Plan, TaskId, TierValue};

/// What is asked of a plan.
#[derive(Clone, Debug)]
pub struct Question {
    /// What fails as one.
    pub domains: Vec<Domain>,
    /// How many of them fail at once, at most: 1 or 2.
    pub depth: usize,
    /// Tasks on other nodes may move too.
    pub rearrange: bool,
    /// Only tasks with a standby over this ([`Instance::backup`]) have to be placed anew; others
    /// stop with their node, and rules that speak of these ask for nothing.
    pub guard: Option<String>,
    /// Solver of the integer program.
    pub solver: Backend,
    /// Seed of everything random.
    pub seed: u64,
    /// Wall-clock limit on everything.
    pub time_limit: Duration,
    /// Threads; `None` takes what the machine has.
    pub threads: Option<usize>,
}

/// How a failure ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Some tasks have no place; proven.
    Lost,
    /// Neither a fallback nor a proof that there is none was found in time.
    Unknown,
    /// Every displaced task has a place.
    Survived,
}

/// Why a failure is not survived, proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// What is left has no place for some tasks.
    NoPlace {
        /// Reason code.
        code: &'static str,
        /// Why, in words.
        words: String,
    },
    /// Standbys that are settled take over and break a rule: this one, in words.
    Standbys(String),
}

impl Loss {
    /// Short name for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Loss::NoPlace { code, .. } => code,
            Loss::Standbys(_) => "standbys",
        }
    }

    /// Why, in words.
    pub fn words(&self) -> &str {
        match self {
            Loss::NoPlace { words, .. } | Loss::Standbys(words) => words,
        }
    }
}

/// One failure and what comes of it.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which domains fail, by their positions in the question.
    pub domains: Vec<usize>,
    /// Tasks of the plan on the nodes that fail, as far as they are to be placed anew.
    pub displaced: Vec<TaskId>,
    /// How it ends.
    pub fate: Fate,
    /// The fallback: every task that has another node than in the plan.
    pub moves: Vec<Fallback>,
    /// Tasks that the fallback leaves out.
    pub lost: Vec<Unplaced>,
    /// No fallback leaves out less, by priority and then by weight; proven.
    pub least: bool,
    /// Why some tasks have no place.
    pub proof: Option<Loss>,
    /// The goal's tiers with the fallback; absent where time ran out.
    pub goal: Option<Vec<TierValue>>,
}

/// What became of every failure.
#[derive(Clone, Debug)]
pub struct Survival {
    /// The goal's tiers before any failure.
    pub before: Vec<TierValue>,
    /// The worst first.
    pub failures: Vec<Failure>,
    /// Failures that time ran out for before they were looked at.
    pub unexamined: usize,
}

impl Survival {
    /// How many failures end so.
    pub fn count(&self, fate: Fate) -> usize {
        self.failures.iter().filter(|failure| failure.fate == fate).count()
    }
}

impl Question {
    /// The nodes that fail.
    fn nodes(&self, failure: &[usize]) -> Vec<NodeId> {
        failure.iter().flat_map(|at| self.domains[*at].nodes.iter().copied()).collect()
    }

    /// How many failures there are.
    pub fn failures(&self) -> usize {
        let n = self.domains.len();
        n + if self.depth > 1 { n * n.saturating_sub(1) / 2 } else { 0 }
    }
}

/// Failures looked at between two looks at the clock.
const CHUNK: usize = 4096;

/// Lets everything fail that the question names. The plan has to keep the instance's rules.
///
/// # Errors
/// A solver is missing or fails, threads cannot be started, a fallback breaks a rule.
pub fn survive(instance: &Instance, plan: &Plan, question: &Question) -> Result<Survival> {
    survive_beside(instance, plan, question, &[])
}

/// Likewise, with some standbys settled.
fn survive_beside(
    instance: &Instance,
    plan: &Plan,
    question: &Question,
    settled: &[Fallback],
) -> Result<Survival> {
    threads::on(question.threads, || Run::new(instance, plan, question, settled).answer())
}

/// A thread's share of so many failures.
fn share(failures: usize) -> usize {
    failures.div_ceil(rayon::current_num_threads()).max(1)
}

/// Everything that is the same for all failures.
struct Run<'a> {
    instance: &'a Instance,
    question: &'a Question,
    /// The plan with its cards.
    plan: Plan,
    /// The instance with the plan carried out.
    running: Instance,
    /// The tasks of the plan on each node.
    on: Vec<Vec<TaskId>>,
    /// Standbys that are settled already.
    settled: &'a [Fallback],
    stop: Stop,
}

/// What happens by itself when nodes fail.
struct Fixed {
    /// Tasks that stop.
    stopped: Vec<TaskId>,
    /// Settled standbys that take over.
    standbys: Vec<Fallback>,
}

impl<'a> Run<'a> {
    fn new(
        instance: &'a Instance,
        plan: &Plan,
        question: &'a Question,
        settled: &'a [Fallback],
    ) -> Run<'a> {
        let plan = State::load_plan(instance, plan).unload();
        let running = instance.failed(&plan, &[]);
        let on = plan.by_node(instance.nodes());
        let stop = Stop::after(question.time_limit);
        Run { instance, question, plan, running, on, settled, stop }
    }

    fn answer(&self) -> Result<Survival> {
        let mut failures = Vec::new();
        let part = self.stop.part(self.question.time_limit / 2);
        for chunk in Chunks::of(self) {
            if part.reached() {
                break;
            }
            let state = || State::load_plan(&self.running, &self.plan);
            let each = share(chunk.len());
            // A state is dear, and begun only where there is time for it.
            let tried: Vec<Result<Option<Failure>>> = (chunk.into_par_iter())
                .with_min_len(each)
                .map_init(
                    || None,
                    |known, domains| {
                        if part.reached() {
                            Ok(None)
                        } else {
                            self.first_look(known.get_or_insert_with(state), domains).map(Some)
                        }
                    },
                )
                .collect();
            for failure in tried {
                failures.extend(failure?);
            }
        }
        let unexamined = self.question.failures() - failures.len();
        let open = |failure: &Failure| failure.fate != Fate::Survived && !failure.least;
        let slice = self.slice(failures.iter().filter(|failure| open(failure)).count());
        failures = (failures.into_par_iter())
            .map(|failure| {
                if open(&failure) && !self.stop.reached() {
                    self.settle(failure, slice)
                } else {
                    Ok(failure)
                }
            })
            .collect::<Result<_>>()?;
        let each = share(failures.len());
        failures.par_chunks_mut(each).for_each(|failures| {
            let mut running = None;
            for failure in failures {
                if self.stop.reached() {
                    return;
                }
                let running = running.get_or_insert_with(|| self.running.clone());
                failure.goal = Some(self.goal_after(running, failure));
                if !failure.lost.is_empty() {
                    self.give_reasons(failure);
                }
            }
        });
        failures.sort_by(|a, b| self.compare(a, b));
        let before = goal_values(&self.running, &self.plan, self.instance.goal());
        Ok(Survival { before, failures, unexamined })
    }

    /// What each of so many failures may take of the time that is left.
    fn slice(&self, open: usize) -> Duration {
        let threads = rayon::current_num_threads().min(open.max(1)) as u32;
        self.stop.remaining() * 9 / 10 * threads / open.max(1) as u32
    }

    /// What a quick try makes of a failure.
    fn first_look(&self, state: &mut State, domains: Vec<usize>) -> Result<Failure> {
        let nodes = self.question.nodes(&domains);
        let on = nodes.iter().flat_map(|node| self.on[node.index()].iter().copied());
        let displaced: Vec<TaskId> = on.filter(|task| self.guarded(*task)).collect();
        let fixed = self.fixed(&nodes);
        let mut failure = Failure {
            domains,
            displaced,
            fate: Fate::Unknown,
            moves: Vec::new(),
            lost: Vec::new(),
            least: false,
            proof: None,
            goal: None,
        };
        match attempt::attempt(state, &nodes, &failure.displaced, &fixed) {
            Attempt::Placed(moves) => {
                failure.fate = Fate::Survived;
                failure.moves = moves;
            }
            // With others moving too there may still be a way.
            Attempt::Impossible(words, moves) if !self.question.rearrange => {
                failure.fate = Fate::Lost;
                failure.proof = Some(Loss::NoPlace { code: "capacity", words });
                let goes = |task: &TaskId| moves.iter().any(|step| step.task == *task);
                let lost = failure.displaced.iter().copied().filter(|task| !goes(task)).collect();
                failure.moves = moves;
                self.lose(&mut failure, lost);
            }
            Attempt::Impossible(..) | Attempt::Open => return Ok(failure),
        }
        if self.question.rearrange {
            failure.moves.iter_mut().for_each(|step| step.cards.clear());
        }
        self.judge(&mut failure)?;
        Ok(failure)
    }

    /// Whether the task is to be placed anew when its node fails.
    fn guarded(&self, task: TaskId) -> bool {
        match &self.question.guard {
            None => true,
            Some(over) => self.instance.backup(task) == Some(over),
        }
    }

    /// The instance after these nodes failed.
    fn after(&self, nodes: &[NodeId]) -> Instance {
        self.instance.failed(&self.plan, nodes).without_rules_of(&self.fixed(nodes).stopped)
    }

    fn fixed(&self, nodes: &[NodeId]) -> Fixed {
        let mut fixed = Fixed { stopped: Vec::new(), standbys: Vec::new() };
        if self.question.guard.is_none() {
            return fixed;
        }
        for task in nodes.iter().flat_map(|node| self.on[node.index()].iter().copied()) {
            if self.guarded(task) {
                continue;
            }
            // Where a label's value fails, standbys over something else are not asked for.
            let standby = match self.question.guard.as_deref() {
                Some(NODE) => self.settled.iter().find(|standby| standby.task == task),
                _ => None,
            };
            match standby {
                Some(standby) => fixed.standbys.push(standby.clone()),
                None => fixed.stopped.push(task),
            }
        }
        fixed
    }

    /// The plan once that has happened.
    fn plan_with(&self, fixed: &Fixed) -> Plan {
        let mut plan = self.plan.clone();
        let many = self.instance.devices().len();
        for task in fixed.stopped.iter().map(|task| task.index()) {
            plan.placement[task] = None;
            plan.cards[task * many..(task + 1) * many].fill(0);
        }
        for standby in &fixed.standbys {
            let task = standby.task.index();
            plan.placement[task] = Some(standby.node);
            plan.cards[task * many..(task + 1) * many].copy_from_slice(&standby.cards);
        }
        plan
    }

    /// The plan once the fallback is in place.
    fn plan_after(&self, failure: &Failure) -> Plan {
        let mut plan = self.plan_with(&self.fixed(&self.question.nodes(&failure.domains)));
        let lost = failure.lost.iter().map(|lost| lost.task);
        for task in failure.displaced.iter().copied().chain(lost) {
            plan.placement[task.index()] = None;
        }
        for step in &failure.moves {
            plan.placement[step.task.index()] = Some(step.node);
        }
        if self.question.rearrange {
            plan.cards.clear(); // dealt out anew
            return plan;
        }
        let many = self.instance.devices().len();
        for (task, _) in plan.placement.iter().enumerate().filter(|(_, node)| node.is_none()) {
            plan.cards[task * many..(task + 1) * many].fill(0);
        }
        for step in &failure.moves {
            let at = step.task.index() * many;
            plan.cards[at..at + many].copy_from_slice(&step.cards);
        }
        plan
    }

    /// Tasks that are elsewhere once the fallback is in place, or nowhere.
    fn changed(&self, failure: &Failure) -> Vec<TaskId> {
        let nodes = self.question.nodes(&failure.domains);
        let on = nodes.iter().flat_map(|node| self.on[node.index()].iter().copied());
        let moves = failure.moves.iter().map(|step| step.task);
        on.chain(moves).chain(failure.lost.iter().map(|lost| lost.task)).collect()
    }

    /// The goal with the fallback; `running` is the instance with the plan carried out, before and
    /// after.
    fn goal_after(&self, running: &mut Instance, failure: &Failure) -> Vec<TierValue> {
        let nodes = self.question.nodes(&failure.domains);
        running.while_down(&nodes, |after| {
            goal_values(after, &self.plan_after(failure), self.instance.goal())
        })
    }

    /// The worse first: what is lost by priority, then the goal, then how much is displaced.
    fn compare(&self, a: &Failure, b: &Failure) -> std::cmp::Ordering {
        let rank = |failure: &Failure| match failure.fate {
            Fate::Lost => 0,
            Fate::Unknown => 1,
            Fate::Survived => 2,
        };
        let goal = |failure: &Failure| -> Vec<f64> {
            failure.goal.iter().flatten().map(|tier| tier.value).collect()
        };
        let higher = || {
            let (a, b) = (goal(a), goal(b));
            let orders = a.iter().zip(&b).map(|(a, b)| b.total_cmp(a));
            orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        };
        (rank(a).cmp(&rank(b)))
            .then_with(|| self.lost_weight(b).cmp(&self.lost_weight(a)))
            .then_with(higher)
            .then_with(|| b.displaced.len().cmp(&a.displaced.len()))
            .then_with(|| a.domains.len().cmp(&b.domains.len()))
            .then_with(|| a.domains.cmp(&b.domains))
    }

    /// Weight of what is lost, one figure a priority, the highest first; then how many tasks.
    fn lost_weight(&self, failure: &Failure) -> Vec<i64> {
        if failure.lost.is_empty() {
            return Vec::new();
        }
        let priorities = self.instance.priorities();
        let mut weights = vec![0; priorities.len()];
        for lost in &failure.lost {
            let priority = self.instance.priority(lost.task);
            let at = priorities.iter().position(|known| *known == priority).unwrap_or(0);
            weights[at] += self.instance.drop_weight(lost.task);
        }
        weights.push(failure.lost.len() as i64);
        weights
    }
}

/// The failures in parts: domains by themselves, then pairs, those with most tasks first.
struct Chunks {
    depth: usize,
    /// Domains with most tasks first.
    ranked: Vec<usize>,
    /// The pair of ranks that comes next; equal ranks stand for the domain by itself.
    next: (usize, usize),
}

impl Chunks {
    fn of(run: &Run) -> Chunks {
        let domains = &run.question.domains;
        let tasks = |at: &usize| -> usize {
            domains[*at].nodes.iter().map(|node| run.on[node.index()].len()).sum()
        };
        let mut ranked: Vec<usize> = (0..domains.len()).collect();
        ranked.sort_by_key(|at| (std::cmp::Reverse(tasks(at)), *at));
        Chunks { depth: run.question.depth, ranked, next: (0, 0) }
    }
}

impl Iterator for Chunks {
    type Item = Vec<Vec<usize>>;

    fn next(&mut self) -> Option<Self::Item> {
        let n = self.ranked.len();
        let mut chunk = Vec::new();
        while chunk.len() < CHUNK {
            let (a, b) = self.next;
            if a >= n || (a == b && b >= n) {
                break;
            }
            if a == b {
                chunk.push(vec![self.ranked[a]]);
                self.next = (a + 1, b + 1);
                if a + 1 == n {
                    self.next = if self.depth > 1 && n > 1 { (0, 1) } else { (n, n) };
                }
            } else {
                let (x, y) = (self.ranked[a], self.ranked[b]);
                chunk.push(vec![x.min(y), x.max(y)]);
                self.next = if b + 1 < n {
                    (a, b + 1)
                } else if a + 2 < n {
                    (a + 1, a + 2)
                } else {
                    (n, n)
                };
            }
        }
        (!chunk.is_empty()).then_some(chunk)
    }
}
