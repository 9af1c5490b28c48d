use std::fmt;

use serde::{Serialize, Serializer};

use crate::config::{
    DefaultPeriodConfig, FieldSettingWriteOnCreate, FieldSettingWriteOnUpdate, SelectedFieldsAutoConfig,
};
use crate::{Integer, RawJson};

/// One difference between two configurations of an installation.
///
/// [`ConfigContent::changes_since`](crate::config::ConfigContent::changes_since) returns all differences. `Display`
/// shows a change as a sentence that names objects, fields, schedules and destinations, and no other values. A change
/// encodes as a JSON object: `kind`, and the members of its variant, with `null` for `None`.
///
/// ```
/// use ampersand_types::{ConfigChange, RawJson, config::ConfigContent};
///
/// let config = |fields: &str| RawJson::new(format!(
///     r#"{{"read":{{"objects":{{"contact":{{"objectName":"contact","selectedFields":{fields}}}}}}}}}"#
/// ));
/// let before: ConfigContent = config(r#"{"name":true}"#)?.parse()?;
/// let after: ConfigContent = config(r#"{"name":true,"email":true}"#)?.parse()?;
///
/// for change in after.changes_since(&before) {
///     assert_eq!(change.to_string(), "read of `contact`: field `email` is selected now");
///     let json = RawJson::encode(&change)?;
///     assert_eq!(json.as_str(), r#"{"kind":"fieldSelected","object":"contact","field":"email"}"#);
///     if let ConfigChange::FieldSelected { object, field, .. } = change {
///         assert_eq!((object.as_str(), field.as_str()), ("contact", "email")); // read the past of this field
///     }
/// }
/// # Ok::<(), ampersand_types::JsonError>(())
/// ```
///
/// Later versions may add variants for changes that are [`Other`](Self::Other) today, and members of a variant.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ConfigChange {
    /// An installation begins to read, write or subscribe to an object. Only `config` says which fields it selects.
    #[non_exhaustive]
    ObjectAdded {
        /// The action: read, write or subscribe.
        action: ConfigAction,
        /// The name of the object.
        object: String,
        /// The configuration of the object: a `ReadConfigObject`, `WriteConfigObject` or `SubscribeConfigObject`.
        config: RawJson,
    },
    /// An installation no longer reads, writes or subscribes to an object.
    #[non_exhaustive]
    ObjectRemoved {
        /// The action: read, write or subscribe.
        action: ConfigAction,
        /// The name of the object.
        object: String,
        /// The configuration that the object had: a `ReadConfigObject`, `WriteConfigObject` or `SubscribeConfigObject`.
        config: RawJson,
    },
    /// Reading an object is enabled: `disabled` was true.
    #[non_exhaustive]
    ReadEnabled {
        /// The name of the object.
        object: String,
    },
    /// Reading an object is disabled: `disabled` is true.
    #[non_exhaustive]
    ReadDisabled {
        /// The name of the object.
        object: String,
    },
    /// The schedule for reading an object has changed.
    #[non_exhaustive]
    ScheduleChanged {
        /// The name of the object.
        object: String,
        /// The cron expression before.
        before: Option<String>,
        /// The cron expression now.
        after: Option<String>,
    },
    /// The destination for records or events of an object has changed.
    #[non_exhaustive]
    DestinationChanged {
        /// The action: read for records that are read, subscribe for those that are subscribed to.
        action: ConfigAction,
        /// The name of the object.
        object: String,
        /// The name of the destination before.
        before: Option<String>,
        /// The name of the destination now.
        after: Option<String>,
    },
    /// A field is now selected for reading: it is true in `selectedFields`.
    #[non_exhaustive]
    FieldSelected {
        /// The name of the object.
        object: String,
        /// The provider's name of the field.
        field: String,
    },
    /// A field is no longer selected: it was true in `selectedFields`.
    #[non_exhaustive]
    FieldDeselected {
        /// The name of the object.
        object: String,
        /// The provider's name of the field.
        field: String,
        /// Whether `selectedFields` still lists the field, as false.
        listed: bool,
    },
    /// The automatic selection of fields has changed: `selectedFieldsAuto`.
    #[non_exhaustive]
    SelectedFieldsAutoChanged {
        /// The name of the object.
        object: String,
        /// The selection before.
        before: Option<SelectedFieldsAutoConfig>,
        /// The selection now.
        after: Option<SelectedFieldsAutoConfig>,
    },
    /// A field is now also delivered under another name: `selectedFieldMappings` has a new entry.
    #[non_exhaustive]
    MappingAdded {
        /// The name of the object.
        object: String,
        /// The name that the field is delivered as.
        name: String,
        /// The provider's name of the field.
        field: String,
    },
    /// A field is no longer delivered under another name.
    #[non_exhaustive]
    MappingRemoved {
        /// The name of the object.
        object: String,
        /// The name that the field was delivered as.
        name: String,
        /// The provider's name of the field.
        field: String,
    },
    /// A different field is delivered under a name.
    #[non_exhaustive]
    MappingChanged {
        /// The name of the object.
        object: String,
        /// The name that the field is delivered as.
        name: String,
        /// The provider's name of the field before.
        before: String,
        /// The provider's name of the field now.
        after: String,
    },
    /// The mapping of one value of a field has changed: `selectedValueMappings`.
    #[non_exhaustive]
    ValueMappingChanged {
        /// The name of the object.
        object: String,
        /// The name of the field.
        field: String,
        /// The key of the mapping.
        key: String,
        /// The value that the key was mapped to before.
        before: Option<String>,
        /// The value that the key is mapped to now.
        after: Option<String>,
    },
    /// The period that the first read of an object covers has changed: `backfill.defaultPeriod`.
    #[non_exhaustive]
    BackfillChanged {
        /// The name of the object.
        object: String,
        /// The period before.
        before: Option<DefaultPeriodConfig>,
        /// The period now.
        after: Option<DefaultPeriodConfig>,
    },
    /// The default of a field that is written has changed: `default` in `selectedFieldSettings`.
    #[non_exhaustive]
    DefaultChanged {
        /// The name of the object.
        object: String,
        /// The name of the field.
        field: String,
        /// The `FieldSettingDefault` before.
        before: Option<RawJson>,
        /// The `FieldSettingDefault` now.
        after: Option<RawJson>,
    },
    /// The rule for applying a default to new records has changed. An absent rule means `always`.
    #[non_exhaustive]
    WriteOnCreateChanged {
        /// The name of the object.
        object: String,
        /// The name of the field.
        field: String,
        /// The rule before.
        before: FieldSettingWriteOnCreate,
        /// The rule now.
        after: FieldSettingWriteOnCreate,
    },
    /// The rule for applying a default to updates has changed. An absent rule means `always`.
    #[non_exhaustive]
    WriteOnUpdateChanged {
        /// The name of the object.
        object: String,
        /// The name of the field.
        field: String,
        /// The rule before.
        before: FieldSettingWriteOnUpdate,
        /// The rule now.
        after: FieldSettingWriteOnUpdate,
    },
    /// The default of a field that is written has changed, in the legacy form: `selectedValueDefaults`.
    #[non_exhaustive]
    LegacyDefaultChanged {
        /// The name of the object.
        object: String,
        /// The name of the field.
        field: String,
        /// The entry before.
        before: Option<RawJson>,
        /// The entry now.
        after: Option<RawJson>,
    },
    /// The proxy was enabled or disabled.
    #[non_exhaustive]
    ProxyChanged {
        /// Whether the proxy was enabled. `None` if the configuration did not say.
        before: Option<bool>,
        /// Whether the proxy is enabled now. `None` if the configuration does not say.
        after: Option<bool>,
    },
    /// Any other change, also of members that the contract lacks. Each member of an object that differs has its own
    /// change; a list is compared as a whole.
    #[non_exhaustive]
    Other {
        /// The place in the configuration, as a JSONPath ([RFC 9535](https://www.rfc-editor.org/rfc/rfc9535)).
        path: String,
        /// The value before.
        before: Option<RawJson>,
        /// The value now.
        after: Option<RawJson>,
    },
}

