//! Embeds of videos that are not uploaded to Discord. None of these URLs is meant to be
//! fetched.

use serde_json::{Value, json};

use super::dice::Dice;

pub(super) fn provider(dice: &mut Dice) -> Value {
    let (name, site, player) = *dice.one_of(&[
        ("YouTube", "https://www.youtube.com", "/embed/"),
        ("Twitch", "https://clips.twitch.tv", "/embed?clip="),
        ("Medal", "https://medal.tv", "/clip/"),
        ("Streamable", "https://streamable.com", "/o/"),
    ]);
    let id = format!("{:08x}", dice.below(u64::from(u32::MAX)));
    json!({
        "type": "video",
        "url": format!("{site}/watch/{id}"),
        "title": "Highlights of the week",
        "provider": { "name": name, "url": site },
        "thumbnail": { "url": format!("{site}/{id}.jpg"), "width": 1280, "height": 720 },
        "video": { "url": format!("{site}{player}{id}"), "width": 1280, "height": 720 },
    })
}

pub(super) fn direct_link(dice: &mut Dice) -> Value {
    let url = format!(
        "https://files.example/{:08x}.mp4",
        dice.below(u64::from(u32::MAX))
    );
    json!({
        "type": "video",
        "url": url,
        "video": {
            "url": url,
            "proxy_url": format!("https://images-ext-1.discordapp.net/external/x/{url}"),
            "width": 640,
            "height": 360,
            "content_type": "video/mp4",
        },
    })
}

/// An animated picture, which Discord plays like a video.
pub(super) fn gifv() -> Value {
    json!({
        "type": "gifv",
        "url": "https://tenor.com/view/cheering-1",
        "provider": { "name": "Tenor", "url": "https://tenor.co" },
        "thumbnail": { "url": "https://media.tenor.com/x.png", "width": 498, "height": 280 },
        "video": { "url": "https://media.tenor.com/x.mp4", "width": 498, "height": 280 },
    })
}
