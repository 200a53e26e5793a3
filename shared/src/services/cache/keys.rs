//! The keys of the cache.

/// Names cached values.
pub struct Keys {
    prefix: String,
}

impl Keys {
    pub fn new(prefix: &str) -> Keys {
        Keys {
            prefix: prefix.to_owned(),
        }
    }

    /// STRING: a value, or who is loading it.
    pub fn value(&self, kind: &str, id: &str) -> String {
        match kind {
            // That word is the key's below.
            "epoch" => format!("{}cache:%epoch:{id}", self.prefix),
            _ => format!("{}cache:{kind}:{id}", self.prefix),
        }
    }

    /// STRING: a word that changes when everything under `id` is invalidated.
    pub fn epoch(&self, id: &str) -> String {
        format!("{}cache:epoch:{id}", self.prefix)
    }

    /// A pattern for SCAN: `pattern` is one below `cache:`, the prefix is taken as it
    /// stands.
    pub fn matching(&self, pattern: &str) -> String {
        let mut escaped = String::with_capacity(self.prefix.len());
        for letter in self.prefix.chars() {
            if matches!(letter, '*' | '?' | '[' | ']' | '\\') {
                escaped.push('\\');
            }
            escaped.push(letter);
        }
        format!("{escaped}cache:{pattern}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_never_taken_for_a_pattern() {
        let keys = Keys::new("a*:");
        assert_eq!(keys.matching("guild:*"), "a\\*:cache:guild:*");
    }
}