/// An action that an installation performs on an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigAction {
    /// The installation reads the object from the provider.
    Read,
    /// The installation writes the object to the provider.
    Write,
    /// The installation subscribes to the object's events.
    Subscribe,
}

impl ConfigAction {
    /// Returns the name of the action in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Subscribe => "subscribe",
        }
    }
}

impl fmt::Display for ConfigAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ConfigAction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Sets the `kind` of each variant, and encodes its members.
macro_rules! kinds {
    ($( $variant:ident = $kind:literal { $( $member:ident ),* }, )*) => {
        impl ConfigChange {
            /// The kind of the change, as its JSON has it.
            pub fn kind(&self) -> &'static str {
                match self {
                    $( Self::$variant { .. } => $kind, )*
                }
            }
        }

        impl Serialize for ConfigChange {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap as _;
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("kind", self.kind())?;
                match self {
                    $( Self::$variant { $( $member ),* } => {
                        $( map.serialize_entry(stringify!($member), $member)?; )*
                    } )*
                }
                map.end()
            }
        }
    };
}

kinds! {
    ObjectAdded = "objectAdded" { action, object, config },
    ObjectRemoved = "objectRemoved" { action, object, config },
    ReadEnabled = "readEnabled" { object },
    ReadDisabled = "readDisabled" { object },
    ScheduleChanged = "scheduleChanged" { object, before, after },
    DestinationChanged = "destinationChanged" { action, object, before, after },
    FieldSelected = "fieldSelected" { object, field },
    FieldDeselected = "fieldDeselected" { object, field, listed },
    SelectedFieldsAutoChanged = "selectedFieldsAutoChanged" { object, before, after },
    MappingAdded = "mappingAdded" { object, name, field },
    MappingRemoved = "mappingRemoved" { object, name, field },
    MappingChanged = "mappingChanged" { object, name, before, after },
    ValueMappingChanged = "valueMappingChanged" { object, field, key, before, after },
    BackfillChanged = "backfillChanged" { object, before, after },
    DefaultChanged = "defaultChanged" { object, field, before, after },
    WriteOnCreateChanged = "writeOnCreateChanged" { object, field, before, after },
    WriteOnUpdateChanged = "writeOnUpdateChanged" { object, field, before, after },
    LegacyDefaultChanged = "legacyDefaultChanged" { object, field, before, after },
    ProxyChanged = "proxyChanged" { before, after },
    Other = "other" { path, before, after },
}

