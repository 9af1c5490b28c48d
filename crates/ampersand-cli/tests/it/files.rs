//! A file server on loopback.

use std::thread;
use std::time::Duration;

use test_support::server::{Server, response, send};

/// The contents of files, by path.
pub(crate) type Files = &'static [(&'static str, &'static str)];

/// Serves files.
pub(crate) fn serve(files: Files) -> Server {
    Server::start(move |request, stream| send(stream, &get(files, request.path())))
}

/// Returns the response with the file at a path. `/slow…` is delayed.
pub(crate) fn get(files: Files, path: &str) -> Vec<u8> {
    if path.starts_with("/slow") {
        thread::sleep(Duration::from_millis(150));
    }
    let found = files.iter().find(|(name, _)| path.split('?').next() == Some(name));
    found.map_or_else(|| response(404, "", ""), |(_, body)| response(200, "", body))
}
