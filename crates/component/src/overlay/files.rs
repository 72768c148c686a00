//! Overlays of the files beside the spec, and of files in archives.

use std::collections::BTreeSet;

use lazuli_catalog::schema::{Local, Replacement, SearchMode};
use lazuli_spec::{NearLine, Substitute, nearest_line};
use regex::bytes::Regex;

use crate::archive::{Archive, ArchiveError, MemberKind};
use crate::source_tree::{Content, SourcePath};

use super::pattern::{Anchors, BadPattern, compile, plain_text, substitute};
use super::report::{FileAction, FileChange};
use super::state::{Fault, Workbench, matcher};
use super::{Outcome, ReadLocal};

/// Largest file after a replacement, in bytes.
const MAX_RESULT: usize = 1 << 30;

const NO_MATCHING_FILE: &str = "no file has a name that matches; specs do not count";

fn loose(file: &SourcePath, action: FileAction) -> FileChange {
    FileChange {
        file: file.to_string(),
        member: None,
        action,
    }
}

/// The files that a glob matches, one at least. Archives among them that are open are packed first.
fn matching(bench: &mut Workbench, glob: &str) -> Result<Vec<SourcePath>, Fault> {
    let files = bench.matching(glob)?;
    if files.is_empty() {
        let names_spec =
            bench.tree().contains(glob) && SourcePath::new(glob).is_ok_and(|path| path.is_spec());
        let fault = bench.no_file(glob, NO_MATCHING_FILE);
        return Err(match names_spec {
            true => fault.hint(Some("a spec is changed by the `spec-…` kinds".to_owned())),
            false => fault,
        });
    }
    for file in &files {
        bench.pack(Some(file)).map_err(|(_, fault)| fault)?;
    }
    Ok(files)
}

/// Puts lines at the start of files, ending as their first line does.
pub(super) fn prepend(bench: &mut Workbench, glob: &str, lines: &[String]) -> Result<Outcome, Fault> {
    let mut outcome = Outcome::default();
    for path in matching(bench, glob)? {
        let Some(old) = bench.read(&path)? else { continue };
        let first_end = old.iter().position(|byte| *byte == b'\n');
        let end = match first_end {
            Some(at) if at > 0 && old[at - 1] == b'\r' => "\r\n",
            _ => "\n",
        };
        let mut text = String::new();
        let mut count = 0;
        for line in lines
            .iter()
            .flat_map(|line| line.strip_suffix('\n').unwrap_or(line).split('\n'))
        {
            text.push_str(line.strip_suffix('\r').unwrap_or(line));
            text.push_str(end);
            count += 1;
        }
        bench
            .tree_mut()
            .put(path.clone(), [text.as_bytes(), &old].concat());
        let lines = std::iter::once(1..=count).collect();
        outcome.changes.push(loose(&path, FileAction::Inserted { lines }));
    }
    match outcome.changes.is_empty() {
        true => Err(Fault::new(glob, "what matches are links, which have no lines")),
        false => Ok(outcome),
    }
}

/// Adds a file.
pub(super) fn add(
    bench: &mut Workbench,
    name: &str,
    source: &Local<String>,
    read: ReadLocal<'_>,
) -> Result<Outcome, Fault> {
    let path = SourcePath::new(name).map_err(|error| Fault::tree(name, &error))?;
    if path.is_spec() {
        let hint = "a spec is changed by the `spec-…` kinds".to_owned();
        return Err(Fault::new(name, "a second spec cannot be added").hint(Some(hint)));
    }
    if bench.tree().contains(name) {
        let hint = "upstream has it too by now: drop this overlay, or give the file another name with `file`"
            .to_owned();
        return Err(Fault::new(name, "there is a file of this name already").hint(Some(hint)));
    }
    let below = bench.tree().files().find(|(other, _)| {
        let other = other.as_str();
        name.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
            || other.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))
    });
    if let Some((other, _)) = below {
        return Err(Fault::new(
            name,
            format!("it cannot be a file beside `{other}`: one would be a folder"),
        ));
    }
    let from = source.resolve();
    let bytes = read(&from)
        .map_err(|error| Fault::new(name, format!("failed to read {}: {error}", from.display())))?;
    bench.tree_mut().put(path.clone(), bytes);
    Ok(Outcome {
        changes: vec![loose(&path, FileAction::Added)],
        warnings: Vec::new(),
    })
}

