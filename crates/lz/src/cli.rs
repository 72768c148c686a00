//! The command line. One declaration makes the parser, the help, the completions and the man page.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// What the exit codes mean, for help and man page.
const EXIT_CODES: &str = "Exit codes:\n  \
    0  done, or nothing to do\n  \
    1  the request cannot be fulfilled or was declined, or a check found something\n  \
    2  the command line is wrong\n  \
    3  a configuration file is wrong\n  \
    4  the machine lacks something: a right, room, the network\n  \
    5  a signature or digest is not good; nothing of it was used";

/// The package manager of Lazuli.
#[derive(Debug, Parser)]
#[command(name = "lz", version, about, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// Where it goes to a terminal
    Auto,
    /// In any case
    Always,
    /// Not at all
    Never,
}

/// Options of all commands.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of all commands")]
pub(crate) struct Global {
    /// Work on the root in this folder, as an ordinary user too
    #[arg(long, global = true, value_name = "DIR", default_value = "/")]
    pub(crate) root: PathBuf,
    /// Add a repository: a folder or a URL
    #[arg(long, global = true, value_name = "NAME=DIR|URL")]
    pub(crate) repo_path: Vec<String>,
    /// Read repository files (*.repo) from this folder [default: /etc/yum.repos.d of the root, or else of this machine]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) repos_dir: Option<PathBuf>,
    /// Use only repositories of these names (*, ? and […] stand for others)
    #[arg(long, global = true, value_name = "NAME", value_delimiter = ',')]
    pub(crate) repo: Vec<String>,
    /// Key files that check the repositories added with --repo-path, and package files
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) gpg_key: Vec<PathBuf>,
    /// Check no signatures; the way to the packages must be trusted
    #[arg(long, global = true)]
    pub(crate) no_gpg_checks: bool,
    /// Print facts as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Answer yes to all questions
    #[arg(long, short = 'y', global = true)]
    pub(crate) assume_yes: bool,
    /// Do all but the change itself
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    /// Leave recommended packages out
    #[arg(long, global = true)]
    pub(crate) no_weak_deps: bool,
    /// Do not run scriptlets of foreign packages
    #[arg(long, global = true)]
    pub(crate) no_scripts: bool,
    /// Leave documentation out
    #[arg(long, global = true)]
    pub(crate) no_docs: bool,
    /// Fetch metadata even if what is in the cache is fresh
    #[arg(long, global = true, conflicts_with = "cache_only")]
    pub(crate) refresh: bool,
    /// Fetch no metadata; what is in the cache has to do
    #[arg(long, short = 'C', global = true)]
    pub(crate) cache_only: bool,
    /// Keep fetched metadata and packages in this folder [default: /var/cache/lz, or the user's cache folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// What $releasever stands for [default: VERSION_ID of the root's os-release]
    #[arg(long, global = true, value_name = "VERSION")]
    pub(crate) releasever: Option<String>,
    /// Architecture of the root [default: this machine's]
    #[arg(long, global = true, value_name = "ARCH")]
    pub(crate) arch: Option<String>,
    /// Colour the output
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// Say less
    #[arg(long, short = 'q', global = true)]
    pub(crate) quiet: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Install packages, with what they need
    #[command(visible_alias = "in")]
    Install(Specs),
    /// Remove packages, with what needs them
    #[command(visible_alias = "rm")]
    Remove(Removal),
    /// Bring packages to their newest version
    #[command(visible_alias = "up")]
    Upgrade(MaybeSpecs),
    /// Put installed packages down again, in the same version
    Reinstall(Specs),
    /// List packages
    List(List),
    /// Show what is known of packages
    Info(Info),
    /// Find packages by words in name and summary
    Search(Search),
    /// Find packages that have a file or provide a capability
    Provides(Provides),
    /// Ask for details of packages
    Repoquery(Repoquery),
    /// Compare installed files with what was laid
    Verify(MaybeSpecs),
    /// Check the database and the dependencies of what is installed
    Check,
    /// Fetch the metadata of all repositories
    Makecache,
    /// Remove what was fetched
    Clean(Clean),
    /// Show past transactions (not there yet)
    History,
    /// Print a script that completes commands in a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write man pages into a folder
    Man {
        /// The folder; it is made if it is not there
        dir: PathBuf,
    },
}

