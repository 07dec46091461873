use std::path::{Path, PathBuf};

use super::*;

fn source(name: &str, text: &str) -> Source {
    Source { name: name.into(), bytes: text.into() }
}

fn one(text: &str) -> Result<Instance> {
    read_instance(&Input::One(source("f", text)), None)
}

const JSON: &str = r#"{"nodes":[{"id":"n","capacity":{"cpu":1}}],
    "tasks":[{"id":"t","demand":{"cpu":1}},{"id":"u","demand":{"cpu":2}}]}"#;

#[test]
fn formats_have_names() {
    for (format, name, _) in Format::ALL {
        assert_eq!(Format::parse(name).unwrap(), format);
        assert_eq!(format.name(), name);
    }
    assert_eq!(Format::parse("jsn").unwrap_err().remedy, "did you mean `json`?");
}

#[test]
fn what_is_no_instance_says_what_it_is() {
    for (text, cause, remedy) in [
        ("[]", "the top level is a list", "write { \"nodes\""),
        ("task,cpu\na,1\n", "this is one CSV table", "--tasks FILE --nodes FILE"),
        ("task;cpu\na;1\n", "this is one CSV table", "--tasks FILE --nodes FILE"),
        (r#"{"assignments": []}"#, "this is a plan, not an instance", "swapped"),
        ("version: 1\n", "in no known instance format", "json, csv, gap"),
        ("apiVersion: v1\n", "missing field `kind`", "apiVersion and kind"),
        ("<xml/>", "in no known instance format", "--format"),
        ("5 x\n", "`x` is not a whole number", "white space"),
        ("  \n", "the file is empty", ""),
    ] {
        let error = one(text).unwrap_err();
        assert!(error.cause.contains(cause), "{error}");
        assert!(error.remedy.contains(remedy), "{}", error.remedy);
    }
}

/// Both are nothing but integers: counts decide, and where they do not add up lines.
#[test]
fn integers_are_told_apart_by_their_counts() {
    let roadef =
        "1\n1 10\n2\n0 0 9 5 0 1\n1 1 9 5 1 0\n1\n1 0\n2\n0 3 1\n0 2 1\n1\n0 0 1\n1\n1 1 1";
    let gap = "2 3\n1 2 3\n4 5 6\n 7 8 9 10 11 12\n20 21";
    let format = |text: &str| detect(Text { name: "f", text }).unwrap();
    for text in [roadef, &roadef.replace('\n', " "), &format!("{roadef} 7"), "1\n1 2\n"] {
        assert_eq!(format(text), Format::Roadef, "{text}");
    }
    for text in [gap, &gap.replace([' ', '\n'], "\n"), &format!("{gap} 7"), "7", "1 2\n1 2\n"] {
        assert_eq!(format(text), Format::Gap, "{text}");
    }
    let error = one(roadef).unwrap_err();
    assert!(error.remedy.contains("--current"), "{error}");
    let current = source("a", "1 0");
    let input = Input::One(source("f", roadef));
    let error = read_running(&input, None, Some(&current)).unwrap_err();
    assert_eq!(error.to_string(), "f: balance cost 0: a ratio of `r0` to itself");
}

#[test]
fn forced_formats_must_suit_the_files() {
    let input = Input::One(source("f", JSON));
    assert!(read_instance(&input, Some(Format::Json)).is_ok());
    assert!(read_instance(&input, Some(Format::Gap)).unwrap_err().cause.contains("`{\"nodes\""));
    let csv = read_instance(&input, Some(Format::Csv)).unwrap_err();
    assert_eq!((csv.kind, csv.remedy.as_str()), (base::Kind::Usage, TWO_TABLES));
    let tables = Input::Tables {
        tasks: source("t", "task,cpu\na,1\n"),
        nodes: source("n", "node,cpu\nx,1\n"),
        pairs: None,
        rules: None,
    };
    assert!(read_instance(&tables, Some(Format::Csv)).is_ok());
    let json = read_instance(&tables, Some(Format::Json)).unwrap_err();
    assert!(json.cause.contains("hold no json instance"), "{json}");
    let openb = read_instance(&tables, Some(Format::Openb)).unwrap_err();
    assert!(openb.cause.contains("openb's column `sn` is missing"), "{openb}");
}

#[test]
fn a_wrong_problem_is_placed_in_its_file() {
    for (from, to, message) in [
        (r#""u""#, r#""t""#, "f: tasks[1].id: the task id `t` appears twice"),
        (r#""u""#, r#""""#, "f: tasks[1].id: this task has no id"),
        (
            r#""u","demand":{"cpu""#,
            r#""u","demand":{"cqu""#,
            "f: tasks[1].demand.cqu: no node has a capacity for resource `cqu`",
        ),
        (
            r#""capacity":{"cpu":1}"#,
            r#""capacity":{"cpu":1},"used":{"cqu":1}"#,
            "f: nodes[0].used.cqu: no node has a capacity for resource `cqu`",
        ),
        (
            r#"{"nodes""#,
            r#"{"pairs":[{"task":"z","node":"n"}],"nodes""#,
            "f: pairs[0].task: there is no task `z`",
        ),
        (
            r#""cpu":1}}],"#,
            r#""":1}}],"#,
            "f: nodes[0].capacity: \"\" is no name for a resource: use printable characters",
        ),
        (
            r#"{"nodes""#,
            r#"{"goal":"peek","nodes""#,
            "f: line 1 column 14, goal: unknown goal `peek`: did you mean `peak`?; goals are peak, balance, cost, nodes, demand, energy, soft, moves, moved, group_moves, makespan, completion, tardiness, wait",
        ),
        (
            r#"{"nodes""#,
            r#"{"schema_version":2,"nodes""#,
            "f: line 1 column 19, schema_version: schema_version is 2; this program reads version 1",
        ),
    ] {
        assert_eq!(one(&JSON.replace(from, to)).unwrap_err().to_string(), message);
    }
    let empty = one(r#"{"nodes":[],"tasks":[]}"#).unwrap_err();
    assert_eq!(empty.to_string(), "f: there are no tasks");
    let twice = r#"{"computerList":[{"id":1,"cpuPower":1,"memory":1,"networkBandwidth":1,"cost":1},
        {"id":1,"cpuPower":1,"memory":1,"networkBandwidth":1,"cost":1}],
        "processList":[{"id":1,"requiredCpuPower":1,"requiredMemory":1,"requiredNetworkBandwidth":1}]}"#;
    assert_eq!(
        one(twice).unwrap_err().to_string(),
        "f: computerList[1]: the node id `n1` appears twice"
    );
}

/// Every text with one byte removed, replaced or everything after it cut off.
fn damaged(text: &str) -> impl Iterator<Item = Vec<u8>> + '_ {
    let bytes = text.as_bytes();
    (0..bytes.len()).flat_map(move |at| {
        let removed = [&bytes[..at], &bytes[at + 1..]].concat();
        let replaced = b"9-,\"{;\xFF\0".iter().map(move |byte| {
            let mut copy = bytes.to_vec();
            copy[at] = *byte;
            copy
        });
        [bytes[..at].to_vec(), removed].into_iter().chain(replaced)
    })
}

#[test]
fn damaged_files_are_read_or_refused_with_a_cause() {
    let judge = |result: Result<Instance>| match result {
        Ok(instance) => assert!(digest(&instance).starts_with("sha256:")),
        Err(error) => {
            assert!(!error.cause.is_empty() && error.kind == base::Kind::Input, "{error}")
        }
    };
    let cloud = r#"{"computerList":[{"id":1,"cpuPower":1,"memory":1,"networkBandwidth":1,"cost":1}],
        "processList":[{"id":1,"requiredCpuPower":1,"requiredMemory":1,"requiredNetworkBandwidth":1}]}"#;
    for text in [JSON, cloud, "2 3\n1 2 3\n4 5 6\n 7 8 9 10 11 12\n20 21"] {
        for bytes in damaged(text) {
            judge(read_instance(&Input::One(Source { name: "f".into(), bytes }), None));
        }
    }
    let tasks = "task,cpu,duration,requires\na,500m,30m,k=v|w\n\"b\",1,,\n";
    let nodes = "node,cpu,used:cpu,labels,state,price\nx,8,1,k=v,drain,1.5\n";
    for bytes in damaged(tasks) {
        let tasks = Source { name: "t".into(), bytes };
        judge(read_instance(
            &Input::Tables { tasks, nodes: source("n", nodes), pairs: None, rules: None },
            None,
        ));
    }
    for bytes in damaged(nodes) {
        let nodes = Source { name: "n".into(), bytes };
        judge(read_instance(
            &Input::Tables { tasks: source("t", tasks), nodes, pairs: None, rules: None },
            None,
        ));
    }
    let plan = r#"{"goal":[{"tier":"peak","value":0.5}],"assignments":[{"task":"t","node":"n"}]}"#;
    for bytes in damaged(plan).chain(damaged("task,node\na,x\n")) {
        if let Err(error) = read_claim(&Source { name: "p".into(), bytes }) {
            assert!(!error.cause.is_empty());
        }
    }
}

