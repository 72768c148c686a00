//! What the command line says: the one declaration that help, man pages and completions are made from.

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
    /// What the distribution is made of: list, inspect, lock and review its components
    #[command(subcommand)]
    Component(ComponentCommand),
    /// Turn locked upstream packages into signed RPMs
    Import {
        /// Components to import [default: all]
        components: Vec<String>,
        /// Convert again, even where the cache has the result
        #[arg(long)]
        force: bool,
    },
    /// Make, sign and check rpm-md repositories
    #[command(subcommand)]
    Repo(RepoCommand),
    /// Build, boot and verify images
    #[command(subcommand)]
    Image(ImageCommand),
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
    /// Resolve components against the upstream as it is now, and write the lock
    Update {
        /// Only these [default: all]
        names: Vec<String>,
        /// Only what the upstream no longer serves, and what is not locked yet
        #[arg(long, conflicts_with = "names")]
        vanished: bool,
        /// Say what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Find maintainer scripts that are neither understood nor reviewed
    Lint {
        /// Only these [default: all]
        names: Vec<String>,
    },
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
