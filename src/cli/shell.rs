//! `stowplan completions SHELL` and `stowplan man`, and the page for whoever names no command.

use std::path::PathBuf;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::output::{print, say, write_file};
use super::{Cli, Done, WRONG};
use base::error::{Error, Kind, Result};

/// Lines of at most 80 columns.
const WELCOME: &str = "\
stowplan decides which task runs on which node of a cluster, offline.
Plans come with a proof of how much better any could be, refusals with reasons.

Start with
  stowplan generate gpu-cluster --tasks 20 --nodes 6 -o jobs.json   an example
  stowplan solve jobs.json                                          plan it
  stowplan solve --tasks tasks.csv --nodes nodes.csv                your tables

Then
  stowplan --help                every command, the exit codes
  stowplan solve --help          every option of a command
  stowplan schema instance       all that an instance can say
  stowplan man -o DIR            manual pages
  stowplan completions SHELL     what the Tab key needs";

/// What to say to somebody who names no command: where to begin.
pub(super) fn welcome() -> u8 {
    say(WELCOME);
    WRONG
}

#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// The shell that will read them
    shell: Shell,
}

pub(super) fn completions(args: CompletionsArgs) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "stowplan", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(0)
}

#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Write a page for the program and one for each command into this folder
    #[arg(short = 'o', long = "out", value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(super) fn man(args: ManArgs) -> Done {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let Some(folder) = args.folder else {
        print(&page(program)?.1)?;
        return Ok(0);
    };
    let failed = |error: std::io::Error| {
        Error::new(Kind::Io, error.to_string()).in_file(folder.display().to_string())
    };
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let commands: Vec<clap::Command> = program.get_subcommands().cloned().collect();
    for command in std::iter::once(program).chain(commands) {
        let (name, text) = page(command)?;
        write_file(&folder.join(name), &text)?;
    }
    Ok(0)
}

/// A manual page with the name of its file.
fn page(command: clap::Command) -> Result<(String, String)> {
    let man = Man::new(command);
    let mut text = Vec::new();
    man.render(&mut text).map_err(|error| Error::new(Kind::Io, error.to_string()))?;
    Ok((man.get_filename(), String::from_utf8_lossy(&text).into_owned()))
}
