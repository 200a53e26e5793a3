//! The Lambda function `drain`.

use std::sync::Arc;

use drain::{Chores, Drain, Environment};
use shared::config::{DiscordConfig, DrainConfig, WakerConfig};
use shared::queue::SCAN;
use shared::start::Start;
use shared::waker::{BY_DRAIN, LambdaWake, Wake};

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::from_process().await?;
    let discord = DiscordConfig::read(&start.environment)?;
    let queue = start.queue(SCAN)?;
    let chores = Chores::new(&DrainConfig::read(&start.environment)?, &start.clock)?;
    let helpers: Option<Arc<dyn Wake>> = match WakerConfig::read(&start.environment).function {
        Some(function) => Some(Arc::new(LambdaWake::from_environment(function, BY_DRAIN))),
        None => None,
    };
    let (metrics, budget) = (start.metrics()?, start.budget());
    let environment = Environment::new(queue.clone(), start.redis, &start.key_prefix, &discord)?;
    let drain = Drain::new(queue, environment, chores, helpers, metrics, budget);
    drain::serve(drain).await
}
