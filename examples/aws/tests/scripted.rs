//! A Lambda function for tests: its handler asks the test what to do with each delivery.
//!
//! It sends the id of the delivery to the address in `SCRIPT`, and reads `ok`, `fail`, `panic` or `hang`. For a record
//! to park, it sends `parked ID` with the id of the record. `SOURCE` is `kinesis`, `sqs`, or `s3` for objects that a
//! queue names.

use ampersand_aws::{Batch, Unreadable};
use ampersand_notifications::Delivery;
use aws_examples::{BoxError, aws, log, setting};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn handle(delivery: Delivery) -> Result<(), BoxError> {
    ask(delivery.id().unwrap_or_default()).await
}

async fn park(unreadable: Unreadable) -> Result<(), BoxError> {
    ask(&format!("parked {}", unreadable.id.unwrap_or_default())).await
}

async fn ask(what: &str) -> Result<(), BoxError> {
    let mut script = TcpStream::connect(setting("SCRIPT")?).await?;
    script.write_all(format!("{what}\n").as_bytes()).await?;
    let mut answer = String::new();
    script.read_to_string(&mut answer).await?;
    match answer.as_str() {
        "ok" => Ok(()),
        "panic" => panic!("as the test wants it"),
        "hang" => std::future::pending().await,
        _ => Err("as the test wants it".into()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    log();
    let batch = Batch::new().park(park);
    match setting("SOURCE")?.as_str() {
        "kinesis" => batch.run_kinesis(handle).await,
        "sqs" => batch.run_sqs(handle).await,
        _ => {
            let config = aws().load().await;
            batch.s3(aws_sdk_s3::Client::new(&config)).run_sqs(handle).await
        }
    }
}
