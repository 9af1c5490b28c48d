//! Explains why a request got no response.

use std::borrow::Cow;
use std::error::Error;
use std::io::{self, ErrorKind};

use rustls::{CertificateError, InvalidMessage};

/// Returns why a receiver did not respond, and advice if it is on this machine.
pub(crate) fn why_of_receiver(error: reqwest::Error, is_here: bool) -> String {
    let why = why(&error.without_url());
    let advice = if is_here && why.starts_with("TLS: the server's certificate") {
        "; --insecure accepts any certificate of a receiver on this machine"
    } else {
        ""
    };
    why + advice
}

/// Returns a sentence that says why a request got no response, without its URL: the first known cause, or else the last
/// cause.
pub(crate) fn why(error: &(dyn Error + 'static)) -> String {
    let mut cause = Some(error);
    let mut last = error;
    while let Some(error) = cause {
        if let Some(reason) = known(error) {
            return reason.into_owned();
        }
        (last, cause) = (error, inner(error));
    }
    last.to_string()
}

/// Returns the cause of an error. `source` of an `io::Error` skips the error that it holds.
fn inner<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(held) => Some(held),
        None => error.source(),
    }
}

fn known(error: &(dyn Error + 'static)) -> Option<Cow<'static, str>> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(of_tls(tls));
    }
    if let Some(io) = error.downcast_ref::<io::Error>() {
        return of_io(io).map(Cow::Borrowed);
    }
    if error.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout) {
        return Some(TIMED_OUT.into());
    }
    // These errors have no public type.
    match error.to_string().as_str() {
        "dns error" => Some("name not found: check the host in the URL, and the network".into()),
        "connection closed before message completed" => Some(CLOSED.into()),
        text if text.starts_with("invalid HTTP") => {
            Some("the answer is not HTTP: if the server speaks TLS, use https://".into())
        }
        _ => None,
    }
}

const TIMED_OUT: &str = "timed out: no answer came in time";
const CLOSED: &str = "connection closed: the server hung up before it answered";

fn of_io(error: &io::Error) -> Option<&'static str> {
    Some(match error.kind() {
        ErrorKind::ConnectionRefused => "connection refused: nothing listens at this host and port",
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof
            if error.get_ref().is_none_or(|held| !held.is::<rustls::Error>()) =>
        {
            CLOSED
        }
        ErrorKind::TimedOut => TIMED_OUT,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "host unreachable: check the network",
        _ => return None,
    })
}

fn of_tls(error: &rustls::Error) -> Cow<'static, str> {
    use rustls::Error::{InvalidCertificate, InvalidMessage as Invalid};
    match error {
        Invalid(InvalidMessage::InvalidContentType) => "no TLS: the server answers in plain text, so use http://".into(),
        InvalidCertificate(why) => match why {
            CertificateError::UnknownIssuer => {
                "TLS: the server's certificate has an unknown issuer (self-signed, or one that this system does not trust)".into()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "TLS: the server's certificate is not valid for the host name in the URL".into()
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "TLS: the server's certificate has expired".into()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "TLS: the server's certificate is not valid yet: check this machine's clock".into()
            }
            CertificateError::BadSignature => {
                "TLS: the server's certificate is not signed by whom it names: it is self-signed, or was changed".into()
            }
            // These errors have no public variant.
            other => match other.to_string() {
                text if text.contains("CaUsedAsEndEntity") => {
                    "TLS: the server's certificate is one of a certificate authority: it is self-signed".into()
                }
                text if text.contains("UnsupportedCertVersion") => {
                    "TLS: the server's certificate is too old: it has to be X.509 version 3".into()
                }
                text => format!("TLS: the server's certificate is not accepted: {text}").into(),
            },
        },
        other => format!("TLS: {other}").into(),
    }
}
