//! Failures end with a message and an exit code: no crash and no hang.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Stdio;

use crate::command::{Run, command, run, run_on};

const GOOD: &str = r#"{"notificationType": "new", "data": 1}"#;

#[test]
fn what_cannot_be_read_is_reported_and_set_aside_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let letters = folder.path().join("bad.jsonl");
    let bad: [&[u8]; 10] = [
        b"[1, 2]",
        b"12",
        b"\"text\"",
        b"{\"notificationType\": \"installation.created\", \"data\": {\"projectId\": 5}}",
        b"{\"notificationType\": \"new\", \"data\": \"\xff\"}",
        b"{\"notificationType\": \"new\", \"data\":",
        b"not json at all",
        b"{\n  \"notificationType\": \"new\",\n  \"data\": 1,\n}",
        b"{\"projectId\": \"p\"}",
        b"{\"notificationType\": \"new\", \"notificationType\": \"new\", \"data\": 1}",
    ];
    let mut stream = Vec::new();
    for document in bad {
        for part in [document, b"\n", GOOD.as_bytes(), b"\n"] {
            stream.extend(part);
        }
    }
    stream.extend(b"{\"cut\": \"sho");
    let run = run_on(stream, &["decode", "--output", "json", "--dead-letter", letters.to_str().unwrap()]);
    assert_eq!((run.code, run.lines().len()), (1, bad.len()));
    insta::assert_snapshot!(run.stderr);
    let sixteen: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    insta::assert_snapshot!(run_on(sixteen, &["decode"]).stderr, @"
    stdin:1:1: not valid JSON: expected value, nor is it valid UTF-8
    0 decoded, 1 failed
    ");
    let mut expected = bad.join(&b'\n');
    expected.extend(b"\n{\"cut\": \"sho\n");
    assert_eq!(String::from_utf8_lossy(&fs::read(letters).unwrap()), String::from_utf8_lossy(&expected));
}

#[test]
fn dead_letters_are_added_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let letters = folder.path().join("bad.jsonl");
    for _ in 0..2 {
        run_on("[]", &["decode", "--dead-letter", letters.to_str().unwrap()]);
    }
    assert_eq!(fs::read_to_string(&letters).unwrap(), "[]\n[]\n");
    // The process that wrote the last line was ended.
    fs::write(&letters, "[").unwrap();
    run_on("[]", &["decode", "--dead-letter", letters.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(letters).unwrap(), "[\n[]\n");
}

#[cfg(unix)]
#[test]
fn dead_letters_are_written_before_they_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let letters = folder.path().join("bad.jsonl");
    let mut command = command(&["decode", "--dead-letter", letters.to_str().unwrap()]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"{\"data\":{}}\n").unwrap();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut String::new()).unwrap();
    // It is told, and then written.
    for _ in 0..100 {
        if fs::read_to_string(&letters).is_ok_and(|text| !text.is_empty()) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(fs::read_to_string(letters).unwrap(), "{\"data\":{}}");
}

#[cfg(unix)]
#[test]
fn a_file_is_not_read_and_written_to_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let file = path("bad.jsonl");
    fs::write(&file, "[1]\n").unwrap();
    std::os::unix::fs::symlink(&file, path("link")).unwrap();
    let open = || fs::File::options().append(true).read(true).open(&file).unwrap();
    for verb in ["decode", "resolve"] {
        let named = run(&[verb, "--dead-letter", &file, &path("link")]);
        assert_eq!(named.code, 2, "{named}");
        assert!(
            named.stderr.ends_with("link would be read and written to at once: --dead-letter must be another file\n")
        );
        for mut command in [command(&[verb, "--dead-letter", &path("link")]), command(&[verb, "--output", "json"])] {
            let run = Run::from(command.stdin(open()).stdout(open()).output().unwrap());
            assert_eq!(run.code, 2, "{run}");
            assert!(run.stderr.starts_with("error: stdin would be read and written to at once: "), "{run}");
        }
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "[1]\n");
    // A file that is not a regular file has an end, or is read in another way.
    assert_eq!(run(&["decode", "--dead-letter", "/dev/null", "/dev/null"]).code, 0);
}

