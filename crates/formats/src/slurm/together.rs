//! Heterogeneous jobs: parts that start together or not at all.

use std::collections::BTreeMap;
use std::ops::Range;

use super::cluster::Cluster;
use model::{Ask, Draft, RuleDraft, Whom};

impl Cluster {
    /// Leaves out parts of heterogeneous jobs of which another part cannot start.
    pub(super) fn whole_jobs(&mut self) {
        let mut there: BTreeMap<i64, usize> = BTreeMap::new();
        for job in &self.pending {
            if let Some(het) = job.owner.het {
                *there.entry(het).or_default() += 1;
            }
        }
        let lacks = |job: &super::cluster::Pending| {
            let het = job.owner.het.filter(|_| job.owner.parts > 0);
            het.is_some_and(|het| there[&het] < job.owner.parts)
        };
        let (out, kept) = std::mem::take(&mut self.pending).into_iter().partition(lacks);
        self.pending = kept;
        let out: Vec<String> =
            (out as Vec<super::cluster::Pending>).into_iter().map(|job| job.task.id).collect();
        if !out.is_empty() {
            let why = "another part of the heterogeneous job cannot start".to_owned();
            self.out.push((why, out));
        }
    }

    /// The rules by which parts start as one; `tasks` are those of each pending job in the draft.
    pub(super) fn together(&self, draft: &mut Draft, tasks: &[Range<usize>]) {
        let mut parts: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (k, job) in self.pending.iter().enumerate() {
            if let Some(het) = job.owner.het {
                parts.entry(het).or_default().extend(tasks[k].clone());
            }
        }
        for (het, all) in parts.into_iter().filter(|(_, all)| all.len() > 1) {
            let ids = all.iter().map(|task| draft.tasks[*task].id.clone()).collect();
            let name = format!("heterogeneous job {het}");
            draft.rules.push(RuleDraft {
                as_one: true,
                ..RuleDraft::new(name, Ask::Gang, "node", Whom::Tasks(ids))
            });
        }
    }
}
