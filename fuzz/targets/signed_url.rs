#![no_main]

use ampersand_types::SignedUrl;
use fuzz::SECRET;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    if text.contains(SECRET) {
        return;
    }
    let url = SignedUrl::from(&*text);
    assert_eq!(url.expose_secret(), text);
    let expires = url.expires_at();
    assert_eq!(SignedUrl::from(format!("{text}#Expires=1")).expires_at(), expires);
    for secret in [
        format!("{text}?X-Amz-Signature={SECRET}"),
        format!("{text}#{SECRET}"),
        format!("https://user:{SECRET}@{text}"),
        format!("https://{SECRET}@host?{text}"),
    ] {
        let url = SignedUrl::from(secret);
        assert!(!format!("{url} {url:?}").contains(SECRET), "{url}");
        let _ = url.expires_at();
    }
});
