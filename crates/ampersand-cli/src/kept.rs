//! Stores and reads requests. A request has two files: `0001.headers` has its headers, `0001.json` the exact body.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use ampersand_aws::__private::headers_of;
use anyhow::{Context as _, Result, bail};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::input::unmarked;

pub(crate) const HEADERS: &str = "headers";
const BODY: &str = "json";

pub(crate) struct Kept {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Kept {
    /// Reads a request by the file of its body or of its headers.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let is_headers = file.extension().is_some_and(|extension| extension == HEADERS);
        let body = if is_headers { file.with_extension(BODY) } else { file.to_owned() };
        let read = |path: &Path| fs::read(path).with_context(|| path.display().to_string());
        let (body, headers) = (read(&body)?, file.with_extension(HEADERS));
        Ok(Self { headers: parse(&read(&headers)?).with_context(|| headers.display().to_string())?, body })
    }
}

/// A folder of numbered requests. Existing files are never replaced.
pub(crate) struct Folder {
    path: PathBuf,
    last: AtomicUsize,
}

impl Folder {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let last = fs::create_dir_all(path).and_then(|()| last(path)).with_context(|| path.display().to_string())?;
        Ok(Self { path: path.to_owned(), last: AtomicUsize::new(last) })
    }

    /// Stores a body, and a second file with its own extension. Returns the name that both files have. Another process
    /// may store in the folder too: this one skips the names that the other has taken.
    pub(crate) fn keep(&self, extension: &str, beside: &[u8], body: &[u8]) -> io::Result<String> {
        loop {
            let name = format!("{:04}", self.last.fetch_add(1, Ordering::Relaxed) + 1);
            let path = |extension: &str| self.path.join(format!("{name}.{extension}"));
            let (first, second) = (path(extension), path(BODY));
            let stored = if beside.is_empty() { Ok(()) } else { write(&first, beside) };
            let drop_first = |_: &_| {
                if !beside.is_empty() {
                    drop(fs::remove_file(&first));
                }
            };
            match stored.and_then(|()| write(&second, body).inspect_err(drop_first)) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                stored => return stored.map(|()| name),
            }
        }
    }
}

/// Writes a new file, or none.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let wrong = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let mut file = create(path).map_err(wrong)?;
    file.write_all(content).map_err(wrong).inspect_err(|_| drop(fs::remove_file(path)))
}

/// Returns the highest number in the file names of a folder.
fn last(folder: &Path) -> io::Result<usize> {
    fs::read_dir(folder)?.try_fold(0, |last, entry| {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.split('.').next()?.parse().ok());
        Ok(last.max(number.unwrap_or_default()))
    })
}

/// Creates a new file that only its owner can read, because it holds customers' data.
fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes headers from names and values.
pub(crate) fn headers(pairs: &BTreeMap<String, String>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        add(&mut headers, name.as_bytes(), value.as_bytes());
    }
    headers
}

/// Returns headers as HTTP writes them, one per line.
pub(crate) fn lines(headers: &HeaderMap) -> Vec<u8> {
    let mut lines = Vec::new();
    for (name, value) in headers {
        lines.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat());
    }
    lines
}

/// Removes the headers of one connection: see [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#field.connection).
pub(crate) fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    const HOP: [HeaderName; 11] = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::CONNECTION,
        header::EXPECT,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        HeaderName::from_static("keep-alive"),
    ];
    let named = headers.get_all(header::CONNECTION).into_iter().filter_map(|value| value.to_str().ok());
    let named: Vec<HeaderName> =
        named.flat_map(|names| names.split(',')).filter_map(|n| n.trim().parse().ok()).collect();
    for name in named.iter().chain(&HOP) {
        headers.remove(name);
    }
    headers
}

/// Reads headers: JSON, or lines. The headers of a request or a response begin after a first line of another kind, and
/// end at the body; `curl -v` puts a mark before each line. A proxy may have responded first: of several blocks, the
/// first with signature headers is used.
pub(crate) fn parse(text: &[u8]) -> Result<HeaderMap> {
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        bail!("it is UTF-16, as Windows PowerShell writes files: save it as UTF-8");
    }
    let text = unmarked(text).trim_ascii_start();
    let mut blocks = vec![HeaderMap::new()];
    if text.starts_with(b"{") || text.starts_with(b"[") {
        let json = serde_json::from_slice(text).context("it is not valid JSON")?;
        let mut headers = HeaderMap::new();
        for (name, value) in headers_of(json) {
            add(&mut headers, name.as_bytes(), value.as_bytes());
        }
        blocks = vec![headers];
    } else {
        for line in text.split(|byte| *byte == b'\n') {
            let line = line.strip_prefix(b">").or_else(|| line.strip_prefix(b"<")).unwrap_or(line).trim_ascii();
            if line.is_empty() {
                blocks.push(HeaderMap::new());
            } else if let Some(colon) = memchr::memchr(b':', line)
                && let (name, value) = line.split_at(colon)
                && let Some(block) = blocks.last_mut()
            {
                add(block, name, value.get(1..).unwrap_or_default().trim_ascii());
            }
        }
    }
    blocks.retain(|block| !block.is_empty());
    let is_signed = |block: &HeaderMap| {
        block.keys().any(|name| name.as_str().starts_with("svix-") || name.as_str().starts_with("webhook-"))
    };
    let found = blocks.iter().position(is_signed).unwrap_or_default();
    if found >= blocks.len() {
        bail!("there are no headers in it: it should hold lines such as `svix-id: msg_1`, or a JSON object");
    }
    Ok(blocks.swap_remove(found))
}

