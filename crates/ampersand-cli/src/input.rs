//! Finds the documents in a stream of bytes, one after the other. The memory use does not grow with the stream.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read};
use std::mem;
use std::path::Path;

use memchr::{memchr, memmem};
use serde::de::IgnoredAny;

/// The number of bytes in a read, and the memory for small documents.
const CHUNK: usize = 256 << 10;

/// Up to this size, an incomplete document is parsed again after each read. Above it, the document is parsed only when
/// its size has doubled: otherwise a large document would take quadratic time.
const EAGER: usize = 1 << 20;

/// The maximum number of lines that begin with a bracket in an incomplete document that is no longer small. More of
/// them mean that the lines are all cut off: waiting for the end would keep the whole stream in memory.
const OPEN_LINES: usize = 128;

/// The file name that means stdin.
pub(crate) const STDIN: &str = "-";

/// The byte order mark with which some editors begin a UTF-8 file.
pub(crate) const MARK: &[u8] = b"\xef\xbb\xbf";

/// Returns a text without its byte order mark, if it has one.
pub(crate) fn unmarked(text: &[u8]) -> &[u8] {
    text.strip_prefix(MARK).unwrap_or(text)
}

/// Reads a text file, without its byte order mark.
pub(crate) fn read_text(file: impl AsRef<Path>) -> io::Result<String> {
    text_of(&fs::read(file)?)
}

/// Returns a text without its byte order mark.
pub(crate) fn text_of(bytes: &[u8]) -> io::Result<String> {
    let text = unmarked(bytes).to_vec();
    String::from_utf8(text).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

/// The documents of a stream: concatenated, one per line, or over several lines each.
///
/// [`fill`](Self::fill) reads bytes. [`next`](Self::next) takes a complete piece, and does not block.
pub(crate) struct Documents {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The place of `start`.
    place: Place,
    ended: bool,
    /// The number of bytes of a document that were tried, and were incomplete.
    tried: usize,
    skip: Skip,
    lines: Lines,
    /// The number of bytes that were taken in total.
    taken: usize,
    /// The fault of the last broken document. `faulty` has the positions in the stream of the documents inside of it
    /// that do not end. They have the same fault, and are not parsed again, which would take quadratic time.
    fault: Fault,
    faulty: VecDeque<usize>,
}

/// A place in a file: line and column, counted from 1. The column counts bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Place {
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// Returns a place relative to this one.
    pub(crate) fn at(self, line: usize, column: usize) -> Self {
        match line {
            0 | 1 => Self { line: self.line, column: self.column + column.max(1) - 1 },
            _ => Self { line: self.line + line - 1, column: column.max(1) },
        }
    }

    fn after(self, text: &[u8]) -> Self {
        match memchr::memrchr(b'\n', text) {
            None => Self { column: self.column + text.len(), ..self },
            Some(last) => {
                let lines = text.iter().filter(|byte| **byte == b'\n').count();
                Self { line: self.line + lines, column: text.len() - last }
            }
        }
    }
}

