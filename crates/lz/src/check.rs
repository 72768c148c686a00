//! Whether all is well with what is installed.

use crate::failure::{Failure, Kind, Result};
use crate::session::Session;
use crate::terminal::Terminal;
use globset::Glob;
use lazuli_rpm::{Dependency, RichDependency, Sense};
use lazuli_solve::PackageId;
use lazuli_transaction::{Aspect, InstalledPackage, check_database, verify as verify_files};
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Changed {
    package: String,
    path: String,
    is_config: bool,
    differs: Vec<String>,
}

/// `lz verify`: files that are not as they were laid. Changed configuration is shown, but is no fault.
pub(crate) fn verify(session: &Session, names: &[String], terminal: &Terminal) -> Result<()> {
    let mut packages: Vec<InstalledPackage> = Vec::new();
    for name in names {
        let glob = Glob::new(name)
            .map_err(|e| Failure::new(Kind::Failed, e))?
            .compile_matcher();
        let before = packages.len();
        packages.extend(
            session
                .installed()
                .iter()
                .filter(|p| glob.is_match(&p.metadata.nevra.name))
                .cloned(),
        );
        if packages.len() == before {
            return Err(Failure::new(Kind::Failed, format!("{name} is not installed")));
        }
    }
    let all = if names.is_empty() {
        session.installed()
    } else {
        &packages
    };
    let found = verify_files(session.root(), all)?;
    let facts: Vec<Changed> = found
        .iter()
        .map(|one| Changed {
            package: one.package.to_string(),
            path: one.path.clone(),
            is_config: one.is_config,
            differs: one
                .aspects
                .iter()
                .map(|aspect| format!("{aspect:?}").to_lowercase())
                .collect(),
        })
        .collect();
    terminal.facts(&facts, || found.iter().map(|one| format!("{one}\n")).collect())?;
    let faults = found
        .iter()
        .filter(|one| !one.is_config || one.aspects.contains(&Aspect::Missing))
        .count();
    if faults > 0 {
        return Err(Failure::new(
            Kind::Failed,
            format!("{faults} files are not as they were laid"),
        ));
    }
    Ok(())
}

/// `lz check`: the database, and whether what is installed fits together.
pub(crate) fn check(session: &Session, terminal: &Terminal) -> Result<()> {
    let mut faults = check_database(session.root())?;
    let pool = session.pool();
    for id in pool.installed() {
        let record = pool.record(id);
        for need in &record.requires {
            if !is_met(session, need) {
                faults.push(format!(
                    "{} requires {need}, which nothing provides",
                    record.nevra
                ));
            }
        }
        for conflict in &record.conflicts {
            for other in providers(session, conflict)
                .into_iter()
                .filter(|other| *other != id)
            {
                faults.push(format!(
                    "{} conflicts with {}",
                    record.nevra,
                    pool.record(other).nevra
                ));
            }
        }
    }
    faults.sort();
    faults.dedup();
    terminal.facts(&faults, || {
        if faults.is_empty() {
            return format!("{} packages, all is well.\n", session.installed().len());
        }
        faults.iter().flat_map(|fault| [fault.as_str(), "\n"]).collect()
    })?;
    if faults.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Kind::Failed, format!("{} faults", faults.len())))
}

fn providers(session: &Session, dependency: &Dependency) -> Vec<PackageId> {
    let pool = session.pool();
    let mut found = pool.providers(dependency);
    if dependency.name.starts_with('/') {
        found.extend(pool.owners(&dependency.name));
    }
    found.retain(|id| pool.is_installed(*id));
    found
}

fn is_met(session: &Session, need: &Dependency) -> bool {
    if need.name.starts_with("rpmlib(") || need.sense.contains(Sense::RPMLIB) {
        return true;
    }
    if !need.is_rich() {
        return !providers(session, need).is_empty();
    }
    RichDependency::parse(&need.name).is_ok_and(|rich| holds(session, &rich))
}

/// Whether a rich dependency holds (rpm's "boolean dependencies").
fn holds(session: &Session, rich: &RichDependency) -> bool {
    use RichDependency as R;
    match rich {
        R::Simple(need) => is_met(session, need),
        R::And(parts) => parts.iter().all(|part| holds(session, part)),
        R::Or(parts) => parts.iter().any(|part| holds(session, part)),
        R::If {
            then,
            condition,
            otherwise,
        } => {
            if holds(session, condition) {
                holds(session, then)
            } else {
                otherwise.as_ref().is_none_or(|part| holds(session, part))
            }
        }
        R::Unless {
            then,
            condition,
            otherwise,
        } => {
            if holds(session, condition) {
                otherwise.as_ref().is_some_and(|part| holds(session, part))
            } else {
                holds(session, then)
            }
        }
        R::With(..) | R::Without(..) => !matching(session, rich).is_empty(),
    }
}

/// Installed packages that a dependency below `with` or `without` names.
fn matching(session: &Session, rich: &RichDependency) -> Vec<PackageId> {
    use RichDependency as R;
    match rich {
        R::Simple(need) => providers(session, need),
        R::Or(parts) => parts.iter().flat_map(|part| matching(session, part)).collect(),
        R::With(parts) => {
            let mut sets = parts.iter().map(|part| matching(session, part));
            let first = sets.next().unwrap_or_default();
            sets.fold(first, |both, set| {
                both.into_iter().filter(|id| set.contains(id)).collect()
            })
        }
        R::Without(left, right) => {
            let right = matching(session, right);
            matching(session, left)
                .into_iter()
                .filter(|id| !right.contains(id))
                .collect()
        }
        _ => Vec::new(),
    }
}
