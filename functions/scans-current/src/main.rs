//! The Lambda function `scans-current`.

use shared::http;
use shared::queue::SCAN;
use shared::start::Start;

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), lambda_http::Error> {
    let start = Start::from_process().await?;
    http::run(scans_current::app(start.services()?, start.queue(SCAN)?)).await
}
