//! `topology.conf`: which nodes hang at which switch, as labels. The switch of a node is `switch`,
//! the one above it `switch2`, and so on; a block is `block`.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::source::Text;
use super::words::hosts;

/// True for a text whose first setting is one of a topology.
pub(super) fn is_topology(source: Text) -> bool {
    let mut lines = source.text.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    let first = lines.find(|line| !line.is_empty()).unwrap_or("").to_ascii_lowercase();
    ["switchname", "blockname", "blocksizes"]
        .iter()
        .any(|key| first.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('=')))
}

/// What hangs at what.
#[derive(Default)]
pub(super) struct Topology {
    /// Switches of nodes and of switches.
    above: FxHashMap<String, String>,
    /// Blocks of nodes.
    block: FxHashMap<String, String>,
    /// Switches in the order of the file.
    switches: Vec<String>,
    /// Other partitions may have other topologies than the cluster's.
    pub(super) others: bool,
}

impl Topology {
    /// True when it has switches, not only blocks.
    pub(super) fn has_switches(&self) -> bool {
        !self.switches.is_empty()
    }

    pub(super) fn has_blocks(&self) -> bool {
        !self.block.is_empty()
    }

    /// A switch is there.
    pub(super) fn switch(&mut self, name: &str) -> Result<(), String> {
        if self.switches.iter().any(|known| known == name) {
            return Err(format!("the switch `{name}` appears twice"));
        }
        self.switches.push(name.to_owned());
        Ok(())
    }

    /// What the other says of nodes and switches of which this one says nothing.
    pub(super) fn extend(&mut self, other: Topology) {
        for (item, place) in other.above {
            self.above.entry(item).or_insert(place);
        }
        for (node, block) in other.block {
            self.block.entry(node).or_insert(block);
        }
        self.switches.extend(other.switches);
    }

    /// The labels that say where a node is.
    pub(super) fn labels(&self, node: &str) -> Vec<(String, String)> {
        let mut labels = Vec::new();
        let mut at = node;
        while let Some(next) = self.above.get(at) {
            let level = labels.len() + 1;
            let key = if level == 1 { SWITCH.to_owned() } else { format!("{SWITCH}{level}") };
            labels.push((key, next.clone()));
            at = next;
        }
        labels.extend(self.block.get(node).map(|block| (BLOCK.to_owned(), block.clone())));
        labels
    }

    /// Puts items under a switch or into a block.
    pub(super) fn put(&mut self, list: &[String], place: &str, block: bool) -> Result<(), String> {
        let map = if block { &mut self.block } else { &mut self.above };
        for item in list {
            if let Some(other) = map.insert(item.clone(), place.to_owned()) {
                return Err(format!("`{item}` is named for `{place}` and for `{other}`"));
            }
        }
        Ok(())
    }

    /// A switch that is above itself. Every switch is passed once.
    pub(super) fn circle(&self) -> Option<&String> {
        let mut passed: FxHashMap<&String, usize> = FxHashMap::default();
        self.switches.iter().enumerate().find_map(|(walk, switch)| {
            let mut at = switch;
            loop {
                match passed.insert(at, walk) {
                    Some(earlier) => return (earlier == walk).then_some(at),
                    None => at = self.above.get(at)?,
                }
            }
        })
    }
}

/// The label for the switch that a node hangs at.
pub(super) const SWITCH: &str = "switch";
/// The label for the block that it is in.
pub(super) const BLOCK: &str = "block";

