//! Compares signatures with the libraries of Svix and of Standard Webhooks for Python and Node.

use std::collections::BTreeMap;

use ampersand_notifications::{Secret, Verifier, VerifyError};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{Peer, encode};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const SVIX: [&str; 3] = ["svix-id", "svix-timestamp", "svix-signature"];
const WEBHOOK: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/// A library's answer for a valid webhook, and the error that it throws for others.
pub(crate) const VERIFIED: &str = "verified";
const REFUSED: &str = "WebhookVerificationError";

pub(crate) type Headers = BTreeMap<String, String>;

/// A library in another language that signs and verifies.
pub(crate) struct Library {
    peer: Peer,
    python: bool,
    pub(crate) svix: bool,
}

impl Library {
    /// `svix` before `standardwebhooks`, Python before Node.
    pub(crate) fn all() -> [Self; 4] {
        [(true, true), (true, false), (false, true), (false, false)].map(|(python, svix)| {
            let script = if python { "webhooks.py" } else { "webhooks.cjs" };
            let peer = Peer::start(script, &[if svix { "svix" } else { "standardwebhooks" }]);
            Self { peer, python, svix }
        })
    }

    /// The headers that it reads.
    pub(crate) fn names(&self) -> &'static [[&'static str; 3]] {
        if self.svix { &[SVIX, WEBHOOK] } else { &[WEBHOOK] }
    }

    pub(crate) fn sign(&mut self, secret: &str, id: &str, sent: Timestamp, body: &[u8]) -> String {
        self.ask(&json!({"secret": secret, "id": id, "timestamp": sent.as_second(), "body": encode(body)}))
    }

    pub(crate) fn verify(&mut self, secret: &str, headers: &Headers, body: &[u8]) -> String {
        self.ask(&json!({"secret": secret, "headers": headers, "body": encode(body)}))
    }

    /// Returns the answer, or the error that the library threw.
    fn ask(&mut self, question: &Value) -> String {
        let answer = self.peer.ask(question);
        match answer["ok"].as_str().or(answer["error"].as_str()) {
            Some(said) => said.to_owned(),
            None => panic!("{answer}"),
        }
    }
}

impl std::fmt::Display for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = if self.svix { "svix" } else { "standard" };
        write!(f, "{} {name}", if self.python { "py" } else { "js" })
    }
}

/// The current time in whole seconds, as in a header. These libraries accept no other time.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap()
}

fn sign(secret: &str, id: &str, sent: Timestamp, body: &[u8]) -> String {
    Secret::new(secret).unwrap().sign(id, sent, body)
}

pub(crate) fn headers(names: [&str; 3], id: &str, sent: Timestamp, signature: &str) -> Headers {
    let values = [id.to_owned(), sent.as_second().to_string(), signature.to_owned()];
    names.map(str::to_owned).into_iter().zip(values).collect()
}

/// Verifies with our verifier, and returns which secret matched.
fn ours(verifier: &Verifier, headers: &Headers, body: &[u8], now: Timestamp) -> Result<usize, VerifyError> {
    let headers: Vec<_> = headers.iter().collect();
    verifier.verify_at(&headers[..], body, now).map(|verified| verified.secret)
}

/// The answer of a library for our signature. Some libraries parse the verified body, and none accepts arbitrary bytes.
fn expected(library: &Library, body: &[u8]) -> &'static str {
    match (std::str::from_utf8(body), library.python, library.svix) {
        (Err(_), true, _) => "UnicodeDecodeError",
        (Err(_), false, _) => REFUSED, // It signs U+FFFD instead of invalid text.
        (Ok(""), true, false) => "JSONDecodeError",
        (Ok(""), false, true) => "SyntaxError",
        _ => VERIFIED,
    }
}