#[test]
fn what_is_large_is_read_or_set_aside_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let letters = folder.path().join("bad.jsonl");
    let bad = format!("{{\"a\": {}", "x".repeat(3 << 20));
    let large = format!("{{\n\"notificationType\": \"new\",\n\"data\": [{}0]\n}}", "0,\n".repeat(1 << 20));
    let stream = format!("{bad}\n{GOOD}\n{large}\n{GOOD}");
    let run = run_on(stream, &["decode", "--output", "json", "--dead-letter", letters.to_str().unwrap()]);
    assert_eq!((run.code, run.lines().len()), (1, 3));
    assert!(run.lines()[1].len() > 2 << 20);
    assert!(fs::read_to_string(letters).unwrap() == bad + "\n");
    assert_eq!(run.stderr, "stdin:1:7: not valid JSON: expected value\n3 decoded, 1 failed\n");
}

#[test]
fn lines_that_are_all_cut_off_are_reported_one_by_one() {
    let run = run_on("{\"a\":\n".repeat(20_000) + GOOD, &["decode", "--output", "json"]);
    assert_eq!((run.code, run.lines().len()), (1, 1));
    assert!(run.stderr.starts_with("stdin:1:6: not valid JSON: ") && run.stderr.ends_with("1 decoded, 20000 failed\n"));
}

#[test]
fn a_long_array_is_set_aside_to_the_byte_and_its_items_are_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let letters = folder.path().join("bad.jsonl");
    let array = format!("[{}0]", format!("{GOOD},\n").repeat(100_000));
    let run = run_on(format!("{array}\n{GOOD}"), &["decode", "--dead-letter", letters.to_str().unwrap()]);
    assert_eq!((run.code, run.lines().len()), (1, 1));
    insta::assert_snapshot!(run.stderr, @r"
    stdin:1: an array is no document, but its items may be: `jq -c '.[]'` prints each on a line
    1 decoded, 1 failed
    ");
    assert!(fs::read_to_string(letters).unwrap() == array + "\n");
}

#[test]
fn a_file_that_cannot_be_read_does_not_stop_the_others() {
    insta::assert_snapshot!(run(&["decode", "no-such-file.json", "webhook/connection.created.json"]));
}

#[test]
fn a_file_without_documents_is_no_failure() {
    insta::assert_snapshot!(run_on("", &["decode", "--output", "json"]));
    assert_eq!(run_on(" \n\n", &["decode"]).code, 0);
}

#[test]
fn nesting_of_any_depth_is_no_danger() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let wrapped = format!(r#"{{"notificationType": "new", "data": {}}}"#, deep("[", "]"));
    for form in ["text", "json"] {
        assert_eq!(run_on(&wrapped, &["decode", "--output", form]).code, 0);
        for text in [deep("[", "]"), deep("[", ""), deep("{\"a\":", ""), deep("{\"data\":", "}"), deep("", "]")] {
            let run = run_on(format!("{text}\n{GOOD}"), &["decode", "--output", form]);
            assert_eq!(run.code, 1);
            assert!(run.stderr.len() < 1000, "{}", run.stderr);
        }
    }
}

