//! A delivery is completed: what was too large to send is put into it.

use std::collections::BTreeMap;

use ampersand_testing::{Envelope, Fixture, UrlServer};

use super::*;

fn delivery(fixture: &Fixture) -> Delivery {
    fixture.delivery(Envelope::Webhook).unwrap()
}

fn update(config: &SignedUrl, last: &SignedUrl) -> Fixture {
    let update = Fixture::new("installation.updated").too_large(config);
    update.set("lastConfig", serde_json::json!({})).set("lastConfigURL", last.expose_secret())
}

/// What a delivery holds by each name.
fn held(delivery: &Delivery) -> Vec<(&'static str, Option<&str>)> {
    let Delivery::Notification(notification) = delivery else { panic!("{delivery:?}") };
    let held = |(name, source)| match source {
        ConfigSource::Inline(config) => (name, Some(RawJson::as_str(config))),
        ConfigSource::Url(_) | ConfigSource::Missing => (name, None),
    };
    notification.event.config_sources().into_iter().map(held).collect()
}

#[tokio::test]
async fn each_configuration_is_put_in_its_place_and_can_be_put_there_again() {
    let server = UrlServer::start().unwrap();
    let fixture = update(&server.url(CONFIG), &server.url(r#"{"provider":"salesforce"}"#));
    let came = delivery(&fixture);
    let mut completed = came.clone();
    let downloads = resolver(policy()).complete(&mut completed).await.unwrap();
    let expected = [("config", Some(CONFIG)), ("lastConfig", Some(r#"{"provider":"salesforce"}"#))];
    assert_eq!(held(&completed), expected);
    assert_eq!(completed.raw(), came.raw(), "the body is as it came");

    let kept = serde_json::to_string(&downloads).unwrap();
    let mut again = came;
    again.fill(serde_json::from_str(&kept).unwrap()).unwrap();
    assert_eq!(again, completed);
    assert_eq!(server.requests(), 2);
    assert_eq!(resolver(policy()).complete(&mut again).await.unwrap(), BTreeMap::new(), "there is nothing left to do");
}

#[tokio::test]
async fn what_is_lost_stays_away_and_what_fails_changes_nothing() {
    let server = UrlServer::start().unwrap();
    let mut lost = delivery(&update(&server.url(CONFIG), &server.expired()));
    resolver(policy()).complete(&mut lost).await.unwrap();
    assert_eq!(held(&lost), [("config", Some(CONFIG)), ("lastConfig", None)]);

    let came = delivery(&update(&server.url(CONFIG), &server.failing(500)));
    let mut failed = came.clone();
    let error = resolver(Policy { max_attempts: 1, ..policy() }).complete(&mut failed).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert_eq!(failed, came);

    let mut odd = delivery(&Fixture::records().too_large(&server.url(r#"{"not": "records"}"#)));
    let came = odd.clone();
    assert!(matches!(resolver(policy()).complete(&mut odd).await, Err(ResolveError::NotJson(_))));
    assert_eq!(odd, came);
}
