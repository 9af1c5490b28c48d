#![no_main]

use ampersand_notifications::from_s3;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (body, metadata) = fuzz::with_metadata(input);
    let answer = fuzz::ask(body, |body| from_s3(body, metadata.clone()));
    if !metadata.keys().any(|name| name.to_ascii_lowercase().starts_with("x-amz-meta-")) {
        let prefixed = metadata.iter().map(|(name, value)| (format!("X-Amz-Meta-{name}"), value));
        assert_eq!(from_s3(body, prefixed), answer);
    }
});
