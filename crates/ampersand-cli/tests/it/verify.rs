//! Verifies signatures that this project and the reference implementation made.

use std::fs;

use ampersand_notifications::Secret;
use jiff::Timestamp;

use crate::command::{Run, command, feed};

const SECRETS: [&str; 3] =
    ["whsec_b2xkIHNlY3JldCBvZiBhIHRlc3Q=", "whsec_bmV3IHNlY3JldCBvZiBhIHRlc3Q=", "whsec_dGhpcmQ="];
const BODY: &str = "{\"notificationType\": \"new\",\n \"data\": 1.10 }\n";
const SENT: i64 = 1_787_158_990; // 2026-08-19T17:03:10Z

fn sign(secret: &str) -> String {
    Secret::new(secret).unwrap().sign("msg_1", Timestamp::from_second(SENT).unwrap(), BODY.as_bytes())
}

/// Verifies a body with headers, at the time of the corpus.
fn verify(headers: &str, secrets: &str, body: &str, more: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("head");
    fs::write(&file, headers).unwrap();
    let mut command = command(&["verify", "--headers", file.to_str().unwrap()]);
    command.args(more).env("AMPERSAND_WEBHOOK_SECRET", secrets);
    let run = feed(command, body);
    for secret in SECRETS {
        assert!(!run.to_string().contains(secret.trim_start_matches("whsec_")), "{run}");
    }
    run
}

fn head(signature: &str) -> String {
    format!(
        "POST /hook HTTP/1.1\r\nHost: x\r\nsvix-id: msg_1\r\nsvix-timestamp: {SENT}\r\nsvix-signature: {signature}\r\n\r\n"
    )
}

const AT: [&str; 2] = ["--at", "2026-08-19T17:04:00Z"];

#[test]
fn says_which_secret_matched() {
    let secrets = SECRETS.join(", ");
    let run = verify(&head(&sign(SECRETS[1])), &secrets, BODY, &AT);
    insta::assert_snapshot!(run);
    insta::assert_snapshot!(verify(
        &head(&sign(SECRETS[0])),
        &secrets,
        BODY,
        &[&AT[..], &["--output", "json"]].concat()
    ));

    let json = format!(
        r#"{{"Webhook-Id": "msg_1", "Webhook-Timestamp": {SENT}, "Webhook-Signature": "{}"}}"#,
        sign(SECRETS[0])
    );
    assert_eq!(verify(&json, SECRETS[0], BODY, &["--at", "1787158990"]).code, 0);
    let har = |name: &str, value: &str| format!(r#"{{"name": "Svix-{name}", "value": "{value}"}}"#);
    let har = [har("Id", "msg_1"), har("Timestamp", &SENT.to_string()), har("Signature", &sign(SECRETS[0]))].join(",");
    let proxy = "HTTP/1.1 200 Connection established\r\nProxy-Agent: x\r\n\r\n".to_owned() + &head(&sign(SECRETS[0]));
    for headers in [format!("\u{feff}{json}"), format!(r#"{{"headers": {json}}}"#), format!("[{har}]"), proxy] {
        let run = verify(&headers, SECRETS[0], BODY, &AT);
        assert_eq!(run.code, 0, "{headers}: {run}");
    }
}

#[test]
fn what_the_reference_implementation_signs_is_right() {
    let reference = standardwebhooks::Webhook::new(SECRETS[2]).unwrap();
    let signature = reference.sign("msg_1", SENT, BODY.as_bytes()).unwrap();
    assert_eq!(verify(&head(&signature), SECRETS[2], BODY, &AT).code, 0);
    assert_eq!(signature, sign(SECRETS[2]));
}

#[test]
fn secrets_and_body_come_from_files_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("secrets"), format!("{}\r\n\n{}\n", SECRETS[0], SECRETS[1])).unwrap();
    fs::write(path("body"), BODY).unwrap();
    let (secrets, body) = (path("secrets"), path("body"));
    let run = verify(&head(&sign(SECRETS[1])), "", "", &[AT[0], AT[1], "--secret-file", &secrets, &body]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "verified: msg_1, signed at 2026-08-19T17:03:10Z with secret 2 of 2\n")
    );
}