#[test]
fn what_stands_behind_a_refused_document_is_read() {
    let line = format!(r#"{{"notificationType": 5, "data": {{}}}}{GOOD}"#);
    for end in ["", "\n"] {
        let run = run_on(format!("{}{end}", line.trim_end()), &["decode"]);
        assert!(run.stderr.contains("1 decoded, 1 failed") || run.stdout.contains("1 decoded, 1 failed"), "{run}");
    }
}

#[test]
fn nothing_that_was_sent_steers_the_terminal() {
    let text = r#"{"notificationType": "new\u001b[31m", "data": {"groupRef": "\u001b]0;title\u0007", "installationId": "\n"}}"#;
    let run = run_on(text, &["decode"]);
    assert_eq!(run.lines().len(), 1);
    assert!(!run.stdout.trim_end().contains(char::is_control), "{run}");
    let turned = run_on(r#"{"notificationType": "new", "data": {"groupRef": "a\u202e\u200bb"}}"#, &["decode"]);
    assert!(turned.stdout.contains("a\u{fffd}\u{fffd}b"), "{turned}");
}

#[test]
fn no_name_of_a_file_steers_the_terminal() {
    const NAME: &str = "no-\u{1b}[31m\u{202e}such\n/file";
    for arguments in [
        &["decode", NAME][..],
        &["decode", "--dead-letter", NAME],
        &["decode", "--metadata", NAME],
        &["verify", "--headers", NAME, "--secret-file", NAME],
        &["verify", "--headers", NAME],
        &["trigger", "--replay", NAME, "--to", "http://127.0.0.1:1/"],
    ] {
        let mut command = command(arguments);
        command.env("AMPERSAND_WEBHOOK_SECRET", "whsec_b2xkIHNlY3JldCBvZiBhIHRlc3Q=");
        let run = Run::from(command.stdin(Stdio::null()).output().unwrap());
        assert_ne!(run.code, 0);
        let shown = run.to_string();
        assert!(shown.contains("no-\u{fffd}[31m\u{fffd}such\u{fffd}/file"), "{shown}");
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
    }
}

#[test]
fn who_had_enough_may_leave() {
    for verb in ["decode", "resolve"] {
        let mut child = command(&[verb, "--output", "json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        // Output appears as soon as a line is complete, before the end of the input.
        stdin.write_all(format!("{GOOD}\n").as_bytes()).unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.contains(r#""notificationType":"new""#));
        drop(stdout);
        while stdin.write_all(format!("{GOOD}\n").repeat(1000).as_bytes()).is_ok() {}
        assert_eq!(child.wait().unwrap().code(), Some(0), "{verb}");
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(stderr, "");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_is_a_failure() {
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    for arguments in
        [&["decode", "webhook/connection.created.json"][..], &["resolve", "webhook/connection.created.json"], &["man"]]
    {
        let output = command(arguments).stdin(Stdio::null()).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.starts_with("error: the output cannot be written: No space left"), "{stderr}");
    }
    let letters = run_on("[]", &["decode", "--dead-letter", "/dev/full"]);
    assert_eq!(letters.code, 1);
    assert!(letters.stderr.contains("/dev/full cannot be written"), "{letters}");
}

/// Returns a command that may map this many kB of memory, of which it uses only a small part.
#[cfg(target_os = "linux")]
fn limited(kilobytes: u32) -> std::process::Command {
    let mut limited = std::process::Command::new("sh");
    limited.arg("-c").arg(format!("ulimit -v {kilobytes}; exec \"$0\" decode --output json"));
    limited.arg(env!("CARGO_BIN_EXE_ampersand"));
    limited
}

#[cfg(target_os = "linux")]
#[test]
fn a_stream_takes_memory_that_does_not_grow() {
    let document = format!(r#"{{"notificationType": "new", "data": "{}"}}"#, "x".repeat(1000));
    let run = crate::command::feed(limited(60_000), format!("{document}\n").repeat(80_000));
    assert_eq!((run.code, run.stderr.as_str(), run.lines().len()), (0, "", 80_000));
    let array = format!("[{document}{}]", format!(",{document}").repeat(80_000));
    let run = crate::command::feed(limited(60_000), array);
    assert!(run.code == 1 && run.stderr.starts_with("stdin:1: an array"), "{}", run.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn a_large_document_is_kept_twice_at_most() {
    for between in ["", "\n"] {
        let document = format!(r#"{{"notificationType": "new",{between}"data": ["{}"]}}"#, "x".repeat(32 << 20));
        let run = crate::command::feed(limited(140_000), document);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        assert!(run.stdout.len() > 32 << 20);
    }
}
