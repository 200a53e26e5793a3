//! The client of Discord's API.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, USER_AGENT};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::refusal::{number, refusal, seconds_of};
use super::{Channel, Error, Guild, Message, MessageId, Unreadable};
use crate::config::DiscordConfig;
use crate::redis;
use crate::secrets::Secret;

/// Timeout of one request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Largest answer to read, in bytes. A page of 100 messages has about 300 KB.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Where a page starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// The newest messages.
    Newest,
    /// Messages older than this one, newest first.
    Before(MessageId),
    /// The messages directly after this one.
    After(MessageId),
}

/// A page of messages, in the order in which they came.
#[derive(Debug, Default)]
pub struct Page {
    /// Messages that could be parsed.
    pub messages: Vec<Message>,
    /// Messages that could not be parsed, with the reason.
    pub unreadable: Vec<Unreadable>,
    /// Number of messages on the page, including unreadable ones.
    pub length: usize,
    /// The lowest and the highest message ID.
    pub range: Option<(MessageId, MessageId)>,
    /// How long Discord asks to wait before the next page; zero if it does not.
    pub wait: Duration,
}

impl Page {
    /// Parses a page: an array of messages. Each message is parsed by itself, so a damaged
    /// one loses only itself.
    ///
    /// # Errors
    /// If it is not an array.
    pub fn parse(json: &str) -> Result<Page, serde_json::Error> {
        let raw: Vec<Box<RawValue>> = serde_json::from_str(json)?;
        Ok(Page::of(&raw))
    }

    fn of(raw: &[Box<RawValue>]) -> Page {
        let mut page = Page {
            length: raw.len(),
            ..Page::default()
        };
        for raw in raw {
            let id = match Message::read(raw) {
                Ok(message) => {
                    let id = message.id;
                    page.messages.push(message);
                    Some(id)
                }
                Err(unreadable) => {
                    let id = unreadable.id;
                    page.unreadable.push(unreadable);
                    id
                }
            };
            if let Some(id) = id {
                let (low, high) = page.range.unwrap_or((id, id));
                page.range = Some((low.min(id), high.max(id)));
            }
        }
        page
    }
}

/// A client for Discord or a compatible server.
pub struct Discord {
    http: reqwest::Client,
    api_base: String,
    token: Secret,
    /// Requests sent so far.
    sent: AtomicU64,
}

impl Discord {
    /// # Errors
    /// If the token cannot be sent in a header.
    pub fn new(config: &DiscordConfig) -> Result<Discord, redis::Error> {
        let settings = |text: &str| redis::Error::Settings(text.to_owned());
        if authorization(&config.token.value()).is_none() {
            return Err(settings(
                "DISCORD_TOKEN: contains characters that a token cannot have",
            ));
        }
        Ok(Discord {
            http: crate::base::http_client::builder()
                .timeout(TIMEOUT)
                .build()
                .map_err(|_| settings("cannot create an HTTP client"))?,
            api_base: config.api_base.clone(),
            token: config.token.clone(),
            sent: AtomicU64::new(0),
        })
    }

    /// A guild that the bot is in.
    ///
    /// # Errors
    /// See [`Error`]. If Discord refuses the guild as if the token were invalid, but
    /// accepts the token for the bot itself, the error is [`Error::Forbidden`].
    pub async fn guild(&self, id: &str) -> Result<Guild, Error> {
        match self.get(&format!("/guilds/{id}")).await {
            Ok((guild, _)) => Ok(guild),
            Err(Error::Unauthorized) => {
                self.may_read_content().await?;
                Err(Error::Forbidden { code: 0 })
            }
            Err(other) => Err(other),
        }
    }

    /// A fingerprint of the current token. It reveals nothing except whether the token
    /// has changed.
    pub fn token_mark(&self) -> String {
        let token = format!("trawl:token-mark:{}", self.token.value());
        sha1_smol::Sha1::from(token).digest().to_string()[..16].to_owned()
    }

    /// Requests sent so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Reloads the token if it is too old.
    pub async fn freshen(&self) {
        self.token.freshen().await;
    }

