//! The Lambda function `sessions`.

use shared::start::{self, Error};

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), Error> {
    start::serve(sessions::app).await
}
