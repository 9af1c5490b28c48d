//! A change, and what it does to whom.

use serde::Serialize;

use super::Verdict;
use crate::diff::facts::kind::Kind;
use crate::model::Place;

/// A change of the contract.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::diff) struct Change {
    pub(in crate::diff) document: String,
    pub(in crate::diff) schema: String,
    pub(in crate::diff) path: String,
    /// The crate in which it is first seen.
    #[serde(skip)]
    pub(in crate::diff) package: String,
    pub(in crate::diff) kind: Kind,
    pub(in crate::diff) old: Option<String>,
    pub(in crate::diff) new: Option<String>,
    /// The events and operations that it is a change of.
    pub(in crate::diff) reaches: Vec<String>,
    pub(in crate::diff) inbound: Verdict,
    pub(in crate::diff) inbound_closed: Verdict,
    pub(in crate::diff) outbound: Verdict,
    pub(in crate::diff) source: Verdict,
    pub(in crate::diff) reason: String,
}

impl Change {
    pub(in crate::diff) fn place(&self) -> Place {
        Place { path: self.path.clone(), ..Place::new(&self.document, &self.schema) }
    }

    /// The worst that it does to anyone.
    pub(in crate::diff) fn verdict(&self) -> Verdict {
        self.inbound.max(self.outbound).max(self.source)
    }
}
