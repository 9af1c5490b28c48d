//! An HTTP server on loopback that responds as a test tells it to.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A server that runs until the process of the test ends.
#[derive(Debug)]
pub struct Server {
    /// Its URL, such as `http://127.0.0.1:5000`.
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// A request that a server received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The request line and the headers, as they came.
    pub head: String,
    /// The method and the path with its query, such as `GET /path?query`.
    pub line: String,
    /// The headers, by name in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body, which must have a `Content-Length`.
    pub body: String,
    /// The number of earlier requests.
    pub number: usize,
    /// The number of earlier requests for the same path.
    pub before: usize,
}

impl Request {
    /// Reads a request; `None` if the client has gone.
    fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).ok()?;
            head.extend(byte);
        }
        let head = String::from_utf8(head).ok()?;
        let (line, rest) = head.split_once("\r\n")?;
        let line = line.trim_end_matches(" HTTP/1.1").to_owned();
        let headers = rest.lines().filter_map(|line| line.split_once(':'));
        let headers: BTreeMap<String, String> =
            headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
        let mut body = vec![0; headers.get("content-length").map_or(0, |length| length.parse().unwrap())];
        stream.read_exact(&mut body).ok()?;
        Some(Self { line, headers, body: String::from_utf8(body).ok()?, head, number: 0, before: 0 })
    }

    /// The path, with its query.
    pub fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    /// The value of a header; empty if the request has none of this name.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

impl Server {
    /// Starts a server. Once a request has come, `answer` writes what it likes to the connection.
    pub fn start(answer: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { url, requests: Arc::default() };
        let (requests, answer) = (server.requests.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (requests, answer, mut stream) = (requests.clone(), answer.clone(), stream.unwrap());
                thread::spawn(move || {
                    let Some(mut request) = Request::read(&mut stream) else { return };
                    {
                        let mut requests = requests.lock().unwrap();
                        request.number = requests.len();
                        request.before = requests.iter().filter(|known| known.path() == request.path()).count();
                        requests.push(request.clone());
                    }
                    answer(&request, &mut stream);
                });
            }
        });
        server
    }

    /// Responds to each request with the next response, and then with the last one.
    pub fn script<R: Into<Vec<u8>>>(responses: impl IntoIterator<Item = R>) -> Self {
        let responses: Vec<Vec<u8>> = responses.into_iter().map(Into::into).collect();
        Self::start(move |request, stream| send(stream, &responses[request.number.min(responses.len() - 1)]))
    }

    /// Responds by the path of a request, and the number of earlier requests for that path.
    pub fn by_path(answer: impl Fn(&str, usize) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start(move |request, stream| send(stream, &answer(request.path(), request.before)))
    }

    /// The URL of a path, as a string or a type that converts from one.
    pub fn at<U: From<String>>(&self, path: &str) -> U {
        format!("{}{path}", self.url).into()
    }

    /// The requests so far, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// Sends bytes to a client that may have gone.
pub fn send(stream: &mut TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes);
}

/// A complete response: a status, headers that each end in a line break, and a body.
pub fn response(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Status\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// A response that breaks off before the end of its body.
pub fn cut_short(body: &str) -> Vec<u8> {
    let mut response = response(200, "", format!("{body}-----"));
    response.truncate(response.len() - 5);
    response
}
