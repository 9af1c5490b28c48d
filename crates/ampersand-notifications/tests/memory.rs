//! A download into memory takes about its own size, and one to a writer hardly any. Runs in its own process, because it
//! counts all memory of the process.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use ampersand_notifications::{Policy, Resolver};
use ampersand_types::{ConfigSource, SignedUrl};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const SIZE: usize = 32 << 20;

/// Serves a JSON string of `SIZE` bytes, without holding all of it.
fn serve() -> SignedUrl {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = SignedUrl::from(format!("http://{}/", listener.local_addr().unwrap()));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _request = stream.read(&mut [0; 4096]).unwrap();
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n\"").unwrap();
            for _ in 0..SIZE / 1024 - 1 {
                stream.write_all(&[b'a'; 1024]).unwrap();
            }
            stream.write_all(&[b'a'; 1022]).unwrap();
            stream.write_all(b"\"").unwrap();
        }
    });
    url
}

/// The peak of memory, above what was in use before.
fn peak(work: impl Future<Output = usize>) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    assert_eq!(runtime.block_on(work), SIZE);
    MEMORY.peak_usage() - before
}

#[test]
fn memory_stays_near_the_size_of_what_is_downloaded() {
    let url = serve();
    let policy = Policy { allow_http: true, allow_private_addresses: true, ..Policy::default() };
    let resolver = Resolver::new(policy).unwrap();
    let most = peak(async { resolver.config(ConfigSource::Url(&url)).await.unwrap().as_str().len() });
    assert!((SIZE..SIZE * 11 / 10).contains(&most), "{most} bytes for {SIZE}");

    let most = peak(async { resolver.download(&url, &mut tokio::io::sink()).await.unwrap() as usize });
    assert!(most < SIZE / 10, "{most} bytes for a download that is not kept");
}
