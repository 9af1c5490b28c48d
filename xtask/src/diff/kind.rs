//! The kinds of changes.

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    EventTypeAdded,
    EventTypeRemoved,
    EventTypeRenamed,
    SchemaAdded,
    SchemaRemoved,
    FieldAdded,
    FieldRemoved,
    FieldRenamed,
    FieldMoved,
    BecameRequired,
    BecameOptional,
    BecameConditional,
    ConditionChanged,
    TypeWidened,
    TypeNarrowed,
    TypeChanged,
    EnumIntroduced,
    EnumDropped,
    EnumValueAdded,
    EnumValueRemoved,
    EnumValueRenamed,
    FormatChanged,
    BoundChanged,
    DefaultChanged,
    Deprecated,
    NoLongerDeprecated,
    ReadOnlyChanged,
    WriteOnlyChanged,
    OtherFieldsRefused,
    OtherFieldsAllowed,
    KeywordChanged,
    OperationAdded,
    OperationRemoved,
    OperationRenamed,
    OperationMoved,
    OperationChanged,
    TagChanged,
    ParameterAdded,
    ParameterRemoved,
    ParameterRenamed,
    RequestBodyAdded,
    RequestBodyRemoved,
    ResponseAdded,
    ResponseRemoved,
    ResponseRenamed,
    ContentTypeAdded,
    ContentTypeRemoved,
    SecurityChanged,
    ServersChanged,
}

impl Kind {
    /// Whether the type may serve on that a field had before such a change.
    pub(super) fn can_be_kept(self) -> bool {
        use Kind::{
            BecameConditional, BecameOptional, BecameRequired, EnumDropped, EnumIntroduced, EnumValueRemoved,
            EnumValueRenamed, FieldAdded, FormatChanged, TypeWidened,
        };
        matches!(
            self,
            BecameConditional
                | BecameOptional
                | BecameRequired
                | EnumDropped
                | EnumIntroduced
                | EnumValueRemoved
                | EnumValueRenamed
                | FieldAdded
                | FormatChanged
                | TypeWidened
        )
    }

    /// As it is said in a sentence.
    pub(super) fn words(self) -> String {
        let name = serde_json::to_value(self).unwrap_or_default();
        name.as_str().unwrap_or_default().replace('-', " ")
    }
}
