use super::super::{Input, Source, read_instance, read_running};
use super::*;
use model::{Direction, Instance};
use proptest::prelude::*;
use serde_json::Value;

fn node(name: &str, labels: &str, more: &str) -> String {
    format!(
        "kind: Node\napiVersion: v1\nmetadata: {{name: {name}, labels: {{kubernetes.io/hostname: {name}, {labels}}}}}\n\
         spec: {{{more}}}\nstatus: {{allocatable: {{cpu: '4', memory: 8Gi, pods: '10'}}, capacity: {{cpu: '8'}}}}\n---\n"
    )
}

fn pod(name: &str, labels: &str, spec: &str) -> String {
    format!(
        "kind: Pod\napiVersion: v1\nmetadata: {{name: {name}, namespace: d, labels: {{{labels}}}}}\n\
         spec: {{containers: [{{name: c, image: i, resources: {{requests: {{cpu: 500m}}}}}}], {spec}}}\n---\n"
    )
}

fn source(text: &str) -> Source {
    Source { name: "f".into(), bytes: text.into() }
}

fn read(text: &str) -> (Instance, Vec<String>) {
    let reading = read_running(&Input::One(source(text)), None, None).unwrap();
    let said = reading.instance.assumptions().iter().map(ToString::to_string);
    // Without which way each errs.
    let said = said.map(|text| text.rsplit_once("; ").map_or(text.clone(), |(all, _)| all.into()));
    let all = reading.warnings.into_iter().chain(said).collect();
    (reading.instance, all)
}

fn refused(text: &str) -> String {
    let error = read_instance(&Input::One(source(text)), None).unwrap_err();
    format!("{error} [{}]", error.remedy)
}

/// The names of the nodes that the first task may use.
fn open_to_first(text: &str) -> Vec<String> {
    let (instance, warnings) = read(text);
    assert_eq!(warnings, [""; 0]);
    let task = instance.task_ids().next().unwrap();
    let nodes = instance.node_ids().filter(|node| instance.eligible(task, *node));
    nodes.map(|node| instance.node_name(node).to_owned()).collect()
}

#[test]
fn running_pods_are_load_and_finished_ones_are_nothing() {
    let nodes = node("a", "zone: z1", "");
    let done = pod("done", "", "nodeName: a").replace("---", "status: {phase: Succeeded}\n---");
    let text = format!(
        "{nodes}{}{}{done}{}",
        pod("r1", "", "nodeName: a"),
        pod("r2", "", "nodeName: a, overhead: {memory: 1Gi}"),
        pod("w", "", "priority: 7")
    );
    let (instance, warnings) = read(&text);
    assert_eq!(warnings, [""; 0]);
    let (a, w) = (instance.node_ids().next().unwrap(), instance.task_ids().next().unwrap());
    let shown = |row: &[i64]| -> Vec<String> {
        let scales = instance.resources().iter().map(|r| r.scale);
        scales.zip(row).map(|(scale, value)| scale.show(*value)).collect()
    };
    assert_eq!(shown(instance.used(a)), ["1", "1073741824"]);
    assert_eq!(shown(instance.capacity(a)), ["4", "8589934592"], "allocatable, not capacity");
    assert_eq!((instance.max_tasks(a), instance.tasks()), (8, 1));
    assert_eq!((instance.task_name(w), instance.priority(w)), ("d/w", 7));
    assert_eq!(shown(instance.demand(w)), ["0.5", "0"]);
}

