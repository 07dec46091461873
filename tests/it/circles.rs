//! Files that use each other in a circle can only be understood together: none do in `model`,
//! and never more than three anywhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::tidy::{code, sources};

/// The way to a module from its crate: `["search", "peak"]`.
type Module = Vec<String>;

/// The files of one crate, each with its text in one line.
struct Crate {
    files: BTreeMap<Module, String>,
    /// Where an item that a module re-exports comes from.
    exports: BTreeMap<(Module, String), Module>,
}

fn words(path: &str) -> Vec<String> {
    path.split("::").map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

/// What stands between the commas of a group, nested groups in one piece.
fn entries(group: &str) -> Vec<String> {
    let (mut depth, mut list) = (0, vec![String::new()]);
    for c in group.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        match (c, list.last_mut()) {
            (',', _) if depth == 0 => list.push(String::new()),
            (c, Some(last)) => last.push(c),
            (_, None) => {}
        }
    }
    list.retain(|entry| !entry.trim().is_empty());
    list
}

/// Paths that begin here, groups taken apart: `super::{a::B, c}` is `super::a::B` and `super::c`.
fn paths(text: &str) -> Vec<Vec<String>> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    let (head, rest) = text.split_at(end.unwrap_or(text.len()));
    if !head.ends_with("::") || !rest.starts_with('{') {
        return vec![words(head)];
    }
    let mut depth = 0;
    let close = rest.find(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        depth == 0
    });
    let group = &rest[1..close.unwrap_or(rest.len())];
    let inner = |entry: String| paths(&format!("{head}{}", entry.trim()));
    entries(group).into_iter().flat_map(inner).collect()
}

impl Crate {
    fn of(files: BTreeMap<Module, String>) -> Crate {
        let mut own = Crate { files, exports: BTreeMap::new() };
        for (module, text) in &own.files {
            for at in text.match_indices("pub use ").map(|(at, _)| at + "pub use ".len()) {
                for path in paths(&text[at..]) {
                    let start = path.first().map(String::as_str);
                    let path = match start {
                        Some("self") => path[1..].to_vec(),
                        _ => path,
                    };
                    if let Some((item, way)) = path.split_last() {
                        let from: Module = module.iter().chain(way).cloned().collect();
                        if own.files.contains_key(&from) {
                            own.exports.insert((module.clone(), item.clone()), from);
                        }
                    }
                }
            }
        }
        own
    }

    /// The module that a path written in `module` leads to.
    fn target(&self, module: &Module, path: &[String]) -> Option<Module> {
        let mut at = module.clone();
        let mut rest = path.iter().peekable();
        while let Some(word) = rest.peek() {
            match word.as_str() {
                "crate" => at.clear(),
                "super" => drop(at.pop()),
                "self" => {}
                _ => break,
            }
            rest.next();
        }
        while let Some(word) = rest.peek() {
            let next: Module = at.iter().chain([*word]).cloned().collect();
            if !self.files.contains_key(&next) {
                break;
            }
            at = next;
            rest.next();
        }
        let item = (*rest.peek()?).clone();
        while let Some(from) = self.exports.get(&(at.clone(), item.clone())) {
            at.clone_from(from);
        }
        Some(at)
    }

    fn uses(&self, module: &Module) -> BTreeSet<Module> {
        let text = &self.files[module];
        let mut found = BTreeSet::new();
        for word in ["super::", "crate::", "self::"] {
            for (at, _) in text.match_indices(word) {
                let before = text[..at].chars().next_back();
                if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                    continue;
                }
                let targets = paths(&text[at..]);
                found.extend(targets.iter().filter_map(|path| self.target(module, path)));
            }
        }
        found.remove(module);
        // What gathers others is no part of what they are about.
        found.retain(|target| self.files.contains_key(target) && !module.starts_with(target));
        found
    }
}

/// Modules that can be reached from this one.
fn reach(uses: &BTreeMap<Module, BTreeSet<Module>>, from: &Module) -> BTreeSet<Module> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from.clone()];
    while let Some(module) = open.pop() {
        for next in &uses[&module] {
            if seen.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    seen
}

#[test]
fn few_files_use_each_other_in_circles() {
    let mut crates: BTreeMap<String, BTreeMap<Module, String>> = BTreeMap::new();
    for file in sources() {
        let (floor, below) = file.place();
        let mut module: Module =
            below.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if module.last().is_some_and(|last| last == "mod" || last == "lib" || last == "main") {
            module.pop();
        }
        let text = code(&file).map(|(_, line)| line).collect::<Vec<_>>().join(" ");
        crates.entry(floor.to_owned()).or_default().insert(module, text);
    }
    let mut known = 0;
    for (floor, files) in crates {
        let own = Crate::of(files);
        let uses: BTreeMap<Module, BTreeSet<Module>> =
            own.files.keys().map(|module| (module.clone(), own.uses(module))).collect();
        known += uses.values().map(BTreeSet::len).sum::<usize>();
        let reach: BTreeMap<&Module, BTreeSet<Module>> =
            uses.keys().map(|module| (module, reach(&uses, module))).collect();
        for (module, all) in &reach {
            let circle: Vec<String> = (all.iter())
                .filter(|other| reach[other].contains(*module))
                .map(|other| other.join("/"))
                .collect();
            let most = if floor == "model" { 0 } else { 3 };
            assert!(circle.len() <= most, "{floor}: files in a circle: {}", circle.join(", "));
        }
    }
    assert!(known > 300, "found only {known} uses of one file by another");
}
