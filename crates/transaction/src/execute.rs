//! Doing what a plan says.
//!
//! | step | what | if it fails |
//! |---|---|---|
//! | 1 | rpm's lock; what cannot be done is refused | nothing was changed |
//! | 2 | users and groups that packages declare | there may be unused users |
//! | 3 | files, in parallel; with scriptlets of foreign packages in between | what was laid whole is in the database |
//! | 4 | removals | the same |
//! | 5 | the rpm database, as one change | |
//! | 6 | alternatives, presets, finalisers | packages are installed; the step can be repeated |
//! | 7 | times, and one sync of the file system | |

use crate::accounts::{Declared, Ids};
use crate::alternatives::Alternatives;
use crate::lay::{Layer, MadeFolders};
use crate::package::VerifiedPackage;
use crate::plan::{Action, Install, Plan, Removal};
use crate::presets::UnitChanges;
use crate::rpmdb::{Addition, RpmDatabase};
use crate::scriptlet::Runner;
use crate::{Clock, Finalisers, Options, Root, Stage, Step, TransactionError, Wanted};
use lazuli_rpm::{FileState, InstallFacts, Package, ScriptletKind, installed_header};
use rayon::prelude::*;
use std::collections::{BTreeSet, HashSet};
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Packages that were laid.
    pub installed: usize,
    /// Packages that went.
    pub removed: usize,
    /// Finalisers that ran.
    pub finalisers: Vec<String>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Executes a plan. Which packages, files and versions is decided; what is left is to do it.
pub fn execute(plan: &Plan, root: &Root, options: &Options<'_>) -> Result<Report, TransactionError> {
    let runner = Runner {
        root,
        policy: options.scriptlets,
        timeout: options.timeout,
    };
    for install in &plan.installs {
        runner.check(&install.package.metadata)?;
    }
    for removal in &plan.removals {
        runner.check(&removal.package.metadata)?;
    }
    let was_empty = root.list(b"")?.is_empty();
    let mut database = RpmDatabase::open(root, options.clock)?;
    if !database.is_as_planned(root, &plan.based_on)? {
        return Err(TransactionError::Outdated);
    }
    let alternatives = Alternatives::of_root(root)?;
    options.journal.reached(Stage::Planned)?;
    let mut work = Work {
        plan,
        root,
        options,
        runner,
        notes: plan.notes.iter().cloned().collect(),
        laid: 0,
        removed: Vec::new(),
        folders: MadeFolders::default(),
        touched: BTreeSet::new(),
    };
    let changed = work.change_files();
    // Even after a failure: what is there must not be unknown.
    let recorded = work.record(&mut database);
    changed?;
    recorded?;
    database.close(root, options.clock)?;
    options.journal.reached(Stage::Database)?;
    let finalisers = work.finish(&alternatives)?;
    work.settle_times(was_empty)?;
    root.sync()?;
    options.journal.reached(Stage::Finished)?;
    Ok(Report {
        installed: work.laid,
        removed: plan.removals.iter().filter(|removal| !removal.replaced).count(),
        finalisers,
        notes: work.notes.into_iter().collect(),
    })
}

struct Work<'a> {
    plan: &'a Plan,
    root: &'a Root,
    options: &'a Options<'a>,
    runner: Runner<'a>,
    notes: BTreeSet<String>,
    /// How many of the plan's installs are laid, in their order.
    laid: usize,
    /// Positions of removals that are done.
    removed: Vec<usize>,
    folders: MadeFolders,
    /// Real paths that changed.
    touched: BTreeSet<Vec<u8>>,
}

