//! The commands, one module each.

pub(crate) mod api;
pub(crate) mod decode;
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod inbox;
pub(crate) mod inspect;
pub(crate) mod listen;
pub(crate) mod resolve;
pub(crate) mod serve;
pub(crate) mod setup;
pub(crate) mod trigger;
pub(crate) mod verify;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context as _, Result};
use reqwest::{Client, ClientBuilder, Url};

use crate::usage::usage;

/// Returns a client that contacts only the given host: it uses no proxy and follows no redirect.
fn straight() -> ClientBuilder {
    Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none())
}

/// Returns a client for a receiver. With `--insecure` it accepts any certificate, but only from this machine.
fn client_for(url: &Url, insecure: bool, more: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Client> {
    let mut client = more(straight());
    if insecure {
        if !is_loopback(url) {
            let hosts = "localhost, 127.0.0.1 or ::1";
            return Err(usage(format!("--insecure: the URL must name this machine, as {hosts}")));
        }
        let here = [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()].map(|ip| SocketAddr::new(ip, 0));
        client = client.tls_danger_accept_invalid_certs(true).resolve_to_addrs(LOCALHOST, &here);
    }
    client.build().context("TLS cannot be set up")
}

const LOCALHOST: &str = "localhost";

pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    host == LOCALHOST || address.is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Parses the URL of an option. It may hold a password, so no message shows it.
fn http_url(option: &str, text: &str) -> Result<Url> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| usage(format!("{option}: not a URL of http or https, as http://localhost:3000/ is one")))
}
