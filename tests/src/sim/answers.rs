//! Parses the reply to a tick.

use upstash_local::DirectReply;

use super::state::{Header, words};

/// A job as a tick hands it out.
#[derive(Clone, Debug)]
pub struct Handed {
    pub id: String,
    pub header: Header,
    pub spec: String,
    pub data: String,
}

#[derive(Clone, Debug, Default)]
pub struct TickAnswer {
    pub settled: Vec<String>,
    pub renewed: Vec<String>,
    pub claimed: Vec<Handed>,
    pub ended: Vec<Handed>,
    pub next_due_ms: i64,
    pub paused: bool,
}

impl TickAnswer {
    pub fn parse(reply: &DirectReply) -> Result<TickAnswer, String> {
        let DirectReply::Array(parts) = reply else {
            return Err(format!("not the parts of a tick: {reply:?}"));
        };
        let part = |n: usize| parts.get(n).cloned().unwrap_or(DirectReply::Nil);
        let handed = |n: usize| -> Result<Vec<Handed>, String> {
            let DirectReply::Array(items) = part(n) else {
                return Err(format!("no list of jobs: {:?}", part(n)));
            };
            items.into_iter().map(|item| hand(words(item))).collect()
        };
        let number = |n: usize| match part(n) {
            DirectReply::Bulk(bytes) => String::from_utf8_lossy(&bytes).parse().unwrap_or(-1),
            DirectReply::Int(value) => value,
            _ => -1,
        };
        Ok(TickAnswer {
            settled: words(part(0)),
            renewed: words(part(1)),
            claimed: handed(2)?,
            ended: handed(3)?,
            next_due_ms: number(4),
            paused: number(5) == 1,
        })
    }
}

fn hand(parts: Vec<String>) -> Result<Handed, String> {
    let [id, header, spec, data] =
        <[String; 4]>::try_from(parts).map_err(|parts| format!("not a job: {parts:?}"))?;
    Ok(Handed {
        header: serde_json::from_str(&header).map_err(|error| format!("{error}: {header}"))?,
        id,
        spec,
        data,
    })
}
