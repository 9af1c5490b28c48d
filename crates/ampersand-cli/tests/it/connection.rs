//! `trigger`, `listen --forward` and `resolve` explain why there is no response.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::thread;

use rcgen::{CertificateParams, date_time_ymd};
use test_support::tls::tls_for;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use crate::command::{Run, command, feed, run};
use crate::listen::Listener;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Starts a receiver that has a certificate for these names and responds 204. Returns its port and the root.
fn receiver(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> (u16, String) {
    let (config, root) = tls_for(names, change);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let (listener, acceptor) =
                (tokio::net::TcpListener::from_std(listener).unwrap(), TlsAcceptor::from(Arc::new(config)));
            loop {
                let Ok(mut stream) = acceptor.accept(listener.accept().await.unwrap().0).await else { continue };
                let _ = stream.read(&mut [0; 1 << 16]).await;
                let _ = stream.write_all(b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n").await;
                let _ = stream.shutdown().await;
            }
        })
    });
    (port, root)
}

/// Sends a webhook, and returns the exit code and the message about the response.
fn trigger(url: &str, root: Option<&Path>, more: &[&str]) -> (i32, String) {
    let mut command = command(&[&["trigger", "connection.created", "--to", url], more].concat());
    command.env("AMPERSAND_WEBHOOK_SECRET", SECRET).envs(root.map(|root| ("SSL_CERT_FILE", root))).stdin(Stdio::null());
    let run = Run::from(command.output().unwrap());
    assert!(!run.to_string().contains("PASSWORD"), "{run}");
    (run.code, run.stdout.rsplit_once(" ms  ").unwrap().1.trim_end().to_owned())
}

#[test]
fn it_is_said_why_a_receiver_cannot_be_reached() {
    let folder = tempfile::tempdir().unwrap();
    let trusted = |names: &[&str], change: fn(&mut CertificateParams)| {
        let (port, root) = receiver(names, change);
        let path = folder.path().join(port.to_string());
        std::fs::write(&path, root).unwrap();
        (port, path)
    };
    let (good, root) = trusted(&["localhost"], |_| {});
    let (other, other_root) = trusted(&["example.com"], |_| {});
    let (old, old_root) = trusted(&["localhost"], |certificate| {
        (certificate.not_before, certificate.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    });
    let (early, early_root) = trusted(&["localhost"], |certificate| certificate.not_before = date_time_ymd(4000, 1, 1));
    let plain = Listener::start("", &[]);
    let mut shown = String::new();
    for (url, root) in [
        (format!("https://localhost:{good}/?sig=PASSWORD"), None),
        (format!("https://localhost:{other}/?sig=PASSWORD"), Some(&other_root)),
        (format!("https://localhost:{old}/"), Some(&old_root)),
        (format!("https://localhost:{early}/"), Some(&early_root)),
        (plain.url.replace("http://", "https://"), None),
        (format!("http://localhost:{good}/?sig=PASSWORD"), None),
        ("http://user:PASSWORD@127.0.0.1:1/".to_owned(), None),
        ("http://nowhere.invalid/?sig=PASSWORD".to_owned(), None),
    ] {
        let (code, said) = trigger(&url, root.map(PathBuf::as_path), &[]);
        assert_eq!(code, 1, "{url}: {said}");
        shown += &(said + "\n");
    }
    insta::assert_snapshot!(shown, @"
    TLS: the server's certificate has an unknown issuer (self-signed, or one that this system does not trust); --insecure accepts any certificate of a receiver on this machine
    TLS: the server's certificate is not valid for the host name in the URL; --insecure accepts any certificate of a receiver on this machine
    TLS: the server's certificate has expired; --insecure accepts any certificate of a receiver on this machine
    TLS: the server's certificate is not valid yet: check this machine's clock; --insecure accepts any certificate of a receiver on this machine
    no TLS: the server answers in plain text, so use http://
    the answer is not HTTP: if the server speaks TLS, use https://
    connection refused: nothing listens at this host and port
    name not found: check the host in the URL, and the network
    ");
    plain.interrupt();
    assert_eq!(trigger(&format!("https://localhost:{good}/"), Some(&root), &[]), (0, "204".to_owned()));
}

#[test]
fn any_certificate_is_accepted_only_of_a_receiver_on_this_machine_and_only_when_asked() {
    let (port, _) = receiver(&["example.com"], |_| {});
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{port}/");
        assert_eq!(trigger(&url, None, &["--insecure"]), (0, "204".to_owned()), "{host}");
        let front = Listener::start(SECRET, &["--forward", &url, "--insecure"]);
        assert!(front.trigger(SECRET, &["connection.created"]).stdout.ends_with("  204\n"), "{host}");
        front.interrupt();
    }
    for host in ["example.com", "10.0.0.1", "localhost.example.com", "127.0.0.1.example.com", "[::2]", "0.0.0.0"] {
        let url = format!("https://{host}/?sig=PASSWORD");
        for arguments in [
            &["trigger", "connection.created", "--insecure", "--to", &url][..],
            &["listen", "0", "--insecure", "--forward", &url],
        ] {
            let refused = run(arguments);
            assert!(refused.code == 2 && !refused.stderr.contains("PASSWORD"), "{refused}");
            let (_, why) = refused.stderr.split_once("error: ").unwrap();
            assert_eq!(why, "--insecure: the URL must name this machine, as localhost, 127.0.0.1 or ::1\n");
        }
    }
    for arguments in [&["trigger", "connection.created", "--insecure"][..], &["listen", "--insecure"]] {
        assert_eq!(run(arguments).code, 2);
    }
}

#[test]
fn the_reason_is_printed_by_the_receiver_in_front_and_the_sender_is_not_told() {
    let (port, _) = receiver(&["localhost"], |_| {});
    let front = Listener::start(SECRET, &["--forward", &format!("https://localhost:{port}/?sig=PASSWORD")]);
    assert!(front.trigger(SECRET, &["connection.created"]).stdout.ends_with("  503\n"));
    let told = front.interrupt().to_string();
    assert!(
        told.contains("the receiver behind cannot be reached: TLS: the server's certificate has an unknown issuer")
    );
    assert!(!told.contains("PASSWORD"), "{told}");
}

#[test]
fn it_is_said_why_a_download_failed() {
    let (port, _) = receiver(&["localhost"], |_| {});
    let mut shown = String::new();
    for url in [
        format!("https://localhost:{port}/config?sig=PASSWORD"),
        "http://127.0.0.1:1/config?sig=PASSWORD".to_owned(),
        "https://nowhere.invalid/config?sig=PASSWORD".to_owned(),
    ] {
        let event = format!(r#"{{"notificationType": "new", "data": {{"configURL": "{url}"}}}}"#);
        let run = feed(command(&["resolve", "--allow-http", "--allow-private", "--output", "json"]), event);
        assert!(run.code == 1 && !run.stderr.contains("PASSWORD"), "{run}");
        shown += &(run.stderr.lines().next().unwrap().replace(&port.to_string(), "PORT") + "\n");
    }
    insta::assert_snapshot!(shown, @"
    stdin:1: config of https://localhost:PORT/config?…: TLS: the server's certificate has an unknown issuer (self-signed, or one that this system does not trust)
    stdin:1: config of http://127.0.0.1:1/config?…: connection refused: nothing listens at this host and port
    stdin:1: config of https://nowhere.invalid/config?…: name not found: check the host in the URL, and the network
    ");
}
