//! What is generated of the second contract: payloads go round, events decode, requests are written as OpenAPI says.

#[allow(dead_code, reason = "it is for more tests than these")]
mod generated;

use ampersand_client::types::{All, Holder, Loan, MakeLoanResponse, Page, Range, Shelf, X3dModelRequest};
use ampersand_client::{Client, Host};
use ampersand_types::RawJson;
use ampersand_types::events::{Event, EventType, Span};
use generated::{SCHEMAS, json_schema, round_trip};
use serde_json::json;
use test_support::server::{Request, Server, response};

/// Of a schema, values that come back as they went: fields in the order of the contract, numbers as they are written.
const SAME: &[(&str, &str, &str)] = &[
    ("events", "Odd", r#"{"Config":1,"below":-2,"config":{},"country":"c149","fault":null,"gen":"g","name":"n","span":{"first":1},"turned":"t","٣":"3","ि":"m"}"#),
    ("events", "D", r#"{"days":5.0,"id":"a","shelf":null,"weight":1.10,"new":{"z":1e400,"a":null}}"#),
    ("desk", "Loan", r#"{"before":{"id":"b","before":null},"book":{"$ref":"r","+1":1,"-1":2,"@context":"c","new":true},"id":"a","marks":["x",1]}"#),
    ("library", "Shelf", r##"{"3d":{"x":1.50},"@type":"t","Size":"s","code":2,"file":"f","folder":[[[]],[]],"id":"a","label":"l","maps":{"a":{"b":1},"c":{}},"name":"main","of":{"age":1,"kind":"person"},"other":[1],"owner":{"z":1,"a":2},"price":10.00,"type":"u","unknown":"#"}"##),
    ("library", "Shelf", r#"{"code":3,"id":"a","of":{"kind":"club","members":[]},"owner":"o","unknown":"new"}"#),
    ("library", "Shelf", r#"{"code":3,"id":"a","of":{"kind":"robot"},"above":null,"error":null,"state":null}"#),
    ("library", "Club", r#"{"kind":"club","members":[{"friend":{"kind":"person"},"kind":"person"}]}"#),
    ("library", "Pet", r#"{"bark":3,"kind":"dog","same":5}"#),
    ("library", "Address", r#"{"a":"x"}"#),
    ("library", "address", r#"{"b":"x"}"#),
    ("library", "Hen", r#"{"egg":{"hen":{"egg":{}}},"eggs":{"a":{}}}"#),
    ("library", "Tagged", r#"{"type":"a","value":"x"}"#),
    ("library", "Tagged", r#"{"type":"b","value":1.0}"#),
    ("library", "Tagged", r#"{"type":"none"}"#),
    ("library", "All", r#"{"a":{"x":"1"},"b":{"x":"2"},"c":{"x":"3"},"d":[{"x":"4"}],"f":{"box":{"box":{}}},"g":"None","i":{"s":"5"},"m":{"b":"6"},"n":{"a":"7"}}"#),
];

#[test]
fn payloads_come_back_as_they_went() {
    for (document, schema, json) in SAME {
        assert!(SCHEMAS.contains(&(document, schema)), "{schema}");
        assert_eq!(round_trip(document, schema, json).unwrap_or_else(|error| panic!("{schema}: {error}")), *json);
    }
    // Each type has a schema of its own.
    for (document, schema) in SCHEMAS {
        json_schema(document, schema);
    }
    // What a field is called, no accessor is.
    let shelf = Shelf::new(1, "a", Holder::new("club")).name("n").state("on").level_or_default(2);
    assert_eq!(shelf.level_or_default, Some(2.into()));
}

#[test]
fn events_decode_by_their_type() {
    let data = RawJson::new(r#"{"id":"a","shelf":"s"}"#).unwrap();
    let event = Event::parse(&EventType::from("loan.made"), &data).unwrap();
    assert!(matches!(&event, Event::LoanMade(loan) if loan.id == "a"));
    assert_eq!(event.shelf().as_deref(), Some("s"));
    let data = RawJson::new(r#"{"shelf":"s","type":"t","floors":{"a":{"b":1}}}"#).unwrap();
    let event = Event::parse(&EventType::from("shelf.gone"), &data).unwrap();
    assert_eq!(event.shelf().as_deref(), Some("s"));
    let data = RawJson::new("[1,2]").unwrap();
    assert!(matches!(Event::parse(&EventType::BooksCounted, &data).unwrap(), Event::BooksCounted(_)));
    assert!(matches!(Event::parse(&EventType::from("fire"), &data).unwrap(), Event::Unknown(_)));
    let data = RawJson::new(r#"{"name":"n","fault":null}"#).unwrap();
    let Event::LibraryChanged(odd) = Event::parse(&EventType::LibraryChanged, &data).unwrap() else { panic!() };
    assert_eq!((odd.below_or_default().get(), odd.secret), (Some(-1), None::<String>));
    // A type that is called as what is not known is.
    assert_ne!(EventType::from("unknown"), EventType::from("fire"));
}

/// A client, and a server that answers with what comes to it.
fn client(answer: &'static str) -> (Client, Server) {
    let server = Server::by_path(move |_, _| response(200, "content-type: application/json\r\n", answer));
    let client = Client::builder().api_key("k").base_url(Host::Library, &server.url).base_url(Host::Desk, &server.url);
    (client.build().unwrap(), server)
}

fn seen(server: &Server) -> Request {
    server.requests().pop().unwrap()
}

#[tokio::test]
async fn requests_are_written_as_openapi_says() {
    let (client, server) = client("[]");
    let call = client.shelves_and_more().list().colors(["a b", "c,d"]).words(["a b", "c,d"]).spaces([1, 2]).pipes(["x", "y"]);
    let call = call.range(Range::new().from(1).to(2)).made(json!({ "gt": [1] })).size(Range::new().from(3));
    let call = call.flat([("k", 5)]).date_created("2026-01-01").call_(true).value(7)._200(8);
    let call = call.span(serde_json::from_str::<Span>(r#"{"first":1}"#).unwrap());
    assert_eq!(call.await.unwrap().len(), 0);
    assert_eq!(
        seen(&server).line,
        "GET /shelves?colors=a%20b&colors=c%2Cd&words=a%20b,c%2Cd&spaces=1%202&pipes=x%7Cy&range%5Bfrom%5D=1&range%5Bto%5D=2\
         &made%5Bgt%5D%5B0%5D=1&from=3&flat=k,5&DateCreated%3C=2026-01-01&call=true&%24=7&200=8&first=1"
    );

    let (client, server) = self::client(r#"{"id":"a","code":1,"of":{"kind":"x"}}"#);
    let groups = client.shelves_and_more();
    groups.get_shelf("main hall", ["a/b", "c"]).await.unwrap();
    assert_eq!(seen(&server).line, "GET /shelves/main%20hall/a%2Fb,c");
    let body = Shelf::new(1, "a", Holder::new("club"));
    groups.shelves_and_more(body).x_mode("fast").x_colors(["a", "b"]).await.unwrap();
    let request = seen(&server);
    assert_eq!((request.header("x-mode"), request.header("x-colors")), ("fast", "a,b"));
    assert_eq!(request.body, r#"{"code":1,"id":"a","of":{"kind":"club"}}"#);

    let (client, server) = self::client("%PDF");
    let form = X3dModelRequest::new("POST").expand(["a", "b"]).metadata([("k", "v w")]);
    client._3d()._3d_model(form).await.unwrap();
    let request = seen(&server);
    assert_eq!(request.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(request.body, "StatusCallbackMethod=POST&expand=a&expand=b&metadata%5Bk%5D=v%20w");
    assert_eq!(&client.desk().call_("bytes").await.unwrap()[..], b"%PDF");
    let request = seen(&server);
    assert_eq!((request.header("content-type"), request.header("accept"), &*request.body), ("application/pdf", "*/*", "bytes"));
    assert_eq!(&*client.desk().get_loans_id_id_notes_note_json(5, "a").await.unwrap(), "%PDF");
    assert_eq!(seen(&server).line, "GET /loans/5/5/notes/a.json");
    client.desk().head_loans_id_id_notes_note_json("x", "a").await.unwrap();
    assert_eq!(seen(&server).line, "HEAD /loans/x/x/notes/a.json");
}

#[tokio::test]
async fn either_shape_of_success_is_read() {
    for json in [r#"{"book":{"title":"t"},"id":"a"}"#, r#"{"id":"a","place":3}"#] {
        let (client, _server) = client(json);
        let made: MakeLoanResponse = client.desk().make_loan(Loan::new("a")).await.unwrap().into_inner();
        assert_eq!(serde_json::to_string(&made).unwrap(), json);
    }
}

#[tokio::test]
async fn a_host_without_a_url_has_to_be_given_one() {
    assert_eq!((Host::Library.default_url(), Host::Desk.default_url()), ("https://main.library.example/v1", ""));
    let client = Client::builder().api_key("k").build().unwrap();
    let error = client.desk().get_loan("a").await.unwrap_err().to_string();
    assert!(error.contains("the contract does not say where Desk is: set `ClientBuilder::base_url`"), "{error}");
}

#[tokio::test]
async fn each_document_keeps_its_own_schemas() {
    let all: All = serde_json::from_str(r#"{"a":{},"b":{},"c":{},"u":[1],"v":{"b":"x"}}"#).unwrap();
    assert_eq!((all.u.len(), all.v.unwrap().b.as_deref()), (1, Some("x")));

    const ANSWER: &str = r#"{"desk":"d","library":"l","both":"b","results":[],"pagination":{"done":true}}"#;
    let (client, server) = client(ANSWER);
    assert_eq!(client.desk().get_page().await.unwrap().desk.as_deref(), Some("d"));
    assert_eq!(client.raw_operation_().here().await.unwrap().library.as_deref(), Some("l"));
    assert_eq!(client.raw_operation_().there().await.unwrap().both.as_deref(), Some("b"));
    assert_eq!(&*client.raw_operation_().turn(Page::new().library("l")).await.unwrap(), ANSWER);
    let turned = seen(&server);
    assert_eq!(turned.header("content-type"), "application/merge-patch+json");
    assert_eq!(turned.header("accept"), "text/csv, application/json, application/problem+json");
    // `default` is the response of a success where there is no other.
    assert!(client.clone_().list_numbers(5).page_token(6).await.unwrap().pagination.done);
    assert_eq!(seen(&server).line, "GET /branches/5/numbers?pageToken=6");
}
