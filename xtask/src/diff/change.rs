//! A change, and what it does to whom.

use serde::Serialize;

use super::effects::Verdict;
use super::kind::Kind;
use crate::model::Place;

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
