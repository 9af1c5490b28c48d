//! TLS for servers on loopback.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Returns TLS for `localhost`, and the certificate of its issuer as PEM.
pub fn tls() -> (ServerConfig, String) {
    tls_for(&["localhost"], |_| {})
}

/// Returns TLS with a certificate for these names, which `change` may spoil, and the certificate of its issuer as PEM.
pub fn tls_for(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> (ServerConfig, String) {
    let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut ca = CertificateParams::new([]).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = ca.self_signed(&ca_key).unwrap();
    let mut certificate = CertificateParams::new(names.iter().copied().map(str::to_owned).collect::<Vec<_>>()).unwrap();
    change(&mut certificate);
    let certificate = certificate.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    (config.with_single_cert(vec![certificate.der().clone()], key).unwrap(), root.pem())
}