/// An error in a text, with its place.
#[derive(Clone)]
struct Fault {
    at: Place,
    reason: String,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Piece<'b> {
    /// A document, or a text that may be one: see [`Documents::put_back`].
    Document { text: Cow<'b, [u8]>, place: Place, checked: bool },
    /// The beginning of an array that is too long to wait for its end. It is not a document, whatever follows.
    Array { text: &'b [u8], place: Place },
    /// A line that is not JSON, with the following lines that seem to be inside of what begins on it.
    Broken { text: &'b [u8], at: Place, reason: String },
    /// More of a piece that is not a document.
    Rest(&'b [u8]),
}

/// Whether a broken document, or a long array, is being skipped.
#[derive(Clone, Copy, PartialEq)]
enum Skip {
    No,
    InLine,
    AtLineStart,
    Array { brackets: Brackets, depth: usize },
}

/// Whether documents seem to be lines. If so, a line is tried as a document, without a search for its end.
#[derive(Clone, Copy, PartialEq)]
enum Lines {
    Likely,
    Unlikely,
    /// The next line is not a document: it was tried.
    NotNext,
}

enum Found {
    Whole(usize),
    Cut,
    Broken(serde_json::Error),
}

impl Documents {
    pub(crate) fn new() -> Self {
        Self {
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            place: Place::START,
            ended: false,
            tried: 0,
            skip: Skip::No,
            lines: Lines::Likely,
            taken: 0,
            fault: Fault { at: Place::START, reason: String::new() },
            faulty: VecDeque::new(),
        }
    }

    /// Reads more bytes.
    pub(crate) fn fill(&mut self, source: &mut impl Read) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            let more = if self.end < EAGER { self.end } else { self.end / 2 };
            self.buffer.resize(self.end + more, 0);
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let read = loop {
            match source.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.end += read;
        self.ended = read == 0;
        Ok(())
    }

    /// Returns whether the stream has ended.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Returns the next piece of the bytes that were read, or `None` if more have to be read first.
    pub(crate) fn next(&mut self) -> Option<Piece<'_>> {
        if self.skip != Skip::No {
            let length;
            (length, self.skip) = extent(self.rest(), self.skip);
            if length > 0 {
                return Some(Piece::Rest(self.take(length).0));
            }
            if self.skip != Skip::No {
                return None;
            }
        }
        self.skip_blank();
        let rest = self.rest();
        let seen = rest.len();
        let may_be_mark = MARK.starts_with(rest);
        let is_too_early = may_be_mark || seen > EAGER && seen < 2 * self.tried;
        if seen == 0 || is_too_early && !self.ended {
            return None;
        }
        while self.faulty.front().is_some_and(|at| *at < self.taken) {
            self.faulty.pop_front();
        }
        if self.faulty.front() == Some(&self.taken) {
            let fault = self.fault.clone();
            return Some(self.give_up(fault));
        }
        if self.lines == Lines::Likely
            && let Some(length) = line(self.rest()).filter(|length| *length <= EAGER)
        {
            let (text, place) = self.take(length);
            return Some(Piece::Document { text: text.into(), place, checked: false });
        }
        let rest = self.rest();
        match find(rest, self.ended) {
            Found::Whole(length) => {
                let ends_line = matches!(rest.get(length), None | Some(b'\n' | b'\r'));
                let one_line = memchr(b'\n', rest.get(..length).unwrap_or_default()).is_none();
                self.lines = if ends_line && one_line { Lines::Likely } else { Lines::Unlikely };
                let (text, place) = self.take_document(length);
                Some(Piece::Document { text, place, checked: true })
            }
            Found::Cut if seen > EAGER && rest.starts_with(b"[") => {
                (_, self.skip) = extent(rest, Skip::Array { brackets: Brackets::default(), depth: 0 });
                let (text, place) = self.take(seen);
                Some(Piece::Array { text, place })
            }
            Found::Cut if seen > EAGER && is_in_lines(rest) => {
                let open = open_lines(rest, usize::MAX);
                if open.len() <= OPEN_LINES {
                    self.tried = seen;
                    return None;
                }
                let reason = format!("more than {OPEN_LINES} lines open a bracket, and none closes it");
                let fault = Fault { at: self.place.after(rest), reason };
                self.remember(&fault, open);
                Some(self.give_up(fault))
            }
            Found::Cut => {
                self.tried = seen;
                None
            }
            Found::Broken(error) => {
                let fault = Fault { at: self.place.at(error.line(), error.column()), reason: reason(&error) };
                let open = open_lines(rest, error.line());
                self.remember(&fault, open);
                Some(self.give_up(fault))
            }
        }
    }

    /// Remembers the fault of the documents that begin at these places, counted from the start.
    fn remember(&mut self, fault: &Fault, places: Vec<usize>) {
        if !places.is_empty() {
            self.fault = fault.clone();
            self.faulty = places.into_iter().map(|at| self.taken + at).collect();
        }
    }

    /// Takes a broken document.
    fn give_up(&mut self, Fault { at, reason }: Fault) -> Piece<'_> {
        let (length, skip) = extent(self.rest(), Skip::InLine);
        (self.skip, self.lines) = (skip, Lines::Likely);
        let (text, place) = self.take(length);
        let end = place.after(text.trim_ascii_end());
        // The parser reports what is missing at the end of a line on the next line.
        Piece::Broken { text, at: if at.line > end.line { end } else { at }, reason }
    }

    /// Puts back a line that was not a document: it holds several documents, or the beginning of one.
    pub(crate) fn put_back(&mut self, length: usize, place: Place) {
        self.start -= length;
        self.taken -= length;
        self.place = place;
        self.lines = Lines::NotNext;
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn take(&mut self, length: usize) -> (&[u8], Place) {
        let (start, place) = (self.start, self.place);
        self.start += length;
        self.taken += length;
        self.tried = 0;
        let text = self.buffer.get(start..self.start).unwrap_or_default();
        self.place = place.after(text);
        (text, place)
    }

    /// Takes a document. A large document that fills most of the buffer takes the buffer, instead of a copy.
    fn take_document(&mut self, length: usize) -> (Cow<'_, [u8]>, Place) {
        let behind = self.rest().get(length..).unwrap_or_default();
        if length <= EAGER || behind.len() > length {
            let (text, place) = self.take(length);
            return (text.into(), place);
        }
        let (start, seen) = (self.start, behind.len());
        let mut buffer = behind.to_vec();
        buffer.resize(seen.max(CHUNK), 0);
        let place = self.take(length).1;
        let mut text = mem::replace(&mut self.buffer, buffer);
        (self.start, self.end) = (0, seen);
        text.truncate(start + length);
        text.drain(..start);
        (text.into(), place)
    }

    fn skip_blank(&mut self) {
        let rest = self.rest();
        let mut length = 0;
        // Concatenated files may have byte order marks in between.
        while let Some(left) = rest.get(length..) {
            length += match left.first() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => 1,
                _ if left.starts_with(MARK) => MARK.len(),
                _ => break,
            };
        }
        if length > 0 {
            let tried = self.tried;
            self.take(length);
            self.tried = tried;
        }
    }
}

/// Returns the length of the first line of a text, if the line looks like a document.
fn line(text: &[u8]) -> Option<usize> {
    let line = text.get(..memchr(b'\n', text)?)?.trim_ascii_end();
    (line.starts_with(b"{") && line.ends_with(b"}")).then_some(line.len())
}

/// Finds the end of the document at the beginning of a text.
fn find(text: &[u8], ended: bool) -> Found {
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => {
            let length = values.byte_offset();
            let may_go_on = !matches!(text.first(), Some(b'{' | b'[' | b'"'));
            if length == text.len() && may_go_on && !ended { Found::Cut } else { Found::Whole(length) }
        }
        Some(Err(error)) if error.is_eof() && !ended => Found::Cut,
        Some(Err(error)) => Found::Broken(error),
        None => Found::Cut,
    }
}

/// Returns the message of an error, without the place.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let reason = error.to_string();
    reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason).to_owned()
}

