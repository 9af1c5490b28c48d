use std::error::Error;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls_platform_verifier::BuilderVerifierExt;

/// Returns a TLS configuration that trusts the certificates that the system trusts.
pub(super) fn tls() -> Result<ClientConfig, Box<dyn Error + Send + Sync>> {
    const NONE: &str = "rustls has no provider: turn on the feature `ring` of ampersand-notifications, or call \
                        `CryptoProvider::install_default` before you make a resolver";
    let builder = ClientConfig::builder_with_provider(provider().ok_or(NONE)?).with_safe_default_protocol_versions();
    let mut tls = builder.and_then(BuilderVerifierExt::with_platform_verifier)?.with_no_client_auth();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(tls)
}

/// The provider that the process has installed, or ring. A library must not install one, as that would affect the whole
/// process.
fn provider() -> Option<Arc<CryptoProvider>> {
    let installed = CryptoProvider::get_default().cloned();
    #[cfg(feature = "ring")]
    let installed = installed.or_else(|| Some(Arc::new(rustls::crypto::ring::default_provider())));
    installed
}