/// Removes files.
pub(super) fn remove(bench: &mut Workbench, glob: &str) -> Result<Outcome, Fault> {
    let mut outcome = Outcome::default();
    for path in matching(bench, glob)? {
        bench.tree_mut().remove(path.as_str());
        outcome.changes.push(loose(&path, FileAction::Deleted));
    }
    Ok(outcome)
}

/// Renames a file within its folder.
pub(super) fn rename(bench: &mut Workbench, glob: &str, new_name: &str) -> Result<Outcome, Fault> {
    let files = matching(bench, glob)?;
    let [old] = files.as_slice() else {
        let names = files
            .iter()
            .map(SourcePath::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        return Err(Fault::new(
            glob,
            format!("several files match, and one name cannot be that of all: {names}"),
        ));
    };
    if new_name.contains('/') {
        let hint = "a file is renamed within its folder: give a name without `/`".to_owned();
        return Err(Fault::new(old.as_str(), format!("`{new_name}` is no name of a file")).hint(Some(hint)));
    }
    let folder = old.folder();
    let new = match folder.is_empty() {
        true => new_name.to_owned(),
        false => format!("{folder}/{new_name}"),
    };
    let new = SourcePath::new(new).map_err(|error| Fault::tree(old.as_str(), &error))?;
    if new.is_spec() || bench.tree().contains(new.as_str()) {
        return Err(Fault::new(
            old.as_str(),
            format!("there is a file `{new}` already, or it would be a second spec"),
        ));
    }
    let moved = bench.tree_mut().remove(old.as_str());
    if let Some(file) = moved {
        bench.tree_mut().insert(new.clone(), file);
    }
    let to = new.to_string();
    Ok(Outcome {
        changes: vec![loose(old, FileAction::Renamed { to })],
        warnings: Vec::new(),
    })
}

/// A search that is ready for a text.
struct Search<'a> {
    regex: &'a str,
    mode: SearchMode,
    replacement: &'a Replacement,
}

/// What a search did in a text.
enum Found {
    Nothing,
    /// It matched, and nothing is different.
    Same(NearLine),
    Changed {
        text: Vec<u8>,
        action: FileAction,
    },
}

impl Search<'_> {
    fn compile(&self, crlf: bool) -> Result<(Regex, Substitute<'_>), BadPattern> {
        let anchors = match self.mode {
            SearchMode::MultiLine => Anchors::Lines { crlf },
            SearchMode::EachLine | SearchMode::WholeText => Anchors::Text,
        };
        let pattern = compile(self.regex, anchors)?;
        let substitute = substitute(self.replacement, &pattern)?;
        Ok((pattern, substitute))
    }

    fn run(&self, old: &[u8]) -> Result<Found, BadPattern> {
        let crlf = self.mode == SearchMode::MultiLine && old.windows(2).any(|pair| pair == b"\r\n");
        let (pattern, substitute) = self.compile(crlf)?;
        let too_long = |error: lazuli_spec::TooLong| BadPattern {
            problem: error.to_string(),
            hint: None,
        };
        let Some(first) = pattern.find(old) else {
            return Ok(Found::Nothing);
        };
        let (text, count) = substitute
            .replace_all(&pattern, old, MAX_RESULT)
            .map_err(too_long)?;
        if text == old {
            return Ok(Found::Same(line_at(old, first.start())));
        }
        let lines = std::iter::once(changed_lines(old, &text)).collect();
        Ok(Found::Changed {
            text,
            action: FileAction::Changed { lines, count },
        })
    }
}

fn line_at(text: &[u8], at: usize) -> NearLine {
    let start = text[..at]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let rest = &text[start..];
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    NearLine {
        line: text[..start].iter().filter(|byte| **byte == b'\n').count() + 1,
        text: String::from_utf8_lossy(&rest[..end]).trim().to_owned(),
    }
}

