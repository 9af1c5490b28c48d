//! What changed: the facts.

use serde::Serialize;

use super::effects::{Effects, Verdict};
use super::kind::Kind;
use crate::model::Place;

/// A change where it was found, before it is known what it reaches.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) place: Place,
    pub(super) kind: Kind,
    /// What tells changes of one kind in one place apart: the value of an enum, the name of a keyword.
    pub(super) subject: String,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
    pub(super) effects: Effects,
}

impl Finding {
    pub(super) fn new(place: Place, kind: Kind, old: Option<String>, new: Option<String>, effects: Effects) -> Self {
        Self { place, kind, subject: String::new(), old, new, effects }
    }

    pub(super) fn of(self, subject: &str) -> Self {
        Self { subject: subject.to_owned(), ..self }
    }
}

/// A change of the contract.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Change {
    pub(super) document: String,
    pub(super) schema: String,
    pub(super) path: String,
    /// The crate in which it is first seen.
    #[serde(skip)]
    pub(super) package: String,
    pub(super) kind: Kind,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
    /// The events and operations that it is a change of.
    pub(super) reaches: Vec<String>,
    pub(super) inbound: Verdict,
    pub(super) inbound_closed: Verdict,
    pub(super) outbound: Verdict,
    pub(super) source: Verdict,
    pub(super) reason: String,
}

impl Change {
    pub(super) fn place(&self) -> Place {
        Place { path: self.path.clone(), ..Place::new(&self.document, &self.schema) }
    }

    /// The worst that it does to anyone.
    pub(super) fn verdict(&self) -> Verdict {
        self.inbound.max(self.outbound).max(self.source)
    }
}