#[test]
fn nodes_that_are_not_for_everybody() {
    let down = node("down", "", "taints: [{key: node.kubernetes.io/not-ready, effect: NoExecute}]")
        .replace("status: {", "status: {conditions: [{type: Ready, status: 'False'}], ");
    let nodes = [
        node("a", "zone: z1, disk: ssd", ""),
        node("b", "zone: z2, cores: '8'", ""),
        node("cordoned", "", "unschedulable: true"),
        down,
        node("t", "", "taints: [{key: gpu, value: x, effect: NoSchedule}]"),
        node("e", "", "taints: [{key: gpu, value: x, effect: NoExecute}]"),
        node("p", "", "taints: [{key: gpu, value: x, effect: PreferNoSchedule}]"),
    ]
    .concat();
    let affinity = |expression: &str| {
        format!(
            "affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: [{expression}]}}}}}}"
        )
    };
    for (spec, open) in [
        (String::new(), &["a", "b", "p"][..]),
        (
            "tolerations: [{operator: Exists}]".into(),
            &["a", "b", "cordoned", "down", "t", "e", "p"],
        ),
        ("tolerations: [{key: gpu, value: x, effect: NoSchedule}]".into(), &["a", "b", "t", "p"]),
        ("nodeSelector: {zone: z1}".into(), &["a"]),
        (affinity("{matchExpressions: [{key: zone, operator: In, values: [z2]}]}"), &["b"]),
        (affinity("{matchExpressions: [{key: zone, operator: Exists}]}"), &["a", "b"]),
        (affinity("{matchExpressions: [{key: zone, operator: NotIn, values: [z1]}]}"), &["b", "p"]),
        (affinity("{matchExpressions: [{key: zone, operator: DoesNotExist}]}"), &["p"]),
        (affinity("{matchExpressions: [{key: cores, operator: Gt, values: ['7']}]}"), &["b"]),
        (affinity("{matchExpressions: [{key: cores, operator: Lt, values: ['8']}]}"), &[]),
        (
            affinity(
                "{matchExpressions: [{key: disk, operator: Exists}]}, {matchFields: [{key: metadata.name, operator: In, values: [b]}]}",
            ),
            &["a", "b"],
        ),
    ] {
        assert_eq!(open_to_first(&format!("{nodes}{}", pod("w", "", &spec))), open, "{spec}");
    }
    let (instance, _) = read(&format!(
        "{nodes}{}",
        pod(
            "w",
            "",
            "affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 30, preference: {matchExpressions: [{key: disk, operator: Exists}]}}]}}"
        )
    ));
    let task = instance.task_ids().next().unwrap();
    let costs =
        instance.node_ids().map(|node| instance.soft_scale().show(instance.penalty(task, node)));
    assert_eq!(costs.collect::<Vec<_>>(), ["0", "30", "30", "30", "30", "30", "31"]);
}

/// What could not be written again is refused when it is read.
#[test]
fn names_of_resources_are_those_of_instances() {
    let nodes = node("a", "", "").replace("allocatable: {", "allocatable: {' x': '2', ");
    let message = refused(&format!("{nodes}{}", pod("w", "", "")));
    assert!(message.contains("\" x\" is no name for a resource"), "{message}");
}

/// Selectors that contradict each other, or name no value, are read and written: no node will do.
#[test]
fn what_no_node_can_meet_is_written_as_such() {
    let terms = |terms: &str| {
        format!(
            "affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: [{terms}]}}}}}}"
        )
    };
    let none = terms("");
    let nothing = terms("{matchExpressions: [{key: zone, operator: In, values: []}]}");
    let both = terms(
        "{matchExpressions: [{key: zone, operator: In, values: [z1]}, {key: zone, operator: In, values: [z2]}]}",
    );
    for spec in [none, nothing, both] {
        let (instance, _) = read(&format!("{}{}", zones(), pod("w", "", &spec)));
        let mut bytes = Vec::new();
        super::super::write_instance(&instance, &mut bytes).unwrap();
        let again = read_instance(&Input::One(Source { name: "f".into(), bytes }), None).unwrap();
        for instance in [instance, again] {
            let task = instance.task_ids().next().unwrap();
            assert!(!instance.node_ids().any(|node| instance.eligible(task, node)), "{spec}");
        }
    }
}

const AWAY: &str = "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone, labelSelector: {matchLabels: {app: web}}}]}}";

fn zones() -> String {
    [node("a", "zone: z1", ""), node("b", "zone: z2", ""), node("c", "zone: z2", "")].concat()
}

