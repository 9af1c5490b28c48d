//! Tests of signed URLs that the libraries of Amazon and Google make.

use ampersand_types::SignedUrl;
use jiff::Timestamp;
use serde_json::json;

use crate::Peer;

/// A name with characters to escape. Unescaped, it would look like the expiry of the URL.
const KEY: &str = "a b/ü?Expires=1&X-Amz-Date=x#y.json";

#[test]
#[ignore = "run by `cargo xtask peers`"]
fn a_signed_url_expires_when_it_was_asked_to() {
    let mut peer = Peer::start("presign.py", &[]);
    for by in [
        "S3 by default",
        "S3 V4",
        "S3 V4 with a session's token",
        "S3 V2",
        "GCS V4",
        "GCS V4 with the bucket in the host",
        "GCS V2",
        "CloudFront, canned policy",
        "CloudFront, custom policy",
    ] {
        for seconds in [1, 900, 604_800] {
            let made = peer.ask(&json!({"by": by, "key": KEY, "seconds": seconds}));
            let url = SignedUrl::from(made["url"].as_str().unwrap());
            let shown = format!("{url} {url:?}");
            assert!(url.expose_secret().contains("Signature=") && !shown.contains("Signature"), "{by}: {shown}");

            let expires = url.expires_at().map(Timestamp::as_second);
            if by == "CloudFront, custom policy" {
                assert_eq!(expires, None, "a policy may say more than when");
            } else {
                let (first, last) = (made["first"].as_i64().unwrap(), made["last"].as_i64().unwrap());
                let expires = expires.unwrap_or_else(|| panic!("{by}"));
                assert!((first..=last).contains(&expires), "{by}: {first}..={last}, not {expires}");
            }
        }
    }
}
