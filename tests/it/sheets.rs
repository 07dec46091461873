//! Tables as people's spreadsheets save them: read as meant, or refused in one list.

use stowplan::format::{Beside, Columns, Input, Source, digest, read_beside};
use stowplan::model::Instance;
use stowplan::{Error, Result};

fn read(tasks: &str, nodes: &str, columns: Columns) -> Result<(Instance, Vec<String>)> {
    let source = |name: &str, text: &str| Source { name: name.into(), bytes: text.into() };
    let input = Input::Tables {
        tasks: source("tasks.csv", tasks),
        nodes: source("nodes.csv", nodes),
        pairs: None,
        rules: None,
    };
    let reading = read_beside(&input, None, &Beside { columns, ..Beside::default() })?;
    Ok((reading.instance, reading.warnings))
}

fn plain(tasks: &str, nodes: &str) -> Result<(Instance, Vec<String>)> {
    read(tasks, nodes, Columns::default())
}

const TASKS: &str = "task,cpu,memory,duration\na,1.5,64Gi,1h30m\nb,0.25,1536Mi,2h\n";
const NODES: &str = "node,cpu,memory,price\nn1,16,512Gi,2.5\nn2,32,1024Gi,1200\n";

/// The same tables, as several programs in several countries save them.
#[test]
fn what_spreadsheets_save_is_read_as_meant() {
    let (wanted, _) = plain(TASKS, NODES).unwrap();
    let nodes_de = "node;cpu;memory;price\nn1;16;512Gi;2,5\nn2;32;1024Gi;1.200\n";
    for (name, tasks, nodes) in [
        ("CRLF", TASKS.replace('\n', "\r\n"), NODES.replace('\n', "\r\n")),
        ("no line at the end", TASKS.trim_end().to_owned(), NODES.trim_end().to_owned()),
        (
            "LibreOffice, German",
            "task;cpu;memory;duration\na;1,5;64Gi;1h30m\nb;0,25;1.536Mi;2h\n".into(),
            nodes_de.into(),
        ),
        (
            "Excel, German, trailing separators",
            "task;cpu;memory;duration;;\r\na;1,5;64Gi;1h30m;;\r\nb;0,25;1536Mi;2h;;\r\n;;;;;\r\n"
                .into(),
            nodes_de.replace('\n', ";\r\n"),
        ),
        (
            "Excel, French, spaces",
            "task;cpu;memory;duration\na;1,5;64 Gi;1h30m\nb;0,25;1\u{202f}536 MiB;2 h\n".into(),
            "node;cpu;memory;price\nn1;16;512 GiB;2,5\nn2;32;1 024 GiB;1 200\n".into(),
        ),
        (
            "Swiss",
            "task;cpu;memory;duration\na;1.5;64Gi;1h30m\nb;0.25;1'536Mi;2h\n".into(),
            "node;cpu;memory;price\nn1;16;512Gi;2.5\nn2;32;1’024Gi;1’200\n".into(),
        ),
        ("sep line", format!("sep=,\n{TASKS}"), format!("sep=,\r\n{NODES}")),
        (
            "sep semicolon",
            "sep=;\ntask;cpu;memory;duration\na;1,5;64Gi;1h30m\nb;0,25;1536Mi;2h\n".into(),
            NODES.into(),
        ),
        ("tabs", TASKS.replace(',', "\t"), NODES.replace(',', "\t")),
        (
            "Google, quoted thousands",
            "task,cpu,memory,duration\na,1.5,64Gi,1h30m\nb,0.25,\"1,536Mi\",2h\n".into(),
            "node,cpu,memory,price\nn1,16,512Gi,2.5\nn2,32,\"1,024Gi\",\"1,200\"\n".into(),
        ),
        (
            "case and spaces",
            TASKS.replace("task,cpu,memory,duration", "Task , CPU,Memory, Duration"),
            NODES
                .replace("node,cpu,memory,price", "NODE,Cpu,MEMORY,Price")
                .replace("Cpu", "cpu")
                .replace("MEMORY", "memory"),
        ),
        (
            "units in cells",
            "task,cpu,memory,duration\na,1.5 cores,64 GiB,1h30m\nb,0.25 cores,1536 MiB,2 h\n"
                .into(),
            NODES.into(),
        ),
        (
            "units in headers",
            "task,cpu (cores),memory (MiB),duration (h)\na,1.5,65536,1.5\nb,0.25,\"1,536\",2\n"
                .into(),
            "node,cpu,memory [GiB],price\nn1,16,512,2.5\nn2,32,1024,1200\n".into(),
        ),
        ("blank rows", TASKS.replace("\nb", "\n\n,,,\nb"), format!("\n{NODES}\n\n")),
        ("quotes", TASKS.replace("a,1.5", "\"a\",\"1.5\""), NODES.replace("n1", "\"n1\"")),
        ("exponents", TASKS.replace("1.5,", "1.5E+00,"), NODES.replace(",16,", ",1.6E+01,")),
    ] {
        let read = plain(&tasks, &nodes);
        let (instance, warnings) =
            read.unwrap_or_else(|error| panic!("{name}: {error} {:?}", error.more()));
        assert_eq!(digest(&instance), digest(&wanted), "{name}\n{tasks}\n{nodes}");
        assert!(warnings.is_empty(), "{name}: {warnings:?}");
    }
}

