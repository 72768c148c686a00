//! The sources while overlays are applied: the spec as a document, archives that are open.

use std::collections::BTreeMap;
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use lazuli_spec::{Document, EditError, LineChange, NearLine};

use crate::archive::{Archive, ArchiveError};
use crate::source_tree::{Content, SourcePath, SourceTree, TreeError};

use super::report::{FileAction, FoundLine, OverlayFailure, OverlayIdentity};

/// Largest spec in bytes.
const MAX_SPEC: usize = 16 << 20;
/// Longest glob in bytes.
const MAX_GLOB: usize = 4096;

/// An [`OverlayFailure`] before it is known of which overlay it is.
#[derive(Debug)]
pub(super) struct Fault(Box<OverlayFailure>);

impl Fault {
    pub(super) fn new(file: impl Into<String>, problem: impl Into<String>) -> Fault {
        Fault(Box::new(OverlayFailure {
            overlay: OverlayIdentity {
                number: 0,
                kind: "overlay",
                description: None,
                place: None,
            },
            problem: problem.into(),
            file: file.into(),
            member: None,
            section: None,
            looked_for: None,
            nearest: None,
            hint: None,
        }))
    }

    pub(super) fn member(mut self, member: Option<&str>) -> Fault {
        self.0.member = member.map(str::to_owned);
        self
    }

    pub(super) fn looked_for(mut self, looked_for: impl Into<String>) -> Fault {
        self.0.looked_for = Some(looked_for.into());
        self
    }

    pub(super) fn nearest(mut self, nearest: Option<NearLine>) -> Fault {
        self.0.nearest = nearest.map(found_line);
        self
    }

    pub(super) fn hint(mut self, hint: Option<String>) -> Fault {
        self.0.hint = hint;
        self
    }

    pub(super) fn edit(file: &SourcePath, error: EditError) -> Fault {
        let context = *error.context;
        let mut fault = Fault::new(file.as_str(), error.problem)
            .nearest(context.nearest)
            .hint(context.hint);
        fault.0.section = context.section;
        fault.0.looked_for = context.looked_for;
        fault
    }

    pub(super) fn tree(file: impl Into<String>, error: &TreeError) -> Fault {
        Fault::new(file, error.to_string())
    }

    pub(super) fn archive(file: impl Into<String>, error: &ArchiveError) -> Fault {
        Fault::new(file, format!("the archive cannot be edited: {error}"))
    }

    pub(super) fn into_failure(mut self, overlay: OverlayIdentity) -> Box<OverlayFailure> {
        self.0.overlay = overlay;
        self.0
    }
}

fn found_line(near: NearLine) -> FoundLine {
    FoundLine {
        line: near.line,
        text: near.text,
    }
}

/// An archive that is open, and the last overlay that was at it, from 0.
#[derive(Debug)]
struct OpenArchive {
    archive: Archive,
    overlay: usize,
}

/// The sources while overlays are applied.
#[derive(Debug)]
pub(super) struct Workbench {
    tree: SourceTree,
    document: Option<Document>,
    archives: BTreeMap<SourcePath, OpenArchive>,
    /// The overlay that is being applied, from 0.
    pub(super) overlay: usize,
}

impl Workbench {
    pub(super) fn new(tree: SourceTree) -> Workbench {
        Workbench {
            tree,
            document: None,
            archives: BTreeMap::new(),
            overlay: 0,
        }
    }

    pub(super) fn spec(&self) -> SourcePath {
        self.tree.spec_path().clone()
    }

    pub(super) fn document(&mut self) -> Result<&mut Document, Fault> {
        let document = match self.document.take() {
            Some(document) => document,
            None => {
                let bytes = self
                    .tree
                    .spec_bytes()
                    .map_err(|error| Fault::tree(self.tree.spec_path().as_str(), &error))?;
                if bytes.len() > MAX_SPEC {
                    return Err(Fault::new(
                        self.tree.spec_path().as_str(),
                        "the spec is larger than 16 MiB",
                    ));
                }
                Document::parse(&bytes)
            }
        };
        Ok(self.document.insert(document))
    }

    pub(super) fn tree(&self) -> &SourceTree {
        &self.tree
    }

    /// The loose files, with all that was done to archives so far packed.
    pub(super) fn tree_mut(&mut self) -> &mut SourceTree {
        &mut self.tree
    }

    /// The files, but for specs, that a glob matches, in order.
    pub(super) fn matching(&self, glob: &str) -> Result<Vec<SourcePath>, Fault> {
        let matcher = matcher(glob).map_err(|problem| Fault::new(glob, problem))?;
        let files = self.tree.files().map(|(path, _)| path);
        let found = files.filter(|path| !path.is_spec() && matcher.is_match(path.as_str()));
        Ok(found.cloned().collect())
    }

