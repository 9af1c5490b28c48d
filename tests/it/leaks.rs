//! No printed text shows a secret, signed URL, header or body: each contains a marker, and the tests search for it.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::time::Duration;

use ampersand_notifications::axum::{ReceiveError, Received};
use ampersand_notifications::{
    Delivery, Policy, Records, Resolver, Secret, Verifier, VerifyError, Webhook, from_any, from_attributes,
    from_kinesis, from_webhook,
};
use ampersand_types::notifications::{Event, NotificationType};
use ampersand_types::{ConfigSource, RawJson, SignedUrl};
use jiff::{SignedDuration, Timestamp};

use test_support::log::Log;
use test_support::server::{Server, response};

const MARKER: &str = "MARKER";

/// `whsec_` and the base64 of a key. The base64 contains the marker as text.
const SECRET: &str = "whsec_MARKERMARKERMARKERMARKERMARKERMA";

/// All printed texts.
#[derive(Default)]
struct Printed(Vec<String>);

impl Printed {
    fn debug(&mut self, value: &dyn Debug) {
        self.0.extend([format!("{value:?}"), format!("{value:#?}")]);
    }

    fn display(&mut self, value: &dyn Display) {
        self.0.push(value.to_string());
    }

    /// Prints an error and its causes.
    fn error(&mut self, error: &dyn Error) {
        let mut cause = Some(error);
        while let Some(error) = cause {
            self.debug(&error);
            self.display(&error);
            cause = error.source();
        }
    }

    fn assert_no_marker(&self, at_least: usize) {
        assert!(self.0.len() >= at_least, "{} texts are too few", self.0.len());
        for text in &self.0 {
            assert!(!text.contains(MARKER) && !text.contains(&MARKER.to_lowercase()), "{text}");
        }
    }
}

fn signed_url() -> String {
    format!("https://ada:{MARKER}@host.test/config.json?X-Amz-Signature={MARKER}#{MARKER}")
}

/// A notification with a marker wherever it may hold any value.
fn body() -> String {
    let url = signed_url();
    format!(
        r#"{{"notificationType": "installation.updated", "new": "{MARKER}", "data": {{
            "projectId": "p", "provider": "hubspot", "integrationId": "i", "integrationName": "n", "installationId": "x",
            "connectionId": "c", "groupRef": "g", "groupName": "G", "consumerRef": "r", "consumerName": "R",
            "config": {{"{MARKER}": "{MARKER}"}}, "configURL": "{url}", "lastConfigURL": "{url}", "new": "{MARKER}"}}}}"#
    )
}

fn message() -> String {
    let url = signed_url();
    format!(
        r#"{{"action": "read", "projectId": "p", "provider": "hubspot", "groupRef": "g", "groupName": "G",
            "consumerRef": "r", "consumerName": "R", "installationId": "x", "installationUpdateTime": "t",
            "objectName": "o", "result": [{{"fields": {{"{MARKER}": "{MARKER}"}}}}], "new": "{MARKER}",
            "resultInfo": {{"type": "url", "numRecords": 1, "downloadUrl": "{url}"}}}}"#
    )
}

#[test]
fn values_show_none() {
    let mut printed = Printed::default();
    let (verifier, secret) = (Verifier::new(SECRET).unwrap(), Secret::new(SECRET).unwrap());
    let (now, body, message) = (Timestamp::now(), body(), message());
    let headers = [
        ("svix-id", "msg_1".to_owned()),
        ("svix-timestamp", now.as_second().to_string()),
        ("svix-signature", format!("{} v1,{MARKER}", secret.sign("msg_1", now, body.as_bytes()))),
    ];
    let verified = verifier.verify(&headers[..], body.as_bytes()).unwrap();
    printed.debug(&verifier);
    printed.debug(&secret);
    printed.debug(&verified);
    printed.debug(&Webhook::from(verified.clone()));

    let delivery = from_webhook(verified).unwrap();
    printed.debug(&delivery);
    printed.debug(&Received { delivery: delivery.clone(), secret: 0 });
    let Delivery::Notification(notification) = delivery else { panic!("{delivery:?}") };
    let Event::InstallationUpdated(data) = &notification.event else { panic!("{notification:?}") };
    printed.debug(&data.config_source());
    printed.debug(&data.last_config_source());
    printed.display(data.config_url.as_ref().unwrap());
    printed.debug(&notification.raw);

    let attributes = [("notificationType", "new.type"), ("key", MARKER)];
    printed.debug(&from_attributes(body.as_bytes(), attributes).unwrap());
    let Ok(Delivery::Records(records)) = from_webhook(message.as_bytes()) else { panic!() };
    printed.debug(&records);
    printed.debug(&Resolver::new(Policy::default()).unwrap());
    printed.assert_no_marker(20);
}

