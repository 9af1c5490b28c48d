//! Runs the commands of the tour. The page has to show what they print.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use regex::Regex;

const MARK: &str = "--8<--\n";

/// Returns the page with the output of its commands. They follow `$ ` in `console` blocks, and run in one shell.
fn walk(page: &str) -> String {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut commands = Vec::new();
    let mut walked: Vec<String> = Vec::new();
    let mut in_console = false;
    for line in page.lines() {
        match line.strip_prefix("$ ") {
            Some(command) if in_console => {
                // A background command gets a moment to start, as it does when people type.
                let moment = if command.ends_with(" &") { "\nsleep 1" } else { "" };
                commands.push(format!("printf -- '{MARK}'\n{}{moment}", command.replace("3000", &port)));
                walked.push(line.to_owned());
                walked.push(MARK.to_owned());
            }
            _ if line.starts_with("```") => {
                in_console = line == "```console";
                walked.push(line.to_owned());
            }
            _ if in_console => {}
            _ => walked.push(line.to_owned()),
        }
    }
    let program = Path::new(env!("CARGO_BIN_EXE_ampersand"));
    let folder = tempfile::tempdir().unwrap();
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .arg("-c")
        .arg(format!("exec 2>&1\n{}", commands.join("\n")))
        .current_dir(folder.path())
        .env("PATH", path)
        .env_remove("AMPERSAND_WEBHOOK_SECRET")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap().replace(&port, "3000");
    let mut printed = printed.split(MARK).skip(1).map(str::to_owned);
    let lines = walked.into_iter().map(|line| match line.as_str() {
        MARK => printed.next().unwrap(),
        _ => line + "\n",
    });
    lines.collect()
}

#[test]
fn the_tour_shows_what_its_commands_print() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tour.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let walked = walk(&page);
    // The only parts that may differ from run to run.
    let clock = Regex::new(r"\d\d:\d\d:\d\dZ  | +\d+ ms |signed at \S+").unwrap();
    if clock.replace_all(&page, "") == clock.replace_all(&walked, "") {
        return;
    }
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        std::fs::write(&path, &walked).unwrap();
    }
    panic!("docs/tour.md differs from what its commands print (INSTA_UPDATE=always writes it):\n{walked}");
}
