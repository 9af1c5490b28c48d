//! A request that is kept in two files, and read again: `0001.headers`, in lines, and `0001.json`, the body to the byte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::Value;

const HEADERS: &str = "headers";
const BODY: &str = "json";

pub(crate) struct Kept {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Kept {
    /// Reads both files. Either names the other.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let read = |path: PathBuf| std::fs::read(&path).with_context(|| path.display().to_string());
        let headers = file.with_extension(HEADERS);
        Ok(Self {
            headers: parse(&read(headers.clone())?).with_context(|| headers.display().to_string())?,
            body: read(file.with_extension(BODY))?,
        })
    }
}

/// Where the headers and the body of a request are kept.
pub(crate) fn files(folder: &Path, number: usize) -> [PathBuf; 2] {
    [HEADERS, BODY].map(|extension| folder.join(format!("{number:04}.{extension}")))
}

/// Headers from their names and values.
pub(crate) fn headers(pairs: &BTreeMap<String, String>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        add(&mut headers, name.as_bytes(), value.as_bytes());
    }
    headers
}

/// Headers as HTTP writes them, a line each.
pub(crate) fn lines(headers: &HeaderMap) -> Vec<u8> {
    let mut lines = Vec::new();
    for (name, value) in headers {
        lines.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat());
    }
    lines
}

/// The headers without those of one connection: see [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#field.connection).
pub(crate) fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    const HOP: [HeaderName; 6] = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::TE,
        header::UPGRADE,
    ];
    for name in HOP {
        headers.remove(name);
    }
    headers
}

/// Reads headers: a JSON object, or lines. Those of a request and of a response begin with a line of another kind, and
/// end where a body begins; `curl -v` puts a mark before each.
pub(crate) fn parse(text: &[u8]) -> Result<HeaderMap> {
    if text.trim_ascii_start().starts_with(b"{") {
        return from_json(text);
    }
    let mut headers = HeaderMap::new();
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.strip_prefix(b"> ").or_else(|| line.strip_prefix(b"< ")).unwrap_or(line).trim_ascii();
        if line.is_empty() && !headers.is_empty() {
            break;
        }
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, value) = line.split_at(colon);
        add(&mut headers, name, value.get(1..).unwrap_or_default().trim_ascii());
    }
    if headers.is_empty() {
        bail!("there are no headers in it: it should hold lines such as `svix-id: msg_1`, or a JSON object");
    }
    Ok(headers)
}

/// A value may be a list, of which the first counts.
fn from_json(text: &[u8]) -> Result<HeaderMap> {
    let members: serde_json::Map<String, Value> = serde_json::from_slice(text).context("it is not valid JSON")?;
    let mut headers = HeaderMap::new();
    for (name, value) in members {
        let value = match value {
            Value::Array(values) => values.into_iter().next().unwrap_or_default(),
            value => value,
        };
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        add(&mut headers, name.as_bytes(), value.as_bytes());
    }
    Ok(headers)
}

/// Adds what HTTP can have as a header; the first line of a request, for one, is none.
fn add(headers: &mut HeaderMap, name: &[u8], value: &[u8]) {
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
        headers.append(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_every_form() {
        for text in [
            "Svix-Id: msg_1\nsvix-timestamp:1",
            "HTTP/1.1 200 OK\r\nSvix-Id: msg_1\r\nsvix-timestamp: 1\r\n\r\nbody: x",
            "POST http://host:80/ HTTP/1.1\r\nSvix-Id: msg_1\r\nsvix-timestamp: 1\r\n\r\n",
            "> POST / HTTP/1.1\n> Svix-Id: msg_1\n> svix-timestamp: 1\n>\n",
            r#"{"Svix-Id": ["msg_1", "msg_2"], "svix-timestamp": 1}"#,
        ] {
            let headers = parse(text.as_bytes()).unwrap();
            assert_eq!(lines(&headers), b"svix-id: msg_1\nsvix-timestamp: 1\n", "{text}");
        }
        assert!(parse(b"").is_err());
        assert!(parse(b"{").is_err());
        assert!(parse(b"msg_1").is_err());
    }
}