/// From the first to the last line of `new` that is not as in `old`.
fn changed_lines(old: &[u8], new: &[u8]) -> std::ops::RangeInclusive<usize> {
    let start = old.iter().zip(new).take_while(|(one, two)| one == two).count();
    let room = old.len().min(new.len()) - start;
    let tail = old.iter().rev().zip(new.iter().rev()).take(room);
    let end = new.len() - tail.take_while(|(one, two)| one == two).count();
    let count = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
    let first = count(&new[..start]) + 1;
    let inside = new[start..end].strip_suffix(b"\n").unwrap_or(&new[start..end]);
    first..=first + count(inside)
}

/// Replaces in files, in one at least.
pub(super) fn search_replace(
    bench: &mut Workbench,
    glob: &str,
    regex: &str,
    mode: SearchMode,
    replacement: &Replacement,
) -> Result<Outcome, Fault> {
    let search = Search {
        regex,
        mode,
        replacement,
    };
    let mut outcome = Outcome::default();
    let mut misses = Misses::new(regex);
    for path in matching(bench, glob)? {
        let Some(old) = bench.read(&path)? else { continue };
        let found = search
            .run(&old)
            .map_err(|bad| refused(path.as_str(), regex, bad))?;
        match found {
            Found::Changed { text, action } => {
                bench.tree_mut().put(path.clone(), Content::from(text));
                outcome.changes.push(loose(&path, action));
            }
            Found::Same(line) => misses.same(path.as_str(), line),
            Found::Nothing => misses.look(path.as_str(), &old),
        }
    }
    match outcome.changes.is_empty() {
        true => Err(misses.fault(glob, None)),
        false => Ok(outcome),
    }
}

fn refused(file: &str, regex: &str, bad: BadPattern) -> Fault {
    Fault::new(file, bad.problem).looked_for(regex).hint(bad.hint)
}

/// The files in which nothing was replaced, and the line that came nearest.
struct Misses {
    regex: String,
    wanted: String,
    same: Option<(String, NearLine)>,
    nearest: Option<(String, NearLine)>,
}

impl Misses {
    fn new(regex: &str) -> Misses {
        Misses {
            regex: regex.to_owned(),
            wanted: plain_text(regex),
            same: None,
            nearest: None,
        }
    }

    fn same(&mut self, file: &str, line: NearLine) {
        self.same.get_or_insert((file.to_owned(), line));
    }

    /// Of several files, the line that is nearest of all is kept: it is compared with the one that was before.
    fn look(&mut self, file: &str, text: &[u8]) {
        let lines = text
            .split(|byte| *byte == b'\n')
            .enumerate()
            .map(|(at, line)| (at + 1, line));
        let Some(here) = nearest_line(&self.wanted, lines) else {
            return;
        };
        let better = match &self.nearest {
            None => true,
            Some((_, before)) => {
                let both = [(1, before.text.as_bytes()), (2, here.text.as_bytes())];
                nearest_line(&self.wanted, both).is_some_and(|best| best.line == 2)
            }
        };
        if better {
            self.nearest = Some((file.to_owned(), here));
        }
    }

    /// Of an archive, files in it are members.
    fn fault(self, glob: &str, archive: Option<&str>) -> Fault {
        let (found, problem, hint) = match (self.same, self.nearest) {
            (Some(same), _) => (
                Some(same),
                "the pattern matches, but what takes the place of the match is the same text",
                Some("upstream may have made this change: drop the overlay".to_owned()),
            ),
            (None, nearest) => (nearest, "the pattern matches nothing", None),
        };
        let (file, line) = found.map_or_else(|| (glob.to_owned(), None), |(file, line)| (file, Some(line)));
        match archive {
            Some(archive) => Fault::new(archive, problem).member(Some(&file)),
            None => Fault::new(file, problem),
        }
        .looked_for(self.regex)
        .nearest(line)
        .hint(hint)
    }
}

