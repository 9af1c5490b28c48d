//! A call of the client, compared with the same call by bare reqwest, to a server on loopback. Both send the same
//! request with the same headers, and decode the same response to the same type. The difference is what the client
//! adds.

use std::error::Error;
use std::io::{BufRead as _, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use ampersand_client::{Client, Host, types::ListOperationsResponse};
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue, USER_AGENT};
use serde_json::json;

use super::{met, times, work};

/// A page of `count` operations.
fn page(count: usize) -> String {
    let operation = json!({
        "id": "550e8400-e29b-41d4-a716-446655440000", "projectId": "p", "integrationId": "i", "configId": "c",
        "installationId": "n", "actionType": "read", "status": "success", "createTime": "2026-08-19T10:03:10Z",
        "metadata": { "objectName": "contact", "count": 100 },
    });
    json!({ "results": vec![operation; count], "pagination": { "done": true } }).to_string()
}

/// Starts a server that answers every request with the same body, in its own threads. Returns its URL.
fn serve(body: &str) -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let url = format!("http://{}", listener.local_addr()?);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    let response = format!("{head}{body}").into_bytes();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let response = response.clone();
            thread::spawn(move || answer(&stream, &response));
        }
    });
    Ok(url)
}

/// Answers the requests of a connection, which have no body, until it is closed.
fn answer(mut stream: &TcpStream, response: &[u8]) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut reader, mut line) = (BufReader::new(stream), String::new());
    while reader.read_line(&mut line)? > 0 {
        if line == "\r\n" {
            stream.write_all(response)?;
        }
        line.clear();
    }
    Ok(())
}

pub(crate) fn report(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for count in [1, 20, 200] {
        let body = page(count);
        let url = serve(&body)?;
        // The client uses the same provider by default.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::new();
        let client = Client::builder().api_key("key").base_url(Host::Api, &*url).http_client(http.clone()).build()?;
        let path = format!("{url}/projects/p/integrations/i/installations/n/operations?pageSize=100");
        let mut key = HeaderValue::from_static("key");
        key.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            ("x-api-key".parse()?, key),
            (ACCEPT, HeaderValue::from_static("application/json, text/plain, application/problem+json")),
            (USER_AGENT, HeaderValue::from_static("ampersand-client/0.1.0")),
        ]);
        let bare = async || {
            let request = http.get(&path).timeout(std::time::Duration::from_secs(60)).headers(headers.clone());
            let response = request.send().await.expect("a response").error_for_status().expect("a success");
            let body = response.bytes().await.expect("a body");
            serde_json::from_slice::<ListOperationsResponse>(&body).expect("a page")
        };
        let call = async || {
            let list = client.operations().list_operations("p", "i", "n");
            list.page_size(100).send().await.expect("a page")
        };
        // Runs each twice, in turns: a difference between two equal ones is noise.
        let works = [
            work(|| runtime.block_on(bare())),
            work(|| runtime.block_on(call())),
            work(|| runtime.block_on(bare())),
            work(|| runtime.block_on(call())),
        ];
        let [bare, call, bare_again, call_again] = times(works, 20);
        let (floor, taken) = (bare.min(bare_again), call.min(call_again));
        writeln!(out, "{:24}{:>9}{:>10}   goal", format!("call, {} bytes", body.len()), "µs", "× floor")?;
        writeln!(out, "  {:22}{:9.1}", "bare reqwest", floor * 1e6)?;
        writeln!(
            out,
            "  {:22}{:9.1}{:10.2}",
            "bare reqwest, again",
            bare.max(bare_again) * 1e6,
            bare.max(bare_again) / floor
        )?;
        let ratio = taken / floor;
        writeln!(out, "  {:22}{:9.1}{ratio:10.2}   ≤ 1.05: {}\n", "ampersand-client", taken * 1e6, met(ratio <= 1.05))?;
    }
    Ok(())
}
