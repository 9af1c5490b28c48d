//! The code that the binaries share: settings, log and inbox.

use std::env;
use std::error::Error;
use std::sync::Arc;

use ampersand_inbox::tokio_postgres::{self, config::SslMode};
use ampersand_inbox::{Inbox, Options};
use aws_config::{BehaviorVersion, ConfigLoader};
use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Any error. Lambda and containers show its message, and start a new process.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Logs to the standard output, which CloudWatch and containers collect.
pub fn log() {
    tracing_subscriber::fmt().with_ansi(false).without_time().init();
}

/// Reads a setting from an environment variable.
///
/// # Errors
///
/// When the variable is not set or not text. The message names it.
pub fn setting(name: &str) -> Result<String, BoxError> {
    env::var(name).map_err(|error| format!("the environment variable {name}: {error}").into())
}

/// The HTTP client of the AWS SDK.
pub fn http() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// The settings of the AWS SDK, from the environment: `aws().load()`.
pub fn aws() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest()).http_client(http())
}

/// Opens the inbox of `INBOX_URL`, such as `postgres://user:password@host/database?sslmode=require`.
///
/// With `sslmode=require`, the system must trust the certificate of the database. For RDS, add its certificate bundle
/// to the image, and set `SSL_CERT_FILE` to that file.
///
/// # Errors
///
/// When the variable is missing, or the inbox cannot be opened.
pub async fn inbox() -> Result<Inbox, BoxError> {
    let url = setting("INBOX_URL")?;
    let is_encrypted = |config: tokio_postgres::Config| config.get_ssl_mode() == SslMode::Require;
    if !url.parse().is_ok_and(is_encrypted) {
        return Ok(Inbox::open(&url).await?);
    }
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    Ok(Inbox::open_tls(&url, Options::default(), MakeRustlsConnect::new(tls)).await?)
}
