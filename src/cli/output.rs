//! Where things are printed: the answer on standard output or in a file,
//! everything else on standard error.

use std::borrow::Cow;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use anstyle::{AnsiColor, Style};
use console::Term;

use base::error::{Error, Excerpt, Kind, MOST_FAULTS, Result};
use report;

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
    /// A plan in time, or a frontier, as a drawing
    Svg,
}

/// How an answer is printed.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// Form of the answer [default: what the name of -o FILE says, else table]
    #[arg(long, value_enum, value_name = "FORM")]
    output: Option<Form>,
    /// Write the answer to a file instead of standard output: .json, .csv, .md, .html, .svg, .sol, .txt
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

impl Form {
    /// The name, and how files of the form are called.
    const NAMES: [(Form, &'static str, &'static [&'static str]); 7] = [
        (Form::Table, "table", &["txt"]),
        (Form::Json, "json", &["json"]),
        (Form::Csv, "csv", &["csv"]),
        (Form::Markdown, "markdown", &["md", "markdown"]),
        (Form::Html, "html", &["html", "htm"]),
        (Form::Sol, "sol", &["sol"]),
        (Form::Svg, "svg", &["svg"]),
    ];

    /// Forms that every answer has.
    pub(super) const TEXTS: [Form; 4] = [Form::Table, Form::Json, Form::Csv, Form::Markdown];
    /// The same with a page.
    pub(super) const PAGES: [Form; 5] =
        [Form::Table, Form::Json, Form::Csv, Form::Markdown, Form::Html];
    /// Forms of plans.
    pub(super) const PLANS: [Form; 7] =
        [Form::Table, Form::Json, Form::Csv, Form::Markdown, Form::Html, Form::Sol, Form::Svg];

    /// The form of files of this name; a name without an ending says nothing.
    fn of_file(file: &Path) -> Result<Option<Form>> {
        let Some(ending) = file.extension() else { return Ok(None) };
        let known = Form::NAMES
            .iter()
            .find(|(_, _, endings)| endings.iter().any(|known| ending.eq_ignore_ascii_case(known)));
        let Some((form, ..)) = known else {
            let endings: Vec<String> =
                Form::NAMES.iter().flat_map(|(_, _, all)| *all).map(|e| format!(".{e}")).collect();
            let cause = format!("-o {}: the name does not say which form to write", file.display());
            let remedy = format!("end it in {}, or add --output FORM", endings.join(", "));
            return Err(Error::usage(cause).help(remedy));
        };
        Ok(Some(*form))
    }
}

impl OutputArgs {
    /// The form asked for, by name or by the file's.
    ///
    /// # Errors
    /// One that there is not for `what` the command prints, or a file whose name says no form.
    pub(super) fn form(&self, what: &str, forms: &[Form]) -> Result<Form> {
        let by_file = || self.file.as_deref().map_or(Ok(None), Form::of_file);
        let form = match self.output {
            Some(form) => form,
            None => by_file()?.unwrap_or(Form::Table),
        };
        if forms.contains(&form) {
            return Ok(form);
        }
        let named = |form: &Form| Form::NAMES.iter().find(|(known, ..)| known == form);
        let name = |form: &Form| named(form).map_or("", |(_, name, _)| *name);
        let all: Vec<&str> = forms.iter().map(name).collect();
        Err(Error::usage(format!("there is no {} of {what}", name(&form)))
            .help(format!("choose {}", all.join(", "))))
    }

    /// Columns of the terminal that the answer goes to, if it is one.
    pub(super) fn width(&self) -> Option<usize> {
        if self.file.is_some() { None } else { terminal_width(&Term::stdout()) }
    }

    /// Writes the answer where it belongs. What people read shows characters that cannot be seen;
    /// what programs read says the very same.
    pub(super) fn write(&self, form: Form, text: &str) -> Result<()> {
        let text = match form {
            Form::Table | Form::Markdown | Form::Html | Form::Svg => report::visible(text),
            Form::Json => report::escaped(text),
            Form::Csv | Form::Sol => Cow::Borrowed(text),
        };
        write_to(self.file.as_deref(), &text)
    }
}

/// Writes a text as it is to the file, or to standard output where none is named.
pub(super) fn write_to(file: Option<&Path>, text: &str) -> Result<()> {
    match file {
        Some(path) => write_file(path, text),
        None => put(text),
    }
}

/// Prints a text for people on standard output.
///
/// # Errors
/// The output is closed or full.
pub(super) fn print(text: &str) -> Result<()> {
    put(&report::visible(text))
}

/// Colours only where a terminal shows them.
fn put(text: &str) -> Result<()> {
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
/// file beside it, which then takes its place. Devices, pipes and open files are
/// written to.
///
/// # Errors
/// The folder is missing or not writable, the file may not be written, or the disk is full.
pub(super) fn write_file(path: &Path, text: &str) -> Result<()> {
    let name = path.display().to_string();
    let broken = |error: std::io::Error| {
        Error::new(Kind::Io, error.to_string())
            .in_file(name.clone())
            .help("name a file in an existing folder with room for it; nothing was written")
    };
    let plain = anstream::adapter::strip_str(text).to_string();
    match place(path).map_err(broken)? {
        Place::Open => {
            let mut file = OpenOptions::new().append(true).open(path).map_err(broken)?;
            file.write_all(plain.as_bytes()).and_then(|()| file.flush()).map_err(broken)
        }
        Place::File(path) => replace(&path, &plain).map_err(broken),
    }
}

/// Where a text goes.
enum Place {
    /// To what is there, which cannot be replaced: a device, a pipe, a file that is open.
    Open,
    /// To this file, whether or not it is there already.
    File(PathBuf),
}

/// Links on the way to a file, at most.
const LINKS: usize = 40;

/// Follows links, which stay what they are. Those of the system to files that a process has open,
/// such as `/dev/stdout`, are not followed: another file of the same name would not be the one
/// that is open.
fn place(path: &Path) -> std::io::Result<Place> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let kind = match std::fs::symlink_metadata(&path) {
            Ok(found) => found.file_type(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Place::File(path)),
            Err(error) => return Err(error),
        };
        let folder = folder_of(&path);
        if kind.is_symlink() && !std::fs::canonicalize(folder)?.starts_with("/proc") {
            path = folder.join(std::fs::read_link(&path)?);
        } else {
            return Ok(if kind.is_file() { Place::File(path) } else { Place::Open });
        }
    }
    Err(std::io::Error::other("too many links, one to the other"))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A new file in place of the old one, with its permissions.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let old = match OpenOptions::new().write(true).open(path) {
        Ok(file) => Some(file.metadata()?.permissions()),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mut file =
        tempfile::Builder::new().permissions(permissions()).tempfile_in(folder_of(path))?;
    file.write_all(text.as_bytes())?;
    file.flush()?;
    if let Some(permissions) = old {
        file.as_file().set_permissions(permissions)?;
    }
    file.persist(path).map_err(|error| error.error)?;
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
    say_styled(&visible(text));
}

fn say_styled(text: &str) {
    let mut err = anstream::AutoStream::auto(std::io::stderr().lock());
    let _ = writeln!(err, "{text}");
}

/// A text in which nothing from a file can move the cursor or pass for something else: control
/// characters but for line ends are shown by a character each, others that cannot be seen by
/// their numbers.
fn visible(text: &str) -> Cow<'_, str> {
    let shown = |c: char| match c {
        '\n' => '\n',
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        _ => c,
    };
    if text.chars().all(|c| shown(c) == c) {
        report::visible(text)
    } else {
        Cow::Owned(report::visible(&text.chars().map(shown).collect::<String>()).into())
    }
}

/// The most of a message that is shown, and how much of that is its end.
const MESSAGE: (usize, usize) = (1_500, 400);

/// A message, without its middle where it is longer than anybody reads: names in files have no
/// limit.
fn brief(text: &str) -> Cow<'_, str> {
    let (most, end) = MESSAGE;
    let length = text.chars().count();
    if length <= most {
        return Cow::Borrowed(text);
    }
    let head: String = text.chars().take(most - end).collect();
    let tail: String = text.chars().skip(length - end).collect();
    Cow::Owned(format!("{head} … {tail}"))
}

