//! The Lambda function `scan-statuses`.

use shared::http;
use shared::queue::SCAN;
use shared::scan::ScanStore;
use shared::start::Start;

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), lambda_http::Error> {
    let start = Start::from_process().await?;
    let store = ScanStore::new(start.redis.clone(), &start.key_prefix);
    http::run(scan_statuses::app(
        start.services()?,
        start.queue(SCAN)?,
        store,
    ))
    .await
}
