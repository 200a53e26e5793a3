//! The Lambda function `admin`.

use shared::config::DrainConfig;
use shared::http;
use shared::queue::SCAN;
use shared::start::Start;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let start = Start::from_process()?;
    let stream = DrainConfig::read(&start.environment)?.stream;
    let queues = vec![start.queue(SCAN)?];
    let services = start.services()?;
    http::run(admin::app(services, queues, &start.key_prefix, &stream)).await
}
