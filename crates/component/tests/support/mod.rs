//! Repositories, projects and readers for tests: fixed names, fixed times, no network.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    dead_code,
    unreachable_pub,
    missing_docs
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lazuli_catalog::{Catalog, ComponentName, ResolvedComponent};
use lazuli_component::{
    BuildInputs, Committed, GitRepository, InputsError, LocalMirror, Mode, Person, ProjectState, Rebuild,
    Renderer, Resolution, SourceProvider, SpecReader, StaleLock, Update, UpdateError, Updater, Verdict,
    Written, history::ProjectHistory,
};
use lazuli_spec::{Macros, Settings, Target, base_macros};

/// 2026-01-01T12:00:00Z.
pub const START: i64 = 1_767_268_800;
/// A day in seconds.
pub const DAY: i64 = 86_400;

/// A git repository in a folder.
pub struct Repo {
    pub folder: PathBuf,
}

impl Repo {
    pub fn init(folder: &Path) -> Repo {
        fs::create_dir_all(folder).unwrap();
        let repo = Repo {
            folder: folder.to_owned(),
        };
        repo.git(&["init", "-q", "-b", "main"], 0);
        repo
    }

    /// Runs git with a fixed identity, at so many days after the start.
    pub fn git(&self, arguments: &[&str], day: i64) -> String {
        let date = format!("{} +0000", START + day * DAY);
        let output = Command::new("git")
            .arg("-C")
            .arg(&self.folder)
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.folder)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Una Upstream")
            .env("GIT_AUTHOR_EMAIL", "una@upstream.example")
            .env("GIT_COMMITTER_NAME", "Una Upstream")
            .env("GIT_COMMITTER_EMAIL", "una@upstream.example")
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {error}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Commits everything and gives the id.
    pub fn commit(&self, message: &str, day: i64) -> String {
        self.git(&["add", "-A"], day);
        self.git(&["commit", "-q", "--allow-empty", "-m", message], day);
        self.git(&["rev-parse", "HEAD"], day)
    }
}

/// A spec of a version, with a release and a changelog section.
pub fn spec(version: &str, release: &str, changelog: &str) -> String {
    format!(
        "Name: hello\nVersion: {version}\nRelease: {release}\nSummary: Says hello\nLicense: MIT\n\
         Source0: https://hello.example/%{{name}}-%{{version}}.tar.gz\nPatch0: fix.patch\n\
         %ifarch aarch64\nSource1: hello-%{{_arch}}.conf\n%endif\n\n\
         %description\nSays hello.\n\n%prep\n%build\n%install\n\n%files\n\n%changelog\n{changelog}"
    )
}

/// A project with a mirror of its upstreams beside it.
pub struct Project {
    _keep: tempfile::TempDir,
    pub repo: Repo,
    pub mirror: LocalMirror,
    pub reader: SpecReader,
}

pub const CONFIG: &str = r#"
[project]
default-distro = { name = "example", version = "1" }
rendered-specs-dir = "specs"

[distros.example.versions.1]
release-ver = "1.0"
default-component-config = { spec = { type = "upstream", upstream-distro = { name = "up", version = "43" } } }

[distros.up]
default-version = "43"
dist-git-base-uri = "https://src.example/$pkg.git"
lookaside-base-uri = "https://cache.example/$pkg/$filename/$hashtype/$hash"
[distros.up.versions.43]
release-ver = "43"
dist-git-branch = "main"
[distros.up.versions.44]
release-ver = "44"
dist-git-branch = "next"

[components.hello]
"#;

impl Project {
    pub fn new(config: &str) -> Project {
        let keep = tempfile::tempdir().unwrap();
        let folder = keep.path().canonicalize().unwrap();
        let repo = Repo::init(&folder.join("project"));
        repo.write("lazuli.toml", config);
        fs::create_dir_all(folder.join("cache")).unwrap();
        Project {
            repo,
            mirror: LocalMirror {
                repositories: folder.join("upstream"),
                lookaside: folder.join("cache"),
            },
            reader: reader(),
            _keep: keep,
        }
    }