#[test]
fn errors_of_verifying_show_none() {
    let mut printed = Printed::default();
    let wrong = Secret::new(&format!("whsec_{MARKER}!")).unwrap_err();
    printed.error(&wrong);
    let verifier = Verifier::new(SECRET).unwrap();
    let now = Timestamp::now();
    let at = |seconds: i64| (now + SignedDuration::from_secs(seconds)).as_second().to_string();
    let id = ("svix-id", MARKER.to_owned());
    for (others, expected) in [
        (vec![], VerifyError::MissingHeader("svix-timestamp")),
        (vec![("webhook-timestamp", MARKER.into()), ("svix-signature", MARKER.into())], VerifyError::MixedHeaders),
        (vec![("svix-timestamp", MARKER.into()), ("svix-signature", MARKER.into())], VerifyError::NotATime),
        (vec![("svix-timestamp", at(0)), ("svix-signature", MARKER.into())], VerifyError::NoSignature),
        (vec![("svix-timestamp", at(0)), ("svix-signature", format!("v1,{MARKER}MA"))], VerifyError::WrongSignature),
    ] {
        let headers: Vec<(&str, String)> = [id.clone()].into_iter().chain(others).collect();
        let error = verifier.verify_at(&headers[..], MARKER.as_bytes(), now).unwrap_err();
        assert_eq!(error, expected);
        printed.error(&error);
        printed.error(&ReceiveError::Verify(error));
    }
    for seconds in [-1000, 1000] {
        let headers = [id.clone(), ("svix-timestamp", at(seconds)), ("svix-signature", MARKER.into())];
        printed.error(&verifier.verify_at(&headers[..], MARKER.as_bytes(), now).unwrap_err());
    }
    printed.assert_no_marker(30);
}

#[test]
fn errors_of_normalising_show_none() {
    let mut printed = Printed::default();
    let (body, message) = (body(), message());
    // Cuts the body off at each quote, inserts the marker there, or gives a field a value of another type.
    let mut bodies = vec![format!("\"{MARKER}\""), format!("[{MARKER:?}]"), format!("{{{MARKER}}}")];
    for text in [&body, &message] {
        for (place, _) in text.match_indices('"') {
            bodies.push(text[..place].to_owned());
            bodies.push(format!("{}{{\"{MARKER}\": 1}}{}", &text[..place], &text[place..]));
        }
        for name in
            ["projectId", "groupRef", "installationId", "configURL", "downloadUrl", "result", "notificationType"]
        {
            for value in ["[\"MARKER\"]", "{\"MARKER\": \"MARKER\"}", "\"MARKER\"", "1"] {
                bodies.push(text.replacen(&format!("\"{name}\": "), &format!("\"{name}\": {value}, \"MARKER\": "), 1));
            }
        }
    }
    let mut failed = 0;
    for body in bodies {
        for result in [from_webhook(body.as_bytes()), from_kinesis(body.as_bytes()), from_any(body.as_bytes())] {
            if let Err(error) = result {
                failed += 1;
                printed.error(&error);
                printed.debug(error.kind());
                printed.error(&ReceiveError::Normalize(error));
            }
        }
    }
    assert!(failed > 100, "{failed}");
    for (name, json) in [("connection.created", "{\"MARKER\": 1}"), ("installation.created", "[\"MARKER\"]")] {
        let error = Event::parse(&NotificationType::from(name), &RawJson::new(json).unwrap()).unwrap_err();
        printed.error(&error);
    }
    printed.assert_no_marker(1000);
}

