//! The Lambda function `scan-stream`.

use shared::start::{self, Error};

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), Error> {
    start::serve(scan_stream::app).await
}
