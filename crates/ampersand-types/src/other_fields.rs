use std::collections::BTreeMap;

use crate::RawJson;

/// The members of an object that its type has no place for: the field `other_fields` of every struct. They are encoded as
/// they came.
///
/// There are two kinds:
///
/// - members that the contract does not have, which OpenAPI calls additional properties: what is new, and what a provider
///   adds;
/// - members that may be absent and came as `null`. Their field is `None`; the `null` is here, under the member's name in
///   JSON, so that it is sent back as `null`. Give the field a value, and that is sent instead.
///
/// ```
/// use ampersand_types::config::ReadConfigObject;
///
/// let mut object: ReadConfigObject = serde_json::from_str(r#"{"objectName":"contact","schedule":null,"new":[1.10]}"#)?;
/// assert_eq!(object.other_fields["new"].as_str(), "[1.10]");
/// assert!(object.schedule.is_none() && object.other_fields["schedule"].is_null());
///
/// object.schedule = Some("0 * * * *".to_owned());
/// assert_eq!(serde_json::to_string(&object)?, r#"{"objectName":"contact","schedule":"0 * * * *","new":[1.10]}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// In a request, it is where a member goes that the contract does not have yet.
pub type OtherFields = BTreeMap<String, RawJson>;
