//! Decides whom a change affects: programs that decode, programs that send, and code that is compiled anew. This is the one
//! table of severities.
//!
//! The table assumes the code that `generate` makes of the old contract. Its structs keep unknown fields in
//! `other_fields`, its enums are open, and all are `non_exhaustive`, so additions break no code. Its types ignore
//! bounds, patterns and formats other than `date-time`. The required fields of a request are arguments of the function
//! that makes it.
//!
//! `reach` turns facts into changes, each with everything that it reaches. `semver` decides the next versions of the
//! crates.

pub(crate) mod reach;
pub(crate) mod semver;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::diff::facts::kind::Kind;
use crate::diff::facts::seen::{Pair, Seen, SeenField, Slot, is_met};
use crate::diff::facts::{About, Fact, OfField};
use crate::model::names::{pascal, snake};
use crate::model::{Form, Location, Need, Others, Rust, Type, may_be_absent};
use Who::{Answered, Closed, Inbound, OnlySent, Outbound, Received, Sent, Source};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    #[default]
    Compatible,
    /// It works, but somebody should look at it.
    Warning,
    Breaking,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// A program with the old types decodes values of the new contract.
    Inbound,
    /// The same for the response of an operation: the program asked for the fields that it reads.
    Answered,
    /// The same as `Inbound`, if its enums were closed.
    Closed,
    /// A program sends values of the old types, and the new contract decides whether they are valid.
    Outbound,
    /// Code written for the old crate is compiled with the new one.
    Source,
    /// The same for a type that programs send: its constructor takes the required fields.
    Sent,
    /// The same for a type that programs only send. In other types, lists and maps are never required.
    OnlySent,
    /// The same for a type that programs receive, in which a required `writeOnly` field is an `Option`.
    Received,
}

/// A verdict, and a sentence that gives the reason; empty without one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Effect {
    pub(crate) verdict: Verdict,
    pub(crate) why: String,
}

/// The effects of a change, by whom it affects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects {
    of: BTreeMap<Who, Effect>,
    /// The sentence for a change that breaks nobody.
    pub(crate) fine: &'static str,
}

impl Effects {
    pub(crate) fn of(&self, who: Who) -> Effect {
        self.of.get(&who).cloned().unwrap_or_default()
    }

    pub(crate) fn warns(mut self, who: Who, why: &str) -> Self {
        self.of.insert(who, Effect { verdict: Verdict::Warning, why: why.to_owned() });
        self
    }

    pub(crate) fn breaks(mut self, who: Who, why: &str) -> Self {
        self.of.insert(who, Effect { verdict: Verdict::Breaking, why: why.to_owned() });
        self
    }

    fn breaks_if(self, is: bool, who: Who, why: &str) -> Self {
        if is { self.breaks(who, why) } else { self }
    }

    /// Gives `who` the effect on `to`, if that is worse.
    pub(crate) fn raise(&mut self, who: Who, to: Who) {
        let worst = self.of(who).max(self.of(to));
        self.of.insert(who, worst);
    }

    pub(crate) fn spare(&mut self, who: Who) {
        self.of.remove(&who);
    }

    /// Breaks code that constructs a request, because the constructor takes other arguments.
    fn arguments(self, is: bool, of: &SeenField<'_>) -> Self {
        let who = if of.value.whole().node.rust().is_collection() { OnlySent } else { Sent };
        self.breaks_if(is, who, ARGUMENTS)
    }

    /// Takes the worse effects of two ways to the same change.
    pub(crate) fn join(&mut self, other: Self) {
        for (who, effect) in other.of {
            let worst = self.of(who).max(effect);
            self.of.insert(who, worst);
        }
    }
}

