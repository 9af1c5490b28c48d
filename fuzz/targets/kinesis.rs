#![no_main]

use ampersand_notifications::{Delivery, Problem, from_kinesis, from_kinesis_as};

libfuzzer_sys::fuzz_target!(|record: &[u8]| {
    let notification_type = fuzz::some_type(record);
    let told = fuzz::ask(record, |record| from_kinesis_as(record, notification_type));
    match fuzz::ask(record, |record| from_kinesis(record)) {
        Ok(Delivery::Records(_)) => {}
        Ok(notification) => assert_eq!(told, Ok(notification), "what the record says counts more"),
        Err(error) => match error.problem() {
            Problem::TypeMissing { fits } => assert_eq!(told.is_ok(), fits.contains(notification_type)),
            problem => assert!(told.is_err(), "{problem}"),
        },
    }
});
