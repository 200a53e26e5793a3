//! The job kind `notice`: sends what there is to tell to a guild's webhook.
//!
//! A second run is harmless. Items stay in the list until they were sent. If an attempt dies
//! between the two, they are sent once more, with the same id.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shared::jobs::SendNotice;
use shared::notices::{Due, Item, Notices, Webhook, request};
use shared::outbound::{Answer, OutboundError, Within};
use shared::queue::{ActiveJob, JobError, Outcome};
use shared::redis;
use shared::telemetry;

use super::arguments;
use super::stop::StopReason;
use crate::Clients;

/// The limits of a request. Nobody reads more of the answer than how long to wait.
const WITHIN: Within = Within {
    time: Duration::from_secs(10),
    bytes: 4096,
};

/// The longest wait that a receiver may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(900);

pub async fn run(clients: Arc<Clients>, job: ActiveJob) -> Outcome {
    let args: SendNotice = match arguments(&job) {
        Ok(args) => args,
        Err(outcome) => return outcome,
    };
    match send(&clients, &job, &args.guild_id).await {
        Ok(outcome) => outcome,
        Err(error) => StopReason::from(error).outcome(),
    }
}

async fn send(clients: &Clients, job: &ActiveJob, guild: &str) -> Result<Outcome, redis::Error> {
    let notices = &clients.notices;
    let Some(webhook) = notices.webhook(guild).await? else {
        return Ok(sent(0));
    };
    // Another notice may have told all of it.
    let items = wanted(notices, guild, &webhook).await?;
    if items.is_empty() {
        return Ok(sent(0));
    }
    if let Due::In(after) = notices.claim(guild, job.attempt.id.as_str()).await? {
        return Ok(Outcome::Snooze { after });
    }
    let now = clients.clock.now_ms();
    let delivery = delivery(&items);
    let answer = clients
        .webhooks
        .send(request(&webhook, guild, &delivery, &items, now), WITHIN)
        .await;
    Ok(match judge(answer) {
        Verdict::Sent => {
            notices.forget(guild, &items).await?;
            sent(items.len())
        }
        Verdict::Later(after) => Outcome::Snooze { after },
        Verdict::Retry(reason) => Outcome::Retry {
            reason,
            after: None,
        },
        Verdict::Never(reason) => {
            // They would only pile up until somebody corrects the address.
            notices.forget(guild, &items).await?;
            Outcome::Fail { reason }
        }
    })
}

fn sent(items: usize) -> Outcome {
    Outcome::Done(json!({ "itemsSent": items }))
}

/// The items that the webhook wants to hear of. The topics may have changed since an item was
/// added.
async fn wanted(
    notices: &Notices,
    guild: &str,
    webhook: &Webhook,
) -> Result<Vec<Item>, redis::Error> {
    let items = notices.pending(guild).await?;
    Ok(items
        .into_iter()
        .filter(|item| webhook.wants(item))
        .collect())
}

/// The id of a notice. The same items have the same id.
fn delivery(items: &[Item]) -> String {
    let ids: Vec<&str> = items.iter().map(|item| item.scan_id.as_str()).collect();
    let newest = items.last().map_or(0, |item| item.at);
    shared::queue::JobId::derived(newest, &ids.join("\n")).to_string()
}

/// What follows from an answer.
enum Verdict {
    Sent,
    Later(Duration),
    Retry(String),
    Never(String),
}

fn judge(answer: Result<Answer, OutboundError>) -> Verdict {
    let never = |message: &str| Verdict::Never(JobError::reason("webhook_refused", message));
    let answer = match answer {
        Ok(answer) => answer,
        Err(OutboundError::Refused(refusal)) => return never(&refusal.to_string()),
        Err(error) => {
            // The causes name addresses, so callers do not see them.
            let message = error.to_string();
            tracing::warn!(
                error = telemetry::chain(&error),
                "a notice could not be sent"
            );
            return Verdict::Retry(JobError::reason("webhook_unreachable", &message));
        }
    };
    match answer.status {
        200..=299 => Verdict::Sent,
        429 => Verdict::Later(wait_of(&answer)),
        300..=399 => never("the webhook redirects elsewhere: set its final address"),
        status @ (401 | 403 | 404 | 410) => never(&format!(
            "the webhook does not exist any more (status {status})"
        )),
        status @ (408 | 425 | 500..) => {
            let message = format!("the webhook answered with status {status}");
            Verdict::Retry(JobError::reason("webhook_unreachable", &message))
        }
        status => never(&format!("the webhook refused the notice (status {status})")),
    }
}

/// How long the receiver asks to wait: in the body as Discord does, or in a header.
fn wait_of(answer: &Answer) -> Duration {
    let body = serde_json::from_slice::<Value>(&answer.body).ok();
    let in_body = body.and_then(|body| body["retry_after"].as_f64());
    let header = answer.headers.get("retry-after");
    let in_header = header.and_then(|value| value.to_str().ok()?.parse::<f64>().ok());
    let seconds = in_body.or(in_header).unwrap_or(60.0);
    // No shorter than the pause between two notices.
    Duration::try_from_secs_f64(seconds)
        .unwrap_or(LONGEST_WAIT)
        .clamp(Duration::from_secs(60), LONGEST_WAIT)
}
