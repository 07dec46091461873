//! Bytes from a file or standard input, and the checks every text must pass.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use base::error::{Error, Kind, Result};
use base::nearest;

/// What was read, and where it came from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as given, `<stdin>` for standard input.
    pub name: String,
    /// The content as it stands in the file.
    pub bytes: Vec<u8>,
}

/// A source that is known to be text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    pub(super) name: &'a str,
    /// The content without a byte order mark.
    pub(super) text: &'a str,
}

const SAVE_AS_UTF8: &str = "save it as UTF-8";

/// Files that are no text, by their first bytes.
const ARCHIVES: [(&[u8], &str, &str); 3] = [
    (
        b"PK\x03\x04",
        "this is an Excel workbook, or another ZIP archive, not text",
        "save each sheet as CSV (UTF-8), and give those",
    ),
    (
        b"\xD0\xCF\x11\xE0",
        "this is an old Excel workbook, not text",
        "save each sheet as CSV (UTF-8), and give those",
    ),
    (b"\x1F\x8B", "this is compressed with gzip", "unpack it: gunzip -c FILE | stowplan ... -"),
];

/// What UTF-16 text is as UTF-8: spreadsheets save so. Anything else is left as it is.
fn decoded(bytes: Vec<u8>) -> Vec<u8> {
    let unit: fn([u8; 2]) -> u16 = match bytes.get(..2) {
        Some([0xFF, 0xFE]) => u16::from_le_bytes,
        Some([0xFE, 0xFF]) => u16::from_be_bytes,
        _ => return bytes,
    };
    let units = bytes[2..].chunks(2).map(|pair| match pair {
        [a, b] => Ok(unit([*a, *b])),
        _ => Err(()),
    });
    let units: std::result::Result<Vec<u16>, ()> = units.collect();
    match units.map(|units| String::from_utf16(&units)) {
        Ok(Ok(text)) => text.into_bytes(),
        _ => bytes,
    }
}

impl Source {
    /// Reads a file, or standard input when the path is `-`.
    ///
    /// # Errors
    /// A missing file, a directory, no permission, or a failing device.
    pub fn read(path: &Path) -> Result<Source> {
        if path.as_os_str() == "-" {
            let name = "<stdin>".to_owned();
            let mut bytes = Vec::new();
            return match std::io::stdin().lock().read_to_end(&mut bytes) {
                Ok(_) => Ok(Source { name, bytes: decoded(bytes) }),
                Err(cause) => Err(read_error(name, &cause, false)),
            };
        }
        let name = path.display().to_string();
        match std::fs::read(path) {
            Ok(bytes) => Ok(Source { name, bytes: decoded(bytes) }),
            Err(cause) => {
                let error = read_error(name, &cause, path.is_dir());
                Err(match beside(path).filter(|_| cause.kind() == ErrorKind::NotFound) {
                    Some(near) => error.help(format!("did you mean `{}`?", near.display())),
                    None => error,
                })
            }
        }
    }

    /// The content as text, without a byte order mark.
    ///
    /// # Errors
    /// Nothing in the file, another encoding than UTF-8, or binary data.
    pub(super) fn text(&self) -> Result<Text<'_>> {
        let bytes = self.bytes.as_slice();
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
            let cause = "the file is UTF-16 text";
            return Err(Error::input(&self.name, cause).at("byte 0").help(SAVE_AS_UTF8));
        }
        for (start, what, remedy) in ARCHIVES {
            if bytes.starts_with(start) {
                return Err(Error::input(&self.name, what).help(remedy));
            }
        }
        let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            let line = 1 + bytes[..at].iter().filter(|b| **b == b'\n').count();
            let offset = at + self.bytes.len() - bytes.len();
            Error::input(&self.name, "the file is not UTF-8 text")
                .at(format!("line {line}, byte {offset}"))
                .help(SAVE_AS_UTF8)
        })?;
        if text.trim().is_empty() {
            let remedy = "check that the command that writes it succeeded";
            return Err(Error::input(&self.name, "the file is empty").help(remedy));
        }
        if let Some(at) = text.find('\0') {
            let cause = "the file contains zero bytes: it is binary, or UTF-16 text";
            let place = format!("line {}, byte {at}", line_at(text, at));
            return Err(Error::input(&self.name, cause).at(place).help(SAVE_AS_UTF8));
        }
        Ok(Text { name: &self.name, text })
    }
}