/// Distinguishes the brackets of JSON from those in strings, byte by byte.
#[derive(Clone, Copy, Default, PartialEq)]
struct Brackets {
    in_string: bool,
    is_escaped: bool,
}

impl Brackets {
    /// Returns whether the next byte opens or closes an object or a list.
    fn is_one(&mut self, byte: u8) -> bool {
        if self.in_string {
            (self.in_string, self.is_escaped) = (byte != b'"' || self.is_escaped, byte == b'\\' && !self.is_escaped);
            return false;
        }
        self.in_string = byte == b'"';
        matches!(byte, b'{' | b'[' | b'}' | b']')
    }
}

/// Returns whether many lines of a text, which may be one document, begin with a bracket.
fn is_in_lines(text: &[u8]) -> bool {
    ["\n{", "\n["].iter().map(|start| memmem::find_iter(text, start).take(OPEN_LINES).count()).sum::<usize>()
        >= OPEN_LINES
}

/// Returns the positions of lines that begin with a bracket that is still open at `line`, counted from 1.
fn open_lines(text: &[u8], line: usize) -> Vec<usize> {
    let (mut lines, mut begins, mut brackets, mut open) = (1, false, Brackets::default(), Vec::new());
    if line == 1 {
        return Vec::new();
    }
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'\n' if lines + 1 == line => break,
            b'\n' => (lines, begins) = (lines + 1, true),
            _ if !brackets.is_one(*byte) => begins &= byte.is_ascii_whitespace(),
            b'{' | b'[' => open.push(mem::take(&mut begins).then_some(at)),
            _ => {
                begins = false;
                open.pop();
            }
        }
    }
    open.into_iter().flatten().collect()
}

