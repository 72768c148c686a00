//! One package: from the bytes of a `.deb` to the metadata and contents of an RPM.

use std::collections::BTreeSet;
use std::io::Read as _;

use lazuli_deb::{
    Architecture, Changelog, Copyright, Deb, Limits, ScriptKind, Sha256Digest, TriggerDirection,
};
use lazuli_rpm::{
    BuiltPackage, ChangelogEntry, Compression, Dependency, Metadata, Nevra, PackageBuilder, Signer,
};
use sha2::{Digest as _, Sha256};

use crate::automatic::automatic;
use crate::emit;
use crate::error::ImportError;
use crate::license::{is_spdx, own_license, spdx_expression};
use crate::lint::{Finding, script_name};
use crate::origin::Origin;
use crate::paths::BASE_DIRECTORIES;
use crate::recognised::{FromScripts, declarations, merged};
use crate::relations::{Relations, map_relations};
use crate::scripts::{Action, Recognition, ScriptFacts, answers, recognise};
use crate::settings::{ImportSettings, Recognised};
use crate::tree::{Contents, Kind, Layout, Node, Tree, shown};
use crate::version::to_evr;

/// Raised whenever the same input gives another package: cached results of before are then worthless.
pub const IMPORTER_VERSION: u32 = 4;

/// The package that brings the directories and links of the layout.
const BASE_PACKAGE: &str = "base-files";

/// The largest changelog that is unpacked, in bytes.
const MAX_CHANGELOG: u64 = 16 << 20;

/// Users that every system has (base-passwd's tables, and systemd's basic.conf).
const BASE_USERS: [&str; 18] = [
    "root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "uucp", "proxy",
    "www-data", "backup", "list", "irc", "_apt", "nobody",
];

/// Groups that every system has.
const BASE_GROUPS: [&str; 40] = [
    "root", "daemon", "bin", "sys", "adm", "tty", "disk", "lp", "mail", "news", "uucp", "man", "proxy",
    "kmem", "dialout", "fax", "voice", "cdrom", "floppy", "tape", "sudo", "audio", "dip", "www-data",
    "backup", "operator", "list", "irc", "src", "shadow", "utmp", "video", "sasl", "plugdev", "staff",
    "games", "users", "nogroup", "_apt", "nobody",
];

/// A package on its way: everything but the signature and the payload.
#[derive(Debug, Clone)]
pub struct Imported {
    /// What the package says of itself.
    pub metadata: Metadata,
    /// What is in its files.
    pub contents: Contents,
    /// What was found on the way.
    pub report: ImportReport,
    pub(crate) compression: Compression,
}

/// What was found while a package was imported.
#[derive(Debug, Clone, Default)]
pub struct ImportReport {
    /// What was made of each script.
    pub scripts: Vec<Recognition>,
    /// What is wrong, or worth a look.
    pub findings: Vec<Finding>,
    /// What was left out, and why.
    pub notes: Vec<String>,
    /// System units that the package, or its declaration, wants enabled.
    pub enable_units: Vec<String>,
    /// System units that its declaration wants disabled.
    pub disable_units: Vec<String>,
    /// Units of every user's manager that the package wants enabled.
    pub user_units: Vec<String>,
    /// Finalisers that its scripts need: some package must declare them.
    pub finalisers: Vec<String>,
    /// Users that the package declares.
    pub users: Vec<String>,
    /// Groups that the package declares.
    pub groups: Vec<String>,
}

impl Imported {
    /// Builds the package, signed if there is a signer. The same input gives the same bytes.
    pub fn build(&self, signer: Option<&dyn Signer>) -> Result<BuiltPackage, ImportError> {
        let builder = PackageBuilder::new(self.metadata.clone()).compression(self.compression);
        Ok(builder.build(&self.contents, signer)?)
    }
}

