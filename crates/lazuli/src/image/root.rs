//! A root tree with an image's packages, made by the same engines that hosts use.

use super::from_source::{Preference, Share, Shelves};
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::repo::at;
use crate::terminal::Stages;
use crate::workspace::Workspace;
use lazuli_catalog::{PackageName, ResolvedImage};
use lazuli_durable::WorkFolder;
use lazuli_image::manifest::Package;
use lazuli_openpgp::Keyring;
use lazuli_rpm::Metadata;
use lazuli_sandbox::Scratch;
use lazuli_solve::{Job, PackageId, Pool, Reason, Solution, Spec, Weak, install_order, solve};
use lazuli_transaction::{
    Aliases, Clock, Docs, EmptyDisk, Options, PackageFile, Plan, Request, Trust, Wanted, execute,
    open_packages,
};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// An installed root, and what is in it.
pub struct Root {
    /// Where it is.
    pub path: PathBuf,
    /// Its packages, for the manifest.
    pub packages: Vec<Package>,
    /// How much of it was built from source.
    pub share: Share,
    /// Where the files of the packages are that were asked for, by the packages' names.
    pub files: PackagePaths,
    /// Where it is memory; unmounted before the folder goes.
    scratch: Option<Scratch>,
    folder: WorkFolder,
    /// Where `folder` is.
    work: PathBuf,
}

/// Paths of files by the name of the package that has them.
pub type PackagePaths = BTreeMap<String, Vec<String>>;

/// Roots that are kept at most.
const KEPT_MAX: usize = 1000;
/// Memory that a root may take.
const MEMORY: u64 = 4 << 30;
/// Memory that must be available for a root to be made in memory at all: what it takes must not be missed.
const MEMORY_AVAILABLE: u64 = 6 << 30;

impl Root {
    /// Solves, installs and finalises into a new folder.
    pub fn install(
        workspace: &Workspace,
        image: &ResolvedImage,
        time: u64,
        preference: Preference,
        where_to: Staging,
        stages: &mut Stages,
    ) -> Result<Self> {
        let keyring =
            Keyring::from_bytes(workspace.signing_key()?.certificate()?.as_bytes()).or_fail(Kind::Trust)?;
        let (pool, shelves) = Shelves::open(workspace, &keyring, preference)?;
        let solution = resolve(&pool, image)?;
        stages.done("solve");

        let order = install_order(&pool, &solution);
        let files = files(&pool, &solution, &order, &shelves);
        let made = |id: &PackageId| (shelves.made(&pool, *id), pool.record(*id).size.installed);
        let share = Share::of(order.iter().map(made));
        let bar = workspace.terminal.bar("install", files.len() as u64);
        let trusted = keyring.at(at(time));
        let opened = open_packages(&files, Trust::Keyring(&trusted), &lazuli_transaction::Quiet)
            .or_fail(Kind::Trust)?;
        let packages = opened
            .iter()
            .zip(files.iter().zip(&order))
            .filter_map(|(package, (file, id))| {
                Some(Package {
                    made: shelves.made(&pool, *id),
                    ..Package::from_metadata(package.metadata(), file.sha256?)
                })
            })
            .collect();
        let paths = opened.iter().map(|package| package.metadata());
        let paths = package_paths(paths, &image.initrd.packages);
        stages.done("check packages");

        let work = workspace.out.join("work");
        let folder = WorkFolder::create(&work, "root-")?;
        let scratch = match where_to {
            Staging::Memory if memory_available() >= MEMORY_AVAILABLE => {
                Scratch::mount(folder.path(), MEMORY).ok()
            }
            _ => None,
        };
        let path = folder.path().join("root");
        let root = lazuli_transaction::Root::open_or_create(&path)?;
        let request = Request {
            install: opened,
            remove: Vec::new(),
            installed: &[],
            aliases: Aliases::default(),
            disk: &EmptyDisk,
            docs: Docs::Install,
        };
        let plan = Plan::new(request)?;
        let report = execute(
            &plan,
            &root,
            &Options::new(Clock::new(u32::try_from(time).or_fail(Kind::Project)?)),
        )?;
        bar.finish_and_clear();
        for note in &report.notes {
            workspace.terminal.note(format!("note: {note}"));
        }
        stages.done("install and finalise");
        Ok(Self {
            path,
            packages,
            share,
            files: paths,
            scratch,
            folder,
            work,
        })
    }

    /// Leaves the root there, under a name that no later run removes.
    pub fn keep(self) -> Result<PathBuf> {
        let target = (1..=KEPT_MAX)
            .map(|number| self.work.join(format!("kept-{number}")))
            .find(|target| !target.exists())
            .ok_or_else(|| {
                Failure::message(
                    Kind::Failed,
                    format!("{KEPT_MAX} roots are kept in {}", self.work.display()),
                )
                .hint("remove those that nobody needs")
            })?;
        self.folder.keep(&target)?;
        Ok(target.join("root"))
    }

    /// Removes the root.
    pub fn remove(self) -> Result<()> {
        drop(self.scratch);
        Ok(self.folder.close()?)
    }
}

/// The files of those packages that are named.
fn package_paths<'m>(packages: impl Iterator<Item = &'m Metadata>, named: &[PackageName]) -> PackagePaths {
    packages
        .filter(|metadata| named.iter().any(|name| name.as_str() == metadata.nevra.name))
        .map(|metadata| {
            let files = metadata.files.iter();
            let paths = files.map(|file| String::from_utf8_lossy(&file.path).into_owned());
            (metadata.nevra.name.clone(), paths.collect())
        })
        .collect()
}

/// Where a root is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staging {
    /// In memory, if there is plenty; else on the disk.
    Memory,
    /// On the disk, since it is to stay.
    Disk,
}

/// Bytes that processes can still get, as proc(5) has it; 0 if that is not known.
fn memory_available() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn resolve(pool: &Pool, image: &ResolvedImage) -> Result<Solution> {
    let names = image
        .packages
        .iter()
        .chain(image.kernel.as_ref().map(|kernel| &kernel.package));
    let job = Job {
        install: names
            .map(|name| Spec::parse(name.as_str()))
            .collect::<Result<_, _>>()
            .or_fail(Kind::Project)?,
        exclude: image
            .exclude_packages
            .iter()
            .map(|name| Spec::parse(name.as_str()))
            .collect::<Result<_, _>>()
            .or_fail(Kind::Project)?,
        weak: if image.recommends {
            Weak::Install
        } else {
            Weak::Ignore
        },
        ..Job::default()
    };
    solve(pool, &job).map_err(|problem| {
        Failure::message(Kind::Project, problem)
            .context(format!(
                "the packages of the image `{}` cannot be installed together",
                image.name
            ))
            .hint("add the missing component to distro/components, then run `lazuli component update`")
    })
}

fn files(pool: &Pool, solution: &Solution, order: &[PackageId], shelves: &Shelves) -> Vec<PackageFile> {
    let by_user = |id: PackageId| {
        solution
            .install
            .iter()
            .any(|step| step.package == id && matches!(step.reason, Reason::User(_)))
    };
    order
        .iter()
        .map(|id| {
            let id = *id;
            let record = pool.record(id);
            PackageFile {
                path: shelves.folder(pool, id).join(&record.location),
                sha256: record.checksum.as_sha256(),
                wanted: if by_user(id) {
                    Wanted::ByUser
                } else {
                    Wanted::AsDependency
                },
            }
        })
        .collect()
}
