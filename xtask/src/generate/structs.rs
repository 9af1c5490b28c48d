//! Structs: typify's code, changed to keep every member of an object, with accessors, and with constructors and setters
//! for structs that are sent.

use std::collections::BTreeMap;
use std::panic;

use anyhow::{Context as _, Result, bail};
use heck::{ToLowerCamelCase as _, ToSnakeCase as _};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use serde_json::{Value, json};
use syn::punctuated::Punctuated;
use syn::{Attribute, File, Item, ItemStruct, Path, Token, parse_quote};
use typify::{TypeSpace, TypeSpaceSettings, UnknownPolicy};
use typify_schemars::schema::Schema as JsonSchema;

use super::Docs;
use super::ty::{Direction, Ty, by_hand};
use crate::document;
use crate::graph::reachable;
use crate::model::{self, Document, Need, Schema, names};
use crate::project::Project;

/// The field of every struct that holds members without a field of their own.
pub(super) const OTHERS: &str = "other_fields";

/// A struct of a document.
pub(super) struct Struct<'a> {
    /// The name in Rust.
    pub(super) name: String,
    pub(super) schema: &'a Schema,
    pub(super) fields: Vec<Field<'a>>,
    /// Whether callers build it.
    pub(super) is_sent: bool,
}

/// A field of a struct.
pub(super) struct Field<'a> {
    /// The name in JSON.
    pub(super) name: &'a str,
    pub(super) ident: Ident,
    pub(super) ty: Ty,
    /// Whether the struct requires it. If callers build the struct, a read-only field is optional.
    pub(super) need: Need,
    pub(super) of: &'a model::Field,
}

impl<'a> Struct<'a> {
    /// Returns the struct with a name.
    pub(super) fn named<'s>(structs: &'s [Self], name: &str) -> Option<&'s Self> {
        structs.iter().find(|one| one.name == name)
    }

    /// Returns the field with a name in JSON.
    pub(super) fn field(&self, name: &str) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.name == name)
    }

    fn ident(&self) -> Ident {
        format_ident!("{}", self.name)
    }
}

