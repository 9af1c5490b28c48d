//! Whom a change affects: who decodes, who sends, and who compiles. This is the one table of severities.
//!
//! What counts is the code that `generate` makes of the old contract. Its structs keep what they do not know in
//! `other_fields`, its enums are open, and all are `non_exhaustive`: one more of anything breaks no code. Bounds, patterns
//! and formats other than `date-time` are not part of its types. What a request requires is an argument of the function that
//! makes it.
//!
//! `reach` makes changes of facts: each once, with all that it comes to. `semver` says what follows for the crates.

pub(in crate::diff) mod change;
pub(in crate::diff) mod reach;
pub(in crate::diff) mod semver;

use serde::Serialize;
use serde_json::Value;

use crate::diff::facts::kind::Kind;
use crate::diff::facts::seen::{Seen, SeenField, is_met};
use crate::diff::facts::{About, Fact, OfField, Slot};
use crate::model::names::{pascal, snake};
use crate::model::{Location, Need, Others, Rust, Type, may_be_absent};
use Verdict::{Breaking, Warning};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::diff) enum Verdict {
    #[default]
    Compatible,
    /// It works, and something is to be looked at.
    Warning,
    Breaking,
}

/// A verdict and the sentence that says why; none where there is nothing to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::diff) struct Effect {
    pub(in crate::diff) verdict: Verdict,
    pub(in crate::diff) why: String,
}

/// What a change does, to whomever it reaches.
#[derive(Clone, Debug, Default)]
pub(in crate::diff) struct Effects {
    /// To a program with the old types that decodes what the new contract allows.
    pub(in crate::diff) inbound: Effect,
    /// The same, where an operation answers it: programs ask for what they read.
    pub(in crate::diff) inbound_of_answer: Effect,
    /// The same as `inbound`, were its enums closed.
    pub(in crate::diff) closed: Effect,
    /// To a value that was built with the old types, and is to be valid by the new contract.
    pub(in crate::diff) outbound: Effect,
    /// To code that was written against the old crate, and is compiled with the new one.
    pub(in crate::diff) source: Effect,
    /// The same, where the type is sent, and is made by a function of what is required.
    pub(in crate::diff) source_of_sent: Effect,
    /// The same, where the type is only sent. In any other, a list or a map is never required.
    pub(in crate::diff) source_of_only_sent: Effect,
    /// What there is to say when nothing breaks.
    pub(in crate::diff) fine: &'static str,
}

impl Effect {
    fn new(verdict: Verdict, why: &str) -> Self {
        Self { verdict, why: why.to_owned() }
    }
}

impl Effects {
    fn inbound(mut self, verdict: Verdict, why: &str) -> Self {
        self.inbound = Effect::new(verdict, why);
        self.closed = self.closed.max(self.inbound.clone());
        self
    }

    fn closed(mut self, why: &str) -> Self {
        self.closed = Effect::new(Breaking, why);
        self
    }

    fn outbound(mut self, verdict: Verdict, why: &str) -> Self {
        self.outbound = Effect::new(verdict, why);
        self
    }

    pub(in crate::diff) fn source(mut self, verdict: Verdict, why: &str) -> Self {
        self.source = Effect::new(verdict, why);
        self
    }

    /// What is required of a request is another thing, and with it the arguments of the function that makes it.
    fn arguments(mut self, is_collection: bool) -> Self {
        let place = if is_collection { &mut self.source_of_only_sent } else { &mut self.source_of_sent };
        *place = Effect::new(Breaking, "the function that makes a request takes other arguments");
        self
    }

    /// The worst of what two ways to the same change do.
    pub(in crate::diff) fn worst(self, other: Self) -> Self {
        Self {
            inbound: self.inbound.max(other.inbound),
            inbound_of_answer: self.inbound_of_answer.max(other.inbound_of_answer),
            closed: self.closed.max(other.closed),
            outbound: self.outbound.max(other.outbound),
            source: self.source.max(other.source),
            source_of_sent: self.source_of_sent.max(other.source_of_sent),
            source_of_only_sent: self.source_of_only_sent.max(other.source_of_only_sent),
            fine: self.fine,
        }
    }
}

