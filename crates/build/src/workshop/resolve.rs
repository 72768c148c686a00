//! Which packages a buildroot has.

use super::error::WorkshopError;
use super::job::{Recipe, Workshop, lock};
use super::memo::Memo;
use super::result_file::ComponentResult;
use crate::buildroot::ResolveError;
use crate::schedule::TaskId;
use crate::{BuildError, BuildKey, Buildroot, Digest, KeyInputs, Origin, PackageSet, RootSource, Stock};
use std::path::PathBuf;
use std::sync::Arc;

impl Workshop<'_> {
    pub(super) fn resolve_base(&self) -> Result<PackageSet, WorkshopError> {
        let question = Memo::question(&["base", &self.imported.to_string()]);
        if let Some(known) = self.memo.get(&question) {
            return Ok(known);
        }
        let stock = self.settings.imported.stock()?;
        let set = stock.base(self.settings.imported.base(), &mut lock(self.settings.index))?;
        self.memo.put(&question, &set)?;
        Ok(set)
    }

    /// The packages of a buildroot.
    pub(super) fn resolve(
        &self,
        requires: &[String],
        visible: &[(PathBuf, Arc<ComponentResult>)],
    ) -> Result<PackageSet, WorkshopError> {
        let mut parts = vec![
            "layer".to_owned(),
            self.imported.to_string(),
            format!("{requires:?}"),
        ];
        for (folder, result) in visible {
            parts.push(folder.display().to_string());
            parts.extend(result.packages.iter().map(|package| package.digest.to_string()));
        }
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let question = Memo::question(&parts);
        if let Some(known) = self.memo.get(&question) {
            return Ok(known);
        }
        let stock = self.stock(visible)?;
        let set = stock.with(&self.base, requires, &mut lock(self.settings.index))?;
        self.memo.put(&question, &set)?;
        Ok(set)
    }

    /// Imported packages, and those of some results.
    fn stock(&self, visible: &[(PathBuf, Arc<ComponentResult>)]) -> Result<Stock, WorkshopError> {
        let mut stock = self.settings.imported.stock()?;
        for (folder, result) in visible {
            let records = result.records(folder).map_err(|reason| WorkshopError::Imported {
                folder: folder.clone(),
                reason,
            })?;
            stock.add(Origin::Built, folder, records);
        }
        Ok(stock)
    }

    /// The results of all that a component needs.
    pub(super) fn visible(&self, number: usize) -> Vec<(PathBuf, Arc<ComponentResult>)> {
        let (endings, recipes) = (lock(&self.endings), lock(&self.recipes));
        let result = |need: &TaskId| {
            let result = endings.get(&need.index())?.result()?.clone();
            let key = recipes.get(&need.index())?.key.digest();
            Some((self.settings.places.result(&result.component, &key), result))
        };
        self.needs[number].iter().filter_map(result).collect()
    }

    /// The digest of the whole key of a recipe, once the generated requirements are known.
    pub(super) fn whole_key(&self, recipe: &Recipe, generated: &[String]) -> Result<Digest, WorkshopError> {
        if generated.is_empty() {
            return Ok(recipe.key.digest());
        }
        let requires = [recipe.job.requires.as_slice(), generated].concat();
        let set = self.resolve(&requires, &recipe.visible)?;
        let key = BuildKey::new(KeyInputs {
            job: &recipe.job,
            buildroot: &set,
            generated,
        });
        Ok(key.digest())
    }
}

/// Buildroots of one recipe.
pub(super) struct Roots<'r, 'a> {
    pub(super) workshop: &'r Workshop<'a>,
    pub(super) recipe: &'r Recipe,
}

impl RootSource for Roots<'_, '_> {
    fn root(&self, requires: &[String]) -> Result<Buildroot, BuildError> {
        let Workshop { settings, base, .. } = self.workshop;
        if requires == self.recipe.job.requires {
            return settings.buildroots.prepare(base, &self.recipe.set);
        }
        let set = match self.workshop.resolve(requires, &self.recipe.visible) {
            Ok(set) => set,
            Err(WorkshopError::Build(error)) => return Err(error),
            Err(error) => {
                return Err(BuildError::Resolve(ResolveError::Pool {
                    repository: "the stock".to_owned(),
                    reason: error.to_string(),
                }));
            }
        };
        settings.buildroots.prepare(base, &set)
    }
}