impl fmt::Display for ConfigChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ObjectAdded { action, object, .. } => write!(f, "{action} of `{object}` was added"),
            Self::ObjectRemoved { action, object, .. } => write!(f, "{action} of `{object}` was removed"),
            Self::ReadEnabled { object } => write!(f, "read of `{object}` is enabled now"),
            Self::ReadDisabled { object } => write!(f, "read of `{object}` is disabled now"),
            Self::ScheduleChanged { object, before, after } => {
                write!(f, "read of `{object}`: {}", Shown("the schedule", before.as_ref(), after.as_ref()))
            }
            Self::DestinationChanged { action, object, before, after } => {
                write!(f, "{action} of `{object}`: {}", Shown("the destination", before.as_ref(), after.as_ref()))
            }
            Self::FieldSelected { object, field } => {
                write!(f, "read of `{object}`: field `{field}` is selected now")
            }
            Self::FieldDeselected { object, field, .. } => {
                write!(f, "read of `{object}`: field `{field}` is not selected any more")
            }
            Self::SelectedFieldsAutoChanged { object, before, after } => {
                let shown = Shown("the automatic selection of fields", before.as_ref(), after.as_ref());
                write!(f, "read of `{object}`: {shown}")
            }
            Self::MappingAdded { object, name, field } => {
                write!(f, "read of `{object}`: field `{field}` is mapped to `{name}` now")
            }
            Self::MappingRemoved { object, name, field } => {
                write!(f, "read of `{object}`: field `{field}` is not mapped to `{name}` any more")
            }
            Self::MappingChanged { object, name, before, after } => {
                write!(f, "read of `{object}`: field `{after}` is mapped to `{name}` now, instead of `{before}`")
            }
            Self::ValueMappingChanged { object, field, before, after, .. } => {
                let verb = verb(before.as_ref(), after.as_ref());
                write!(f, "read of `{object}`: a mapping of the values of `{field}` was {verb}")
            }
            Self::BackfillChanged { object, before, after } => {
                let (before, after) = (before.as_ref().map(period), after.as_ref().map(period));
                write!(f, "read of `{object}`: {}", Shown("the backfill", before.as_ref(), after.as_ref()))
            }
            Self::DefaultChanged { object, field, before, after } => {
                let verb = verb(before.as_ref(), after.as_ref());
                write!(f, "write of `{object}`: the default of field `{field}` was {verb}")
            }
            Self::WriteOnCreateChanged { object, field, before, after } => {
                write!(
                    f,
                    "write of `{object}`: `writeOnCreate` of field `{field}` changed from `{before}` to `{after}`"
                )
            }
            Self::WriteOnUpdateChanged { object, field, before, after } => {
                write!(
                    f,
                    "write of `{object}`: `writeOnUpdate` of field `{field}` changed from `{before}` to `{after}`"
                )
            }
            Self::LegacyDefaultChanged { object, field, before, after } => {
                let verb = verb(before.as_ref(), after.as_ref());
                write!(f, "write of `{object}`: the legacy default of field `{field}` was {verb}")
            }
            Self::ProxyChanged { after, .. } => f.write_str(match after {
                Some(true) => "the proxy is enabled now",
                Some(false) => "the proxy is disabled now",
                None => "the proxy is not configured any more",
            }),
            Self::Other { path, before, after } => write!(f, "`{path}` was {}", verb(before.as_ref(), after.as_ref())),
        }
    }
}

/// A value before and now, with its description.
struct Shown<'a, T>(&'a str, Option<T>, Option<T>);

impl<T: fmt::Display> fmt::Display for Shown<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self(what, Some(before), Some(after)) => match (before.to_string(), after.to_string()) {
                // The difference is in a member that `Display` does not show, because the contract lacks it.
                (before, after) if before == after => write!(f, "{what} `{before}` changed"),
                (before, after) => write!(f, "{what} changed from `{before}` to `{after}`"),
            },
            Self(what, Some(before), None) => write!(f, "{what} `{before}` was removed"),
            Self(what, None, Some(after)) => write!(f, "{what} is `{after}` now"),
            Self(what, None, None) => write!(f, "{what} changed"),
        }
    }
}

/// Returns the verb for the change of a value that is not shown.
fn verb<T>(before: Option<T>, after: Option<T>) -> &'static str {
    match (before, after) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    }
}

fn in_days(days: &Integer) -> String {
    if *days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

fn period(period: &DefaultPeriodConfig) -> String {
    match (&period.days, period.full_history) {
        (Some(days), Some(true)) => format!("{}, and full history", in_days(days)),
        (Some(days), Some(false)) => format!("{}, not full history", in_days(days)),
        (Some(days), None) => in_days(days),
        (None, Some(true)) => "full history".to_owned(),
        (None, Some(false)) => "not full history".to_owned(),
        (None, None) => "nothing".to_owned(),
    }
}
