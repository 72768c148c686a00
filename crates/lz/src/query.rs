//! Questions: what is there, who has it, what it needs.

use crate::cli::{Info, List, Provides, Repoquery, Search, Which};
use crate::failure::{Failure, Kind, Result};
use crate::session::Session;
use crate::terminal::{Terminal, columns, size};
use globset::{Glob, GlobMatcher};
use lazuli_repodata::{FileCoverage, PackageRecord};
use lazuli_rpm::Dependency;
use lazuli_solve::{Origin, PackageId};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

/// A package, for JSON and for lists.
#[derive(Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
struct Row {
    name: String,
    arch: String,
    version: String,
    repository: String,
    summary: String,
}

fn repository(session: &Session, id: PackageId) -> &str {
    match session.pool().origin(id) {
        Origin::Installed => "@installed",
        Origin::Repository(repository) => session.pool().repository_name(repository),
    }
}

fn row(session: &Session, id: PackageId) -> Row {
    let record = session.pool().record(id);
    Row {
        name: record.nevra.name.clone(),
        arch: record.nevra.arch.clone(),
        version: record.nevra.evr.to_string(),
        repository: repository(session, id).to_owned(),
        summary: record.summary.clone(),
    }
}

/// By name, newest first, installed before available.
fn sorted(session: &Session, ids: impl IntoIterator<Item = PackageId>) -> Vec<PackageId> {
    let mut ids: Vec<PackageId> = ids.into_iter().collect();
    ids.sort_by(|left, right| {
        let (l, r) = (
            &session.pool().record(*left).nevra,
            &session.pool().record(*right).nevra,
        );
        (&l.name, &l.arch)
            .cmp(&(&r.name, &r.arch))
            .then_with(|| r.evr.cmp(&l.evr))
            .then_with(|| left.cmp(right))
    });
    ids.dedup();
    ids
}

/// What a user may write for packages in a query: patterns of name, name.arch or the whole NEVRA.
struct Patterns(Vec<(String, GlobMatcher)>);

impl Patterns {
    fn new(texts: &[String]) -> Result<Self> {
        let one = |text: &String| {
            let glob = Glob::new(text).map_err(|e| Failure::new(Kind::Failed, e))?;
            Ok((text.clone(), glob.compile_matcher()))
        };
        texts.iter().map(one).collect::<Result<_>>().map(Self)
    }

    fn forms(record: &PackageRecord) -> [String; 5] {
        let n = &record.nevra;
        [
            n.name.clone(),
            format!("{}.{}", n.name, n.arch),
            format!("{}-{}", n.name, n.evr.version),
            format!("{}-{}", n.name, n.evr),
            n.to_string(),
        ]
    }

    /// Which of the packages match; a pattern that matches none is an error.
    fn select(&self, session: &Session, ids: impl Iterator<Item = PackageId>) -> Result<Vec<PackageId>> {
        if self.0.is_empty() {
            return Ok(ids.collect());
        }
        let mut used = vec![false; self.0.len()];
        let mut found = Vec::new();
        for id in ids {
            let forms = Self::forms(session.pool().record(id));
            let mut is_wanted = false;
            for ((_, glob), used) in self.0.iter().zip(&mut used) {
                if forms.iter().any(|form| glob.is_match(form)) {
                    *used = true;
                    is_wanted = true;
                }
            }
            if is_wanted {
                found.push(id);
            }
        }
        match used.iter().zip(&self.0).find(|(used, _)| !**used) {
            Some((_, (text, _))) => Err(Failure::new(Kind::Failed, format!("no package matches `{text}`"))),
            None => Ok(found),
        }
    }
}

