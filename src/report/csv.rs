//! Plans as CSV: a row a task.

use super::Report;

/// Keeps spreadsheets from taking a name for a formula: they hide the
/// apostrophe, and the plan reader takes it away.
pub(super) fn harmless(text: &str) -> String {
    if text.trim_start_matches('\'').starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// Rows of texts as CSV. Writing to memory cannot fail.
pub(super) fn rows<R, C>(rows: R) -> String
where
    R: IntoIterator<Item = C>,
    C: IntoIterator<Item = String>,
{
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    for row in rows {
        let cells: Vec<String> = row.into_iter().collect();
        let _ = writer.write_record(&cells);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `task,node,reason,detail`: the node is empty where a task stays unplaced.
pub fn plan_csv(report: &Report) -> String {
    let (instance, outcome) = (report.instance, report.outcome);
    let mut reasons = outcome.unplaced.iter().peekable();
    let header = ["task", "node", "reason", "detail"].map(str::to_owned);
    let body = instance.task_ids().map(|task| {
        let name = harmless(instance.task_name(task));
        match outcome.plan.placement[task.index()] {
            Some(node) => [name, harmless(instance.node_name(node)), String::new(), String::new()],
            None => match reasons.next_if(|unplaced| unplaced.task == task) {
                Some(why) => [name, String::new(), why.reason.to_owned(), why.detail.clone()],
                None => [name, String::new(), String::new(), String::new()],
            },
        }
    });
    rows(std::iter::once(header).chain(body))
}
