//! The rows that several terms have in common.

use std::collections::HashSet;

use super::plan::Row;

/// The entries of one term, as far as they were read.
pub(super) struct Entries {
    pub rows: Vec<Row>,
    /// Whether there may be more than were read.
    pub is_full: bool,
}

/// The entries of the term that reaches furthest. Those that another term does not have are
/// ruled out, as far as that term was read; beyond, the records decide. The rows that are
/// ruled out stay, because a page may end with one of them.
pub(super) fn common(lists: Vec<Entries>, is_up: bool) -> Entries {
    let reach = |list: &Entries| {
        let last = list.rows.last().map(Row::owned_place);
        (list.is_full, last)
    };
    let goes_further = |one: &Entries, other: &Entries| match (reach(one), reach(other)) {
        // A term without more entries decides where the clips end.
        ((false, _), (true, _)) => true,
        ((true, _), (false, _)) => false,
        ((false, _), (false, _)) => one.rows.len() < other.rows.len(),
        ((true, one), (true, other)) => (one > other) == is_up && one != other,
    };
    let mut best = 0;
    for n in 1..lists.len() {
        if goes_further(&lists[n], &lists[best]) {
            best = n;
        }
    }
    let mut lists = lists;
    if lists.is_empty() {
        return Entries {
            rows: Vec::new(),
            is_full: false,
        };
    }
    let mut found = lists.swap_remove(best);
    for other in &lists {
        let places: HashSet<_> = other.rows.iter().map(Row::place).collect();
        let last = other.rows.last().map(Row::place).filter(|_| other.is_full);
        for row in &mut found.rows {
            let is_beyond = last.is_some_and(|last| match is_up {
                true => row.place() > last,
                false => row.place() < last,
            });
            row.is_ruled_out |= !is_beyond && !places.contains(&row.place());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(messages: &[u32], is_full: bool) -> Entries {
        let row = |n: &u32| Row::of_member(&format!("1:{n:020}:7"), None).unwrap();
        Entries {
            rows: messages.iter().map(row).collect(),
            is_full,
        }
    }

    /// The messages that are left, and those that are ruled out.
    fn found(lists: Vec<Entries>, is_up: bool) -> (Vec<u32>, Vec<u32>, bool) {
        let found = common(lists, is_up);
        let messages = |out: bool| {
            let rows = found.rows.iter().filter(|row| row.is_ruled_out == out);
            rows.map(|row| row.message.parse().unwrap()).collect()
        };
        (messages(false), messages(true), found.is_full)
    }

    #[test]
    fn a_row_that_another_term_does_not_have_is_ruled_out() {
        let lists = vec![entries(&[9, 7, 5, 3], false), entries(&[9, 5, 4], false)];
        assert_eq!(found(lists, false), (vec![9, 5], vec![4], false));
        let lists = vec![entries(&[3, 5, 7, 9], false), entries(&[4, 5, 9], false)];
        assert_eq!(found(lists, true), (vec![5, 9], vec![4], false));
        assert_eq!(
            found(vec![entries(&[2, 1], true)], false),
            (vec![2, 1], vec![], true)
        );
    }

    #[test]
    fn what_lies_beyond_the_entries_that_were_read_is_left_to_the_records() {
        // The first has more entries than were read, down to 7.
        let lists = vec![entries(&[9, 8, 7], true), entries(&[9, 7, 5], true)];
        assert_eq!(found(lists, false), (vec![9, 7, 5], vec![], true));
        let lists = vec![entries(&[9, 8, 7], true), entries(&[6], false)];
        assert_eq!(found(lists, false), (vec![6], vec![], false));
        let lists = vec![entries(&[1, 2, 3], true), entries(&[1, 3, 8], true)];
        assert_eq!(found(lists, true), (vec![1, 3, 8], vec![], true));
    }

    #[test]
    fn the_term_that_nobody_has_decides() {
        let lists = vec![entries(&[9, 8, 7], true), entries(&[], false)];
        assert_eq!(found(lists, false), (vec![], vec![], false));
    }
}