const ANOTHER: &str = "the client decodes the response as that of another status";
const ARGUMENTS: &str = "the constructor of a request takes other arguments";
const OPTION: &str = "the field becomes an `Option`";
const NO_OPTION: &str = "the field is no longer an `Option`";
const CLOSED: &str = "a closed enum refuses the value";
const IGNORED: &str = "the API ignores the parameter now";
const LACKING: &str = "a value built with the old types lacks a required field";
const MISSING: &str = "the old types refuse a payload without the field, which they require";
const ONE_MORE: &str = "the operation takes one more argument";
const OTHER_RESPONSE: &str = "the response has another Rust type";
const OTHER_TYPE: &str = "the field has another Rust type";
const REFUSED: &str = "the new contract refuses a value that the old types can send";
const UNKNOWN_FIELD: &str = "the old types keep the field in `other_fields`";

fn fine(fine: &'static str) -> Effects {
    Effects { fine, ..Effects::default() }
}

fn warns(who: Who, why: &str) -> Effects {
    fine("").warns(who, why)
}

fn breaks(who: Who, why: &str) -> Effects {
    fine("").breaks(who, why)
}

/// Returns the effects of a change.
pub(crate) fn effects(fact: &Fact<'_>) -> Effects {
    match (fact.kind, &fact.about) {
        (_, About::Field(field)) => of_field(fact, field),
        (_, About::Types { of, more, fewer }) => of_types(of, more, *fewer),
        (_, About::Values(of)) => of_values(fact, of),

        (Kind::EventTypeAdded, _) => fine("programs with the old types get the event as `Event::Unknown`")
            .breaks(Closed, "a closed enum refuses the type"),
        (Kind::EventTypeRemoved, _) => warns(Inbound, "programs that wait for the event get none")
            .breaks(Outbound, "the contract no longer has the event")
            .breaks(Source, "the variants of `Event` and `NotificationType` are gone"),
        (Kind::EventTypeRenamed, _) => {
            let unknown = "programs get the event as `Event::Unknown`, and code for its old name no longer runs";
            let other_name = "the variants of `Event` and `NotificationType` have another name";
            warns(Inbound, unknown)
                .breaks(Closed, "a closed enum refuses the type")
                .breaks(Outbound, "the contract no longer has an event of the old name")
                .breaks_if(!is_same(fact, pascal), Source, other_name)
        }

        (Kind::SchemaRemoved, About::Schema { has_type: true }) => breaks(Source, "the type of the schema is gone"),
        (Kind::SchemaRemoved, _) => fine("no sent or received value uses the schema"),
        (Kind::EnumValueAdded, _) => fine("open enums keep unknown values").breaks(Closed, CLOSED),
        (Kind::EnumValueRemoved, About::EnumValue { is_named }) => {
            breaks(Outbound, REFUSED).breaks_if(*is_named, Source, "the enum's variant is gone")
        }
        (Kind::EnumValueRenamed, About::EnumValue { is_named }) => {
            let unknown = "open enums keep the new value as unknown, and the old variant no longer matches";
            let is_gone = *is_named && !is_same(fact, pascal);
            let effects = warns(Inbound, unknown).breaks(Closed, CLOSED).breaks(Outbound, REFUSED);
            effects.breaks_if(is_gone, Source, "the enum's variant has another name")
        }
        // `oneOf` became `anyOf`, or the reverse.
        (Kind::ConditionChanged, About::More(true)) => fine("a value that matched one alternative still does"),
        (Kind::ConditionChanged, _) => {
            breaks(Outbound, "the new contract refuses a value that matches two alternatives")
        }
        (Kind::OtherFieldsAllowed | Kind::OtherFieldsRefused, About::More(true)) => {
            fine("the old types keep unknown fields in `other_fields`")
        }
        (Kind::OtherFieldsAllowed | Kind::OtherFieldsRefused, _) => {
            breaks(Outbound, "the new contract may refuse undeclared fields")
        }

        (Kind::OperationRemoved, _) => {
            let gone = "the operation is gone";
            breaks(Outbound, gone).breaks(Source, gone)
        }
        (Kind::OperationRenamed, _) if is_same(fact, snake) => fine("the operation's method in Rust keeps its name"),
        (Kind::OperationRenamed, _) => breaks(Source, "the operation's method in Rust has another name"),
        (_, About::Moved { swapped }) => breaks(Outbound, "programs built before call the old address").breaks_if(
            *swapped,
            Source,
            "the arguments of the method have another order",
        ),
        (Kind::LeftOut, _) => breaks(Source, "the operation's method is gone"),
        (Kind::NoLongerLeftOut, _) => fine("the operation has a method now"),
        (Kind::OperationChanged, _) => {
            let unheard = "`diff` does not understand this part of an operation";
            warns(Inbound, unheard).warns(Outbound, unheard)
        }
        (Kind::TagChanged, _) if is_same(fact, snake) => {
            fine("the operation's method stays in its group of the client")
        }
        (Kind::TagChanged, _) => breaks(Source, "the operation's method is in another group of the client"),
        (Kind::ServersChanged, About::More(false)) => {
            breaks(Outbound, "programs built before call an address that the contract no longer has")
        }
        (_, About::Refused(ways)) if ways.is_empty() => fine("every way to authenticate still works"),
        (_, About::Refused(ways)) => {
            breaks(Outbound, &format!("the API refuses calls with {}", ways.join(" or with ")))
        }
        (Kind::SecurityChanged, _) => breaks(Outbound, "programs built before authenticate in the old way"),
        (Kind::Deprecated | Kind::NoLongerDeprecated, _) if fact.place.path == "$" => {
            fine("programs can still call it")
        }
        (Kind::Deprecated | Kind::NoLongerDeprecated, _) => fine("programs can still send it"),
        (Kind::KeywordChanged, _) if fact.subject == "headers" => fine("the client returns headers as they came"),
        (Kind::KeywordChanged, _) => warns(Outbound, "programs built before send it in the old way"),

        (Kind::ParameterRemoved, _) => {
            warns(Outbound, IGNORED).breaks(Source, "code that sets the parameter does not compile")
        }
        (Kind::ParameterRenamed, About::Request { required, was: Some((location, was_required)), .. }) => {
            let effects = match location {
                Location::Path => fine("the names of its parameters do not change a path"),
                _ if *required => breaks(Outbound, "programs built before do not send a required parameter"),
                _ => warns(Outbound, IGNORED),
            };
            // Callers pass a required parameter as an argument, without its name.
            let is_kept = (*was_required && *required) || is_same(fact, snake);
            effects.breaks_if(!is_kept, Source, "the method that sets the parameter has another name")
        }
        (Kind::RequestBodyRemoved, _) => {
            warns(Outbound, "the API ignores the body now").breaks(Source, "code that sets a body does not compile")
        }
        (Kind::BecameRequired, _) => {
            breaks(Outbound, "programs built before may leave out what is required now").breaks(Source, ONE_MORE)
        }
        (Kind::BecameOptional, _) => {
            fine("programs may still send it").breaks(Source, "it is no longer an argument, and has a setter")
        }
        // It is an argument now, which old code does not pass.
        (_, About::Request { what, required: true, .. }) => {
            breaks(Outbound, &format!("programs built before do not send a required {what}")).breaks(Source, ONE_MORE)
        }

        (kind, About::Content { sent: true, forms: [was, is], .. }) => {
            let effects = fine("programs may still send the old content type");
            effects
                .breaks_if(kind == Kind::ContentTypeRemoved, Outbound, "the API refuses the old content type")
                .breaks_if(was != is, Source, "the body has another Rust type")
        }
        (_, About::Content { forms: [was, is], .. }) if was != is => {
            let reads = matches!(was, Form::Json | Form::Choice | Form::Text) && *is != Form::Json;
            let why = if *is == Form::Choice { ANOTHER } else { "the client decodes the response in another way" };
            fine("the client ignored the body").breaks_if(reads, Inbound, why).breaks(Source, OTHER_RESPONSE)
        }
        (Kind::ResponseAdded, About::Content { succeeds: true, same: false, forms, .. }) => {
            breaks(Inbound, ANOTHER).breaks_if(forms.contains(&Form::Choice), Source, OTHER_RESPONSE)
        }
        (Kind::ResponseRemoved, About::Content { succeeds: true, same: false, forms, .. }) => fine(
            "the client does not decode a response that does not come",
        )
        .breaks_if(forms.contains(&Form::Choice), Source, OTHER_RESPONSE),
        (Kind::ResponseAdded | Kind::ResponseRemoved, About::Content { succeeds: true, .. }) => {
            fine("the client decodes the others in the same way")
        }
        (Kind::ResponseAdded, _) => fine("the client reads any other status as an error"),
        (Kind::ResponseRenamed, _) => fine("the client accepts any successful status"),
        (_, About::Content { succeeds: true, .. }) => fine("the client decodes the response as before"),
        (_, About::Content { .. }) => fine("the client reads errors of any shape"),
        _ => fine("programs built before do not need it"),
    }
}

