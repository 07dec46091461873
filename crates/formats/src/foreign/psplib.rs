//! Project scheduling: PSPLIB's `.sm` and Patterson's `.rcp`. One node with the renewable resources,
//! activities with durations and successors; the goal is the makespan.

use super::super::source::{Text, line_at};
use super::pool::whole_amount;
use base::error::{Error, Result};
use model::Assumption;
use model::{AfterDraft, CENTURY, Direction, Draft, Goal, NodeDraft, TaskDraft, Term};

/// Most activities, and most resources.
const MOST: usize = 100_000;
const MOST_RESOURCES: usize = 900;

/// An activity as it is read.
#[derive(Clone, Default)]
struct Activity {
    seconds: i64,
    takes: Vec<i64>,
    successors: Vec<usize>,
}

/// True for PSPLIB's heads.
pub(super) fn fits(text: &str) -> bool {
    let line = |mark: &str| text.lines().any(|line| line.trim_start().starts_with(mark));
    line("PRECEDENCE RELATIONS:") && line("REQUESTS/DURATIONS:")
}

/// The activities as tasks, without those that take neither time nor room: what comes after one
/// comes after what that comes after.
fn draft(
    source: Text,
    names: &[String],
    capacities: &[i64],
    activities: &[Activity],
) -> Result<Draft> {
    let mut draft = Draft { goal: Some(Goal::single(Term::Makespan)), ..Draft::default() };
    for name in names {
        draft.resource(name);
    }
    let amounts = |list: &[i64]| -> Vec<(u16, model::Decimal)> {
        let set = list.iter().enumerate().filter(|(_, amount)| **amount > 0);
        set.map(|(r, amount)| (r as u16, whole_amount(*amount))).collect()
    };
    let node = NodeDraft {
        id: "project".to_owned(),
        capacity: amounts(capacities),
        ..NodeDraft::default()
    };
    draft.nodes.push(node);
    let empty =
        |k: usize| activities[k].seconds == 0 && activities[k].takes.iter().all(|own| *own == 0);
    let before = predecessors(source, activities)?;
    // In an order in which each comes after what it comes after.
    let mut real: Vec<Vec<usize>> = vec![Vec::new(); activities.len()];
    let mut all = 0;
    for k in order(source, activities, &before)? {
        let mut list = Vec::new();
        for own in &before[k] {
            if empty(*own) { list.extend(real[*own].iter().copied()) } else { list.push(*own) }
        }
        list.sort_unstable();
        list.dedup();
        all += list.len();
        if all > 100 * MOST {
            return Err(source.error("the activities come after too many others"));
        }
        real[k] = list;
    }
    for (k, activity) in activities.iter().enumerate().filter(|(k, _)| !empty(*k)) {
        let after = real[k].iter().map(|own| AfterDraft { task: (own + 1).to_string(), lag: 0 });
        draft.tasks.push(TaskDraft {
            id: (k + 1).to_string(),
            demand: amounts(&activity.takes),
            duration: Some(activity.seconds),
            after: after.collect(),
            ..TaskDraft::default()
        });
    }
    Ok(draft)
}

fn predecessors(source: Text, activities: &[Activity]) -> Result<Vec<Vec<usize>>> {
    let mut before = vec![Vec::new(); activities.len()];
    for (k, activity) in activities.iter().enumerate() {
        for successor in &activity.successors {
            let Some(list) = before.get_mut(*successor) else {
                let (k, other) = (k + 1, successor + 1);
                return Err(source
                    .error(format!("activity {k} has the successor {other}, which there is not")));
            };
            list.push(k);
        }
    }
    Ok(before)
}

fn order(source: Text, activities: &[Activity], before: &[Vec<usize>]) -> Result<Vec<usize>> {
    let mut open: Vec<usize> = before.iter().map(Vec::len).collect();
    let mut list: Vec<usize> = (0..activities.len()).filter(|k| open[*k] == 0).collect();
    let mut next = 0;
    while let Some(k) = list.get(next).copied() {
        next += 1;
        for successor in &activities[k].successors {
            open[*successor] -= 1;
            if open[*successor] == 0 {
                list.push(*successor);
            }
        }
    }
    match list.len() == activities.len() {
        true => Ok(list),
        false => Err(source.error("activities come after each other in a circle")),
    }
}

