//! A server on loopback.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Answers with what was put there; `/slow…` after a while.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
    /// The most requests that were under way at once.
    pub(crate) most: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) fn start(files: &'static [(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { url, requests: Arc::default(), most: Arc::default() };
        let (requests, most, now) = (server.requests.clone(), server.most.clone(), Arc::new(AtomicUsize::new(0)));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (requests, most, now, mut stream) = (requests.clone(), most.clone(), now.clone(), stream.unwrap());
                thread::spawn(move || {
                    let path = path(&mut stream);
                    requests.lock().unwrap().push(path.clone());
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    if path.starts_with("/slow") {
                        thread::sleep(Duration::from_millis(150));
                    }
                    let found = files.iter().find(|(name, _)| path.split('?').next() == Some(name));
                    let (status, body) = found.map_or((404, ""), |(_, body)| (200, *body));
                    let length = body.len();
                    now.fetch_sub(1, Ordering::SeqCst);
                    let head =
                        format!("HTTP/1.1 {status} Status\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                    let _ = stream.write_all(format!("{head}{body}").as_bytes());
                });
            }
        });
        server
    }
}

fn path(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    String::from_utf8(head).unwrap().split(' ').nth(1).unwrap().to_owned()
}
