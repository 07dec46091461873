//! What licences, QOS, associations and reservations say, as data.

/// Amounts by what they are of: `cpu`, `mem` (MiB), `node`, `gres/gpu`, `license/ansys`.
pub(super) type Tally = Vec<(String, i64)>;

/// What some jobs may have at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Bound {
    pub(super) jobs: Option<i64>,
    pub(super) tres: Tally,
}

/// What a QOS or an association lets jobs have.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Bounds {
    /// All of its jobs together.
    pub(super) group: Bound,
    /// Those of each user.
    pub(super) user: Bound,
    /// Those of each account.
    pub(super) account: Bound,
    /// Each job, at most and at least.
    pub(super) most: Tally,
    pub(super) least: Tally,
    /// Minutes that each job may run.
    pub(super) wall: Option<i64>,
}

/// An entry of `qos`.
#[derive(Clone, Debug, Default)]
pub(super) struct Qos {
    pub(super) bounds: Bounds,
    /// Its limits stand before those of the partition's QOS.
    pub(super) first: bool,
}

/// An entry of `associations`.
#[derive(Clone, Debug, Default)]
pub(super) struct Association {
    pub(super) number: i64,
    pub(super) cluster: String,
    pub(super) account: String,
    pub(super) parent: String,
    /// Empty for that of an account.
    pub(super) user: String,
    pub(super) partition: String,
    pub(super) bounds: Bounds,
}

/// Licences of one name.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Licence {
    /// What jobs may have in all: without what is kept for reservations or lacking at the server.
    pub(super) most: i64,
    /// What jobs have of it now.
    pub(super) used: i64,
}

/// Nodes that are kept from when until when, in seconds since 1970.
#[derive(Clone, Debug, Default)]
pub(super) struct Reservation {
    pub(super) name: String,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) nodes: Vec<String>,
}

impl Association {
    /// What people call it.
    pub(super) fn name(&self) -> String {
        match (self.user.is_empty(), self.partition.is_empty()) {
            (true, _) => format!("account {}", self.account),
            (false, true) => format!("association {}/{}", self.account, self.user),
            (false, false) => {
                format!("association {}/{}/{}", self.account, self.user, self.partition)
            }
        }
    }
}

impl Bounds {
    /// Without what the other says.
    pub(super) fn leave_out(&mut self, other: &Bounds) {
        let less = |own: &mut Tally, known: &Tally| {
            own.retain(|(key, _)| !known.iter().any(|(said, _)| said == key));
        };
        let pairs = [
            (&mut self.group, &other.group),
            (&mut self.user, &other.user),
            (&mut self.account, &other.account),
        ];
        for (own, known) in pairs {
            own.jobs = own.jobs.filter(|_| known.jobs.is_none());
            less(&mut own.tres, &known.tres);
        }
        less(&mut self.most, &other.most);
        less(&mut self.least, &other.least);
        self.wall = self.wall.filter(|_| other.wall.is_none());
    }

    /// With what the other says.
    pub(super) fn add(&mut self, other: &Bounds) {
        let pairs = [
            (&mut self.group, &other.group),
            (&mut self.user, &other.user),
            (&mut self.account, &other.account),
        ];
        for (own, more) in pairs {
            own.jobs = own.jobs.or(more.jobs);
            own.tres.extend(more.tres.iter().cloned());
        }
        self.most.extend(other.most.iter().cloned());
        self.least.extend(other.least.iter().cloned());
        self.wall = self.wall.or(other.wall);
    }
}