impl Work<'_> {
    fn change_files(&mut self) -> Result<(), TransactionError> {
        let plan = self.plan;
        for install in &plan.installs {
            self.script(
                &install.package.metadata,
                ScriptletKind::PreTrans,
                install.instances,
            )?;
        }
        self.options.progress.advanced(Step::Accounts, 0, 1);
        let declared = declared_users(plan)?;
        crate::accounts::apply(self.root, &declared, self.options.clock)?;
        self.options.progress.advanced(Step::Accounts, 1, 1);
        self.options.journal.reached(Stage::Accounts)?;
        self.lay()?;
        self.options.journal.reached(Stage::Files)?;
        self.remove()?;
        self.options.journal.reached(Stage::Removals)
    }

    fn script(
        &mut self,
        metadata: &lazuli_rpm::Metadata,
        kind: ScriptletKind,
        instances: usize,
    ) -> Result<(), TransactionError> {
        let note = self.runner.run(metadata, kind, instances)?;
        self.notes.extend(note);
        Ok(())
    }

    /// Lays all packages: in batches, which end where a foreign package wants to run something.
    fn lay(&mut self) -> Result<(), TransactionError> {
        let plan = self.plan;
        let total = plan
            .installs
            .iter()
            .map(|install| install.package.file_size)
            .sum();
        let done = AtomicU64::new(0);
        let mut batch: Vec<&Install> = Vec::new();
        for install in &plan.installs {
            let metadata = &install.package.metadata;
            if self.runner.has(metadata, ScriptletKind::Pre) {
                self.lay_batch(&mut batch, &done, total)?;
                self.script(metadata, ScriptletKind::Pre, install.instances)?;
            }
            batch.push(install);
            if self.runner.has(metadata, ScriptletKind::Post) {
                self.lay_batch(&mut batch, &done, total)?;
                self.script(metadata, ScriptletKind::Post, install.instances)?;
            }
        }
        self.lay_batch(&mut batch, &done, total)
    }

    fn lay_batch(
        &mut self,
        batch: &mut Vec<&Install>,
        done: &AtomicU64,
        total: u64,
    ) -> Result<(), TransactionError> {
        if batch.is_empty() {
            return Ok(());
        }
        let notes = Mutex::new(BTreeSet::new());
        let layer = Layer {
            root: self.root,
            plan: self.plan,
            // Anew for each batch: scriptlets make users too.
            ids: Ids::of_root(self.root)?,
            progress: self.options.progress,
            done,
            total,
            notes: &notes,
        };
        let made = layer.directories(batch)?;
        layer.files(batch)?;
        self.folders.owned.extend(made.owned);
        self.folders.implicit.extend(made.implicit);
        self.notes.extend(notes.into_inner().unwrap_or_default());
        for install in batch.drain(..) {
            self.laid += 1;
            let files = install.package.metadata.files.iter().zip(&install.actions);
            let changed = files
                .filter(|(_, action)| !matches!(action, Action::Keep | Action::LeaveOut | Action::Ghost));
            self.touched
                .extend(changed.map(|(file, _)| self.plan.aliases.resolve(&file.path).into_owned()));
            for (file, action) in install.package.metadata.files.iter().zip(&install.actions) {
                if let Action::WriteBeside(ending) = action {
                    let path = crate::root::text(&file.path);
                    self.notes.insert(format!(
                        "{path} was changed and stays; the new one is {path}{ending}"
                    ));
                } else if let Action::SaveAndWrite(ending) = action {
                    let path = crate::root::text(&file.path);
                    self.notes
                        .insert(format!("{path} was changed; it is kept as {path}{ending}"));
                }
            }
        }
        Ok(())
    }

    fn remove(&mut self) -> Result<(), TransactionError> {
        let plan = self.plan;
        for (position, removal) in plan.removals.iter().enumerate() {
            let metadata = &removal.package.metadata;
            // Of a package that goes none of its own may be left; of one that is replaced, its successor.
            self.script(metadata, ScriptletKind::PreUn, removal.instances)?;
            let gone = crate::remove::remove(self.root, removal, &mut self.notes)?;
            self.touched.extend(gone);
            self.removed.push(position);
            self.script(metadata, ScriptletKind::PostUn, removal.instances)?;
            self.options
                .progress
                .advanced(Step::Remove, position + 1, plan.removals.len());
        }
        Ok(())
    }

    /// Writes into the rpm database what was done.
    fn record(&self, database: &mut RpmDatabase) -> Result<(), TransactionError> {
        self.options.progress.advanced(Step::Database, 0, 1);
        let plan = self.plan;
        let laid: Vec<&Install> = plan.installs.iter().take(self.laid).collect();
        let mut gone: BTreeSet<usize> = self.removed.iter().copied().collect();
        // Its files are replaced even if the removal did not come to it.
        gone.extend(laid.iter().flat_map(|install| install.replaces.iter().copied()));
        let numbers: Vec<u32> = gone
            .iter()
            .filter_map(|at| plan.removals.get(*at))
            .map(|removal| removal.package.number)
            .collect();
        let additions: Vec<Addition> = laid
            .par_iter()
            .map(|install| addition(install, self.options.clock))
            .collect::<Result<_, _>>()?;
        database.apply(&numbers, &additions)?;
        let removed: Vec<&Removal> = gone.iter().filter_map(|at| plan.removals.get(*at)).collect();
        record_automatic(self.root, &laid, &removed, self.options.clock)?;
        self.options.progress.advanced(Step::Database, 1, 1);
        Ok(())
    }

    /// Alternatives, presets, finalisers and the last scriptlets.
    fn finish(&mut self, before: &Alternatives) -> Result<Vec<String>, TransactionError> {
        let plan = self.plan;
        let clock = self.options.clock;
        let alternatives = crate::alternatives::FOLDER.as_bytes();
        if self.touched.iter().any(|path| path.starts_with(alternatives)) {
            let changed = crate::alternatives::apply(self.root, before, clock, &mut self.notes)?;
            self.touched.extend(changed);
        }
        let changed = crate::presets::apply(self.root, &unit_changes(plan), clock)?;
        self.touched.extend(changed);
        let mut ran = Vec::new();
        if self.options.finalisers == Finalisers::Run {
            let done = crate::finaliser::run(
                self.root,
                &mut self.touched,
                clock,
                self.options.timeout,
                self.options.progress,
            )?;
            self.notes.extend(done.notes);
            ran = done.ran;
        }
        for install in &plan.installs {
            self.script(
                &install.package.metadata,
                ScriptletKind::PostTrans,
                install.instances,
            )?;
        }
        Ok(ran)
    }

    /// Gives folders the time that their packages say, and all that was made by the way the time of the transaction.
    ///
    /// The latter only in a root that was empty: elsewhere, what is new need not be ours.
    fn settle_times(&self, was_empty: bool) -> Result<(), TransactionError> {
        if was_empty {
            let files = self
                .plan
                .installs
                .iter()
                .flat_map(|install| &install.package.metadata.files);
            let newest = files.map(|file| file.mtime).max().unwrap_or_default();
            crate::settle::clamp(
                self.root,
                newest.max(self.options.clock.seconds()),
                self.options.clock,
            )?;
        }
        for path in &self.folders.implicit {
            self.root.set_time(path, self.options.clock.seconds())?;
        }
        for (path, mtime) in &self.folders.owned {
            self.root.set_time(path, *mtime)?;
        }
        Ok(())
    }
}