    /// The bytes of a file; `None` of a link.
    pub(super) fn read(&self, path: &SourcePath) -> Result<Option<Arc<[u8]>>, Fault> {
        match self.tree.get(path.as_str()).map(|file| &file.content) {
            Some(Content::Link(_)) | None => Ok(None),
            Some(content) => content
                .read()
                .map(Some)
                .map_err(|error| Fault::tree(path.as_str(), &error)),
        }
    }

    pub(super) fn archive(&mut self, name: &str) -> Result<&mut Archive, Fault> {
        let path = SourcePath::new(name).map_err(|error| Fault::tree(name, &error))?;
        if !self.archives.contains_key(&path) {
            let Some(file) = self.tree.get(name) else {
                return Err(self.no_file(name, "there is no such archive among the sources"));
            };
            let bytes = file.content.read().map_err(|error| Fault::tree(name, &error))?;
            let archive = Archive::open(&bytes).map_err(|error| Fault::archive(name, &error))?;
            self.archives
                .insert(path.clone(), OpenArchive { archive, overlay: 0 });
        }
        match self.archives.get_mut(&path) {
            Some(open) => {
                open.overlay = self.overlay;
                Ok(&mut open.archive)
            }
            None => Err(Fault::new(name, "there is no such archive among the sources")),
        }
    }

    /// A fault that names the file whose name is nearest.
    pub(super) fn no_file(&self, name: &str, problem: &str) -> Fault {
        let names: Vec<&str> = self.tree.files().map(|(path, _)| path.as_str()).collect();
        let lines = names
            .iter()
            .enumerate()
            .map(|(at, name)| (at + 1, name.as_bytes()));
        let nearest = lazuli_spec::nearest_line(name, lines).map(|near| near.text);
        let hint = match nearest {
            Some(nearest) => format!("there is `{nearest}`"),
            None => format!("the files are {}", shortened(&names)),
        };
        Fault::new(name, problem).looked_for(name).hint(Some(hint))
    }

    /// Packs the archives that were edited, one of them or all.
    pub(super) fn pack(&mut self, only: Option<&SourcePath>) -> Result<(), (usize, Fault)> {
        let names: Vec<SourcePath> = match only {
            Some(name) => vec![name.clone()],
            None => self.archives.keys().cloned().collect(),
        };
        for name in names {
            let Some(open) = self.archives.remove(&name) else {
                continue;
            };
            if !open.archive.is_changed() {
                continue;
            }
            let bytes = open
                .archive
                .pack()
                .map_err(|error| (open.overlay, Fault::archive(name.as_str(), &error)))?;
            self.tree.put(name, bytes);
        }
        Ok(())
    }

    /// The tree with everything in it.
    pub(super) fn finish(mut self) -> Result<SourceTree, (usize, Fault)> {
        self.pack(None)?;
        if let Some(document) = self.document {
            self.tree.set_spec(document.to_bytes());
        }
        Ok(self.tree)
    }
}

fn shortened(names: &[&str]) -> String {
    const SHOWN: usize = 8;
    let list = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len() > SHOWN {
        true => format!("{list} and {} more", names.len() - SHOWN),
        false => list,
    }
}

/// A glob: `*` stays within a folder, `**` does not.
pub(super) fn matcher(glob: &str) -> Result<GlobMatcher, String> {
    if glob.len() > MAX_GLOB {
        return Err("the glob is longer than 4,096 bytes".to_owned());
    }
    let glob = GlobBuilder::new(glob).literal_separator(true).build();
    glob.map(|glob| glob.compile_matcher())
        .map_err(|error| format!("the glob is not valid: {}", error.kind()))
}

/// What an edit of the spec did, by kind.
pub(super) fn actions(changes: &[LineChange]) -> Vec<FileAction> {
    let mut inserted = Vec::new();
    let mut changed = Vec::new();
    let mut removed = Vec::new();
    let mut total = 0;
    for change in changes {
        match change {
            LineChange::Inserted(lines) => inserted.push(lines.clone()),
            LineChange::Changed { lines, count } => {
                changed.push(lines.clone());
                total += count;
            }
            LineChange::Removed(lines) => removed.push(lines.clone()),
        }
    }
    let all = [
        (!inserted.is_empty()).then_some(FileAction::Inserted { lines: inserted }),
        (!changed.is_empty()).then_some(FileAction::Changed {
            lines: changed,
            count: total,
        }),
        (!removed.is_empty()).then_some(FileAction::Removed { lines: removed }),
    ];
    all.into_iter().flatten().collect()
}
