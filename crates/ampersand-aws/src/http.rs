//! Serves an axum router from Lambda.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;

use axum::Router;
use lambda_http::http::Uri;
use lambda_http::lambda_runtime::LambdaInvocation;
use lambda_http::lambda_runtime::layers::TracingLayer;
use lambda_http::request::RequestContext;
use lambda_http::tower::ServiceExt as _;
use lambda_http::tower::util::MapRequestLayer;
use lambda_http::{IntoResponse as _, Request, RequestExt as _, service_fn};
use serde_json::value::RawValue;

/// Serves an axum router from Lambda, behind API Gateway (REST and HTTP APIs), a function URL or a load balancer.
///
/// It works like `lambda_http::run`, with two differences:
///
/// - Routes do not contain the stage: `/ampersand` receives the requests to `/prod/ampersand` of the stage `prod`.
/// - It keeps every value of a header if the event has them. REST APIs also send the last value in another member.
///
/// It decodes base64 bodies, so that signatures are verified over the bytes that were signed. Lambda freezes the
/// process after the response: a handler must store a delivery before it responds, as `webhook` of an inbox does.
///
/// ```no_run
/// use ampersand_notifications::{Verifier, axum::Received};
/// use axum::{Router, http::StatusCode, routing::post};
///
/// async fn receive(received: Received) -> StatusCode {
///     println!("{:?}", received.delivery.group_ref());
///     StatusCode::NO_CONTENT
/// }
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
///     let verifier = Verifier::new(&std::env::var("WEBHOOK_SECRET")?)?;
///     ampersand_aws::serve(Router::new().route("/ampersand", post(receive)).with_state(verifier)).await
/// }
/// ```
///
/// # Errors
///
/// When the function cannot reach Lambda's Runtime API. Return the error from `main`: Lambda starts a new process.
///
/// # Panics
///
/// When an environment variable that Lambda sets is missing, such as `AWS_LAMBDA_FUNCTION_NAME`. `lambda_http` also panics
/// at an event whose host or query no URL can have, or whose base64 is broken: with `panic = "unwind"`, that invocation alone
/// fails.
pub async fn serve(app: Router) -> Result<(), Box<dyn Error + Send + Sync>> {
    let respond = service_fn(move |request| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(app.oneshot(without_stage(request)).await?.into_response().await) }
    });
    let every_value = MapRequestLayer::new(|mut invocation: LambdaInvocation| {
        if let Some(event) = with_every_value(&invocation.body) {
            invocation.body = event.into();
        }
        invocation
    });
    lambda_http::runtime(respond).layer(every_value).layer(TracingLayer::new()).run().await
}

/// Removes `headers` from an event that also has `multiValueHeaders`. `headers` holds the last value of each header,
/// and `lambda_http` would replace all values by it.
fn with_every_value(event: &[u8]) -> Option<Vec<u8>> {
    let mut members: BTreeMap<String, &RawValue> = serde_json::from_slice(event).ok()?;
    let headers: BTreeMap<String, &RawValue> = serde_json::from_str(members.get("multiValueHeaders")?.get()).ok()?;
    if headers.is_empty() {
        return None;
    }
    members.remove("headers")?;
    serde_json::to_vec(&members).ok()
}

/// Removes the stage of API Gateway from the path. `lambda_http` adds it for REST APIs; HTTP APIs send it themselves.
fn without_stage(mut request: Request) -> Request {
    let path = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => {
            let path = below(context.stage.as_deref(), request.uri().path());
            // A path of the API may itself begin with the name of the stage. Such a path is kept.
            path.filter(|_| below(context.stage.as_deref(), request.raw_http_path()).is_none())
        }
        Some(RequestContext::ApiGatewayV2(context)) => below(context.stage.as_deref(), request.uri().path()),
        _ => None,
    };
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let uri = path.and_then(|path| format!("{path}{query}").parse::<Uri>().ok());
    if let Some(uri) = uri {
        *request.uri_mut() = uri;
    }
    request
}

