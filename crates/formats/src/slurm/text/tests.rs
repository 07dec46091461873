//! Texts and JSON of the same cluster, both printed by a real controller (22.05), are the same.

use std::path::Path;

use super::super::super::{Beside, Input, Reading, Source, digest, read_beside};
use super::*;
use base::error::Error;

fn sources(files: &[&str]) -> Vec<Source> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/slurm/lab");
    files.iter().map(|file| Source::read(&folder.join(file)).unwrap()).collect()
}

fn reading(files: &[&str]) -> Reading {
    let beside = Beside { start: Some(1_795_852_200), ..Beside::default() };
    read_beside(&Input::Several(sources(files)), None, &beside).unwrap()
}

fn source(text: &str) -> Source {
    Source { name: "text".to_owned(), bytes: text.as_bytes().to_vec() }
}

fn read_texts(texts: &[&str]) -> std::result::Result<Reading, Error> {
    let sources = texts.iter().map(|text| source(text)).collect();
    read_beside(&Input::Several(sources), None, &Beside::default())
}

fn said(reading: &Reading) -> Vec<String> {
    let assumed = reading.instance.assumptions().iter().map(ToString::to_string);
    reading.warnings.iter().cloned().chain(assumed).collect()
}

#[test]
fn texts_and_json_of_one_cluster_are_one_instance() {
    let json = reading(&["nodes.json", "jobs.json", "partitions.txt"]);
    for files in [
        ["nodes.txt", "jobs.txt", "partitions.txt"],
        ["nodes-o.txt", "jobs-o.txt", "partitions.txt"],
        ["nodes.txt", "jobs.json", "partitions.txt"],
        ["nodes.json", "jobs.txt", "partitions.txt"],
    ] {
        let text = reading(&files);
        let show = |reading: &Reading| {
            let mut bytes = Vec::new();
            super::super::super::write_instance(&reading.instance, &mut bytes).unwrap();
            String::from_utf8(bytes).unwrap()
        };
        assert_eq!(show(&text), show(&json), "{files:?}");
        assert_eq!(digest(&text.instance), digest(&json.instance), "{files:?}");
    }
}

#[test]
fn what_a_text_is() {
    for (text, kind_of) in [
        ("NodeName=n1 Arch=x86_64\n   CPUAlloc=0 CPUTot=4\n", Some(Kind::Records)),
        ("\nJobId=1 JobName=x JobState=PENDING", Some(Kind::Records)),
        ("No jobs in the system\n", Some(Kind::Nothing("jobs"))),
        ("NodeName=n[1-4] CPUs=4\nPartitionName=p Nodes=ALL", Some(Kind::Conf)),
        ("# all\nClusterName=x\nnodename=n1 CPUs=4", Some(Kind::Conf)),
        ("NodeName=n[1-4] Name=gpu File=/dev/nvidia0", Some(Kind::Gres)),
        ("JOBID|PARTITION|ST\n", Some(Kind::Jobs)),
        ("   JOBID PARTITION NAME\n", Some(Kind::Jobs)),
        ("Sat Nov 28 07:43:45 2026\nPARTITION AVAIL NODELIST\n", Some(Kind::Nodes)),
        ("id,cpu\n", None),
        ("3 3\n1 2 3", None),
        ("a = 1\nb = 2", None),
    ] {
        assert_eq!(kind(text), kind_of, "{text}");
    }
}

const NODE: &str = "NodeName=n1 Arch=x86_64 CoresPerSocket=32\n   CPUAlloc=0 CPUEfctv=64 CPUTot=64 CPULoad=0.10\n   \
    ActiveFeatures=epyc\n   Gres=gpu:a100:4(S:0-1)\n   RealMemory=515000 AllocMem=0 Sockets=2 Boards=1\n   \
    State=IDLE ThreadsPerCore=1 TmpDisk=0 Weight=1 Owner=N/A MCS_label=N/A\n   Partitions=gpu\n";
const JOB: &str = "JobId=201 JobName=train\n   UserId=ada(1001) GroupId=ada(1001)\n   JobState=PENDING Reason=Resources \
    Dependency=(null)\n   TimeLimit=1-00:00:00 TimeMin=N/A\n   Partition=gpu NumNodes=1 NumCPUs=8 NumTasks=1 \
    CPUs/Task=8 ReqB:S:C:T=0:0:*:*\n   MinCPUsNode=8 MinMemoryNode=64G MinTmpDiskNode=0\n   TresPerNode=gres/gpu:2\n";

