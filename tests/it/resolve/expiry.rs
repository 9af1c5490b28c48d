use super::*;

fn good_for(seconds: i64) -> String {
    format!("/config.json?Expires={}&Signature=s", jiff::Timestamp::now().as_second() + seconds)
}

#[tokio::test]
async fn an_expired_url_is_not_asked() {
    let server = Server::script([response(200, "", CONFIG)]);
    let url = server.url(&good_for(-1));
    match get_within(policy(), &url).await {
        Err(ResolveError::Expired { at }) => assert_eq!(at, url.expires_at()),
        other => panic!("{other:?}"),
    }
    assert!(server.requests().is_empty());
    assert_eq!(get_within(policy(), &server.url(&good_for(60))).await.unwrap(), CONFIG);
}

#[tokio::test]
async fn a_url_that_expires_between_two_attempts_has_expired() {
    let server = Server::script([busy("Retry-After: 2\r\n"), response(200, "", CONFIG)]);
    let error = get_within(policy(), &server.url(&good_for(2))).await.unwrap_err();
    assert!(matches!(error, ResolveError::Expired { at: Some(_) }), "{error:?}");
    assert_eq!(server.requests().len(), 1);
}

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
        (401, denied, "the server refuses the URL, though its time is not over"),
        (403, denied, "the server refuses the URL, though its time is not over"),
        (403, named, "the server refuses the URL, though its time is not over"),
        (403, "", "the server refuses the URL, though its time is not over"),
        (404, s3, "there is nothing at the URL any more; of a configuration, the REST API has the present one"),
        (410, "", "there is nothing at the URL any more; of a configuration, the REST API has the present one"),
        (418, "", "the server answered 418"),
    ] {
        let server = Server::script([response(status, "", body)]);
        let error = get(&server).await.unwrap_err();
        assert_eq!(error.to_string(), expected, "{status} {body}");
        assert_eq!(server.requests().len(), 1, "trying again is no use");
    }
}
