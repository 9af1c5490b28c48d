use super::*;

fn assert_blocked(result: Result<String, ResolveError>, why: impl Fn(&Blocked) -> bool) {
    assert!(matches!(&result, Err(ResolveError::Blocked(blocked)) if why(blocked)), "{result:?}");
}

#[tokio::test]
async fn by_default_it_is_https_to_a_public_address_or_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    for (url, why) in [
        (format!("http://127.0.0.1:{port}/"), "it is not https"),
        (format!("https://127.0.0.1:{port}/"), "127.0.0.1 is private, link-local or otherwise not to be asked"),
        (
            format!("https://[::ffff:7f00:1]:{port}/"),
            "::ffff:127.0.0.1 is private, link-local or otherwise not to be asked",
        ),
        (format!("https://localhost:{port}/"), " is private, link-local or otherwise not to be asked"),
        (format!("https://ada:secret@localhost:{port}/"), "it has credentials in it"),
        ("data:application/json,{}".to_owned(), "it is neither https nor http"),
        ("no url".to_owned(), "it is not a URL"),
    ] {
        let error = get_within(Policy::default(), &url.as_str().into()).await.unwrap_err();
        assert!(error.to_string().ends_with(why), "{url}: {error}");
    }
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "no one has connected");
}

#[tokio::test]
async fn only_hosts_that_are_allowed_are_asked() {
    let server = Server::script([response(302, "Location: http://localhost:9/?X=y\r\n", "")]);
    let hosts = |host: &str| Policy { hosts: Some(vec![host.to_owned()]), ..policy() };
    assert_blocked(get_within(hosts("a.test"), &server.at("/")).await, |why| *why == Blocked::Host("127.0.0.1".into()));
    assert!(server.requests().is_empty());
    let redirected = get_within(hosts("127.0.0.1"), &server.at("/")).await;
    assert_blocked(redirected, |why| *why == Blocked::Host("localhost".into()));
}

#[tokio::test]
async fn a_redirect_is_followed_within_the_same_rules() {
    let to = |place: &str| response(307, &format!("Location: {place}\r\n"), "");
    let server = Server::script([to("/b"), to("c?X=y"), to("?Z"), response(200, "", CONFIG)]);
    assert_eq!(get(&server).await.unwrap(), CONFIG);
    let paths: Vec<String> = server.requests().iter().map(|request| request.path().to_owned()).collect();
    assert_eq!(paths, ["/config.json?X-Signature=s", "/b", "/c?X=y", "/c?Z"]);

    for (place, expected) in [
        ("http://169.254.169.254/latest/meta-data/", Blocked::Address([169, 254, 169, 254].into())),
        ("http://[::ffff:a9fe:a9fe]/", Blocked::Address("::ffff:169.254.169.254".parse().unwrap())),
        ("http://2852039166/", Blocked::Address([169, 254, 169, 254].into())),
        ("file:///etc/passwd", Blocked::Scheme),
        ("http://ada:secret@127.0.0.1/", Blocked::Credentials),
        ("http://", Blocked::NotAUrl),
    ] {
        assert_blocked(get(&Server::script([to(place)])).await, |why| *why == expected);
    }
}

#[tokio::test]
async fn a_redirect_to_itself_ends() {
    let server = Server::script([response(302, "Location: /config.json\r\n", "")]);
    assert_blocked(get(&server).await, |why| *why == Blocked::Redirects);
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_a_status() {
    let error = get(&Server::script([response(302, "", "")])).await.unwrap_err();
    assert!(matches!(error, ResolveError::Status { status: 302, .. }), "{error:?}");
}

#[tokio::test]
async fn a_url_that_no_request_can_hold_is_none() {
    let server = Server::script([response(200, "", CONFIG)]);
    let long = server.at(&format!("/?{}", "x".repeat(70_000)));
    assert_blocked(get_within(policy(), &long).await, |why| *why == Blocked::NotAUrl);
}