#[test]
fn says_why_not() {
    let right = head(&sign(SECRETS[0]));
    let mut shown = String::new();
    for (headers, secrets, body, options) in [
        (right.as_str(), SECRETS[1], BODY, &AT[..]),
        (&right, SECRETS[0], BODY.trim_end(), &AT),
        (&right, SECRETS[0], BODY, &["--at", "2026-08-19T17:04:00Z", "--tolerance", "10"]),
        (&right, SECRETS[0], BODY, &["--at", "2026-08-19T16:00:00Z", "--output", "json"]),
        ("svix-id: msg_1\nwebhook-timestamp: 1", SECRETS[0], BODY, &AT),
        (&head("v1a,xyz"), SECRETS[0], BODY, &AT),
        (&head("v1a,xyz v1,cut!"), SECRETS[0], BODY, &AT),
        ("no headers", SECRETS[0], BODY, &AT),
    ] {
        let run = verify(headers, secrets, body, options);
        assert_eq!(run.code, 1);
        let lines = run.stdout + &run.stderr;
        shown += lines.split("head: ").last().unwrap();
    }
    insta::assert_snapshot!(shown);
    // The current time is not that of the corpus.
    assert!(verify(&right, SECRETS[0], BODY, &[]).stderr.contains("pass --at"));

    let mut both = command(&["verify", "--headers", "-"]);
    both.env("AMPERSAND_WEBHOOK_SECRET", SECRETS[0]);
    let both = feed(both, BODY);
    assert_eq!(both.code, 2);
    assert!(both.stderr.contains("cannot both come from stdin"), "{both}");

    for secrets in ["", " , ", "not base64!"] {
        let run = verify(&right, secrets, BODY, &AT);
        assert_eq!(run.code, 2, "{run}");
        assert!(!run.stderr.contains("base64!"), "{run}");
    }
}

#[test]
fn says_that_only_the_end_of_the_body_or_its_byte_order_mark_is_wrong() {
    let mut shown = String::new();
    let text = BODY.trim_end();
    let marked = |text: &str| format!("\u{feff}{text}");
    for (signed, came) in [
        (text.to_owned(), format!("{text}\n")),
        (text.to_owned(), format!("{text}\r\n")),
        (format!("{text}\n"), text.to_owned()),
        (format!("{text}\r\n"), text.to_owned()),
        (format!("{text}\n"), format!("{text}\r\n")),
        (format!("{text}\r\n"), format!("{text}\n")),
        (format!("{text}\n"), format!("{text}\n\n")),
        (format!("{text}\n\n"), format!("{text}\n")),
        (text.to_owned(), marked(text)),
        (marked(text), text.to_owned()),
        (text.to_owned(), marked(&format!("{text}\n"))),
        (String::new(), "\n".to_owned()),
        (text.to_owned(), format!(" {text}")),
    ] {
        let signature =
            Secret::new(SECRETS[0]).unwrap().sign("msg_1", Timestamp::from_second(SENT).unwrap(), signed.as_bytes());
        let run = verify(&head(&signature), SECRETS[0], &came, &AT);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""));
        shown += run.stderr.strip_prefix("not verified: ").unwrap();
        let json = verify(&head(&signature), SECRETS[0], &came, &[&AT[..], &["--output", "json"]].concat());
        assert!(json.stdout.contains(run.stderr.strip_prefix("not verified: ").unwrap().trim_end()), "{json}");
    }
    insta::assert_snapshot!(shown, @"
    the signature is right for the body without its last line break: your editor or shell added one
    the signature is right for the body without its last line break: your editor or shell added one
    the signature is right for the body with one more line break (LF) at its end: your editor or shell removed it
    the signature is right for the body with one more line break (CR LF) at its end: your editor or shell removed it
    the signature is right for the body with LF in place of CR LF at its end: your editor or shell changed it
    the signature is right for the body with CR LF in place of LF at its end: your editor or shell changed it
    the signature is right for the body without its last line break: your editor or shell added one
    the signature is right for the body with one more line break (LF) at its end: your editor or shell removed it
    the signature is right for the body without its byte order mark: your editor or shell added one
    the signature is right for the body with a byte order mark before it: your editor or shell removed it
    the signature is right for the body without its byte order mark and without its last line break: your editor or shell changed both
    the signature is right for the body without its last line break: your editor or shell added one
    the signature is wrong: check the secret, and that the body is the bytes that came, not parsed and encoded again
    ");
}

