//! Tests of downloads from servers that behave in many ways.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod bodies;
mod changes;
mod complete;
mod expiry;
mod names;
mod rules;
mod sources;
mod streams;
mod tls;
mod trouble;

use std::borrow::Cow;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::Barrier;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ampersand_types::notifications::{Event, InstallationUpdatedData};
use ampersand_types::{ConfigSource, RawJson, SignedUrl};
use flate2::Compression;
use flate2::write::GzEncoder;
use test_support::corpus::payloads;
use test_support::server::{Server, response, send};

use crate::{Blocked, Delivery, Notification, Policy, Records, ResolveError, Resolver, from_webhook};

/// A policy for a test server, with shorter timeouts than for the internet.
fn policy() -> Policy {
    Policy {
        allow_http: true,
        allow_private_addresses: true,
        connect_timeout: Duration::from_millis(500),
        idle_timeout: Duration::from_millis(300),
        timeout: Duration::from_secs(5),
        ..Policy::default()
    }
}

fn resolver(policy: Policy) -> Resolver {
    Resolver::new(policy).unwrap()
}

async fn get_within(policy: Policy, url: &SignedUrl) -> Result<String, ResolveError> {
    resolver(policy).config(ConfigSource::Url(url)).await.map(|config| config.as_str().to_owned())
}

async fn get(server: &Server) -> Result<String, ResolveError> {
    get_within(policy(), &server.at("/config.json?X-Signature=s")).await
}

fn updated(body: &str) -> InstallationUpdatedData {
    match from_webhook(body.as_bytes()) {
        Ok(Delivery::Notification(Notification { event: Event::InstallationUpdated(data), .. })) => data,
        other => panic!("{other:?}"),
    }
}

fn records(body: &str) -> Records {
    match from_webhook(body.as_bytes()) {
        Ok(Delivery::Records(records)) => records,
        other => panic!("{other:?}"),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const CONFIG: &str = r#"{"provider": "hubspot", "commit": 1742558812455698400}"#;

fn busy(headers: &str) -> Vec<u8> {
    response(503, headers, "")
}