/// Imports a package.
///
/// `deb` must be the very file that `origin` names: its digest is checked before anything is read.
pub fn import(deb: &[u8], origin: &Origin, settings: &ImportSettings) -> Result<Imported, ImportError> {
    let found = Sha256Digest::from_bytes(Sha256::digest(deb).into());
    if found != origin.sha256 {
        return Err(ImportError::Digest {
            expected: origin.sha256,
            found,
        });
    }
    let deb = Deb::parse(deb, Limits::default())?;
    let binary = deb.binary();
    if binary.name != origin.package || binary.version.as_str() != origin.version.as_str() {
        let named =
            |name: &dyn std::fmt::Display, version: &dyn std::fmt::Display| format!("{name} {version}");
        return Err(ImportError::OtherPackage {
            expected: named(&origin.package, &origin.version),
            found: named(&binary.name, &binary.version),
        });
    }
    Importer::new(&deb, origin, settings)?.run()
}

struct Importer<'a> {
    deb: &'a Deb<'a>,
    origin: &'a Origin,
    settings: &'a ImportSettings,
    layout: Layout,
    tree: Tree,
    time: u32,
    report: ImportReport,
}

impl<'a> Importer<'a> {
    fn new(deb: &'a Deb<'a>, origin: &'a Origin, settings: &'a ImportSettings) -> Result<Self, ImportError> {
        let base = deb.binary().name.as_str() == BASE_PACKAGE;
        let layout = if base { Layout::Brings } else { Layout::Finds };
        let mut tree = Tree::read(deb, layout, settings.latest_time)?;
        for conffile in deb.control().conffiles.iter().filter(|c| !c.remove_on_upgrade) {
            let mut path = vec![b'/'];
            path.extend_from_slice(conffile.path.as_bytes());
            let path = crate::paths::merged_bytes(&path).unwrap_or(path);
            if let Some(node) = tree
                .nodes
                .get_mut(&path)
                .filter(|n| matches!(n.kind, Kind::Regular { .. }))
            {
                node.config = true;
            }
        }
        if layout == Layout::Brings {
            tree.complete_layout(&deb.binary().architecture);
        }
        let time = tree
            .nodes
            .values()
            .map(|node| node.mtime)
            .max()
            .unwrap_or_default();
        Ok(Self {
            deb,
            origin,
            settings,
            layout,
            tree,
            time,
            report: ImportReport::default(),
        })
    }

    fn run(mut self) -> Result<Imported, ImportError> {
        let changelog = self.changelog();
        let license = self.license()?;
        let found = self.scripts();
        self.declare(found)?;
        self.exclude()?;
        let binary = self.deb.binary();
        let mut relations = map_relations(binary, self.settings)?;
        self.report.notes.append(&mut relations.notes);
        self.automatic_relations(&mut relations);
        let mut metadata = self.metadata(license, changelog, relations)?;
        let (entries, contents) = std::mem::take(&mut self.tree).into_entries();
        metadata.files = entries;
        self.check_files(&metadata);
        let compression = Compression::Zstd {
            level: self.settings.compression_level,
        };
        Ok(Imported {
            metadata,
            contents,
            report: self.report,
            compression,
        })
    }

    /// The name of the package that is made.
    fn name(&self) -> String {
        let own = || self.deb.binary().name.to_string();
        self.settings.name.clone().unwrap_or_else(own)
    }

    /// The newest entries of the package's changelog.
    fn changelog(&self) -> Vec<ChangelogEntry> {
        let folder = format!("/usr/share/doc/{}", self.deb.binary().name);
        let names = [
            "changelog.Debian.gz",
            "changelog.gz",
            "changelog.Debian",
            "changelog",
        ];
        let packed = names
            .iter()
            .find_map(|name| self.tree.get(&format!("{folder}/{name}"))?.content());
        let Some(packed) = packed else { return Vec::new() };
        let mut text = Vec::new();
        let read = match packed {
            [0x1f, 0x8b, ..] => flate2::read::MultiGzDecoder::new(packed)
                .take(MAX_CHANGELOG)
                .read_to_end(&mut text),
            plain => plain.take(MAX_CHANGELOG).read_to_end(&mut text),
        };
        if read.is_err() {
            return Vec::new();
        }
        let parsed = Changelog::parse(&text, self.settings.changelog_entries);
        let entries = parsed.entries.into_iter().filter_map(|entry| {
            let evr = to_evr(&entry.version).ok()?;
            Some(ChangelogEntry {
                time: u32::try_from(entry.time.max(0)).ok()?,
                author: format!("{} - {evr}", entry.maintainer),
                text: entry.text,
            })
        });
        entries.collect()
    }

