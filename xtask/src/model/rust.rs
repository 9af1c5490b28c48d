use super::{Kind, Need, Node, Others, Schema, Type};

/// The type of a schema in Rust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rust {
    /// `RawJson`, which holds anything: for a value whose shape is open, and for a choice.
    ///
    /// A map of values would lose the order of the keys and the text of the numbers, and take ten times as long to
    /// read. A choice would become an untagged enum, which refuses a value that fits no variant. A `number` is open
    /// too: `f64` turns 5 into 5.0 and rounds numbers above 2^53.
    Raw,
    Text,
    /// typify would parse it, refuse the payload for a time without an offset, and encode any other time in UTC.
    Timestamp,
    SignedUrl,
    Credential,
    Boolean,
    /// `Integer` where it is received: an `i64` refuses larger numbers, and those written as 1.0 or 1e3.
    Integer,
    OpenEnum,
    List,
    Map,
    Struct,
    /// A type that exists already, by its path.
    Type(String),
}

impl Schema {
    /// Returns its type in Rust. Resolve a reference first: by itself it is [`Rust::Raw`].
    pub(crate) fn rust(&self) -> Rust {
        if let Some(becomes) = &self.becomes {
            return becomes.clone();
        }
        match &self.kind {
            Kind::Object(object) if !object.fields.is_empty() => Rust::Struct,
            Kind::Object(object) if matches!(object.others, Others::Of(_)) => Rust::Map,
            Kind::List(Some(_)) => Rust::List,
            Kind::Boolean => Rust::Boolean,
            Kind::Integer => Rust::Integer,
            Kind::Text if self.values.is_some() => Rust::OpenEnum,
            Kind::Text if self.facet("format").is_some_and(|format| format == "date-time") => Rust::Timestamp,
            Kind::Text => Rust::Text,
            _ => Rust::Raw,
        }
    }

    /// Whether a field of it is an `Option` in Rust. An `Items` may be absent by itself, and a `RawJson` holds `null`.
    pub(crate) fn is_option(&self, need: Need) -> bool {
        match self.rust() {
            rust if rust.is_collection() => false,
            Rust::Raw => need != Need::Required,
            _ => need != Need::Required || self.nullable,
        }
    }
}

impl Rust {
    pub(crate) fn takes(&self, kind: Type) -> bool {
        match self {
            Self::Raw | Self::Type(_) => true,
            Self::Text | Self::Timestamp | Self::SignedUrl | Self::Credential | Self::OpenEnum => kind == Type::String,
            Self::Boolean => kind == Type::Boolean,
            Self::Integer => [Type::Integer, Type::Number].contains(&kind),
            Self::List => [Type::Array, Type::Null].contains(&kind),
            Self::Map => [Type::Object, Type::Null].contains(&kind),
            Self::Struct => kind == Type::Object,
        }
    }

    /// Whether a field of it is an `Items`, which may be absent or `null` whatever the contract says: the senders are
    /// written in Go, and its nil maps and slices are absent or `null` in JSON.
    pub(crate) fn is_collection(&self) -> bool {
        matches!(self, Self::List | Self::Map)
    }
}

/// Whether the type of a field in Rust lets it be absent.
pub(crate) fn may_be_absent(need: Need, node: &Node) -> bool {
    need != Need::Required || node.rust().is_collection()
}