const ADDED: &str = "who does not know it does not need it";
const IGNORED: &str = "what is sent as the parameter is no longer looked at";
const LACKING: &str = "a value built with the old types lacks a required field";
const MISSING: &str = "the old types refuse a payload without the field, which they require";
const ONE_MORE: &str = "the operation takes one more argument";
const OTHER_TYPE: &str = "the field has another Rust type";
const REFUSED: &str = "a value that the old types can send is refused now";
const UNKNOWN_FIELD: &str = "programs that do not know the field keep it in `other_fields`";

fn fine(fine: &'static str) -> Effects {
    Effects { fine, ..Effects::default() }
}

/// What a change does.
pub(in crate::diff) fn effects(fact: &Fact<'_>) -> Effects {
    match &fact.about {
        About::Field(of) => of_field(fact, of),
        About::Types { old, new, more, fewer, slot } => type_changed(old, new, (more, *fewer), *slot),
        About::Keyword { old, new, slot } => keyword_changed(fact, old, new, *slot),
        About::Values { old, new, slot } => values_changed(fact.kind, old, new, *slot),
        About::EnumValue { is_named } => enum_value_changed(fact, *is_named),
        About::Schema { has_type: true } if fact.kind == Kind::SchemaRemoved => {
            fine("").source(Breaking, "the type that is made of the schema is gone")
        }
        About::Schema { .. } if fact.kind == Kind::SchemaRemoved => {
            fine("nothing that is sent or received is made of the schema")
        }
        About::Schema { .. } => fine(ADDED),
        About::Request { what, required, was } => of_request(fact.kind, what, *required, *was),
        About::Answer { succeeds, same } => of_answer(fact.kind, *succeeds, *same),
        About::Refused(ways) if ways.is_empty() => fine("who could call it still can"),
        About::Refused(ways) => {
            fine("").outbound(Breaking, &format!("who authenticates by {} is refused", ways.join(" or by ")))
        }
        About::More(more) => of_more(fact.kind, *more),
        About::Itself => of_kind(fact),
    }
}

fn of_field(fact: &Fact<'_>, of: &OfField<'_>) -> Effects {
    let OfField { old, new, slot, before, now } = of;
    match (before, now) {
        (None, Some(now)) => field_added(fact, now, old, new, *slot),
        (Some(before), None) => {
            let mut effects = gone(fine("nothing needs the field"), new, *slot);
            effects.inbound_of_answer = Effect::new(Warning, "programs that read the field find it absent");
            if absent(before, *slot) { effects } else { effects.inbound(Breaking, MISSING) }
        }
        (Some(before), Some(now)) if matches!(fact.kind, Kind::FieldMoved | Kind::FieldRenamed) => {
            field_elsewhere(fact, before, now, new, *slot)
        }
        (Some(before), Some(now)) => need_changed(fact, (before, now), (old, new), *slot),
        // A name that no schema describes is required.
        (None, None) => fine(UNKNOWN_FIELD).outbound(Breaking, LACKING),
    }
}

