#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    let lent = fuzz::ask(body, |body| ampersand_notifications::from_webhook(body));
    assert_eq!(ampersand_notifications::from_webhook(body.to_owned()), lent);
});
