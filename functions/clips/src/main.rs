//! The Lambda function `clips`.

use shared::http;
use shared::scan::ScanStore;
use shared::start::Start;

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), lambda_http::Error> {
    let start = Start::from_process().await?;
    let store = ScanStore::new(start.redis.clone(), &start.key_prefix);
    http::run(clips::app(start.services()?, store)).await
}
