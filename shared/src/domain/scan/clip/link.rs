//! Which links lead to the same video.
//!
//! People share one video by several addresses: short and long, with a start time, with a
//! tracking code, signed anew each day. A clip's id must not depend on these.

/// The id of the clip that a link leads to: `e` and 16 hexadecimal digits.
pub fn link_id(url: &str) -> String {
    let name = known_site(url).unwrap_or_else(|| unsigned(url).to_owned());
    let digest = sha1_smol::Sha1::from(name).digest().to_string();
    format!("e{}", &digest[..16])
}

/// The address without what follows `?`, which is a signature or a tracking code on most
/// sites. On a few, it identifies the video.
fn unsigned(url: &str) -> &str {
    let plain = url.split(['?', '#']).next().unwrap_or(url);
    match plain.ends_with("/watch") {
        true => url,
        false => plain,
    }
}

/// The name of a video on a site whose addresses are known: the site and its own id of the
/// video.
fn known_site(url: &str) -> Option<String> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?;
    let (plain, query) = match rest.split_once('?') {
        Some((plain, query)) => (plain, query.split('#').next().unwrap_or(query)),
        None => (rest.split('#').next().unwrap_or(rest), ""),
    };
    let (host, path) = plain.split_once('/').unwrap_or((plain, ""));
    let host = host.to_ascii_lowercase();
    let host = ["www.", "m.", "music.", "player."]
        .iter()
        .find_map(|prefix| host.strip_prefix(prefix))
        .unwrap_or(&host);
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let argument = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let (site, id) = match (host, &parts[..]) {
        ("youtu.be", [id, ..]) => ("youtube", *id),
        ("youtube.com" | "youtube-nocookie.com", ["watch", ..]) => ("youtube", argument("v")?),
        ("youtube.com" | "youtube-nocookie.com", ["shorts" | "embed" | "live" | "v", id, ..]) => {
            ("youtube", *id)
        }
        ("clips.twitch.tv", ["embed"]) => ("twitch-clip", argument("clip")?),
        ("clips.twitch.tv", [slug, ..]) => ("twitch-clip", *slug),
        ("twitch.tv", [_, "clip", slug, ..]) => ("twitch-clip", *slug),
        ("twitch.tv", ["videos", id, ..]) => ("twitch-video", *id),
        ("streamable.com", ["e" | "o" | "s", id, ..] | [id, ..]) => ("streamable", *id),
        ("vimeo.com", ["video", id, ..] | [id, ..]) => ("vimeo", *id),
        ("medal.tv", [.., "clips", id]) | ("medal.tv", [.., "clips", id, _]) => ("medal", *id),
        ("twitter.com" | "x.com", [_, "status", id, ..]) => ("x", *id),
        ("cdn.discordapp.com" | "media.discordapp.net", ["attachments", _, attachment, ..]) => {
            ("discord", *attachment)
        }
        _ => return None,
    };
    Some(format!("{site}:{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_one_video_are_one_clip() {
        for addresses in [
            &[
                "https://youtu.be/dQw4w9WgXcQ",
                "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
                "https://m.youtube.com/watch?feature=share&v=dQw4w9WgXcQ&t=42s",
                "https://youtu.be/dQw4w9WgXcQ?si=AbCd",
                "https://www.youtube.com/shorts/dQw4w9WgXcQ",
                "https://www.youtube.com/embed/dQw4w9WgXcQ?start=5#x",
            ][..],
            &[
                "https://clips.twitch.tv/SomeSlug-1",
                "https://www.twitch.tv/somebody/clip/SomeSlug-1?filter=clips",
                "https://clips.twitch.tv/embed?clip=SomeSlug-1&parent=x",
            ],
            &[
                "https://streamable.com/abc12",
                "https://streamable.com/e/abc12",
            ],
            &[
                "https://cdn.discordapp.com/attachments/1/22/a.mp4?ex=66&is=65&hm=ab&",
                "https://cdn.discordapp.com/attachments/1/22/a.mp4?ex=77&is=76&hm=cd&",
                "https://media.discordapp.net/attachments/1/22/a.mp4",
            ],
            &[
                "https://twitter.com/a/status/5?s=20",
                "https://x.com/a/status/5",
            ],
            &["https://v.example/1?token=a", "https://v.example/1?token=b"],
        ] {
            let mut ids: Vec<String> = addresses.iter().map(|url| link_id(url)).collect();
            ids.dedup();
            assert_eq!(ids.len(), 1, "{addresses:?}");
        }
    }

    #[test]
    fn the_addresses_of_different_videos_are_different_clips() {
        let addresses = [
            "https://youtu.be/a",
            "https://youtu.be/A",
            "https://www.youtube.com/watch?v=b",
            "https://streamable.com/a",
            "https://v.example/watch?v=1",
            "https://v.example/watch?v=2",
            "https://youtube.com/watch?list=b",
            "https://youtube.com.evil.example/watch?v=b",
        ];
        let mut ids: Vec<String> = addresses.iter().map(|url| link_id(url)).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), addresses.len());
    }
}
