//! Calls any operation of the API. The contract defines the operations and their parameters.

pub(crate) mod command;
mod request;
mod show;

use std::collections::HashSet;
use std::path::Path;
use std::process::ExitCode;

use ampersand_client::{Client, ClientBuilder};
use ampersand_types::__private::reason;
use anyhow::{Result, bail};
use clap::ArgMatches;
use serde::Deserialize;
use serde_json::value::RawValue;

use self::command::{ALL, DRY_RUN, KEY_FILE, NO_CHECK, OUTPUT};
use self::request::Request;
use crate::contract;
use crate::output::Form;
use crate::output::{Messages, Output, plain};
use crate::secrets;
use crate::usage::usage;

pub(crate) fn run(matches: &ArgMatches) -> Result<ExitCode> {
    let called = matches.subcommand().and_then(|(name, matches)| Some((contract::operation(name)?, matches)));
    let Some((operation, matches)) = called else { return Err(usage("no such operation".to_owned())) };
    let request = Request::read(operation, matches)?;
    let faults = if matches.get_flag(NO_CHECK) { Vec::new() } else { request.faults() };
    if !faults.is_empty() {
        let messages = Messages::default();
        faults.iter().for_each(|fault| messages.say(plain(fault)));
        let what = "the request does not fit the contract, and was not sent: --no-check sends it all the same";
        return Err(usage(what.to_owned()));
    }
    let mut output = Output::new(matches.get_one::<Form>(OUTPUT).copied().unwrap_or_default());
    if matches.get_flag(DRY_RUN) {
        output.raw(request.curl()?.as_bytes())?;
        output.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let client = client(matches.get_one::<String>(KEY_FILE).map(Path::new))?;
    let pages = operation.has_pages() && matches.get_flag(ALL);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        if pages {
            every_page(&client, &request, &mut output).await
        } else {
            once(&client, &request, &mut output).await
        }
    })
}

fn client(key_file: Option<&Path>) -> Result<Client> {
    let mut builder = ClientBuilder::from_env();
    for key in key_file.map(|file| secrets::of_file("--key-file", file)).transpose()?.iter().flatten().take(1) {
        builder = builder.api_key(key);
    }
    builder.build().map_err(|error| usage(error.to_string()))
}

async fn once(client: &Client, request: &Request, output: &mut Output) -> Result<ExitCode> {
    let response = request.raw(client, None)?.text().await?;
    if response.is_empty() {
        Messages::default().say(format_args!("{}: {}", request.operation.id, response.status()));
    } else {
        show::response(&response, request.operation.response(), output)?;
        let more = serde_json::from_str(&response).ok().and_then(|Page { pagination, .. }| pagination.next_page_token);
        if more.is_some() && request.operation.has_pages() && !output.is_json() {
            Messages::default().say("there are more: --all gets every page");
        }
    }
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// A page of a list.
#[derive(Deserialize)]
struct Page<'p> {
    #[serde(borrow)]
    results: Vec<&'p RawValue>,
    #[serde(default)]
    pagination: Pagination,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Pagination {
    done: Option<bool>,
    next_page_token: Option<String>,
}

/// Prints items for programs page by page. A table is printed when all its rows are known.
async fn every_page(client: &Client, request: &Request, output: &mut Output) -> Result<ExitCode> {
    let (mut rows, mut token, mut seen) = (Vec::new(), None::<String>, HashSet::new());
    loop {
        let response = request.raw(client, token.as_deref())?.text().await?;
        let Page { results, pagination } = match serde_json::from_str(&response) {
            Ok(page) => page,
            Err(error) => {
                let why = reason(&error).unwrap_or_else(|| "it is not JSON".to_owned());
                bail!("{}: the response is no page of a list: {why}", request.operation.id)
            }
        };
        for item in results {
            match output.is_json() {
                true => output.json_text(item.get())?,
                false => rows.push(serde_json::from_str(item.get())?),
            }
        }
        output.flush()?;
        let next = pagination.next_page_token.filter(|next| pagination.done != Some(true) && !next.is_empty());
        match next {
            None if pagination.done == Some(false) => {
                bail!(
                    "{}: the API sent no token for the next page, so the list may be incomplete",
                    request.operation.id
                )
            }
            None => break,
            Some(next) if !seen.insert(next.clone()) => {
                bail!("{}: the API sent the same page token twice, so the list may be incomplete", request.operation.id)
            }
            next => token = next,
        }
    }
    if !output.is_json() {
        show::list(&rows, show::items(request.operation.response()), output)?;
        output.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}
