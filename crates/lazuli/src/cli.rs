//! What the command line says: the one declaration that help, man pages and completions are made from.

use crate::cache::{Age, Amount};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// What the exit codes mean, for help and man page.
const EXIT_CODES: &str = "Exit codes:\n  \
    0  done\n  \
    1  the request cannot be fulfilled, or a check found something\n  \
    2  the command line is wrong\n  \
    3  the project's files are wrong\n  \
    4  the machine lacks something: a tool, a right, room, the network\n  \
    5  bytes are not what a signature or digest says; nothing of them was used\n\
    A command that a signal ends (130 in a shell for Ctrl-C) leaves nothing half-made; run it again to go on.";

/// The factory of the Lazuli distribution.
///
/// Takes packages of an upstream archive, makes signed RPMs and repositories of them, and composes images.
/// Results go to the output folder of the project, caches to `$LAZULI_CACHE`.
#[derive(Debug, Parser)]
#[command(name = "lazuli", version, propagate_version = true, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// The folder of the project, or its `lazuli.toml` [default: the nearest one above, or in `distro/`]
    #[arg(long, short = 'C', global = true, value_name = "PATH")]
    pub project: Option<PathBuf>,
    /// A further configuration file, laid over the project; it can be given several times
    #[arg(long = "config-file", global = true, value_name = "FILE")]
    pub config_files: Vec<PathBuf>,
    /// The version of the distribution [default: that of the project]
    #[arg(long, global = true, value_name = "VERSION")]
    pub distro_version: Option<String>,
    /// Where results go [default: the project's `output-dir`]
    #[arg(long, global = true, value_name = "DIR", env = "LAZULI_OUT")]
    pub out: Option<PathBuf>,
    /// Where downloads and converted packages are kept
    #[arg(long, global = true, value_name = "DIR", env = "LAZULI_CACHE")]
    pub cache: Option<PathBuf>,
    /// A mirror of the Debian archive [default: that of the machine's apt configuration]
    #[arg(long, global = true, value_name = "URL", env = "LAZULI_DEBIAN_MIRROR")]
    pub debian_mirror: Option<String>,
    /// Time of everything that is made, in seconds since 1970 [default: that of the lock]
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        env = "SOURCE_DATE_EPOCH",
        hide_env_values = true
    )]
    pub source_date_epoch: Option<u64>,
    /// Print facts as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress and no notes, only results and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Begin a project
    #[command(subcommand)]
    Project(ProjectCommand),
    /// What the distribution is made of: list, inspect, change, lock, render and review its components
    #[command(subcommand)]
    Component(ComponentCommand),
    /// In what order components are built, and what depends on what
    #[command(subcommand)]
    Graph(GraphCommand),
    /// Turn locked upstream packages into signed RPMs
    Import(ImportArgs),
    /// Make, sign and check rpm-md repositories
    #[command(subcommand)]
    Repo(RepoCommand),
    /// Build components from source, in the order that they need each other, as many at once as the machine can
    Build(Box<BuildArgs>),
    /// Build, boot and verify images
    #[command(subcommand)]
    Image(ImageCommand),
    /// What is kept so that it is not fetched or built again: look, collect, check, share
    #[command(subcommand)]
    Cache(CacheCommand),
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

