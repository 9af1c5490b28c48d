#![no_main]

use ampersand_notifications::{Secret, Verifier, VerifyError};
use jiff::Timestamp;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NAMES: [&str; 7] =
    ["svix-id", "svix-timestamp", "svix-signature", "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "other"];

// A header a line, whose first byte is its name; an empty line; the body.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let end = input.windows(2).position(|two| two == b"\n\n").unwrap_or(input.len());
    let (head, body) = (&input[..end], input.get(end + 2..).unwrap_or_default());
    let headers = head.split(|byte| *byte == b'\n').filter_map(|line| line.split_first());
    let headers: Vec<(&str, &[u8])> =
        headers.map(|(name, value)| (NAMES[usize::from(*name) % NAMES.len()], value)).collect();

    let (secret, verifier) = (Secret::new(SECRET).expect("a secret"), Verifier::new(SECRET).expect("a secret"));
    let now = Timestamp::from_second(1_787_158_990).expect("a time");
    let answer = verifier.verify_at(&headers[..], body, now);
    let error = answer.expect_err("nobody without the secret signs");
    assert!(!format!("{error} {error:?}").contains("whsec"));

    let Ok(id) = std::str::from_utf8(head) else { return };
    let (time, signature) = (now.as_second().to_string(), secret.sign(id, now, body));
    let mut signed = [("svix-id", id), ("svix-timestamp", &time), ("svix-signature", &signature)];
    let verified = verifier.verify_at(&signed[..], body, now).expect("signed");
    assert_eq!((verified.id, &*verified.body), (id, body));
    let longer = [body, b"0"].concat();
    assert_eq!(verifier.verify_at(&signed[..], longer, now).unwrap_err(), VerifyError::WrongSignature);
    let other = format!("{id}0");
    signed[0].1 = &other;
    assert_eq!(verifier.verify_at(&signed[..], body, now).unwrap_err(), VerifyError::WrongSignature);
});