/// The members that a glob matches. It is compared with the names below the one folder at the top, where there is one,
/// as azldev does; when none of them matches, with whole names.
fn members(
    archive: &Archive,
    name: &str,
    glob: &str,
    kinds: &[MemberKind],
) -> Result<Vec<(usize, String)>, Fault> {
    let matcher = matcher(glob).map_err(|problem| Fault::new(name, problem).looked_for(glob))?;
    let root = archive.root();
    let of_kind = || {
        archive
            .members()
            .filter(|(_, member)| kinds.contains(&member.kind))
    };
    let below = |path: &str| match root {
        Some(root) => path
            .strip_prefix(root)
            .and_then(|rest| rest.strip_prefix('/'))
            .map(str::to_owned),
        None => Some(path.to_owned()),
    };
    let mut found: Vec<(usize, String)> = of_kind()
        .filter(|(_, member)| below(&member.path).is_some_and(|path| matcher.is_match(path)))
        .map(|(at, member)| (at, member.path.clone()))
        .collect();
    if found.is_empty() {
        let whole = of_kind().filter(|(_, member)| matcher.is_match(&member.path));
        found = whole.map(|(at, member)| (at, member.path.clone())).collect();
    }
    if found.is_empty() {
        let names: Vec<String> = of_kind().filter_map(|(_, member)| below(&member.path)).collect();
        let lines = names
            .iter()
            .enumerate()
            .map(|(at, name)| (at + 1, name.as_bytes()));
        let nearest = nearest_line(glob, lines).map(|near| near.text);
        return Err(Fault::new(name, "no file in the archive has a name that matches")
            .member(Some(glob))
            .looked_for(glob)
            .hint(nearest.map(|nearest| format!("there is `{nearest}`"))));
    }
    Ok(found)
}

/// The files that a glob matches, by one of their names or several, each once.
fn files_in(archive: &Archive, name: &str, glob: &str) -> Result<Vec<(usize, String)>, Fault> {
    let found = members(archive, name, glob, &[MemberKind::File, MemberKind::HardLink])?;
    let places: BTreeSet<usize> = found.iter().filter_map(|(at, _)| archive.file_of(*at)).collect();
    let is_plain = |kind| kind == MemberKind::File;
    let files = archive
        .members()
        .filter(|(at, member)| places.contains(at) && is_plain(member.kind));
    Ok(files.map(|(at, member)| (at, member.path.clone())).collect())
}

fn inside(archive: &str, member: String, action: FileAction) -> FileChange {
    FileChange {
        file: archive.to_owned(),
        member: Some(member),
        action,
    }
}

/// Removes files in an archive.
pub(super) fn remove_in_archive(bench: &mut Workbench, name: &str, glob: &str) -> Result<Outcome, Fault> {
    let archive = bench.archive(name)?;
    let kinds = [
        MemberKind::File,
        MemberKind::Link,
        MemberKind::HardLink,
        MemberKind::Sparse,
    ];
    let found = members(archive, name, glob, &kinds)?;
    let places: Vec<usize> = found.iter().map(|(at, _)| *at).collect();
    archive
        .remove(&places)
        .map_err(|error| Fault::archive(name, &error))?;
    let changes = found
        .into_iter()
        .map(|(_, member)| inside(name, member, FileAction::Deleted));
    Ok(Outcome {
        changes: changes.collect(),
        warnings: Vec::new(),
    })
}

/// Replaces in files of an archive, in one at least.
pub(super) fn search_replace_in_archive(
    bench: &mut Workbench,
    name: &str,
    glob: &str,
    regex: &str,
    mode: SearchMode,
    replacement: &Replacement,
) -> Result<Outcome, Fault> {
    let search = Search {
        regex,
        mode,
        replacement,
    };
    let failed = |error: ArchiveError| Fault::archive(name, &error);
    let archive = bench.archive(name)?;
    let mut outcome = Outcome::default();
    let mut misses = Misses::new(regex);
    for (at, member) in files_in(archive, name, glob)? {
        let found = {
            let old = archive.content(at).map_err(failed)?;
            let found = search
                .run(&old)
                .map_err(|bad| refused(name, regex, bad).member(Some(&member)))?;
            if matches!(found, Found::Nothing) {
                misses.look(&member, &old);
            }
            found
        };
        match found {
            Found::Changed { text, action } => {
                archive.replace(at, text).map_err(failed)?;
                outcome.changes.push(inside(name, member, action));
            }
            Found::Same(line) => misses.same(&member, line),
            Found::Nothing => {}
        }
    }
    match outcome.changes.is_empty() {
        true => Err(misses.fault(glob, Some(name))),
        false => Ok(outcome),
    }
}
