//! The Lambda function `enqueue`.

use shared::config::WakerConfig;
use shared::http;
use shared::queue::SCAN;
use shared::start::Start;
use shared::waker::{BY_ENQUEUE, LambdaWake, Wake, Waker};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let start = Start::from_process()?;
    let wake: Option<Box<dyn Wake>> = match WakerConfig::read(&start.environment).function {
        Some(function) => Some(Box::new(
            LambdaWake::from_environment(function, BY_ENQUEUE).await,
        )),
        None => None,
    };
    let waker = Waker::new(wake, start.clock.clone());
    http::run(enqueue::app(start.services()?, start.queue(SCAN)?, waker)).await
}