#[test]
fn running_pods_keep_others_away_and_draw_them_near() {
    let runs = pod("r", "app: web", "nodeName: b");
    assert_eq!(open_to_first(&format!("{}{runs}{}", zones(), pod("w", "", AWAY))), ["a"]);
    let near = AWAY.replace("podAnti", "pod");
    assert_eq!(open_to_first(&format!("{}{runs}{}", zones(), pod("w", "", &near))), ["b", "c"]);
    // The one that runs is the one that minds.
    let minds = pod("r", "app: db", &format!("nodeName: b, {AWAY}"));
    assert_eq!(open_to_first(&format!("{}{minds}{}", zones(), pod("w", "app: web", ""))), ["a"]);
    // Another namespace is none of its business, unless it says so.
    let other = runs.replace("namespace: d", "namespace: e");
    assert_eq!(
        open_to_first(&format!("{}{other}{}", zones(), pod("w", "", AWAY))),
        ["a", "b", "c"]
    );
    let all = AWAY.replace("topologyKey", "namespaceSelector: {}, topologyKey");
    assert_eq!(open_to_first(&format!("{}{other}{}", zones(), pod("w", "", &all))), ["a"]);
    let nobody = format!("{}{}", zones(), pod("w", "", &near));
    assert_eq!(open_to_first(&nobody), [""; 0], "nobody to be near to");
}

/// The rules: what, over which label, how many tasks, what is there.
fn rules(text: &str) -> Vec<(String, String, usize, Vec<u32>)> {
    let (instance, _) = read(text);
    let rules = instance.rules().iter().map(|rule| {
        let over = instance.label_values()[rule.over as usize].key.clone();
        let there = rule.present.iter().map(|(_, count)| *count).collect();
        (rule.ask.to_string(), over, rule.tasks.len(), there)
    });
    rules.collect()
}

#[test]
fn waiting_pods_and_each_other() {
    let pods = |spec: &str| {
        let all =
            [pod("w1", "app: web", spec), pod("w2", "app: web", spec), pod("x", "app: db", "")];
        format!("{}{}", zones(), all.concat())
    };
    assert_eq!(rules(&pods(AWAY)), [("apart".into(), "zone".into(), 2, vec![])]);
    let by_host = AWAY.replace("topologyKey: zone", "topologyKey: kubernetes.io/hostname");
    assert_eq!(rules(&pods(&by_host)), [("apart".into(), "node".into(), 2, vec![])]);
    assert_eq!(
        rules(&pods(&AWAY.replace("podAnti", "pod"))),
        [("together".into(), "zone".into(), 2, vec![])]
    );
    let to_db = AWAY.replace("app: web", "app: db");
    let pairs =
        [("apart".into(), "zone".into(), 2, vec![]), ("apart".into(), "zone".into(), 2, vec![])];
    assert_eq!(rules(&pods(&to_db)), pairs);
    assert_eq!(
        rules(&pods(&to_db.replace("podAnti", "pod"))),
        [("near".into(), "zone".into(), 2, vec![])]
    );
    let spread = "topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}]";
    let runs =
        [pod("r1", "app: web", "nodeName: b"), pod("r2", "app: web", "nodeName: c")].concat();
    assert_eq!(
        rules(&format!("{}{runs}", pods(spread))),
        [("spread".into(), "zone".into(), 2, vec![2])]
    );
}

