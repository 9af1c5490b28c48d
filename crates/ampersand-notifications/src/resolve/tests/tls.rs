//! `SSL_CERT_FILE` names the file with the system's root certificates, so this test sets it for a child process.

use std::process::Command;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use super::*;
use test_support::tls::tls;

/// Serves `CONFIG` at `/` and a redirect to http at `/http`, with a certificate for `localhost`. Returns the port, and
/// the certificate of its issuer.
async fn serve() -> (u16, String) {
    let (config, root) = tls();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap();
            let answer = match &request[..read] {
                b if b.starts_with(b"GET /http ") => response(302, "Location: http://localhost:9/\r\n", ""),
                _ => response(200, "", CONFIG),
            };
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, root)
}

const PORT: &str = "AMPERSAND_TEST_PORT";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_trusted_by_the_root_certificates_of_the_system() {
    let (port, root) = serve().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), root).unwrap();

    let error = get_within(policy(), &format!("https://localhost:{port}/").into()).await.unwrap_err();
    assert!(matches!(error, ResolveError::Tls(_)), "this process does not trust it: {error:?}");

    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "resolve::tests::tls::who_trusts_it_gets_the_configuration"])
        .env("SSL_CERT_FILE", file.path())
        .envs(["HTTPS_PROXY", "https_proxy", "ALL_PROXY"].map(|name| (name, "http://127.0.0.1:9"))) // must not be used
        .env(PORT, port.to_string())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && output.contains("1 passed"), "{output}");
}

#[tokio::test]
#[ignore = "run by the test above, in a process of its own"]
async fn who_trusts_it_gets_the_configuration() {
    let port = std::env::var(PORT).unwrap();
    let policy = Policy { allow_http: false, max_attempts: 1, ..policy() };
    let get = async |url: String| get_within(policy.clone(), &url.into()).await;
    assert_eq!(get(format!("https://localhost:{port}/?X=y")).await.unwrap(), CONFIG);
    let redirected = get(format!("https://localhost:{port}/http")).await;
    assert!(matches!(redirected, Err(ResolveError::Blocked(Blocked::NotHttps))), "{redirected:?}");
    let misnamed = get(format!("https://127.0.0.1:{port}/")).await;
    assert!(matches!(misnamed, Err(ResolveError::Tls(_))), "not its name: {misnamed:?}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || send(&mut listener.accept().unwrap().0, &response(400, "", "")));
    let plain = get(format!("https://localhost:{port}/")).await;
    assert!(matches!(plain, Err(ResolveError::Tls(_))), "no TLS: {plain:?}");
}

#[test]
#[cfg(feature = "ring")]
fn the_provider_of_the_process_comes_first_and_none_is_installed() {
    use rustls::crypto::{CryptoProvider, ring};

    let suites = || crate::resolve::tls::tls().unwrap().crypto_provider().cipher_suites.len();
    assert_eq!(suites(), ring::DEFAULT_CIPHER_SUITES.len());
    assert!(CryptoProvider::get_default().is_none());

    let mut one = ring::default_provider();
    one.cipher_suites.truncate(1);
    one.install_default().unwrap();
    assert_eq!(suites(), 1);
}