#[test]
fn a_secret_that_was_copied_with_more_than_itself_is_named_without_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    let path = file.to_str().unwrap();
    let mut shown = String::new();
    let secret = SECRETS[0];
    for text in [
        format!("v1,{secret}"),
        format!("\"{secret}\""),
        format!("AMPERSAND_WEBHOOK_SECRET={secret}"),
        format!("export SECRET='{secret}'"),
        format!("\"webhookSecret\": \"{secret}\""),
        format!("{secret}\nv1,{}", SECRETS[1]),
        format!("{},{secret}", SECRETS[1].trim_start_matches("whsec_")),
    ] {
        fs::write(&file, &text).unwrap();
        let run = verify(&head(&sign(secret)), "", BODY, &[AT[0], AT[1], "--secret-file", path]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{text}");
        shown += &run.stderr.replace(path, "FILE");
        for arguments in
            [&["listen", "0", "--secret-file", path][..], &["trigger", "connection.error", "--secret-file", path]]
        {
            assert_eq!(feed(command(arguments), "").stderr, run.stderr);
        }
    }
    insta::assert_snapshot!(shown, @r#"
    error: --secret-file FILE: secret 1 has `v1,` before the key: remove that
    error: --secret-file FILE: secret 1 has `"` before the key: remove that, and the quote at its end
    error: --secret-file FILE: secret 1 has `AMPERSAND_WEBHOOK_SECRET=` before the key: remove that
    error: --secret-file FILE: secret 1 has `export SECRET='` before the key: remove that, and the quote at its end
    error: --secret-file FILE: secret 1 has `"webhookSecret": "` before the key: remove that, and the quote at its end
    error: --secret-file FILE: secret 2 has `v1,` before the key: remove that
    error: --secret-file FILE: secret 1 has something before the key: remove that
    "#);
    fs::write(&file, format!("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw= {secret}")).unwrap();
    let run = verify(&head(&sign(secret)), "", BODY, &[AT[0], AT[1], "--secret-file", path]);
    assert!(run.code == 2 && run.stderr.ends_with(": secret 1 has something before the key: remove that\n"), "{run}");
    // A comma separates the secrets in the variable.
    let run = verify(&head(&sign(secret)), &format!("v1,{secret}"), BODY, &AT);
    assert!(run.code == 2 && run.stderr.ends_with(": secret 1 has `v1,` before the key: remove that\n"), "{run}");
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, format!("\u{feff}{}\r\n", SECRETS[0])).unwrap();
    let more = [AT[0], AT[1], "--secret-file", file.to_str().unwrap()];
    assert_eq!(verify(&head(&sign(SECRETS[0])), "", BODY, &more).code, 0);
    assert_eq!(verify(&head(&sign(SECRETS[0])), &format!("\u{feff}{}", SECRETS[0]), BODY, &AT).code, 0);
}

#[test]
fn every_value_of_the_signature_header_counts_however_the_headers_were_kept() {
    let (wrong, right) = (sign(SECRETS[1]), sign(SECRETS[0]));
    let key = right.strip_prefix("v1,").unwrap();
    let others = format!(r#""Svix-Id": ["msg_1"], "Svix-Timestamp": ["{SENT}"]"#);
    let edge = |name: &str, value: &str| format!(r#""{name}": [{{"key": "{name}", "value": "{value}"}}]"#);
    for headers in [
        head(&format!("{wrong}, {right}")),
        head(&format!("{wrong}\r\nsvix-signature: {right}")),
        format!(r#"{{{others}, "Svix-Signature": ["{wrong}", "{right}"]}}"#),
        format!(r#"{{{others}, "Svix-Signature": ["v1", "{key}"]}}"#),
        format!(
            r#"{{"headers": {{"svix-signature": "{wrong}"}}, "multiValueHeaders": {{{others}, "svix-signature": ["{wrong}", "{right}"]}}}}"#
        ),
        format!(
            r#"{{"headers": {{{}, {}, "svix-signature": [{{"value": "{wrong}"}}, {{"value": "{right}"}}]}}}}"#,
            edge("svix-id", "msg_1"),
            edge("svix-timestamp", &SENT.to_string())
        ),
    ] {
        let run = verify(&headers, SECRETS[0], BODY, &AT);
        assert_eq!(run.code, 0, "{headers}: {run}");
    }
}