/// Adds a header if HTTP allows it: the first line of a request is not a header, for instance. After tens of thousands
/// of headers, the rest is ignored.
fn add(headers: &mut HeaderMap, name: &[u8], value: &[u8]) {
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
        let _ = headers.try_append(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_a_connection_stays_with_it() {
        let headers =
            parse(b"host: h\nconnection: close, X-Hop\nx-hop: 1\nkeep-alive: 5\nsvix-id: a\nproxy-authorization: b");
        assert_eq!(lines(&end_to_end(headers.unwrap())), b"svix-id: a\n");
    }

    #[test]
    fn two_store_in_one_folder() {
        let place = tempfile::tempdir().unwrap();
        let folders = [Folder::open(place.path()).unwrap(), Folder::open(place.path()).unwrap()];
        let names: Vec<String> =
            folders.iter().chain(&folders).map(|one| one.keep("headers", b"a: b", b"{}").unwrap()).collect();
        assert_eq!(names, ["0001", "0002", "0003", "0004"]);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 8);
        // A body of another one, without headers.
        fs::write(place.path().join("0005.json"), "{}").unwrap();
        assert_eq!(folders[1].keep("headers", b"a: b", b"{}").unwrap(), "0006");
        assert!(!place.path().join("0005.headers").exists());
    }

    #[test]
    fn any_number_of_headers_is_read() {
        let many: String = (0..100_000).map(|number| format!("h{number}: 1\n")).collect();
        assert!(parse(many.as_bytes()).unwrap().len() > 10_000);
    }

    #[test]
    fn headers_of_every_form() {
        for text in [
            "Svix-Id: msg_1\nsvix-timestamp:1",
            "HTTP/1.1 200 OK\r\nSvix-Id: msg_1\r\nsvix-timestamp: 1\r\n\r\nbody: x",
            "POST http://host:80/ HTTP/1.1\r\nSvix-Id: msg_1\r\nsvix-timestamp: 1\r\n\r\n",
            "> POST / HTTP/1.1\n> Svix-Id: msg_1\n> svix-timestamp: 1\n>\n",
            "HTTP/1.1 200 Connection established\r\nVia: proxy\r\n\r\nHTTP/1.1 200 OK\r\nSvix-Id: msg_1\r\nsvix-timestamp: 1",
            "> CONNECT host:443 HTTP/1.1\n> Host: host:443\n>\n< HTTP/1.1 200 OK\n<\n* ok: yes\n\n> POST / HTTP/1.1\n> Svix-Id: msg_1\n> svix-timestamp: 1\n>\n{}",
            r#"{"Svix-Id": ["msg_1"], "svix-timestamp": [1]}"#,
            r#"{"headers": {"svix-id": [{"key": "Svix-Id", "value": "msg_1"}], "svix-timestamp": [{"value": "1"}]}}"#,
            r#"{"multiValueHeaders": {"svix-id": ["msg_1"], "svix-timestamp": ["1"]}, "headers": {"svix-id": "other"}}"#,
            r#"{"multiValueHeaders": null, "headers": {"Svix-Id": "msg_1", "svix-timestamp": "1", "x": null}}"#,
            r#"{"multiValueHeaders": {}, "headers": {"Svix-Id": "msg_1", "svix-timestamp": "1"}}"#,
            r#"[{"key": "Svix-Id", "value": "msg_1"}, {"key": "svix-timestamp", "value": "1"}]"#,
            "\u{feff}{\"Svix-Id\": \"msg_1\", \"svix-timestamp\": 1}",
            "\u{feff}Svix-Id: msg_1\nsvix-timestamp: 1",
            r#"{"method": "POST", "headers": {"Svix-Id": "msg_1", "svix-timestamp": "1"}, "body": "{}"}"#,
            r#"{"headers": [{"name": "Svix-Id", "value": "msg_1"}, {"name": "svix-timestamp", "value": "1"}]}"#,
            r#" [["Svix-Id", "msg_1"], ["svix-timestamp", 1]]"#,
        ] {
            let headers = parse(text.as_bytes()).unwrap();
            assert_eq!(lines(&headers), b"svix-id: msg_1\nsvix-timestamp: 1\n", "{text}");
        }
        for text in [
            r#"{"Svix-Signature": ["v1", "BASE64="]}"#,
            r#"[["svix-signature", "v1"], ["Svix-Signature", "BASE64="]]"#,
            r#"{"headers": {"svix-signature": [{"key": "Svix-Signature", "value": "v1"}, {"value": "BASE64="}]}}"#,
            "svix-signature: v1\nSvix-Signature: BASE64=\n",
        ] {
            let headers = parse(text.as_bytes()).unwrap();
            assert_eq!(lines(&headers), b"svix-signature: v1\nsvix-signature: BASE64=\n", "{text}");
        }
        assert!(parse(b"\xff\xfes\0").unwrap_err().to_string().starts_with("it is UTF-16"));
        for request in
            [r#"{"Records": [{"cf": {"request": REQUEST}}]}"#, r#"{"log": {"entries": [{"request": REQUEST}]}}"#]
        {
            let request =
                request.replace("REQUEST", r#"{"headers": {"svix-id": [{"key": "Svix-Id", "value": "msg_1"}]}}"#);
            assert_eq!(lines(&parse(request.as_bytes()).unwrap()), b"svix-id: msg_1\n", "{request}");
        }
        assert!(parse(b"").is_err());
        assert!(parse(b"{").is_err());
        assert!(parse(b"[1, [], {}]").is_err());
        assert_eq!(lines(&parse(b"host: a\n\nvia: b\n").unwrap()), b"host: a\n");
        assert!(parse(b"msg_1").is_err());
    }
}
