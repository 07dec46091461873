//! `stowplan policies` and `stowplan solvers`

use super::Done;
use super::output::print;
use engines::policy::{ORDERS, POLICIES};
use engines::schedule::QUEUES;
use ilp::{Availability, Backend};
use plan::solve::Method;

fn section(title: &str, rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = rows.iter().map(|(name, help)| format!("  {name:width$}  {help}\n"));
    format!("{title}\n{}", lines.collect::<String>())
}

pub(super) fn policies() -> Done {
    let methods = Method::GENERAL.map(|(name, help)| (name, help.to_owned()));
    let policies: Vec<(&str, String)> = POLICIES
        .iter()
        .map(|policy| (policy.name, format!("{} [{}]", policy.help, policy.reference)))
        .collect();
    let queues: Vec<(&str, String)> =
        QUEUES.iter().map(|(_, name, help)| (*name, (*help).to_owned())).collect();
    let orders: Vec<(&str, String)> =
        ORDERS.iter().map(|order| (order.name, order.help.to_owned())).collect();
    print(&format!(
        "{}\n{}\n{}\n{}",
        section("Methods", &methods),
        section("Policies, methods of one pass: among the nodes that fit, each takes", &policies),
        section("Queues, methods of one pass for goals about time: jobs start", &queues),
        section("Orders of tasks for policies (--order); without one, many are tried", &orders),
    ))?;
    Ok(0)
}

pub(super) fn solvers() -> Done {
    let rows: Vec<(&str, String)> = Backend::ALL
        .into_iter()
        .map(|solver| {
            let here = match solver.availability() {
                Availability::Embedded(version) => format!("yes, embedded: {version}"),
                Availability::Found(path) => format!("yes, {path}"),
                Availability::Missing(what) => format!("no: {what}"),
            };
            (solver.name(), format!("{} - {here}", solver.help()))
        })
        .collect();
    let default = Backend::default_of_build().name();
    print(&section(
        &format!("Solvers of the integer program (--solver, here {default} by default)"),
        &rows,
    ))?;
    Ok(0)
}
