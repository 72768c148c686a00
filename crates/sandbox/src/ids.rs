//! Subordinate ids (`subuid(5)`) and the maps of user namespaces (`user_namespaces(7)`). Pure: text in, values out.

/// One run of ids that a user may map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SubRange {
    pub(crate) start: u32,
    pub(crate) count: u32,
}

/// One line of a map: `count` ids from `inside` on are those from `outside` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MapLine {
    pub(crate) inside: u32,
    pub(crate) outside: u32,
    pub(crate) count: u32,
}

/// The kernel takes 340 lines in a map; nobody has that many ranges.
const MAX_MAP_LINES: usize = 340;

/// The ranges of one user in the text of `/etc/subuid` or `/etc/subgid`: lines `name-or-id:start:count`.
/// Lines that are not of that form are passed over, as newuidmap does.
pub(crate) fn subordinate_ranges(text: &str, user: &str, id: u32) -> Vec<SubRange> {
    let id = id.to_string();
    text.lines()
        .filter_map(|line| {
            let mut fields = line.trim().split(':');
            let owner = fields.next()?;
            let start = fields.next()?.parse().ok()?;
            let count: u32 = fields.next()?.parse().ok()?;
            let mine = owner == id || (!user.is_empty() && owner == user);
            (mine && count > 0 && fields.next().is_none()).then_some(SubRange { start, count })
        })
        .take(MAX_MAP_LINES - 1)
        .collect()
}

/// The map: 0 is `own`, the ids from 1 on are taken from `ranges`, `total` ids in all. `Err` is the number of ids
/// that the ranges have, where they do not suffice.
pub(crate) fn build_map(own: u32, ranges: &[SubRange], total: u32) -> Result<Vec<MapLine>, u64> {
    let mut lines = vec![MapLine {
        inside: 0,
        outside: own,
        count: 1,
    }];
    let mut next = 1u32;
    for range in ranges {
        let count = range.count.min(total - next);
        if count == 0 {
            break;
        }
        lines.push(MapLine {
            inside: next,
            outside: range.start,
            count,
        });
        next += count;
    }
    // One id less than a full set is what `useradd` gives: 65536 subordinate ids beside the user's own are usual,
    // 65535 are enough, since the caller is the one at 0.
    if next < total {
        Err(ranges.iter().map(|range| u64::from(range.count)).sum())
    } else {
        Ok(lines)
    }
}

/// How many ids a map of the kernel (`/proc/self/uid_map`) has, and whether it is the identity over all ids, as in
/// the initial namespace.
pub(crate) fn read_map(text: &str) -> (u64, bool) {
    let mut total = 0u64;
    let mut identity = false;
    for line in text.lines() {
        let mut fields = line.split_whitespace().map(str::parse::<u64>);
        if let (Some(Ok(inside)), Some(Ok(outside)), Some(Ok(count))) =
            (fields.next(), fields.next(), fields.next())
        {
            total = total.saturating_add(count);
            identity |= inside == 0 && outside == 0 && count == u64::from(u32::MAX);
        }
    }
    (total, identity)
}

/// A map for a namespace below one that has this map: each id is itself, up to `total` ids. Text for the kernel.
pub(crate) fn same_ids(map: &str, total: u32) -> String {
    let mut lines = String::new();
    for line in map.lines().take(MAX_MAP_LINES) {
        let mut fields = line.split_whitespace().map(str::parse::<u32>);
        if let (Some(Ok(inside)), Some(Ok(_)), Some(Ok(count))) =
            (fields.next(), fields.next(), fields.next())
            && inside < total
        {
            let count = count.min(total - inside);
            lines.push_str(&format!("{inside} {inside} {count}\n"));
        }
    }
    lines
}

/// Name and home of a user in the text of `/etc/passwd`.
pub(crate) fn user_entry(passwd: &str, uid: u32) -> Option<(String, String)> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let found = fields.nth(1)?.parse::<u32>().ok()? == uid;
        found.then_some((name.to_owned(), fields.nth(2)?.to_owned()))
    })
}

/// The name of a user in the text of `/etc/passwd`.
pub(crate) fn user_name(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse::<u32>().ok()? == uid).then(|| name.to_owned())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_found_by_name_and_by_id() {
        let text = "anna:100000:65536\n# remark\nbert:165536:65536\n1001:300000:10\nanna:x:1\nanna:5:0\n";
        let range = |start, count| SubRange { start, count };
        assert_eq!(subordinate_ranges(text, "anna", 1000), [range(100_000, 65_536)]);
        assert_eq!(
            subordinate_ranges(text, "bert", 1001),
            [range(165_536, 65_536), range(300_000, 10)]
        );
        assert_eq!(subordinate_ranges(text, "", 1002), []);
    }

    #[test]
    fn maps_join_ranges_and_say_what_is_missing() {
        let range = |start, count| SubRange { start, count };
        let line = |inside, outside, count| MapLine {
            inside,
            outside,
            count,
        };
        assert_eq!(
            build_map(1000, &[range(100_000, 65_536)], 65_536),
            Ok(vec![line(0, 1000, 1), line(1, 100_000, 65_535)])
        );
        assert_eq!(
            build_map(7, &[range(100, 10), range(500, 90)], 51),
            Ok(vec![line(0, 7, 1), line(1, 100, 10), line(11, 500, 40)])
        );
        assert_eq!(build_map(7, &[range(100, 10)], 65_536), Err(10));
        assert_eq!(build_map(7, &[], 65_536), Err(0));
    }

    #[test]
    fn kernel_maps_are_read() {
        assert_eq!(
            read_map("         0          0 4294967295\n"),
            (4_294_967_295, true)
        );
        assert_eq!(read_map("0 1000 1\n1 100000 65535\n"), (65_536, false));
        assert_eq!(read_map(""), (0, false));
    }

    #[test]
    fn names_are_looked_up() {
        let text = "root:x:0:0:root:/root:/bin/sh\nanna:x:1000:1000::/home/anna:/bin/sh\nbroken\n";
        assert_eq!(user_name(text, 1000).as_deref(), Some("anna"));
        assert_eq!(user_name(text, 5), None);
        let entry = ("anna".to_owned(), "/home/anna".to_owned());
        assert_eq!(user_entry(text, 1000), Some(entry));
        assert_eq!(user_entry(text, 5), None);
    }

    #[test]
    fn a_namespace_below_has_the_same_ids() {
        let all = "         0          0 4294967295\n";
        assert_eq!(same_ids(all, 65_536), "0 0 65536\n");
        let joined = "0 1000 1\n1 100000 65535\n65536 300000 9\n";
        assert_eq!(same_ids(joined, 65_536), "0 0 1\n1 1 65535\n");
    }
}
