//! What a person asks of an instance on the command line: its goal, and limits on every node.

use base::error::{Error, Result};
use base::nearest;
use model::{Goal, Instance, ResourceWeights, Risk, Term, parse_share};

/// What a person may change about an instance on the command line.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Goal")]
pub(super) struct GoalArgs {
    /// What to minimise: tiers separated by commas, each a weighted sum of
    /// peak, balance, cost, nodes, demand, energy, soft, moves, moved, group_moves; in time
    /// makespan, completion, tardiness, wait [default: the instance's, else peak]
    #[arg(long, value_name = "GOAL")]
    pub(super) goal: Option<String>,
    /// Say when tasks run, not only where: goal makespan, unless the goal is about time anyway
    #[arg(long)]
    timed: bool,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
}

/// What a person may ask of every node, shared with `check`.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Goal")]
pub(super) struct LimitArgs {
    /// At most one task of the plan on each node
    #[arg(long, hide_short_help = true)]
    pub(super) one_task_per_node: bool,
    /// Chance with which demands that vary may overload a node, in each resource: 0.01 or 1%
    #[arg(long, value_name = "CHANCE", hide_short_help = true)]
    pub(super) risk: Option<String>,
    /// Part of every capacity that the plan leaves free: 0.1 or 10%
    #[arg(long, value_name = "PART", hide_short_help = true)]
    pub(super) headroom: Option<String>,
}

impl LimitArgs {
    /// The instance within these limits.
    pub(super) fn apply(&self, mut instance: Instance) -> Result<Instance> {
        if self.one_task_per_node {
            instance = instance.with_one_task_per_node(true);
        }
        if let Some(text) = &self.risk {
            let risk =
                Risk::parse(text).map_err(|cause| Error::usage(format!("--risk: {cause}")))?;
            if !instance.has_deviations() {
                let cause = "--risk: no demand of this instance varies";
                let remedy = "give demands as {\"mean\": 4, \"sd\": 1}, columns `sd:RESOURCE`, or --samples FILE";
                return Err(Error::usage(cause).help(remedy));
            }
            instance = instance.with_risk(Some(risk));
        }
        if let Some(text) = &self.headroom {
            let part = parse_share(text);
            let with = part.and_then(|part| instance.with_headroom(part));
            instance = with.map_err(|cause| Error::usage(format!("--headroom: {cause}")))?;
        }
        Ok(instance)
    }
}

impl GoalArgs {
    /// The goal asked for, where one is and is one.
    fn asked(&self) -> Option<Goal> {
        Goal::parse(self.goal.as_deref()?).ok()
    }

    /// Whether a plan in time is asked for.
    pub(super) fn wants_time(&self) -> bool {
        self.timed || self.asked().is_some_and(|goal| goal.is_timed())
    }

    /// Whether it is about what runs: how much of it moves, or on how few nodes it could be.
    pub(super) fn is_about_running(&self) -> bool {
        let about = [Term::Moves, Term::Moved, Term::GroupMoves, Term::Nodes];
        self.asked().is_some_and(|goal| about.iter().any(|term| goal.mentions(*term)))
    }

    /// The instance with these changes.
    pub(super) fn apply(&self, mut instance: Instance) -> Result<Instance> {
        if let Some(text) = &self.goal {
            let goal =
                Goal::parse(text).map_err(|error| Error::usage(format!("--goal: {error}")))?;
            instance = instance.with_goal(goal);
        }
        if self.timed && !instance.is_timed() {
            instance = instance.with_goal(Goal::single(Term::Makespan));
        }
        self.limits.apply(instance)
    }
}

/// `cpu=1,gpu=3` as one weight a resource; resources not named weigh 0.
pub(super) fn weights(text: &str, instance: &Instance) -> Result<ResourceWeights> {
    let names = || instance.resources().iter().map(|resource| resource.name.as_str());
    let mut weights = vec![0.0; instance.resources().len()];
    for part in text.split(',') {
        let bad = |cause: String| Error::usage(format!("--weights: {cause}"));
        let (name, value) = part
            .split_once('=')
            .ok_or_else(|| bad(format!("`{part}` is not RESOURCE=WEIGHT, as in cpu=1,gpu=3")))?;
        let name = name.trim();
        let at = names().position(|known| known == name).ok_or_else(|| {
            let error = bad(format!("there is no resource `{name}`"));
            match nearest(name, names()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => {
                    error.help(format!("resources are {}", names().collect::<Vec<_>>().join(", ")))
                }
            }
        })?;
        let weight: f64 =
            value.trim().parse().map_err(|_| bad(format!("`{value}` is no number")))?;
        if !weight.is_finite() || weight < 0.0 {
            return Err(bad(format!("`{value}` is not a weight: weights are zero or more")));
        }
        weights[at] = weight;
    }
    Ok(weights)
}
