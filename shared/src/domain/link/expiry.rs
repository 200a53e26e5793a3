//! When a signed address expires.

/// From here on, a number of seconds is taken for milliseconds, which some servers send.
const LARGEST_SECONDS: i64 = 100_000_000_000;

/// When an address expires, in unix milliseconds, as its parameter `ex` says: a time in
/// hexadecimal. `None` if it is not signed.
pub fn expires_at(url: &str) -> Option<i64> {
    let (_, query) = url.split('#').next()?.split_once('?')?;
    let mut parameters = query.split('&');
    let ends = parameters.find_map(|pair| pair.strip_prefix("ex="))?;
    let ends = i64::from_str_radix(ends, 16)
        .ok()
        .filter(|ends| *ends >= 0)?;
    Some(match ends < LARGEST_SECONDS {
        true => ends * 1000,
        false => ends,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_address_is_in_hexadecimal_seconds_or_milliseconds() {
        let of = |query: &str| expires_at(&format!("https://cdn.example/a.mp4{query}"));
        assert_eq!(
            of("?ex=6920f300&is=691fa180&hm=ab&"),
            Some(1_763_767_040_000)
        );
        assert_eq!(of("?hm=ab&ex=19aa8efb800"), Some(1_763_770_873_856));
        for unsigned in [
            "",
            "?",
            "?x=6920f300",
            "?ex=",
            "?ex=soon",
            "?ex=-5",
            "#?ex=6920f300",
        ] {
            assert_eq!(of(unsigned), None, "{unsigned}");
        }
        let largest = of("?ex=7fffffffffffffff");
        assert_eq!(largest, Some(i64::MAX));
        assert_eq!(of("?ex=ffffffffffffffffff"), None);
    }
}
