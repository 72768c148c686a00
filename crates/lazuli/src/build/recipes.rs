//! How components are built: their rendered specs with all sources, as the builder wants them.

use super::machine;
use super::plan::{self, Plan};
use crate::cli::BuildArgs;
use crate::component::SpecProject;
use crate::failure::Result;
use crate::provider::Upstreams;
use crate::workspace::Workspace;
use lazuli_build::workshop::{RecipeError, Recipes};
use lazuli_build::{
    Allowances, Architecture, BuildJob, BuildOptions, Digest, Expected, InputContent, InputFile, Macros,
    SourceDateEpoch, Tests,
};
use lazuli_catalog::{AbsolutePath, Allowed};
use lazuli_component::{BuildFile, BuildInputs, Content, Renderer, StaleLock};
use std::error::Error;

/// The recipes of a project.
pub struct ProjectRecipes<'p> {
    project: SpecProject<'p>,
    plan: &'p Plan,
    tests: Tests,
    architecture: Architecture,
}

impl<'p> ProjectRecipes<'p> {
    /// Opens the project: its history, its upstreams.
    pub fn open(workspace: &'p Workspace, plan: &'p Plan, arguments: &BuildArgs) -> Result<Self> {
        Ok(Self {
            project: SpecProject::open(workspace)?,
            plan,
            tests: match arguments.no_check {
                true => Tests::Skip,
                false => Tests::Run,
            },
            architecture: Architecture::new(workspace.architecture.to_string())?,
        })
    }

    fn inputs(&self, component: &str) -> Result<BuildInputs, RecipeError> {
        let Some(resolved) = self.plan.components.get(component) else {
            return Err(unknown(component));
        };
        let upstreams: &Upstreams = &self.project.upstreams;
        let renderer = Renderer {
            state: &self.project.state,
            provider: &upstreams.provider(),
            reader: &self.project.reader,
            history: self.project.history(),
            stale: StaleLock::Refuse,
        };
        renderer.build_inputs(resolved).map_err(|error| RecipeError {
            help: error.help(),
            message: with_causes(&error),
        })
    }
}

impl Recipes for ProjectRecipes<'_> {
    fn recipe(&self, component: &str) -> Result<BuildJob, RecipeError> {
        let inputs = self.inputs(component)?;
        let (Some(facts), Some(resolved)) = (
            self.plan.facts.get(component),
            self.plan.components.get(component),
        ) else {
            return Err(unknown(component));
        };
        let spec = input(&inputs.spec)?;
        let epoch = self.project.workspace.epoch().or_else(|| changelog_time(&spec));
        let names = facts.packages.iter().map(|package| package.name.clone());
        Ok(BuildJob {
            component: component.to_owned(),
            sources: inputs.files.iter().map(input).collect::<Result<_, _>>()?,
            requires: facts.build_requires.clone(),
            // The rendered spec says the rest itself.
            options: BuildOptions {
                tests: self.tests,
                ..BuildOptions::default()
            },
            macros: Macros::default(),
            architecture: self.architecture.clone(),
            epoch: SourceDateEpoch(
                epoch
                    .and_then(|time| u32::try_from(time).ok())
                    .unwrap_or(crate::workspace::KEY_CREATED as u32),
            ),
            allowances: allowances(&resolved.build.allow),
            expected: Expected {
                // The release has macros of the distribution in it, which are a package of the buildroot.
                evr: None,
                // What is not known until then is not expected.
                packages: names.filter(|name| !name.contains('%')).collect(),
            },
            limits: machine::limits_of(plan::effort(resolved)),
            spec,
        })
    }
}

/// What a component's `build.allow` says, as the builder has it.
fn allowances(allow: &Allowed) -> Allowances {
    let paths = |paths: &[AbsolutePath]| paths.iter().map(ToString::to_string).collect();
    Allowances {
        setuid: paths(&allow.setuid),
        world_writable: paths(&allow.world_writable),
        capabilities: paths(&allow.capabilities),
        outside: paths(&allow.outside),
        lost_sonames: allow.lost_sonames.iter().cloned().collect(),
        without_build_id: paths(&allow.without_build_id),
        build_paths: paths(&allow.build_paths),
    }
}

fn unknown(component: &str) -> RecipeError {
    RecipeError {
        message: format!("component `{component}` is not part of this run"),
        help: None,
    }
}

fn input(file: &BuildFile) -> Result<InputFile, RecipeError> {
    let digest = file
        .sha256
        .to_string()
        .parse::<Digest>()
        .map_err(|error| RecipeError {
            message: format!("{}: {error}", file.name),
            help: None,
        })?;
    let content = match &file.content {
        Content::Bytes(bytes) => InputContent::Bytes(bytes.to_vec()),
        Content::Stored(stored) => InputContent::Path(stored.path.clone()),
        Content::Link(target) => {
            return Err(RecipeError {
                message: format!("the source {} is a symbolic link to {target}", file.name),
                help: Some("put the file itself beside the spec".to_owned()),
            });
        }
    };
    Ok(InputFile {
        name: file.name.to_string(),
        digest,
        content,
    })
}

/// The time of what is built: noon of the day of the newest entry of the changelog, as rpm has it. So nothing but a change of
/// the component moves it.
fn changelog_time(spec: &InputFile) -> Option<u64> {
    let InputContent::Bytes(bytes) = &spec.content else {
        return None;
    };
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines().skip_while(|line| line.trim() != "%changelog");
    let entry = lines.find(|line| line.starts_with("* "))?;
    // `* Tue Dec 01 2026 Name <address> - version`
    let words: Vec<&str> = entry.split_whitespace().skip(2).take(3).collect();
    let [month, day, year] = words.as_slice() else {
        return None;
    };
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = i8::try_from(MONTHS.iter().position(|name| name == month)? + 1).ok()?;
    let date = jiff::civil::Date::new(year.parse().ok()?, month, day.parse().ok()?).ok()?;
    let noon = date.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    u64::try_from(noon.timestamp().as_second()).ok()
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(&format!("\n  because: {more}"));
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_that_of_the_changelog() {
        let time = |text: &str| changelog_time(&InputFile::bytes("a.spec", text));
        let text = "Name: a\n%description\n* Mon Jan 01 2024 x\n%changelog\n* Tue Dec 01 2026 N <n@x> - 1-1\n- y\n* Mon Nov 30 2026 N\n";
        assert_eq!(time(text), Some(1_796_126_400));
        assert_eq!(time("Name: a\n%changelog\n"), None);
        assert_eq!(time("Name: a\n%changelog\n* Tue Foo 01 2026 N\n"), None);
    }
}
