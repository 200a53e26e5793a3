//! The Lambda function `drain`.

use shared::start::Start;

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::from_process().await?;
    drain::serve(drain::worker(&start)?).await
}
