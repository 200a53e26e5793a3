//! The Lambda function `drain`.

use drain::{Drain, Environment};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use shared::config::DiscordConfig;
use shared::queue::SCAN;
use shared::start::Start;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::from_process()?;
    let discord = DiscordConfig::read(&start.environment)?;
    let queue = start.queue(SCAN)?;
    let environment = Environment::new(queue.clone(), start.redis, &start.key_prefix, &discord)?;
    let drain = &Drain::new(queue, environment);
    let handler = service_fn(|event: LambdaEvent<Value>| async move {
        drain.handle(event.payload, event.context.deadline).await
    });
    lambda_runtime::run(handler).await
}