/// `lz list`
pub(crate) fn list(session: &Session, arguments: &List, terminal: &Terminal) -> Result<()> {
    let pool = session.pool();
    let installed: BTreeMap<(&str, &str), PackageId> = pool
        .installed()
        .map(|id| {
            (
                (
                    pool.record(id).nevra.name.as_str(),
                    pool.record(id).nevra.arch.as_str(),
                ),
                id,
            )
        })
        .collect();
    let is_shown = |id: PackageId| {
        let nevra = &pool.record(id).nevra;
        let own = installed
            .get(&(nevra.name.as_str(), nevra.arch.as_str()))
            .map(|own| &pool.record(*own).nevra.evr);
        match arguments.which {
            Which::Installed => pool.is_installed(id),
            Which::Available => !pool.is_installed(id) && own != Some(&nevra.evr),
            Which::Upgrades => !pool.is_installed(id) && own.is_some_and(|own| *own < nevra.evr),
        }
    };
    let patterns = Patterns::new(&arguments.patterns)?;
    let found = patterns.select(session, pool.packages().filter(|id| is_shown(*id)))?;
    let mut found = sorted(session, found);
    if arguments.which == Which::Upgrades {
        keep_newest(session, &mut found);
    }
    let rows: Vec<Row> = found.into_iter().map(|id| row(session, id)).collect();
    terminal.facts(&rows, || {
        let cells = |row: &Row| {
            vec![
                format!("{}.{}", row.name, row.arch),
                row.version.clone(),
                row.repository.clone(),
            ]
        };
        columns(&rows.iter().map(cells).collect::<Vec<_>>(), 0)
    })
}

