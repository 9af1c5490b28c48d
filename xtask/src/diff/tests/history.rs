//! The types' documents at three times, in canonical form.

use crate::model::Documents;

const CONTRACTS: [&str; 3] = [
    include_str!("contracts/2026-01-21.json"),
    include_str!("contracts/2026-06-15.json"),
    include_str!("contracts/2026-08-19.json"),
];

fn contract(text: &str) -> Documents {
    serde_json::from_str(text).expect("documents by their names")
}

/// The changes of a document.
fn of(old: &Documents, new: &Documents, document: &str) -> Vec<String> {
    let changes = super::changes(old, new);
    let changes: Vec<_> = changes.into_iter().filter(|change| change.place.document == document).collect();
    super::brief(&changes)
}

#[test]
fn each_change_of_the_types_is_found_once() {
    let [first, second, third] = CONTRACTS.map(contract);
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