#[test]
#[ignore = "run by `cargo xtask peers`"]
fn what_they_sign_we_verify_and_what_we_sign_they_verify() {
    let large = format!("[{}0]", r#"{"data": "0123456789 ü 🎉"},"#.repeat(10_000));
    let bodies = ["", r#"{"a": 1}"#, "{\"naïve\": \"日本 🎉\"}", " { } \r\n", &large].map(str::as_bytes);
    let verifier = Verifier::new(SECRET).unwrap();
    for mut library in Library::all() {
        for body in bodies.into_iter().chain([&b"\"\xff\xfe\x00\""[..]]) {
            for id in ["msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", "with.dots.in.it", ".", "msg_日本"] {
                let now = now();
                let signature = sign(SECRET, id, now, body);
                let theirs = library.sign(SECRET, id, now, body);
                assert_eq!(theirs == signature, std::str::from_utf8(body).is_ok(), "they take text alone");
                for names in library.names() {
                    let headers = headers(*names, id, now, &signature);
                    assert_eq!(ours(&verifier, &headers, body, now), Ok(0));
                    assert_eq!(library.verify(SECRET, &headers, body), expected(&library, body));
                }
            }
        }
    }
}

#[test]
#[ignore = "run by `cargo xtask peers`"]
fn while_a_secret_is_replaced_what_either_signs_is_taken() {
    let (body, now) = (b"{}", now());
    let both = Verifier::new(SECRET).unwrap().or_secret(OTHER).unwrap();
    for mut library in Library::all() {
        let names = library.names()[0];
        let [new, old] = [SECRET, OTHER].map(|secret| library.sign(secret, "m", now, body));
        for (signatures, by) in
            [(new.clone(), 0), (old.clone(), 1), (format!("{old} {new}"), 0), (format!("{new} {old}"), 0)]
        {
            let headers = headers(names, "m", now, &signatures);
            assert_eq!(ours(&both, &headers, body, now), Ok(by));
            for (secret, signature) in [(SECRET, &new), (OTHER, &old)] {
                let one = Verifier::new(secret).unwrap();
                let known = signatures.contains(signature);
                assert_eq!(ours(&one, &headers, body, now).is_ok(), known);
                assert_eq!(library.verify(secret, &headers, body), if known { VERIFIED } else { REFUSED });
            }
        }
    }
}

#[test]
#[ignore = "run by `cargo xtask peers`"]
fn they_refuse_what_we_refuse() {
    let body = br#"{"a": 1}"#;
    let verifier = Verifier::new(SECRET).unwrap();
    for mut library in Library::all() {
        let (names, now) = (library.names()[0], now());
        let at = |seconds| now + SignedDuration::from_secs(seconds);
        let good = sign(SECRET, "m", now, body);
        let mut check = |what: &str, fine: bool, headers: Headers, body: &[u8]| {
            assert_eq!(ours(&verifier, &headers, body, now).is_ok(), fine, "{what}, by us");
            let said = library.verify(SECRET, &headers, body);
            // `Error` is Python's error for truncated base64.
            let expected: &[&str] = if fine { &[VERIFIED] } else { &[REFUSED, "Error"] };
            assert!(expected.contains(&said.as_str()), "{what}: {said}");
        };
        let signed = |signature: &str| headers(names, "m", now, signature);
        check("as it was signed", true, signed(&good), body);
        check("beside other versions", true, signed(&format!("v1a,AAAA v2,x {good} v1,AAAA")), body);
        check("a body cut short", false, signed(&good), &body[..body.len() - 1]);
        check("a body and a line's end", false, signed(&good), &[&body[..], b"\n"].concat());
        check("no body", false, signed(&good), b"");
        check("a wrong secret", false, signed(&sign(OTHER, "m", now, body)), body);
        check("another id", false, headers(names, "n", now, &good), body);
        check("another time", false, headers(names, "m", at(1), &good), body);
        for seconds in [-240, 240, -360, 360] {
            let headers = headers(names, "m", at(seconds), &sign(SECRET, "m", at(seconds), body));
            check(&format!("{seconds} s from now"), seconds.abs() < 300, headers, body);
        }
        for cut in 4..good.len() - 1 {
            check(&format!("{cut} bytes of a signature"), false, signed(&good[..cut]), body);
        }
        check("no version that is known", false, signed(&good.replace("v1", "v2")), body);
        check("a version in capitals", false, signed(&good.replace("v1", "V1")), body);
        check("no signature", false, signed(""), body);
        for missing in names {
            let mut headers = signed(&good);
            headers.remove(missing);
            check(missing, false, headers, body);
        }
        for time in ["", "now", "-1", "99999999999999999999"] {
            let mut headers = signed(&good);
            headers.insert(names[1].to_owned(), time.to_owned());
            check(time, false, headers, body);
        }
    }
}

/// We accept more where that is safe, and less where no sender writes such headers.
#[test]
#[ignore = "run by `cargo xtask peers`"]
fn where_they_and_we_differ() {
    let (body, now) = (b"{}", now());
    let (good, seconds) = (sign(SECRET, "m", now, body), now.as_second().to_string());
    let cases = |names: [&str; 3]| {
        let signed = |signature: &str| headers(names, "m", now, signature);
        let with = |name: &str, value: &str| {
            let mut headers = signed(&good);
            headers.insert(name.to_owned(), value.to_owned());
            headers
        };
        let mixed = |index: usize| {
            let mut headers = signed(&good);
            let value = headers.remove(names[index]).unwrap();
            headers.insert([SVIX, WEBHOOK][usize::from(names == SVIX)][index].to_owned(), value);
            headers
        };
        [
            ("the padding is missing", signed(good.trim_end_matches('='))),
            ("a word beside it", signed(&format!("v1 {good}"))),
            ("two spaces before it", signed(&format!("  {good}"))),
            ("a comma after it", signed(&format!("{good},"))),
            ("no base64 in it", signed(&good.replace("v1,", "v1,!"))),
            ("an id that is empty", headers(names, "", now, &sign(SECRET, "", now, body))),
            ("a fraction of the time", with(names[1], &format!("{seconds}.0"))),
            ("a zero before the time", with(names[1], &format!("0{seconds}"))),
            ("a word after the time", with(names[1], &format!("{seconds}s"))),
            ("the id of the other prefix", mixed(0)),
            ("the time of the other prefix", mixed(1)),
            ("the signature of the other prefix", mixed(2)),
            ("an id of `svix-` as well", with("svix-id", "n")),
            ("an id of `webhook-` as well", with("webhook-id", "n")),
        ]
    };
    let verifier = Verifier::new(SECRET).unwrap();
    let mut libraries = Library::all();
    let mut table = String::new();
    for names in [SVIX, WEBHOOK] {
        let read = libraries.iter_mut().filter(|library| library.names().contains(&names));
        let mut read: Vec<&mut Library> = read.collect();
        let columns: Vec<String> = read.iter().map(ToString::to_string).collect();
        table.push_str(&line(names[0], "we", &columns));
        for (what, headers) in cases(names) {
            let us = ours(&verifier, &headers, body, now);
            let us = us.map_or_else(|error| name(&error), |_| VERIFIED.to_owned());
            let them: Vec<String> = read
                .iter_mut()
                .map(|library| library.verify(SECRET, &headers, body).replace(REFUSED, "refused"))
                .collect();
            table.push_str(&line(what, &us, &them));
        }
    }
    insta::assert_snapshot!(table, @r#"
    svix-id                           we                            py svix      js svix
    the padding is missing            verified                      Error        refused
    a word beside it                  verified                      ValueError   verified
    two spaces before it              verified                      ValueError   verified
    a comma after it                  verified                      ValueError   verified
    no base64 in it                   NotBase64                     verified     refused
    an id that is empty               MissingHeader("svix-id")      refused      refused
    a fraction of the time            NotATime                      verified     verified
    a zero before the time            WrongSignature                verified     verified
    a word after the time             NotATime                      refused      verified
    the id of the other prefix        MixedHeaders                  verified     verified
    the time of the other prefix      MixedHeaders                  verified     verified
    the signature of the other prefix MixedHeaders                  verified     verified
    an id of `svix-` as well          WrongSignature                refused      refused
    an id of `webhook-` as well       verified                      verified     verified
    webhook-id                        we                            py svix      py standard  js svix      js standard
    the padding is missing            verified                      Error        Error        refused      refused
    a word beside it                  verified                      ValueError   ValueError   verified     verified
    two spaces before it              verified                      ValueError   ValueError   verified     verified
    a comma after it                  verified                      ValueError   ValueError   verified     verified
    no base64 in it                   NotBase64                     verified     verified     refused      refused
    an id that is empty               MissingHeader("webhook-id")   refused      refused      refused      refused
    a fraction of the time            NotATime                      verified     verified     verified     verified
    a zero before the time            WrongSignature                verified     verified     verified     verified
    a word after the time             NotATime                      refused      refused      verified     verified
    the id of the other prefix        MixedHeaders                  verified     refused      verified     refused
    the time of the other prefix      MixedHeaders                  verified     refused      verified     refused
    the signature of the other prefix MixedHeaders                  verified     refused      verified     refused
    an id of `svix-` as well          verified                      refused      verified     refused      verified
    an id of `webhook-` as well       WrongSignature                refused      refused      refused      refused
    "#);
}

/// The name of an error's variant, for a table.
fn name(error: &VerifyError) -> String {
    match error {
        VerifyError::MissingHeader(header) => format!("MissingHeader({header:?})"),
        VerifyError::MixedHeaders => "MixedHeaders".to_owned(),
        VerifyError::NotATime => "NotATime".to_owned(),
        VerifyError::NotBase64 => "NotBase64".to_owned(),
        VerifyError::WrongSignature => "WrongSignature".to_owned(),
        other => other.to_string(),
    }
}

fn line(what: &str, us: &str, them: &[String]) -> String {
    let them: String = them.iter().map(|said| format!("  {said:11}")).collect();
    format!("{}\n", format!("{what:34}{us:28}{them}").trim_end())
}
