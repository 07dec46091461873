//! Pods that keep away from others (anti-affinity): from those that run by the values they bar, from
//! those that wait by rules.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::affinity::{NAME, bar};
use super::between::Scene;
use super::pods::Term;
use super::quotas::limit;
use model::{Ask, Direction};

/// Most rules for which pods that keep away from others are written out in pairs.
const MOST_PAIRS: usize = 20_000;
/// What keeps pods apart, and the field that says so.
const ANTI: (&str, &str) = ("anti-affinity", FIELD);
const FIELD: &str = "spec.affinity.podAntiAffinity";
/// What is said where pods run that could not come to each other.
const TOGETHER: &str = "pods that keep apart run together: the plan parts them, and on the way the scheduler may refuse what moves beside them";
/// Groups of pods of which each wants a value of its own.
const ALONE: (&str, &str) = ("exclusive topology", FIELD);

/// A condition, and the classes that have it.
type Held<'a> = (&'a Term, Vec<usize>);

impl<'a> Scene<'a> {
    /// Waiting pods keep away from others, those that run and those that wait.
    pub(super) fn all_away(&mut self, terms: Vec<Held<'a>>) {
        let mut alone: BTreeMap<(&str, &str, &[String]), Vec<Held>> = BTreeMap::new();
        for (term, holders) in terms {
            match term.selector.all_but() {
                Some((key, _)) => {
                    let bundle = (key, term.over.as_str(), term.namespaces.as_slice());
                    alone.entry(bundle).or_default().push((term, holders));
                }
                None => self.keep_from_all(term, &holders),
            }
        }
        for ((key, ..), held) in alone {
            let with = |(term, _): &Held<'a>| &term.namespaces_with;
            let same = held.windows(2).all(|two| with(&two[0]) == with(&two[1]));
            if same {
                self.keep_from_running(key, &held);
            }
            for (term, holders) in held.iter().filter(|_| !same) {
                self.keep_from_all(term, holders);
            }
            if same && !self.alone(key, &held) {
                held.into_iter().for_each(|(term, holders)| self.away(term, &holders));
            }
        }
    }

    /// Waiting pods keep away from what runs and what waits.
    fn keep_from_all(&mut self, term: &'a Term, holders: &[usize]) {
        let meant = self.matching(term);
        let values = self.values(&meant, &term.over);
        self.barred(term, holders, &values);
        self.away(term, holders);
    }

    fn barred(&mut self, term: &'a Term, holders: &[usize], values: &[String]) {
        for class in holders.iter().filter(|_| !values.is_empty()) {
            bar(&mut self.out.extra[*class], &term.over, values.to_vec());
        }
        self.tell_of_homes(holders, &term.over, values, FIELD);
    }

