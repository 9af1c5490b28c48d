//! A webhook receiver: `AMPERSAND_WEBHOOK_SECRET=whsec_… cargo run --example receiver --features axum`.
//!
//! It verifies each request to `http://localhost:3000/ampersand`, drops repeats, responds at once, and resolves
//! configurations afterwards.

use std::collections::HashSet;
use std::error::Error;
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use ampersand_notifications::axum::Received;
use ampersand_notifications::{Delivery, Policy, Resolver, Verifier};
use ampersand_types::notifications::Event;
use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::routing::post;

#[derive(Clone, FromRef)]
struct App {
    verifier: Verifier,
    resolver: Resolver,
    /// The ids of earlier deliveries. A real application keeps them in a table, and writes each delivery beside its id
    /// before it responds: after a 2xx, Ampersand does not send a delivery again.
    seen: Arc<Mutex<HashSet<String>>>,
}

async fn receive(State(app): State<App>, Received { delivery, .. }: Received) -> StatusCode {
    let is_new = delivery.id().is_none_or(|id| app.seen.lock().is_ok_and(|mut seen| seen.insert(id.to_owned())));
    if is_new {
        tokio::spawn(async move { tell(handle(&app.resolver, delivery).await) });
    }
    StatusCode::NO_CONTENT
}

async fn handle(resolver: &Resolver, delivery: Delivery) -> String {
    match delivery {
        Delivery::Notification(notification) => match &notification.event {
            Event::InstallationUpdated(data) => match resolver.configs(data).await {
                (Ok(config), Ok(last)) => {
                    format!("{} went from {} to {} bytes", data.group_ref, last.as_str().len(), config.as_str().len())
                }
                (Err(error), _) | (_, Err(error)) => format!("{}: {error}", data.group_ref),
            },
            Event::Unknown(data) => format!("{} is new: {data:?}", notification.notification_type),
            _ => notification.notification_type.to_string(),
        },
        Delivery::Records(records) => match resolver.records(&records).await {
            Ok(found) => format!("{} of {}", found.len(), records.message.object_name),
            Err(error) => error.to_string(),
        },
    }
}

fn tell(what: String) {
    let _ = writeln!(std::io::stdout(), "{what}");
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let verifier = Verifier::new(&std::env::var("AMPERSAND_WEBHOOK_SECRET")?)?;
    let app = App { verifier, resolver: Resolver::new(Policy::default())?, seen: Arc::default() };
    let router = Router::new().route("/ampersand", post(receive)).with_state(app);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    tell(format!("listening at http://{}/ampersand", listener.local_addr()?));
    Ok(axum::serve(listener, router).await?)
}
