use std::collections::BTreeMap;

use crate::RawJson;

/// The members of an object that have no field in its type: the field `other_fields` of every struct. They are encoded
/// as they were sent.
///
/// There are two kinds:
///
/// - Members that the contract lacks, which OpenAPI calls additional properties. They may be new, or a provider's own.
/// - Optional members that were sent as `null`. Their field is `None`, and the `null` is stored here under the member's
///   name in JSON, so that it is encoded again. If you give the field a value, that value is encoded instead.
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
/// In a request, use it for a member that the contract does not have yet.
pub type OtherFields = BTreeMap<String, RawJson>;
