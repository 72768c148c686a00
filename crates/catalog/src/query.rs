//! Which components are meant: by name, pattern, group or path.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::catalog::Catalog;
use crate::components::is_in;
use crate::error::Error;
use crate::resolve::ResolvedDistro;
use crate::schema::{Component, normalise};
use crate::value::{Architecture, ComponentName, GroupName, InvalidValue, NamePattern};

/// What components are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComponentSelector {
    /// All.
    All,
    /// The one of this name, or those whose names match the pattern.
    Name(NamePattern),
    /// The members of a group.
    Group(GroupName),
    /// The one that a file or folder belongs to; see [`Catalog::component_at`].
    Path(PathBuf),
}

impl ComponentSelector {
    /// Reads what a person writes: a name or pattern (`bash`, `lib*`), a group (`@shells`), or a path, which has a `/` in
    /// it or ends in `.spec` (`./bash`, `bash.spec`).
    ///
    /// # Errors
    /// It is none of these.
    pub fn parse(text: &str) -> Result<ComponentSelector, InvalidValue> {
        if let Some(group) = text.strip_prefix('@') {
            return GroupName::new(group).map(ComponentSelector::Group);
        }
        if text.contains('/') || text.ends_with(".spec") {
            return Ok(ComponentSelector::Path(PathBuf::from(text)));
        }
        NamePattern::new(text).map(ComponentSelector::Name)
    }
}

impl Catalog {
    /// The components that are meant, in this version of the distribution and for this architecture, each once, sorted by
    /// name. Those of a group or pattern that are not in it are left out.
    ///
    /// # Errors
    /// There is no such component or group, a pattern matches nothing, a path belongs to no component, or one that is
    /// meant by name is not in this version.
    pub fn select(
        &self,
        selectors: &[ComponentSelector],
        distro: &ResolvedDistro,
        architecture: Architecture,
    ) -> Result<Vec<&ComponentName>, Error> {
        let all = &self.config.components;
        let is_here = |component: &Component| is_in(component, &distro.version, architecture);
        let mut meant: BTreeSet<&ComponentName> = BTreeSet::new();
        for selector in selectors {
            match selector {
                ComponentSelector::All => {
                    meant.extend(all.iter().filter(|(_, one)| is_here(one)).map(|(name, _)| name));
                }
                ComponentSelector::Name(pattern) if pattern.has_wildcards() => {
                    let matches = |name: &ComponentName| pattern.matches(name.as_str());
                    let matching: Vec<&ComponentName> = all
                        .iter()
                        .filter(|(name, one)| matches(name) && is_here(one))
                        .map(|(name, _)| name)
                        .collect();
                    if matching.is_empty() {
                        return Err(self.unknown(
                            "component that matches",
                            pattern.as_str(),
                            std::iter::empty(),
                        ));
                    }
                    meant.extend(matching);
                }
                ComponentSelector::Name(name) => {
                    let known = || all.keys().map(ComponentName::as_str);
                    let entry = all.get_key_value(name.as_str());
                    let (name, component) =
                        entry.ok_or_else(|| self.unknown("component", name.as_str(), known()))?;
                    meant.insert(self.in_version(name, component, distro, architecture)?);
                }
                ComponentSelector::Group(group) => {
                    let groups = &self.config.component_groups;
                    if !groups.contains_key(group) {
                        let known = groups.keys().map(GroupName::as_str);
                        return Err(self.unknown("component group", group.as_str(), known));
                    }
                    let members = all
                        .iter()
                        .filter(|(name, one)| self.groups_of(name).contains(group) && is_here(one));
                    meant.extend(members.map(|(name, _)| name));
                }
                ComponentSelector::Path(path) => {
                    let at = self.component_at(path).and_then(|name| all.get_key_value(name));
                    let Some((name, component)) = at else {
                        let path = path.to_string_lossy();
                        return Err(self.unknown("component of path", &path, std::iter::empty()));
                    };
                    meant.insert(self.in_version(name, component, distro, architecture)?);
                }
            }
        }
        Ok(meant.into_iter().collect())
    }

    fn in_version<'c>(
        &self,
        name: &'c ComponentName,
        component: &Component,
        distro: &ResolvedDistro,
        architecture: Architecture,
    ) -> Result<&'c ComponentName, Error> {
        match is_in(component, &distro.version, architecture) {
            true => Ok(name),
            false => Err(Error::NotInVersion {
                name: name.to_string(),
                distro: distro.name.to_string(),
                version: distro.version.to_string(),
            }),
        }
    }

    /// The component that a path belongs to: its local spec, its folder of rendered specs and what is in it, or the file or
    /// folder that defines it and no other, and what is beside and below that. The path is absolute, or relative to what the
    /// path of the root file is relative to.
    #[must_use]
    pub fn component_at(&self, path: &Path) -> Option<&ComponentName> {
        let path = normalise(path);
        if let Some((name, _)) = self.specs.iter().find(|(_, (spec, _))| *spec == path) {
            return Some(name);
        }
        let components = &self.config.components;
        let spec_of = |one: &Component| {
            one.spec
                .as_ref()
                .and_then(|spec| spec.path.as_ref())
                .map(|spec| spec.resolve())
        };
        let mut own = components
            .iter()
            .filter(|(_, one)| spec_of(one).is_some_and(|spec| spec == path));
        // Two components may share a spec, made by one template; then the path says nothing.
        if let (Some((name, _)), None) = (own.next(), own.next()) {
            return Some(name);
        }
        if let Some(name) = self.rendered_at(&path) {
            return Some(name);
        }
        let below_root = path.ancestors().take_while(|folder| *folder != self.root());
        for folder in below_root {
            let holds = |name: &ComponentName| {
                self.file_of_component(name) == folder || self.folder_of_component(name) == folder
            };
            let mut defined = components.keys().filter(|name| holds(name));
            match (defined.next(), defined.next()) {
                (Some(name), None) => return Some(name),
                (Some(_), Some(_)) => return None,
                (None, _) => {}
            }
        }
        None
    }

    /// The component whose rendered spec is in a folder or file: `specs/LETTER/NAME/…`.
    fn rendered_at(&self, path: &Path) -> Option<&ComponentName> {
        let folder = self.project().rendered_specs_dir?;
        let mut parts = path.strip_prefix(folder).ok()?.components().skip(1);
        let name = parts.next()?.as_os_str().to_str()?;
        self.config.components.get_key_value(name).map(|(name, _)| name)
    }

    /// The folder of a component's rendered spec, `specs/LETTER/NAME`, if the project names a folder of rendered specs.
    #[must_use]
    pub fn rendered_spec_dir(&self, name: &ComponentName) -> Option<PathBuf> {
        let letter: String = name
            .as_str()
            .chars()
            .take(1)
            .flat_map(char::to_lowercase)
            .collect();
        Some(
            self.project()
                .rendered_specs_dir?
                .join(letter)
                .join(name.as_str()),
        )
    }

    /// The lock of a component: `locks/NAME.lock`.
    #[must_use]
    pub fn component_lock_path(&self, name: &ComponentName) -> PathBuf {
        self.project().lock_dir.join(format!("{name}.lock"))
    }
}
