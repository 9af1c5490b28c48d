use super::*;

async fn get_at_most(max_bytes: usize, response: Vec<u8>) -> Result<String, ResolveError> {
    let server = Server::script([response]);
    let result = get_within(Policy { max_bytes, ..policy() }, &server.at("/")).await;
    assert_eq!(server.requests().len(), 1, "trying again is no use");
    result
}

#[tokio::test]
async fn a_body_of_the_limit_is_taken_and_one_byte_more_is_not() {
    let chunked = |body: &str| {
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
            .into_bytes()
    };
    let encoded = |body: &str| response(200, "Content-Encoding: gzip\r\n", gzip(body.as_bytes()));
    for shape in [&chunked as &dyn Fn(&str) -> Vec<u8>, &encoded, &|body| response(200, "", body)] {
        assert_eq!(get_at_most(CONFIG.len(), shape(CONFIG)).await.unwrap(), CONFIG);
        let error = get_at_most(CONFIG.len() - 1, shape(CONFIG)).await.unwrap_err();
        assert!(matches!(error, ResolveError::TooLarge { limit } if limit == CONFIG.len() - 1), "{error:?}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_given_up_before_it_comes() {
    let server = Server::start(|_, stream| {
        send(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 67108865\r\n\r\n");
        sleep(Duration::from_secs(10));
    });
    let error = get(&server).await.unwrap_err();
    assert!(matches!(error, ResolveError::TooLarge { limit } if limit == 64 << 20), "{error:?}");
}

#[tokio::test]
async fn a_body_without_an_end_is_given_up() {
    let server = Server::start(|_, stream| {
        send(stream, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        while stream.write_all(chunk.as_bytes()).is_ok() {}
    });
    let error = get(&server).await.unwrap_err();
    assert!(matches!(error, ResolveError::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn the_size_is_that_after_decompression() {
    let bomb = gzip(&vec![b' '; 100 << 20]);
    assert!(bomb.len() < 200_000);
    let error = get_at_most(64 << 20, response(200, "Content-Encoding: gzip\r\n", bomb)).await.unwrap_err();
    assert!(matches!(error, ResolveError::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_not_json_is_told_where() {
    for (body, place) in [
        (&b"<html>503</html>"[..], "line 1 column 1"),
        (b"", "line 1 column 0"),
        (b"{\"a\":\n1", "line 2 column 1"),
        (b"{}{}", "line 1 column 3"),
        (b"{\"a\": \"\xff\"}", "line 1 column 8"),
    ] {
        let error = get(&Server::script([response(200, "", body)])).await.unwrap_err();
        assert!(error.to_string().ends_with(&format!("not valid JSON at {place}")), "{error}");
    }
    // The announced length is shorter than the body.
    let error = get(&Server::script(["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{\"a\": 1}"])).await.unwrap_err();
    assert!(matches!(&error, ResolveError::NotJson(json) if json.is_syntax()), "{error:?}");
}

#[tokio::test]
async fn a_size_that_no_memory_has_is_too_large_even_without_a_limit() {
    let unlimited = Policy { max_bytes: usize::MAX, ..policy() };
    let server = Server::script(["HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n{}"]);
    let error = get_within(unlimited, &server.at("/")).await.unwrap_err();
    assert!(matches!(error, ResolveError::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn a_part_of_a_value_is_not_taken_for_the_value() {
    for status in [201, 203, 204, 206] {
        let error = get(&Server::script([response(status, "", "{}")])).await.unwrap_err();
        assert!(matches!(error, ResolveError::Status { status: s, .. } if s == status), "{error:?}");
    }
}

#[tokio::test]
async fn compression_is_undone_whole_or_told() {
    let twice = [gzip(br#"{"a": "#), gzip(b"1}")].concat();
    for (headers, body, expected) in [
        ("Content-Encoding: gzip\r\n", gzip(CONFIG.as_bytes()), Some(CONFIG)),
        ("Content-Encoding: x-GZIP\r\n", gzip(CONFIG.as_bytes()), Some(CONFIG)),
        ("Content-Encoding: identity\r\n", CONFIG.into(), Some(CONFIG)),
        ("Content-Encoding: gzip\r\n", twice, Some(r#"{"a": 1}"#)),
        ("Content-Encoding: aws-chunked\r\n", CONFIG.into(), Some(CONFIG)),
        ("Content-Encoding: \r\n", CONFIG.into(), Some(CONFIG)),
        ("Content-Encoding: UTF-8\r\n", CONFIG.into(), Some(CONFIG)),
        ("Content-Encoding: , Identity ,aws-chunked\r\n", CONFIG.into(), Some(CONFIG)),
        ("Content-Encoding: aws-chunked,gzip\r\n", gzip(CONFIG.as_bytes()), Some(CONFIG)),
        ("Content-Encoding: gzip\r\nContent-Encoding: utf-8\r\n", gzip(CONFIG.as_bytes()), Some(CONFIG)),
        ("", [b"\xef\xbb\xbf", CONFIG.as_bytes()].concat(), Some(CONFIG)),
        ("Content-Encoding: aws-chunked, ZSTD\r\n", CONFIG.into(), None),
        ("Content-Encoding: deflate\r\n", CONFIG.into(), None),
        ("Content-Encoding: br\r\n", CONFIG.into(), None),
        ("Content-Encoding: gzip, gzip\r\n", gzip(&gzip(CONFIG.as_bytes())), None),
        ("Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", gzip(&gzip(CONFIG.as_bytes())), None),
    ] {
        let server = Server::script([response(200, headers, body)]);
        match (get(&server).await, expected) {
            (Ok(config), Some(expected)) => assert_eq!(config, expected, "{headers}"),
            (Err(ResolveError::Encoding), None) => assert_eq!(server.requests().len(), 1),
            (other, _) => panic!("{headers}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn gzip_that_is_damaged_stays_so_and_is_not_asked_for_again() {
    let whole = gzip(CONFIG.as_bytes());
    for broken in [&whole[..whole.len() - 9], &whole[..whole.len() - 1], b"{}", b"", &[&whole[..], b"{}"].concat()] {
        let server = Server::script([response(200, "Content-Encoding: gzip\r\n", broken)]);
        let error = get(&server).await.unwrap_err();
        assert!(matches!(error, ResolveError::Corrupt(_)) && !error.is_transient(), "{broken:?}: {error:?}");
        assert_eq!(server.requests().len(), 1);
    }
}
