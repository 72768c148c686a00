//! `lazuli cache …`: how much there is, what goes, whether it is whole, and what others get of it.

mod amounts;
mod open;
mod stores;

pub use amounts::{Age, Amount};
pub use open::open;

use crate::cli::{CacheCommand, Global};
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::terminal::Terminal;
use crate::workspace::{self, Workspace};
use amounts::human;
use lazuli_cache::{CacheError, Collection, Damage, Folder, OnDamage, Use, cutoff};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use stores::{Item, Store};

/// The folder of build results, below the cache.
pub const BUILDS: &str = "builds";

/// Runs a command on the cache.
pub fn run(global: &Global, terminal: &Terminal, command: &CacheCommand) -> Result<()> {
    let cache = workspace::cache_folder(global)?;
    match command {
        CacheCommand::Size => size(&cache, terminal),
        CacheCommand::Gc {
            max_size,
            max_age,
            dry_run,
        } => {
            let collection = match dry_run {
                true => Collection::DryRun,
                false => Collection::Remove,
            };
            collect(&cache, terminal, *max_size, *max_age, collection)
        }
        CacheCommand::Verify { remove } => {
            let on_damage = match remove {
                true => OnDamage::Remove,
                false => OnDamage::Report,
            };
            verify(&cache, terminal, on_damage)
        }
        CacheCommand::Push { shared } => {
            let workspace = Workspace::open(global, terminal.clone())?;
            push(&workspace, shared)
        }
    }
}

/// An error of the cache's folder is the machine's; others say what they are.
pub fn failure(error: CacheError) -> Failure {
    let kind = match &error {
        CacheError::Io { .. } | CacheError::Transfer { .. } => Kind::Environment,
        CacheError::Digest { .. } | CacheError::Entry { .. } => Kind::Trust,
        _ => Kind::Failed,
    };
    Failure::new(kind, error)
}

/// The build results, if there are any: to look at them makes no folder.
fn builds(cache: &Path) -> Result<Option<Folder>> {
    let path = cache.join(BUILDS);
    match path.is_dir() {
        true => Folder::open(&path).map(Some).map_err(failure),
        false => Ok(None),
    }
}

fn size(cache: &Path, terminal: &Terminal) -> Result<()> {
    let mut rows: Vec<(String, u64, u64)> = Vec::new();
    if let Some(folder) = builds(cache)? {
        let usage = folder.usage().map_err(failure)?;
        let mut row = |name: &str, share: lazuli_cache::Share| {
            rows.push((format!("{BUILDS}/{name}"), share.files, share.bytes));
        };
        row("entries", usage.entries);
        for (kind, share) in usage.objects {
            row(kind.name(), share);
        }
    }
    for (name, files, bytes) in stores::sizes(cache)? {
        rows.push((name, files, bytes));
    }
    let total = rows
        .iter()
        .fold((0, 0), |sum, row| (sum.0 + row.1, sum.1 + row.2));
    let kinds: Vec<_> = rows
        .iter()
        .map(|(kind, files, bytes)| json!({ "kind": kind, "files": files, "bytes": bytes }))
        .collect();
    let facts = json!({ "cache": cache, "kinds": kinds, "files": total.0, "bytes": total.1 });
    terminal.facts(&facts, || {
        let rows = rows.iter().map(|(kind, files, bytes)| line(kind, *files, *bytes));
        rows.chain([line("total", total.0, total.1)]).collect()
    })?;
    Ok(())
}

fn line(kind: &str, files: u64, bytes: u64) -> String {
    format!("{kind:<20} {files:>8} files {:>12}\n", human(bytes))
}

/// What goes of one kind.
#[derive(Default)]
struct Gone {
    kind: &'static str,
    files: u64,
    bytes: u64,
    kept: u64,
    leftovers: u64,
    in_use: u64,
}

fn collect(
    cache: &Path,
    terminal: &Terminal,
    max_size: Option<Amount>,
    max_age: Option<Age>,
    collection: Collection,
) -> Result<()> {
    let folder = builds(cache)?;
    let stores: Vec<(&Store, Vec<Item>)> = stores::STORES
        .iter()
        .map(|store| Ok((store, store.items(cache)?)))
        .collect::<Result<_>>()?;
    // What was used for the longest time goes first, whatever it is: the limit is one for all.
    let mut since = max_age.and_then(|age| SystemTime::now().checked_sub(age.0));
    if let Some(Amount(max)) = max_size {
        let mut uses = match &folder {
            Some(folder) => folder.uses().map_err(failure)?,
            None => Vec::new(),
        };
        let items = stores.iter().flat_map(|(_, items)| items);
        uses.extend(items.map(|item| Use {
            last: item.last,
            bytes: item.bytes,
        }));
        since = since.max(cutoff(uses, max));
    }
    let mut gone = Vec::new();
    if let Some(folder) = &folder {
        let done = folder.collect(since, collection).map_err(failure)?;
        gone.push(Gone {
            kind: BUILDS,
            files: done.entries + done.objects,
            bytes: done.bytes,
            kept: done.kept,
            leftovers: done.leftovers,
            in_use: done.in_use,
        });
    }
    for (store, items) in &stores {
        let mut done = Gone {
            kind: store.name,
            ..Gone::default()
        };
        for item in items {
            match item.is_unused(since) {
                true => {
                    done.files += item.paths.len() as u64;
                    done.bytes += item.bytes;
                    if collection == Collection::Remove {
                        item.remove()?;
                    }
                }
                false => {
                    done.kept += item.bytes;
                    done.in_use += u64::from(since.is_some_and(|time| item.last <= time));
                }
            }
        }
        gone.push(done);
    }
    report_collection(cache, terminal, &gone, collection)
}

