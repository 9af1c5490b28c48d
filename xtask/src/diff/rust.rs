//! What schemas become in Rust, as far as it decides what can be decoded and what compiles.

use heck::ToSnakeCase as _;

use super::shape::{Field, Need, Others, Shape};

/// What a schema becomes in Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rust {
    /// `RawJson`, which holds anything.
    Raw,
    Text,
    Timestamp,
    Bool,
    Integer,
    OpenEnum,
    List,
    Map,
    Struct,
}

impl Rust {
    /// As the passes of `lower` have it.
    pub(super) fn of(shape: &Shape<'_>) -> Self {
        let is = |kind| shape.types.len() == 1 && shape.types.contains(kind);
        match &shape.others {
            _ if shape.is_struct() => Self::Struct,
            _ if !shape.choices.is_empty() => Self::Raw,
            _ if is("string") && shape.values.is_some() => Self::OpenEnum,
            _ if is("string") && shape.facets.get("format").is_some_and(|(format, _)| *format == "date-time") => {
                Self::Timestamp
            }
            _ if is("string") => Self::Text,
            _ if is("boolean") => Self::Bool,
            _ if is("integer") => Self::Integer,
            _ if is("array") && shape.items.is_some() => Self::List,
            Others::Of(_) if is("object") => Self::Map,
            _ => Self::Raw,
        }
    }

    pub(super) fn takes(self, kind: &str) -> bool {
        match self {
            Self::Raw => true,
            Self::Text | Self::Timestamp | Self::OpenEnum => kind == "string",
            Self::Bool => kind == "boolean",
            Self::Integer => kind == "integer" || kind == "number",
            Self::List => kind == "array" || kind == "null",
            Self::Map => kind == "object" || kind == "null",
            Self::Struct => kind == "object",
        }
    }

    /// Whether the field is an `Items`, which may be absent or `null` whatever the contract says.
    pub(super) fn is_collection(self) -> bool {
        matches!(self, Self::List | Self::Map)
    }
}

/// Where a value stands, for who decodes it with the old types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Slot {
    /// It has to be there, and to have its type.
    Value,
    /// It may be absent, and so may be `null`.
    Optional,
    /// It is kept as text and not looked into.
    Raw,
    /// It is a parameter of an operation, which is given and never read.
    Parameter,
    /// It is the body of a notification, which is taken apart and is no type of its own.
    Body,
}

impl Slot {
    pub(super) fn of(field: &Field<'_>, outer: Self) -> Self {
        match (outer, field.need) {
            (Self::Raw, _) => Self::Raw,
            (_, Need::Required) => Self::Value,
            _ => Self::Optional,
        }
    }

    /// Whether code can name the fields of what stands here.
    pub(super) fn has_type(self) -> bool {
        !matches!(self, Self::Raw | Self::Body)
    }
}

/// Whether the old type of a field lets it be absent.
pub(super) fn may_be_absent(field: &Field<'_>, shape: &Shape<'_>, slot: Slot) -> bool {
    slot == Slot::Raw || field.need != Need::Required || Rust::of(shape).is_collection()
}

/// Whether the Rust type of a field is an `Option`.
pub(super) fn is_option(need: Need, shape: &Shape<'_>) -> bool {
    match Rust::of(shape) {
        rust if rust.is_collection() => false,
        Rust::Raw => need != Need::Required,
        _ => need != Need::Required || shape.nullable,
    }
}

/// Whether a field that has another name in JSON is the same field of the struct.
pub(super) fn is_same_in_rust(before: (&str, &Field<'_>), now: (&str, &Field<'_>)) -> bool {
    let is_option = |field: &Field<'_>| is_option(field.need, &field.node.shape());
    before.0.to_snake_case() == now.0.to_snake_case() && is_option(before.1) == is_option(now.1)
}