    fn license(&mut self) -> Result<String, ImportError> {
        if let Some(license) = &self.settings.license {
            return if is_spdx(license) {
                Ok(license.clone())
            } else {
                Err(ImportError::License {
                    license: license.clone(),
                })
            };
        }
        let path = format!("/usr/share/doc/{}/copyright", self.deb.binary().name);
        let text = self
            .tree
            .get(&path)
            .and_then(Node::content)
            .map(String::from_utf8_lossy);
        let reason = match text {
            None => "the package has no copyright file of its own".to_owned(),
            Some(text) => match Copyright::parse(&text) {
                Ok(copyright) => match spdx_expression(&copyright) {
                    Some(license) if is_spdx(&license) => return Ok(license),
                    _ => "its copyright file names none".to_owned(),
                },
                Err(error) => error.to_string(),
            },
        };
        self.report.findings.push(Finding::UnknownLicense { reason });
        Ok(own_license(self.deb.binary().source_name.as_str()))
    }

    /// Reads the maintainer scripts, in the order in which dpkg would run them.
    fn scripts(&mut self) -> FromScripts {
        let control = self.deb.control();
        let interests = control
            .triggers
            .iter()
            .filter(|t| t.direction == TriggerDirection::Interest);
        let mut facts = ScriptFacts {
            package: control.binary.name.to_string(),
            architecture: control.binary.architecture.to_string(),
            files: self.tree.known_files(),
            answers: control
                .others
                .get("templates")
                .map(|t| answers(t))
                .unwrap_or_default(),
            interests: interests.map(|t| t.name.clone()).collect(),
            made: Vec::new(),
        };
        let order = [
            ScriptKind::Config,
            ScriptKind::Preinst,
            ScriptKind::Postinst,
            ScriptKind::Prerm,
            ScriptKind::Postrm,
        ];
        for kind in order {
            let Some(script) = control.scripts.get(&kind) else {
                continue;
            };
            let recognition = recognise(kind, script, &facts);
            facts
                .made
                .extend(recognition.actions().filter_map(made_path).map(str::to_owned));
            self.review(&recognition, script);
            self.report.scripts.push(recognition);
        }
        for review in &self.settings.reviewed {
            let there = review.script.is_some_and(|kind| {
                control
                    .scripts
                    .get(&kind)
                    .is_some_and(|script| review.covers(kind, &digest(script)))
            });
            if !there {
                let script = script_name(review.script);
                let sha256 = review.sha256.clone();
                self.report
                    .findings
                    .push(Finding::LapsedReview { script, sha256 });
            }
        }
        let actions = self.report.scripts.iter().flat_map(Recognition::actions);
        declarations(actions, &self.tree)
    }

    fn review(&mut self, recognition: &Recognition, script: &[u8]) {
        let kind = recognition.kind;
        let sha256 = digest(script);
        let reviewed = self
            .settings
            .reviewed
            .iter()
            .any(|review| review.covers(kind, &sha256));
        let statements: Vec<_> = recognition.unknown().cloned().collect();
        let script = script_name(Some(kind));
        match (statements.is_empty(), reviewed) {
            (false, false) => self.report.findings.push(Finding::UnknownScript {
                script,
                sha256,
                statements,
            }),
            (true, true) => self.report.findings.push(Finding::NeedlessReview { script }),
            _ => {}
        }
    }

