//! `topology.yaml` of 25.05 and later: several topologies, each a tree of switches, blocks, or flat.

use serde_json::Value;

use super::super::source::Text;
use super::fields::At;
use super::topology::Topology;
use super::words::hosts;
use base::error::{Error, Result};

/// True for a list whose first entry names a topology.
pub(super) fn is_topology(source: Text) -> bool {
    let mut lines = source.text.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    let first = lines.find(|line| !line.is_empty() && *line != "---").unwrap_or("");
    let key = first.strip_prefix('-').map_or("", |rest| rest.trim_start());
    key.strip_prefix("topology").is_some_and(|rest| rest.trim_start().starts_with(':'))
}

/// Reads the topology that is the cluster's, and of the others what that one does not say.
///
/// # Errors
/// What is no YAML or no topology, nodes and switches named twice in one; each with its place.
pub(super) fn read(source: Text) -> Result<Topology> {
    let value: Value = yaml_serde::from_str(source.text).map_err(|error| {
        let place = error.location().map_or_else(String::new, |at| format!("line {}", at.line()));
        source.error(format!("not valid YAML: {error}")).at(place)
    })?;
    let all = At::root(source.name, &value).entries()?;
    let mut own: Vec<&At> = all.iter().filter(|at| at.flag("cluster_default")).collect();
    own.extend(all.iter().filter(|at| !at.flag("cluster_default")));
    let mut topology = Topology::default();
    for (k, at) in own.into_iter().enumerate() {
        let mut one = Topology::default();
        tree(at, &mut one)?;
        blocks(at, &mut one)?;
        if let Some(switch) = one.circle() {
            return Err(at.error(format!("the switch `{switch}` is above itself")));
        }
        topology.extend(one);
        topology.others |= k > 0;
    }
    Ok(topology)
}

fn tree(at: &At, topology: &mut Topology) -> Result<()> {
    let Some(list) = at.way(&["tree", "switches"]) else { return Ok(()) };
    for entry in list.entries()? {
        let name = named(&entry, "switch")?;
        for key in ["nodes", "children"] {
            put(&entry, key, &name, false, topology)?;
        }
        topology.switch(&name).map_err(|cause| entry.wrong("switch", cause))?;
    }
    Ok(())
}

fn blocks(at: &At, topology: &mut Topology) -> Result<()> {
    let Some(list) = at.way(&["block", "blocks"]) else { return Ok(()) };
    for entry in list.entries()? {
        let name = named(&entry, "block")?;
        put(&entry, "nodes", &name, true, topology)?;
    }
    Ok(())
}

fn named(entry: &At, key: &str) -> Result<String> {
    let name = entry.text(key)?;
    if name.is_empty() {
        return Err(entry.error(format!("this has no `{key}`")));
    }
    Ok(name)
}

/// What hangs at the place: a host list, or a list of these.
fn put(entry: &At, key: &str, place: &str, block: bool, topology: &mut Topology) -> Result<()> {
    let Some(value) = entry.get(key) else { return Ok(()) };
    let texts = match value.entries() {
        Ok(list) => list.iter().map(|at| at.own()).collect::<Result<Vec<String>>>()?,
        Err(_) => vec![entry.text(key)?],
    };
    for text in texts {
        let names = hosts(&text).map_err(|cause| entry.wrong(key, cause))?;
        let put = topology.put(&names, place, block);
        put.map_err(|cause: String| -> Error {
            entry.wrong(key, cause).help("name each in one place")
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topology(text: &str) -> Result<Topology> {
        read(Text { name: "topology.yaml", text })
    }

    #[test]
    fn trees_and_blocks() {
        let text = "---\n# ours\n- topology: blocks\n  block:\n    block_sizes: [2]\n    blocks:\n      - block: b1\n        nodes: n[1-2]\n\
                    - topology: tree\n  cluster_default: true\n  tree:\n    switches:\n      - switch: top\n        children: s[1-2]\n\
                    \x20     - switch: s1\n        nodes: n[1-2]\n      - switch: s2\n        nodes: [n3, 'n[4-5]']\n- topology: plain\n  flat: true\n";
        assert!(is_topology(Text { name: "", text }));
        let topology = topology(text).unwrap();
        let own = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let labels = [own("switch", "s1"), own("switch2", "top"), own("block", "b1")];
        assert_eq!(topology.labels("n1"), labels);
        assert_eq!(topology.labels("n5"), [own("switch", "s2"), own("switch2", "top")]);
        assert!(topology.others && topology.labels("n6").is_empty());
    }

    #[test]
    fn what_is_none() {
        for (text, message) in [
            ("- topology: a\n  tree: {switches: [{nodes: n1}]}", "this has no `switch`"),
            (
                "- topology: a\n  block: {blocks: [{block: b, nodes: n1}, {block: c, nodes: n1}]}",
                "`n1` is named for `c` and for `b`",
            ),
            (
                "- topology: a\n  tree: {switches: [{switch: s, children: s}]}",
                "the switch `s` is above itself",
            ),
            ("- topology: [", "not valid YAML"),
        ] {
            let error = topology(text).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(message), "{error}");
        }
        assert!(!is_topology(Text { name: "", text: "topology: a\n" }));
        assert!(!is_topology(Text { name: "", text: "- name: topology\n" }));
    }
}
