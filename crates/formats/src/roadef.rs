//! Google's machine reassignment problem as the ROADEF/EURO challenge 2012 writes
//! it: integers between white space. Resources, machines with their move costs,
//! services, processes, balance costs, three weights. Where processes run now stands
//! in a second file.

use super::integers::Integers;
use super::source::Text;
use base::error::Result;
use model::{
    Ask, Decimal, Draft, Goal, NodeDraft, Part, RatioDraft, ResourceDraft, RouteDraft, RuleDraft,
    TaskDraft, Term, Tier, WeightedTerm, Whom,
};

/// Most resources an instance has.
const RESOURCES: usize = 1000;

/// True when the text has as many numbers as its counts ask for.
pub(super) fn fits(text: &str) -> bool {
    fn count(words: &mut std::str::SplitAsciiWhitespace) -> Option<usize> {
        words.next()?.parse().ok()
    }
    fn skip(words: &mut std::str::SplitAsciiWhitespace, n: Option<usize>) -> Option<()> {
        match n? {
            0 => Some(()),
            n => words.nth(n - 1).map(|_| ()),
        }
    }
    let walk = || {
        let words = &mut text.split_ascii_whitespace();
        let resources = count(words)?;
        skip(words, resources.checked_mul(2))?;
        let machines = count(words)?;
        let each = resources.checked_mul(2)?.checked_add(machines)?.checked_add(2);
        skip(words, machines.checked_mul(each?))?;
        for _ in 0..count(words)? {
            skip(words, Some(1))?;
            let needs = count(words)?;
            skip(words, Some(needs))?;
        }
        let processes = count(words)?;
        skip(words, processes.checked_mul(resources.checked_add(2)?))?;
        let balances = count(words)?;
        skip(words, balances.checked_mul(4)?.checked_add(3))?;
        words.next().is_none().then_some(())
    };
    walk().is_some()
}

/// True for a text whose first lines are shaped like such a file: one number, then
/// two.
pub(super) fn resembles(text: &str) -> bool {
    let mut lines = text.lines().map(|line| line.split_ascii_whitespace().count());
    (lines.next(), lines.next()) == (Some(1), Some(2))
}

struct Machine {
    neighbourhood: i64,
    location: i64,
    capacity: Vec<i64>,
    safety: Vec<i64>,
    /// To each machine.
    costs: Vec<i64>,
}

struct Service {
    spread: i64,
    needs: Vec<usize>,
    processes: Vec<usize>,
}

/// Reads one problem: resources `r0`, ..., nodes `m0`, ... with the labels
/// `location` and `neighbourhood`, tasks `p0`, ... in groups `s0`, ...; the goal is
/// one weighted sum.
///
/// # Errors
/// Anything but non-negative integers up to 10^18, positions of what does not exist,
/// and any other count of numbers than the counts ask for, by line and column;
/// services that cannot be had as asked.
pub(super) fn read(source: Text) -> Result<Draft> {
    let mut draft = Draft::default();
    let numbers = &mut Integers::of(source);
    let width = numbers.next(|| "the number of resources".to_owned())? as usize;
    if width > RESOURCES {
        return Err(numbers.error(format!("there are {width} resources, {RESOURCES} at most")));
    }
    for r in 0..width {
        let transient = numbers.position(2, || format!("whether resource r{r} is transient"))?;
        let price = numbers.next(|| format!("the load cost weight of resource r{r}"))?;
        draft.resources.push(ResourceDraft {
            name: format!("r{r}"),
            transient: transient == 1,
            safety_price: Some(price).filter(|price| *price > 0).map(decimal).transpose()?,
            ..ResourceDraft::default()
        });
    }
    let machines = machines(numbers, width)?;
    let mut services = services(numbers)?;
    let costs = processes(numbers, &mut draft, &mut services)?;
    ratios(numbers, &mut draft)?;
    let [of_process, of_service, of_machine] = weights(numbers)?;
    numbers.end("the three weights of moves")?;
    let product = |weight: i64, cost: i64| {
        weight.checked_mul(cost).map(decimal).unwrap_or_else(|| {
            Err(source.error(format!("a move costs {weight} times {cost}: that is too much")))
        })
    };
    for (task, cost) in draft.tasks.iter_mut().zip(costs) {
        task.move_cost = Some(product(of_process, cost)?);
    }
    for (from, machine) in machines.iter().enumerate() {
        for (to, cost) in machine.costs.iter().enumerate() {
            if from != to && *cost > 0 && of_machine > 0 {
                let cost = product(of_machine, *cost)?;
                draft.routes.push(RouteDraft { from: machine_id(from), to: machine_id(to), cost });
            }
        }
    }
    for (j, machine) in machines.into_iter().enumerate() {
        draft.nodes.push(node(j, machine)?);
    }
    rules(source, &mut draft, &services)?;
    draft.goal = Some(goal(of_service));
    Ok(draft)
}