impl Field<'_> {
    /// Returns the module of `object` that reads and writes the field, by what it may be in JSON.
    fn kind(&self) -> &'static str {
        match &self.ty {
            Ty::Items(_) => "collection",
            Ty::Option(inner) if self.need != Need::Required && **inner == Ty::RAW => "nullable",
            Ty::Option(_) if self.need != Need::Required => "optional",
            _ => "required",
        }
    }

    /// Whether it holds JSON, which a signed URL may replace.
    fn is_json(&self) -> bool {
        *self.ty.some() == Ty::RAW
    }

    /// Returns the name of the field that it may replace, if it is a signed URL.
    fn replaces(&self, project: &Project) -> Option<&str> {
        project.replaced_by_url(self.name).filter(|_| *self.ty.some() == Ty::ByHand("SignedUrl"))
    }

    /// Returns the name of an accessor. The underscore of `type_` only avoids the keyword, and is dropped.
    fn accessor(&self, what: &str) -> Ident {
        format_ident!("{}_{what}", self.ident.to_string().trim_end_matches('_'))
    }

    /// Returns the expression for an `Option` of a reference to its value.
    fn borrow(&self) -> TokenStream {
        let ident = &self.ident;
        match self.ty {
            Ty::Option(_) => quote!(self.#ident.as_ref()),
            _ => quote!(::core::option::Option::Some(&self.#ident)),
        }
    }
}

/// Returns the structs of a document, sorted by name. `is_sent` says whether callers build the struct of a schema.
pub(super) fn structs(document: &Document, is_sent: impl Fn(&str) -> bool) -> Result<Vec<Struct<'_>>> {
    let directions = document.directions();
    let structs = document.schemas.iter().map(|(name, schema)| {
        let is_sent = is_sent(name);
        let direction = if directions.is_only_sent(name) { Direction::OnlySent } else { Direction::Received };
        let mut taken = vec![format_ident!("{OTHERS}")];
        let mut fields = Vec::new();
        for (name, field) in schema.fields() {
            // Fields may have the same name in Rust, as `type` and `@type` do: the later one gets an underscore.
            let mut ident = ident(name);
            while taken.contains(&ident) {
                ident = format_ident!("{ident}_");
            }
            taken.push(ident.clone());
            let says = |key: &str| document.resolve(&field.schema).facet(key).or(field.schema.facet(key)).is_some();
            // A caller need not set what only the other side sets, and does not get what only callers set.
            let is_one_way = (is_sent && says("readOnly")) || (direction == Direction::Received && says("writeOnly"));
            let need = if is_one_way { Need::Optional } else { field.need };
            let ty = Ty::of_field(document, &field.schema, need, direction)?;
            fields.push(Field { name, ident, ty, need, of: field });
        }
        Ok(Struct { name: names::pascal(name), schema, fields, is_sent })
    });
    let mut structs: Vec<Struct<'_>> = structs.collect::<Result<_>>()?;
    box_cycles(&mut structs);
    Ok(structs)
}

/// Boxes each field through which a struct would contain itself.
fn box_cycles(structs: &mut [Struct<'_>]) {
    let held = |field: &Field<'_>| {
        let Ty::Struct(name) = field.ty.some() else { return None };
        Some(name.clone())
    };
    let all_held = |one: &Struct<'_>| (one.name.clone(), one.fields.iter().filter_map(held).collect());
    let holds: BTreeMap<String, Vec<String>> = structs.iter().map(all_held).collect();
    let leads = |from: &str, to: &str| {
        reachable([from], |name| holds.get(name).into_iter().flatten().map(String::as_str)).contains(to)
    };
    for one in structs {
        for field in &mut one.fields {
            if held(field).is_some_and(|held| leads(&held, &one.name)) {
                let boxed = |ty| Ty::Boxed(Box::new(ty));
                field.ty = match std::mem::replace(&mut field.ty, Ty::Bool) {
                    Ty::Option(ty) => Ty::Option(Box::new(boxed(*ty))),
                    ty => boxed(ty),
                };
            }
        }
    }
}

/// Returns the name of a field in Rust.
fn ident(name: &str) -> Ident {
    let mut name = names::plain(name).to_snake_case();
    // schemars takes the first byte for the first letter.
    if name.starts_with(|first: char| !first.is_ascii()) {
        name.insert_str(0, "x_");
    }
    // `new` is the constructor.
    format_ident!("{}", names::fit(name, "value", "new"))
}

/// Returns the structs and their accessors, and for the end of the module the setters and conversions.
pub(super) fn tokens(
    structs: &[Struct<'_>],
    document: &Document,
    docs: &mut Docs<'_>,
) -> Result<(TokenStream, TokenStream)> {
    let mut schemas = BTreeMap::new();
    for one in structs {
        let schema = serde_json::from_value(json_schema(one, docs)).with_context(|| one.name.clone())?;
        schemas.insert(one.name.clone(), schema);
    }
    let mut settings = TypeSpaceSettings::default();
    settings
        .with_map_type("::std::collections::BTreeMap")
        .with_derive("PartialEq".to_owned())
        .with_attr(r#"#[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]"#.to_owned())
        .with_unknown_crates(UnknownPolicy::Allow);
    let mut file: File = syn::parse2(typify(schemas, &settings)?).context("typify's output is not Rust")?;
    file.items.retain(|item| matches!(item, Item::Struct(_) | Item::Enum(_))); // Not its error type, which nothing returns.
    let (mut impls, mut end) = (TokenStream::new(), TokenStream::new());
    for item in &mut file.items {
        let Item::Struct(item) = item else { continue };
        let one = Struct::named(structs, &item.ident.to_string()).context("a struct of the document")?;
        impls.extend(accessors(one, docs.project));
        impls.extend(finish(one, item)?);
        if one.is_sent {
            end.extend(setters(one, item, &mut docs.findings.stale));
        }
    }
    end.extend(conversions(structs, document, &mut docs.findings.stale));
    Ok((quote! { #file #impls }, end))
}

/// Returns the schema of a struct for typify, with the documentation that it will have.
fn json_schema(one: &Struct<'_>, docs: &mut Docs<'_>) -> Value {
    let description = docs.of(&one.name, one.schema.says.words.as_deref());
    let (mut properties, mut required) = (serde_json::Map::new(), Vec::new());
    for (number, field) in one.fields.iter().enumerate() {
        let schema = &field.of.schema;
        let mut words = docs.of(&format!("{}::{}", one.name, field.name), schema.says.words.as_deref());
        if schema.is_deprecated() {
            words.push_str("\n\nDeprecated by the contract.");
        }
        let is_required = field.kind() == "required" || field.kind() == "collection";
        // typify makes an `Option` of a property that is not required.
        let ty = if is_required { &field.ty } else { field.ty.some() };
        let mut property = ty.json_schema();
        property["description"] = words.into();
        // typify sorts fields by name; `finish` gives them their names.
        let name = format!("f{number:04}");
        if is_required {
            required.push(name.clone());
        }
        properties.insert(name, property);
    }
    json!({ "type": "object", "description": description, "properties": properties, "required": required })
}

fn typify(schemas: BTreeMap<String, JsonSchema>, settings: &TypeSpaceSettings) -> Result<TokenStream> {
    quietly("typify", || {
        let mut types = TypeSpace::new(settings);
        types.add_ref_types(schemas)?;
        Ok::<_, typify::Error>(types.to_stream())
    })
}

/// Runs a generator that panics on constructs that it does not know. The panic's text is the best message available.
pub(super) fn quietly<E>(name: &'static str, run: impl FnOnce() -> Result<TokenStream, E>) -> Result<TokenStream>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(panic::AssertUnwindSafe(run));
    panic::set_hook(hook);
    match result {
        Ok(tokens) => tokens.context(name),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            bail!("{name} gave up: {}", text.unwrap_or("without a word"))
        }
    }
}

/// Returns typify's code for a published schema and those that it refers to. The benchmark compares with it.
pub(super) fn plain(document: &Value, name: &str) -> Result<TokenStream> {
    let published = &document["components"]["schemas"];
    let names = reachable([name], |name| document::referred(&published[name]));
    let schemas = names.into_iter().map(|name| Ok((name.to_owned(), serde_json::from_value(published[name].clone())?)));
    typify(schemas.collect::<Result<_>>()?, &TypeSpaceSettings::default())
}

/// Makes a struct keep every member of an object, and returns the code that reads and writes it.
///
/// typify asks for serde's derives. They drop unknown members, and cannot distinguish `null` from an absent member.
fn finish(one: &Struct<'_>, item: &mut ItemStruct) -> Result<TokenStream> {
    let syn::Fields::Named(fields) = &mut item.fields else { bail!("{}: a struct without fields", one.name) };
    let mut members = TokenStream::new();
    for (field, made) in one.fields.iter().zip(&mut fields.named) {
        let (ident, member, kind) = (&field.ident, field.name, format_ident!("{}", field.kind()));
        made.ident = Some(ident.clone());
        made.ty = syn::parse2(field.ty.local())?;
        made.attrs.retain(|attribute| !attribute.path().is_ident("serde"));
        if camel_case(&ident.to_string()) != member {
            made.attrs.push(parse_quote!(#[cfg_attr(feature = "schemars", schemars(rename = #member))]));
        }
        if kind == "collection" {
            made.attrs.push(parse_quote!(#[cfg_attr(feature = "schemars", schemars(default))]));
        }
        members.extend(quote! { #kind #ident = #member, });
    }
    let (others, by_hand) = (format_ident!("{OTHERS}"), by_hand());
    let words = format!(" Members without a field of their own: see [`OtherFields`](::{by_hand}::OtherFields).");
    fields.named.push(parse_quote! {
        #[doc = #words]
        #[cfg_attr(feature = "schemars", schemars(flatten))]
        pub #others: ::#by_hand::OtherFields
    });
    item.attrs.retain(|attribute| !attribute.path().is_ident("serde"));
    item.attrs.push(parse_quote!(#[cfg_attr(feature = "schemars", schemars(rename_all = "camelCase"))]));
    // A struct that callers build and that requires nothing has a `Default`. A struct that is only received would lose
    // its `Default` as soon as the contract requires a field.
    let has_default = one.is_sent && !one.fields.iter().any(is_argument);
    if let Some(derive) = item.attrs.iter_mut().find(|attribute| attribute.path().is_ident("derive")) {
        *derive = derives(derive, has_default)?;
    }
    // A new member in the contract is a new field, which is then not a breaking change.
    item.attrs.push(parse_quote!(#[non_exhaustive]));
    let name = &item.ident;
    Ok(quote! { crate::object::object!(#name { #members }); })
}

/// Returns the derives without paths into crates, and with `Default` if the struct has one.
fn derives(derive: &Attribute, has_default: bool) -> Result<Attribute> {
    let traits = derive.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)?;
    let kept = traits.into_iter().filter(|path| path.segments.len() == 1 && !path.is_ident("Default"));
    let default = has_default.then(|| quote!(Default));
    let kept = kept.map(|path| quote!(#path)).chain(default);
    Ok(parse_quote!(#[derive(#(#kept),*)]))
}

/// Returns the name that `rename_all = "camelCase"` gives to a field.
fn camel_case(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        let initial = letters.next().map(|letter| letter.to_ascii_uppercase());
        name + &initial.into_iter().chain(letters).collect::<String>()
    })
}

/// Returns the accessors of a struct, for fields that belong together and for fields with a default.
fn accessors(one: &Struct<'_>, project: &Project) -> Option<TokenStream> {
    let (mut accessors, conversion) = config_sources(one, project);
    let mut taken: Vec<Ident> = one.fields.iter().map(|field| field.ident.clone()).collect();
    for field in &one.fields {
        // A setter of the same name takes precedence.
        let name = field.accessor("or_default");
        if !taken.contains(&name) {
            accessors.extend(default_of(field));
            taken.push(name);
        }
    }
    let ident = one.ident();
    (!accessors.is_empty()).then(|| quote! { impl #ident { #accessors } #conversion })
}

/// Returns an accessor for each pair of fields `x` and `xURL`, where `x` is JSON and `xURL` a signed URL, and for each
/// configuration without a URL, as in older contracts. Also returns a conversion, so that the data of an event can be
/// passed where a configuration is expected.
fn config_sources(one: &Struct<'_>, project: &Project) -> (TokenStream, TokenStream) {
    let by_hand = by_hand();
    let (mut accessors, mut conversion) = (TokenStream::new(), TokenStream::new());
    let mut taken: Vec<Ident> = one.fields.iter().map(|field| field.ident.clone()).collect();
    for field in one.fields.iter().filter(|field| field.is_json()) {
        let name = field.name;
        let url = one.fields.iter().find(|url| url.replaces(project) == Some(name));
        if taken.contains(&field.accessor("source")) || url.is_none() && name != "config" && !name.ends_with("Config") {
            continue;
        }
        let (accessor, from_inline) = (field.accessor("source"), field.borrow());
        taken.push(accessor.clone());
        let from_url = url.map_or_else(|| quote!(::core::option::Option::None), Field::borrow);
        let or_url = url.map(|url| format!(", or to be downloaded from `{}`", url.name)).unwrap_or_default();
        let doc = format!("Where the {} is: in `{name}`{or_url}.", spoken(name));
        accessors.extend(quote! {
            #[doc = #doc]
            pub fn #accessor(&self) -> ::#by_hand::ConfigSource<'_> {
                ::#by_hand::ConfigSource::new(#from_inline, #from_url)
            }
        });
        if name == "config" {
            let ident = one.ident();
            conversion = quote! {
                impl<'a> ::core::convert::From<&'a #ident> for ::#by_hand::ConfigSource<'a> {
                    fn from(data: &'a #ident) -> Self {
                        data.#accessor()
                    }
                }
            };
        }
    }
    (accessors, conversion)
}

/// Returns the fields that a signed URL may replace, and the accessor of each.
pub(super) fn replaced<'s, 'a>(one: &'s Struct<'a>, project: &Project) -> Vec<(&'s Field<'a>, Ident)> {
    let mut names: Vec<&str> = one.fields.iter().filter_map(|url| url.replaces(project)).collect();
    names.sort_unstable();
    let fields = names.into_iter().filter_map(|name| one.field(name).filter(|field| field.is_json()));
    fields.map(|field| (field, field.accessor("source"))).collect()
}

/// Returns an accessor for an optional field that has a default in the contract.
fn default_of(field: &Field<'_>) -> Option<TokenStream> {
    let default = field.of.schema.facet("default")?;
    let Ty::Option(ty) = &field.ty else { return None };
    let is_enum = field.of.schema.values.is_some();
    let value = match (default, &**ty) {
        (Value::Bool(value), Ty::Bool) => quote!(#value),
        (Value::Number(value), Ty::ByHand("Integer")) => match value.as_i64()? {
            value if value < 0 => quote!((#value).into()),
            value => quote!(#value.into()),
        },
        (Value::String(value), Ty::String) => quote!(#value.to_owned()),
        (Value::String(value), Ty::Path(_)) if is_enum => quote!(#value.into()),
        _ => return None,
    };
    let (ident, accessor, ty) = (&field.ident, field.accessor("or_default"), ty.local());
    let spoken = default.to_string();
    let doc = format!("`{}`, or `{}` where it is absent, as the contract says.", field.name, spoken.trim_matches('"'));
    Some(quote! {
        #[doc = #doc]
        pub fn #accessor(&self) -> #ty {
            self.#ident.clone().unwrap_or_else(|| #value)
        }
    })
}

/// Returns `last configuration` for `lastConfig`.
fn spoken(field: &str) -> String {
    field.to_snake_case().replace('_', " ").replace("config", "configuration")
}

/// Whether the constructor of the struct takes the field.
fn is_argument(field: &Field<'_>) -> bool {
    !matches!(field.ty, Ty::Option(_) | Ty::Items(_))
}

/// Returns how callers build a struct: a constructor that takes the required fields, and a setter for each field that
/// may be absent.
fn setters(one: &Struct<'_>, item: &ItemStruct, stale: &mut Vec<String>) -> TokenStream {
    let (mut arguments, mut values, mut setters) = (Vec::new(), TokenStream::new(), TokenStream::new());
    for (field, made) in one.fields.iter().zip(&item.fields) {
        let ident = &field.ident;
        let (ty, value) = field.ty.some().argument(ident, Ty::local);
        if is_argument(field) {
            arguments.push((field.name, quote! { #ident: #ty }));
            values.extend(quote! { #ident: #value, });
            continue;
        }
        values.extend(quote! { #ident: ::core::default::Default::default(), });
        let docs = made.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
        let is_option = matches!(field.ty, Ty::Option(_));
        let value = if is_option { quote!(::core::option::Option::Some(#value)) } else { value };
        setters.extend(setter(&quote!(#(#docs)*), ident, &ty, &quote! { self.#ident = #value; }));
    }
    let others = format_ident!("{OTHERS}");
    values.extend(quote! { #others: ::core::default::Default::default(), });
    let is_named = |field: &str, name: &str| field.to_lower_camel_case() == name.to_lower_camel_case();
    let order = &one.schema.says.order;
    for unknown in order.iter().filter(|wanted| !arguments.iter().any(|(name, _)| is_named(name, wanted))) {
        stale.push(format!(
            "openapi/overlays: `x-order` of {} names `{unknown}`, which is no required field of it",
            one.name
        ));
    }
    arguments.sort_by_key(|(name, _)| order.iter().position(|wanted| is_named(name, wanted)).unwrap_or(usize::MAX));
    let arguments = arguments.iter().map(|(_, argument)| argument);
    let (doc, made) = if arguments.len() > 0 {
        let doc = "With what is required. Each field that may be absent has a method of its name, which sets it.";
        (doc, quote!(Self { #values }))
    } else {
        let doc = "With nothing in it, as nothing is required. Each field has a method of its name, which sets it.";
        (doc, quote!(<Self as ::core::default::Default>::default()))
    };
    let name = &item.ident;
    quote! {
        impl #name {
            #[doc = #doc]
            pub fn new(#(#arguments),*) -> Self {
                #made
            }

            #setters
        }
    }
}

/// Returns a method that takes the value of a part that may be absent, and sets it by a `step`.
pub(super) fn setter(docs: &TokenStream, part: &Ident, ty: &TokenStream, step: &TokenStream) -> TokenStream {
    quote! {
        #docs
        pub fn #part(mut self, #part: #ty) -> Self {
            #step
            self
        }
    }
}

/// The name of a struct, and of the one that it converts into.
type Pair = (String, String);

/// Returns the conversions that overlays ask for by `x-from`, and those that these need. One that cannot be made is
/// stale: in an older contract, one struct may have fewer fields than the other.
fn conversions(structs: &[Struct<'_>], document: &Document, stale: &mut Vec<String>) -> TokenStream {
    let asked = document.schemas.iter().filter_map(|(name, schema)| Some((schema.says.from.as_ref()?, name)));
    let (mut conversions, mut done) = (TokenStream::new(), Vec::<Pair>::new());
    for pair in asked.map(|(from, into)| (names::pascal(from), names::pascal(into))) {
        match with_needed(pair, structs, &done) {
            Ok((tokens, pairs)) => {
                conversions.extend(tokens);
                done.extend(pairs);
            }
            Err(error) => stale.push(format!("openapi/overlays: `x-from`: {error:#}")),
        }
    }
    conversions
}

/// Returns a conversion, and those that it needs and that do not exist yet.
fn with_needed(pair: Pair, structs: &[Struct<'_>], there: &[Pair]) -> Result<(TokenStream, Vec<Pair>)> {
    let (mut conversions, mut done, mut next) = (TokenStream::new(), Vec::new(), vec![pair]);
    while let Some(pair) = next.pop() {
        if there.contains(&pair) || done.contains(&pair) {
            continue;
        }
        let find = |name: &str| Struct::named(structs, name).with_context(|| format!("there is no struct `{name}`"));
        let tokens = conversion(find(&pair.0)?, find(&pair.1)?, &mut next);
        conversions.extend(tokens.with_context(|| format!("`{}` from `{}`", pair.1, pair.0))?);
        done.push(pair);
    }
    Ok((conversions, done))
}

fn conversion(from: &Struct<'_>, into: &Struct<'_>, needed: &mut Vec<Pair>) -> Result<TokenStream> {
    let mut values = TokenStream::new();
    let mut left: Vec<&Field<'_>> = from.fields.iter().collect();
    for field in &into.fields {
        let place = left.iter().position(|source| source.ident == field.ident);
        let place = place.with_context(|| format!("`{}` is not there to be converted", field.ident))?;
        let (source, ident) = (left.swap_remove(place), &field.ident);
        let value = convert(quote!(value.#ident), &source.ty, &field.ty, needed)?;
        values.extend(quote! { #ident: #value, });
    }
    if let Some(field) = left.first() {
        bail!("`{}` would be lost", field.ident);
    }
    let others = format_ident!("{OTHERS}");
    values.extend(quote! { #others: value.#others, });
    let (from, into) = (from.ident(), into.ident());
    let doc = format!("The same as a `{into}`, so that it can be sent back.");
    Ok(quote! {
        #[doc = #doc]
        impl ::core::convert::From<#from> for #into {
            fn from(value: #from) -> Self {
                Self { #values }
            }
        }
    })
}

/// Returns the expression that converts a value. Equal types stay; two different structs have their own conversion.
fn convert(value: TokenStream, from: &Ty, into: &Ty, needed: &mut Vec<Pair>) -> Result<TokenStream> {
    if from == into {
        return Ok(value);
    }
    let item = quote!(item);
    Ok(match (from, into) {
        (Ty::Option(from), Ty::Option(into)) => {
            let inner = convert(item.clone(), from, into, needed)?;
            quote!(#value.map(|#item| #inner))
        }
        (from, Ty::Option(into)) => {
            let inner = convert(value, from, into, needed)?;
            quote!(::core::option::Option::Some(#inner))
        }
        (Ty::Items(from), Ty::Items(into)) => {
            let inner = convert(quote!(items), from, into, needed)?;
            quote!(#value.map(|items| #inner))
        }
        (Ty::Map(from), Ty::Map(into)) => {
            let inner = convert(item.clone(), from, into, needed)?;
            quote!(#value.into_iter().map(|(key, #item)| (key, #inner)).collect())
        }
        (Ty::Vec(from), Ty::Vec(into)) => {
            let inner = convert(item.clone(), from, into, needed)?;
            quote!(#value.into_iter().map(|#item| #inner).collect())
        }
        (Ty::Boxed(from), Ty::Boxed(into)) => {
            let inner = convert(quote!(*#value), from, into, needed)?;
            quote!(::std::boxed::Box::new(#inner))
        }
        (Ty::Struct(from), Ty::Struct(into)) => {
            needed.push((from.clone(), into.clone()));
            quote!(::core::convert::Into::into(#value))
        }
        _ => bail!("`{}` is no `{}`", from.local(), into.local()),
    })
}
