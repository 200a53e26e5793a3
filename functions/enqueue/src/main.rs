//! The Lambda function `enqueue`.

use shared::start::{self, Error};

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), Error> {
    start::serve(enqueue::app).await
}
