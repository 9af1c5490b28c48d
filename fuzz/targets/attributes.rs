#![no_main]

use ampersand_notifications::from_attributes;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (body, attributes) = fuzz::with_metadata(input);
    let answer = fuzz::ask(body, |body| from_attributes(body, attributes.clone()));
    if !attributes.keys().any(|name| name.eq_ignore_ascii_case("metadata")) {
        let packed = serde_json::to_string(&attributes).expect("JSON");
        assert_eq!(from_attributes(body, [("metadata", packed)]), answer);
    }
});
