use super::*;

#[tokio::test]
async fn a_download_goes_to_a_writer_whatever_its_size() {
    let body = "[".to_owned() + &" ".repeat(3 << 20) + "]";
    let server = Server::script([busy(""), response(200, "", &body)]);
    let small = resolver(Policy { max_bytes: 10, ..policy() });
    let mut written = Vec::new();
    let count = small.download(&server.at("/"), &mut written).await.unwrap();
    assert_eq!(count, body.len() as u64);
    assert_eq!(written, body.as_bytes());
}

#[tokio::test]
async fn a_download_that_breaks_off_is_not_begun_again() {
    let server = Server::script(["HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1, 2"]);
    let mut written = Vec::new();
    let error = resolver(policy()).download(&server.at("/"), &mut written).await.unwrap_err();
    assert!(matches!(error, ResolveError::Connection(_)), "{error:?}");
    assert_eq!((server.requests().len(), &written[..]), (1, &b"[1, 2"[..]));
}

#[tokio::test]
async fn a_writer_that_fails_ends_a_download_without_an_end() {
    let server = Server::start(|_, stream| {
        send(stream, b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b' '; 4096]).is_ok() {}
    });
    let mut full = std::io::Cursor::new(vec![0; 100_000].into_boxed_slice());
    let error = resolver(policy()).download(&server.at("/"), &mut full).await.unwrap_err();
    assert!(matches!(error, ResolveError::Write(_)), "{error:?}");
}
