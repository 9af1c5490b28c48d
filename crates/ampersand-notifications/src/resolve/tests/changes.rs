use super::*;

const BEFORE: &str = r#"{"provider": "hubspot", "proxy": {"enabled": false}, "read": {"objects": {}}}"#;
const AFTER: &str = r#"{"provider": "hubspot", "proxy": {"enabled": true}}"#;

/// An update with these configurations, at a URL or inline.
fn update(config: ConfigSource<'_>, last: ConfigSource<'_>) -> InstallationUpdatedData {
    let payload = payloads("webhook").into_iter().find(|payload| payload.name == "installation.updated").unwrap();
    let apart = |source| match source {
        ConfigSource::Inline(inline) => (Some(RawJson::clone(inline)), None),
        ConfigSource::Url(url) => (None, Some(SignedUrl::clone(url))),
        ConfigSource::Missing => (None, None),
    };
    let mut update = updated(&payload.text);
    (update.config, update.config_url) = apart(config);
    (update.last_config, update.last_config_url) = apart(last);
    update
}

async fn sentences(data: &InstallationUpdatedData) -> Result<Vec<String>, ResolveError> {
    let changes = resolver(policy()).changes(data).await?;
    Ok(changes.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn both_sides_are_resolved_and_compared() {
    let (before, after) = (RawJson::new(BEFORE).unwrap(), RawJson::new(AFTER).unwrap());
    let [before_url, after_url] = [BEFORE, AFTER].map(|body| Server::script([response(200, "", body)]).at("/"));
    for last in [ConfigSource::Inline(&before), ConfigSource::Url(&before_url)] {
        for config in [ConfigSource::Inline(&after), ConfigSource::Url(&after_url)] {
            assert_eq!(sentences(&update(config, last)).await.unwrap(), ["the proxy is enabled now"]);
        }
        assert_eq!(sentences(&update(last, last)).await.unwrap(), [""; 0]);
    }
}

#[tokio::test]
async fn both_sides_are_downloaded_at_the_same_time() {
    let both = Barrier::new(2);
    let server = Server::start(move |_, stream| {
        both.wait();
        send(stream, &response(200, "", AFTER));
    });
    let (before, after) = (server.at("/before.json"), server.at("/after.json"));
    let update = update(ConfigSource::Url(&after), ConfigSource::Url(&before));
    assert_eq!(sentences(&update).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn the_error_says_which_side_it_is_of() {
    let (config, list) = (RawJson::new(AFTER).unwrap(), RawJson::new("[1]").unwrap());
    let (config, list) = (ConfigSource::Inline(&config), ConfigSource::Inline(&list));
    let gone = Server::script([response(404, "", "")]);
    let gone = gone.at("/config.json");
    let gone = ConfigSource::Url(&gone);
    let mut found = String::new();
    for (after, before) in [
        (config, ConfigSource::Missing),
        (config, gone),
        (config, list),
        (ConfigSource::Missing, config),
        (list, config),
        (list, ConfigSource::Missing),
    ] {
        let error = sentences(&update(after, before)).await.unwrap_err();
        assert!(!error.is_transient());
        let lost = if error.is_lost() { "lost" } else { "not lost" };
        found.push_str(&format!("{lost}: {error}\n"));
    }
    insta::assert_snapshot!(found, @r"
    lost: the configuration before the update: neither the value nor a URL of it was sent
    lost: the configuration before the update: there is nothing at the URL any more
    not lost: the configuration before the update: the value is not the JSON of a `ConfigContent` at line 1 column 0: found sequence, expected an object (ConfigContent)
    lost: neither the value nor a URL of it was sent; of a configuration, the REST API has the present one
    not lost: the value is not the JSON of a `ConfigContent` at line 1 column 0: found sequence, expected an object (ConfigContent)
    not lost: the value is not the JSON of a `ConfigContent` at line 1 column 0: found sequence, expected an object (ConfigContent)
    ");
}

#[tokio::test]
async fn an_error_of_the_side_before_can_be_transient() {
    let server = Server::script([busy("")]);
    let (after, before) = (RawJson::new(AFTER).unwrap(), server.at("/before.json"));
    let update = update(ConfigSource::Inline(&after), ConfigSource::Url(&before));
    let error = sentences(&update).await.unwrap_err();
    assert!(matches!(error, ResolveError::LastConfig(_)) && error.is_transient() && !error.is_lost(), "{error:?}");
}
