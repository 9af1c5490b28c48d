//! What changed, in sentences without their end. What is of the contract stands in quotes.

use super::facts::Change;
use super::kind::Kind;
use super::words::and;

/// What a change reaches, as far as a reader wants to know.
pub(super) fn reaches(change: &Change, quote: &str) -> String {
    const SHOWN: usize = 8;
    let names = change.reaches.iter().take(SHOWN).map(|name| format!("{quote}{name}{quote}"));
    let rest = change.reaches.len().saturating_sub(SHOWN);
    and(names.chain((rest > 0).then(|| format!("{rest} more"))).collect())
}

/// Whether what is told of a change names what it reaches: it is not said twice.
pub(super) fn says_reach(changes: &[&Change]) -> bool {
    let is_told = |change: &Change, name: &String| {
        let told = [Some(&change.schema), change.old.as_ref(), change.new.as_ref()];
        told.into_iter().flatten().any(|text| text == name)
    };
    changes
        .first()
        .is_none_or(|first| first.reaches.iter().all(|name| changes.iter().any(|change| is_told(change, name))))
}

pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}

/// What a change is.
pub(super) fn sentence(change: &Change, quote: &str) -> String {
    format!("{} {}", subject(change, quote), predicate(change, quote, false))
}

/// What changes beside each other are: fields of one object, values of one enum, statuses of one operation.
pub(super) fn together(changes: &[&Change]) -> String {
    subject_of(changes) + " " + &predicate_of(changes, false)
}

/// What is the same of several things, said once; nothing where each is told by itself.
pub(super) fn of_several(changes: &[&Change]) -> Option<String> {
    let is_apart = |change: &&Change| {
        matches!(
            change.kind,
            Kind::EventTypeAdded
                | Kind::EventTypeRemoved
                | Kind::EventTypeRenamed
                | Kind::OperationRenamed
                | Kind::ServersChanged
        )
    };
    changes.first().filter(|first| !is_apart(first)).map(|_| predicate_of(changes, true))
}

pub(super) fn subject_of(changes: &[&Change]) -> String {
    match changes {
        [] => String::new(),
        [one] => subject(one, "`"),
        [first, ..] if matches!(first.kind, Kind::ResponseAdded | Kind::ResponseRemoved) => subject(first, "`"),
        [first, ..] => format!("`{}{}`", first.schema, owner(first).trim_start_matches('$')),
    }
}

fn predicate_of(changes: &[&Change], several: bool) -> String {
    let first = match changes {
        [] => return String::new(),
        [one] => return predicate(one, "`", several),
        [first, ..] => first,
    };
    let of = |change: &Change| change.new.as_ref().or(change.old.as_ref()).cloned().unwrap_or_default();
    let values = || and(changes.iter().map(|change| format!("`{}`", of(change))).collect());
    let field = |change: &&Change| format!("`{}` ({})", last(change), of(change));
    let fields = || and(changes.iter().map(field).collect());
    let (has, is, answers) = if several { ("have", "are", "answer") } else { ("has", "is", "answers") };
    match first.kind {
        Kind::FieldAdded => format!("{has} new fields: {}", fields()),
        Kind::FieldRemoved => format!("{has} no longer: {}", fields()),
        Kind::EnumValueAdded => format!("may be {} too", values()),
        Kind::EnumValueRemoved => format!("{is} no longer {}", values()),
        Kind::ResponseAdded => format!("may answer {} too", values()),
        _ => format!("no longer {answers} {}", values()),
    }
}

/// The path of what has the field, the value or the status.
fn owner(change: &Change) -> &str {
    match change.kind {
        Kind::EnumValueAdded | Kind::EnumValueRemoved => &change.path,
        _ => change.path.rsplit_once('.').map_or("$", |(owner, _)| owner),
    }
}

fn last(change: &Change) -> &str {
    change.path.rsplit('.').next().unwrap_or_default()
}

/// Runs of changes that are told in one sentence.
pub(super) fn beside<'c, 'a>(changes: &'c [&'a Change]) -> Vec<&'c [&'a Change]> {
    let are_beside = |one: &&Change, other: &&Change| {
        let place = |change: &Change| (change.document.clone(), change.schema.clone(), owner(change).to_owned());
        let is_listed = matches!(
            one.kind,
            Kind::FieldAdded
                | Kind::FieldRemoved
                | Kind::EnumValueAdded
                | Kind::EnumValueRemoved
                | Kind::ResponseAdded
                | Kind::ResponseRemoved
        );
        is_listed && one.kind == other.kind && place(one) == place(other) && one.reaches == other.reaches
    };
    changes.chunk_by(are_beside).collect()
}

