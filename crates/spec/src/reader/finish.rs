//! What rpm adds at the end: architectures, what a package provides by itself.

use super::error::{SpecError, SpecErrorKind as Kind};
use super::lines::Records;
use super::model::{Comparison, Dependency, DependencyKind, Origin, Qualifiers, Spec};
use super::state::Reader;

impl Reader<'_> {
    /// Completes the packages and gives the spec.
    pub(crate) fn finish(mut self) -> Result<Spec, SpecError> {
        for package in &self.packages {
            if package.descriptions.is_empty() {
                let kind = Kind::MissingDescription {
                    package: format!("`{}`", package.name),
                };
                let mut error = SpecError::of_file(&self.options.file, kind);
                error.set_line(package.position.line);
                return Err(error.with_hint("begin its text with a line `%description`"));
            }
        }
        let architecture = self.lines.value_of("_target_cpu");
        let isa = match self.lines.macros.expand("%{?_isa}") {
            Ok(expansion) => expansion.to_text(),
            Err(_) => String::new(),
        };
        for package in &mut self.packages {
            if package.architecture.is_empty() {
                package.architecture.clone_from(&architecture);
            }
            let evr = package.evr();
            let mut provide = |name: String| {
                package.dependencies.push(Dependency {
                    kind: DependencyKind::Provides,
                    name,
                    constraint: Some((Comparison::Equal, evr.clone())),
                    qualifiers: Qualifiers::empty(),
                    origin: Origin::Automatic,
                });
            };
            provide(package.name.clone());
            if package.architecture != "noarch" && !isa.is_empty() {
                provide(format!("{}{isa}", package.name));
            }
            remove_duplicates(&mut package.dependencies);
        }
        remove_duplicates(&mut self.build_dependencies);
        let Records {
            conditionals,
            build_conditions,
            unknowns,
            warnings,
            included,
        } = self.lines.records;
        Ok(Spec {
            packages: self.packages,
            build_dependencies: self.build_dependencies,
            sources: self.sources,
            restrictions: self.restrictions,
            build_architectures: self.architectures.unwrap_or_default(),
            architecture,
            build_sections: self.build_sections,
            changelog: self.changelog,
            conditionals,
            build_conditions,
            unknowns,
            warnings,
            included,
            expanded: self.lines.expanded,
        })
    }
}

/// Leaves the first of dependencies that are the same but for their origin.
fn remove_duplicates(dependencies: &mut Vec<Dependency>) {
    if dependencies.len() < 2 {
        return;
    }
    let key = |index: &usize| {
        let dependency = &dependencies[*index];
        (
            dependency.kind,
            &dependency.name,
            &dependency.constraint,
            dependency.qualifiers,
        )
    };
    let mut order: Vec<usize> = (0..dependencies.len()).collect();
    order.sort_by(|a, b| key(a).cmp(&key(b)).then(a.cmp(b)));
    let mut keep = vec![true; dependencies.len()];
    for pair in order.windows(2) {
        if key(&pair[0]) == key(&pair[1]) {
            keep[pair[1]] = false;
        }
    }
    let mut kept = keep.iter();
    dependencies.retain(|_| kept.next().copied().unwrap_or(true));
}
