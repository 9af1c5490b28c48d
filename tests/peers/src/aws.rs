//! Starts servers that stand in for Kinesis, SQS and S3. Lints the template of the AWS example, builds its programs as
//! `sam build` does, and tests them with these servers.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How long a server may take to answer.
const READY: Duration = Duration::from_secs(30);

/// Lints the template, builds two functions for this machine, and runs the tests that need servers.
pub(crate) fn peers(root: &Path, place: &Path, postgres: &str) -> Result<()> {
    let example = root.join("examples/aws");
    lint(&example.join("template.yaml"), root, place)?;

    // CI has already built the tests in this folder. Cargo Lambda fails with `--target-dir`, because it passes that to
    // `cargo metadata`.
    let target = crate::target(root)?;
    let build =
        ["lambda", "build", "--release", "--locked", "--compiler", "cargo", "--bin", "kinesis", "--bin", "scripted"];
    let mut lambda = Command::new(crate::program(place, "cargo-lambda"));
    crate::run(lambda.args(build).current_dir(&example).env("CARGO_TARGET_DIR", &target))?;
    let (kinesis, moto) = (kinesis(root, place)?, moto(place)?);
    let mut cargo = crate::cargo(root);
    cargo.args(["test", "--locked", "--test", "it", "--manifest-path"]).arg(example.join("Cargo.toml"));
    cargo.arg("--target-dir").arg(&target).args(["--", "--ignored", "--nocapture"]);
    cargo.env("PEERS_LAMBDA", target.join("lambda")).env("PEERS_PYTHON", crate::python(place));
    cargo.env("PEERS_POSTGRES", postgres);
    crate::run(cargo.env("PEERS_KINESIS", &kinesis.url).env("PEERS_MOTO", &moto.url))
}

/// Lints a template as it is, and as SAM translates it: cfn-lint does not check the events of a function.
fn lint(template: &Path, root: &Path, place: &Path) -> Result<()> {
    let lint = |template: &Path| {
        let mut lint = Command::new(crate::program(place, "cfn-lint"));
        crate::run(lint.args(["--include-checks", "I", "--"]).arg(template))
    };
    lint(template)?;
    let translated = place.join("template.json");
    let mut sam = Command::new(crate::python(place));
    sam.arg(root.join("tests/peers/sam.py")).arg(template).stdout(File::create(&translated)?);
    crate::run(&mut sam)?;
    lint(&translated)
}

/// Starts kinesis-local, which splits and merges shards as Kinesis does. moto still puts records into closed shards.
fn kinesis(root: &Path, place: &Path) -> Result<Server> {
    let package = place.join("node_modules/kinesis-local");
    let port = free_port()?;
    let mut node = Command::new("node");
    node.arg("--require").arg(root.join("tests/peers/loopback.cjs")).arg(package.join("main.js"));
    node.env("KINESIS_MOCK_PLAIN_PORT", port.to_string()).env("KINESIS_MOCK_TLS_PORT", "0");
    // Uses the certificate of the package, without which it serves nothing.
    node.env("KINESIS_MOCK_CERT_PATH", package.join("server.json"));
    // These changes take AWS half a minute. Here they take as long as a few calls, so that calls meet them.
    for change in ["CREATE_STREAM", "SPLIT_SHARD", "MERGE_SHARDS"] {
        node.env(format!("{change}_DURATION"), "200ms");
    }
    Server::start("kinesis-local", node, port, place)
}

/// Starts moto, for SQS and S3.
fn moto(place: &Path) -> Result<Server> {
    let port = free_port()?;
    let mut moto = Command::new(crate::program(place, "moto_server"));
    moto.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
    Server::start("moto", moto, port, place)
}

/// A server on this machine. It ends when this is dropped.
struct Server {
    url: String,
    process: Child,
}

impl Server {
    /// Starts a server, and returns once it answers.
    fn start(name: &str, mut command: Command, port: u16, place: &Path) -> Result<Self> {
        let log = place.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| log.display().to_string())?;
        let process = command.stdout(file.try_clone()?).stderr(file).spawn().context(name.to_owned())?;
        let mut server = Self { url: format!("http://127.0.0.1:{port}"), process };
        let begun = Instant::now();
        while !answers(port) {
            let ended = server.process.try_wait()?;
            if ended.is_some() || begun.elapsed() > READY {
                let said = fs::read_to_string(&log).unwrap_or_default();
                bail!("{name} does not answer at {}: {}", server.url, said.trim_end());
            }
            sleep(Duration::from_millis(50));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A free port.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Whether an HTTP server answers on a port.
fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer)?;
        Ok(&answer == b"HTTP/")
    };
    ask().unwrap_or(false)
}