#[tokio::test]
async fn errors_of_resolving_and_the_log_of_it_show_none() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let mut printed = Printed::default();
    let policy = Policy {
        allow_http: true,
        allow_private_addresses: true,
        idle_timeout: Duration::from_millis(200),
        timeout: Duration::from_secs(2),
        max_attempts: 2,
        max_bytes: 1000,
        ..Policy::default()
    };
    let resolver = Resolver::new(policy.clone()).unwrap();
    let header = format!("X-Marker: {MARKER}\r\nSet-Cookie: {MARKER}\r\n");
    let to = |place: &str| response(307, &format!("Location: {place}\r\n{header}"), MARKER);
    let answers = [
        response(200, &header, format!(r#"{{"{MARKER}": "{MARKER}"}}"#)),
        response(200, &header, format!("<html>{MARKER}")),
        response(200, &header, MARKER.repeat(1000)),
        response(200, "Content-Encoding: gzip\r\n", MARKER),
        response(400, &header, MARKER),
        response(403, &header, MARKER),
        response(403, &header, format!("{MARKER} expired")),
        response(404, &header, MARKER),
        response(500, &header, MARKER),
        response(429, &format!("Retry-After: 100\r\n{header}"), MARKER),
        to(&format!("/?X={MARKER}")),
        to(&format!("http://169.254.169.254/?X={MARKER}")),
        to(&format!("http://ada:{MARKER}@host.test/")),
        to(&format!("data:{MARKER}")),
        to(&format!("http://[{MARKER}]")),
        format!("HTTP/1.1 200 OK\r\n{MARKER}\r\n\r\n").into_bytes(),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{MARKER}").into_bytes(),
        MARKER.as_bytes().to_vec(),
        Vec::new(),
    ];
    let mut failed = 0;
    for answer in answers {
        let server = Server::script([answer]);
        let url = server.at(&format!("/config.json?X-Amz-Signature={MARKER}#{MARKER}"));
        match resolver.config(ConfigSource::Url(&url)).await {
            Ok(config) => printed.debug(&config),
            Err(error) => {
                failed += 1;
                printed.error(&error);
            }
        }
        printed.debug(&resolver);
    }
    assert_eq!(failed, 18);

    let silent = Server::start(|_, _| std::thread::sleep(Duration::from_secs(5)));
    let past = format!("https://host.test/?Expires=1&Signature={MARKER}");
    let closed = format!("https://127.0.0.1:1/?X={MARKER}");
    let allowed = Resolver::new(Policy { hosts: Some(vec!["a.test".to_owned()]), ..policy }).unwrap();
    for (resolver, url) in [
        (&resolver, silent.at(&format!("/?X={MARKER}"))),
        (&resolver, SignedUrl::from(past)),
        (&resolver, SignedUrl::from(closed)),
        (&resolver, SignedUrl::from(MARKER)),
        (&resolver, SignedUrl::from(signed_url())),
        (&allowed, SignedUrl::from(format!("https://b.test/?X={MARKER}"))),
    ] {
        printed.error(&resolver.config(ConfigSource::Url(&url)).await.unwrap_err());
    }
    let array = Server::script([response(200, "", format!(r#"[{{"fieldsUpdated": "{MARKER}"}}]"#))]);
    let message = message().replace(&signed_url(), &array.at::<String>("/")).replace("\"result\": [", "\"r\": [");
    let Ok(Delivery::Records(records)) = from_webhook(message.as_bytes()) else { panic!() };
    let records: Records = records;
    printed.error(&resolver.records(&records).await.unwrap_err());

    let log = log.text();
    for said in ["starting new connection", "download{attempt=1}", "a download failed", "again_in=Some("] {
        assert!(log.contains(said), "{said} is not logged: {log}");
    }
    printed.0.push(log);
    printed.assert_no_marker(100);
}
