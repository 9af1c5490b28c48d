//! The commands, a module each.

pub(crate) mod decode;
pub(crate) mod demo;
pub(crate) mod listen;
pub(crate) mod resolve;
pub(crate) mod setup;
pub(crate) mod trigger;
pub(crate) mod verify;

use anyhow::Result;
use reqwest::Url;

/// A client that asks whom it is told to and nobody else: no proxy, and no one that an answer leads to.
fn straight() -> reqwest::ClientBuilder {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none())
}

/// The URL that an option gives. It may hold a password, so no message shows it.
fn http_url(option: &str, text: &str) -> Result<Url> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| crate::usage(format!("{option}: not a URL of http or https, as http://localhost:3000/ is one")))
}