/// Returns the path below a stage.
fn below<'p>(stage: Option<&str>, path: &'p str) -> Option<&'p str> {
    let path = path.strip_prefix('/')?.strip_prefix(stage?)?;
    path.starts_with('/').then_some(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

    use ampersand_notifications::Verifier;
    use ampersand_notifications::axum::Received;
    use ampersand_testing::{Fixture, Sent, aws};
    use axum::extract::Path;
    use axum::http::StatusCode;
    use axum::routing::{get, post};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};

    use super::*;

    const SECRET: &str = "whsec_bm90IGEgc2VjcmV0LCBidXQgYSBkb2N1bWVudA==";
    const OTHER: &str = "whsec_YSBzZWNyZXQgb2Ygc29tZWJvZHkgZWxzZSwgaXQgc2VlbXM=";

    fn shapes(webhook: &Sent) -> [(&'static str, Value); 6] {
        let mut function_url = aws::http_api_event(webhook);
        function_url["requestContext"]["domainName"] = "abc.lambda-url.us-east-1.on.aws".into();
        let mut staged = aws::http_api_event(webhook);
        staged["requestContext"]["stage"] = "prod".into();
        staged["rawPath"] = "/prod/ampersand".into();
        [
            ("REST API", aws::api_gateway_event(webhook)),
            ("HTTP API", aws::http_api_event(webhook)),
            ("HTTP API with a stage", staged),
            ("function URL", function_url),
            ("ALB", aws::alb_event(webhook)),
            ("ALB with multi-value headers", aws::alb_multi_value_event(webhook)),
        ]
    }

    async fn respond(event: String) -> axum::response::Response {
        let app = Router::new()
            .route("/ampersand", post(async |_: Received| StatusCode::NO_CONTENT))
            .route("/prod/{rest}", get(async |Path(rest): Path<String>| rest))
            .with_state(Verifier::new(SECRET).unwrap());
        let event = with_every_value(event.as_bytes()).map_or(event, |event| String::from_utf8(event).unwrap());
        app.oneshot(without_stage(lambda_http::request::from_str(&event).unwrap())).await.unwrap()
    }

    async fn status(event: &Value) -> StatusCode {
        respond(event.to_string()).await.status()
    }

    #[tokio::test]
    async fn a_router_verifies_requests_of_every_shape() {
        let webhook = Fixture::new("installation.created").signed_now(SECRET).unwrap();
        let forged = Fixture::new("installation.created").signed_now(OTHER).unwrap();
        for ((shape, event), (_, forged)) in shapes(&webhook).into_iter().zip(shapes(&forged)) {
            assert_eq!(status(&event).await, StatusCode::NO_CONTENT, "{shape}");
            assert_eq!(status(&forged).await, StatusCode::UNAUTHORIZED, "{shape}");
        }
    }

    #[tokio::test]
    async fn signatures_are_verified_over_the_decoded_bytes() {
        let fixture = Fixture::new("installation.created").set("/installation/groupRef", "Zoë 🦀");
        for (shape, mut event) in shapes(&fixture.signed_now(SECRET).unwrap()) {
            event["body"] = STANDARD.encode(event["body"].as_str().unwrap()).into();
            assert_eq!(status(&event).await, StatusCode::UNAUTHORIZED, "{shape}");
            event["isBase64Encoded"] = true.into();
            assert_eq!(status(&event).await, StatusCode::NO_CONTENT, "{shape}");
        }
    }

    /// During the rotation of a secret, a request has several signatures, in one header or in several.
    #[tokio::test]
    async fn each_of_several_signatures_counts() {
        let webhook = Fixture::new("installation.created").signed_now(SECRET).unwrap();
        let header = webhook.headers.keys().find(|name| name.ends_with("-signature")).unwrap().clone();
        let (right, wrong) = (webhook.headers[&header].clone(), "v1,bm90IGEgc2lnbmF0dXJl");
        for values in [[wrong, &right], [&right, wrong]] {
            for (shape, mut event) in shapes(&webhook) {
                // In a REST API's event, `headers` has only the last value. Other events have one header with both.
                let is_rest = event.get("multiValueHeaders").is_some() && event.get("headers").is_some();
                if event.get("multiValueHeaders").is_some() {
                    event["multiValueHeaders"][&header] = json!(values);
                }
                if event.get("headers").is_some() {
                    event["headers"][&header] = if is_rest { values[1].into() } else { values.join(" ").into() };
                }
                assert_eq!(status(&event).await, StatusCode::NO_CONTENT, "{shape}: {values:?}");
                // Lambda sends compact JSON, and people test with other JSON.
                let event = serde_json::to_string_pretty(&event).unwrap();
                assert_eq!(respond(event).await.status(), StatusCode::NO_CONTENT, "{shape}: {values:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_path_that_begins_like_the_stage_stays() {
        let mut event = aws::api_gateway_event(&Fixture::new("installation.created").signed_now(SECRET).unwrap());
        (event["httpMethod"], event["path"]) = ("GET".into(), "/prod/status".into());
        assert_eq!(status(&event).await, StatusCode::OK);
    }
}
