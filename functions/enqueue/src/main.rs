//! The Lambda function `enqueue`.

use shared::config::WakerConfig;
use shared::flags::Flags;
use shared::http;
use shared::queue::SCAN;
use shared::scan::ScanStore;
use shared::start::Start;
use shared::waker::{BY_ENQUEUE, LambdaWake, Wake, Waker};

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), lambda_http::Error> {
    let start = Start::from_process().await?;
    let wake: Option<Box<dyn Wake>> = match WakerConfig::read(&start.environment).function {
        Some(function) => Some(Box::new(LambdaWake::from_environment(function, BY_ENQUEUE))),
        None => None,
    };
    let store = ScanStore::new(start.redis.clone(), &start.key_prefix);
    let flags = Flags::new(&start.key_prefix);
    let (services, queue) = (start.services()?, start.queue(SCAN)?);
    let waker = Waker::new(wake, start.clock.clone(), queue.config().linger);
    http::run(enqueue::app(services, queue, store, flags, waker)).await
}
