//! Rules between tasks while a schedule is built. They speak of the placement as a whole, whatever
//! the times, so the order in which jobs are placed is no matter to them: a job is refused only
//! where a rule could not hold any more, and what breaks one in the end is taken back.

use rustc_hash::FxHashSet;

use super::goal::Aim;
use super::problem::{NEVER, NONE};
use super::serial::{Builder, Recipe};
use model::{NodeId, Rule, RuleId, TaskId};

impl<'a> Builder<'a> {
    /// Takes back what breaks a rule as things stand, and tries once more what has no place, with
    /// rules that hold at every step.
    pub fn complete(&mut self, recipe: &Recipe, aim: &Aim) {
        if self.ties.is_none() {
            return;
        }
        self.take_back_broken();
        if self.start.contains(&NEVER) {
            self.strict = true;
            self.round(recipe, aim);
            self.strict = false;
            self.take_back_broken();
        }
    }

    /// Whether every rule between tasks holds as things stand.
    pub fn rules_hold(&self) -> bool {
        self.broken().next().is_none()
    }

    /// Rules that do not hold as things stand. Whether a gang is whole is asked where jobs may be
    /// left out.
    fn broken(&self) -> impl Iterator<Item = &'a Rule> {
        let (rules, partial) = (self.p.instance.rules(), self.p.partial);
        self.ties.iter().flat_map(move |ties| {
            let all = rules.iter().enumerate();
            let asked = all.filter(move |(_, rule)| partial || rule.has_places());
            asked.filter(|(id, _)| !ties.holds(*id as RuleId)).map(|(_, rule)| rule)
        })
    }

    /// Takes jobs off their nodes until every rule holds: those of rules that do not, of `near`'s
    /// only those that are near nobody; and what comes after any of them.
    fn take_back_broken(&mut self) {
        let p = self.p;
        loop {
            let mut back: Vec<usize> = Vec::new();
            for rule in self.broken() {
                let node = |task: &TaskId| self.node[task.index()];
                let value = |task: &TaskId| match node(task) {
                    NONE => None,
                    node => p.instance.value_of(rule, NodeId(node)),
                };
                let with: FxHashSet<u32> = rule.ask.others().iter().filter_map(value).collect();
                let alone = |task: &&TaskId| value(task).is_none_or(|at| !with.contains(&at));
                let there = rule.tasks.iter().filter(|task| node(task) != NONE);
                back.extend(there.filter(alone).map(|task| p.job_of(*task)));
            }
            if back.is_empty() {
                return;
            }
            while let Some(job) = back.pop() {
                if self.start[job] < NEVER {
                    self.remove(job);
                    back.extend(p.others(job));
                    back.extend(p.jobs[job].after.iter().map(|(next, _)| *next as usize));
                }
            }
        }
    }

    /// The first rule that keeps the task off the node.
    pub fn refused(&self, job: usize, task: TaskId, node: u32) -> Option<RuleId> {
        let ties = self.ties.as_ref().filter(|_| self.p.jobs[job].tied)?;
        match self.strict {
            true => ties.refuses(task, NodeId(node)),
            false => ties.rules_out(task, NodeId(node)),
        }
    }
}