#[test]
fn fields_that_are_not_read_are_assumptions() {
    let plain = read_texts(&[NODE, JOB]).unwrap();
    assert_eq!(said(&plain), [""; 0]);
    assert_eq!(plain.instance.duration(model::TaskId(0)), 86_400);
    for (text, part) in [
        ("   Colour=red\n", "text: line 1, JobId=201: Colour: the field `Colour` is not known"),
        ("   Network=ib\n", "JobId=201: Network: what the job asks of the network"),
        ("   TimeMin=01:00:00\n", "TimeMin: shorter time limits"),
        ("   Licenses=ansys:2\n", "JobId=201: Licenses: how many licences there are is not said"),
        ("   EligibleTime=Tomorr 10:00\n", "EligibleTime: a time that is not written as"),
        ("   ThreadSpec=2\n", "specialised threads"),
    ] {
        let job = JOB.replace(" TimeMin=N/A", "") + text;
        let list = said(&read_texts(&[NODE, &job]).unwrap()).join("\n");
        assert!(list.contains(part), "{list}\nlacks {part}");
        assert_eq!(list.lines().count(), 1, "{list}");
    }
    // One odd value leaves out its job, and names it as the text does.
    let odd = JOB.replace("NumTasks=1", "NumTasks=many").replace("201", "202");
    let list = said(&read_texts(&[NODE, &format!("{JOB}\n{odd}")]).unwrap()).join("\n");
    assert!(list.contains("line 9, JobId=202: NumTasks: `\"many\"` is no whole number"), "{list}");
}

#[test]
fn tables_are_read_or_refused_with_what_says_more() {
    for (files, cause, remedy) in [
        (["nodes.txt", "squeue.txt"], "do not say how many CPUs jobs take", "scontrol show job"),
        (["nodes.txt", "squeue-l.txt"], "do not say how many CPUs jobs take", "squeue --json"),
        (["sinfo.txt", "jobs.txt"], "do not say how many CPUs nodes have", "scontrol show node"),
    ] {
        let error =
            read_beside(&Input::Several(sources(&files)), None, &Beside::default()).unwrap_err();
        assert!(error.to_string().contains(cause), "{error}");
        assert!(error.remedy.contains(remedy), "{}", error.remedy);
    }
    let whole = reading(&["nodes.txt", "jobs.txt"]);
    let amounts = |reading: &Reading| {
        let instance = &reading.instance;
        let nodes = instance.node_ids().map(|node| {
            (
                instance.node_name(node).to_owned(),
                instance.capacity(node)[..3].to_vec(),
                instance.used(node)[..2].to_vec(),
            )
        });
        let mut nodes: Vec<_> = nodes.collect();
        nodes.sort();
        nodes
    };
    for nodes in ["sinfo-O.txt", "sinfo-pipe.txt", "sinfo-Nl.txt"] {
        let table = reading(&[nodes, "jobs.txt"]);
        if nodes == "sinfo-O.txt" {
            assert_eq!(amounts(&table), amounts(&whole), "{nodes}");
            assert_eq!(table.instance.tasks(), whole.instance.tasks());
        }
        assert!(!table.instance.assumptions().is_empty());
    }
    for jobs in ["squeue-all.txt", "squeue-pipe.txt"] {
        let table = reading(&["nodes.txt", jobs]);
        let ids = |reading: &Reading| {
            let instance = &reading.instance;
            let names = instance.jobs().map(|job| instance.job_name(job).to_owned());
            let mut names: Vec<String> = names.filter(|name| !name.contains(':')).collect();
            names.sort();
            names
        };
        assert_eq!(ids(&table), ids(&whole), "{jobs}");
        let list = said(&table).join("\n");
        assert!(list.contains("how many tasks a job has is not said"), "{list}");
        assert!(list.contains("MIN_MEMORY is of each node or of each CPU"), "{list}");
    }
}

#[test]
fn configuration_says_which_nodes_there_would_be() {
    let conf = reading(&["slurm.conf", "jobs.txt"]);
    let live = reading(&[
        "nodes.txt",
        "slurm.conf",
        "jobs.txt",
        "partitions.txt",
        "licences.txt",
        "reservations.txt",
    ]);
    assert_eq!((conf.instance.nodes(), live.instance.nodes()), (6, 6));
    let with =
        reading(&["nodes.txt", "jobs.txt", "partitions.txt", "licences.txt", "reservations.txt"]);
    assert_eq!(digest(&with.instance), digest(&live.instance));
    let more = "NodeName=n[1-2] CPUs=4 RealMemory=1000\nPartitionName=gpu Nodes=ALL\n";
    assert_eq!(read_texts(&[NODE, more, JOB]).unwrap().instance.nodes(), 2);
    let error = read_texts(&["NodeName=n1 CPUs=4\nNodeName=n1 CPUs=8", JOB]).unwrap_err();
    assert!(error.cause.contains("appears twice"), "{error}");
    for text in
        ["No jobs in the system", "JobId=1 JobName=x\n   JobState=RUNNING NodeList=n1 NumCPUs=1\n"]
    {
        let error = read_texts(&[NODE, text]).unwrap_err().to_string();
        assert!(
            error.contains("there are no jobs") || error.contains("the queue is empty"),
            "{error}"
        );
    }
}