    /// Groups of pods keep away from running pods of other groups.
    fn keep_from_running(&mut self, key: &str, held: &[Held<'a>]) {
        let Some((first, _)) = held.first() else { return };
        let mut runs: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (k, class) in self.cluster.classes.iter().enumerate() {
            if let Some(value) = class.labels.get(key)
                && !self.running[k].is_empty()
                && self.meant(first, &class.namespace)
            {
                runs.entry(value).or_default().push(k);
            }
        }
        for (term, holders) in held {
            let own = term.selector.all_but().map(|(_, own)| own);
            let others = runs.iter().filter(|(value, _)| Some(**value) != own);
            let others: Vec<usize> = others.flat_map(|(_, classes)| classes).copied().collect();
            let values = self.values(&others, &term.over);
            self.barred(term, holders, &values);
        }
    }

    /// Groups of pods, told apart by a label, that let no pod of another group onto their value:
    /// where the pods of each are bound to be together, one of each keeps apart from the others.
    /// False where they are not.
    fn alone(&mut self, key: &str, held: &[Held<'a>]) -> bool {
        let Some((first, _)) = held.first() else { return true };
        let cluster = self.cluster;
        let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (k, class) in cluster.classes.iter().enumerate() {
            if let Some(value) = class.labels.get(key)
                && self.meant(first, &class.namespace)
            {
                groups.entry(value).or_default().push(k);
            }
        }
        let mut sizes: FxHashMap<&str, i64> = FxHashMap::default();
        for group in cluster.waiting.iter().filter_map(|pod| pod.group.as_deref()) {
            *sizes.entry(group).or_insert(0) += 1;
        }
        let mut leaders = Vec::new();
        for (term, holders) in held {
            let Some((_, own)) = term.selector.all_but() else { return false };
            let members = groups.remove(own).unwrap_or_default();
            if !holders.iter().all(|class| members.contains(class)) {
                return false;
            }
            let tasks = self.tasks(&members);
            if tasks.is_empty() {
                return false;
            }
            let gang = cluster.waiting[tasks[0]].group.as_deref();
            let whole = gang.is_some_and(|gang| {
                cluster.groups.get(gang).is_some_and(|least| sizes.get(gang) <= Some(least))
                    && tasks.iter().all(|k| cluster.waiting[*k].group.as_deref() == Some(gang))
            });
            let near = |class: &usize| match cluster.classes[*class].terms.near.as_slice() {
                [near] => near.over == term.over && near.selector.only() == Some((key, own)),
                _ => false,
            };
            let runs = tasks.iter().any(|task| self.homes.contains_key(task))
                || members.iter().any(|class| !self.running[*class].is_empty());
            if tasks.len() > 1 && (runs || !whole || !members.iter().all(near)) {
                return false;
            }
            leaders.push(tasks[0]);
        }
        let strangers = self.tasks(&groups.into_values().flatten().collect::<Vec<_>>());
        let Some(over) = self.over(&first.over) else { return true };
        leaders.sort_unstable();
        if strangers.len() * leaders.len() > MOST_PAIRS {
            return false;
        }
        if leaders.len() > 1 {
            self.keep_apart(ALONE, &over, &leaders);
        }
        for stranger in strangers {
            leaders.push(stranger);
            self.keep_apart(ALONE, &over, &leaders);
            leaders.pop();
        }
        true
    }

    /// Running pods keep others off their values.
    pub(super) fn kept_off(&mut self, term: &'a Term, holders: &[usize]) {
        let values = self.values(holders, &term.over);
        let mut meant = self.matching(term);
        meant.retain(|class| !self.waiting[*class].is_empty() && !values.is_empty());
        for class in &meant {
            bar(&mut self.out.extra[*class], &term.over, values.clone());
        }
        self.tell_of_homes(&meant, &term.over, &values, FIELD);
    }

    /// Says where pods that may move run on values of a label that they are kept off.
    pub(super) fn tell_of_homes(
        &mut self,
        classes: &[usize],
        key: &str,
        values: &[String],
        field: &str,
    ) {
        if self.homes.is_empty() || values.is_empty() {
            return;
        }
        let values: FxHashSet<&str> = values.iter().map(String::as_str).collect();
        let at_home = |task: &usize| {
            let home = self.homes.get(task).copied();
            let value = home.and_then(|host| match key {
                NAME => Some(self.cluster.hosts[host].name.as_str()),
                key => self.value(host, key),
            });
            value.is_some_and(|value| values.contains(value))
        };
        let mut tasks = classes.iter().flat_map(|class| &self.waiting[*class]);
        if let Some(task) = tasks.find(|task| at_home(task)).copied() {
            self.tell(Direction::Either, task, field, TOGETHER);
        }
    }

    /// Waiting pods keep away from others.
    fn away(&mut self, term: &'a Term, holders: &[usize]) {
        let meant = self.matching(term);
        let others = self.tasks(&meant);
        let Some(over) = self.over(&term.over) else { return };
        if others.is_empty() {
            return;
        }
        let also = |class: &usize| meant.binary_search(class).is_ok();
        let (inner, outer): (Vec<usize>, Vec<usize>) = holders.iter().partition(|k| also(k));
        let mut inner = self.tasks(&inner);
        let outer = self.tasks(&outer);
        let strangers: Vec<usize> =
            others.iter().copied().filter(|task| inner.binary_search(task).is_err()).collect();
        if inner.len() > 1 {
            self.keep_apart(ANTI, &over, &inner);
        }
        let pairs = strangers.len() * usize::from(!inner.is_empty()) + outer.len() * others.len();
        if pairs > MOST_PAIRS {
            let what =
                format!("{pairs} pairs of waiting pods that keep apart are too many to plan with");
            let task = outer.first().or(inner.first()).copied().unwrap_or(0);
            self.tell(Direction::Wider, task, "spec.affinity.podAntiAffinity", &what);
            return;
        }
        for stranger in &strangers {
            // Those that keep apart from each other keep apart from the stranger too.
            if !inner.is_empty() {
                inner.push(*stranger);
                self.keep_apart(ANTI, &over, &inner);
                inner.pop();
            }
        }
        for holder in &outer {
            for other in &others {
                self.keep_apart(ANTI, &over, &[*holder, *other]);
            }
        }
    }

    /// One of the pods at most for each value; what has no value is free, which `apart` would not
    /// leave it.
    pub(super) fn keep_apart(&mut self, (what, field): (&str, &str), over: &str, tasks: &[usize]) {
        let homes = tasks.iter().filter_map(|task| self.homes.get(task));
        let own = |host: &usize| match over {
            "node" => Some(self.cluster.hosts[*host].name.as_str()),
            key => self.value(*host, key),
        };
        let mut places: Vec<&str> = homes.filter_map(own).collect();
        places.sort_unstable();
        if places.windows(2).any(|two| two[0] == two[1]) {
            self.tell(Direction::Either, tasks[0], field, TOGETHER);
        }
        let everywhere = |host: usize| self.value(host, over).is_some();
        if over == "node" || (0..self.cluster.hosts.len()).all(everywhere) {
            self.rule(what, Ask::Apart, over, tasks);
            return;
        }
        let name = format!("{what} of {}", self.cluster.waiting[tasks[0]].id);
        self.out.rules.push(limit(&name, "tasks", over, None, 1, self.ids(tasks)));
    }
}
