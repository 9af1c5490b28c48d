//! Completing a delivery: content that was too large to send is put into it.

use std::collections::BTreeMap;

use super::*;

const LAST: &str = r#"{"provider":"salesforce"}"#;

/// Serves `CONFIG` at `/config`, `LAST` at `/last`, and at `/odd` JSON that is not records; fails at `/failing`.
fn serve() -> Server {
    Server::by_path(|path, _| match path {
        "/config" => response(200, "", CONFIG),
        "/last" => response(200, "", LAST),
        "/odd" => response(200, "", r#"{"not": "records"}"#),
        _ => response(500, "", ""),
    })
}

/// An update with configurations at these URLs.
fn update(config: &str, last: &str) -> Delivery {
    let payload = payloads("webhook").into_iter().find(|payload| payload.name == "installation.updated").unwrap();
    let mut body: serde_json::Value = serde_json::from_str(&payload.text).unwrap();
    let data = body["data"].as_object_mut().unwrap();
    for (name, url) in [("config", config), ("lastConfig", last)] {
        data.insert(name.to_owned(), serde_json::json!({}));
        data.insert(format!("{name}URL"), url.into());
    }
    from_webhook(body.to_string().into_bytes()).unwrap()
}

/// Records at a URL.
fn records_at(url: &str) -> Delivery {
    let payload = payloads("messages").into_iter().find(|payload| payload.text.contains("downloadUrl")).unwrap();
    let mut body: serde_json::Value = serde_json::from_str(&payload.text).unwrap();
    body["result"] = serde_json::json!([]);
    body["resultInfo"]["downloadUrl"] = url.into();
    from_webhook(body.to_string().into_bytes()).unwrap()
}

/// The configurations in a delivery by name.
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
    let server = serve();
    let came = update(&server.at::<String>("/config"), &server.at::<String>("/last"));
    let mut completed = came.clone();
    let downloads = resolver(policy()).complete(&mut completed).await.unwrap();
    let expected = [("config", Some(CONFIG)), ("lastConfig", Some(LAST))];
    assert_eq!(held(&completed), expected);
    assert_eq!(completed.raw(), came.raw(), "the body is as it came");

    let kept = serde_json::to_string(&downloads).unwrap();
    let mut again = came;
    again.fill(serde_json::from_str(&kept).unwrap()).unwrap();
    assert_eq!(again, completed);
    assert_eq!(server.requests().len(), 2);
    assert_eq!(resolver(policy()).complete(&mut again).await.unwrap(), BTreeMap::new(), "there is nothing left to do");
}

#[tokio::test]
async fn what_is_lost_stays_away_and_what_fails_changes_nothing() {
    let server = serve();
    let [config, failing, odd] = ["/config", "/failing", "/odd"].map(|path| server.at::<String>(path));
    let mut lost = update(&config, &format!("{config}?Expires=1&Signature=s"));
    resolver(policy()).complete(&mut lost).await.unwrap();
    assert_eq!(held(&lost), [("config", Some(CONFIG)), ("lastConfig", None)]);

    let came = update(&config, &failing);
    let mut failed = came.clone();
    let error = resolver(Policy { max_attempts: 1, ..policy() }).complete(&mut failed).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert_eq!(failed, came);

    let mut odd = records_at(&odd);
    let came = odd.clone();
    assert!(matches!(resolver(policy()).complete(&mut odd).await, Err(ResolveError::NotJson(_))));
    assert_eq!(odd, came);
}
