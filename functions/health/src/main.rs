//! The Lambda function `health`.

use shared::http;
use shared::start::Start;

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), lambda_http::Error> {
    let start = Start::from_process().await?;
    http::run(health::app(start.services()?)).await
}