#[test]
fn pod_groups_are_gangs() {
    let group = "kind: PodGroup\napiVersion: scheduling.x-k8s.io/v1alpha1\nmetadata: {name: g, namespace: d}\nspec: {minMember: 3}\n---\n";
    let member = |name: &str, spec: &str| pod(name, "scheduling.x-k8s.io/pod-group: g", spec);
    let waiting = [member("w1", ""), member("w2", ""), member("w3", "")].concat();
    assert_eq!(
        rules(&format!("{}{group}{waiting}", zones())),
        [("gang".into(), "node".into(), 3, vec![])]
    );
    let runs = member("r", "nodeName: a");
    assert_eq!(
        rules(&format!("{}{group}{runs}{waiting}", zones())),
        [
            ("near".into(), "stowplan/cluster".into(), 1, vec![]),
            ("gang".into(), "node".into(), 2, vec![])
        ],
        "any two of three"
    );
    let other = waiting.replacen("spec: {", "spec: {nodeSelector: {zone: z1}, ", 1);
    let (_, warnings) = read(&format!("{}{group}{runs}{other}", zones()));
    assert_eq!(
        warnings,
        [
            "f: document 6 d/w1: any 2 of 3 members of the pod group `d/g` would do: the first are taken"
        ]
    );
    let few = format!("{}{group}{}", zones(), member("w1", ""));
    let (instance, warnings) = read(&few);
    assert_eq!(warnings, [""; 0]);
    assert_eq!(instance.rules()[0].name, "pod group d/g lacks 2 members to begin");
}

#[test]
fn manifests_are_the_pods_they_will_make() {
    let deployment = "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web, namespace: d}\nspec:\n  replicas: 3\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: c, resources: {limits: {cpu: 1}}}]}\n---\n";
    let names = |text: &str| {
        let (instance, _) = read(text);
        instance.task_ids().map(|task| instance.task_name(task).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&format!("{}{deployment}", zones())), ["d/web-0", "d/web-1", "d/web-2"]);
    let owned = pod("web-abc-1", "", "nodeName: a")
        .replace("namespace: d", "namespace: d, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-abc, uid: u}]");
    assert_eq!(names(&format!("{}{deployment}{owned}", zones())), ["d/web-0", "d/web-1"]);
    let job = deployment.replace("kind: Deployment", "kind: Job").replace("apps/v1", "batch/v1");
    let job = job.replace("replicas: 3", "parallelism: 4\n  completions: 2");
    assert_eq!(names(&format!("{}{job}", zones())), ["d/web-0", "d/web-1"]);
    let set = deployment.replace("kind: Deployment", "kind: StatefulSet");
    let set = set.replace("replicas: 3", "replicas: 2\n  ordinals: {start: 5}");
    assert_eq!(names(&format!("{}{set}", zones())), ["d/web-5", "d/web-6"]);
    let volcano = "kind: Job\napiVersion: batch.volcano.sh/v1alpha1\nmetadata: {name: v}\nspec:\n  minAvailable: 3\n  tasks:\n  - {name: ps, replicas: 1, template: {spec: {containers: []}}}\n  - {name: w, replicas: 2, template: {spec: {containers: []}}}\n";
    assert_eq!(
        names(&format!("{}{volcano}", zones())),
        ["default/v-ps-0", "default/v-w-0", "default/v-w-1"]
    );
    assert_eq!(
        rules(&format!("{}{volcano}", zones())),
        [("gang".into(), "node".into(), 3, vec![])]
    );
}

#[test]
fn priorities_by_class() {
    let classes = "kind: PriorityClass\napiVersion: scheduling.k8s.io/v1\nmetadata: {name: high}\nvalue: 900\n---\nkind: PriorityClass\napiVersion: scheduling.k8s.io/v1\nmetadata: {name: usual}\nvalue: 5\nglobalDefault: true\n---\n";
    let pods = [
        pod("a", "", "priorityClassName: high"),
        pod("b", "", ""),
        pod("c", "", "priorityClassName: system-node-critical"),
        pod("d", "", "priorityClassName: gone"),
    ];
    let (instance, warnings) = read(&format!("{}{}{classes}", zones(), pods.concat()));
    let all: Vec<i64> = instance.task_ids().map(|task| instance.priority(task)).collect();
    assert_eq!(all, [900, 5, 2_000_001_000, 5]);
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].starts_with(
            "f: document 7 d/d: spec.priorityClassName: the priority class `gone` is not known"
        ),
        "{warnings:?}"
    );
}