    /// Turns declarations into files.
    fn declare(&mut self, found: FromScripts) -> Result<(), ImportError> {
        let FromScripts {
            mut declarations,
            user_units,
            finalisers,
            notes,
        } = found;
        let excluded = emit::globs(&self.settings.exclude_files)?;
        let kept = emit::globs(&self.settings.keep_files)?;
        let path_of = |line: &String| line.split_whitespace().nth(1).unwrap_or_default().to_owned();
        declarations.tmpfiles.retain(|line| {
            let path = path_of(line);
            !excluded.is_match(&path) || kept.is_match(&path)
        });
        declarations
            .attributes
            .retain(|a| !excluded.is_match(&a.path) || kept.is_match(&a.path));
        let found = match self.settings.recognised {
            Recognised::Declare => declarations,
            Recognised::ReportOnly => Default::default(),
        };
        let all = merged(&self.settings.declare, found);
        emit::fix_ids(&mut self.tree, self.settings, &mut self.report.findings);
        let package = self.name();
        emit::apply(
            &all,
            &mut self.tree,
            &package,
            self.time,
            self.settings,
            &mut self.report.findings,
        )?;
        for link in emit::shadowed_links(&all, &self.tree) {
            self.report.findings.push(Finding::ShadowedLink { link });
        }
        if let Some(known) = &self.settings.finalisers {
            for name in finalisers.iter().filter(|name| !known.contains(*name)) {
                self.report
                    .findings
                    .push(Finding::NoFinaliser { name: name.clone() });
            }
        }
        self.report.notes.extend(notes);
        self.report.enable_units.clone_from(&all.enable_units);
        self.report.disable_units.clone_from(&all.disable_units);
        self.report.users = all.users.iter().map(|u| u.name.clone()).collect();
        self.report.groups = all.groups.iter().map(|g| g.name.clone()).collect();
        self.report.user_units = user_units;
        self.report.finalisers = finalisers;
        Ok(())
    }

    /// Leaves out what is not wanted, and directories that the base package has.
    fn exclude(&mut self) -> Result<(), ImportError> {
        let settings = self.settings;
        let excluded = emit::globs(settings.exclude_files.iter().chain(&settings.declare.remove))?;
        let kept = emit::globs(&settings.keep_files)?;
        let by_hand: BTreeSet<&str> = settings
            .declare
            .files
            .iter()
            .map(|f| f.path.as_str())
            .chain(settings.declare.directories.iter().map(|d| d.path.as_str()))
            .chain(settings.declare.symlinks.iter().map(|l| l.path.as_str()))
            .collect();
        self.tree.retain(|path, _| {
            // A name that is no UTF-8 is matched by how it prints.
            let path = String::from_utf8_lossy(path);
            !excluded.is_match(&*path) || kept.is_match(&*path) || by_hand.contains(&*path)
        });
        if self.layout == Layout::Finds {
            let base = |path: &[u8]| {
                BASE_DIRECTORIES.iter().any(|d| d.as_bytes() == path)
                    || settings.base_directories.iter().any(|d| d.as_bytes() == path)
            };
            let declared = |path: &[u8]| std::str::from_utf8(path).is_ok_and(|p| by_hand.contains(p));
            self.tree
                .nodes
                .retain(|path, node| !node.is_plain_directory() || !base(path) || declared(path));
        }
        // The root itself is nobody's.
        self.tree.nodes.remove(b"/".as_slice());
        Ok(())
    }

    /// What is read from the files: sonames, interpreters.
    fn automatic_relations(&mut self, relations: &mut Relations) {
        let found = automatic(&self.tree, &mut self.report.findings);
        let dropped = |name: &str| {
            self.settings
                .drop_requires
                .iter()
                .any(|pattern| crate::scripts::matches(pattern, name))
        };
        relations.provides.extend(found.provides.iter().cloned());
        relations.requires.extend(
            found
                .requires
                .into_iter()
                .filter(|require| !dropped(&require.name)),
        );
        // What the package provides itself, it need not require.
        let own: BTreeSet<&str> = found.provides.iter().map(|p| p.name.as_str()).collect();
        relations
            .requires
            .retain(|require| !own.contains(require.name.as_str()));
        let named: BTreeSet<(String, String)> = relations
            .requires
            .iter()
            .map(|r| (r.name.clone(), r.to_string()))
            .collect();
        relations
            .recommends
            .retain(|r| !named.contains(&(r.name.clone(), r.to_string())));
    }