fn absent(field: &SeenField<'_>, slot: Slot) -> bool {
    let node = field.value.whole().node;
    slot == Slot::Raw || may_be_absent(field.need_in_rust, &node) || node.facets.contains_key("writeOnly")
}

/// Whether every value of the old type meets the conditions that name a field.
fn are_met(of: &Pair<'_>, name: &str) -> bool {
    let mut groups = of.new.groups().iter().filter(|group| group.alternatives.iter().any(|names| names.contains(name)));
    groups.all(|group| is_met(group, &of.old))
}

fn is_option(field: &SeenField<'_>) -> bool {
    field.value.whole().node.is_option(field.need_in_rust)
}

/// Whether the old and the new name are the same in Rust.
fn is_same(fact: &Fact<'_>, in_rust: fn(&str) -> String) -> bool {
    let name = |name: &Option<String>| in_rust(name.as_deref().unwrap_or_default());
    name(&fact.old) == name(&fact.new)
}

fn of_field(fact: &Fact<'_>, field: &OfField<'_>) -> Effects {
    let OfField { of, before, now } = field;
    match (before, now) {
        (None, Some(now)) => field_added(fact, now, of),
        (Some(before), None) => field_gone("nothing needs the field", of, true)
            .warns(Answered, "programs that read the field find it absent")
            .breaks_if(!absent(before, of.slot), Inbound, MISSING),
        // A rename, or a move into or out of an object.
        (Some(before), Some(now)) if matches!(fact.kind, Kind::FieldMoved | Kind::FieldRenamed) => {
            let is_same =
                fact.kind == Kind::FieldRenamed && is_same(fact, snake) && is_option(before) == is_option(now);
            let effects = field_gone("", of, !is_same).breaks_if(now.need == Need::Required, Outbound, LACKING);
            match absent(before, of.slot) {
                true => effects.warns(Inbound, "the old types find the field absent"),
                false => effects.breaks(Inbound, MISSING),
            }
        }
        (Some(before), Some(now)) => need_changed(fact, before, now, of),
        // The schema requires a field that it does not describe.
        (None, None) if fact.kind == Kind::FieldRemoved => fine("programs may still send the field"),
        (None, None) => fine(UNKNOWN_FIELD).breaks(Outbound, LACKING),
    }
}