/// What only the kind of a change decides.
fn of_kind(fact: &Fact<'_>) -> Effects {
    let unheard = "what an operation says here is not understood by `diff`";
    match fact.kind {
        Kind::EventTypeAdded => fine("programs that do not know the event get it as `Event::Unknown`")
            .closed("a closed enum refuses the type"),
        Kind::EventTypeRemoved => fine("")
            .inbound(Warning, "what waits for the event gets none")
            .outbound(Breaking, "the contract has no such event any more")
            .source(Breaking, "the variants of `Event` and `NotificationType` are gone"),
        Kind::EventTypeRenamed => {
            let unknown = "programs get the event as `Event::Unknown`, and what waits for its old name gets none";
            let effects = fine("")
                .inbound(Warning, unknown)
                .closed("a closed enum refuses the type")
                .outbound(Breaking, "the contract has no event of the old name any more");
            match is_same_name(fact) {
                true => effects,
                false => effects.source(Breaking, "the variants of `Event` and `NotificationType` have another name"),
            }
        }
        Kind::OperationRemoved => {
            fine("").outbound(Breaking, "the operation is gone").source(Breaking, "the operation is gone")
        }
        Kind::OperationRenamed => fine("").source(Breaking, "the operation's method in Rust has another name"),
        Kind::OperationMoved => fine("").outbound(Breaking, "programs that were built before call the old path"),
        Kind::OperationChanged => fine("").inbound(Warning, unheard).outbound(Warning, unheard),
        Kind::TagChanged => fine("").source(Breaking, "the operation's method is in another group of the client"),
        Kind::SecurityChanged => fine("").outbound(Breaking, "programs authenticate in the old way"),
        Kind::ResponseRenamed => fine("any status of success is taken"),
        Kind::Deprecated | Kind::NoLongerDeprecated if fact.place.path == "$" => fine("it can still be called"),
        Kind::Deprecated | Kind::NoLongerDeprecated => fine("it can still be sent"),
        Kind::KeywordChanged if fact.subject == "headers" => fine("headers are handed over as they came"),
        Kind::KeywordChanged => fine("").outbound(Warning, "it is sent in another way"),
        _ => fine(ADDED),
    }
}

fn of_more(kind: Kind, more: bool) -> Effects {
    match (kind, more) {
        (Kind::ServersChanged, true) => fine(ADDED),
        (Kind::ServersChanged, false) => fine("")
            .outbound(Breaking, "programs that were built before call an address that is not in the contract any more"),
        (Kind::OtherFieldsAllowed | Kind::OtherFieldsRefused, true) => {
            fine("programs that do not know a field keep it in `other_fields`")
        }
        (Kind::OtherFieldsAllowed | Kind::OtherFieldsRefused, false) => {
            fine("").outbound(Breaking, "fields without a name in the contract may be refused now")
        }
        // Of choices any may be met, and then one alone; or the reverse.
        (_, true) => fine("a value that was one of the choices still is"),
        (_, false) => fine("").outbound(Breaking, "a value that is two of the choices at once is refused now"),
    }
}

/// What is part of a request comes, goes, or is another.
fn of_request(kind: Kind, what: &str, required: bool, was: Option<(Location, bool)>) -> Effects {
    match (kind, was) {
        (Kind::ParameterRenamed, Some((location, was_required))) => {
            let effects = match location {
                Location::Path => fine("the path is the same, whatever its parameters are called"),
                _ if required => fine("").outbound(Breaking, "a required parameter is not sent"),
                _ => fine("").outbound(Warning, IGNORED),
            };
            match was_required && required {
                // It is an argument, which has no name where it is given.
                true => effects,
                false => effects.source(Breaking, "the method that sets the parameter has another name"),
            }
        }
        (Kind::ParameterRemoved, _) => {
            fine("").outbound(Warning, IGNORED).source(Breaking, "code that gives the parameter does not compile")
        }
        (Kind::RequestBodyRemoved, _) => fine("")
            .outbound(Warning, "the body that is sent is no longer looked at")
            .source(Breaking, "code that gives a body does not compile"),
        (Kind::ContentTypeRemoved, _) => fine("").outbound(Breaking, "a body of the old content type is refused"),
        (Kind::BecameRequired, _) => {
            fine("").outbound(Breaking, "what was optional in a request has to be sent").source(Breaking, ONE_MORE)
        }
        (Kind::BecameOptional, _) => {
            fine("who sends it still may").source(Breaking, "it is no argument any more, and has a method")
        }
        // It is an argument now, which code that was written before does not give.
        _ if required => {
            fine("").outbound(Breaking, &format!("a required {what} is not given")).source(Breaking, ONE_MORE)
        }
        _ => fine(ADDED),
    }
}

