//! The kinds of changes, and what is said of each.

use serde::Serialize;

/// What a sentence tells of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Event,
    Operation,
    Servers,
    /// What has the changed thing, which the sentence names.
    Owner,
    /// What changed, by its place.
    Place,
}

/// The sections of a changelog, in the order in which they matter to who updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Removed,
    Changed,
    Deprecated,
    Added,
}

/// What is said of a value where something else is said now; there are other words where one of both is nothing.
pub(crate) const SAYS: &str = "{says} `{new}` now, and said `{old}`";
pub(crate) const IS_NAMED: &str = "{is} {name} now";

/// A row of the table.
pub(crate) struct Said {
    pub(crate) subject: Subject,
    /// Where a changelog has it. What neither comes nor goes is only there when it is to be minded.
    pub(crate) section: Section,
    /// What is told of one thing. A word in braces is a verb, or stands for what the change says of it.
    pub(crate) sentence: &'static str,
    /// What is told of an owner, where several such changes are listed in one sentence.
    pub(crate) of_list: Option<&'static str>,
    /// Whether the type may serve on that a field had before such a change.
    pub(crate) can_be_kept: bool,
}

macro_rules! kinds {
    ($($kind:ident, $subject:ident, $section:ident, $sentence:expr $(, several $of_list:expr)? $(, kept $kept:expr)?;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub(crate) enum Kind {
            $($kind,)*
        }

        impl Kind {
            pub(crate) fn said(self) -> Said {
                match self {
                    $(Self::$kind => Said {
                        subject: Subject::$subject,
                        section: Section::$section,
                        sentence: $sentence,
                        of_list: None$(.or(Some($of_list)))?,
                        can_be_kept: false$( || $kept)?,
                    },)*
                }
            }
        }
    };
}

kinds! {
    EventTypeAdded, Event, Added, "is new";
    EventTypeRemoved, Event, Removed, "is gone";
    EventTypeRenamed, Event, Changed, "is called `{new}` now";
    SchemaAdded, Place, Added, "{is} new: {new}";
    SchemaRemoved, Place, Removed, "{is} gone: {old}";
    FieldAdded, Place, Added, "{is} new: {new}", several "{has} new fields: {fields}", kept true;
    FieldRemoved, Place, Removed, "{is} gone: {old}", several "{has} no longer: {fields}";
    FieldRenamed, Place, Changed, "{is} called `{new}` now";
    FieldMoved, Place, Changed, "{is} `{path}` now";
    BecameRequired, Place, Changed, "{is} required now, and {was} {old}", kept true;
    BecameOptional, Place, Changed, "{is} optional now, and {was} {old}", kept true;
    BecameConditional, Place, Changed, "{was} {old}; now it takes {new}", kept true;
    ConditionChanged, Place, Changed, "{was} {old}; now it takes {new}";
    TypeWidened, Place, Changed, "may be {new} now, and {was} {old}", kept true;
    TypeNarrowed, Place, Changed, "{has} to be {new} now, and could be {old}";
    TypeChanged, Place, Changed, "{is} {new} now, and {was} {old}";
    EnumIntroduced, Place, Changed, "{has} to be {new} now, and could be any {old}", kept true;
    EnumDropped, Place, Changed, "may be any {new} now, and {was} {old}", kept true;
    EnumValueAdded, Place, Added, "may be `{new}` too", several "may be {values} too";
    EnumValueRemoved, Place, Removed, "{is} never `{old}` any more", several "{is} no longer {values}", kept true;
    EnumValueRenamed, Place, Changed, "{says} `{new}` for `{old}`", kept true;
    FormatChanged, Place, Changed, SAYS, kept true;
    BoundChanged, Place, Changed, SAYS;
    DefaultChanged, Place, Changed, SAYS;
    Deprecated, Place, Deprecated, "{is} {name}";
    NoLongerDeprecated, Place, Changed, "{is} {name}";
    ReadOnlyChanged, Place, Changed, IS_NAMED;
    WriteOnlyChanged, Place, Changed, IS_NAMED;
    OtherFieldsRefused, Place, Changed, "{takes} {new} in fields that it does not name, and took {old}";
    OtherFieldsAllowed, Place, Changed, "{takes} {new} in fields that it does not name, and took {old}";
    KeywordChanged, Place, Changed, SAYS;
    OperationAdded, Place, Added, "{is} new: {new}";
    OperationRemoved, Place, Removed, "{is} gone: {old}";
    OperationRenamed, Operation, Changed, "is called `{new}` now";
    OperationMoved, Owner, Changed, "{is} at `{new}` now, and {was} at `{old}`";
    OperationChanged, Place, Changed, "{is} {new} now, and {was} {old}";
    TagChanged, Owner, Changed, "{is} under the tag {new} now, and {was} under {old}";
    ParameterAdded, Owner, Added, "{takes} the {new} parameter `{last}`";
    ParameterRemoved, Owner, Removed, "{does} not take the {old} parameter `{last}` any more";
    ParameterRenamed, Owner, Changed, "{calls} its parameter `{old}` `{new}` now";
    RequestBodyAdded, Owner, Added, "{takes} an {new}";
    RequestBodyRemoved, Owner, Changed, "{does} not take {old} any more";
    ResponseAdded, Owner, Changed, "may answer `{new}` too", several "may answer {values} too";
    ResponseRemoved, Owner, Removed, "{does} not answer `{old}` any more", several "no longer {answers} {values}";
    ResponseRenamed, Owner, Changed, "{answers} `{new}` where it answered `{old}`";
    ContentTypeAdded, Place, Added, "may be `{new}` too";
    ContentTypeRemoved, Place, Changed, "{is} never `{old}` any more";
    SecurityChanged, Owner, Changed, "{is} called with {new} now, and {was} with {old}";
    ServersChanged, Servers, Changed, "are {new} now, and were {old}";
}

impl Kind {
    pub(crate) fn deprecation(is: bool) -> Self {
        if is { Self::Deprecated } else { Self::NoLongerDeprecated }
    }

    /// As it is said in a sentence.
    pub(crate) fn words(self) -> String {
        word(self).replace('-', " ")
    }
}

/// The name of what has no more to say than that, as JSON has it.
pub(crate) fn word(of: impl Serialize) -> String {
    serde_json::to_value(of).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