/// Packages that must be named.
#[derive(Debug, Args)]
pub(crate) struct Specs {
    /// name, name.arch, name-version, 'name >= version', /path, capability, pattern, or file.rpm
    #[arg(required = true, value_name = "PACKAGE")]
    pub(crate) specs: Vec<String>,
}

/// Packages that may be named.
#[derive(Debug, Args)]
pub(crate) struct MaybeSpecs {
    /// Packages; all if none is named
    #[arg(value_name = "PACKAGE")]
    pub(crate) specs: Vec<String>,
}

/// What to remove.
#[derive(Debug, Args)]
pub(crate) struct Removal {
    /// Packages to remove
    #[arg(required_unless_present = "unneeded", value_name = "PACKAGE")]
    pub(crate) specs: Vec<String>,
    /// Remove too what was installed as a dependency and is needed no more
    #[arg(long)]
    pub(crate) unneeded: bool,
}

/// Which packages are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    /// What is installed
    Installed,
    /// What could be installed
    Available,
    /// What could be upgraded
    Upgrades,
}

/// What to list.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Which packages
    #[arg(value_enum, default_value_t = Which::Installed)]
    pub(crate) which: Which,
    /// Only names like these
    #[arg(value_name = "PATTERN")]
    pub(crate) patterns: Vec<String>,
}

/// What to show.
#[derive(Debug, Args)]
pub(crate) struct Info {
    /// Packages
    #[arg(required = true, value_name = "PACKAGE")]
    pub(crate) specs: Vec<String>,
    /// Only what is installed
    #[arg(long)]
    pub(crate) installed: bool,
}

/// What to search for.
#[derive(Debug, Args)]
pub(crate) struct Search {
    /// Words; all must be there
    #[arg(required = true, value_name = "WORD")]
    pub(crate) words: Vec<String>,
}

/// Who has what.
#[derive(Debug, Args)]
pub(crate) struct Provides {
    /// Paths or capabilities
    #[arg(required = true, value_name = "WHAT")]
    pub(crate) what: Vec<String>,
}

/// What to ask for.
#[derive(Debug, Args)]
pub(crate) struct Repoquery {
    /// Packages; all if none is named
    #[arg(value_name = "PACKAGE")]
    pub(crate) specs: Vec<String>,
    /// Among what is installed
    #[arg(long)]
    pub(crate) installed: bool,
    /// Only the newest of each name
    #[arg(long)]
    pub(crate) latest: bool,
    /// What it requires
    #[arg(long, group = "detail")]
    pub(crate) requires: bool,
    /// What it provides
    #[arg(long, group = "detail")]
    pub(crate) provides: bool,
    /// What it recommends
    #[arg(long, group = "detail")]
    pub(crate) recommends: bool,
    /// What it suggests
    #[arg(long, group = "detail")]
    pub(crate) suggests: bool,
    /// What it conflicts with
    #[arg(long, group = "detail")]
    pub(crate) conflicts: bool,
    /// What it obsoletes
    #[arg(long, group = "detail")]
    pub(crate) obsoletes: bool,
    /// Its files
    #[arg(long, short = 'l', group = "detail")]
    pub(crate) list: bool,
    /// Only packages that provide this
    #[arg(long, value_name = "WHAT")]
    pub(crate) whatprovides: Option<String>,
    /// Only packages that require this
    #[arg(long, value_name = "WHAT")]
    pub(crate) whatrequires: Option<String>,
    /// Print this for each package; %{name}, %{version}, %{release}, %{epoch}, %{arch}, %{evr}, %{nevra}, %{repoid},
    /// %{summary}, %{size} and \n are replaced
    #[arg(long, value_name = "FORMAT", group = "detail")]
    pub(crate) queryformat: Option<String>,
}

/// What to clean.
#[derive(Debug, Args)]
pub(crate) struct Clean {
    /// What to remove
    #[arg(value_enum, default_value_t = Cleaned::All)]
    pub(crate) what: Cleaned,
}

/// What is cleaned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cleaned {
    /// Metadata and packages
    All,
    /// Metadata
    Metadata,
    /// Packages
    Packages,
}
