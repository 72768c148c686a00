//! The oracle: rpm's own `rpmspec`, asked for many specs at once.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Stands between specs: what it prints parts the answers.
const SEPARATOR: &str =
    "Name: separator-of-specs\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\n%description\nd\n";
const MARK: &str = "separator-of-specs";

/// What is asked of each binary package.
const PACKAGES: &str = r"package %{NAME}|%{EPOCHNUM}|%{VERSION}|%{RELEASE}|%{ARCH}
summary %{SUMMARY}
license %{LICENSE}
group %{GROUP}
url %{URL}
vendor %{VENDOR}
packager %{PACKAGER}
bugurl %{BUGURL}
vcs %{VCS}
[prefix %{PREFIXES}
][provides %{PROVIDENEVRS}
][requires %{REQUIRENEVRS} (%{REQUIREFLAGS:deptype})
][conflicts %{CONFLICTNEVRS}
][obsoletes %{OBSOLETENEVRS}
][recommends %{RECOMMENDNEVRS}
][suggests %{SUGGESTNEVRS}
][supplements %{SUPPLEMENTNEVRS}
][enhances %{ENHANCENEVRS}
][order %{ORDERNAME} %{ORDERFLAGS:depflags} %{ORDERVERSION}
]pre %{PREINPROG}|%{PREIN}
post %{POSTINPROG}|%{POSTIN}
preun %{PREUNPROG}|%{PREUN}
postun %{POSTUNPROG}|%{POSTUN}
pretrans %{PRETRANSPROG}|%{PRETRANS}
posttrans %{POSTTRANSPROG}|%{POSTTRANS}
verifyscript %{VERIFYSCRIPTPROG}|%{VERIFYSCRIPT}
[trigger %{TRIGGERNAME}|%{TRIGGERFLAGS:triggertype}|%{TRIGGERVERSION}
][filetrigger %{FILETRIGGERNAME}
][transfiletrigger %{TRANSFILETRIGGERNAME}
]description %{DESCRIPTION}
end
";

/// What is asked of the source package.
const SOURCE: &str = r"source %{NAME}|%{EPOCHNUM}|%{VERSION}|%{RELEASE}
summary %{SUMMARY}
[requires %{REQUIRENEVRS} (%{REQUIREFLAGS:deptype})
][conflicts %{CONFLICTNEVRS}
][source %{SOURCE}
][patch %{PATCH}
][nosource %{NOSOURCE}
][nopatch %{NOPATCH}
][excludearch %{EXCLUDEARCH}
][exclusivearch %{EXCLUSIVEARCH}
][excludeos %{EXCLUDEOS}
][exclusiveos %{EXCLUSIVEOS}
][buildarchs %{BUILDARCHS}
][changelog %{CHANGELOGTIME}|%{CHANGELOGNAME}|%{CHANGELOGTEXT}
]end
";

/// rpm's answers about one spec; none where it refuses.
#[derive(Debug)]
pub(crate) struct Answers {
    pub(crate) packages: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) expanded: Option<String>,
}

/// Whether rpm 4.18 is here.
pub(crate) fn is_there() -> bool {
    let output = Command::new("rpmspec").arg("--version").output();
    match output {
        Ok(output) if String::from_utf8_lossy(&output.stdout).contains("4.18") => true,
        _ => {
            println!("SKIPPED: there is no rpmspec of rpm 4.18 to compare with");
            false
        }
    }
}

fn command(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
        .env("HOME", home)
        .env("LC_ALL", "C.UTF-8");
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command
}

pub(crate) fn eval(home: &Path, text: &str) -> String {
    let output = command("rpm", home).args(["--eval", text]).output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end_matches('\n')
        .to_owned()
}

pub(crate) fn macro_path(home: &Path) -> String {
    let output = command("rpm", home).arg("--showrc").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Macro path: "))
        .unwrap();
    line.replace("%{_target}", &eval(home, "%{_target}"))
        .replace('~', &home.to_string_lossy())
}

/// Asks rpm about all specs, in the folder in which their included files are.
pub(crate) fn ask(folder: &Path, home: &Path, specs: &[PathBuf]) -> Vec<Answers> {
    let separator = folder.join("separator.spec");
    std::fs::write(&separator, SEPARATOR).unwrap();
    let run = |arguments: &[&str]| {
        let mut rpmspec = command("rpmspec", home);
        rpmspec.current_dir(folder).args(arguments);
        for spec in specs {
            rpmspec.arg(spec).arg(&separator);
        }
        let output = rpmspec.output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let (packages, source, expanded) = std::thread::scope(|scope| {
        let packages = scope.spawn(|| run(&["-q", "--qf", PACKAGES]));
        let source = scope.spawn(|| run(&["-q", "--srpm", "--qf", SOURCE]));
        let expanded = run(&["-P"]);
        (packages.join().unwrap(), source.join().unwrap(), expanded)
    });
    let packages = parts(&packages, &format!("package {MARK}|"), "end\n");
    let source = parts(&source, &format!("source {MARK}|"), "end\n");
    let expanded = parts(&expanded, &format!("Name: {MARK}\n"), "%description\nd\n");
    assert_eq!(
        (packages.len(), source.len(), expanded.len()),
        (specs.len(), specs.len(), specs.len()),
        "rpmspec did not answer for each spec"
    );
    let mut rest = source.into_iter().zip(expanded);
    packages
        .into_iter()
        .map(|packages| {
            let (source, expanded) = rest.next().unwrap();
            Answers {
                packages,
                source,
                expanded,
            }
        })
        .collect()
}

/// The answers between separators: each separator's begins and ends with these texts.
fn parts(output: &str, begin: &str, end: &str) -> Vec<Option<String>> {
    let mut parts = Vec::new();
    let mut rest = output;
    while let Some((part, after)) = rest.split_once(begin) {
        parts.push((!part.is_empty()).then(|| part.to_owned()));
        rest = after.split_once(end).unwrap().1;
    }
    parts
}
