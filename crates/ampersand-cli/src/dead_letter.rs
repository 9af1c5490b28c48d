//! Stores the documents that could not be read.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::input::STDIN;
use crate::usage::usage;

/// The documents that could not be read, unchanged, each on its own lines.
pub(crate) struct DeadLetter {
    file: File,
    name: String,
    line_is_open: bool,
}

impl DeadLetter {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let wrong = |error| usage(format!("--dead-letter {name}: {error}"));
        let line_is_open = File::open(path).and_then(|file| ends_within_line(&file)).unwrap_or_default();
        let file = File::options().append(true).create(true).open(path).map_err(wrong)?;
        Ok(Self { file, name, line_is_open })
    }

    /// Writes a document, or the first part of one, on a line of its own.
    pub(crate) fn begin(&mut self, text: &[u8]) -> Result<()> {
        let end: &[u8] = if self.line_is_open { b"\n" } else { b"" };
        self.write(&[end, text].concat())
    }

    /// Writes at once: the process may be ended before the next document.
    pub(crate) fn write(&mut self, text: &[u8]) -> Result<()> {
        self.line_is_open = !text.ends_with(b"\n");
        self.file.write_all(text).with_context(|| format!("{} cannot be written", self.name))
    }

    pub(crate) fn end_line(&mut self) -> Result<()> {
        if self.line_is_open { self.write(b"\n") } else { Ok(()) }
    }
}

/// Whether the last line of a file has no end: the process that wrote it may have been ended.
fn ends_within_line(mut file: &File) -> io::Result<bool> {
    let mut last = [0];
    if !file.metadata()?.is_file() || file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// Refuses to read the file that dead letters are written to: reading it would never end.
#[cfg(unix)]
pub(crate) fn refuse_what_is_written(file: &Path, letters: Option<&DeadLetter>) -> Result<()> {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt as _;

    let identity = |metadata: io::Result<fs::Metadata>| {
        let metadata = metadata.ok().filter(fs::Metadata::is_file)?;
        Some((metadata.dev(), metadata.ino()))
    };
    let opened = |stream: &dyn AsFd| File::from(stream.as_fd().try_clone_to_owned()?).metadata();
    let (name, read) = if file == Path::new(STDIN) {
        ("stdin".into(), opened(&io::stdin()))
    } else {
        (file.to_string_lossy(), fs::metadata(file))
    };
    let Some(read) = identity(read) else { return Ok(()) };
    let written = [("stdout", Some(opened(&io::stdout()))), ("--dead-letter", letters.map(|to| to.file.metadata()))];
    for (what, metadata) in written {
        if metadata.and_then(identity) == Some(read) {
            return Err(usage(format!("{name} would be read and written to at once: {what} must be another file")));
        }
    }
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn refuse_what_is_written(_: &Path, _: Option<&DeadLetter>) -> Result<()> {
    Ok(())
}
