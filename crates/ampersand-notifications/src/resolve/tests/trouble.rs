use super::*;

#[tokio::test]
async fn a_server_in_trouble_is_asked_again() {
    let troubles: [(&str, Vec<u8>); 7] = [
        ("500", response(500, "", "")),
        ("502", response(502, "", "<html>")),
        ("503", busy("")),
        ("504", response(504, "", "")),
        ("408", response(408, "", "")),
        ("hangs up", Vec::new()),
        ("breaks off", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec()),
    ];
    for (name, trouble) in troubles {
        let server = Server::script([trouble.clone(), trouble, response(200, "", CONFIG)]);
        assert_eq!(get(&server).await.unwrap(), CONFIG, "{name}");
        assert_eq!(server.requests().len(), 3, "{name}");
    }
}

#[tokio::test]
async fn trouble_that_lasts_is_told() {
    let server = Server::script([busy("")]);
    let error = get(&server).await.unwrap_err();
    assert!(matches!(error, ResolveError::Status { status: 503, retry_after: None }), "{error:?}");
    assert!(error.is_transient());
    assert_eq!(server.requests().len(), 4);

    let once = Policy { max_attempts: 1, ..policy() };
    get_within(once, &server.at("/")).await.unwrap_err();
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let server = Server::script([response(429, "Retry-After: 1\r\n", ""), response(200, "", CONFIG)]);
    let start = Instant::now();
    assert_eq!(get(&server).await.unwrap(), CONFIG);
    assert!(start.elapsed() >= Duration::from_secs(1));

    let date = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(2);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&date).unwrap();
    let server = Server::script([busy(&format!("Retry-After: {date}\r\n")), response(200, "", CONFIG)]);
    let start = Instant::now();
    assert_eq!(get(&server).await.unwrap(), CONFIG);
    assert!(start.elapsed() >= Duration::from_secs(1), "until {date}");
}

#[tokio::test]
async fn who_is_asked_to_wait_longer_than_there_is_time_is_told_at_once() {
    let server = Server::script([response(429, "Retry-After: 3600\r\n", "")]);
    let start = Instant::now();
    let error = get(&server).await.unwrap_err();
    assert_eq!(error.to_string(), "the server answered 429: try again in 3600 s");
    assert!(start.elapsed() < Duration::from_secs(1));

    let server =
        Server::script([response(429, "Retry-After: 99999999999999999999\r\n", ""), response(200, "", CONFIG)]);
    assert_eq!(get(&server).await.unwrap(), CONFIG, "what is no time is passed over");
}

#[tokio::test]
async fn no_time_is_too_long_to_be_reckoned_with() {
    for seconds in [u64::MAX, i64::MAX as u64, 1 << 40] {
        let server = Server::script([response(503, &format!("Retry-After: {seconds}\r\n"), "")]);
        let error = get(&server).await.unwrap_err();
        assert!(matches!(error, ResolveError::Status { status: 503, retry_after: Some(_) }), "{error:?}");
    }
    let patient = Policy {
        connect_timeout: Duration::MAX,
        idle_timeout: Duration::MAX,
        timeout: Duration::MAX,
        max_redirects: u32::MAX,
        ..policy()
    };
    let server = Server::script([busy(""), response(200, "", CONFIG)]);
    assert_eq!(get_within(patient, &server.at("/")).await.unwrap(), CONFIG);
    let hasty = Policy { timeout: Duration::ZERO, max_attempts: 0, ..policy() };
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap()).into();
    assert!(matches!(get_within(hasty, &url).await, Err(ResolveError::TimedOut)));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_connection_that_failed() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = get_within(policy(), &format!("http://127.0.0.1:{port}/").into()).await.unwrap_err();
    assert!(matches!(error, ResolveError::Connection(_)), "{error:?}");
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let silent = |after: &'static [u8]| {
        Server::start(move |_, stream| {
            send(stream, after);
            sleep(Duration::from_secs(10));
        })
    };
    let once = Policy { max_attempts: 1, ..policy() };
    for after in [&b""[..], b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"] {
        let start = Instant::now();
        let error = get_within(once.clone(), &silent(after).at("/")).await.unwrap_err();
        assert!(matches!(error, ResolveError::TimedOut), "{error:?}");
        assert!(start.elapsed() < Duration::from_secs(2));
    }
    let server = Server::start(|request, stream| match request.number {
        0 => sleep(Duration::from_secs(10)),
        _ => send(stream, &response(200, "", CONFIG)),
    });
    assert_eq!(get(&server).await.unwrap(), CONFIG, "the second attempt");
}

/// Sends a piece every 50 milliseconds, forever.
fn drip(stream: &mut TcpStream, piece: &[u8]) {
    while stream.write_all(piece).is_ok() {
        sleep(Duration::from_millis(50));
    }
}

#[tokio::test]
async fn a_server_that_is_slow_for_ever_is_given_up() {
    let within = Policy { timeout: Duration::from_secs(1), ..policy() };
    for (before, piece) in [
        (&b"HTTP/1.1 200 OK\r\n"[..], &b"X-Slow: y\r\n"[..]),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
        (b"HTTP/1.1 403 No\r\nContent-Length: 100000\r\n\r\n", b" "),
    ] {
        let server = Server::start(move |_, stream| {
            send(stream, before);
            drip(stream, piece);
        });
        let start = Instant::now();
        let error = get_within(within.clone(), &server.at("/")).await.unwrap_err();
        assert!(matches!(error, ResolveError::TimedOut), "{error:?}");
        assert!(start.elapsed() < Duration::from_secs(2));
    }
}