fn decimal(value: i64) -> Result<Decimal> {
    Decimal::from_integer(value)
        .map_err(|error| base::error::Error::new(base::error::Kind::Input, error.to_string()))
}

fn machine_id(j: usize) -> String {
    format!("m{j}")
}

fn list(numbers: &mut Integers, count: usize, what: impl Fn(usize) -> String) -> Result<Vec<i64>> {
    (0..count).map(|k| numbers.next(|| what(k))).collect()
}

fn machines(numbers: &mut Integers, width: usize) -> Result<Vec<Machine>> {
    let count = numbers.next(|| "the number of machines".to_owned())? as usize;
    let mut machines = Vec::new();
    for j in 0..count {
        machines.push(Machine {
            neighbourhood: numbers.next(|| format!("the neighbourhood of machine m{j}"))?,
            location: numbers.next(|| format!("the location of machine m{j}"))?,
            capacity: list(numbers, width, |r| format!("the capacity of machine m{j} in r{r}"))?,
            safety: list(numbers, width, |r| {
                format!("the safety capacity of machine m{j} in r{r}")
            })?,
            costs: list(numbers, count, |k| format!("the cost of moves from m{j} to m{k}"))?,
        });
    }
    Ok(machines)
}

fn services(numbers: &mut Integers) -> Result<Vec<Service>> {
    let count = numbers.next(|| "the number of services".to_owned())? as usize;
    let mut services = Vec::new();
    for s in 0..count {
        let spread = numbers.next(|| format!("the least spread of service s{s}"))?;
        let needs = numbers.next(|| format!("the number of services that s{s} depends on"))?;
        let need = |_| numbers.position(count, || format!("a service that s{s} depends on"));
        let needs = (0..needs).map(need).collect::<Result<_>>()?;
        services.push(Service { spread, needs, processes: Vec::new() });
    }
    Ok(services)
}

/// Adds the processes; returns what moving each costs, yet to be weighted.
fn processes(
    numbers: &mut Integers,
    draft: &mut Draft,
    services: &mut [Service],
) -> Result<Vec<i64>> {
    let width = draft.resources.len();
    let count = numbers.next(|| "the number of processes".to_owned())?;
    let mut costs = Vec::new();
    for i in 0..count as usize {
        let service =
            numbers.position(services.len(), || format!("the service of process p{i}"))?;
        services[service].processes.push(i);
        let needs = list(numbers, width, |r| format!("what process p{i} needs of r{r}"))?;
        draft.tasks.push(TaskDraft {
            id: format!("p{i}"),
            demand: quantities(needs)?,
            groups: vec![format!("s{service}")],
            ..TaskDraft::default()
        });
        costs.push(numbers.next(|| format!("the cost of moving process p{i}"))?);
    }
    Ok(costs)
}

