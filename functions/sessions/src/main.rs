//! The Lambda function `sessions`.

use shared::http;
use shared::start::Start;

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), lambda_http::Error> {
    let start = Start::from_process().await?;
    http::run(sessions::app(start.services()?)).await
}
