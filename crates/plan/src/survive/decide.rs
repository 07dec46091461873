//! What a quick try leaves open: counting, policies and the integer program on
//! what is left to decide, and the least that is lost.

use std::time::Duration;

use super::{Failure, Fate, Loss, Run};
use crate::explain::{Feasible, Oracle};
use crate::solve::{Answer, Method, Params, Unplaced, left_out, solve};
use base::error::{Error, Kind, Result};
use base::stop::Stop;
use engines::bounds::{Bounds, impossible};
use engines::policy::{self, Order, Settings};
use judge::check::{check_changed, check_plan};
use model::state::State;
use model::{Aftermath, Classes, Fallback, Plan, TaskId};

impl Run<'_> {
    /// Finds a fallback, or a proof that there is none and the least that is lost.
    pub(super) fn settle(&self, mut failure: Failure, slice: Duration) -> Result<Failure> {
        let stop = self.stop.part(slice);
        let nodes = self.question.nodes(&failure.domains);
        let fixed = self.fixed(&nodes);
        let plan = self.plan_with(&fixed);
        let left = self.instance.aftermath(&plan, &nodes, &fixed.stopped, self.question.rearrange);
        if failure.fate == Fate::Unknown {
            if let Some(proof) = impossible(&left.instance, &Bounds::of(&left.instance)) {
                failure.fate = Fate::Lost;
                failure.proof = Some(Loss::NoPlace { code: proof.code, words: proof.cause });
            } else {
                let oracle = Oracle { backend: self.question.solver, seed: self.question.seed };
                match oracle.feasible(&left.instance, &stop.part(stop.remaining() / 2))? {
                    Feasible::Yes(plan) => self.take(&mut failure, &left, &plan)?,
                    Feasible::No(_) => {
                        failure.fate = Fate::Lost;
                        let words = "the integer program has no solution".to_owned();
                        failure.proof = Some(Loss::NoPlace { code: "infeasible", words });
                    }
                    Feasible::Unknown => {}
                }
            }
        }
        if failure.fate != Fate::Survived && !failure.least {
            self.lose_least(&mut failure, &left, &stop)?;
        }
        self.judge(&mut failure)?;
        Ok(failure)
    }

    /// The plan that leaves out least by what a policy and then `solve` find.
    fn lose_least(&self, failure: &mut Failure, left: &Aftermath, stop: &Stop) -> Result<()> {
        let known = !failure.lost.is_empty();
        if !known {
            let order = Order::LargestFirst.of(&left.instance, self.question.seed);
            let settings = Settings { seed: self.question.seed, ..Settings::default() };
            for policy in policy::choices(&["best-fit"]) {
                let plan = policy::run_until(&left.instance, policy, &settings, &order, stop);
                if let Some(plan) = plan.map_err(Error::usage)? {
                    self.take(failure, left, &plan)?;
                }
            }
        }
        if failure.fate == Fate::Survived || failure.least || stop.reached() {
            return Ok(());
        }
        let small = Classes::of(&left.instance).variables() <= self.question.solver.sensible_size();
        let params = Params {
            method: if small { Method::Ilp } else { Method::Auto },
            solver: self.question.solver,
            time_limit: stop.remaining(),
            seed: self.question.seed,
            allow_unplaced: true,
            ..Params::default()
        };
        let Answer::Plan(outcome) = solve(&left.instance, &params)? else { return Ok(()) };
        let mut better = failure.clone();
        self.take(&mut better, left, &outcome.plan)?;
        if self.lost_weight(&better) <= self.lost_weight(failure) || outcome.optimal {
            *failure = better;
            failure.least |= outcome.optimal;
        }
        if let (Fate::Unknown, true) = (failure.fate, outcome.optimal) {
            failure.fate = Fate::Lost;
            let why = outcome.goal.iter().find(|tier| tier.value > 0.0).map(|tier| &tier.why);
            let words = format!("no fallback leaves out less, by {}", why.map_or("", |why| why));
            failure.proof = Some(Loss::NoPlace { code: "infeasible", words });
        }
        Ok(())
    }

    /// Makes a plan of what was left to decide the failure's fallback.
    fn take(&self, failure: &mut Failure, left: &Aftermath, plan: &Plan) -> Result<()> {
        let plan = State::load_plan(&left.instance, plan).unload();
        let many = self.instance.devices().len();
        failure.moves.clear();
        let mut lost = Vec::new();
        for (k, task) in left.tasks.iter().enumerate() {
            match plan.placement[k] {
                None => lost.push(*task),
                Some(node) if left.instance.current(TaskId::from(k)) == Some(node) => {}
                Some(node) => {
                    let cards = if self.question.rearrange {
                        Vec::new()
                    } else {
                        plan.cards[k * many..(k + 1) * many].to_vec()
                    };
                    failure.moves.push(Fallback { task: *task, node, cards });
                }
            }
        }
        self.lose(failure, lost);
        match (failure.lost.is_empty(), failure.fate) {
            (true, Fate::Lost) => {
                let cause = "a failure that was proven to lose tasks is survived by a plan";
                Err(Error::new(Kind::Solver, cause).help("this is a bug: please report it"))
            }
            (true, _) => {
                failure.fate = Fate::Survived;
                Ok(())
            }
            (false, _) => Ok(()),
        }
    }

    /// Notes what a fallback leaves out. Where all tasks cannot be had, a single task of the
    /// least importance is the least there is to lose.
    pub(super) fn lose(&self, failure: &mut Failure, lost: Vec<TaskId>) {
        let standing =
            |task: &TaskId| (self.instance.priority(*task), self.instance.drop_weight(*task));
        let least = failure.displaced.iter().map(standing).min();
        let single = match lost[..] {
            [task] => failure.displaced.contains(&task) && Some(standing(&task)) == least,
            _ => false,
        };
        failure.least = failure.fate == Fate::Lost && single && !self.question.rearrange;
        failure.lost = (lost.into_iter())
            .map(|task| Unplaced {
                task,
                reason: "capacity",
                detail: "no node that is left has room for it beside the others".to_owned(),
            })
            .collect();
    }

    /// Says of each task that is lost what stands in its way.
    pub(super) fn give_reasons(&self, failure: &mut Failure) {
        let nodes = self.question.nodes(&failure.domains);
        let after = self.after(&nodes);
        let mut why = left_out(&after, &self.plan_after(failure));
        why.retain(|why| failure.lost.iter().any(|lost| lost.task == why.task));
        failure.lost = why;
    }

    /// Has the checker judge the fallback: it leaves failed nodes alone, keeps every rule, and what
    /// it does not move stays. Where settled standbys take over and break a rule, that is no fault:
    /// this failure was not looked at when they were settled, and nothing survives it.
    pub(super) fn judge(&self, failure: &mut Failure) -> Result<()> {
        let nodes = self.question.nodes(&failure.domains);
        let plan = self.plan_after(failure);
        let changed = self.changed(failure);
        let mut placed =
            changed.iter().filter_map(|task| Some((*task, plan.placement[task.index()]?)));
        let dead = placed.find(|(_, node)| nodes.contains(node));
        let mut wrong = dead.map(|(task, node)| {
            let name = self.instance.node_name(node);
            format!("`{}` is on `{name}`, which failed", self.instance.task_name(task))
        });
        // Failed nodes only ever loosen a rule, so this decides nearly always.
        let broken = || {
            if self.question.rearrange {
                check_plan(&self.running, &plan, true)
            } else {
                check_changed(&self.running, &plan, &changed, &self.on)
            }
        };
        if wrong.is_none() && !broken().is_empty() {
            let after = self.after(&nodes);
            wrong = check_plan(&after, &plan, true).first().map(ToString::to_string);
        }
        match wrong {
            None => Ok(()),
            Some(wrong) if !self.fixed(&nodes).standbys.is_empty() => {
                failure.fate = Fate::Lost;
                failure.least = true;
                failure.proof = Some(Loss::Standbys(wrong));
                Ok(())
            }
            Some(wrong) => {
                let names: Vec<&str> =
                    failure.domains.iter().map(|at| &*self.question.domains[*at].name).collect();
                let cause =
                    format!("the fallback after {} breaks a rule: {wrong}", names.join(", "));
                Err(Error::new(Kind::Solver, cause).help("this is a bug: please report it"))
            }
        }
    }
}
