//! Finds what changed: the facts, without a verdict.
//!
//! `roots` and `operations` find the schemas to compare. `walk` and `fields` compare them, in the form that `seen`
//! gives them. `names` recognises renames, and `words` describes a schema.

pub(crate) mod fields;
pub(crate) mod kind;
pub(crate) mod names;
pub(crate) mod operations;
pub(crate) mod roots;
pub(crate) mod seen;
pub(crate) mod walk;
pub(crate) mod words;

use crate::model::{Form, Location, Place, Type};
use kind::Kind;
use seen::{Pair, SeenField};

/// A change, at the place where the comparison found it.
#[derive(Clone)]
pub(crate) struct Fact<'m> {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
    /// Distinguishes changes of one kind at one place: the value of an enum, the name of a keyword.
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

    /// A change of something that only one contract has. `kinds` are the kind if it is gone, and if it is new.
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

/// What decides, beside the kind of a change, whom it affects.
#[derive(Clone)]
pub(crate) enum About<'m> {
    /// The kind alone decides.
    Itself,
    /// Whether the new contract allows more: undeclared fields, say, or all servers of the old one.
    More(bool),
    /// The two schemas that carry the changed keyword.
    Values(Pair<'m>),
    /// The new types, and whether the schema lost others.
    Types { of: Pair<'m>, more: Vec<Type>, fewer: bool },
    /// A field in both objects.
    Field(Box<OfField<'m>>),
    /// An enum value, and whether code can name its variant.
    EnumValue { is_named: bool },
    /// A schema that nothing refers to, and whether it has a Rust type.
    Schema { has_type: bool },
    /// A part of a request, and whether it is required now. `was` has the old location and need of a renamed parameter.
    Request { what: &'static str, required: bool, was: Option<(Location, bool)> },
    /// A body of a request, or of a response: whether its status is a success, and whether the other successful ones have
    /// the same body. `forms` has what the client writes or decodes before and after, which differ if this change matters.
    Content { sent: bool, succeeds: bool, same: bool, forms: [Form; 2] },
    /// An operation at another address, and whether parameters of the path change places.
    Moved { swapped: bool },
    /// The ways to authenticate that the API no longer accepts.
    Refused(Vec<String>),
}

/// A field as the old and the new object have it.
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
