use std::error::Error;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls_platform_verifier::BuilderVerifierExt;

/// Returns a TLS configuration that trusts the system's certificates.
pub(crate) fn tls() -> Result<ClientConfig, Box<dyn Error + Send + Sync>> {
    const NONE: &str = "rustls has no provider: turn on the feature `ring` of ampersand-client, or call \
                        `CryptoProvider::install_default` before you make a client";
    let builder = ClientConfig::builder_with_provider(provider().ok_or(NONE)?).with_safe_default_protocol_versions();
    let mut tls = builder.and_then(BuilderVerifierExt::with_platform_verifier)?.with_no_client_auth();
    #[cfg(feature = "http2")]
    tls.alpn_protocols.push(b"h2".to_vec());
    tls.alpn_protocols.push(b"http/1.1".to_vec());
    Ok(tls)
}

/// Returns the provider of the process. This library installs none, because that would choose for the whole process.
fn provider() -> Option<Arc<CryptoProvider>> {
    let installed = CryptoProvider::get_default().cloned();
    #[cfg(feature = "ring")]
    let installed = installed.or_else(|| Some(Arc::new(rustls::crypto::ring::default_provider())));
    installed
}

#[cfg(all(test, feature = "ring"))]
mod tests {
    use rustls::crypto::ring;

    use super::*;

    #[test]
    fn the_provider_of_the_process_comes_first_and_none_is_installed() {
        let suites = || tls().unwrap().crypto_provider().cipher_suites.len();
        assert_eq!(suites(), ring::DEFAULT_CIPHER_SUITES.len());
        assert!(CryptoProvider::get_default().is_none());

        let mut one = ring::default_provider();
        one.cipher_suites.truncate(1);
        one.install_default().unwrap();
        assert_eq!(suites(), 1);
    }
}

#[cfg(all(test, not(feature = "ring")))]
#[test]
fn without_a_provider_there_is_an_error_that_says_what_to_do() {
    let error = crate::Client::builder().api_key("k").build().unwrap_err();
    assert!(matches!(error, crate::ClientError::Tls(source) if source.to_string().contains("install_default")));
}