    fn metadata(
        &self,
        license: String,
        changelog: Vec<ChangelogEntry>,
        relations: Relations,
    ) -> Result<Metadata, ImportError> {
        let binary = self.deb.binary();
        let settings = self.settings;
        let arch = rpm_architecture(&binary.architecture)?;
        let source = to_evr(&binary.source_version)?;
        let vendor: String = settings
            .vendor
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        let vendor = if vendor.is_empty() {
            "unknown"
        } else {
            vendor.as_str()
        };
        let or = |text: &str, default: &str| {
            if text.is_empty() {
                default.to_owned()
            } else {
                text.to_owned()
            }
        };
        Ok(Metadata {
            nevra: Nevra {
                name: self.name(),
                evr: to_evr(&binary.version)?,
                arch: arch.to_owned(),
            },
            summary: or(&binary.synopsis, binary.name.as_str()),
            description: or(&binary.description, &binary.synopsis),
            license,
            url: binary.homepage.clone().unwrap_or_default(),
            vendor: settings.vendor.clone(),
            packager: settings.packager.clone(),
            group: "Unspecified".to_owned(),
            distribution: settings.distribution.clone(),
            build_time: self.time,
            build_host: settings.build_host.clone(),
            source_rpm: Some(format!(
                "{}-{}-{}.src.rpm",
                binary.source_name, source.version, source.release
            )),
            vcs: self.origin.to_string(),
            os: "linux".to_owned(),
            platform: format!("{arch}-{vendor}-linux-gnu"),
            requires: relations.requires,
            provides: relations.provides,
            conflicts: relations.conflicts,
            obsoletes: relations.obsoletes,
            recommends: relations.recommends,
            suggests: relations.suggests,
            supplements: Vec::<Dependency>::new(),
            enhances: relations.enhances,
            files: Vec::new(),
            changelog,
            scriptlets: Vec::new(),
        })
    }

    /// Looks at owners and privileges.
    fn check_files(&mut self, metadata: &Metadata) {
        let declared = |list: &[String], name: &str| list.iter().any(|n| n == name);
        let settings = self.settings;
        for ((is_user, name), path) in emit::owners(&metadata.files) {
            let known = if is_user {
                BASE_USERS.contains(&name.as_str())
                    || settings.user_ids.contains_key(&name)
                    || declared(&self.report.users, &name)
            } else {
                // A user brings a group of its own name.
                BASE_GROUPS.contains(&name.as_str())
                    || settings.group_ids.contains_key(&name)
                    || settings.user_ids.contains_key(&name)
                    || declared(&self.report.groups, &name)
                    || declared(&self.report.users, &name)
            };
            if !known {
                let what = if is_user { "user" } else { "group" };
                self.report
                    .findings
                    .push(Finding::UnknownOwner { path, what, name });
            }
        }
        for file in &metadata.files {
            let regular = file.mode & 0o170_000 == 0o100_000;
            let mut what = Vec::new();
            if regular && file.mode & 0o4000 != 0 {
                what.push(format!("setuid {}", file.user));
            }
            if regular && file.mode & 0o2000 != 0 {
                what.push(format!("setgid {}", file.group));
            }
            if !file.capabilities.is_empty() {
                what.push(file.capabilities.clone());
            }
            if !what.is_empty() {
                let finding = Finding::Privileged {
                    path: shown(&file.path),
                    what: what.join(", "),
                };
                self.report.findings.push(finding);
            }
        }
    }
}

/// What an action makes, for scripts that run later.
fn made_path(action: &Action) -> Option<&str> {
    match action {
        Action::Directory { path, .. }
        | Action::Touch { path, .. }
        | Action::CopyFile { path, .. }
        | Action::WriteFile { path, .. } => Some(path),
        Action::Symlink(link) => Some(&link.path),
        _ => None,
    }
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// rpm's name of a Debian architecture.
fn rpm_architecture(architecture: &Architecture) -> Result<&'static str, ImportError> {
    Ok(match architecture.as_str() {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "all" => "noarch",
        "i386" => "i686",
        "armhf" => "armv7hl",
        "ppc64el" => "ppc64le",
        "riscv64" => "riscv64",
        "s390x" => "s390x",
        name => {
            return Err(ImportError::Architecture {
                name: name.to_owned(),
            });
        }
    })
}
