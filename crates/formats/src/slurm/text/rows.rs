//! What each field of Slurm's texts is in its JSON: one row a field.

use model::Direction::{self, Either, Narrower, Wider};

/// What a field becomes.
#[derive(Clone, Copy)]
pub(super) enum To {
    /// This text.
    Text(&'static str),
    /// This whole number.
    Count(&'static str),
    /// This number, which may have no limit.
    Most(&'static str),
    /// This number of minutes.
    Minutes(&'static str),
    /// This date.
    Date(&'static str),
    /// It is read together with others.
    Own,
    /// It says nothing of where and when.
    Nothing,
    /// It would matter, unless its value is one of these, and is not planned with.
    Lost(&'static [&'static str], Direction, &'static str),
}

use To::{Count, Date, Lost, Minutes, Most, Nothing, Own, Text};

/// A field with what it becomes.
pub(super) type Row = (&'static str, To);

/// What beginnings of names and values say that nothing is asked for.
pub(super) const NO: &[&str] = &["0", "NO", "OFF", "ALL", "DISABLED"];

/// `scontrol show node`
pub(super) const NODE: &[Row] = &[
    ("NodeName", Text("name")),
    ("CPUTot", Count("cpus")),
    ("CPUEfctv", Count("effective_cpus")),
    ("CPUAlloc", Count("alloc_cpus")),
    ("RealMemory", Count("real_memory")),
    ("AllocMem", Count("alloc_memory")),
    ("MemSpecLimit", Count("specialized_memory")),
    ("Gres", Text("gres")),
    ("GresUsed", Text("gres_used")),
    ("CfgTRES", Text("tres")),
    ("AllocTRES", Text("tres_used")),
    ("ActiveFeatures", Text("active_features")),
    ("AvailableFeatures", Text("features")),
    ("Partitions", Text("partitions")),
    ("State", Text("state")),
    ("TmpDisk", Count("temporary_disk")),
    ("Weight", Count("weight")),
    ("ThreadsPerCore", Count("threads")),
    ("ReservationName", Text("reservation")),
    ("CoreSpecCount", Own),
    ("Owner", Lost(&[], Wider, "a node kept to one user is not planned with")),
    ("MCS_label", Lost(&[], Wider, "a node kept to one group is not planned with")),
    ("GresDrain", Lost(&[], Wider, "resources of a node that are drained are not planned with")),
    ("CPUErr", Lost(NO, Wider, "CPUs of a node in error are not planned with")),
    ("CPUSpecList", Nothing),
    ("Arch", Nothing),
    ("Cores", Nothing),
    ("CoresPerSocket", Nothing),
    ("Sockets", Nothing),
    ("Boards", Nothing),
    ("CPULoad", Nothing),
    ("FreeMem", Nothing),
    ("NodeAddr", Nothing),
    ("NodeHostName", Nothing),
    ("BcastAddr", Nothing),
    ("Port", Nothing),
    ("Version", Nothing),
    ("OS", Nothing),
    ("NextState", Nothing),
    ("BootTime", Nothing),
    ("SlurmdStartTime", Nothing),
    ("LastBusyTime", Nothing),
    ("ResumeAfterTime", Nothing),
    ("CapWatts", Nothing),
    ("CurrentWatts", Nothing),
    ("AveWatts", Nothing),
    ("ExtSensorsJoules", Nothing),
    ("ExtSensorsWatts", Nothing),
    ("ExtSensorsTemp", Nothing),
    ("EnergyJoules", Nothing),
    ("Reason", Nothing),
    ("Comment", Nothing),
    ("Extra", Nothing),
    ("InstanceId", Nothing),
    ("InstanceType", Nothing),
    ("CertFlags", Nothing),
    ("Topology", Nothing),
    ("ClusterName", Nothing),
    ("CpuBind", Nothing),
    ("GPUSpec", Nothing),
    ("ResCoresPerGPU", Lost(NO, Wider, "cores that are kept for cards are not planned with")),
    ("RestrictedCoresPerGPU", Lost(NO, Wider, "cores kept for cards are not planned with")),
];

/// `scontrol show job`
pub(super) const JOB: &[Row] = &[
    ("JobId", Count("job_id")),
    ("ArrayJobId", Count("array_job_id")),
    ("ArrayTaskId", Own),
    ("ArrayTaskThrottle", Nothing),
    ("HetJobId", Count("het_job_id")),
    ("HetJobOffset", Count("het_job_offset")),
    ("HetJobIdSet", Text("het_job_id_set")),
    ("JobName", Text("name")),
    ("UserId", Own),
    ("GroupId", Own),
    ("Priority", Count("priority")),
    ("Account", Text("account")),
    ("QOS", Text("qos")),
    ("JobState", Text("job_state")),
    ("Reason", Text("state_reason")),
    ("Dependency", Text("dependency")),
    ("TimeLimit", Minutes("time_limit")),
    (
        "TimeMin",
        Lost(&[], Narrower, "shorter time limits that the job allows are not planned with"),
    ),
    ("SubmitTime", Date("submit_time")),
    ("EligibleTime", Date("eligible_time")),
    ("StartTime", Date("start_time")),
    ("EndTime", Date("end_time")),
    ("Deadline", Date("deadline")),
    ("RunTime", Own),
    ("Partition", Text("partition")),
    ("ReqNodeList", Text("required_nodes")),
    ("ExcNodeList", Text("excluded_nodes")),
    ("NodeList", Text("nodes")),
    ("NumNodes", Own),
    ("NumCPUs", Own),
    ("NumTasks", Count("tasks")),
    ("CPUs/Task", Count("cpus_per_task")),
    ("ReqB:S:C:T", Own),
    ("Socks/Node", Count("sockets_per_node")),
    ("NtasksPerN:B:S:C", Own),
    ("CoreSpec", Count("core_spec")),
    ("ThreadSpec", Lost(NO, Wider, "specialised threads are not planned with")),
    ("TRES", Own),
    ("ReqTRES", Text("tres_req_str")),
    ("AllocTRES", Text("tres_alloc_str")),
    ("JOB_GRES", Nothing),
    ("MinCPUsNode", Count("minimum_cpus_per_node")),
    ("MinMemoryNode", Text("memory_per_node")),
    ("MinMemoryCPU", Text("memory_per_cpu")),
    ("MinTmpDiskNode", Own),
    ("Features", Text("features")),
    ("BatchFeatures", Text("batch_features")),
    ("ClusterFeatures", Nothing),
    ("Prefer", Text("prefer")),
    ("Reservation", Text("resv_name")),
    ("OverSubscribe", Own),
    ("Contiguous", Own),
    ("Licenses", Text("licenses")),
    ("LicensesAlloc", Nothing),
    ("Switches", Own),
    ("SegmentSize", Count("segment_size")),
    ("BurstBuffer", Text("burst_buffer")),
    ("CpusPerTres", Text("cpus_per_tres")),
    ("MemPerTres", Text("memory_per_tres")),
    ("TresPerJob", Text("tres_per_job")),
    ("TresPerNode", Text("tres_per_node")),
    ("TresPerSocket", Text("tres_per_socket")),
    ("TresPerTask", Text("tres_per_task")),
    ("NtasksPerTRES", Count("tasks_per_tres")),
    ("Network", Lost(&[], Wider, "what the job asks of the network is not planned with")),
    ("DelayBoot", Nothing),
    ("MCS_label", Nothing),
    ("Nice", Nothing),
    ("WCKey", Nothing),
    ("Requeue", Nothing),
    ("Restarts", Nothing),
    ("BatchFlag", Nothing),
    ("Reboot", Nothing),
    ("ExitCode", Nothing),
    ("DerivedExitCode", Nothing),
    ("AccrueTime", Nothing),
    ("ResizeTime", Nothing),
    ("PreemptTime", Nothing),
    ("PreemptEligibleTime", Nothing),
    ("SuspendTime", Nothing),
    ("SecsPreSuspend", Nothing),
    ("LastSchedEval", Nothing),
    ("Scheduler", Nothing),
    ("AllocNode:Sid", Nothing),
    ("SchedNodeList", Nothing),
    ("BatchHost", Nothing),
    ("FailedNode", Nothing),
    ("StepMgrEnabled", Nothing),
    ("BurstBufferState", Nothing),
    ("FedOrigin", Nothing),
    ("FedViableSiblings", Nothing),
    ("FedActiveSiblings", Nothing),
    ("TresBind", Nothing),
    ("TresFreq", Nothing),
    ("CPU_min_freq", Nothing),
    ("CPU_max_freq", Nothing),
    ("Command", Nothing),
    ("SubmitLine", Nothing),
    ("WorkDir", Nothing),
    ("StdErr", Nothing),
    ("StdIn", Nothing),
    ("StdOut", Nothing),
    ("Power", Nothing),
    ("Comment", Nothing),
    ("AdminComment", Nothing),
    ("SystemComment", Nothing),
    ("Container", Nothing),
    ("ContainerID", Nothing),
    ("Extra", Nothing),
    ("MailUser", Nothing),
    ("MailType", Nothing),
    ("SELinuxContext", Nothing),
    ("OriginCluster", Nothing),
    ("ResvPorts", Nothing),
    ("PriorityTier", Nothing),
    ("Oversubscribe", Own),
];

/// `scontrol show partition`, and `PartitionName` lines of `slurm.conf`
pub(super) const PARTITION: &[Row] = &[
    ("PartitionName", Text("name")),
    ("Nodes", Text("nodes.configured")),
    ("MaxNodes", Most("maximums.nodes")),
    ("MaxTime", Minutes("maximums.time")),
    ("MaxCPUsPerNode", Most("maximums.cpus_per_node")),
    ("DefaultTime", Minutes("defaults.time")),
    ("OverSubscribe", Own),
    ("Shared", Own),
    ("State", Text("partition.state")),
    ("AllowQos", Text("qos.allowed")),
    ("DenyQos", Text("qos.deny")),
    ("AllowAccounts", Text("accounts.allowed")),
    ("DenyAccounts", Text("accounts.deny")),
    ("AllowGroups", Text("groups.allowed")),
    (
        "MinNodes",
        Lost(
            &["0", "1"],
            Wider,
            "the least number of nodes of a partition's jobs is not planned with",
        ),
    ),
    (
        "MaxMemPerNode",
        Lost(
            &["UNLIMITED", "0"],
            Wider,
            "the most memory of a partition's jobs is not planned with",
        ),
    ),
    (
        "MaxMemPerCPU",
        Lost(
            &["UNLIMITED", "0"],
            Wider,
            "the most memory of a partition's jobs is not planned with",
        ),
    ),
    (
        "MaxCPUsPerSocket",
        Lost(&["UNLIMITED"], Wider, "the most CPUs of a socket are not planned with"),
    ),
    ("ExclusiveUser", Lost(NO, Wider, "nodes kept to one user are not planned with")),
    ("ExclusiveTopo", Lost(NO, Wider, "switches kept to one job are not planned with")),
    ("QoS", Lost(&[], Wider, "limits of a partition's QOS are not planned with")),
    ("ReqResv", Lost(NO, Wider, "that a partition's jobs need a reservation is not planned with")),
    ("RootOnly", Lost(NO, Wider, "that only root may use a partition is not planned with")),
    ("DisableRootJobs", Nothing),
    (
        "LLN",
        Lost(
            NO,
            Either,
            "that a partition prefers the nodes with the least load is not planned with",
        ),
    ),
    ("PriorityTier", Lost(&["0", "1"], Either, "tiers of partitions are not planned with")),
    (
        "PreemptMode",
        Lost(
            &["OFF", "NONE"],
            Narrower,
            "that jobs of a partition make room for others is not planned with",
        ),
    ),
    (
        "OverTimeLimit",
        Lost(&["NONE", "0"], Wider, "jobs may run past their limit: not planned with"),
    ),
    (
        "SelectTypeParameters",
        Lost(&["NONE"], Either, "a partition's own way to choose nodes is not planned with"),
    ),
    ("AllocNodes", Nothing),
    ("Alternate", Nothing),
    ("CpuBind", Nothing),
    ("Default", Nothing),
    ("DefMemPerCPU", Nothing),
    ("DefMemPerNode", Nothing),
    ("GraceTime", Nothing),
    ("Hidden", Nothing),
    ("JobDefaults", Nothing),
    ("NodeSets", Nothing),
    ("PriorityJobFactor", Nothing),
    ("PowerDownOnIdle", Nothing),
    ("ResumeTimeout", Nothing),
    ("SuspendTime", Nothing),
    ("SuspendTimeout", Nothing),
    ("Topology", Nothing),
    ("TotalCPUs", Nothing),
    ("TotalNodes", Nothing),
    ("TRES", Nothing),
    ("TRESBillingWeights", Nothing),
];

/// `scontrol show reservation`
pub(super) const RESERVATION: &[Row] = &[
    ("ReservationName", Text("name")),
    ("StartTime", Date("start_time")),
    ("EndTime", Date("end_time")),
    ("Nodes", Text("node_list")),
    ("NodeCnt", Count("node_count")),
    ("CoreCnt", Count("core_count")),
    ("Features", Text("features")),
    ("PartitionName", Text("partition")),
    ("Flags", Own),
    ("TRES", Text("tres")),
    ("Users", Text("users")),
    ("Groups", Text("groups")),
    ("Accounts", Text("accounts")),
    ("Licenses", Text("licenses")),
    ("BurstBuffer", Text("burst_buffer")),
    ("QOS", Text("qos")),
    ("AllowedPartitions", Text("allowed_partitions")),
    ("Duration", Nothing),
    ("State", Nothing),
    ("Watts", Nothing),
    ("MaxStartDelay", Nothing),
    ("PurgeComp", Nothing),
    ("Comment", Nothing),
];

/// `scontrol show license`
pub(super) const LICENCE: &[Row] = &[
    ("LicenseName", Text("LicenseName")),
    ("Total", Count("Total")),
    ("Used", Count("Used")),
    ("Free", Count("Free")),
    ("Reserved", Count("Reserved")),
    ("Remote", Own),
    ("LastConsumed", Nothing),
    ("LastDeficit", Nothing),
    ("LastUpdate", Nothing),
    ("Nodes", Nothing),
];

/// `NodeName` lines of `slurm.conf`
pub(super) const CONF: &[Row] = &[
    ("NodeName", Own),
    ("CPUs", Own),
    ("Procs", Own),
    ("Boards", Own),
    ("Sockets", Own),
    ("SocketsPerBoard", Own),
    ("CoresPerSocket", Own),
    ("ThreadsPerCore", Count("threads")),
    ("CoreSpecCount", Own),
    ("CpuSpecList", Own),
    ("RealMemory", Count("real_memory")),
    ("MemSpecLimit", Count("specialized_memory")),
    ("TmpDisk", Count("temporary_disk")),
    ("Gres", Text("gres")),
    ("Feature", Text("features")),
    ("Features", Text("features")),
    ("Weight", Count("weight")),
    ("State", Own),
    ("NodeHostname", Nothing),
    ("NodeAddr", Nothing),
    ("BcastAddr", Nothing),
    ("Port", Nothing),
    ("Reason", Nothing),
    ("CpuBind", Nothing),
    ("Topology", Nothing),
    ("RestrictedCoresPerGPU", Lost(NO, Wider, "cores kept for cards are not planned with")),
];

/// What a row says of a field; without regard to case where a file is written by people.
pub(super) fn row(rows: &[Row], key: &str, loose: bool) -> Option<To> {
    let same = |row: &&Row| row.0 == key || loose && row.0.eq_ignore_ascii_case(key);
    rows.iter().find(same).map(|row| row.1)
}

/// Fields of a job that are read together with others, by what they become.
const TOGETHER: [(&str, &str); 12] = [
    ("cpus", "NumCPUs"),
    ("node_count", "NumNodes"),
    ("max_nodes", "NumNodes"),
    ("array_task_string", "ArrayTaskId"),
    ("contiguous", "Contiguous"),
    ("exclusive", "OverSubscribe"),
    ("required_switches", "Switches"),
    ("group_name", "GroupId"),
    ("minimum_tmp_disk_per_node", "MinTmpDiskNode"),
    ("tasks_per_node", "NtasksPerN:B:S:C"),
    ("tasks_per_socket", "NtasksPerN:B:S:C"),
    ("tasks_per_board", "NtasksPerN:B:S:C"),
];

/// The name in a text of a field of the JSON, for messages; `place` is that of the record.
pub(in super::super) fn name_of<'a>(place: &str, json: &'a str) -> &'a str {
    let target = |to: &To| match to {
        Text(to) | Count(to) | Most(to) | Minutes(to) | Date(to) => Some(*to),
        Own | Nothing | Lost(..) => None,
    };
    let kinds = [
        ("JobId=", JOB),
        ("NodeName=", NODE),
        ("PartitionName=", PARTITION),
        ("ReservationName=", RESERVATION),
    ];
    let Some((head, rows)) = kinds.into_iter().find(|(head, _)| place.contains(head)) else {
        return json;
    };
    let named = rows.iter().find(|(_, to)| target(to) == Some(json)).map(|(text, _)| *text);
    let own = TOGETHER.iter().find(|(own, _)| *own == json && head == "JobId=");
    named.or(own.map(|(_, text)| *text)).unwrap_or(json)
}
