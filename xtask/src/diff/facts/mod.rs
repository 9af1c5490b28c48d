//! What changed: the facts, before it is known whom they affect.
//!
//! `walk` and `fields` compare schemas (as `seen`), `operations` and `roots` what leads to them; `names` tells what is renamed,
//! and `words` what a schema is.

pub(in crate::diff) mod fields;
pub(in crate::diff) mod kind;
pub(in crate::diff) mod names;
pub(in crate::diff) mod operations;
pub(in crate::diff) mod roots;
pub(in crate::diff) mod seen;
pub(in crate::diff) mod walk;
pub(in crate::diff) mod words;

use crate::model::{Location, Need, Place, Type};
use kind::Kind;
use seen::{Seen, SeenField};

/// A change where it was found.
#[derive(Clone)]
pub(in crate::diff) struct Fact<'m> {
    pub(in crate::diff) place: Place,
    pub(in crate::diff) kind: Kind,
    /// What tells changes of one kind in one place apart: the value of an enum, the name of a keyword.
    pub(in crate::diff) subject: String,
    pub(in crate::diff) old: Option<String>,
    pub(in crate::diff) new: Option<String>,
    pub(in crate::diff) about: About<'m>,
}

impl<'m> Fact<'m> {
    pub(in crate::diff) fn new(place: &Place, kind: Kind, [old, new]: [Option<String>; 2], about: About<'m>) -> Self {
        Self { place: place.clone(), kind, subject: String::new(), old, new, about }
    }

    pub(in crate::diff) fn of(self, subject: &str) -> Self {
        Self { subject: subject.to_owned(), ..self }
    }
}

/// What decides whom a change affects, beside its kind.
#[derive(Clone)]
pub(in crate::diff) enum About<'m> {
    /// Nothing.
    Itself,
    /// Whether it gives more than it takes: fields without a name are allowed, all servers are there still.
    More(bool),
    /// Two values, and where they stand for who decodes them.
    Values { old: Seen<'m>, new: Seen<'m>, slot: Slot },
    /// The types that are new, and whether some are gone.
    Types { old: Seen<'m>, new: Seen<'m>, more: Vec<Type>, fewer: bool, slot: Slot },
    /// A keyword that both may have, with what they said.
    Keyword { old: Seen<'m>, new: Seen<'m>, slot: Slot },
    /// A field of two objects.
    Field(Box<OfField<'m>>),
    /// A value of an enum, and whether code can name it.
    EnumValue { is_named: bool },
    /// A schema that nothing refers to, and whether it has a type.
    Schema { has_type: bool },
    /// Part of a request, and whether it is or becomes required; where it is a parameter that goes on, what it was.
    Request { what: &'static str, required: bool, was: Option<(Location, bool)> },
    /// An answer: whether it is one of success, and whether the others answer the same.
    Answer { succeeds: bool, same: bool },
    /// The ways to authenticate that are no longer taken.
    Refused(Vec<String>),
}

/// A field of two objects, as each has it.
#[derive(Clone)]
pub(in crate::diff) struct OfField<'m> {
    pub(in crate::diff) old: Seen<'m>,
    pub(in crate::diff) new: Seen<'m>,
    pub(in crate::diff) slot: Slot,
    pub(in crate::diff) before: Option<SeenField<'m>>,
    pub(in crate::diff) now: Option<SeenField<'m>>,
}

impl<'m> About<'m> {
    fn of_field(
        (old, before): (&Seen<'m>, Option<SeenField<'m>>),
        (new, now): (&Seen<'m>, Option<SeenField<'m>>),
        slot: Slot,
    ) -> Self {
        Self::Field(Box::new(OfField { old: old.clone(), new: new.clone(), slot, before, now }))
    }
}

/// Where a value stands, for who decodes it with the old types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::diff) enum Slot {
    /// It has to be there, and to have its type.
    Value,
    /// It may be absent, and so may be `null`.
    Optional,
    /// It is kept as text and not looked into.
    Raw,
    /// It is a parameter of an operation, which is given and never read.
    Parameter,
    /// It is the body of an event, which is taken apart and is no type of its own.
    Body,
}

impl Slot {
    pub(in crate::diff) const ALL: [Self; 5] = [Self::Value, Self::Optional, Self::Raw, Self::Parameter, Self::Body];

    pub(in crate::diff) fn of(need: Need, outer: Self) -> Self {
        match (outer, need) {
            (Self::Raw, _) => Self::Raw,
            (_, Need::Required) => Self::Value,
            _ => Self::Optional,
        }
    }

    /// That of an item of a list here, or of a value of a map.
    pub(in crate::diff) fn inner(self) -> Self {
        if self == Self::Raw { Self::Raw } else { Self::Value }
    }

    /// Whether code can name the fields of what stands here.
    pub(in crate::diff) fn has_type(self) -> bool {
        !matches!(self, Self::Raw | Self::Body)
    }
}