fn of_answer(kind: Kind, succeeds: bool, same: bool) -> Effects {
    match (kind, succeeds) {
        (Kind::ContentTypeRemoved, true) => {
            let why = "the answer that is decoded is gone";
            fine("").inbound(Breaking, why).source(Breaking, why)
        }
        (Kind::ResponseRemoved, true) => fine("what is not answered is not decoded"),
        (Kind::ResponseAdded, true) if !same => {
            fine("").inbound(Breaking, "the answer is decoded as what the other statuses answer")
        }
        (Kind::ResponseAdded, _) => fine("any other status is read as an error, whatever it is"),
        _ => fine("errors are read whatever they are"),
    }
}

fn absent(field: &SeenField<'_>, slot: Slot) -> bool {
    slot == Slot::Raw || may_be_absent(field.need, &field.value.whole().node)
}

/// Whether a value of the old type meets what is said of a field together with others.
fn are_met(new: &Seen<'_>, name: &str, old: &Seen<'_>) -> bool {
    let mut groups = new.groups().iter().filter(|group| group.alternatives.iter().any(|names| names.contains(name)));
    groups.all(|group| is_met(group, old))
}

fn is_option(field: &SeenField<'_>) -> bool {
    field.value.whole().node.is_option(field.need)
}

fn is_collection(seen: &Seen<'_>) -> bool {
    seen.whole().node.rust().is_collection()
}

/// Whether what has another name is the same in Rust.
fn is_same_name(fact: &Fact<'_>) -> bool {
    let name = |name: &Option<String>| pascal(name.as_deref().unwrap_or_default());
    name(&fact.old) == name(&fact.new)
}

fn field_added(fact: &Fact<'_>, field: &SeenField<'_>, old: &Seen<'_>, new: &Seen<'_>, slot: Slot) -> Effects {
    let effects = fine(UNKNOWN_FIELD);
    let effects = match field.need {
        // What is only received is not demanded of who sends.
        Need::Required if field.value.whole().node.facets.contains_key("readOnly") => return effects,
        Need::Required => effects.outbound(Breaking, LACKING),
        Need::Conditional if !are_met(new, &fact.subject, old) => effects
            .outbound(Breaking, "a value built with the old types may lack all of the fields of which one is required"),
        _ if old.node.rust() == Rust::Raw => {
            effects.outbound(Warning, "what was free to hold anything may have something else there")
        }
        _ => effects,
    };
    match (slot.has_type(), old.is_struct()) {
        (true, true) if field.need == Need::Required && !is_option(field) => {
            effects.arguments(is_collection(&field.value))
        }
        (true, false) => effects.source(Breaking, "what had no fields of its own becomes a struct"),
        _ => effects,
    }
}

/// The field has another name, or is in another object.
fn field_elsewhere(
    fact: &Fact<'_>,
    before: &SeenField<'_>,
    now: &SeenField<'_>,
    new: &Seen<'_>,
    slot: Slot,
) -> Effects {
    let mut effects = gone(fine(""), new, slot);
    effects = match absent(before, slot) {
        true => effects.inbound(Warning, "the old types decode it and find the field absent"),
        false => effects.inbound(Breaking, MISSING),
    };
    if now.need == Need::Required {
        effects = effects.outbound(Breaking, LACKING);
    }
    let name = |name: &Option<String>| snake(name.as_deref().unwrap_or_default());
    let is_renamed = fact.kind == Kind::FieldRenamed;
    if is_renamed && name(&fact.old) == name(&fact.new) && is_option(before) == is_option(now) {
        effects.source = Effect::default();
    }
    effects
}