/// Reads the switches and blocks.
///
/// # Errors
/// Lines that are none, nodes and switches named twice, switches in a circle; each with its line.
pub(super) fn read(source: Text) -> base::error::Result<Topology> {
    let mut topology = Topology::default();
    let mut known = FxHashSet::default();
    for (number, line) in joined(source.text) {
        let wrong = |cause: String| source.error(cause).at(format!("line {number}"));
        let (mut switch, mut block, mut below) = (None, None, Vec::new());
        for word in line.split_whitespace() {
            let Some((key, value)) = word.split_once('=') else {
                let remedy = "write SwitchName=s1 Nodes=n[1-4]";
                return Err(wrong(format!("`{word}` is no setting")).help(remedy));
            };
            match key.to_ascii_lowercase().as_str() {
                "switchname" => switch = Some(value),
                "blockname" => block = Some(value),
                "nodes" | "switches" => below.extend(hosts(value).map_err(&wrong)?),
                "linkspeed" | "blocksizes" | "level" => {}
                _ => return Err(wrong(format!("a topology has no setting `{key}`"))),
            }
        }
        if let Some(switch) = switch {
            if !known.insert(switch.to_owned()) {
                return Err(wrong(format!("the switch `{switch}` appears twice")));
            }
            topology.switches.push(switch.to_owned());
        }
        let Some(place) = switch.or(block) else { continue };
        let put = topology.put(&below, place, switch.is_none());
        put.map_err(|cause| wrong(cause).help("name each in one place"))?;
    }
    match topology.circle() {
        Some(switch) => Err(source.error(format!("the switch `{switch}` is above itself"))),
        None => Ok(topology),
    }
}

/// Lines with their numbers, comments left out, those that end in a backslash joined.
pub(super) fn joined(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (k, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim_end();
        let (line, more) = match line.strip_suffix('\\') {
            Some(line) => (line, true),
            None => (line, false),
        };
        match lines.last_mut().filter(|_| open) {
            Some((_, last)) => {
                last.push(' ');
                last.push_str(line);
            }
            None => lines.push((k + 1, line.to_owned())),
        }
        open = more;
    }
    lines.retain(|(_, line)| !line.trim().is_empty());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topology(text: &str) -> base::error::Result<Topology> {
        read(Text { name: "topology.conf", text })
    }

    #[test]
    fn switches_and_blocks() {
        let text = "# ours\nSwitchName=s1 Nodes=n[01-02] LinkSpeed=1\nswitchname=s2 \\\n nodes=n03\n\
                    SwitchName=top Switches=s[1-2]\nBlockName=b1 Nodes=n[01-03]\n";
        assert!(is_topology(Text { name: "", text }));
        let topology = topology(text).unwrap();
        let own = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let labels = [own("switch", "s2"), own("switch2", "top"), own("block", "b1")];
        assert_eq!(topology.labels("n03"), labels);
        assert_eq!(topology.labels("n01")[0], own("switch", "s1"));
        assert!(topology.labels("n04").is_empty());
    }

    /// 40,000 switches, one above the other: what looked at each from each took minutes.
    #[test]
    fn a_long_chain_takes_no_longer_than_its_length() {
        let line = |k: u32| format!("SwitchName=s{k} Switches=s{}\n", k + 1);
        let chain: String = (0..40_000).map(line).collect();
        assert_eq!(topology(&chain).unwrap().labels("s39999").len(), 40_000 - 1);
        let circle = format!("{chain}SwitchName=s40000 Switches=s0\n");
        assert!(topology(&circle).err().unwrap().cause.contains("above itself"));
    }

    #[test]
    fn what_is_no_topology() {
        for (text, message) in [
            ("SwitchName=a Nodes=n[1-", "line 1: a bracket of `n[1-` has no partner"),
            ("\nSwitchName=a b", "line 2: `b` is no setting"),
            ("SwitchName=a Colour=red", "line 1: a topology has no setting `Colour`"),
            ("SwitchName=a Nodes=n\nSwitchName=a Nodes=m", "line 2: the switch `a` appears twice"),
            (
                "SwitchName=a Nodes=n\nSwitchName=b Nodes=n",
                "line 2: `n` is named for `b` and for `a`",
            ),
            ("SwitchName=a Switches=b\nSwitchName=b Switches=a", "the switch `a` is above itself"),
        ] {
            let error = topology(text).err().map(|error| error.to_string());
            assert_eq!(error, Some(format!("topology.conf: {message}")));
        }
        assert!(!is_topology(Text { name: "", text: "task,switchname=\n" }));
    }
}
