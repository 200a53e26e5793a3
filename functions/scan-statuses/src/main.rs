//! The Lambda function `scan-statuses`.

use shared::start::{self, Error};

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), Error> {
    start::serve(scan_statuses::app).await
}