#[derive(Debug, Subcommand)]
pub enum ComponentCommand {
    /// List components, with their locked versions
    List {
        /// Only these
        names: Vec<String>,
    },
    /// Show what a component resolves to
    Show {
        /// The component
        name: String,
    },
    /// Ask the specs of components: names, versions, packages, dependencies
    Query(QueryArgs),
    /// Add a component from its upstream: fetch it, read it, write the TOML, lock it
    Add(AddArgs),
    /// Resolve components against their upstreams, record what changed, and write the locks
    Update(UpdateArgs),
    /// Write the specs and sources that will be built, with overlays, releases and changelogs in them
    Render(RenderArgs),
    /// Show what the project changes in its upstreams, as a diff
    Diff {
        /// Only these [default: all]
        names: Vec<String>,
    },
    /// List what must be rebuilt from one state of the project to another
    Changed(ChangedArgs),
    /// Show what a component's release and changelog are made of, the newest first
    History {
        /// The component
        name: String,
    },
    /// Find maintainer scripts that are neither understood nor reviewed
    Lint {
        /// Only these [default: all]
        names: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum ProjectCommand {
    /// Write an empty project into a folder
    New {
        /// The folder; it is made if it is not there
        dir: PathBuf,
        /// The name of the distribution [default: that of the folder]
        #[arg(long)]
        name: Option<String>,
        /// Address of the upstream's git repositories; `$pkg` is the package
        #[arg(long, value_name = "TEMPLATE")]
        dist_git: Option<String>,
        /// Address of the upstream's tarballs; `$pkg`, `$filename`, `$hashtype` and `$hash` are put in
        #[arg(long, value_name = "TEMPLATE")]
        lookaside: Option<String>,
        /// The branch of the upstream's git repositories
        #[arg(long, default_value = "main")]
        branch: String,
    },
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Components to import [default: all of the distribution]
    pub components: Vec<String>,
    /// Import what buildroots need as well, and write the metadata of both repositories
    #[arg(long, conflicts_with = "components")]
    pub buildroot: bool,
    /// Convert again, even where the cache has the result
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct AddArgs {
    /// The component
    pub name: String,
    /// The upstream distribution, and its version [default: that of the project's defaults]
    #[arg(long, value_name = "DISTRO[/VERSION]")]
    pub from: Option<String>,
    /// Its name there [default: the same]
    #[arg(long, value_name = "NAME")]
    pub upstream_name: Option<String>,
    /// Stay at this commit
    #[arg(long, value_name = "COMMIT")]
    pub commit: Option<String>,
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct UpdateArgs {
    /// Only these [default: all]
    pub names: Vec<String>,
    /// Of imported packages, only what the upstream no longer serves, and what is not locked yet
    #[arg(long, conflicts_with = "names")]
    pub vanished: bool,
    /// Take the newest commit of specs that are neither pinned nor at a snapshot
    #[arg(long)]
    pub newest: bool,
    /// Give components made from specs a new release though nothing has changed
    #[arg(long)]
    pub rebuild: bool,
    /// What the changelog says of the change, as the message of a commit [default: what changed]
    #[arg(long, short)]
    pub message: Option<String>,
    /// Say what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct RenderArgs {
    /// Only these [default: all]
    pub names: Vec<String>,
    /// Write nothing; fail, with a diff, if what is rendered is not what the project says
    #[arg(long)]
    pub check: bool,
    /// Render what is not locked yet, with the release of before: to look at, not to build
    #[arg(long)]
    pub preview: bool,
    /// Also put all that the builds take below this folder, each component in its own: spec, patches, tarballs
    #[arg(long, value_name = "DIR", conflicts_with = "check")]
    pub sources_into: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ChangedArgs {
    /// The state before: any revision of git
    #[arg(long, default_value = "HEAD", value_name = "REVISION")]
    pub from: String,
    /// The state after [default: what is on the disk]
    #[arg(long, value_name = "REVISION")]
    pub to: Option<String>,
    /// Say why: which field had which value, who needs whom
    #[arg(long)]
    pub explain: bool,
}

#[derive(Debug, Args)]
pub struct QueryArgs {
    /// Only these components [default: all that have a spec]
    pub names: Vec<String>,
    /// Only components of which a package provides this: `name`, `name >= version`, a path
    #[arg(long, value_name = "CAPABILITY")]
    pub what_provides: Option<String>,
    /// Only components that need this, to be built or to be installed
    #[arg(long, value_name = "CAPABILITY")]
    pub what_requires: Option<String>,
    /// Print what their builds need
    #[arg(long)]
    pub build_requires: bool,
    /// Print what their packages provide
    #[arg(long)]
    pub provides: bool,
    /// Print what their packages require
    #[arg(long)]
    pub requires: bool,
    /// Print their sources and patches
    #[arg(long)]
    pub sources: bool,
}

#[derive(Debug, Subcommand)]
pub enum GraphCommand {
    /// The order of all builds, in stages: what is in one stage can be built at once
    Order,
    /// Components that need each other to be built, and the edges that make it so
    Cycles,
    /// What the build of a component needs, and which component provides it
    Needs {
        /// The component
        name: String,
    },
    /// What a failure of these components stops and a change of them may rebuild, with the number of builds between
    Dependents {
        /// The components
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// The shortest way from a component to one that it needs
    Why {
        /// The component
        name: String,
        /// What it needs
        needs: String,
    },
    /// What builds and packages need and no component provides
    Missing,
    /// A picture
    Draw {
        /// These components, what they need and what needs them [default: everything]
        names: Vec<String>,
        /// How many builds away
        #[arg(long, default_value_t = 1, value_name = "N")]
        distance: usize,
        /// The language of the picture
        #[arg(long, default_value = "dot", value_name = "FORMAT")]
        format: Picture,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Picture {
    /// For Graphviz
    Dot,
    /// A picture that browsers show
    Svg,
}

#[derive(Debug, Args)]
pub struct BuildArgs {
    /// Components, `@groups` or patterns; what they need is built too, where it is not in the cache
    #[arg(required_unless_present_any = ["all", "changed", "log"])]
    pub names: Vec<String>,
    /// Everything that has a spec
    #[arg(long, conflicts_with_all = ["names", "changed"])]
    pub all: bool,
    /// What is different from a state of the project, and what depends on that
    #[arg(long, conflicts_with = "names")]
    pub changed: bool,
    /// The state that `--changed` compares with: any revision of git [default: HEAD]
    #[arg(long, requires = "changed", value_name = "REVISION")]
    pub from: Option<String>,
    /// Builds at once [default: the number of processors]
    #[arg(long, short, value_name = "N")]
    pub jobs: Option<std::num::NonZeroUsize>,
    /// After a failure, go on with all that does not depend on it
    #[arg(long, short)]
    pub keep_going: bool,
    /// Build what was named anew, even where the cache has the result
    #[arg(long)]
    pub force: bool,
    /// Build what was named again, with all varied that should not matter, and compare
    #[arg(long)]
    pub verify: bool,
    /// A shell in the sandbox: in the failed one, or else in a fresh one with the spec and its sources
    #[arg(long, conflicts_with_all = ["all", "changed", "verify", "dry_run"])]
    pub shell: bool,
    /// Leave the sandboxes of failed builds on the disk
    #[arg(long)]
    pub keep_failed: bool,
    /// Say what would be built, and why, and build nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Say of each build why it runs: what it depends on, as it was and as it is
    #[arg(long)]
    pub explain: bool,
    /// Print how long each build and its phases took
    #[arg(long)]
    pub timings: bool,
    /// Leave out `%check`
    #[arg(long)]
    pub no_check: bool,
    /// Print the log of the last build of a component
    #[arg(long, value_name = "NAME", conflicts_with_all = ["names", "all", "changed"])]
    pub log: Option<String>,
    #[command(flatten)]
    pub shared: SharedCacheArgs,
}

#[derive(Debug, Subcommand)]
pub enum RepoCommand {
    /// Write signed metadata for a folder of packages [default: the project's own repository, with all its packages]
    Create {
        /// The folder
        dir: Option<PathBuf>,
    },
    /// Sign the metadata of a repository anew
    Sign {
        /// The folder
        dir: PathBuf,
    },
    /// Check signatures, metadata and packages of a repository
    Check {
        /// The folder
        dir: PathBuf,
        /// A file with the keys that may sign [default: the project's key]
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Serve the project's repository over HTTP until interrupted
    Serve {
        /// Address and port to listen on; port 0 takes a free one
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: std::net::SocketAddr,
    },
}

#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// How much there is of each kind
    Size,
    /// Remove what was not used for the longest time, and what killed commands left behind
    Gc {
        /// What may stay: 500M, 20G, 1.5T [default: all]
        #[arg(long, value_name = "SIZE")]
        max_size: Option<Amount>,
        /// How long something may be unused: 12h, 30d, 8w [default: for ever]
        #[arg(long, value_name = "TIME")]
        max_age: Option<Age>,
        /// Say what would go, and remove nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Hash everything, and report what is damaged
    Verify {
        /// Remove what is damaged
        #[arg(long)]
        remove: bool,
    },
    /// Give all local build results to the shared cache
    Push {
        #[command(flatten)]
        shared: SharedCacheArgs,
    },
}

/// A cache of build results that is shared with other machines.
#[derive(Debug, Args)]
pub struct SharedCacheArgs {
    /// The shared cache of build results: s3://BUCKET/PREFIX, az://CONTAINER/PREFIX, gs://BUCKET/PREFIX or file:///FOLDER
    #[arg(long, value_name = "URL", env = "LAZULI_BUILD_CACHE")]
    pub build_cache: Option<String>,
    /// Take results from the shared cache, and give none
    #[arg(long)]
    pub build_cache_readonly: bool,
    /// A file with keys whose results are taken too, besides the project's own; it can be given several times
    #[arg(long = "build-cache-key", value_name = "FILE", env = "LAZULI_BUILD_CACHE_KEY")]
    pub build_cache_keys: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum ImageCommand {
    /// List the images of the project, and what was built
    List,
    /// Build an image in all its formats, with its manifest and bills of materials
    Build {
        /// The image
        name: String,
        /// Formats to make [default: those of the image]
        #[arg(long, value_delimiter = ',', value_name = "FORMAT")]
        formats: Vec<Format>,
        /// First update what the upstream no longer serves, and say so
        #[arg(long)]
        update_vanished: bool,
        /// Keep the root tree of the build and print where it is
        #[arg(long)]
        keep_root: bool,
        /// Take packages that were built from source where there are some, and imported ones where not
        #[arg(long)]
        from_source: bool,
        /// Print how long each stage took
        #[arg(long)]
        timings: bool,
    },
    /// Boot a built image in QEMU, with a throw-away disk and your ssh key
    Boot(BootArgs),
    /// Build an image again in another folder, and compare it to the bit with what was built
    Verify {
        /// The image
        name: String,
        /// Compare these two disk images instead, and say in which file or sector they differ
        #[arg(long, num_args = 2, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub struct BootArgs {
    /// The image
    pub name: String,
    /// The format to boot
    #[arg(long, default_value = "qcow2")]
    pub format: Format,
    /// Prove that the login prompt comes, then power off
    #[arg(long)]
    pub check: bool,
    /// Seconds that --check waits for the prompt
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    pub limit: u64,
    /// Memory of the guest in MiB
    #[arg(long, default_value_t = 2048, value_name = "MIB")]
    pub memory: u32,
    /// Processors of the guest
    #[arg(long, default_value_t = 2, value_name = "N")]
    pub cpus: u32,
    /// Size of the disk that the guest sees, in GiB; the root file system grows into it
    #[arg(long, default_value_t = 8, value_name = "GIB")]
    pub disk_size: u32,
    /// How the disk is attached
    #[arg(long, default_value = "virtio", value_name = "BUS")]
    pub disk_bus: DiskBus,
    /// Public ssh key that may log in [default: one in ~/.ssh, or else a key made under the output folder]
    #[arg(long, value_name = "FILE")]
    pub ssh_key: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The disk byte for byte, in a sparse file
    Raw,
    /// QEMU's format, compressed
    Qcow2,
    /// Fixed VHD, as Azure wants it
    Vhd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiskBus {
    /// A virtio disk, as most clouds have it
    Virtio,
    /// An NVMe drive, as newer sizes of Azure have it
    Nvme,
    /// A SCSI disk
    Scsi,
}
