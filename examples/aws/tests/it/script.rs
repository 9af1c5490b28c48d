//! Says to the function `scripted` what to do with each delivery.

use std::path::Path;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use crate::runtime_api::Function;

/// The function, which cargo builds beside the binaries as an example.
fn binary() -> String {
    Path::new(crate::KINESIS).with_file_name("examples").join("scripted").display().to_string()
}

/// Answers each question with what `script` says: `ok`, `fail`, `panic` or `hang`. Returns the address.
pub(crate) async fn serve(script: impl Fn(&str) -> &'static str + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let mut connection = BufReader::new(connection);
            let mut question = String::new();
            // A function that is killed asks nothing more.
            if connection.read_line(&mut question).await.is_ok_and(|length| length > 0) {
                let _ = connection.write_all(script(question.trim_end()).as_bytes()).await;
            }
        }
    });
    address
}

/// Starts the function for records of `kinesis` or `sqs`.
pub(crate) async fn start(source: &str, script: &str) -> Function {
    Function::start(&binary(), &[("SOURCE", source), ("SCRIPT", script)]).await
}