/// Everything that is wrong is told at once, each with its place.
#[test]
fn all_errors_come_at_once() {
    let all = |error: &Error| -> Vec<String> {
        std::iter::once(error).chain(error.more()).map(ToString::to_string).collect()
    };
    let tasks = "task,cpu,memory,team\na,x,64Gi,red\nb,1,-3,blue\nc,1\n";
    let nodes = "node,cpu,memory,rack number\nn1,16,many,r1\n";
    let told = all(&plain(tasks, nodes).unwrap_err());
    assert_eq!(told.len(), 6, "{told:#?}");
    for (line, with) in told.iter().zip([
        "tasks.csv: line 1, column `team`: unknown column",
        "tasks.csv: line 2, column `cpu`: `x` is not a quantity",
        "tasks.csv: line 3, column `memory`: `-3` is negative",
        "tasks.csv: line 4: this row has 2 cells, the header has 4 cells",
        "nodes.csv: line 1, column `rack number`: unknown column",
        "nodes.csv: line 2, column `memory`: `many` is not a quantity",
    ]) {
        assert!(line.starts_with(with), "{line}");
    }
    let mut many = "task,cpu\n".to_owned();
    (0..1000).for_each(|k| many.push_str(&format!("t{k},x\n")));
    assert_eq!(all(&plain(&many, NODES).unwrap_err()).len(), 20);
    // What can be read in two ways is not guessed.
    let error = plain("task;cpu\na;1.500\n", "node;cpu\nn;16\n").unwrap_err();
    assert!(error.to_string().contains("`1.500` is 1500 or 1.500"), "{error}");
}

/// What a person says beside the tables.
#[test]
fn columns_can_be_ignored_and_have_units() {
    let ignored = ["Team".to_owned()];
    let units = [("memory".to_owned(), "GiB".to_owned()), ("duration".to_owned(), "h".to_owned())];
    let tasks = "task,cpu,memory,duration,team\na,1.5,64,1.5,red\nb,0.25,1.5,2,blue\n";
    let nodes = "node,cpu,memory,price\nn1,16,512,2.5\nn2,32,1Ti,1200\n";
    let columns = Columns { ignored: &ignored, units: &units };
    let (instance, warnings) = read(tasks, nodes, columns).unwrap();
    assert_eq!(digest(&instance), digest(&plain(TASKS, NODES).unwrap().0));
    assert!(warnings.is_empty());
    let wrong = [("memory".to_owned(), "bananas".to_owned())];
    let error = read(tasks, nodes, Columns { ignored: &ignored, units: &wrong }).unwrap_err();
    assert!(error.to_string().contains("there is no unit `bananas`"), "{error}");
    // Units that are probably forgotten are asked about, in both directions.
    let (_, warnings) = plain("task,memory\na,64\n", "node,memory\nn,512Gi\n").unwrap();
    assert!(warnings[0].starts_with("memory: no task demands more than 64"), "{warnings:?}");
    assert!(warnings[0].contains("512 GiB"), "{warnings:?}");
    let (_, warnings) = plain("task,memory\na,64Gi\n", "node,memory\nn,512\n").unwrap();
    assert!(warnings[0].starts_with("memory: no task demands less than 64 GiB"), "{warnings:?}");
}
