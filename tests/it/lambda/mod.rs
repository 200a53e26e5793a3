//! Functions as Lambda runs them, each a process.

mod start;

use integration::lambda::Process;
use tokio::process::Command;

/// The function `name`. With `FUNCTIONS_DIR`, what was built there as `NAME/bootstrap`,
/// such as by `cargo lambda build --lambda-dir`.
async fn function(name: &str, environment: &[(&str, String)]) -> Process {
    let command = match std::env::var_os("FUNCTIONS_DIR") {
        Some(folder) => {
            let path = std::path::Path::new(&folder).join(name).join("bootstrap");
            Command::new(path)
        }
        None => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_function"));
            command.arg(name);
            command
        }
    };
    Process::start(command, name, environment).await
}

/// What every function is told that uses this endpoint.
fn database(endpoint: &upstash_local::Server) -> Vec<(&'static str, String)> {
    vec![
        ("REDIS_PROVIDER", "local".to_owned()),
        ("UPSTASH_REDIS_REST_URL", endpoint.url()),
    ]
}