#[test]
fn what_is_not_planned_with_is_said_once_with_its_place() {
    let spec = "volumes: [{name: v, persistentVolumeClaim: {claimName: x}}], \
        resourceClaims: [{name: r, resourceClaimTemplateName: t}], nodeSelektor: {a: b}, \
        topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}], \
        affinity: {podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: zone}}]}}";
    let gated = pod("gated", "", "schedulingGates: [{name: g}]");
    let pods = [pod("w1", "", spec), pod("w2", "", spec), gated].concat();
    let service = "kind: Service\napiVersion: v1\nmetadata: {name: s}\n---\n";
    let lost = pod("lost", "", "nodeName: gone");
    let (_, warnings) = read(&format!("{}{pods}{service}{lost}", zones()));
    for part in [
        "f: document 4 d/w1: spec.volumes: the claim `d/x` is not there, where its volume can be mounted",
        "f: document 6 d/gated: spec.schedulingGates: the pod is not to be scheduled before its gates are open",
        "spec.resourceClaims: ",
        "f: document 4 d/w1: spec.nodeSelektor: unknown field, left out (and 1 more such)",
        "f: document 7 s: kind: objects of kind Service are left out",
        "f: document 8 d/lost: spec.nodeName: there is no node `gone`: the pod is left out",
    ] {
        assert!(warnings.iter().any(|w| w.contains(part)), "{warnings:#?}\nlack {part}");
    }
    assert_eq!(warnings.len(), 6, "{warnings:#?}");
}

#[test]
fn ports_of_nodes_are_taken_once() {
    let listens = |name: &str, spec: &str, port: &str| {
        pod(name, "", spec).replace("image: i,", &format!("image: i, ports: [{port}],"))
    };
    let (all, one) = ("{containerPort: 1, hostPort: 80}", "{hostPort: 80, hostIP: 10.0.0.1}");
    let runs = listens("r", "nodeName: b", one);
    let text = format!("{}{}{runs}", zones(), listens("w", "", all));
    assert_eq!(open_to_first(&text), ["a", "c"], "one address is part of all");
    let other = one.replace(".1", ".2");
    let text = format!("{}{}{runs}", zones(), listens("w", "", &other));
    assert_eq!(open_to_first(&text), ["a", "b", "c"], "other addresses do not meet");
    let text = format!("{}{}{runs}", zones(), listens("w", "", "{hostPort: 80, protocol: UDP}"));
    assert_eq!(open_to_first(&text), ["a", "b", "c"], "nor do other protocols");
    let host = listens("w", "hostNetwork: true", "{containerPort: 80}");
    assert_eq!(open_to_first(&format!("{}{host}{runs}", zones())), ["a", "c"]);
    let waits = [listens("w1", "", all), listens("w2", "", one), listens("w3", "", &other)];
    let asked = rules(&format!("{}{}", zones(), waits.concat()));
    let pair = || ("apart".to_owned(), "node".to_owned(), 2, vec![]);
    assert_eq!(asked, [pair(), pair()], "with whom listens at all addresses alone");
}

/// What a spread of one waiting pod counts: by value, the emptiest included.
fn counted(text: &str) -> Vec<(String, u32)> {
    let (instance, _) = read(text);
    let rule = &instance.rules()[0];
    let label = &instance.label_values()[rule.over as usize].values;
    let each = rule.values.iter().map(|v| (label[*v as usize].clone(), rule.present_on(*v)));
    each.collect()
}

