//! Stores the documents that could not be read.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::input::STDIN;
use crate::usage::usage;

/// The documents that could not be read, unchanged, each on its own lines.
pub(crate) struct DeadLetter {
    file: io::BufWriter<File>,
    name: String,
    line_is_open: bool,
}

impl DeadLetter {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let file = File::options().append(true).create(true).open(path);
        let file = file.map_err(|error| usage(format!("--dead-letter {name}: {error}")))?;
        Ok(Self { file: io::BufWriter::new(file), name, line_is_open: false })
    }

    pub(crate) fn write(&mut self, text: &[u8]) -> Result<()> {
        self.line_is_open = !text.ends_with(b"\n");
        self.file.write_all(text).with_context(|| format!("{} cannot be written", self.name))
    }

    pub(crate) fn end_line(&mut self) -> Result<()> {
        if self.line_is_open {
            self.write(b"\n")?;
        }
        self.file.flush().with_context(|| format!("{} cannot be written", self.name))
    }
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
    let written =
        [("stdout", Some(opened(&io::stdout()))), ("--dead-letter", letters.map(|to| to.file.get_ref().metadata()))];
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