/// What a sentence tells of.
fn subject(change: &Change, quote: &str) -> String {
    let q = |text: &str| format!("{quote}{text}{quote}");
    let named = |name: &Option<String>| q(name.as_deref().unwrap_or("nothing"));
    match change.kind {
        Kind::EventTypeAdded => format!("event {}", named(&change.new)),
        Kind::EventTypeRemoved | Kind::EventTypeRenamed => format!("event {}", named(&change.old)),
        Kind::OperationRenamed => format!("operation {}", named(&change.old)),
        Kind::ServersChanged => "the servers".to_owned(),
        Kind::SecurityChanged if change.schema.is_empty() => "the operations".to_owned(),
        Kind::OperationMoved
        | Kind::TagChanged
        | Kind::ParameterAdded
        | Kind::ParameterRemoved
        | Kind::ParameterRenamed
        | Kind::RequestBodyAdded
        | Kind::RequestBodyRemoved
        | Kind::ResponseAdded
        | Kind::ResponseRemoved
        | Kind::ResponseRenamed
        | Kind::SecurityChanged => q(&change.schema),
        _ => match (change.schema.as_str(), change.path.as_str()) {
            (schema, "$") => q(schema),
            ("", path) => q(path.trim_start_matches("$.")),
            (schema, path) => q(&format!("{schema}{}", path.trim_start_matches('$'))),
        },
    }
}

/// What is told of one thing, or of `several`.
fn predicate(change: &Change, quote: &str, several: bool) -> String {
    let q = |text: &str| format!("{quote}{text}{quote}");
    let (old, new) = (change.old.as_deref(), change.new.as_deref());
    let (was, now) = (old.unwrap_or("nothing"), new.unwrap_or("nothing"));
    let verb = |one: &'static str, many: &'static str| if several { many } else { one };
    let (is, had, has, does, takes) =
        (verb("is", "are"), verb("was", "were"), verb("has", "have"), verb("does", "do"), verb("takes", "take"));
    let kind = change.kind.words();
    match change.kind {
        Kind::EventTypeAdded => "is new".to_owned(),
        Kind::EventTypeRemoved => "is gone".to_owned(),
        Kind::EventTypeRenamed | Kind::OperationRenamed => format!("is called {} now", q(now)),
        Kind::SchemaAdded | Kind::FieldAdded | Kind::OperationAdded => format!("{is} new: {now}"),
        Kind::SchemaRemoved | Kind::FieldRemoved | Kind::OperationRemoved => format!("{is} gone: {was}"),
        Kind::FieldRenamed => format!("{is} called {} now", q(now)),
        Kind::FieldMoved => format!("{is} {} now", q(now.trim_start_matches("$."))),
        Kind::BecameRequired => format!("{is} required now, and {had} {was}"),
        Kind::BecameOptional => format!("{is} optional now, and {had} {was}"),
        Kind::BecameConditional | Kind::ConditionChanged => format!("{had} {was}; now it takes {now}"),
        Kind::TypeWidened => format!("may be {now} now, and {had} {was}"),
        Kind::TypeNarrowed => format!("{has} to be {now} now, and could be {was}"),
        Kind::TypeChanged | Kind::OperationChanged => format!("{is} {now} now, and {had} {was}"),
        Kind::EnumIntroduced => format!("{has} to be {now} now, and could be any {was}"),
        Kind::EnumDropped => format!("may be any {now} now, and {had} {was}"),
        Kind::EnumValueAdded | Kind::ContentTypeAdded => format!("may be {} too", q(now)),
        Kind::EnumValueRemoved | Kind::ContentTypeRemoved => format!("{is} never {} any more", q(was)),
        Kind::EnumValueRenamed => format!("{} {} for {}", verb("says", "say"), q(now), q(was)),
        Kind::BoundChanged | Kind::FormatChanged | Kind::DefaultChanged | Kind::KeywordChanged => match (old, new) {
            (None, _) => format!("{} {} now", verb("says", "say"), q(now)),
            (_, None) => format!("no longer {} {}", verb("says", "say"), q(was)),
            _ => format!("{} {} now, and said {}", verb("says", "say"), q(now), q(was)),
        },
        Kind::ReadOnlyChanged | Kind::WriteOnlyChanged => match new {
            Some(_) => format!("{is} {} now", kind.trim_end_matches(" changed")),
            None => format!("{is} no longer {}", kind.trim_end_matches(" changed")),
        },
        Kind::Deprecated | Kind::NoLongerDeprecated => format!("{is} {kind}"),
        Kind::OtherFieldsRefused | Kind::OtherFieldsAllowed => {
            format!("{takes} {now} in fields that it does not name, and took {was}")
        }
        Kind::OperationMoved => format!("{is} at {} now, and {had} at {}", q(now), q(was)),
        Kind::TagChanged => format!("{is} under the tag {now} now, and {had} under {was}"),
        Kind::ParameterAdded => format!("{takes} the {now} parameter {}", q(last(change))),
        Kind::ParameterRemoved => format!("{does} not take the {was} parameter {} any more", q(last(change))),
        Kind::ParameterRenamed => format!("{} its parameter {} {} now", verb("calls", "call"), q(was), q(now)),
        Kind::RequestBodyAdded => format!("{takes} an {now}"),
        Kind::RequestBodyRemoved => format!("{does} not take {was} any more"),
        Kind::ResponseAdded => format!("may answer {} too", q(now)),
        Kind::ResponseRemoved => format!("{does} not answer {} any more", q(was)),
        Kind::ResponseRenamed => format!("{} {} where it answered {}", verb("answers", "answer"), q(now), q(was)),
        Kind::SecurityChanged if change.schema.is_empty() => format!("are called with {now} now, and were with {was}"),
        Kind::SecurityChanged => format!("{is} called with {now} now, and {had} with {was}"),
        Kind::ServersChanged => format!("are {now} now, and were {was}"),
    }
}
