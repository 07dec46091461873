//! What went wrong, where, why, and what to do about it. One type for the
//! whole library; only the command line turns it into text and an exit code.

use std::fmt;
use std::ops::Range;

use crate::names::nearest;

/// What sort of failure it is; the exit code follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The input is wrong.
    Input,
    /// The request is wrong: an option, an unknown name, a missing solver.
    Usage,
    /// Reading or writing failed.
    Io,
    /// A solver failed or gave an answer that does not hold.
    Solver,
    /// There is nothing to do: no failure, and no plan.
    Idle,
}

/// A failure with its place, cause and remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    /// What sort of failure.
    pub kind: Kind,
    /// The file, `<stdin>` for standard input; empty when there is none.
    pub file: String,
    /// Line, column or field within the file; empty when there is none.
    pub place: String,
    /// What is wrong.
    pub cause: String,
    /// What to do about it; empty when there is nothing to say.
    pub remedy: String,
    /// The line that is wrong, where the file was read and has one.
    pub excerpt: Option<Box<Excerpt>>,
    /// What else is wrong, where more was looked for.
    more: Option<Box<More>>,
}

/// Further errors, behind a pointer: most errors are alone.
#[derive(Clone, Debug, PartialEq, Eq)]
struct More(Vec<Error>);

/// Faults that are told at once at most.
pub const MOST_FAULTS: usize = 20;

/// Faults that are gathered, so that a person sees all of them and not one at a time.
#[derive(Debug, Default)]
pub struct Faults(Vec<Error>);

impl Faults {
    /// Takes note of what is wrong; what is right goes on.
    ///
    /// # Errors
    /// All of them, once there are [`MOST_FAULTS`]; what has to do with no input, at once.
    pub fn take<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(mut error) if error.kind == Kind::Input => {
                let more = error.take_more();
                self.0.extend(std::iter::once(error).chain(more));
                if self.0.len() < MOST_FAULTS { Ok(None) } else { self.none().map(|()| None) }
            }
            Err(error) => Err(error),
        }
    }

    /// Nothing was wrong.
    ///
    /// # Errors
    /// All that was, the first with the others.
    pub fn none(&mut self) -> Result<()> {
        let mut all = std::mem::take(&mut self.0);
        all.truncate(MOST_FAULTS);
        if all.is_empty() {
            return Ok(());
        }
        let first = all.remove(0);
        Err(first.with(all))
    }
}

/// A line of a file, or the part of a long line around what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// Its number in the file, from 1.
    pub line: usize,
    /// What stands there; `…` where more does.
    pub text: String,
    /// The bytes of `text` that are wrong; empty where something is missing.
    pub span: Range<usize>,
}

/// Results of this library.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure without a place.
    pub fn new(kind: Kind, cause: impl Into<String>) -> Error {
        Error {
            kind,
            file: String::new(),
            place: String::new(),
            cause: cause.into(),
            remedy: String::new(),
            excerpt: None,
            more: None,
        }
    }

    /// A wrong input file.
    pub fn input(file: impl Into<String>, cause: impl Into<String>) -> Error {
        Error::new(Kind::Input, cause).in_file(file)
    }

    /// A wrong request.
    pub fn usage(cause: impl Into<String>) -> Error {
        Error::new(Kind::Usage, cause)
    }

    /// A name that is not among the known ones, with the nearest of them or all.
    pub fn unknown(what: &str, name: &str, known: &[&str]) -> Error {
        Error::usage(format!("unknown {what} `{name}`")).help(
            match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known are {}", known.join(", ")),
            },
        )
    }

    /// The same as another sort of failure.
    pub fn of(mut self, kind: Kind) -> Error {
        self.kind = kind;
        self
    }

    /// The same failure in this file.
    pub fn in_file(mut self, file: impl Into<String>) -> Error {
        self.file = file.into();
        self
    }

    /// The same failure at this line or field.
    pub fn at(mut self, place: impl Into<String>) -> Error {
        self.place = place.into();
        self
    }

    /// What else is wrong, where more was looked for.
    pub fn more(&self) -> &[Error] {
        self.more.as_ref().map_or(&[], |more| &more.0)
    }

    /// Takes that off.
    pub fn take_more(&mut self) -> Vec<Error> {
        self.more.take().map_or_else(Vec::new, |more| more.0)
    }

    /// The same failure with others.
    pub fn with(mut self, more: Vec<Error>) -> Error {
        self.more = (!more.is_empty()).then(|| Box::new(More(more)));
        self
    }

    /// The same failure with advice.
    pub fn help(mut self, remedy: impl Into<String>) -> Error {
        self.remedy = remedy.into();
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.file, &self.place] {
            if !part.is_empty() {
                write!(f, "{part}: ")?;
            }
        }
        f.write_str(&self.cause)
    }
}