/// Numbers of a text with their places.
pub(super) struct Numbers<'a> {
    source: Text<'a>,
    words: Vec<&'a str>,
    next: usize,
}

impl<'a> Numbers<'a> {
    pub(super) fn new(source: Text<'a>) -> Numbers<'a> {
        Numbers { source, words: source.text.split_ascii_whitespace().collect(), next: 0 }
    }

    /// How many are left.
    pub(super) fn left(&self) -> usize {
        self.words.len() - self.next
    }

    /// The next one, from 0.
    ///
    /// # Errors
    /// Something else, or the end of the file; `what` says what was to come.
    pub(super) fn next(&mut self, what: &str) -> Result<i64> {
        let Some(word) = self.words.get(self.next) else {
            return Err(self.source.error(format!("the file ends before {what}")));
        };
        self.next += 1;
        // Some write whole numbers with a point.
        let bare = word
            .split_once('.')
            .filter(|(_, part)| part.bytes().all(|b| b == b'0'))
            .map_or(*word, |(whole, _)| whole);
        let value = bare.parse().ok().filter(|value: &i64| (0..=CENTURY * 1000).contains(value));
        value.ok_or_else(|| {
            let shown: String = word.chars().take(40).collect();
            self.error(format!("`{shown}` is no whole number from 0, where {what} is to stand"))
        })
    }

    /// A number of things, of which each takes a number of its own.
    ///
    /// # Errors
    /// As for [`Numbers::next`]; more than the file has numbers.
    pub(super) fn count(&mut self, what: &str) -> Result<usize> {
        let value = self.next(what)?;
        let left = self.left();
        match usize::try_from(value) {
            Ok(value) if value <= left => Ok(value),
            _ => {
                Err(self.error(format!("{what} is {value}, and the file has {left} more numbers")))
            }
        }
    }

    pub(super) fn error(&self, cause: String) -> Error {
        let start = self.source.text.as_ptr() as usize;
        let at = self
            .words
            .get(self.next.saturating_sub(1))
            .map_or(0, |word| word.as_ptr() as usize - start);
        self.source.error(cause).at(format!("line {}", line_at(self.source.text, at)))
    }
}

/// A duration that is no longer than a century.
pub(super) fn duration(numbers: &mut Numbers) -> Result<i64> {
    let seconds = numbers.next("a duration")?;
    match seconds <= CENTURY {
        true => Ok(seconds),
        false => Err(numbers.error(format!("a duration of {seconds} is longer than a century"))),
    }
}

/// True for the numbers of a `.rcp`: activities and resources, capacities, and for each activity its
/// duration, what it takes, and its successors.
pub(super) fn fits_patterson(text: &str) -> bool {
    let words: Option<Vec<i64>> =
        text.split_ascii_whitespace().map(|word| word.parse().ok()).collect();
    let Some(words) = words else { return false };
    let [n, r, ..] = words[..] else { return false };
    if !(2..=MOST as i64).contains(&n) || !(1..=MOST_RESOURCES as i64).contains(&r) {
        return false;
    }
    let mut at = 2 + r as usize;
    for _ in 0..n {
        let Some(count) = words.get(at + 1 + r as usize) else { return false };
        let count = usize::try_from(*count).unwrap_or(usize::MAX);
        let Some(end) = (at + 2 + r as usize).checked_add(count) else { return false };
        let Some(list) = words.get(at + 2 + r as usize..end) else { return false };
        if list.iter().any(|successor| !(1..=n).contains(successor)) {
            return false;
        }
        at = end;
    }
    at == words.len()
}

/// Reads a `.rcp`.
///
/// # Errors
/// Something else than whole numbers, too few or too many of them, successors that there are not, circles.
pub(super) fn read_patterson(source: Text) -> Result<Draft> {
    let mut numbers = Numbers::new(source);
    let n = numbers.count("the number of activities")?;
    let r = numbers.count("the number of resources")?;
    if r > MOST_RESOURCES || n > MOST {
        return Err(numbers.error(format!("{n} activities with {r} resources are too many")));
    }
    let capacities: Vec<i64> = (0..r).map(|_| numbers.next("a capacity")).collect::<Result<_>>()?;
    let mut activities = Vec::with_capacity(n);
    for _ in 0..n {
        let seconds = duration(&mut numbers)?;
        let takes =
            (0..r).map(|_| numbers.next("what an activity takes")).collect::<Result<_>>()?;
        let count = numbers.count("the number of successors")?;
        let mut successors = Vec::with_capacity(count);
        for _ in 0..count {
            let one = numbers.next("a successor")?;
            let one =
                usize::try_from(one).ok().and_then(|one| one.checked_sub(1)).filter(|one| *one < n);
            successors.push(
                one.ok_or_else(|| numbers.error(format!("successors are numbers from 1 to {n}")))?,
            );
        }
        activities.push(Activity { seconds, takes, successors });
    }
    if numbers.left() > 0 {
        return Err(
            source.error(format!("{} more numbers follow the {n} activities", numbers.left()))
        );
    }
    let names: Vec<String> = (1..=r).map(|k| format!("R{k}")).collect();
    draft(source, &names, &capacities, &activities)
}

/// What a `.sm` says until now.
#[derive(Default)]
struct Project {
    jobs: Option<usize>,
    renewable: usize,
    other: usize,
    modes: Vec<usize>,
    activities: Vec<Activity>,
    names: Vec<String>,
    capacities: Vec<i64>,
    /// The last activity of which a mode was read.
    last: usize,
}

/// Reads a `.sm` with one mode an activity.
///
/// # Errors
/// Sections that are missing, lines that do not read, several modes, resources that are not renewable.
pub(super) fn read(source: Text) -> Result<Draft> {
    let mut project = Project::default();
    let mut section = "";
    for (k, line) in source.text.lines().enumerate() {
        let place = format!("line {}", k + 1);
        let line = line.trim();
        let heads = [
            "PROJECT INFORMATION:",
            "PRECEDENCE RELATIONS:",
            "REQUESTS/DURATIONS:",
            "RESOURCEAVAILABILITIES:",
        ];
        if let Some(head) = heads.into_iter().find(|head| line.starts_with(head)) {
            section = head;
            continue;
        }
        if line.is_empty() || line.starts_with('*') || line.starts_with('-') && line.ends_with('-')
        {
            continue;
        }
        project.line(section, line).map_err(|cause| source.error(cause).at(place))?;
    }
    let Project { activities, names, capacities, other, .. } = project;
    if activities.is_empty() || capacities.is_empty() {
        let cause = "the sections PRECEDENCE RELATIONS, REQUESTS/DURATIONS and RESOURCEAVAILABILITIES are not all there";
        return Err(source.error(cause));
    }
    let mut draft = draft(source, &names, &capacities, &activities)?;
    if other > 0 {
        draft.assumptions.push(Assumption {
            object: source.name.to_owned(),
            field: "RESOURCES".to_owned(),
            count: other,
            direction: Direction::Wider,
            note: "resources that are not renewable are not planned with".to_owned(),
        });
    }
    Ok(draft)
}

impl Project {
    fn line(&mut self, section: &str, line: &str) -> std::result::Result<(), String> {
        let after = |name: &str| {
            line.strip_prefix(name).and_then(|rest| rest.trim_start().strip_prefix(':'))
        };
        if section.is_empty() {
            let first = |text: &str| {
                text.split_whitespace().next().and_then(|word| word.parse::<usize>().ok())
            };
            let bad = || format!("`{line}` says no number");
            if let Some(text) = after("jobs (incl. supersource/sink )").or(after("jobs")) {
                self.jobs = Some(first(text).filter(|jobs| *jobs <= MOST).ok_or_else(bad)?);
            } else if let Some(text) = after("- renewable") {
                self.renewable =
                    first(text).filter(|count| *count <= MOST_RESOURCES).ok_or_else(bad)?;
            } else if let Some(text) = after("- nonrenewable").or(after("- doubly constrained")) {
                self.other += first(text).ok_or_else(bad)?;
            }
            return Ok(());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let numbers: Option<Vec<i64>> =
            words.iter().map(|word| word.parse().ok().filter(|n: &i64| *n >= 0)).collect();
        let Some(numbers) = numbers else {
            if section == "RESOURCEAVAILABILITIES:" {
                // `R 1  R 2  N 1`
                let pairs = words.chunks(2).filter(|pair| pair.len() == 2);
                self.names = pairs.map(|pair| format!("{}{}", pair[0], pair[1])).collect();
                if self.names.is_empty() {
                    self.names = words.iter().map(|word| (*word).to_owned()).collect();
                }
            }
            return Ok(());
        };
        let count = |n: i64| usize::try_from(n).ok();
        match section {
            "PRECEDENCE RELATIONS:" => {
                let [number, modes, several, ref list @ ..] = numbers[..] else {
                    return Err(
                        "an activity is its number, its modes, how many come after it, and which"
                            .to_owned(),
                    );
                };
                if count(number) != Some(self.activities.len() + 1) || self.activities.len() >= MOST
                {
                    return Err(format!(
                        "activity {number} comes where {} is to come",
                        self.activities.len() + 1
                    ));
                }
                if modes != 1 {
                    return Err(format!(
                        "activity {number} has {modes} modes: only one is read (write the mode that is to be used)"
                    ));
                }
                if count(several) != Some(list.len()) {
                    return Err(format!(
                        "activity {number} has {several} successors, {} are named",
                        list.len()
                    ));
                }
                let all = list.iter().map(|one| count(*one)?.checked_sub(1));
                let successors: Option<Vec<usize>> = all.collect();
                let successors = successors.ok_or("successors are numbers from 1")?;
                self.activities.push(Activity { successors, ..Activity::default() });
                self.modes.push(1);
            }
            "REQUESTS/DURATIONS:" => {
                let [number, _, seconds, ref takes @ ..] = numbers[..] else {
                    return Err(
                        "an activity is its number, its mode, its duration, and what it takes"
                            .to_owned(),
                    );
                };
                let known = count(number)
                    .and_then(|number| number.checked_sub(1))
                    .filter(|number| *number == self.last);
                let Some(activity) = known.and_then(|known| self.activities.get_mut(known)) else {
                    return Err(format!(
                        "activity {number} comes where {} is to come",
                        self.last + 1
                    ));
                };
                if takes.len() < self.renewable || seconds > CENTURY {
                    return Err(format!(
                        "activity {number} takes {} resources of {}, in {seconds}",
                        takes.len(),
                        self.renewable
                    ));
                }
                activity.seconds = seconds;
                activity.takes = takes[..self.renewable].to_vec();
                self.last += 1;
            }
            "RESOURCEAVAILABILITIES:" => {
                if numbers.len() < self.renewable || self.names.len() < self.renewable {
                    return Err(format!(
                        "{} capacities for {} resources",
                        numbers.len(),
                        self.renewable
                    ));
                }
                self.capacities = numbers[..self.renewable].to_vec();
                self.names.truncate(self.renewable);
                if self.last != self.activities.len()
                    || self.jobs.is_some_and(|jobs| jobs != self.last)
                {
                    return Err(format!(
                        "{} activities have successors, {} have a duration",
                        self.activities.len(),
                        self.last
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_forms_of_one_project() {
        let text = "5 1\n4\n0 0 2 2 3\n4 2 1 4\n3 3 1 5\n2 1 1 5\n0 0 0\n";
        assert!(fits_patterson(text));
        let draft = read_patterson(Text { name: "f", text }).unwrap();
        let after: Vec<Vec<&str>> = draft
            .tasks
            .iter()
            .map(|task| task.after.iter().map(|own| own.task.as_str()).collect())
            .collect();
        assert_eq!(after, [vec![], vec![], vec!["2"]]);
        assert_eq!(draft.build().unwrap().goal().to_string(), "makespan");
        for (text, cause) in [
            ("5 1\n4\n0 0 2 2 9\n", "successors are numbers from 1 to 5"),
            ("2 1 4 1 1 1 2 1 1 1 1", "in a circle"),
            ("2 1 4 1 1 0 1 1 0 7", "1 more numbers"),
            ("2 1 4 1 x 0", "`x` is no whole number"),
            ("99999999 1", "the file has 1 more numbers"),
        ] {
            let error = read_patterson(Text { name: "f", text }).unwrap_err().to_string();
            assert!(error.contains(cause), "{error}");
        }
    }
}
