//! Devices that pods claim (dynamic resource allocation): what nodes have, what claims select, what
//! is allocated. Each set of devices that claims select becomes a resource of the nodes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::cel::{Device, Value, meets, version};
use super::objects::Object;
use model::{Decimal, Direction};

/// A device: driver, pool, name.
pub(super) type Id = (String, String, String);

/// A device where it is.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) id: Id,
    /// The node that has it; none for what several nodes reach.
    pub(super) node: Option<String>,
    generation: i64,
    device: Device,
    /// Something about it that is not understood.
    odd: Option<&'static str>,
}

/// So many devices of a claim.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) class: String,
    pub(super) conditions: Vec<String>,
    pub(super) count: i64,
    /// All that the node has, of which there must be some, and none in use.
    pub(super) all: bool,
}

/// A claim, or the template of one.
#[derive(Clone, Debug, Default)]
pub(super) struct Claim {
    pub(super) requests: Vec<Request>,
    /// What of it is not planned with.
    pub(super) told: Vec<(Direction, &'static str)>,
    /// Devices that it has.
    pub(super) allocated: Vec<Id>,
}

/// What there is of devices and claims.
#[derive(Debug, Default)]
pub(super) struct Claims {
    pub(super) devices: Vec<Placed>,
    /// Conditions of each class.
    classes: BTreeMap<String, Vec<String>>,
    /// By `namespace/name`.
    pub(super) templates: BTreeMap<String, Claim>,
    pub(super) claims: BTreeMap<String, Claim>,
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn conditions(list: &Json) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|one| one.pointer("/cel/expression")?.as_str().map(str::to_owned)).collect()
}

impl Claims {
    /// Takes an object of `resource.k8s.io` over; false for kinds that are not known.
    pub(super) fn take(&mut self, object: &Object) -> bool {
        let spec = object.value.get("spec").unwrap_or(&Json::Null);
        let name = match object.name.contains('/') {
            true => object.name.clone(),
            false => format!("default/{}", object.name),
        };
        match object.kind.as_str() {
            "ResourceSlice" => self.slice(spec),
            "DeviceClass" => {
                self.classes.insert(object.name.clone(), conditions(&spec["selectors"]));
            }
            "ResourceClaimTemplate" => {
                self.templates.insert(name, Claim::of(&spec["spec"]));
            }
            "ResourceClaim" => {
                let results = object.value.pointer("/status/allocation/devices/results");
                let results = results.and_then(Json::as_array).into_iter().flatten();
                let id =
                    |one: &Json| (text(&one["driver"]), text(&one["pool"]), text(&one["device"]));
                let allocated = results.map(id).collect();
                self.claims.insert(name, Claim { allocated, ..Claim::of(spec) });
            }
            _ => return false,
        }
        true
    }

    fn slice(&mut self, spec: &Json) {
        let driver = text(&spec["driver"]);
        let pool = text(&spec["pool"]["name"]);
        let generation = spec["pool"]["generation"].as_i64().unwrap_or(0);
        let node = spec["nodeName"].as_str().filter(|name| !name.is_empty()).map(str::to_owned);
        for one in spec["devices"].as_array().into_iter().flatten() {
            let own = one.get("basic").unwrap_or(one);
            let full = |name: &String| match name.contains('/') {
                true => name.clone(),
                false => format!("{driver}/{name}"),
            };
            let fields = |key: &str| own[key].as_object().into_iter().flatten();
            let attribute = |(name, value): (&String, &Json)| {
                let (kind, value) = value.as_object()?.iter().next()?;
                let value = match (kind.as_str(), value) {
                    ("version", Json::String(text)) => Value::Version(version(text, false)?),
                    ("string", Json::String(text)) => Value::Text(text.clone()),
                    (_, Json::Bool(is)) => Value::Yes(*is),
                    (_, number) => Value::Number(number.as_i64()?),
                };
                Some((full(name), value))
            };
            let capacity = |(name, value): (&String, &Json)| {
                let amount = value["value"].as_str().or(value.as_str())?;
                Some((full(name), Decimal::parse(amount).ok()?))
            };
            let some = |key: &str| own[key].as_array().is_some_and(|list| !list.is_empty());
            let odd = [
                (
                    "consumesCounters",
                    "devices that share counters are planned as if each stood alone",
                ),
                ("taints", "taints of devices are not planned with"),
            ];
            let odd = odd.into_iter().find(|(key, _)| some(key)).map(|(_, what)| what);
            self.devices.push(Placed {
                id: (driver.clone(), pool.clone(), text(&one["name"])),
                node: node.clone(),
                generation,
                device: Device {
                    driver: driver.clone(),
                    attributes: fields("attributes").filter_map(attribute).collect(),
                    capacity: fields("capacity").filter_map(capacity).collect(),
                },
                odd,
            });
        }
    }