fn field_added(fact: &Fact<'_>, field: &SeenField<'_>, of: &Pair<'_>) -> Effects {
    let effects = fine(UNKNOWN_FIELD);
    let lacking = "a value built with the old types may have none of the fields of which one is required";
    let effects = match field.need {
        // Senders may leave a `readOnly` field out.
        Need::Required if field.value.whole().node.facets.contains_key("readOnly") => return effects,
        Need::Required => effects.breaks(Outbound, LACKING),
        Need::Conditional if !are_met(of, &fact.subject) => effects.breaks(Outbound, lacking),
        _ if of.old.node.rust() == Rust::Raw => {
            effects.warns(Outbound, "free-form values may have another field of that name")
        }
        _ => effects,
    };
    match (of.slot.has_type(), of.old.is_struct()) {
        (true, true) => effects.arguments(field.need == Need::Required && !is_option(field), field),
        (true, false) => effects.breaks(Source, "a type without fields becomes a struct"),
        _ => effects,
    }
}

fn field_gone(words: &'static str, of: &Pair<'_>, is_named: bool) -> Effects {
    let effects = match of.new.others() {
        Some(Others::None) => fine(words).breaks(Outbound, "the new contract refuses a field of the old types"),
        _ => fine(words).warns(Outbound, "nothing reads the field now"),
    };
    effects.breaks_if(is_named && of.slot.has_type(), Source, "code that uses the field does not compile")
}

