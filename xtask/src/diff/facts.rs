//! What changed: the facts, before it is known whom they affect.

use super::kind::Kind;
use super::seen::{Seen, SeenField};
use crate::model::{Location, Need, Place, Type};

/// A change where it was found.
#[derive(Clone)]
pub(super) struct Fact<'m> {
    pub(super) place: Place,
    pub(super) kind: Kind,
    /// What tells changes of one kind in one place apart: the value of an enum, the name of a keyword.
    pub(super) subject: String,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
    pub(super) about: About<'m>,
}

impl<'m> Fact<'m> {
    pub(super) fn new(place: &Place, kind: Kind, [old, new]: [Option<String>; 2], about: About<'m>) -> Self {
        Self { place: place.clone(), kind, subject: String::new(), old, new, about }
    }

    pub(super) fn of(self, subject: &str) -> Self {
        Self { subject: subject.to_owned(), ..self }
    }
}

/// What decides whom a change affects, beside its kind.
#[derive(Clone)]
pub(super) enum About<'m> {
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
    /// A field of two objects, as each has it.
    Field { old: Seen<'m>, new: Seen<'m>, slot: Slot, before: Option<SeenField<'m>>, now: Option<SeenField<'m>> },
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

impl<'m> About<'m> {
    pub(super) fn of_field(
        (old, before): (&Seen<'m>, Option<SeenField<'m>>),
        (new, now): (&Seen<'m>, Option<SeenField<'m>>),
        slot: Slot,
    ) -> Self {
        Self::Field { old: old.clone(), new: new.clone(), slot, before, now }
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
    /// It is the body of an event, which is taken apart and is no type of its own.
    Body,
}

impl Slot {
    pub(super) const ALL: [Self; 5] = [Self::Value, Self::Optional, Self::Raw, Self::Parameter, Self::Body];

    pub(super) fn of(need: Need, outer: Self) -> Self {
        match (outer, need) {
            (Self::Raw, _) => Self::Raw,
            (_, Need::Required) => Self::Value,
            _ => Self::Optional,
        }
    }

    /// That of an item of a list here, or of a value of a map.
    pub(super) fn inner(self) -> Self {
        if self == Self::Raw { Self::Raw } else { Self::Value }
    }

    /// Whether code can name the fields of what stands here.
    pub(super) fn has_type(self) -> bool {
        !matches!(self, Self::Raw | Self::Body)
    }
}