    /// A channel or thread.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn channel(&self, id: &str) -> Result<Channel, Error> {
        let (channel, _) = self.get(&format!("/channels/{id}")).await?;
        Ok(channel)
    }

    /// Up to `limit` (1 to 100) messages.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn messages(
        &self,
        channel: &str,
        position: Position,
        limit: u64,
    ) -> Result<Page, Error> {
        let place = match position {
            Position::Newest => String::new(),
            Position::Before(id) => format!("&before={id}"),
            Position::After(id) => format!("&after={id}"),
        };
        let path = format!("/channels/{channel}/messages?limit={limit}{place}");
        let (raw, headers): (Vec<Box<RawValue>>, _) = self.get(&path).await?;
        let mut page = Page::of(&raw);
        page.wait = wait_for_next(&headers);
        // A page that does not advance the position would be requested for ever.
        let gets_on = match (position, page.range) {
            (_, None) => page.length == 0,
            (Position::Newest, Some(_)) => true,
            (Position::Before(id), Some((low, _))) => low < id,
            (Position::After(id), Some((_, high))) => high > id,
        };
        if gets_on {
            Ok(page)
        } else {
            Err(Error::Malformed)
        }
    }

    /// A single message.
    ///
    /// # Errors
    /// See [`Error`]. A message that cannot be parsed is [`Error::Malformed`].
    pub async fn message(&self, channel: &str, id: MessageId) -> Result<Message, Error> {
        let path = format!("/channels/{channel}/messages/{id}");
        let (raw, _): (Box<RawValue>, _) = self.get(&path).await?;
        Message::read(&raw).map_err(|_| Error::Malformed)
    }

    /// Whether the bot may read message content (the MESSAGE_CONTENT intent, full or
    /// limited).
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn may_read_content(&self) -> Result<bool, Error> {
        #[derive(Deserialize)]
        struct Application {
            #[serde(default)]
            flags: u64,
        }
        let (application, _): (Application, _) = self.get("/applications/@me").await?;
        Ok(application.flags & (1 << 18 | 1 << 19) != 0)
    }

    /// Retries once if the token was rejected and has been replaced in the meantime.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<(T, HeaderMap), Error> {
        let token = self.token.value();
        match self.get_with(path, &token).await {
            Err(Error::Unauthorized) if self.token.renew(&token).await => {
                self.get_with(path, &self.token.value()).await
            }
            answer => answer,
        }
    }

    async fn get_with<T: DeserializeOwned>(
        &self,
        path: &str,
        token: &str,
    ) -> Result<(T, HeaderMap), Error> {
        // A token that cannot be sent in a header would be rejected anyway.
        let authorization = authorization(token).ok_or(Error::Unauthorized)?;
        let unreachable = |error: reqwest::Error| Error::Unreachable(error.without_url());
        self.sent.fetch_add(1, Ordering::Relaxed);
        let mut response = self
            .http
            .get(format!("{}{path}", self.api_base))
            .header(AUTHORIZATION, authorization)
            .header(
                USER_AGENT,
                concat!(
                    "DiscordBot (https://github.com/trawl/trawl, ",
                    env!("CARGO_PKG_VERSION"),
                    ")"
                ),
            )
            .send()
            .await
            .map_err(unreachable)?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(Error::Malformed);
            }
            body.extend_from_slice(&chunk);
        }
        if status == 200 {
            let value = serde_json::from_slice(&body).map_err(|_| Error::Malformed)?;
            return Ok((value, headers));
        }
        Err(refusal(status, &headers, &body))
    }
}

/// Always uses the `Bot` scheme. Discord then rejects a user's token, as its terms
/// require.
fn authorization(token: &str) -> Option<HeaderValue> {
    let token = token.trim_start_matches("Bot ");
    let mut value = HeaderValue::from_str(&format!("Bot {token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The time until the bucket has room, if this request was its last one.
pub(super) fn wait_for_next(headers: &HeaderMap) -> Duration {
    if number(headers, "x-ratelimit-remaining") != Some(0.0) {
        return Duration::ZERO;
    }
    let seconds = number(headers, "x-ratelimit-reset-after").unwrap_or(0.0);
    // Some servers send milliseconds. No bucket for pages lasts longer than a minute.
    seconds_of(if seconds > 60.0 {
        seconds / 1000.0
    } else {
        seconds
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_may_be_given_with_its_word() {
        let value = |token| authorization(token).unwrap();
        assert_eq!(value("Bot abc"), value("abc"));
        assert_eq!(value("abc"), "Bot abc");
        assert!(authorization("a\nb").is_none());
    }
}
