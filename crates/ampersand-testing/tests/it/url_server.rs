//! Signed URLs, and how a resolver handles them.

use std::time::Duration;

use ampersand_notifications::{Delivery, Notification, Policy, Records, ResolveError, Resolver};
use ampersand_testing::{Envelope, Fixture, UrlServer};
use ampersand_types::notifications::Event;
use ampersand_types::{ConfigSource, SignedUrl};
use jiff::Timestamp;

#[tokio::test]
async fn a_signed_url_does_what_it_is_made_for() {
    let policy = Policy {
        allow_http: true,
        allow_private_addresses: true,
        idle_timeout: Duration::from_millis(200),
        max_attempts: 1,
        ..Policy::default()
    };
    let (server, resolver) = (UrlServer::start().unwrap(), Resolver::new(policy).unwrap());
    let get = async |url: &SignedUrl| {
        let config = resolver.config(ConfigSource::Url(url)).await;
        config.map_or_else(|error| format!("{error:?}"), |config| config.as_str().to_owned())
    };
    let large = format!("[{}]", " ".repeat(5 << 20));
    assert_eq!(server.requests(), 0);
    assert_eq!(get(&server.url("{}")).await, "{}");
    assert_eq!(server.requests(), 1);
    assert!(get(&server.expired()).await.starts_with("Expired"));
    assert_eq!(server.requests(), 1, "what says that it has expired is not asked for");
    assert_eq!(get(&server.url(large.as_str())).await, large);
    assert_eq!(get(&server.slow("{}", Duration::from_millis(50))).await, "{}");
    assert_eq!(get(&server.slow("{}", Duration::from_secs(1))).await, "TimedOut");
    assert!(get(&server.broken("{\"a\": 1}")).await.starts_with("Connection("));
    assert_eq!(get(&server.failing(404)).await, "Gone");
    assert_eq!(get(&server.failing(503)).await, "Status { status: 503, retry_after: None }");
    let forged = server.url("{}").expose_secret().replace("c0ffee", "decaf");
    assert!(get(&forged.into()).await.starts_with("Forbidden { expires_at: Some("));

    let expired = server.expired();
    let error = resolver.config(ConfigSource::Url(&expired)).await.unwrap_err();
    assert!(matches!(error, ResolveError::Expired { at } if at == expired.expires_at() && at < Some(Timestamp::now())));
    let expired = server.expired_for_the_server();
    let error = resolver.config(ConfigSource::Url(&expired)).await.unwrap_err();
    assert!(matches!(error, ResolveError::Expired { at: None }), "its own account is wrong: {error:?}");
}

#[tokio::test]
async fn what_is_too_large_is_at_a_url_in_every_envelope() {
    let policy = Policy { allow_http: true, allow_private_addresses: true, ..Policy::default() };
    let (server, resolver) = (UrlServer::start().unwrap(), Resolver::new(policy).unwrap());
    let (config, records) = (server.url(r#"{"a": 1}"#), server.url(r#"[{"id": "1"}]"#));
    for envelope in Envelope::ALL {
        let delivery = Fixture::new("installation.created").too_large(&config).delivery(envelope).unwrap();
        let Delivery::Notification(Notification { event: Event::InstallationCreated(data), .. }) = delivery else {
            panic!("{delivery:?}")
        };
        assert_eq!(resolver.config(&data).await.unwrap().as_str(), r#"{"a": 1}"#);
        let delivery = Fixture::records().too_large(&records).delivery(envelope).unwrap();
        let Delivery::Records(records) = delivery else { panic!("{delivery:?}") };
        let records: Records = records;
        assert_eq!(resolver.records(&records).await.unwrap()[0].id.as_deref(), Some("1"));
    }
}
