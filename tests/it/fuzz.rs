//! Runs the fuzz targets on known inputs, so that none breaks unnoticed between two runs of the fuzzer.

use std::fs;
use std::path::Path;

/// Every file of the corpus, and small inputs.
fn inputs() -> Vec<Vec<u8>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let folders = fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    let mut inputs: Vec<Vec<u8>> = files.map(|file| fs::read(file).unwrap()).collect();
    assert!(inputs.len() > 200, "{}", inputs.len());
    inputs.extend(
        [&b""[..], b"{}", b"\n\n", b"\0", b"\xff", b"\xef\xbb\xbf{}", b"\0{\"notificationType\": \"x\"}"]
            .map(Vec::from),
    );
    inputs
}

#[test]
fn every_target_holds_for_the_corpus_and_for_nothing() {
    for (name, target) in fuzz::TARGETS {
        for input in inputs() {
            let held = std::panic::catch_unwind(|| target(&input));
            assert!(held.is_ok(), "{name} fails on {:?}", String::from_utf8_lossy(&input));
        }
    }
}

#[test]
fn every_target_can_be_fuzzed() {
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/targets");
    let mut files: Vec<String> =
        fs::read_dir(targets).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files, fuzz::TARGETS.map(|(name, _)| format!("{name}.rs")));
}