/// An error with its advice, on a terminal with the line of the file that it is about.
pub(super) fn complain(error: &Error) {
    say_styled(&complaint(error, terminal_width(&Term::stderr())));
}

/// The same as a text; `width` is what the terminal has, where it goes to one.
pub fn complaint(error: &Error, width: Option<usize>) -> String {
    let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    let said = visible(&brief(&error.to_string())).to_string();
    let mut lines = vec![match error.kind {
        Kind::Idle => said,
        _ => format!("{red}error:{red:#} {said}"),
    }];
    if let (Some(excerpt), Some(width)) = (&error.excerpt, width) {
        lines.push(drawn(excerpt, width));
    }
    let mut remedy = "";
    for one in std::iter::once(error).chain(error.more()) {
        if !std::ptr::eq(one, error) {
            lines.push(format!("{red}error:{red:#} {}", visible(&brief(&one.to_string()))));
        }
        // The same advice is given once.
        if !one.remedy.is_empty() && one.remedy != remedy {
            let bold = Style::new().bold();
            lines.push(format!("  {bold}help:{bold:#} {}", visible(&brief(&one.remedy))));
        }
        remedy = &one.remedy;
    }
    if error.more().len() + 1 >= MOST_FAULTS {
        lines.push(format!("the first {MOST_FAULTS} errors are shown: there may be more"));
    }
    lines.join("\n")
}

/// The line with its number, and carets below what is wrong.
fn drawn(excerpt: &Excerpt, width: usize) -> String {
    let shown = |range: Range<usize>| excerpt.text.get(range).map(pictured).unwrap_or_default();
    let before = shown(0..excerpt.span.start);
    let within = shown(excerpt.span.clone());
    let after = shown(excerpt.span.end..excerpt.text.len());
    let span = before.len()..before.len() + within.len();
    let snippet = Snippet::source(format!("{before}{within}{after}"))
        .line_start(excerpt.line)
        .annotation(AnnotationKind::Primary.span(span));
    let group = Group::with_level(Level::ERROR).element(snippet);
    Renderer::styled().term_width(width).render(&[group])
}

/// A part of a line with nothing in it that a terminal obeys; tabs are left for the renderer.
fn pictured(text: &str) -> String {
    let parts: Vec<Cow<str>> = text.split('\t').map(visible).collect();
    parts.join("\t").replace('\n', "\u{240a}")
}

/// How many columns a terminal has; none where it is something else.
pub(super) fn terminal_width(term: &Term) -> Option<usize> {
    term.is_term().then(|| usize::from(term.size().1).max(40))
}

/// A warning.
pub(super) fn warn(text: &str) {
    let yellow = Style::new().bold().fg_color(Some(AnsiColor::Yellow.into()));
    say_styled(&format!("{yellow}warning:{yellow:#} {}", visible(&brief(text))));
}
