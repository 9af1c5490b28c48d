//! Opens the inbox of `serve`.

use std::env::VarError;
use std::fs;

use ampersand_inbox::{Inbox, InboxError, Options};
use anyhow::Result;

use crate::output::plain;
use crate::usage::usage;

/// The variable for the store's URL. Other users of the machine cannot see it, unlike an argument.
const VARIABLE: &str = "AMPERSAND_STORE";
const DEFAULT: &str = "sqlite:inbox.db";

/// Returns the URL of the store: from the option, or else the environment, or else the file of settings.
pub(crate) fn url(option: Option<String>, settings: Option<String>) -> Result<String> {
    let variable = match std::env::var(VARIABLE) {
        Err(VarError::NotUnicode(_)) => return Err(usage(format!("{VARIABLE} is not UTF-8"))),
        variable => variable.ok().filter(|url| !url.is_empty()),
    };
    Ok(option.or(variable).or(settings).unwrap_or_else(|| DEFAULT.to_owned()))
}

/// Opens a store, and creates it if it does not exist.
pub(crate) async fn open(url: &str) -> Result<Inbox> {
    #[cfg(feature = "postgres")]
    if let Some(tls) = postgres::tls(url)? {
        return Ok(Inbox::open_tls(url, Options::default(), tls).await?);
    }
    #[cfg(not(feature = "postgres"))]
    if url.starts_with("postgres") {
        return Err(usage("this build has no Postgres: install ampersand-cli with `--features postgres`".to_owned()));
    }
    Inbox::open_with(url, Options::default()).await.map_err(|error| match error {
        InboxError::Url(_) => usage(error.to_string()),
        error => error.into(),
    })
}

/// Opens an existing store: a typo in a file name must not create an empty one.
pub(crate) async fn open_existing(url: &str) -> Result<Inbox> {
    if let Some(path) = url.strip_prefix("sqlite:").filter(|path| !path.is_empty())
        && !fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0)
    {
        let path = plain(path);
        return Err(usage(format!("there is no inbox at {path}: pass --store, or set {VARIABLE}, as `serve` has it")));
    }
    open(url).await
}

#[cfg(feature = "postgres")]
mod postgres {
    use std::sync::Arc;

    use ampersand_inbox::tokio_postgres::Config;
    use ampersand_inbox::tokio_postgres::config::SslMode;
    use anyhow::{Context as _, Result};
    use rustls::ClientConfig;
    use rustls::crypto::ring;
    use rustls_platform_verifier::BuilderVerifierExt;
    use tokio_postgres_rustls::MakeRustlsConnect;

    /// Returns how to encrypt connections, if the URL has `sslmode=require`. The system has to trust the certificate,
    /// as for all other connections. Otherwise, connections are not encrypted.
    pub(super) fn tls(url: &str) -> Result<Option<MakeRustlsConnect>> {
        let is_encrypted = |config: Config| config.get_ssl_mode() == SslMode::Require;
        if !url.starts_with("postgres") || !url.parse().is_ok_and(is_encrypted) {
            return Ok(None);
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder =
            builder.with_safe_default_protocol_versions().and_then(BuilderVerifierExt::with_platform_verifier);
        Ok(Some(MakeRustlsConnect::new(builder.context("TLS cannot be set up")?.with_no_client_auth())))
    }
}