/// A field became required, conditional or optional.
fn need_changed(fact: &Fact<'_>, before: &SeenField<'_>, now: &SeenField<'_>, of: &Pair<'_>) -> Effects {
    let (words, met) = match now.need {
        // Senders may leave a `readOnly` field out.
        Need::Required if now.value.whole().node.facets.contains_key("readOnly") => {
            ("programs that decode the field find it as before", true)
        }
        Need::Required => ("programs that decode the field find it as before", false),
        Need::Conditional => ("the old type allows the field to be absent", are_met(of, &fact.subject)),
        Need::Optional => ("the old type allows the field to be absent", true),
    };
    let (was, is, has_type) = (is_option(before), is_option(now), of.slot.has_type());
    let is_argument = |field: &SeenField<'_>, is_option: bool| field.need == Need::Required && !is_option;
    let option = if is { OPTION } else { NO_OPTION };
    fine(words)
        .breaks_if(now.need != Need::Required && !absent(before, of.slot), Inbound, MISSING)
        .breaks_if(!met, Outbound, "a value built with the old types may lack a field that is required now")
        .arguments(has_type && is_argument(before, was) != is_argument(now, is), now)
        .breaks_if(has_type && was != is, Source, option)
}

/// The values have more, fewer or other types.
fn of_types(of: &Pair<'_>, more: &[Type], fewer: bool) -> Effects {
    let (old, [was, is]) = (&of.old, of.both(Seen::rust));
    let required = old.required_by_all().zip(of.new.required_by_all());
    let takes = |kind: &Type| match kind {
        Type::Null => was.takes(Type::Null) || of.slot == Slot::Optional || old.node.nullable,
        // Of a struct of alternatives, only the fields that each of them requires have to be there.
        Type::Object if was == Rust::Struct => required.as_ref().is_some_and(|(before, now)| before.is_subset(now)),
        kind => was.takes(*kind),
    };
    let is_option = |seen: &Seen<'_>, rust: &Rust| {
        of.slot.is_required() && seen.node.nullable && *rust != Rust::Raw && !rust.is_collection()
    };
    let is_other_need = is_option(old, &was) != is_option(&of.new, &is);
    let is_other_struct = required.as_ref().is_some_and(|(before, now)| before != now);
    let is_typed = of.slot != Slot::Raw;
    fine("the old type holds all allowed values")
        .breaks_if(is_typed && !more.iter().all(takes), Inbound, "the old types refuse values of the new type")
        .breaks_if(fewer, Outbound, "a value built with the old types may have a type that the new contract refuses")
        .breaks_if(is_typed && (was != is || is_other_need || is_other_struct), Source, OTHER_TYPE)
}

