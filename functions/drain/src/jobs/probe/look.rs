//! A look into one clip.

use shared::discord::{Error as DiscordError, MessageId};
use shared::media::Facts;
use shared::probe::{ProbeError, Prober};
use shared::scan::{Clip, Filter, Place, Probe, find_clips};

use crate::Clients;
use crate::jobs::stop::{StopReason, checked};
use crate::jobs::watch;

/// The end of one look into a clip.
pub enum Look {
    Done(Probe),
    /// The server is unavailable.
    Later,
    /// Discord cannot be asked for a new address.
    Stop(StopReason),
}

/// Looks into a clip. If its address has expired, the message is asked for a new one, once.
pub async fn look(
    clients: &Clients,
    prober: &Prober,
    clip: &Clip,
    paused_until: Option<i64>,
) -> Result<Look, StopReason> {
    let now = clients.clock.now_ms();
    let mut url = clip.url.clone().filter(|url| !has_expired(url, now));
    let mut is_new = false;
    loop {
        let found = match &url {
            Some(url) => prober.probe(url, clip.size_bytes).await,
            None => Err(ProbeError::Expired),
        };
        match found {
            Ok(facts) => return Ok(Look::Done(probe_of(facts))),
            Err(ProbeError::Unavailable) => return Ok(Look::Later),
            Err(ProbeError::Expired) if !is_new => {
                if let Some(until) = paused_until {
                    return Err(watch::later(until, now));
                }
                url = renewed(clients, clip).await?;
                if url.is_none() {
                    return Ok(Look::Done(failed(ProbeError::Gone)));
                }
                is_new = true;
            }
            Err(error) => return Ok(Look::Done(failed(error))),
        }
    }
}

/// A new address of a clip, or `None` if its message does not show it any more.
async fn renewed(clients: &Clients, clip: &Clip) -> Result<Option<String>, StopReason> {
    let Some(id) = MessageId::parse(&clip.message_id) else {
        return Ok(None);
    };
    let answer = clients.discord.message(&clip.channel_id, id).await;
    let is_forbidden = match &answer {
        Err(DiscordError::NotFound { .. } | DiscordError::BadRequest { .. }) => return Ok(None),
        Err(DiscordError::Malformed) => return Ok(None),
        other => matches!(other, Err(DiscordError::Forbidden { .. })),
    };
    let message = match checked(clients, answer).await {
        Ok(message) => message,
        // This concerns the clip's channel only.
        Err(_) if is_forbidden => return Ok(None),
        Err(stop) => return Err(stop),
    };
    let place = Place {
        guild_id: &clip.guild_id,
        channel_id: &clip.channel_id,
        parent_id: None,
    };
    let mut clips = find_clips(place, &message, &Filter::default()).into_iter();
    Ok(clips
        .find(|found| found.id == clip.id)
        .and_then(|found| found.url))
}

/// Whether an address says that it has expired: `ex` is a time in hexadecimal seconds, or
/// milliseconds on some servers.
fn has_expired(url: &str, now: i64) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let mut fields = query.split('&');
    let ends = fields.find_map(|field| field.strip_prefix("ex="));
    let ends = ends.and_then(|ends| i64::from_str_radix(ends, 16).ok());
    match ends {
        Some(seconds) if seconds < 100_000_000_000 => seconds * 1000 <= now,
        Some(milliseconds) => milliseconds <= now,
        None => false,
    }
}

fn probe_of(facts: Facts) -> Probe {
    Probe {
        ms: facts
            .duration
            .map(|seconds| (seconds * 1000.0).round() as u64),
        width: facts.width,
        height: facts.height,
        rotation: facts.rotation,
        codec: facts.codec,
        error: None,
    }
}

pub fn failed(error: ProbeError) -> Probe {
    Probe {
        error: Some(error.code().to_owned()),
        ..Probe::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_when_it_expires() {
        let now = 1_795_219_200_000;
        let url = |ends: i64| format!("https://cdn.example/a.mp4?ex={ends:x}&is=1&hm=2&");
        for ends in [1_795_219_201, 1_795_219_200_001] {
            assert!(!has_expired(&url(ends), now), "{ends}");
        }
        for ends in [1_795_219_200, 1_795_219_199_999, 0] {
            assert!(has_expired(&url(ends), now), "{ends}");
        }
        assert!(!has_expired("https://cdn.example/a.mp4", now));
        assert!(!has_expired("https://cdn.example/a.mp4?ex=soon", now));
    }
}
