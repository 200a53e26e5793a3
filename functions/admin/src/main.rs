//! The Lambda function `admin`.

use shared::config::{DrainConfig, MetricsConfig};
use shared::http;
use shared::queue::SCAN;
use shared::start::Start;

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), lambda_http::Error> {
    let start = Start::from_process().await?;
    let stream = DrainConfig::read(&start.environment)?.stream;
    let queues = vec![start.queue(SCAN)?];
    let budget = MetricsConfig::read(&start.environment)?.command_budget;
    let services = start.services()?;
    let prefix = &start.key_prefix;
    http::run(admin::app(services, queues, prefix, &stream, budget)).await
}