/// Of a sorted list, the first of each name and architecture.
fn keep_newest(session: &Session, ids: &mut Vec<PackageId>) {
    let mut seen = HashSet::new();
    ids.retain(|id| {
        let nevra = &session.pool().record(*id).nevra;
        seen.insert((nevra.name.clone(), nevra.arch.clone()))
    });
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Details {
    name: String,
    epoch: u32,
    version: String,
    release: String,
    arch: String,
    repository: String,
    installed_size: u64,
    source: String,
    summary: String,
    url: String,
    license: String,
    vendor: String,
    description: String,
}

/// `lz info`
pub(crate) fn info(session: &Session, arguments: &Info, terminal: &Terminal) -> Result<()> {
    let pool = session.pool();
    let ids = pool
        .packages()
        .filter(|id| !arguments.installed || pool.is_installed(*id));
    let mut found = sorted(session, Patterns::new(&arguments.specs)?.select(session, ids)?);
    // What is installed need not be shown twice.
    let mut seen = HashSet::new();
    found.retain(|id| seen.insert(pool.record(*id).nevra.clone()));
    let details: Vec<Details> = found
        .into_iter()
        .map(|id| {
            let record = pool.record(id);
            Details {
                name: record.nevra.name.clone(),
                epoch: record.nevra.evr.epoch,
                version: record.nevra.evr.version.clone(),
                release: record.nevra.evr.release.clone(),
                arch: record.nevra.arch.clone(),
                repository: repository(session, id).to_owned(),
                installed_size: record.size.installed,
                source: record.source_rpm.clone(),
                summary: record.summary.clone(),
                url: record.url.clone(),
                license: record.license.clone(),
                vendor: record.vendor.clone(),
                description: record.description.clone(),
            }
        })
        .collect();
    terminal.facts(&details, || {
        details.iter().map(info_text).collect::<Vec<_>>().join("\n")
    })
}

fn info_text(one: &Details) -> String {
    let fields = [
        ("Name", one.name.clone()),
        (
            "Epoch",
            if one.epoch == 0 {
                String::new()
            } else {
                one.epoch.to_string()
            },
        ),
        ("Version", one.version.clone()),
        ("Release", one.release.clone()),
        ("Architecture", one.arch.clone()),
        ("Installed size", size(one.installed_size)),
        ("Source", one.source.clone()),
        ("Repository", one.repository.clone()),
        ("Summary", one.summary.clone()),
        ("URL", one.url.clone()),
        ("License", one.license.clone()),
        ("Vendor", one.vendor.clone()),
        (
            "Description",
            one.description.trim().replace('\n', &format!("\n{:16}", "")),
        ),
    ];
    let shown = fields.into_iter().filter(|(_, value)| !value.is_empty());
    shown
        .map(|(name, value)| format!("{name:14}: {value}\n"))
        .collect()
}

/// `lz search`
pub(crate) fn search(session: &Session, arguments: &Search, terminal: &Terminal) -> Result<()> {
    let words: Vec<String> = arguments.words.iter().map(|word| word.to_lowercase()).collect();
    let pool = session.pool();
    let matches = |id: &PackageId| {
        let record = pool.record(*id);
        let text = format!("{} {}", record.nevra.name, record.summary).to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let mut found = sorted(session, pool.packages().filter(matches));
    keep_newest(session, &mut found);
    // Exact names first, then names, then summaries.
    let rank = |id: &PackageId| {
        let name = pool.record(*id).nevra.name.to_lowercase();
        if words.contains(&name) {
            0
        } else if words.iter().any(|word| name.contains(word.as_str())) {
            1
        } else {
            2
        }
    };
    found.sort_by_key(rank);
    let rows: Vec<Row> = found.into_iter().map(|id| row(session, id)).collect();
    let is_empty = rows.is_empty();
    terminal.facts(&rows, || {
        let cells = |row: &Row| vec![format!("{}.{}", row.name, row.arch), row.summary.clone()];
        columns(&rows.iter().map(cells).collect::<Vec<_>>(), 0)
    })?;
    if is_empty {
        return Err(Failure::new(
            Kind::Failed,
            format!("nothing matches {}", arguments.words.join(" ")),
        ));
    }
    Ok(())
}

/// Packages that have a path or provide a capability.
fn providers(session: &Session, what: &str) -> Result<Vec<PackageId>> {
    let dependency = Dependency::parse(what).map_err(|e| Failure::new(Kind::Failed, e))?;
    let mut found = session.pool().providers(&dependency);
    if what.starts_with('/') {
        found.extend(session.pool().owners(what));
        // /bin/x is /usr/bin/x, whichever of them the package lists.
        let other = match what.strip_prefix("/usr") {
            Some(rest) if rest.starts_with('/') => rest.to_owned(),
            _ => format!("/usr{what}"),
        };
        if ["/bin/", "/sbin/", "/lib/", "/lib64/"]
            .iter()
            .any(|folder| what.contains(folder))
        {
            found.extend(session.pool().owners(&other));
        }
    }
    Ok(sorted(session, found))
}

/// `lz provides`
pub(crate) fn provides(session: &Session, arguments: &Provides, terminal: &Terminal) -> Result<()> {
    let mut rows = Vec::new();
    for what in &arguments.what {
        let found = providers(session, what)?;
        if found.is_empty() {
            return Err(Failure::new(Kind::Failed, format!("nothing provides {what}")));
        }
        rows.extend(found.into_iter().map(|id| row(session, id)));
    }
    terminal.facts(&rows, || {
        let cells = |row: &Row| {
            vec![
                format!("{}-{}.{}", row.name, row.version, row.arch),
                row.repository.clone(),
                row.summary.clone(),
            ]
        };
        columns(&rows.iter().map(cells).collect::<Vec<_>>(), 0)
    })
}

/// `lz repoquery`
pub(crate) fn repoquery(session: &Session, arguments: &Repoquery, terminal: &Terminal) -> Result<()> {
    let pool = session.pool();
    let patterns = Patterns::new(&arguments.specs)?;
    let ids = pool
        .packages()
        .filter(|id| pool.is_installed(*id) == arguments.installed);
    let mut found = sorted(session, patterns.select(session, ids)?);
    if let Some(what) = &arguments.whatprovides {
        let wanted: HashSet<PackageId> = providers(session, what)?.into_iter().collect();
        found.retain(|id| wanted.contains(id));
    }
    if let Some(what) = &arguments.whatrequires {
        let wanted = requirers(session, what)?;
        found.retain(|id| wanted.contains(id));
    }
    if arguments.latest {
        keep_newest(session, &mut found);
    }
    if arguments.list {
        let lists = files(session, &found)?;
        return terminal.facts(&lists, || {
            lists.iter().flat_map(|path| [path.as_str(), "\n"]).collect()
        });
    }
    let pick: Option<fn(&PackageRecord) -> &Vec<Dependency>> = [
        (
            arguments.requires,
            (|r| &r.requires) as fn(&PackageRecord) -> &Vec<Dependency>,
        ),
        (arguments.provides, |r| &r.provides),
        (arguments.recommends, |r| &r.recommends),
        (arguments.suggests, |r| &r.suggests),
        (arguments.conflicts, |r| &r.conflicts),
        (arguments.obsoletes, |r| &r.obsoletes),
    ]
    .into_iter()
    .find_map(|(is_asked, pick)| is_asked.then_some(pick));
    if let Some(pick) = pick {
        let mut lines: Vec<String> = found
            .iter()
            .flat_map(|id| pick(pool.record(*id)))
            .map(ToString::to_string)
            .collect();
        lines.sort();
        lines.dedup();
        return terminal.facts(&lines, || {
            lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
        });
    }
    if let Some(format) = &arguments.queryformat {
        let lines: Vec<String> = found.iter().map(|id| formatted(session, *id, format)).collect();
        return terminal.facts(&lines, || lines.concat());
    }
    let rows: Vec<Row> = found.iter().map(|id| row(session, *id)).collect();
    terminal.facts(&rows, || {
        rows.iter()
            .map(|r| format!("{}-{}.{}\n", r.name, r.version, r.arch))
            .collect()
    })
}

/// Packages that require a capability, or something that packages of that name provide.
fn requirers(session: &Session, what: &str) -> Result<HashSet<PackageId>> {
    let pool = session.pool();
    let asked = Dependency::parse(what).map_err(|e| Failure::new(Kind::Failed, e))?;
    let mut provided: Vec<Dependency> = vec![asked.clone()];
    for id in pool
        .packages()
        .filter(|id| pool.record(*id).nevra.name == asked.name)
    {
        provided.extend(pool.record(id).provides.iter().cloned());
        provided.extend(
            pool.record(id)
                .files
                .iter()
                .map(|file| Dependency::any(file.path.clone())),
        );
    }
    let mut by_name: BTreeMap<&str, Vec<&Dependency>> = BTreeMap::new();
    for one in &provided {
        by_name.entry(&one.name).or_default().push(one);
    }
    let is_met = |need: &Dependency| {
        by_name
            .get(need.name.as_str())
            .is_some_and(|all| all.iter().any(|one| one.overlaps(need)))
    };
    let needs = |need: &Dependency| {
        if !need.is_rich() {
            return is_met(need);
        }
        let rich = lazuli_rpm::RichDependency::parse(&need.name);
        rich.is_ok_and(|rich| rich.capabilities().into_iter().any(is_met))
    };
    Ok(pool
        .packages()
        .filter(|id| pool.record(*id).requires.iter().any(needs))
        .collect())
}

/// All paths of packages.
fn files(session: &Session, ids: &[PackageId]) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    let mut lists = BTreeMap::new();
    for id in ids {
        let record = session.pool().record(*id);
        if record.coverage == FileCoverage::All {
            paths.extend(record.files.iter().map(|file| file.path.clone()));
            continue;
        }
        let name = repository(session, *id);
        if !lists.contains_key(name) {
            let found = session
                .repositories()
                .find(|repository| repository.config.id == name);
            let list = found
                .map(crate::repository::Repository::filelists)
                .transpose()?
                .unwrap_or_default();
            lists.insert(name, list);
        }
        let list = lists
            .get(name)
            .into_iter()
            .flatten()
            .find(|list| list.pkgid == record.checksum);
        paths.extend(
            list.into_iter()
                .flat_map(|list| &list.files)
                .map(|file| file.path.clone()),
        );
    }
    paths.sort();
    paths.dedup();
    Ok(paths)
}

fn formatted(session: &Session, id: PackageId, format: &str) -> String {
    let record = session.pool().record(id);
    let n = &record.nevra;
    let values = [
        ("%{name}", n.name.clone()),
        ("%{version}", n.evr.version.clone()),
        ("%{release}", n.evr.release.clone()),
        ("%{epoch}", n.evr.epoch.to_string()),
        ("%{arch}", n.arch.clone()),
        ("%{evr}", n.evr.to_string()),
        ("%{nevra}", n.to_string()),
        ("%{repoid}", repository(session, id).to_owned()),
        ("%{summary}", record.summary.clone()),
        ("%{size}", record.size.installed.to_string()),
        ("\\n", "\n".to_owned()),
    ];
    values
        .iter()
        .fold(format.to_owned(), |text, (name, value)| text.replace(name, value))
}
