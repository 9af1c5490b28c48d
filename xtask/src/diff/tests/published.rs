//! The published contracts that lie beside the workspace; where they do not, there is nothing to try.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::super::contract::Contract;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

/// The contract of a date, as it was published.
fn published(date: &str) -> Option<Contract> {
    let folder = root().parent()?.join("shared/openapi").join(date);
    folder.is_dir().then(|| Contract::named(&root(), folder.to_str().expect("a path in UTF-8")).expect("a contract"))
}

/// How many changes of a document there are, as `kind of the verdict`.
fn of(old: &Contract, new: &Contract, document: &str) -> Vec<String> {
    let changes = super::changes(&old.documents, &new.documents);
    let changes: Vec<_> = changes.into_iter().filter(|change| change.document == document).collect();
    super::brief(&changes)
}

#[test]
fn each_change_of_the_types_is_found_once() {
    let (Some(first), Some(second), Some(third)) =
        (published("2026-01-21"), published("2026-06-15"), published("2026-08-19"))
    else {
        return;
    };
    let (one, other) = ("exactly one of config, configURL", "exactly one of lastConfig, lastConfigURL");
    let mut expected: Vec<String> = Vec::new();
    for data in
        ["InstallationCreatedData", "InstallationDeletedData", "InstallationUpdatedData", "ReadSchedulePausedData"]
    {
        expected.push(format!("became conditional {data}.config: required > {one} [bbcb]"));
        expected.push(format!("field added {data}.configURL: - > string (uri), {one} [cccc]"));
    }
    expected.push(format!("became conditional InstallationUpdatedData.lastConfig: required > {other} [bbcb]"));
    expected.push(format!("field added InstallationUpdatedData.lastConfigURL: - > string (uri), {other} [cccc]"));
    expected.push("field added ConnectionErrorData.errors: - > optional list of string [cccc]".to_owned());
    expected.push("deprecated ConnectionErrorData.error: - > deprecated: true [cccc]".to_owned());
    for (name, event) in [
        ("ConnectionDeleted", "connection.deleted"),
        ("ConnectionRefreshed", "connection.refreshed"),
        ("SubscribeCreateError", "subscribe.create.error"),
        ("WriteAsyncDone", "write.async.done"),
    ] {
        expected.push(format!("event type added {name}NotificationPayload.notificationType: - > {event} [cbcc]"));
    }
    expected.sort();
    assert_eq!(of(&first, &second, "notifications"), expected);
    assert_eq!(
        of(&first, &second, "webhook"),
        ["field added Association.providerAssociationMetadata: - > optional any object [cccc]"]
    );
    assert_eq!(
        of(&first, &second, "config"),
        [
            "enum value added FieldSetting.writeOnUpdate: - > ifEmpty [cbcc]",
            "field added BackfillConfig.fieldFilters: - > optional list of ReadFilter [cccc]",
            "field added BaseReadConfigObject.fieldFilters: - > optional list of ReadFilter [cccc]",
            "field added BaseSubscribeConfigObject.otherEvents: - > optional ConfigOtherEvents [cccc]",
            "field added UpdateInstallationConfigContent.subscribe: - > optional BaseSubscribeConfig [cccc]",
        ]
    );
    assert_eq!(
        of(&second, &third, "notifications"),
        ["event type added ConnectionUpdatedNotificationPayload.notificationType: - > connection.updated [cbcc]"]
    );
    assert_eq!(
        of(&second, &third, "config"),
        ["field added BaseSubscribeConfigObject.providerOptions: - > optional SubscribeProviderOptions [cccc]"]
    );
    assert_eq!(of(&second, &third, "webhook"), Vec::<String>::new());
}

#[test]
fn what_is_pinned_is_what_was_published() {
    let Some(published) = published("2026-08-19") else { return };
    let pinned = Contract::pinned(&root()).expect("a contract");
    assert!(super::changes(&pinned.documents, &published.documents).is_empty());
}

#[test]
fn the_whole_contract_takes_no_time() {
    let (Some(old), Some(new)) = (published("2026-01-21"), published("2026-08-19")) else { return };
    let start = Instant::now();
    assert!(!super::changes(&old.documents, &new.documents).is_empty());
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}
