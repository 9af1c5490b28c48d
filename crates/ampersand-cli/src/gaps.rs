//! Finds the parts of a payload that were too large to send, and inserts them into its text.

use std::borrow::Cow;
use std::ops::Range;

use ampersand_aws::__private::Members;
use ampersand_notifications::Delivery;
use ampersand_types::{ConfigSource, RawJson, SignedUrl};
use serde_json::value::RawValue;

/// The place of a value that has to be downloaded.
pub(crate) struct Gap {
    pub(crate) member: &'static str,
    pub(crate) url: SignedUrl,
    /// The value in this place, or the value before it if the member is absent.
    range: Range<usize>,
    is_absent: bool,
}

/// The member of a data message that holds its records.
pub(crate) const RESULT: &str = "result";

impl Gap {
    /// Inserts a value. Gaps are filled from the last to the first, so that earlier positions stay valid.
    pub(crate) fn fill(&self, data: &mut String, value: &str) {
        if self.is_absent {
            data.insert_str(self.range.end, &format!(",\"{}\":{value}", self.member));
        } else {
            data.replace_range(self.range.clone(), value);
        }
    }
}

/// Returns the body of a delivery, with the values that were downloaded into the delivery.
pub(crate) fn filled(delivery: &Delivery) -> Cow<'_, str> {
    let (body, data) = (delivery.raw().body(), delivery.raw().data());
    let mut payload = data.to_owned();
    for gap in gaps(data, matches!(delivery, Delivery::Records(_))).iter().rev() {
        if let Some(value) = value(delivery, gap.member) {
            gap.fill(&mut payload, &value);
        }
    }
    let start = data.as_ptr() as usize - body.as_ptr() as usize;
    match (body.get(..start), body.get(start + data.len()..)) {
        (Some(before), Some(after)) if payload != data => [before, &payload, after].concat().into(),
        _ => body.into(),
    }
}

/// Returns the value of a member that may have been too large to send.
fn value(delivery: &Delivery, member: &str) -> Option<String> {
    match delivery {
        Delivery::Notification(notification) => {
            let mut sources = notification.event.config_sources().into_iter();
            sources.find_map(|(name, source)| match source {
                ConfigSource::Inline(config) if name == member => Some(config.as_str().to_owned()),
                _ => None,
            })
        }
        Delivery::Records(records) if records.message.result.is_empty() => None,
        Delivery::Records(records) => serde_json::to_string(&records.message.result).ok(),
    }
}

/// Returns the gaps of a payload, in order. It searches the text instead of the typed event, so that the rest of the
/// text stays unchanged, and new types work too.
pub(crate) fn gaps(data: &str, is_records: bool) -> Vec<Gap> {
    let Ok(payload) = serde_json::from_str::<Members<'_>>(data) else { return Vec::new() };
    let range = |value: &RawValue| {
        let start = value.get().as_ptr() as usize - data.as_ptr() as usize;
        start..start + value.get().len()
    };
    let gap = |member, url, inline: Option<&RawValue>, neighbour: &RawValue| {
        Some(Gap { member, url, range: range(inline.unwrap_or(neighbour)), is_absent: inline.is_none() })
    };
    let configuration = |(member, url_member)| {
        let neighbour = payload.get(url_member)?;
        let url: SignedUrl = serde_json::from_str(neighbour.get()).ok()?;
        let inline = payload.get(member);
        let value = inline.and_then(|inline| RawJson::new(inline.get()).ok());
        let is_gap = matches!(ConfigSource::new(value.as_ref(), Some(&url)), ConfigSource::Url(_));
        is_gap.then(|| gap(member, url, inline, neighbour)).flatten()
    };
    let records = || {
        let neighbour = payload.get("resultInfo")?;
        let info: Members<'_> = serde_json::from_str(neighbour.get()).ok()?;
        let url: SignedUrl = serde_json::from_str(info.get("downloadUrl")?.get()).ok()?;
        let inline = payload.get(RESULT);
        let is_empty = inline.is_none_or(is_empty_list);
        (is_empty && !url.expose_secret().is_empty()).then(|| gap(RESULT, url, inline, neighbour)).flatten()
    };
    if is_records {
        return records().into_iter().collect();
    }
    let members = [("config", "configURL"), ("lastConfig", "lastConfigURL")];
    let mut gaps: Vec<Gap> = members.into_iter().filter_map(configuration).collect();
    gaps.sort_by_key(|gap| gap.range.start);
    gaps
}

fn is_empty_list(value: &RawValue) -> bool {
    let tokens = value.get().bytes().filter(|byte| !byte.is_ascii_whitespace());
    value.get() == "null" || tokens.eq(*b"[]")
}