#[test]
fn spread_counts_the_nodes_that_the_scheduler_counts() {
    let spread = |more: &str| {
        format!(
            "topologySpreadConstraints: [{{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {{matchLabels: {{app: web}}}}{more}}}]"
        )
    };
    let nodes = [
        node("a", "zone: z1, disk: ssd", ""),
        node("b", "zone: z2", "unschedulable: true"),
        node("c", "", ""),
    ]
    .concat();
    let runs = pod("r1", "app: web", "nodeName: a");
    let waits = |spec: &str| pod("w", "app: web", spec);
    let owned = |list: &[(&str, u32)]| -> Vec<(String, u32)> {
        list.iter().map(|(value, count)| ((*value).to_owned(), *count)).collect()
    };
    let of = |spec: &str| counted(&format!("{nodes}{runs}{}", waits(spec)));
    assert_eq!(of(&spread("")), owned(&[("z1", 1), ("z2", 0)]), "a cordoned node counts");
    let honour = spread(", nodeTaintsPolicy: Honor");
    assert_eq!(of(&honour), owned(&[("z1", 1)]), "unless taints are honoured");
    let ssd = format!("nodeSelector: {{disk: ssd}}, {}", spread(""));
    assert_eq!(of(&ssd), owned(&[("z1", 1)]), "nodes that are not selected do not");
    let ignore = format!("nodeSelector: {{disk: ssd}}, {}", spread(", nodeAffinityPolicy: Ignore"));
    assert_eq!(of(&ignore), owned(&[("z1", 1), ("z2", 0)]), "unless that is ignored");
    let least = spread(", minDomains: 3");
    assert_eq!(of(&least).len(), 3, "a domain that is missing is an empty one");
    // What is being deleted takes room and is not counted.
    let ends =
        runs.replace("namespace: d,", "namespace: d, deletionTimestamp: '2026-01-01T00:00:00Z',");
    let text = format!("{nodes}{ends}{}", waits(&spread("")));
    assert_eq!(counted(&text), owned(&[("z1", 0), ("z2", 0)]));
    // A pod that does not count itself stays off what is too full, and that is all.
    let more = pod("r2", "app: web", "nodeName: a");
    let other = pod("w", "app: db", &spread(""));
    let open = [node("a", "zone: z1", ""), node("b", "zone: z2", "")].concat();
    assert_eq!(open_to_first(&format!("{open}{runs}{other}")), ["a", "b"]);
    assert_eq!(open_to_first(&format!("{open}{runs}{more}{other}")), ["b"]);
}

#[test]
fn volumes_are_mounted_where_they_are() {
    let volume = |name: &str, more: &str| {
        format!("kind: PersistentVolume\napiVersion: v1\nmetadata: {{name: {name}{more}}}\n")
    };
    let in_zones = |zones: &str| {
        format!(
            "spec: {{nodeAffinity: {{required: {{nodeSelectorTerms: [{{matchExpressions: [{{key: zone, operator: In, values: [{zones}]}}]}}]}}}}}}\n---\n"
        )
    };
    let claim = |spec: &str| {
        format!(
            "kind: PersistentVolumeClaim\napiVersion: v1\nmetadata: {{name: x, namespace: d}}\nspec: {{{spec}}}\n---\n"
        )
    };
    let class = |mode: &str, more: &str| {
        format!(
            "kind: StorageClass\napiVersion: storage.k8s.io/v1\nmetadata: {{name: fast}}\nprovisioner: p\nvolumeBindingMode: {mode}\n{more}---\n"
        )
    };
    let uses = "volumes: [{name: v, persistentVolumeClaim: {claimName: x}}]";
    let open = |more: &str| open_to_first(&format!("{}{}{more}", zones(), pod("w", "", uses)));
    let bound = claim("volumeName: pv");
    let there = format!("{}{}", volume("pv", ""), in_zones("z2"));
    assert_eq!(open(&format!("{bound}{there}")), ["b", "c"]);
    let labelled = volume("pv", ", labels: {topology.kubernetes.io/zone: z1__z3}");
    let anywhere = open(&format!("{bound}{labelled}---\n"));
    assert_eq!(anywhere, ["a", "b", "c"], "nodes that are in no zone reach every volume");
    let in_zone = node("d", "topology.kubernetes.io/zone: z2", "");
    let other = open(&format!("{bound}{labelled}---\n{in_zone}"));
    assert_eq!(other, ["a", "b", "c"], "the node of another zone does not");
    let unbound = claim("storageClassName: fast");
    assert_eq!(open(&format!("{unbound}{}", class("WaitForFirstConsumer", ""))), ["a", "b", "c"]);
    let allowed = "allowedTopologies: [{matchLabelExpressions: [{key: zone, values: [z1]}]}]\n";
    assert_eq!(open(&format!("{unbound}{}", class("WaitForFirstConsumer", allowed))), ["a"]);
    assert_eq!(open(&format!("{unbound}{}", class("Immediate", ""))), [""; 0], "not bound yet");
    // One pod alone: of two that wait one, and none beside one that runs.
    let alone = claim("volumeName: pv, accessModes: [ReadWriteOncePod]");
    let pods = [pod("w1", "", uses), pod("w2", "", uses)].concat();
    let asked = rules(&format!("{}{pods}{alone}{there}", zones()));
    assert_eq!(asked, [("limit".into(), String::new(), 2, vec![])]);
    // What is not there is assumed about.
    let (instance, _) = read(&format!("{}{}{bound}", zones(), pod("w", "", uses)));
    let assumed = &instance.assumptions()[0];
    assert_eq!(assumed.direction, Direction::Wider);
    assert!(assumed.note.starts_with("the volume `pv` is not there"), "{assumed}");
    assert!(!instance.may_be_too_narrow());
}