/// `%_transaction_color` of rpm on 64-bit machines: ELF files of both classes are welcome.
const INSTALL_COLOR: u32 = 3;

fn addition(install: &Install, clock: Clock) -> Result<Addition, TransactionError> {
    let package = &install.package;
    let state = |action: &Action| match action {
        Action::LeaveOut => FileState::NotInstalled,
        _ => FileState::Normal,
    };
    let facts = InstallFacts {
        install_time: clock.seconds(),
        install_tid: clock.seconds(),
        install_color: INSTALL_COLOR,
        file_states: install.actions.iter().map(state).collect(),
    };
    let blob = installed_header(&package.signature, &package.header, &facts).map_err(|source| {
        TransactionError::InstalledHeader {
            package: package.name(),
            source,
        }
    })?;
    Ok(Addition {
        package: package.name(),
        blob,
    })
}

/// Where the names of packages are kept that were installed as dependencies only, one a line, sorted.
const AUTOMATIC: &str = "/usr/lib/sysimage/lz/automatic";

/// Names of installed packages that were installed as dependencies only.
pub fn read_automatic(root: &Root) -> Result<BTreeSet<String>, TransactionError> {
    let text = root.read_text(AUTOMATIC)?.unwrap_or_default();
    Ok(text
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}

fn record_automatic(
    root: &Root,
    laid: &[&Install],
    removed: &[&Removal],
    clock: Clock,
) -> Result<(), TransactionError> {
    let before = read_automatic(root)?;
    let mut names = before.clone();
    let stays: HashSet<&str> = laid
        .iter()
        .map(|install| install.package.metadata.nevra.name.as_str())
        .collect();
    for removal in removed {
        if !stays.contains(removal.package.metadata.nevra.name.as_str()) {
            names.remove(&removal.package.metadata.nevra.name);
        }
    }
    for install in laid {
        let name = &install.package.metadata.nevra.name;
        match install.package.wanted {
            // An upgrade does not change why a package is there, unless the user names it.
            Wanted::AsDependency if install.replaces.is_empty() => {
                names.insert(name.clone());
            }
            Wanted::AsDependency => {}
            Wanted::ByUser => {
                names.remove(name);
            }
        }
    }
    if names == before {
        return Ok(());
    }
    for made in root.ensure_folder(crate::root::split(AUTOMATIC.as_bytes()).0)? {
        root.set_time(&made, clock.seconds())?;
    }
    let text: String = names.iter().flat_map(|name| [name.as_str(), "\n"]).collect();
    root.write(
        AUTOMATIC.as_bytes(),
        text.as_bytes(),
        crate::root::Attributes::plain(clock.seconds()),
    )
}

/// Users and groups that packages to lay declare: the content of their sysusers.d files.
fn declared_users(plan: &Plan) -> Result<Declared, TransactionError> {
    let found: Vec<Declared> = plan
        .installs
        .par_iter()
        .map(|install| {
            let wanted: HashSet<usize> = install
                .package
                .metadata
                .files
                .iter()
                .enumerate()
                .filter(|(_, file)| file.is_regular() && !file.is_ghost())
                .filter(|(_, file)| plan.aliases.resolve(&file.path).ends_with(b".conf"))
                .filter(|(_, file)| is_declaration(&plan.aliases.resolve(&file.path)))
                .map(|(at, _)| at)
                .collect();
            if wanted.is_empty() {
                Ok(Declared::new())
            } else {
                read_files(&install.package, wanted)
            }
        })
        .collect::<Result<_, TransactionError>>()?;
    Ok(found.into_iter().flatten().collect())
}

fn is_declaration(path: &[u8]) -> bool {
    path.starts_with(b"/usr/lib/sysusers.d/") || path.starts_with(b"/etc/sysusers.d/")
}

/// Declarations are shorter than this.
const MAX_DECLARATION: u64 = 1 << 20;

/// Reads some files of a package's payload, as text.
fn read_files(package: &VerifiedPackage, mut wanted: HashSet<usize>) -> Result<Declared, TransactionError> {
    let bytes = crate::package::read(&package.path)?;
    let refuse = |source| TransactionError::Package {
        file: package.path.clone(),
        source,
    };
    let parsed = Package::parse(&bytes).map_err(refuse)?;
    let mut payload = parsed.payload(&package.metadata).map_err(refuse)?;
    let mut found = Declared::new();
    while let Some(mut entry) = payload.next_entry().map_err(refuse)? {
        let names: Vec<usize> = std::iter::once(entry.index())
            .chain(entry.links().iter().copied())
            .collect();
        let names: Vec<usize> = names.into_iter().filter(|at| wanted.remove(at)).collect();
        if names.is_empty() || entry.size() > MAX_DECLARATION {
            continue;
        }
        let text = String::from_utf8_lossy(&entry.read_content().map_err(refuse)?).into_owned();
        for file in names.iter().filter_map(|at| package.metadata.files.get(*at)) {
            found.insert(crate::root::text(&file.path), text.clone());
        }
        if wanted.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// Units that come for the first time, and those that go for good.
fn unit_changes(plan: &Plan) -> UnitChanges {
    let paths = |metadata: &lazuli_rpm::Metadata| -> Vec<String> {
        let real = metadata.files.iter().map(|file| plan.aliases.resolve(&file.path));
        real.filter(|path| path.starts_with(b"/usr/lib/systemd/"))
            .map(|path| crate::root::text(&path))
            .collect()
    };
    let laid: BTreeSet<String> = plan
        .installs
        .iter()
        .flat_map(|i| paths(&i.package.metadata))
        .collect();
    let gone: BTreeSet<String> = plan
        .removals
        .iter()
        .flat_map(|r| paths(&r.package.metadata))
        .collect();
    UnitChanges {
        new: laid.difference(&gone).cloned().collect(),
        gone: gone.difference(&laid).cloned().collect(),
    }
}