/// A keyword or the values of an enum changed.
fn of_values(fact: &Fact<'_>, of: &Pair<'_>) -> Effects {
    let Pair { old, new, slot } = of;
    let key = &fact.subject;
    let (was, is) = (old.node.facet(key), new.node.facet(key));
    let [before, now] = of.both(|seen| seen.whole().node.rust());
    let is_other = *slot != Slot::Raw && before != now;
    match fact.kind {
        Kind::ConditionChanged => {
            let met = new.groups().iter().all(|group| is_met(group, old));
            let why = "a value built with the old types may lack a required field, or have one too many";
            fine("the types require none of the fields").breaks_if(!met, Outbound, why)
        }
        Kind::EnumIntroduced | Kind::EnumDropped => {
            let (stays, is_new) = (fine("the Rust type stays"), fact.kind == Kind::EnumIntroduced);
            let effects = stays
                .breaks_if(is_new, Outbound, "a value built with the old types may not be in the list")
                .breaks_if(!is_new, Closed, "a closed enum refuses other values");
            match slot {
                Slot::Parameter if is_other => {
                    effects.warns(Source, "callers can pass a string or a value of the enum, as before")
                }
                _ => effects.breaks_if(is_other, Source, OTHER_TYPE),
            }
        }
        Kind::FormatChanged => {
            let effects = fine("the types do not check formats").breaks_if(is_other, Source, OTHER_TYPE);
            match is {
                Some(_) => effects.warns(Outbound, "a value built with the old types may have another format"),
                None => effects,
            }
        }
        Kind::DefaultChanged if was.is_none() => fine("the accessor for the default is new"),
        Kind::DefaultChanged => {
            let other = "an absent field means another value";
            let has_accessor = matches!(before, Rust::Boolean | Rust::Integer | Rust::Text | Rust::OpenEnum);
            let is_gone = *slot == Slot::Optional && has_accessor && is.is_none();
            warns(Inbound, other).warns(Outbound, other).breaks_if(
                is_gone,
                Source,
                "the accessor for the default is gone",
            )
        }
        Kind::Deprecated => fine("it is still there; plan to do without it"),
        Kind::NoLongerDeprecated => fine("it stays"),
        Kind::ReadOnlyChanged if is.is_some() => {
            warns(Outbound, "programs should no longer send the field").breaks_if(*slot == Slot::Value, Sent, ARGUMENTS)
        }
        Kind::ReadOnlyChanged if *slot == Slot::Value => {
            breaks(Outbound, "programs have to send the required field now").breaks(Sent, ARGUMENTS)
        }
        Kind::ReadOnlyChanged => fine("programs still receive the field"),
        Kind::WriteOnlyChanged => {
            let option = if is.is_some() { OPTION } else { NO_OPTION };
            let is_optional = old.whole().node.is_option(Need::Required) || before.is_collection();
            fine(if is.is_some() { "programs may still send the field" } else { "programs send the field as before" })
                .breaks_if(
                    is.is_some() && *slot == Slot::Value,
                    Inbound,
                    "programs no longer receive the required field",
                )
                .breaks_if(*slot == Slot::Value && !is_optional, Received, option)
        }
        Kind::BoundChanged if is_tighter(key, was, is) => {
            breaks(Outbound, "a value built with the old types may be out of bounds")
        }
        Kind::BoundChanged => fine("the types do not check bounds"),
        _ => {
            let unknown = "`diff` does not know the keyword";
            warns(Inbound, unknown).warns(Outbound, unknown)
        }
    }
}

/// Whether a value within the old bound may be outside of the new one.
fn is_tighter(key: &str, old: Option<&Value>, new: Option<&Value>) -> bool {
    match (old.and_then(Value::as_f64), new.and_then(Value::as_f64)) {
        _ if new.is_none() => false,
        _ if old.is_none() => true,
        (Some(old), Some(new)) if key.starts_with("min") => new > old,
        (Some(old), Some(new)) if key.starts_with("max") => new < old,
        (Some(old), Some(new)) if key == "multipleOf" => {
            (old / new).round() == 0.0 || ((old / new) - (old / new).round()).abs() > 1e-9
        }
        _ => true,
    }
}