fn report_collection(cache: &Path, terminal: &Terminal, gone: &[Gone], collection: Collection) -> Result<()> {
    let kinds: Vec<_> = gone
        .iter()
        .map(|done| {
            json!({
                "kind": done.kind, "files": done.files, "bytes": done.bytes, "kept-bytes": done.kept,
                "leftovers": done.leftovers, "in-use": done.in_use,
            })
        })
        .collect();
    let is_dry_run = collection == Collection::DryRun;
    let bytes: u64 = gone.iter().map(|done| done.bytes).sum();
    let facts = json!({ "cache": cache, "dry-run": is_dry_run, "kinds": kinds, "bytes": bytes });
    let verb = if is_dry_run { "would go" } else { "gone" };
    terminal.facts(&facts, || {
        let lines = gone.iter().map(|done| {
            let in_use = match done.in_use {
                0 => String::new(),
                count => format!(", {count} in use stay"),
            };
            format!(
                "{:<20} {:>8} files {:>12} {verb}, {} left{in_use}\n",
                done.kind,
                done.files,
                human(done.bytes),
                human(done.kept)
            )
        });
        lines.collect()
    })?;
    Ok(())
}

fn verify(cache: &Path, terminal: &Terminal, on_damage: OnDamage) -> Result<()> {
    let mut damaged: Vec<Damage> = Vec::new();
    let mut checked = Map::new();
    let mut add = |kind: &str, files: u64, bytes: u64| {
        checked.insert(kind.to_owned(), json!({ "files": files, "bytes": bytes }));
    };
    if let Some(folder) = builds(cache)? {
        let spinner = terminal.spinner("build results");
        let mut progress =
            |objects: u64, bytes: u64| spinner.set_message(format!("{objects} objects, {}", human(bytes)));
        let found = folder.verify(on_damage, &mut progress).map_err(failure)?;
        spinner.finish_and_clear();
        add(BUILDS, found.entries + found.objects, found.bytes);
        damaged.extend(found.damaged);
    }
    for store in stores::STORES {
        let items = store.items(cache)?;
        let bar = terminal.bar(store.name, items.len() as u64);
        let found = store.verify(&items, &bar)?;
        bar.finish_and_clear();
        add(
            store.name,
            items.len() as u64,
            items.iter().map(|item| item.bytes).sum(),
        );
        if on_damage == OnDamage::Remove {
            for (item, _) in &found {
                item.remove()?;
            }
        }
        damaged.extend(found.into_iter().map(|(item, problem)| Damage {
            path: item.paths.first().cloned().unwrap_or_default(),
            problem,
        }));
    }
    let listed: Vec<_> = damaged
        .iter()
        .map(|damage| json!({ "path": damage.path, "problem": damage.problem }))
        .collect();
    let facts = json!({ "cache": cache, "checked": &checked, "damaged": listed });
    terminal.facts(&facts, || verify_text(&checked, &damaged))?;
    match (damaged.len(), on_damage) {
        (0, _) => Ok(()),
        (count, OnDamage::Remove) => {
            terminal.note(format!("{count} damaged files were removed"));
            Ok(())
        }
        (count, OnDamage::Report) => Err(Failure::message(
            Kind::Trust,
            format!("{}: {count} damaged files", cache.display()),
        )
        .hint("`lazuli cache verify --remove` removes them; they are fetched or built again")),
    }
}

fn verify_text(checked: &Map<String, Value>, damaged: &[Damage]) -> String {
    let number = |value: &Value, name: &str| value[name].as_u64().unwrap_or_default();
    let checked = checked.iter().map(|(kind, share)| {
        let (files, bytes) = (number(share, "files"), number(share, "bytes"));
        format!("{kind:<20} {files:>8} checked {:>10}\n", human(bytes))
    });
    let damaged = damaged
        .iter()
        .map(|damage| format!("{}: {}\n", damage.path.display(), damage.problem));
    checked.chain(damaged).collect()
}

/// Gives all local results to the shared cache.
fn push(workspace: &Workspace, shared: &crate::cli::SharedCacheArgs) -> Result<()> {
    if shared.build_cache.is_none() || shared.build_cache_readonly {
        return Err(Failure::message(
            Kind::Failed,
            "there is no shared cache that results may be given to",
        )
        .hint("name one with --build-cache URL or LAZULI_BUILD_CACHE, without --build-cache-readonly"));
    }
    let cache = open(workspace, shared)?;
    if !cache.shares() {
        return Err(Failure::message(
            Kind::Environment,
            "nothing was shared: the shared cache is away",
        ));
    }
    let begun = cache.share_all().map_err(failure)?;
    let done = cache.finish();
    let facts = json!({ "results": begun, "shared": done.shared, "not-shared": done.not_shared, "bytes": done.uploaded });
    workspace.terminal.facts(&facts, || {
        format!("{} results shared, {} sent\n", done.shared, human(done.uploaded))
    })?;
    match begun == done.shared {
        true => Ok(()),
        false => Err(Failure::message(
            Kind::Environment,
            format!("{} of {begun} results were not shared", begun - done.shared),
        )),
    }
}

/// Where build results are kept.
pub fn builds_folder(cache: &Path) -> PathBuf {
    cache.join(BUILDS)
}

/// Reads a text that must be there.
fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path)
        .or_fail(Kind::Environment)
        .map_err(|failure| failure.context(format!("failed to read {}", path.display())))
}
