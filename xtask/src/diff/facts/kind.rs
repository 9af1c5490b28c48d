//! The kinds of changes, and how the report tells each of them.

use serde::Serialize;

use crate::keywords::word;

/// A section of a changelog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Removed,
    Changed,
    Deprecated,
    Added,
}

/// Names the changed thing by its place.
pub(crate) const PLACE: &str = "`{place}`";
/// Names the operation that has the changed part; the sentence names the part.
pub(crate) const OWNER: &str = "`{owner}`";
/// Tells a keyword that has another value. `say` has other words if only one of the contracts has the keyword.
pub(crate) const SAYS: &str = "{has} `{new}` now, and had `{old}`";
pub(crate) const IS_NAMED: &str = "{is} {name} now";

/// How to tell a kind of change. A word in braces is a verb, or a placeholder that `say` fills.
pub(crate) struct Said {
    /// The subject of the sentence.
    pub(crate) subject: &'static str,
    /// The section of the changelog. `Changed` has only warnings and breaking changes.
    pub(crate) section: Section,
    /// The predicate of the sentence.
    pub(crate) sentence: &'static str,
    /// The predicate of a sentence that lists several such changes of one owner.
    pub(crate) of_list: Option<&'static str>,
    /// Whether a field can keep its old type after such a change.
    pub(crate) can_be_kept: bool,
}

/// Defines the enum of the kinds, and `said`, which looks a kind up.
macro_rules! kinds {
    ($($kind:ident, $subject:expr, $section:ident, $sentence:expr $(, several $of_list:expr)? $(, kept $kept:expr)?;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub(crate) enum Kind {
            $($kind,)*
        }

        impl Kind {
            pub(crate) fn said(self) -> Said {
                match self {
                    $(Self::$kind => Said {
                        subject: $subject,
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
    EventTypeAdded, "event `{new}`", Added, "is new";
    EventTypeRemoved, "event `{old}`", Removed, "is gone";
    EventTypeRenamed, "event `{old}`", Changed, "is called `{new}` now";
    SchemaAdded, PLACE, Added, "{is} new: {new}";
    SchemaRemoved, PLACE, Removed, "{is} gone: {old}";
    FieldAdded, PLACE, Added, "{is} new: {new}", several "{has} new fields: {fields}", kept true;
    FieldRemoved, PLACE, Removed, "{is} gone: {old}", several "{has} no longer: {fields}";
    FieldRenamed, PLACE, Changed, "{is} called `{new}` now";
    FieldMoved, PLACE, Changed, "{is} `{path}` now";
    BecameRequired, PLACE, Changed, "{is} required now, and {was} {old}", kept true;
    BecameOptional, PLACE, Changed, "{is} optional now, and {was} {old}", kept true;
    BecameConditional, PLACE, Changed, "{was} {old}; now it takes {new}", kept true;
    ConditionChanged, PLACE, Changed, "{was} {old}; now it takes {new}";
    TypeWidened, PLACE, Changed, "may be {new} now, and {was} {old}", kept true;
    TypeNarrowed, PLACE, Changed, "{has} to be {new} now, and could be {old}";
    TypeChanged, PLACE, Changed, "{is} {new} now, and {was} {old}";
    EnumIntroduced, PLACE, Changed, "{has} to be {new} now, and could be any {old}", kept true;
    EnumDropped, PLACE, Changed, "may be any {new} now, and {was} {old}", kept true;
    EnumValueAdded, PLACE, Added, "may be `{new}` too", several "may be {values} too";
    EnumValueRemoved, PLACE, Removed, "can no longer be `{old}`", several "can no longer be {values}", kept true;
    EnumValueRenamed, PLACE, Changed, "{is} `{new}` instead of `{old}`", kept true;
    FormatChanged, PLACE, Changed, SAYS, kept true;
    BoundChanged, PLACE, Changed, SAYS;
    DefaultChanged, PLACE, Changed, SAYS;
    Deprecated, PLACE, Deprecated, "{is} {name}";
    NoLongerDeprecated, PLACE, Changed, "{is} {name}";
    ReadOnlyChanged, PLACE, Changed, IS_NAMED;
    WriteOnlyChanged, PLACE, Changed, IS_NAMED;
    OtherFieldsRefused, PLACE, Changed, "{allows} {new} in undeclared fields now, and allowed {old}";
    OtherFieldsAllowed, PLACE, Changed, "{allows} {new} in undeclared fields now, and allowed {old}";
    KeywordChanged, PLACE, Changed, SAYS;
    OperationAdded, PLACE, Added, "{is} new: {new}";
    OperationRemoved, PLACE, Removed, "{is} gone: {old}";
    OperationRenamed, "operation `{old}`", Changed, "is called `{new}` now";
    OperationMoved, OWNER, Changed, "{is} at `{new}` now, and {was} at `{old}`";
    LeftOut, OWNER, Removed, "{is} left out of the client now: {new}";
    NoLongerLeftOut, OWNER, Added, "{is} in the client now, and {was} left out: {old}";
    OperationChanged, PLACE, Changed, "{is} {new} now, and {was} {old}";
    TagChanged, OWNER, Changed, "{is} under the tag {new} now, and {was} under {old}";
    ParameterAdded, OWNER, Added, "{takes} the {new} parameter `{last}`";
    ParameterRemoved, OWNER, Removed, "{does} not take the {old} parameter `{last}` any more";
    ParameterRenamed, OWNER, Changed, "{renames} its parameter `{old}` to `{new}`";
    RequestBodyAdded, OWNER, Added, "{takes} an {new}";
    RequestBodyRemoved, OWNER, Changed, "{does} not take {old} any more";
    ResponseAdded, OWNER, Changed, "may answer `{new}` too", several "may answer {values} too";
    ResponseRemoved, OWNER, Removed, "{does} not answer `{old}` any more", several "no longer {answers} {values}";
    ResponseRenamed, OWNER, Changed, "{answers} `{new}` where it answered `{old}`";
    ContentTypeAdded, PLACE, Added, "may be `{new}` too";
    ContentTypeRemoved, PLACE, Changed, "can no longer be `{old}`";
    SecurityChanged, OWNER, Changed, "{is} called with {new} now, and {was} with {old}";
    ServersChanged, "the servers", Changed, "are {new} now, and were {old}";
}

impl Kind {
    pub(crate) fn deprecation(is: bool) -> Self {
        if is { Self::Deprecated } else { Self::NoLongerDeprecated }
    }

    /// The kind in words.
    pub(crate) fn words(self) -> String {
        word(self).replace('-', " ")
    }
}
