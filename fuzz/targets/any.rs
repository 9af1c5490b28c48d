#![no_main]

use ampersand_notifications::{from_any, from_attributes, from_kinesis, from_s3, from_webhook};
use fuzz::content;

const NOTHING: [(&str, &str); 0] = [];

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    let any = content(fuzz::ask(body, |body| from_any(body)));
    assert_eq!(content(from_webhook(body)), any);
    assert_eq!(content(from_kinesis(body)), any);
    assert_eq!(content(from_s3(body, NOTHING)), any);
    assert_eq!(content(from_attributes(body, NOTHING)), any);
});