/// The folder of public instances, if this machine has it.
fn public_data() -> Option<PathBuf> {
    let given = std::env::var_os("STOWPLAN_PUBLIC_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    given.into_iter().chain([beside]).find(|folder| folder.is_dir())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| !path.ends_with("LICENSE")).collect();
    files.sort();
    files
}

/// The instance, having gone through JSON and back unchanged.
fn round_trip(input: &Input) -> Instance {
    let instance = read_instance(input, None).unwrap();
    let mut json = Vec::new();
    write_instance(&instance, &mut json).unwrap();
    let again = one(&String::from_utf8(json).unwrap()).unwrap();
    assert_eq!(digest(&instance), digest(&again));
    assert_eq!(instance.goal(), again.goal());
    let files = write_csv(&instance).unwrap();
    let tables = Input::Tables {
        tasks: source("tasks.csv", &files.tasks),
        nodes: source("nodes.csv", &files.nodes),
        pairs: files.pairs.map(|text| source("pairs.csv", &text)),
        rules: files.rules.map(|text| source("rules.csv", &text)),
    };
    assert_eq!(digest(&instance), digest(&read_instance(&tables, None).unwrap()));
    instance
}

#[test]
fn every_public_instance_is_read() {
    let Some(data) = public_data() else {
        eprintln!("skipped: no STOWPLAN_PUBLIC_DATA and no ../shared/data");
        return;
    };
    let mut read = 0;
    for set in ["or-library", "chu-beasley", "yagiura"] {
        for path in files(&data.join("gap").join(set)) {
            let text = std::fs::read_to_string(&path).unwrap();
            let mut sizes = text.split_whitespace().map(|n| n.parse::<usize>().unwrap());
            let sizes = (sizes.next().unwrap(), sizes.next().unwrap());
            let instance = round_trip(&Input::One(Source::read(&path).unwrap()));
            assert_eq!((instance.nodes(), instance.tasks()), sizes, "{}", path.display());
            assert_eq!(instance.goal().to_string(), "cost");
            read += 1;
        }
    }
    for path in files(&data.join("cloudbalancing")) {
        // The names say the sizes: 4computers-12processes.json.
        let name = path.file_stem().unwrap().to_str().unwrap();
        let number = |text: &str| text.trim_end_matches(char::is_alphabetic).parse().unwrap();
        let (computers, processes) = name.split_once('-').unwrap();
        let instance = round_trip(&Input::One(Source::read(&path).unwrap()));
        let sizes: (usize, usize) = (number(computers), number(processes));
        assert_eq!((instance.nodes(), instance.tasks()), sizes, "{name}");
        read += 1;
    }
    let open = |name: &str| Source::read(&data.join("openb").join(name)).unwrap();
    for (pods, nodes, count) in [
        ("openb_pod_list_gpushare100.csv", "openb_node_list_gpu_node.csv", 1213),
        ("openb_pod_list_gpushare40.csv", "openb_node_list_all_node.csv", 1523),
    ] {
        let input =
            Input::Tables { tasks: open(pods), nodes: open(nodes), pairs: None, rules: None };
        let instance = round_trip(&input);
        assert_eq!((instance.nodes(), instance.tasks()), (count, 8152));
        let cards: i64 = instance.node_ids().map(|node| instance.capacity(node)[2]).sum();
        assert_eq!(instance.resources()[2].scale.show(cards), "6212");
        read += 1;
    }
    eprintln!("{read} public instances read");
}
