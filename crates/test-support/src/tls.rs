//! TLS for servers on loopback.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Installs a cryptography provider for the process, which a bare `reqwest` client needs. Our own clients need none.
pub fn install() {
    // Another test may have installed it already.
    let _ = ring::default_provider().install_default();
}

/// Returns a TLS configuration for `localhost`, and the certificate of its issuer as PEM.
pub fn tls() -> (ServerConfig, String) {
    tls_for(&["localhost"], |_| {})
}

/// Returns a TLS configuration with a certificate for these names, which `change` may spoil, and the certificate of its
/// issuer as PEM.
pub fn tls_for(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> (ServerConfig, String) {
    let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut ca = CertificateParams::new([]).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = ca.self_signed(&ca_key).unwrap();
    let mut certificate = CertificateParams::new(names.iter().copied().map(str::to_owned).collect::<Vec<_>>()).unwrap();
    change(&mut certificate);
    let certificate = certificate.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    (config.with_single_cert(vec![certificate.der().clone()], key).unwrap(), root.pem())
}