impl Text<'_> {
    /// An input error in this file.
    pub(super) fn error(&self, cause: impl Into<String>) -> Error {
        Error::input(self.name, cause)
    }

    /// An input error at this byte, shown as a line.
    pub(super) fn error_at(&self, byte: usize, cause: impl Into<String>) -> Error {
        self.error(cause).at(format!("line {}", line_at(self.text, byte)))
    }
}

/// Line number, from 1, of a byte offset.
pub(super) fn line_at(text: &str, byte: usize) -> usize {
    1 + text.as_bytes().iter().take(byte).filter(|b| **b == b'\n').count()
}

/// The file in the same folder with the nearest name.
fn beside(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names: Vec<String> = names.collect();
    let near = nearest(path.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    Some(path.with_file_name(near))
}

fn read_error(name: String, cause: &std::io::Error, directory: bool) -> Error {
    let (cause, remedy) = match cause.kind() {
        _ if directory => ("this is a directory, not a file".to_owned(), "name a file in it"),
        ErrorKind::NotFound => (
            "there is no such file".to_owned(),
            "check the path; it is taken from the current directory",
        ),
        ErrorKind::PermissionDenied => (
            "no permission to read the file".to_owned(),
            "change its permissions, or pipe it in and write - for its name",
        ),
        _ => (format!("cannot be read: {cause}"), ""),
    };
    Error::new(Kind::Io, cause).in_file(name).help(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Result<String> {
        let source = Source { name: "f".into(), bytes: bytes.to_vec() };
        source.text().map(|text| text.text.to_owned())
    }

    #[test]
    fn only_utf8_text_passes() {
        assert_eq!(text(b"\xEF\xBB\xBFabc").unwrap(), "abc");
        for (bytes, message) in [
            (&b""[..], "f: the file is empty"),
            (b" \n\t ", "f: the file is empty"),
            (b"\xEF\xBB\xBF", "f: the file is empty"),
            (b"\xFF\xFE{\0", "f: byte 0: the file is UTF-16 text"),
            (b"a\nb\xFFc", "f: line 2, byte 3: the file is not UTF-8 text"),
            (b"\xEF\xBB\xBFa\xFF", "f: line 1, byte 4: the file is not UTF-8 text"),
        ] {
            assert_eq!(text(bytes).unwrap_err().to_string(), message);
        }
        let binary = text(b"{\0}\0").unwrap_err();
        assert!(binary.cause.contains("zero bytes"));
        assert_eq!(binary.remedy, "save it as UTF-8");
    }

    #[test]
    fn what_spreadsheets_save_is_text_or_named() {
        let units = "task;é".encode_utf16();
        let little = units.clone().flat_map(u16::to_le_bytes);
        let big = units.flat_map(u16::to_be_bytes);
        assert_eq!(decoded([0xFF, 0xFE].into_iter().chain(little).collect()), "task;é".as_bytes());
        assert_eq!(decoded([0xFE, 0xFF].into_iter().chain(big).collect()), "task;é".as_bytes());
        assert_eq!(decoded(b"\xFF\xFEa".to_vec()), b"\xFF\xFEa");
        assert!(text(b"PK\x03\x04xl").unwrap_err().cause.contains("Excel workbook"));
    }

    #[test]
    fn unreadable_files_say_why() {
        let missing = Source::read(Path::new("/no/such/file")).unwrap_err();
        assert_eq!(missing.to_string(), "/no/such/file: there is no such file");
        let folder = Source::read(&std::env::temp_dir()).unwrap_err();
        assert!(folder.cause.contains("directory"));
        assert_eq!(folder.kind, Kind::Io);
    }
}
