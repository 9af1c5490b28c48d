//! The help of the command.

use crate::command::run;

const COMMANDS: [&str; 13] = [
    "decode",
    "resolve",
    "verify",
    "listen",
    "inspect",
    "serve",
    "inbox",
    "setup",
    "trigger",
    "api",
    "explain",
    "completions",
    "man",
];

#[test]
fn help_teaches_by_example() {
    for command in [""].iter().chain(&COMMANDS) {
        let arguments: Vec<&str> = [*command, "--help"].into_iter().filter(|argument| !argument.is_empty()).collect();
        let help = run(&arguments);
        assert_eq!((help.code, help.stderr.as_str()), (0, ""));
        assert!(help.stdout.contains("Examples:"), "{command}");
        insta::assert_snapshot!(format!("help-{command}"), help.stdout);
    }
}

#[test]
fn every_shell_is_completed() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&["completions", shell]);
        assert_eq!(script.code, 0);
        assert!(script.stdout.contains("dead-letter"), "{shell}");
        assert!(script.stdout.contains("sign-file") && script.stdout.contains("dry-run"), "{shell}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    assert!(run(&["man"]).stdout.contains(".TH ampersand 1"));
    for command in COMMANDS {
        let page = run(&["man", command]);
        assert_eq!(page.code, 0);
        assert!(page.stdout.contains(&format!(".TH ampersand-{command} 1")), "{}", page.stdout);
    }
    for command in ["status", "list", "show", "replay", "delete", "prune"] {
        let page = run(&["man", "inbox", command]);
        assert!(page.stdout.contains(&format!(".TH ampersand-inbox-{command} 1")), "{page}");
        let help = run(&["inbox", command, "--help"]);
        insta::assert_snapshot!(format!("help-inbox-{command}"), help.stdout);
    }
}

#[test]
fn wrong_usage_is_told_from_wrong_input() {
    for arguments in [
        &["decode", "--form", "s3"][..],
        &["decode", "--from", "pubsub"],
        &["decode", "--metadata", "no-such-file.json"],
        &["decode", "--metadata", "config"],
        &["decode", "--dead-letter", "no-such-folder/bad.jsonl"],
        &["verify"],
        &["verify", "--headers", "head.txt"],
        &["verify", "--headers", "head.txt", "--at", "noon"],
        &["verify", "--headers", "head.txt", "--secret-file", "no-such-file"],
        &["setup", "--project", "p", "--url", "https://example.com/", "--all"],
        &["setup", "--project", "p", "--url", "example.com", "--all"],
        &["setup", "--project", "p", "--all"],
        &["setup", "--project", "p", "--url", "https://example.com/"],
        &["man", "nothing"],
        &["api"],
        &["api", "no-such-operation"],
        &["api", "list-topics"],
        &["api", "list-topics", "--project", "p"],
        &["api", "list-topics", "--project", "p", "--key-file", "no-such-file"],
        &["explain", "nothing"],
        &[],
    ] {
        let run = run(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments:?}: {run}");
        assert!(!run.stderr.is_empty());
    }
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.json").to_str().unwrap().to_owned();
    std::fs::write(&list, "[\"a\"]\n").unwrap();
    insta::assert_snapshot!(run(&["decode", "--metadata", &list]).stderr.replace(&list, "list.json"), @"error: --metadata list.json: not a JSON object of strings: found sequence, expected an object");
    insta::assert_snapshot!(run(&["verify", "--headers", "head.txt"]).stderr, @"error: no secret: set AMPERSAND_WEBHOOK_SECRET, or pass --secret-file FILE");
}
