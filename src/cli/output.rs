//! Where things are printed: the answer on standard output or in a file,
//! everything else on standard error.

use std::io::Write;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};

use crate::error::{Error, Kind, Result};

/// Forms in which answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    /// For people
    Table,
    /// The contract for scripts
    Json,
    /// A row a task
    Csv,
    /// For issues and wikis
    Markdown,
    /// A page for people: one file, opened in a browser
    Html,
    /// A plan as the position of each task's node: the ROADEF challenge's assignments
    Sol,
}

/// How an answer is printed.
#[derive(Debug, clap::Args)]
pub(super) struct OutputArgs {
    /// Form of the answer [default: table; sol with -o FILE.sol, html with -o FILE.html]
    #[arg(long, value_enum, value_name = "FORM")]
    output: Option<Form>,
    /// Write the answer to a file instead of standard output
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

impl OutputArgs {
    /// The form asked for; assignments and pages are known by their files' names.
    pub(super) fn form(&self) -> Form {
        let extension = self.file.as_ref().and_then(|file| file.extension()?.to_str());
        self.output.unwrap_or(match extension {
            Some("sol") => Form::Sol,
            Some("html" | "htm") => Form::Html,
            _ => Form::Table,
        })
    }

    /// Writes the answer where it belongs.
    pub(super) fn write(&self, text: &str) -> Result<()> {
        write_to(self.file.as_deref(), text)
    }
}

/// Writes a text to the file, or prints it where none is named.
pub(super) fn write_to(file: Option<&Path>, text: &str) -> Result<()> {
    match file {
        Some(path) => write_file(path, text),
        None => print(text),
    }
}

/// Prints on standard output, with colours only where a terminal shows them.
///
/// # Errors
/// The output is closed or full.
pub(super) fn print(text: &str) -> Result<()> {
    let mut out = anstream::AutoStream::auto(std::io::stdout().lock());
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| {
        let cause = match error.kind() {
            std::io::ErrorKind::BrokenPipe => "closed before everything was written".to_owned(),
            _ => error.to_string(),
        };
        Error::new(Kind::Io, cause).in_file("<stdout>").help("read all of it, or use -o FILE")
    })
}

/// Writes the whole file or leaves it as it was: the text goes to a temporary
/// file beside it, which then takes its place.
///
/// # Errors
/// The folder is missing or not writable, or the disk is full.
pub(super) fn write_file(path: &Path, text: &str) -> Result<()> {
    let name = path.display().to_string();
    let broken = |error: std::io::Error| {
        Error::new(Kind::Io, error.to_string())
            .in_file(name.clone())
            .help("name a file in an existing folder with room for it; nothing was written")
    };
    let plain = anstream::adapter::strip_str(text).to_string();
    if path.exists() && !path.is_file() {
        // A device or a pipe cannot be replaced, only written to.
        let mut file = std::fs::OpenOptions::new().write(true).open(path).map_err(broken)?;
        return file.write_all(plain.as_bytes()).and_then(|()| file.flush()).map_err(broken);
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file =
        tempfile::Builder::new().permissions(permissions()).tempfile_in(folder).map_err(broken)?;
    file.write_all(plain.as_bytes()).and_then(|()| file.flush()).map_err(broken)?;
    file.persist(path).map_err(|error| broken(error.error))?;
    Ok(())
}

/// What an ordinary new file has, rather than a temporary one.
#[cfg(unix)]
fn permissions() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    std::fs::Permissions::from_mode(0o666)
}

#[cfg(not(unix))]
fn permissions() -> std::fs::Permissions {
    // Temporary files are writable, and so are the defaults elsewhere.
    std::fs::metadata(".")
        .map_or_else(|_| std::fs::Permissions::from(Default::default()), |m| m.permissions())
}

/// A line on standard error; a closed one is nobody's problem.
pub(super) fn say(text: &str) {
    let mut err = anstream::AutoStream::auto(std::io::stderr().lock());
    let _ = writeln!(err, "{text}");
}

/// An error with its advice.
pub(super) fn complain(error: &Error) {
    let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    say(&format!("{red}error:{red:#} {error}"));
    if !error.remedy.is_empty() {
        let bold = Style::new().bold();
        say(&format!("  {bold}help:{bold:#} {}", error.remedy));
    }
}

/// A warning.
pub(super) fn warn(text: &str) {
    let yellow = Style::new().bold().fg_color(Some(AnsiColor::Yellow.into()));
    say(&format!("{yellow}warning:{yellow:#} {text}"));
}