fn ratios(numbers: &mut Integers, draft: &mut Draft) -> Result<()> {
    let width = draft.resources.len();
    let count = numbers.next(|| "the number of balance costs".to_owned())?;
    for k in 0..count {
        let resource = || format!("a resource of balance cost {k}");
        let (room, with) = (numbers.position(width, resource)?, numbers.position(width, resource)?);
        let ratio = decimal(numbers.next(|| format!("the target of balance cost {k}"))?)?;
        let price = decimal(numbers.next(|| format!("the weight of balance cost {k}"))?)?;
        draft.ratios.push(RatioDraft { room: room as u16, with: with as u16, ratio, price });
    }
    Ok(())
}

fn weights(numbers: &mut Integers) -> Result<[i64; 3]> {
    let mut weight = |what: &str| numbers.next(|| format!("the weight of {what} moves"));
    let weights = [weight("process")?, weight("service")?, weight("machine")?];
    if weights[1] > 1_000_000_000_000 {
        let cause = format!("the weight of service moves is {}, it is 10^12 at most", weights[1]);
        return Err(numbers.error(cause));
    }
    Ok(weights)
}

fn quantities(values: Vec<i64>) -> Result<Vec<(u16, Decimal)>> {
    values.into_iter().enumerate().map(|(r, value)| Ok((r as u16, decimal(value)?))).collect()
}

fn node(j: usize, machine: Machine) -> Result<NodeDraft> {
    let safety = quantities(machine.safety)?.into_iter();
    Ok(NodeDraft {
        id: machine_id(j),
        capacity: quantities(machine.capacity)?,
        labels: vec![
            (LOCATION.to_owned(), machine.location.to_string()),
            (NEIGHBOURHOOD.to_owned(), machine.neighbourhood.to_string()),
        ],
        safety: safety.map(|(r, amount)| (r, Part::Exact(amount))).collect(),
        ..NodeDraft::default()
    })
}

const LOCATION: &str = "location";
const NEIGHBOURHOOD: &str = "neighbourhood";

/// Processes of a service apart, spread over locations, near those it depends on.
fn rules(source: Text, draft: &mut Draft, services: &[Service]) -> Result<()> {
    let whom =
        |processes: &[usize]| Whom::Tasks(processes.iter().map(|i| format!("p{i}")).collect());
    for (s, service) in services.iter().enumerate() {
        let own = &service.processes;
        if own.is_empty() {
            continue;
        }
        let mut rule = |name: String, ask: Ask, over: &str, near: Option<Whom>| {
            let over = over.to_owned();
            let (name, whom) = (Some(name), whom(own));
            draft.rules.push(RuleDraft {
                name,
                ask,
                over,
                whom,
                near,
                limit: None,
                present: Vec::new(),
                as_one: false,
                price: None,
            });
        };
        if own.len() > 1 {
            rule(format!("s{s} apart"), Ask::Apart, "node", None);
        }
        if service.spread > own.len() as i64 {
            let (least, has) = (service.spread, own.len());
            let cause = format!("service s{s} wants {least} locations and has {has} processes");
            return Err(source.error(cause));
        }
        if service.spread > 1 {
            let at_least = service.spread as u32;
            let ask = Ask::Spread { at_least, at_most: u32::MAX, max_skew: None };
            rule(format!("s{s} spread"), ask, LOCATION, None);
        }
        for other in service.needs.iter().filter(|other| **other != s) {
            let others = &services[*other].processes;
            if others.is_empty() {
                let cause =
                    format!("service s{s} depends on service s{other}, of which nothing runs");
                return Err(source.error(cause));
            }
            let ask = Ask::Near { others: Vec::new() };
            rule(format!("s{s} near s{other}"), ask, NEIGHBOURHOOD, Some(whom(others)));
        }
    }
    Ok(())
}

fn goal(of_service: i64) -> Goal {
    let mut terms = vec![(1.0, Term::Soft), (1.0, Term::Moves)];
    if of_service > 0 {
        terms.push((of_service as f64, Term::GroupMoves));
    }
    let terms = terms.into_iter().map(|(weight, term)| WeightedTerm { weight, term });
    Goal { tiers: vec![Tier { terms: terms.collect(), enough: None }] }
}