    /// The upstream's repository of a package.
    pub fn upstream(&self, name: &str) -> Repo {
        Repo::init(&self.mirror.repositories.join(name))
    }

    pub fn state(&self) -> ProjectState {
        let catalog = Catalog::load(&self.repo.folder).unwrap_or_else(|error| panic!("{error}"));
        ProjectState::on_disk(catalog, None).unwrap()
    }

    pub fn component(&self, name: &str) -> ResolvedComponent {
        self.state()
            .component(&ComponentName::new(name).unwrap())
            .unwrap()
    }

    pub fn git(&self) -> GitRepository {
        GitRepository::discover(&self.repo.folder).unwrap().unwrap()
    }

    /// What `lazuli component update` does, at so many days after the start.
    pub fn try_update(
        &self,
        name: &str,
        day: i64,
        with: impl FnOnce(&mut Updater<'_>),
    ) -> Result<Update, UpdateError> {
        self.try_update_from(&self.mirror, name, day, with)
    }

    /// The same, with sources from elsewhere.
    pub fn try_update_from(
        &self,
        provider: &dyn SourceProvider,
        name: &str,
        day: i64,
        with: impl FnOnce(&mut Updater<'_>),
    ) -> Result<Update, UpdateError> {
        let state = self.state();
        let repository = self.git();
        let head = repository.head().unwrap();
        let then = head.as_ref().map(|head| {
            let then = ProjectState::at(&repository, head, state.catalog().root_file(), None).unwrap();
            let history = ProjectHistory::read(&repository, head, then.lock_dir()).unwrap();
            (then, history)
        });
        let author = Person::parse("Pia Project <pia@project.example>");
        let mut updater = Updater {
            state: &state,
            committed: then.as_ref().map(|(state, history)| Committed { state, history }),
            provider,
            reader: &self.reader,
            now: START + day * DAY,
            author: &author,
            message: None,
            resolution: Resolution::WhenNeeded,
            rebuild: Rebuild::No,
        };
        with(&mut updater);
        let update = updater.plan_one(&self.component(name))?;
        update.apply()?;
        Ok(update)
    }

    pub fn update(&self, name: &str, day: i64) -> Update {
        self.try_update(name, day, |_| {})
            .unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// What `lazuli component render` does.
    pub fn try_render(&self, name: &str, mode: Mode) -> Verdict<Written, lazuli_component::RenderError> {
        let state = self.state();
        let repository = self.git();
        let history = repository
            .head()
            .unwrap()
            .map(|head| ProjectHistory::read(&repository, &head, state.lock_dir()).unwrap());
        let renderer = Renderer {
            state: &state,
            provider: &self.mirror,
            reader: &self.reader,
            history: history.as_ref(),
            stale: StaleLock::Refuse,
        };
        let output = self.repo.folder.join("specs");
        let mut outcomes = renderer.render_all(&[self.component(name)], &output, mode);
        outcomes.remove(0).verdict
    }

    /// What a builder asks for.
    pub fn build_inputs(
        &self,
        provider: &dyn SourceProvider,
        name: &str,
    ) -> Result<BuildInputs, InputsError> {
        let renderer = Renderer {
            state: &self.state(),
            provider,
            reader: &self.reader,
            history: None,
            stale: StaleLock::Refuse,
        };
        renderer.build_inputs(&self.component(name))
    }

    pub fn render(&self, name: &str, mode: Mode) -> Written {
        match self.try_render(name, mode) {
            Verdict::Success(written) => written,
            other => panic!("{other:?}"),
        }
    }
}

/// A reader with the macros that every distribution has.
pub fn reader() -> SpecReader {
    let mut macros = Macros::new(Settings::default());
    macros
        .load_text("base", base_macros(Target::X86_64).as_bytes())
        .unwrap();
    macros.load_text("dist", b"%dist .ex1\n").unwrap();
    SpecReader::new(macros.freeze())
}

/// Whether a program is there; says loudly if not.
pub fn has(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    if !there {
        eprintln!("SKIPPED: {program} is not installed");
    }
    there
}
