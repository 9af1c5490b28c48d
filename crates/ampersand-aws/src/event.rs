use std::borrow::Cow;
use std::fmt;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::EventError;
use crate::document::{Record, records};

/// The JSON of an event. Every function that takes an event accepts any type that converts into this.
///
/// Bytes, strings, and `serde_json`'s `Value` and `RawValue` convert; with the feature `events`, so do the typed events
/// of the crate `aws_lambda_events`. Prefer bytes or a `RawValue` if the runtime permits: typed events and `Value`
/// reject the whole event if one of its strings is invalid.
///
/// ```
/// use ampersand_aws::{Event, deliveries};
/// use serde_json::json;
///
/// let event = json!({ "Records": [] });
/// assert_eq!(deliveries(&event)?.len(), 0);
/// assert_eq!(deliveries(r#"{"Records": []}"#)?.len(), 0);
/// assert_eq!(format!("{:?}", Event::from(&event)), "Event(14 bytes)");
/// # Ok::<(), ampersand_aws::EventError>(())
/// ```
#[derive(Clone)]
pub struct Event<'e>(Cow<'e, [u8]>);

impl Event<'_> {
    pub(crate) fn text(&self) -> Result<&str, EventError> {
        std::str::from_utf8(&self.0).map_err(|_| EventError::Unknown)
    }

    pub(crate) fn records(&self) -> Result<Vec<Record<'_>>, EventError> {
        records(self.text()?).ok_or(EventError::Unknown)
    }
}

/// Shows only the size.
impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event({} bytes)", self.0.len())
    }
}

impl<'e> From<&'e [u8]> for Event<'e> {
    fn from(event: &'e [u8]) -> Self {
        Self(event.into())
    }
}

impl<'e> From<&'e Vec<u8>> for Event<'e> {
    fn from(event: &'e Vec<u8>) -> Self {
        Self(event.into())
    }
}

impl From<Vec<u8>> for Event<'_> {
    fn from(event: Vec<u8>) -> Self {
        Self(event.into())
    }
}

impl<'e> From<&'e str> for Event<'e> {
    fn from(event: &'e str) -> Self {
        event.as_bytes().into()
    }
}

impl<'e> From<&'e String> for Event<'e> {
    fn from(event: &'e String) -> Self {
        event.as_bytes().into()
    }
}

impl From<String> for Event<'_> {
    fn from(event: String) -> Self {
        event.into_bytes().into()
    }
}

impl<'e> From<&'e RawValue> for Event<'e> {
    fn from(event: &'e RawValue) -> Self {
        event.get().into()
    }
}

impl From<&Value> for Event<'_> {
    fn from(event: &Value) -> Self {
        event.to_string().into()
    }
}

impl From<Value> for Event<'_> {
    fn from(event: Value) -> Self {
        Self::from(&event)
    }
}

/// Converts typed events back to the JSON that they were read from, so that one reader is enough.
#[cfg(feature = "events")]
macro_rules! typed {
    ($($event:ty),* $(,)?) => { $(
        impl From<&$event> for Event<'_> {
            fn from(event: &$event) -> Self {
                // An event that cannot be encoded becomes empty, and every function reports that.
                serde_json::to_vec(event).unwrap_or_default().into()
            }
        }

        impl From<$event> for Event<'_> {
            fn from(event: $event) -> Self {
                Self::from(&event)
            }
        }
    )* };
}

#[cfg(feature = "events")]
typed!(
    aws_lambda_events::alb::AlbTargetGroupRequest,
    aws_lambda_events::apigw::ApiGatewayProxyRequest,
    aws_lambda_events::apigw::ApiGatewayV2httpRequest,
    aws_lambda_events::kinesis::KinesisEvent,
    aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest,
    aws_lambda_events::s3::S3Event,
    aws_lambda_events::sns::SnsEvent,
    aws_lambda_events::sqs::SqsEvent,
);