fn gone(effects: Effects, new: &Seen<'_>, slot: Slot) -> Effects {
    let effects = match new.others() {
        Some(Others::None) => {
            effects.outbound(Breaking, "a value built with the old types has a field that is refused now")
        }
        _ => effects.outbound(Warning, "what the old types send in the field is no longer looked at"),
    };
    match slot.has_type() {
        true => effects.source(Breaking, "code that uses the field does not compile"),
        false => effects,
    }
}

/// A field that both have is required, conditional or optional, and was something else.
fn need_changed(
    fact: &Fact<'_>,
    (before, now): (&SeenField<'_>, &SeenField<'_>),
    (old, new): (&Seen<'_>, &Seen<'_>),
    slot: Slot,
) -> Effects {
    let mut effects = fine(match now.need {
        Need::Required => "who decodes the field finds it as before",
        _ => "the old type of the field lets it be absent",
    });
    if now.need != Need::Required && !absent(before, slot) {
        effects = effects.inbound(Breaking, MISSING);
    }
    let met = match now.need {
        Need::Required => false,
        Need::Conditional => are_met(new, &fact.subject, old),
        Need::Optional => true,
    };
    if !met {
        effects = effects.outbound(Breaking, "a value built with the old types may lack what is required now");
    }
    let (was, is) = (is_option(before), is_option(now));
    let is_argument = |field: &SeenField<'_>, is_option: bool| field.need == Need::Required && !is_option;
    if slot.has_type() && is_argument(before, was) != is_argument(now, is) {
        effects = effects.arguments(is_collection(&now.value));
    }
    match (slot.has_type() && was != is, is) {
        (false, _) => effects,
        (true, true) => effects.source(Breaking, "the field becomes an `Option`"),
        (true, false) => effects.source(Breaking, "the field is no `Option` any more"),
    }
}

/// The types of values are others: more, fewer, or not the same.
fn type_changed(old: &Seen<'_>, new: &Seen<'_>, (more, fewer): (&[Type], bool), slot: Slot) -> Effects {
    let (was, is) = (old.node.rust(), new.node.rust());
    let mut effects = fine("the old type holds what is allowed now");
    let takes = |kind: Type| was.takes(kind) || (kind == Type::Null && (slot == Slot::Optional || old.node.nullable));
    if slot != Slot::Raw && !more.iter().all(|kind| takes(*kind) && !(*kind == Type::Object && was == Rust::Struct)) {
        effects = effects.inbound(Breaking, "the old types refuse values of the type that is new");
    }
    if fewer {
        effects = effects.outbound(Breaking, "a value built with the old types may be of a type that is refused now");
    }
    let option = |seen: &Seen<'_>| slot == Slot::Value && seen.node.is_option(Need::Required);
    match slot == Slot::Raw || (was == is && option(old) == option(new)) {
        true => effects,
        false => effects.source(Breaking, OTHER_TYPE),
    }
}

fn enum_value_changed(fact: &Fact<'_>, is_named: bool) -> Effects {
    match fact.kind {
        Kind::EnumValueAdded => {
            fine("open enums keep a value that they do not know").closed("a closed enum refuses the value")
        }
        Kind::EnumValueRemoved if is_named => {
            fine("").outbound(Breaking, REFUSED).source(Breaking, "the enum's variant is gone")
        }
        Kind::EnumValueRemoved => fine("").outbound(Breaking, REFUSED),
        _ => {
            let unknown = "open enums keep the new value as one that they do not know, and no known variant matches";
            let effects = fine("")
                .inbound(Warning, unknown)
                .closed("a closed enum refuses the value")
                .outbound(Breaking, REFUSED);
            match is_named && !is_same_name(fact) {
                true => effects.source(Breaking, "the enum's variant has another name"),
                false => effects,
            }
        }
    }
}

