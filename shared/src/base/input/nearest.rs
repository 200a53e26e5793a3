//! Finds the name that a caller probably meant by a misspelt one.

/// Returns the name in `known` that was most likely meant by `name`: the nearest one that
/// differs in at most a third of its characters.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = |known: &&&str| {
        let (name, known) = (plain(name), plain(known));
        (distance(&name, &known), known.len())
    };
    let best = known.iter().min_by_key(near)?;
    let (away, length) = near(&best);
    (away <= length.max(3) / 3).then_some(*best)
}

/// Removes the differences between spellings of one name: `guild_id` and `guildId` are the same
/// field.
pub(super) fn plain(name: &str) -> String {
    name.replace('_', "").to_lowercase()
}

/// Edit distance: how many characters must be inserted, deleted, replaced, or swapped with a
/// neighbour to turn one text into the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let replaced = last[j] + usize::from(a[i] != b[j]);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_one_that_could_be_meant() {
        let known = ["minVideoSeconds", "includeThreads", "priority"];
        assert_eq!(nearest("minVideoSecond", &known), Some("minVideoSeconds"));
        assert_eq!(nearest("pirority", &known), Some("priority"));
        assert_eq!(nearest("include_threads", &known), Some("includeThreads"));
        assert_eq!(nearest("x", &known), None);
        assert_eq!(nearest("", &[]), None);
    }
}