/// Returns how much of a text belongs to a broken document: the rest of its line, and the lines that continue inside of
/// it. For an array, this is everything up to its end.
fn extent(text: &[u8], mut skip: Skip) -> (usize, Skip) {
    if let Skip::Array { mut brackets, mut depth } = skip {
        for (at, byte) in text.iter().enumerate() {
            match brackets.is_one(*byte).then_some(byte) {
                None => {}
                Some(b'{' | b'[') => depth += 1,
                Some(_) if depth > 1 => depth -= 1,
                Some(_) => return (at + 1, Skip::No),
            }
        }
        return (text.len(), Skip::Array { brackets, depth });
    }
    let mut length = 0;
    loop {
        let rest = text.get(length..).unwrap_or_default();
        match (skip, rest.first()) {
            (Skip::No | Skip::Array { .. }, _) | (_, None) => return (length, skip),
            (Skip::AtLineStart, Some(b' ' | b'\t' | b'}' | b']')) => skip = Skip::InLine,
            (Skip::AtLineStart, _) => skip = Skip::No,
            (Skip::InLine, _) => match memchr(b'\n', rest) {
                Some(end) => (length, skip) = (length + end + 1, Skip::AtLineStart),
                None => return (text.len(), skip),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the pieces of a text that is read `size` bytes at a time: `+` marks complete ones, `-` broken ones.
    fn pieces(text: &str, size: usize) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut documents = Documents::new();
        let mut chunks = text.as_bytes().chunks(size);
        loop {
            while let Some(piece) = documents.next() {
                match piece {
                    Piece::Document { text, place, checked }
                        if !checked && serde_json::from_slice::<IgnoredAny>(&text).is_err() =>
                    {
                        let length = text.len();
                        documents.put_back(length, place);
                    }
                    Piece::Document { text, place, .. } => {
                        found.push(format!("{}:{} +{}", place.line, place.column, String::from_utf8_lossy(&text)));
                    }
                    Piece::Array { text, place } => {
                        found.push(format!("{}:{} *{}", place.line, place.column, String::from_utf8_lossy(text)));
                    }
                    Piece::Broken { text, at, .. } => {
                        found.push(format!("{}:{} -{}", at.line, at.column, String::from_utf8_lossy(text)));
                    }
                    Piece::Rest(text) => found.last_mut().unwrap().push_str(&String::from_utf8_lossy(text)),
                }
            }
            if documents.ended() {
                return found;
            }
            documents.fill(&mut chunks.next().unwrap_or_default()).unwrap();
        }
    }

    #[test]
    fn documents_are_found_however_they_are_laid_out() {
        let broken_at = |text: &str| {
            let whole = pieces(text, usize::MAX);
            for size in [1, 2, 3, 7] {
                let pieces = pieces(text, size);
                let texts = |pieces: &[String]| -> Vec<String> {
                    pieces.iter().map(|piece| piece.split_once(' ').unwrap().1.to_owned()).collect()
                };
                assert_eq!(texts(&pieces), texts(&whole), "{text:?} by {size}");
            }
            whole
        };
        for (text, expected) in [
            ("", vec![]),
            (" \n\r\n\t", vec![]),
            ("{}", vec!["1:1 +{}"]),
            ("\u{feff}{}\n", vec!["1:4 +{}"]),
            ("\u{feff}{}\n\u{feff}{}\u{feff} []", vec!["1:4 +{}", "2:4 +{}", "2:10 +[]"]),
            ("{}\n{}\r\n\n {} \n", vec!["1:1 +{}", "2:1 +{}", "4:2 +{}"]),
            ("{}{}[] {}\n{}", vec!["1:1 +{}", "1:3 +{}", "1:5 +[]", "1:8 +{}", "2:1 +{}"]),
            ("{\n  \"a\": {}\n}\n{}", vec!["1:1 +{\n  \"a\": {}\n}", "4:1 +{}"]),
            ("{\"a\":{}\n}\n", vec!["1:1 +{\"a\":{}\n}"]),
            ("12 34\ntrue", vec!["1:1 +12", "1:4 +34", "2:1 +true"]),
            ("[1,\n2]{}", vec!["1:1 +[1,\n2]", "2:3 +{}"]),
            ("{} x {}\n{}", vec!["1:1 +{}", "1:4 -x {}\n", "2:1 +{}"]),
            ("{\"a\": 1\n{}\n", vec!["1:8 -{\"a\": 1\n", "2:1 +{}"]),
            ("{\n  \"a\": 1,\n}\n{}", vec!["3:1 -{\n  \"a\": 1,\n}\n", "4:1 +{}"]),
            ("x\ny\n{}", vec!["1:1 -x\n", "2:1 -y\n", "3:1 +{}"]),
            ("{}\n{\"a\":", vec!["1:1 +{}", "2:5 -{\"a\":"]),
            ("{\"a\":\n{\"b\":[\n{}\n]\n}}{}", vec!["1:1 +{\"a\":\n{\"b\":[\n{}\n]\n}}", "5:3 +{}"]),
            ("{\"a\":\n{\"b\":[\n{}\nx", vec!["1:6 -{\"a\":\n", "2:7 -{\"b\":[\n", "3:1 +{}", "4:1 -x"]),
            (
                "{\"a\":\n\n {\"b\":\n{\"]\":[\"\\\"{\"]}\nx",
                vec!["1:6 -{\"a\":\n", "3:7 -{\"b\":\n", "4:1 +{\"]\":[\"\\\"{\"]}", "5:1 -x"],
            ),
        ] {
            assert_eq!(broken_at(text), expected, "{text:?}");
        }
    }

    #[test]
    fn how_a_stream_arrives_makes_no_difference() {
        const PARTS: [&str; 16] =
            ["{", "}", "[", "]", "{}", "{}\n", "\n", "\r\n", " ", "{\"a\":1}", "\"a\":", ",", "x", "\"", "1", "null\n"];
        let mut random = fastrand::Rng::with_seed(4);
        for _ in 0..3_000 {
            let text: String = (0..random.usize(1..20)).map(|_| PARTS[random.usize(0..PARTS.len())]).collect();
            let without_place = |size| -> Vec<String> {
                pieces(&text, size).iter().map(|piece| piece.split_once(' ').unwrap().1.to_owned()).collect()
            };
            let whole = without_place(usize::MAX);
            let kept = |text: &str| text.split_ascii_whitespace().collect::<String>();
            assert_eq!(kept(&whole.iter().map(|piece| &piece[1..]).collect::<String>()), kept(&text), "{text:?}");
            for size in [1, 2, 5] {
                assert_eq!(without_place(size), whole, "{text:?} by {size}");
            }
        }
    }

    #[test]
    fn a_large_document_takes_linear_time() {
        let text = format!("{{\"a\":[{}0]}}", "0,".repeat(1 << 20));
        assert_eq!(pieces(&text, 8 << 10).len(), 1);
    }

    #[test]
    fn lines_that_are_all_cut_off_take_linear_time() {
        let start = std::time::Instant::now();
        for line in ["{\"a\":\n", "{\"a\":[\n", "[\n", "\n {\"a\":\n", "\r{\"a\":\n", "{\n\"a\":\n", "{\"a\":[0,\n"] {
            let pieces = pieces(&line.repeat(20_000), usize::MAX);
            let broken = pieces.iter().filter(|piece| piece.contains(" -{") || piece.contains(" -["));
            assert_eq!(broken.count(), 20_000, "{line:?}");
        }
        // Parsing again and again would take minutes.
        assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    }

    #[test]
    fn lines_that_are_all_cut_off_take_no_memory() {
        let (mut documents, mut broken) = (Documents::new(), 0);
        let text = "{\"a\":\n".repeat(1 << 20);
        let mut source = text.as_bytes();
        while !documents.ended() {
            documents.fill(&mut source).unwrap();
            while documents.next().is_some() {
                broken += 1;
            }
        }
        assert_eq!(broken, 1 << 20);
        assert!(documents.buffer.len() <= 4 * EAGER, "{}", documents.buffer.len());
    }

    #[test]
    fn an_array_without_an_end_takes_no_memory() {
        let item = br#"{"]": ["\"]"]},"#.repeat(1 << 19);
        let mut source = b"[".chain(&item[..]).chain(&b"0] {}"[..]);
        let (mut documents, mut found) = (Documents::new(), Vec::new());
        while !documents.ended() {
            documents.fill(&mut source).unwrap();
            while let Some(piece) = documents.next() {
                match piece {
                    Piece::Array { place, .. } => found.push(format!("{}:{} array", place.line, place.column)),
                    Piece::Document { place, .. } => found.push(format!("{} document", place.line)),
                    Piece::Broken { .. } => found.push("broken".to_owned()),
                    Piece::Rest(_) => {}
                }
            }
        }
        assert_eq!(found, ["1:1 array", "1 document"]);
        assert!(documents.buffer.len() <= 4 * EAGER, "{}", documents.buffer.len());
    }

    #[test]
    fn what_is_broken_without_an_end_takes_no_memory() {
        let mut documents = Documents::new();
        for _ in 0..10 {
            documents.fill(&mut io::repeat(b'x')).unwrap();
            while documents.next().is_some() {}
        }
        assert_eq!(documents.buffer.len(), CHUNK);
    }
}