#[test]
fn taints_decide_and_nothing_else() {
    let cordoned = node("c", "", "unschedulable: true");
    let anything = pod("w", "", "tolerations: [{operator: Exists}]");
    assert_eq!(open_to_first(&format!("{cordoned}{anything}")), ["c"]);
    let taint = "tolerations: [{key: node.kubernetes.io/unschedulable, operator: Exists, effect: NoSchedule}]";
    assert_eq!(open_to_first(&format!("{cordoned}{}", pod("w", "", taint))), ["c"]);
    assert_eq!(open_to_first(&format!("{cordoned}{}", pod("w", "", ""))), [""; 0]);
    let down = node("d", "", "taints: [{key: node.kubernetes.io/not-ready, effect: NoExecute}]")
        .replace("status: {", "status: {conditions: [{type: Ready, status: 'False'}], ");
    let waits = "tolerations: [{key: node.kubernetes.io/not-ready, operator: Exists}]";
    assert_eq!(open_to_first(&format!("{down}{}", pod("w", "", waits))), ["d"]);
    assert_eq!(open_to_first(&format!("{down}{}", pod("w", "", ""))), [""; 0]);
}

#[test]
fn malformed_objects_say_where() {
    let nodes = zones();
    for (text, message) in [
        (
            format!("{nodes}{}", pod("w", "", "").replace("500m", "lots")),
            "f: document 4 d/w, spec.containers[0].resources.requests.cpu: `lots` is not a quantity",
        ),
        (
            format!("{nodes}{}", pod("w", "", "nodeSelector: 3")),
            "f: document 4 d/w, spec.nodeSelector: invalid type: ",
        ),
        (
            format!("{nodes}{}{}", pod("w", "", ""), pod("w", "", "")),
            "f: document 5 d/w: pod d/w appears twice, first in f: document 4 d/w",
        ),
        (nodes.clone(), "f: there are no tasks [no pod waits for a node"),
        (pod("w", "", ""), "f: there are no nodes [give nodes too"),
        (nodes.replace("cpu: '4'", "cpu: -4"), "f: a, status.allocatable.cpu: `-4` is negative"),
        (
            format!("{nodes}kind: Pod\nmetadata: {{name: x}}\n"),
            "f: document 4 x: missing field `spec`",
        ),
    ] {
        let said = refused(&text);
        assert!(said.starts_with(message), "{said}\nis not {message}");
    }
}

#[test]
fn bindings_are_a_plan() {
    let list = r#"{"kind":"List","items":[{"kind":"Binding","metadata":{"name":"w","namespace":"d"},"target":{"name":"a"}}]}"#;
    let text = source(list);
    assert!(is_plan(text.text().unwrap()) && !super::super::is_part(&text));
    let claim = super::super::read_claim(&text).unwrap();
    assert_eq!(
        (claim.assignments[0].task.as_str(), claim.assignments[0].node.as_str()),
        ("d/w", "a")
    );
    let pods = source(&list.replace("Binding", "Pod"));
    assert!(super::super::is_part(&pods));
    let error = super::super::read_claim(&pods).unwrap_err().to_string();
    assert_eq!(error, "f: items[0] d/w: a Pod is no part of a plan");
}

