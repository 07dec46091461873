//! A file's bytes, and the name that errors call it by.

use std::io::Read;
use std::path::Path;

use crate::error::{Error, Kind, Result};

/// A file's content with the name that errors call it by.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as given, `<stdin>` for standard input.
    pub name: String,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Source {
    /// Reads a file, or standard input for `-`.
    ///
    /// # Errors
    /// The file is missing, not readable, a folder or empty.
    pub fn read(path: &Path) -> Result<Source> {
        let mut bytes = Vec::new();
        let name = if path.as_os_str() == "-" {
            std::io::stdin()
                .lock()
                .read_to_end(&mut bytes)
                .map_err(|error| Error::new(Kind::Io, error.to_string()).in_file("<stdin>"))?;
            "<stdin>".to_owned()
        } else {
            let name = path.display().to_string();
            if path.is_dir() {
                return Err(Error::input(name, "this is a folder").help("name a file in it"));
            }
            bytes = std::fs::read(path).map_err(|error| {
                Error::new(Kind::Io, error.to_string())
                    .in_file(&name)
                    .help("check the path and the permissions; `-` reads standard input")
            })?;
            name
        };
        let source = Source { name, bytes };
        if source.bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(Error::input(&source.name, "the file is empty")
                .help("give a file with tasks and nodes"));
        }
        Ok(source)
    }

    /// The content as text, without a byte order mark.
    ///
    /// # Errors
    /// The content is not UTF-8.
    pub fn text(&self) -> Result<&str> {
        let bytes = self.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.bytes);
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(Error::input(&self.name, "the file is UTF-16").help("save it as UTF-8"));
        }
        std::str::from_utf8(bytes).map_err(|error| {
            let line = bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
            Error::input(&self.name, "the file is not UTF-8 text")
                .at(format!("line {line}"))
                .help("save it as UTF-8")
        })
    }
}