/// A string has a list of values now, or has none any more; or other fields are required together.
fn values_changed(kind: Kind, old: &Seen<'_>, new: &Seen<'_>, slot: Slot) -> Effects {
    if kind == Kind::ConditionChanged {
        let effects = fine("none of the fields is required by the types");
        return match new.groups().iter().all(|group| is_met(group, old)) {
            true => effects,
            false => {
                effects.outbound(Breaking, "a value built with the old types may have other fields than it has to")
            }
        };
    }
    let effects = fine("the type in Rust stays");
    let effects = match new.node.values {
        None => effects.closed("a closed enum refuses other values"),
        Some(_) => effects.outbound(Breaking, "a value built with the old types may be none of the list"),
    };
    match slot {
        _ if slot == Slot::Raw || old.node.rust() == new.node.rust() => effects,
        Slot::Parameter => effects.source(Warning, "a text and a value of the enum can be given, as before"),
        _ => effects.source(Breaking, OTHER_TYPE),
    }
}

/// Something else is said of a value.
fn keyword_changed(fact: &Fact<'_>, old: &Seen<'_>, new: &Seen<'_>, slot: Slot) -> Effects {
    let key = &fact.subject;
    let (was, is) = (old.node.facet(key), new.node.facet(key));
    match fact.kind {
        Kind::FormatChanged => {
            let mut effects = fine("formats are not checked by the types");
            if is.is_some() {
                effects = effects.outbound(Warning, "a value built with the old types may have another format");
            }
            match slot == Slot::Raw || old.whole().node.rust() == new.whole().node.rust() {
                true => effects,
                false => effects.source(Breaking, OTHER_TYPE),
            }
        }
        Kind::DefaultChanged if was.is_none() => fine("the accessor for the default is new"),
        Kind::DefaultChanged => {
            let other = "where the field is absent, something else is meant";
            let effects = fine("").inbound(Warning, other).outbound(Warning, other);
            let rust = old.whole().node.rust();
            let has_accessor = matches!(rust, Rust::Boolean | Rust::Integer | Rust::Text | Rust::OpenEnum);
            match slot == Slot::Optional && has_accessor && is.is_none() {
                true => effects.source(Breaking, "the accessor for the default is gone"),
                false => effects,
            }
        }
        Kind::Deprecated => fine("it is still there; plan to do without it"),
        Kind::NoLongerDeprecated => fine("it is there to stay"),
        Kind::ReadOnlyChanged => match (is.is_some(), slot) {
            (true, Slot::Value) => fine("").outbound(Warning, "the field is not to be sent any more").arguments(false),
            (true, _) => fine("").outbound(Warning, "the field is not to be sent any more"),
            (false, Slot::Value) => fine("").outbound(Breaking, "the required field has to be sent now"),
            (false, _) => fine("the field is in what is received, as before"),
        },
        Kind::WriteOnlyChanged if is.is_some() && slot == Slot::Value => {
            fine("").inbound(Breaking, "the required field is not in what is received any more")
        }
        Kind::WriteOnlyChanged => fine("the field may be sent, as before"),
        Kind::BoundChanged if is_tighter(key, was, is) => {
            fine("").outbound(Breaking, "a value built with the old types may be out of bounds")
        }
        Kind::BoundChanged => fine("bounds are not checked by the types"),
        _ => {
            let unknown = "`diff` does not know the keyword";
            fine("").inbound(Warning, unknown).outbound(Warning, unknown)
        }
    }
}

/// Whether a value that was within the bound may be out of it.
fn is_tighter(key: &str, old: Option<&Value>, new: Option<&Value>) -> bool {
    match (old.and_then(Value::as_f64), new.and_then(Value::as_f64)) {
        _ if new.is_none() => false,
        _ if old.is_none() => true,
        (Some(old), Some(new)) if key.starts_with("min") => new > old,
        (Some(old), Some(new)) if key.starts_with("max") => new < old,
        (Some(old), Some(new)) if key == "multipleOf" => old % new != 0.0,
        _ => true,
    }
}
