use super::*;

#[tokio::test]
async fn every_form_of_sending_a_configuration_resolves() {
    let server = Server::script([response(200, "", CONFIG)]);
    let resolver = resolver(policy());
    let lead_here = |url: &mut Option<SignedUrl>| {
        if url.is_some() {
            *url = Some(server.at("/config.json"));
        }
    };
    let told = |result: Result<Cow<'_, RawJson>, ResolveError>| match result {
        Ok(Cow::Borrowed(config)) => format!("inline, {} bytes", config.as_str().len()),
        Ok(Cow::Owned(config)) => {
            assert_eq!(config.as_str(), CONFIG, "to the byte");
            "downloaded".to_owned()
        }
        Err(error) => error.to_string(),
    };
    let mut found = String::new();
    for payload in payloads("configurations") {
        let Ok(Delivery::Notification(Notification { mut event, .. })) = from_webhook(payload.text.as_bytes()) else {
            panic!("{}", payload.name)
        };
        let line = match &mut event {
            Event::InstallationCreated(data) => {
                lead_here(&mut data.config_url);
                told(resolver.config(&*data).await)
            }
            Event::InstallationDeleted(data) => {
                lead_here(&mut data.config_url);
                told(resolver.config(&*data).await)
            }
            Event::ReadSchedulePaused(data) => {
                lead_here(&mut data.config_url);
                told(resolver.config(&*data).await)
            }
            Event::InstallationUpdated(data) => {
                lead_here(&mut data.config_url);
                lead_here(&mut data.last_config_url);
                let last = told(resolver.last_config(data).await);
                format!("{}; before: {last}", told(resolver.config(&*data).await))
            }
            other => panic!("{other:?}"),
        };
        found.push_str(&format!("{}: {line}\n", payload.name));
    }
    insta::assert_snapshot!(found);
}

#[tokio::test]
async fn what_was_sent_costs_no_request_even_when_there_is_a_url() {
    let server = Server::script([response(200, "", "{}")]);
    let (inline, url) = (RawJson::new(CONFIG).unwrap(), server.at("/config.json"));
    let resolver = resolver(policy());
    let config = resolver.config(ConfigSource::new(Some(&inline), Some(&url))).await.unwrap();
    assert!(matches!(config, Cow::Borrowed(lent) if std::ptr::eq(lent, &inline)));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn both_configurations_of_an_update_are_downloaded_at_the_same_time() {
    let both = Barrier::new(2);
    let server = Server::start(move |_, stream| {
        both.wait();
        send(stream, &response(200, "", CONFIG));
    });
    let (mut update, _) = payloads("configurations")
        .into_iter()
        .map(|payload| (updated_or_none(&payload.text), payload.name))
        .find_map(|(data, name)| Some((data?, name)).filter(|(_, name)| name.ends_with("updated--url--last-url")))
        .unwrap();
    update.config_url = Some(server.at("/config.json"));
    update.last_config_url = Some(server.at("/last.json"));
    let (config, last) = resolver(policy()).configs(&update).await;
    assert_eq!((config.unwrap().as_str(), last.unwrap().as_str()), (CONFIG, CONFIG));
}

fn updated_or_none(body: &str) -> Option<InstallationUpdatedData> {
    body.contains(r#""installation.updated""#).then(|| updated(body))
}

#[tokio::test]
async fn a_configuration_and_the_one_before_it_fail_apart() {
    let server = Server::script([response(200, "", CONFIG)]);
    let payload = payloads("configurations").into_iter().find(|p| p.name.ends_with("--url--last-omitted")).unwrap();
    let mut update = updated(&payload.text);
    update.config_url = Some(server.at("/"));
    let (config, last) = resolver(policy()).configs(&update).await;
    assert_eq!(config.unwrap().as_str(), CONFIG);
    assert!(matches!(last, Err(ResolveError::Missing)), "{last:?}");
}

#[tokio::test]
async fn records_are_those_of_the_message_or_those_of_its_file() {
    let array = r#"[{"id": "1", "fields": {"commit": 1742558812455698400}}, {"id": "2"}]"#;
    let resolver = resolver(policy());
    for payload in payloads("messages") {
        let server = Server::script([response(200, "", array), response(200, "", CONFIG)]);
        let mut records = records(&payload.text);
        let is_url = records.message.result_info.as_ref().is_some_and(|info| info.download_url.is_some());
        if !is_url {
            let lent = resolver.records(&records).await.unwrap();
            assert!(matches!(lent, Cow::Borrowed(_)) && *lent == **records.message.result);
            continue;
        }
        let info = records.message.result_info.as_mut().unwrap();
        info.download_url = Some(server.at("/records.json"));
        let found = resolver.records(&records).await.unwrap();
        assert_eq!(found[0].fields.as_ref().unwrap().as_str(), r#"{"commit": 1742558812455698400}"#);
        assert_eq!(found[1].id.as_deref(), Some("2"));

        let error = resolver.records(&records).await.unwrap_err();
        assert!(matches!(&error, ResolveError::NotJson(json) if !json.is_syntax()), "an object: {error:?}");

        records.message.result_info.as_mut().unwrap().download_url = None;
        let error = resolver.records(&records).await.unwrap_err();
        assert!(matches!(error, ResolveError::Missing), "{error:?}");
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_request_says_no_more_than_it_must() {
    let cookie = "Set-Cookie: session=s\r\n";
    let server =
        Server::script([response(302, &format!("{cookie}Location: /b?Y=z\r\n"), ""), response(200, cookie, "{}")]);
    get(&server).await.unwrap();
    let mut requests = server.requests().into_iter().map(|request| request.head).collect::<String>();
    requests = requests.replace(&server.url["http://".len()..], "HOST");
    let version = requests.split_once("ampersand-notifications/").unwrap().1.split("\r\n").next().unwrap().to_owned();
    requests = requests.replace(&format!("ampersand-notifications/{version}"), "ampersand-notifications/VERSION");
    insta::assert_snapshot!(requests.replace("\r\n", "\n").trim_end(), @"
    GET /config.json?X-Signature=s HTTP/1.1
    accept: */*
    accept-encoding: gzip
    user-agent: ampersand-notifications/VERSION
    host: HOST

    GET /b?Y=z HTTP/1.1
    accept: */*
    accept-encoding: gzip
    user-agent: ampersand-notifications/VERSION
    host: HOST
    ");
}