/// Any JSON, with the words of the API likelier than others.
fn json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("Node"),
        Just("Pod"),
        Just("List"),
        Just("Deployment"),
        Just("Job"),
        Just("PodGroup"),
        Just("v1"),
        Just("apps/v1"),
        Just("batch/v1"),
        Just("1"),
        Just("500m"),
        Just("a"),
        Just("-1"),
        Just("99999999999E"),
        Just("kubernetes.io/hostname"),
        Just("In"),
        Just("Gt"),
        Just("DoNotSchedule"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("apiVersion"),
        Just("kind"),
        Just("metadata"),
        Just("name"),
        Just("namespace"),
        Just("labels"),
        Just("spec"),
        Just("status"),
        Just("items"),
        Just("containers"),
        Just("resources"),
        Just("requests"),
        Just("cpu"),
        Just("allocatable"),
        Just("pods"),
        Just("replicas"),
        Just("template"),
        Just("parallelism"),
        Just("affinity"),
        Just("podAntiAffinity"),
        Just("nodeSelector"),
        Just("tolerations"),
        Just("taints"),
        Just("requiredDuringSchedulingIgnoredDuringExecution"),
        Just("topologySpreadConstraints"),
        Just("minMember"),
        Just("nodeName"),
        Just("priority"),
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|list| list.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn arbitrary_json_never_panics(spec in json(), status in json(), kind in "Node|Pod|Job|Deployment|PodGroup|List", name in "[a-c]") {
        let api = if kind == "Job" { "batch/v1" } else if kind == "Deployment" { "apps/v1" } else { "v1" };
        let object = serde_json::json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": spec, "status": status});
        let list = serde_json::json!({"kind": "List", "items": [object, status]});
        for value in [&object, &list] {
            let text = format!("{value}\n{}", r#"{"kind":"Node","metadata":{"name":"n"},"status":{"allocatable":{"cpu":"4"}}}"#);
            let _ = read_instance(&Input::One(source(&text)), None);
            if let Ok(yaml) = yaml_serde::to_string(value) {
                let _ = read_instance(&Input::One(source(&yaml)), None);
            }
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in "(kind: [A-Z]?[a-z]*\n)?.*\n.*") {
        let _ = read_instance(&Input::One(source(&text)), None);
        let _ = read_instance(&Input::One(source(&format!("{{\"apiVersion\":{text}"))), None);
    }
}

#[test]
fn deadlines_of_pods_are_durations_and_ends() {
    let nodes = node("a", "zone: z1", "");
    let began = "status: {phase: Running, startTime: \"1970-01-01T00:16:40Z\"}\n---";
    let runs =
        |name: &str, most: &str| pod(name, "", &format!("nodeName: a{most}")).replace("---", began);
    let text = format!(
        "{nodes}{}{}{}apiVersion: batch/v1\nkind: Job\nmetadata: {{name: j}}\n\
         spec: {{activeDeadlineSeconds: 40, template: {{spec: {{activeDeadlineSeconds: 90, containers: []}}}}}}\n---\n",
        runs("r1", ", activeDeadlineSeconds: 300"),
        runs("r2", ""),
        pod("w", "", "activeDeadlineSeconds: 60"),
    );
    let (instance, warnings) = read(&text);
    assert_eq!(warnings, [""; 0]);
    assert_eq!(instance.start(), Some(1000), "when the newest pod started");
    let durations: Vec<i64> = instance.task_ids().map(|task| instance.duration(task)).collect();
    assert_eq!(durations, [60, 40]);
    let a = instance.node_ids().next().unwrap();
    let used = |second: i64| instance.used_at(a, second)[0];
    assert_eq!((used(0), used(299)), (instance.used(a)[0], instance.used(a)[0]));
    assert_eq!(2 * used(300), used(0));
}
