//! "Did you mean …?"

/// Texts longer than this are not compared: the work grows with the square.
const MAX_COMPARED: usize = 64;

/// The candidate that is closest to `text`, if one is close enough to be meant: at most a third of the letters differ,
/// and not all of them.
#[must_use]
pub fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (text.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&fold(text), &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= limit && *distance < text.chars().count())
        .min()
        .map(|(_, candidate)| candidate)
}

/// Case and the kind of dash don't count.
fn fold(text: &str) -> Vec<char> {
    let folded = text
        .chars()
        .take(MAX_COMPARED)
        .map(|one| if one == '_' { '-' } else { one.to_ascii_lowercase() });
    folded.collect()
}

/// Edit distance with swaps of neighbours (optimal string alignment).
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, &one) in left.iter().enumerate() {
        let mut this = vec![row + 1];
        for (column, &other) in right.iter().enumerate() {
            let replaced = last[column] + usize::from(one != other);
            let mut best = replaced.min(last[column + 1] + 1).min(this[column] + 1);
            let swapped = row > 0 && column > 0 && one == right[column - 1] && other == left[row - 1];
            if swapped {
                best = best.min(before[column - 1] + 1);
            }
            this.push(best);
        }
        before = std::mem::replace(&mut last, this);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant() {
        let keys = ["packages", "package", "publish", "overlays", "overlay-files"];
        for (text, expected) in [
            ("packges", Some("packages")),
            ("pakcage", Some("package")),
            ("overlay_files", Some("overlay-files")),
            ("Publish", Some("publish")),
            ("overlay", Some("overlays")),
            ("colour", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(nearest(text, keys), expected, "{text}");
        }
    }
}
