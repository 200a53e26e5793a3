//! Links to the files of clips that still work.
//!
//! Discord signs the address of a file for about a day. The address in a clip's record is
//! as old as the scan. Once it has expired, the message is read again, and the addresses of
//! all its files are kept in the cache until they expire. The cache lets one caller read the
//! message, while all others wait for its answer.

mod expiry;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use expiry::expires_at;

use crate::cache::{Cache, Entry, LINKS};
use crate::discord::{Discord, Error, MessageId};
use crate::scan::{Clip, Filter, Place, find_clips};

/// A link is replaced this long before it expires, so that a player that gets it has time
/// to begin. In milliseconds.
const HEAD_START_MS: i64 = 60_000;

/// The addresses of the clips in a message, by clip id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Links {
    urls: BTreeMap<String, String>,
}

impl Links {
    /// When the first of them has to be replaced, in unix milliseconds.
    fn good_until(&self) -> Option<i64> {
        let ends = self.urls.values().filter_map(|url| expires_at(url));
        ends.min().map(|at| at - HEAD_START_MS)
    }
}

/// Whether an address can be handed out.
pub fn is_fresh(url: &str, now_ms: i64) -> bool {
    expires_at(url).is_none_or(|at| at - HEAD_START_MS > now_ms)
}

/// Leaves out an address that does not work any more.
pub fn drop_expired(clip: &mut Clip, now_ms: i64) {
    clip.url = clip.url.take().filter(|url| is_fresh(url, now_ms));
}

/// The address of a clip's file. `None` if the message or the file in it was deleted. No
/// request if the recorded address still works, one command if another is cached, and
/// otherwise one request to Discord for all callers together.
///
/// # Errors
/// Discord's, if the message cannot be read.
pub async fn fresh_url(
    clip: &Clip,
    discord: &Discord,
    cache: &Cache,
    now_ms: i64,
) -> Result<Option<String>, Error> {
    if let Some(url) = clip.url.as_ref().filter(|url| is_fresh(url, now_ms)) {
        return Ok(Some(url.clone()));
    }
    let Some(message) = MessageId::parse(&clip.message_id) else {
        return Ok(None);
    };
    let place = format!("{}:{message}", clip.channel_id);
    let entry = Entry::new(&LINKS, &place).good_until(Links::good_until);
    let load = || async {
        match discord.message(&clip.channel_id, message).await {
            Ok(message) => {
                let place = Place {
                    guild_id: &clip.guild_id,
                    channel_id: &clip.channel_id,
                    parent_id: None,
                };
                let clips = find_clips(place, &message, &Filter::default());
                let urls = clips
                    .into_iter()
                    .filter_map(|clip| Some((clip.id, clip.url?)));
                Ok(Some(Links {
                    urls: urls.collect(),
                }))
            }
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    };
    let links = cache.get_or_load(&entry, load).await?;
    Ok(links.and_then(|mut links| links.urls.remove(&clip.id)))
}
