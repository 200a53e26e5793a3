//! The Lambda function `guilds`.

use shared::config::DiscordConfig;
use shared::discord::Discord;
use shared::http;
use shared::scan::ScanStore;
use shared::start::Start;

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> Result<(), lambda_http::Error> {
    let start = Start::from_process().await?;
    let discord = Discord::new(&DiscordConfig::read(&start.environment)?)?;
    let cache = start.cache()?;
    let store = ScanStore::new(start.redis.clone(), &start.key_prefix);
    http::run(guilds::app(start.services()?, discord, cache, store)).await
}
