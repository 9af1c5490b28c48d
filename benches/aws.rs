//! A Lambda event with as many large records as Lambda allows: reading it and calling a handler that does nothing,
//! compared with decoding and normalising the same records.

use std::error::Error;
use std::future::ready;
use std::io::Write;

use ampersand_aws::kinesis;
use ampersand_notifications::from_kinesis;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{data, met, times, work};

/// 15 records of 300 KB, in base64, reach Lambda's limit of 6 MB.
const RECORDS: usize = 15;

pub(crate) fn report(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let body = format!(r#"{{"data":{},"metadata":{{"notificationType":"installation.created"}}}}"#, data(300_000));
    let data = STANDARD.encode(&body);
    let record = |number| json!({ "kinesis": { "sequenceNumber": format!("4959033827{number:046}"), "data": data } });
    let event = json!({ "Records": (0..RECORDS).map(record).collect::<Vec<_>>() }).to_string();
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;

    let data = vec![data; RECORDS];
    let works = [
        work(|| {
            for data in &data {
                from_kinesis(STANDARD.decode(data).expect("base64")).expect("a notification");
            }
        }),
        work(|| {
            let answer = runtime.block_on(kinesis(&event, |_| ready(Ok::<_, Box<dyn Error>>(()))));
            assert_eq!(answer.expect("an event").failures(), []);
        }),
    ];
    let [floor, batch] = times(works, 1);
    writeln!(out, "{:24}{:>9}{:>10}   goal", format!("Kinesis, {RECORDS} × 300 KB"), "µs", "× floor")?;
    writeln!(out, "  {:22}{:9.1}", "decode and normalise", floor * 1e6)?;
    let goal = format!("≤ 1.25: {}", met(batch / floor <= 1.25));
    writeln!(out, "  {:22}{:9.1}{:10.2}   {goal}\n", "an event of Lambda", batch * 1e6, batch / floor)?;
    Ok(())
}