    /// Drops devices of older generations of a pool.
    pub(super) fn newest(&mut self) {
        let mut newest: BTreeMap<(String, String), i64> = BTreeMap::new();
        for placed in &self.devices {
            let pool = (placed.id.0.clone(), placed.id.1.clone());
            let known = newest.entry(pool).or_insert(placed.generation);
            *known = placed.generation.max(*known);
        }
        self.devices.retain(|placed| {
            newest.get(&(placed.id.0.clone(), placed.id.1.clone())) == Some(&placed.generation)
        });
    }

    /// Positions of the devices that a request selects, and of those that do not say what a
    /// condition asks about: where the scheduler meets such a one, it stops with an error.
    pub(super) fn selected(
        &self,
        request: &Request,
        tell: &mut dyn FnMut(Direction, String),
    ) -> (BTreeSet<usize>, Vec<usize>) {
        let Some(of_class) = self.classes.get(&request.class) else {
            let what = format!(
                "the device class `{}` is not there: add kubectl get deviceclasses",
                request.class
            );
            tell(Direction::Wider, what);
            return (BTreeSet::new(), Vec::new());
        };
        let (mut all, mut silent) = (BTreeSet::new(), Vec::new());
        for (k, placed) in self.devices.iter().enumerate() {
            let mut fits = Some(true);
            for condition in of_class.iter().chain(&request.conditions) {
                match meets(&placed.device, condition) {
                    Ok(Some(true)) => {}
                    Ok(other) => {
                        fits = other;
                        break;
                    }
                    Err(why) => {
                        let what = format!("the condition `{condition}` is left out: {why}");
                        tell(Direction::Wider, what);
                    }
                }
            }
            match fits {
                Some(true) => {
                    all.insert(k);
                    if let Some(what) = placed.odd {
                        tell(Direction::Wider, what.to_owned());
                    }
                }
                Some(false) => {}
                None => silent.push(k),
            }
        }
        (all, silent)
    }
}

impl Claim {
    fn of(spec: &Json) -> Claim {
        let mut claim = Claim::default();
        let devices = &spec["devices"];
        for one in devices["requests"].as_array().into_iter().flatten() {
            let first = one["firstAvailable"].as_array().and_then(|list| list.first());
            if first.is_some() {
                let what = "of alternative devices the first is planned";
                claim.told.push((Direction::Narrower, what));
            }
            let asked = first.or(one.get("exactly")).unwrap_or(one);
            if asked["adminAccess"].as_bool() == Some(true) {
                continue;
            }
            claim.requests.push(Request {
                class: text(&asked["deviceClassName"]),
                conditions: conditions(&asked["selectors"]),
                count: asked["count"].as_i64().unwrap_or(1).max(0),
                all: asked["allocationMode"].as_str() == Some("All"),
            });
        }
        if devices["constraints"].as_array().is_some_and(|list| !list.is_empty()) {
            let what = "what devices of a claim must have in common is not planned with";
            claim.told.push((Direction::Wider, what));
        }
        claim
    }
}
