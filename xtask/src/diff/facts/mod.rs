//! What changed: the facts, before it is known whom they affect.
//!
//! `walk` and `fields` compare schemas (as `seen`), `operations` and `roots` what leads to them; `names` tells what is renamed,
//! and `words` what a schema is.

pub(crate) mod fields;
pub(crate) mod kind;
pub(crate) mod names;
pub(crate) mod operations;
pub(crate) mod roots;
pub(crate) mod seen;
pub(crate) mod walk;
pub(crate) mod words;

use crate::model::{Location, Place, Type};
use kind::Kind;
use seen::{Pair, SeenField};

/// A change where it was found.
#[derive(Clone)]
pub(crate) struct Fact<'m> {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
    /// What tells changes of one kind in one place apart: the value of an enum, the name of a keyword.
    pub(crate) subject: String,
    pub(crate) old: Option<String>,
    pub(crate) new: Option<String>,
    pub(crate) about: About<'m>,
}

impl<'m> Fact<'m> {
    pub(crate) fn new(place: &Place, kind: Kind, [old, new]: [Option<String>; 2], about: About<'m>) -> Self {
        Self { place: place.clone(), kind, subject: String::new(), old, new, about }
    }

    pub(crate) fn changed(place: &Place, kind: Kind, texts: [impl Into<String>; 2], about: About<'m>) -> Self {
        Self::new(place, kind, texts.map(|text| Some(text.into())), about)
    }

    /// What only one of both has is gone or new, of which each is a kind.
    pub(crate) fn alone(
        place: &Place,
        kinds: [Kind; 2],
        is_new: bool,
        text: impl Into<String>,
        about: About<'m>,
    ) -> Self {
        let [gone, added] = kinds;
        match is_new {
            true => Self::new(place, added, [None, Some(text.into())], about),
            false => Self::new(place, gone, [Some(text.into()), None], about),
        }
    }

    pub(crate) fn of(self, subject: &str) -> Self {
        Self { subject: subject.to_owned(), ..self }
    }
}

/// What decides whom a change affects, beside its kind.
#[derive(Clone)]
pub(crate) enum About<'m> {
    /// Nothing.
    Itself,
    /// Whether it gives more than it takes: fields without a name are allowed, all servers are there still.
    More(bool),
    /// Two values, of which something is said.
    Values(Pair<'m>),
    /// The types that are new, and whether some are gone.
    Types { of: Pair<'m>, more: Vec<Type>, fewer: bool },
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
pub(crate) struct OfField<'m> {
    pub(crate) of: Pair<'m>,
    pub(crate) before: Option<SeenField<'m>>,
    pub(crate) now: Option<SeenField<'m>>,
}

impl<'m> About<'m> {
    pub(crate) fn of_field(of: &Pair<'m>, before: Option<SeenField<'m>>, now: Option<SeenField<'m>>) -> Self {
        Self::Field(Box::new(OfField { of: of.clone(), before, now }))
    }
}
