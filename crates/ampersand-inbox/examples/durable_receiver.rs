//! A complete receiver: `AMPERSAND_WEBHOOK_SECRET=whsec_… cargo run --example durable_receiver --features
//! resolve,serve`.
//!
//! It stores each webhook to `http://localhost:3000/ampersand` before it responds, and downloads configurations that
//! are too large to send. It keeps a table of installations beside the inbox, in the same file. Each delivery changes
//! the table once.

use std::error::Error;
use std::time::Duration;

use ampersand_inbox::rusqlite::Connection;
use ampersand_inbox::{Failure, Inbox, Incoming, serve};
use ampersand_notifications::{Delivery, Policy, Resolver, Verifier};
use ampersand_types::ConfigSource;
use ampersand_types::config::ConfigContent;
use ampersand_types::notifications::Event;
use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;

const FILE: &str = "receiver.db";

/// Changes the table as the delivery says. The change and the end of the delivery commit together, or not at all.
fn apply(incoming: &Incoming, connection: &Connection) -> Result<(), Failure> {
    let Delivery::Notification(notification) = &incoming.delivery else { return Ok(()) };
    let (id, group, config) = match &notification.event {
        Event::InstallationCreated(data) => (&data.installation_id, &data.group_ref, data.config_source()),
        Event::InstallationUpdated(data) => (&data.installation_id, &data.group_ref, data.config_source()),
        Event::InstallationDeleted(data) => {
            connection.execute("DELETE FROM installation WHERE id = ?1", [&data.installation_id])?;
            return Ok(());
        }
        _ => return Ok(()),
    };
    // Content that was not sent has been downloaded, unless its URL had expired.
    let ConfigSource::Inline(config) = config else { return Err(Failure::permanent("the configuration is lost")) };
    let config: ConfigContent = config.parse()?;
    connection.execute(
        "INSERT INTO installation (id, group_ref, provider) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET group_ref = ?2, provider = ?3, changes = changes + 1",
        (id, group, &config.provider),
    )?;
    Ok(())
}

/// Prunes the inbox every hour.
async fn prune(inbox: Inbox) {
    loop {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        if let Err(error) = inbox.prune().await {
            eprint(&error);
        }
    }
}

#[expect(clippy::print_stderr, reason = "an application logs it")]
fn eprint(error: &dyn Error) {
    eprintln!("{error}");
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let verifier = Verifier::new(&std::env::var("AMPERSAND_WEBHOOK_SECRET")?)?;
    let inbox = Inbox::open(&format!("sqlite:{FILE}")).await?;
    Connection::open(FILE)?.execute_batch(
        "CREATE TABLE IF NOT EXISTS installation (
             id TEXT PRIMARY KEY, group_ref TEXT NOT NULL, provider TEXT NOT NULL, changes INTEGER NOT NULL DEFAULT 0
         ) STRICT",
    )?;

    let (stop, stopped) = watch::channel(false);
    let until = || {
        let mut stopped = stopped.clone();
        async move { drop(stopped.wait_for(|stopped| *stopped).await) }
    };
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        stop.send(true)
    });
    let pruning = tokio::spawn(prune(inbox.clone()));
    let resolver = Resolver::new(Policy::default())?;
    let app = Router::new().route("/ampersand", inbox.webhook(verifier));
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    let serving = tokio::spawn(serve(listener, app, until()));
    inbox.worker().resolve(resolver).until(until()).in_transaction(apply).await?;
    pruning.abort();
    Ok(serving.await?)
}
