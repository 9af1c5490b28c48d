use super::*;

fn good_for(seconds: i64) -> String {
    format!("/config.json?Expires={}&Signature=s", jiff::Timestamp::now().as_second() + seconds)
}

#[tokio::test]
async fn an_expired_url_is_not_asked() {
    let server = Server::script([response(200, "", CONFIG)]);
    let url = server.at(&good_for(-1));
    match get_within(policy(), &url).await {
        Err(ResolveError::Expired { at }) => assert_eq!(at, url.expires_at()),
        other => panic!("{other:?}"),
    }
    assert!(server.requests().is_empty());
    assert_eq!(get_within(policy(), &server.at(&good_for(60))).await.unwrap(), CONFIG);
}

#[tokio::test]
async fn a_url_that_expires_between_two_attempts_has_expired() {
    let server = Server::script([busy("Retry-After: 2\r\n"), response(200, "", CONFIG)]);
    let error = get_within(policy(), &server.at(&good_for(2))).await.unwrap_err();
    assert!(matches!(error, ResolveError::Expired { at: Some(_) }), "{error:?}");
    assert_eq!(server.requests().len(), 1);
}

const REFUSED: &str = "the server refuses the URL; of a configuration, the REST API has the present one";

#[tokio::test]
async fn expired_is_told_from_forbidden_and_gone_by_what_the_server_says() {
    let s3 = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
    let gcs = "<Error><Code>ExpiredToken</Code><Message>Invalid argument.</Message></Error>";
    let named = "<Error><Code>SignatureDoesNotMatch</Code><Resource>/expired/expiredtoken</Resource></Error>";
    let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    for (status, body, expected) in [
        (403, s3, "the URL has expired; of a configuration, the REST API has the present one"),
        (400, gcs, "the URL has expired; of a configuration, the REST API has the present one"),
        (400, denied, "the server answered 400"),
        (401, denied, REFUSED),
        (403, denied, REFUSED),
        (403, named, REFUSED),
        (403, "", REFUSED),
        (404, s3, "there is nothing at the URL any more; of a configuration, the REST API has the present one"),
        (410, "", "there is nothing at the URL any more; of a configuration, the REST API has the present one"),
        (418, "", "the server answered 418"),
    ] {
        let server = Server::script([response(status, "", body)]);
        let error = get(&server).await.unwrap_err();
        assert_eq!(error.to_string(), expected, "{status} {body}");
        assert_eq!(server.requests().len(), 1, "trying again is no use");
    }
    let server = Server::script([response(403, "", denied)]);
    let error = get_within(policy(), &server.at(&good_for(900))).await.unwrap_err();
    assert!(error.to_string().starts_with("the server refuses the URL, which expires only at 20"), "{error}");
    let server = Server::script([response(403, "", denied)]);
    let error = get_within(policy(), &server.at("/x?X-Amz-Date=today&X-Amz-Expires=900")).await.unwrap_err();
    assert_eq!(error.to_string(), REFUSED, "no word of a time that cannot be read");
}

#[tokio::test]
async fn what_is_lost_is_replaced_by_what_is_there_now_and_says_so() {
    const CURRENT: &str = r#"{"provider": "now"}"#;
    let current = || async { Ok::<_, std::io::Error>(RawJson::new(CURRENT).unwrap()) };
    let resolver = resolver(policy());
    for (status, body, of_event) in [(200, CONFIG, true), (404, "", false), (403, "", false)] {
        let server = Server::script([response(status, "", body)]);
        let url = server.at("/config.json");
        let config = resolver.config_or_current(ConfigSource::Url(&url), current).await.unwrap();
        assert_eq!((config.is_current(), config.as_str()), (!of_event, if of_event { CONFIG } else { CURRENT }));
    }
    let missing = resolver.config_or_current(ConfigSource::Missing, current).await;
    assert!(missing.is_ok_and(|config| config.is_current()));
}

#[tokio::test]
async fn what_may_be_had_later_is_not_replaced() {
    let server = Server::script([response(418, "", "")]);
    let never = || async { panic!("the configuration of the event is still there") };
    let url = server.at("/config.json");
    let error = resolver(policy()).config_or_current::<_, std::io::Error>(ConfigSource::Url(&url), never).await;
    assert!(matches!(error, Err(ResolveError::Status { status: 418, .. })), "{error:?}");

    let fails = || async { Err("the API is down") };
    let error = resolver(policy()).config_or_current(ConfigSource::Missing, fails).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    insta::assert_snapshot!(format!("{error}: {source}"), @"neither the value nor a URL of it was sent, and the present one could not be had either: the API is down");
}
