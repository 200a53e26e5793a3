//! The Lambda function `jobs`.

use shared::http;
use shared::progress::Progress;
use shared::queue::SCAN;
use shared::start::Start;

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), lambda_http::Error> {
    let start = Start::from_process().await?;
    let progress = Progress::new(&start.key_prefix);
    http::run(jobs::app(start.services()?, start.queue(SCAN)?, progress)).await
}
