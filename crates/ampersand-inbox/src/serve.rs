use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;

/// The most connections that are served at once; others wait to be accepted.
const CONNECTIONS: usize = 1024;
/// The longest that the head of a request may take, that a connection may be idle, and that a sender may read nothing of
/// a response.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest that open requests may take when the server stops.
const GRACE: Duration = Duration::from_secs(20);
/// The largest head of a request, in bytes.
const HEAD: usize = 32 * 1024;

/// Serves a router over HTTP/1.1, with limits against slow or hostile senders. When `stop` is ready, it answers the
/// open requests, for at most 20 seconds, and returns.
///
/// It serves 1,024 connections at once; others wait. The head of a request may have 32 KB and 100 headers, and take 10
/// seconds. It closes a connection after 10 seconds in which nothing comes, or nothing of a response is taken.
/// [`Inbox::webhook`](crate::Inbox::webhook) limits bodies.
///
/// ```no_run
/// # async fn example(app: axum::Router) -> std::io::Result<()> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// ampersand_inbox::serve(listener, app, std::future::pending()).await;
/// # Ok(())
/// # }
/// ```
pub async fn serve(listener: TcpListener, app: Router, stop: impl Future<Output = ()>) {
    serve_within(CONNECTIONS, PATIENCE, listener, app, stop).await;
}

pub(crate) async fn serve_within(
    connections: usize,
    patience: Duration,
    listener: TcpListener,
    app: Router,
    stop: impl Future<Output = ()>,
) {
    let (permits, graceful) = (Arc::new(Semaphore::new(connections)), GracefulShutdown::new());
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(HEAD);
    let accept = async || {
        let permit = permits.clone().acquire_owned().await.map_err(io::Error::other)?;
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(patience));
        Ok::<_, io::Error>((permit, stream))
    };
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            accepted = accept() => match accepted {
                Ok((permit, stream)) => {
                    let service = TowerToHyperService::new(app.clone());
                    let served = graceful.watch(http.serve_connection(TokioIo::new(Box::pin(stream)), service));
                    tokio::spawn(async move {
                        // Ignores a failed connection: the sender sends again.
                        drop(served.await);
                        drop(permit);
                    });
                }
                // Too many open files, for example: waits until some are closed.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            () = &mut stop => break,
        }
    }
    drop(tokio::time::timeout(GRACE, graceful.shutdown()).await);
}
