//! Tells changes in sentences without a full stop. Quotes mark names of the contract.

pub(crate) mod markdown;
pub(crate) mod report;

use crate::diff::effects::reach::Change;
use crate::diff::facts::kind::{IS_NAMED, Kind, OWNER, PLACE, SAYS};
use crate::diff::facts::words::and;

/// Lists the first events and operations that a change reaches, and the number of the others.
pub(crate) fn reaches(change: &Change, quote: &str) -> String {
    const SHOWN: usize = 8;
    let names = change.reaches.iter().take(SHOWN).map(|name| format!("{quote}{name}{quote}"));
    let rest = change.reaches.len().saturating_sub(SHOWN);
    and(names.chain((rest > 0).then(|| format!("{rest} more"))).collect())
}

/// Whether the sentence about the changes already names everything that they reach.
pub(crate) fn says_reach(changes: &[&Change]) -> bool {
    let is_told = |change: &Change, name: &String| {
        let told = [Some(&change.place.schema), change.old.as_ref(), change.new.as_ref()];
        told.into_iter().flatten().any(|text| text == name)
    };
    let reached = changes.first().into_iter().flat_map(|first| &first.reaches);
    reached.into_iter().all(|name| changes.iter().any(|change| is_told(change, name)))
}

pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}

/// The sentence about a change, or about several of one owner.
pub(crate) fn sentence(changes: &[&Change], quote: &str) -> String {
    subject(changes, quote) + " " + &predicate(changes, quote, false)
}

/// The predicate that several subjects can share; `None` if each needs its own sentence.
pub(crate) fn of_several(changes: &[&Change]) -> Option<String> {
    let told = changes.first().filter(|first| [OWNER, PLACE].contains(&first.kind.said().subject));
    told.map(|_| predicate(changes, "`", true))
}

/// Groups changes that share a sentence: fields of one object, values of one enum, statuses of one operation.
pub(crate) fn beside<'c, 'a>(changes: &'c [&'a Change]) -> Vec<&'c [&'a Change]> {
    let are_beside = |one: &&Change, other: &&Change| {
        let told = |change: &Change| (change.kind, owner(change).to_owned(), change.reaches.clone());
        let [here, there] = [&one.place, &other.place];
        let is_one = (&here.document, &here.schema) == (&there.document, &there.schema);
        one.kind.said().of_list.is_some() && is_one && told(one) == told(other)
    };
    changes.chunk_by(are_beside).collect()
}

/// Returns the path of the object, the enum or the operation that changed.
fn owner(change: &Change) -> &str {
    match change.kind {
        Kind::EnumValueAdded | Kind::EnumValueRemoved => &change.place.path,
        _ => change.place.path.rsplit_once('.').map_or("$", |(owner, _)| owner),
    }
}

/// The subject of the sentence.
pub(crate) fn subject(changes: &[&Change], quote: &str) -> String {
    let template = match changes.first() {
        Some(change) if is_of_all(change) => "the operations",
        Some(change) => change.kind.said().subject,
        None => "",
    };
    fill(template, changes, quote, false)
}

/// The predicate of the sentence, for one subject or `several`.
fn predicate(changes: &[&Change], quote: &str, several: bool) -> String {
    let Some(change) = changes.first() else { return String::new() };
    let said = change.kind.said();
    let template = match (said.of_list, said.sentence) {
        (Some(list), _) if changes.len() > 1 => list,
        (_, IS_NAMED) if change.new.is_none() => "{is} no longer {name}",
        (_, SAYS) if change.old.is_none() => "{has} `{new}` now",
        (_, SAYS) if change.new.is_none() => "no longer {has} `{old}`",
        (_, sentence) => sentence,
    };
    fill(template, changes, quote, several || is_of_all(change))
}

/// Whether the change concerns all operations of a document.
fn is_of_all(change: &Change) -> bool {
    change.kind.said().subject == OWNER && change.place.schema.is_empty()
}

fn fill(template: &str, changes: &[&Change], quote: &str, several: bool) -> String {
    let template = template.replace('`', quote);
    let mut parts = template.split('{');
    let begin = parts.next().unwrap_or_default().to_owned();
    let words = parts.filter_map(|part| part.split_once('}'));
    words.fold(begin, |text, (name, rest)| text + &word(name, changes, several) + rest)
}

/// Returns the text for a word in braces.
fn word(name: &str, changes: &[&Change], several: bool) -> String {
    let Some(change) = changes.first() else { return String::new() };
    let last = |change: &Change| change.place.path.rsplit('.').next().unwrap_or_default().to_owned();
    let text = |change: &Change| change.new.as_ref().or(change.old.as_ref()).cloned().unwrap_or_default();
    let list = |of: &dyn Fn(&Change) -> String| and(changes.iter().map(|change| of(change)).collect());
    let [old, new] = [&change.old, &change.new].map(|text| text.as_deref().unwrap_or("nothing"));
    let path = if changes.len() > 1 { owner(change) } else { &change.place.path };
    match name {
        "old" => old.to_owned(),
        "new" => new.to_owned(),
        "path" => new.trim_start_matches("$.").to_owned(),
        "owner" => change.place.schema.clone(),
        "place" if change.place.schema.is_empty() => path.trim_start_matches("$.").to_owned(),
        "place" => change.place.schema.clone() + path.trim_start_matches('$'),
        "last" => last(change),
        "name" => change.kind.words().trim_end_matches(" changed").to_owned(),
        "fields" => list(&|change| format!("`{}` ({})", last(change), text(change))),
        "values" => list(&|change| format!("`{}`", text(change))),
        verb => if several { plural(verb) } else { verb }.to_owned(),
    }
}

fn plural(verb: &str) -> &str {
    match verb {
        "is" => "are",
        "was" => "were",
        "has" => "have",
        "does" => "do",
        regular => regular.trim_end_matches('s'),
    }
}
