//! Images of a catalog.

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::components::is_in;
use crate::error::Error;
use crate::resolve::{Fault, ResolvedDistro, ResolvedImage, resolve_image};
use crate::value::{Architecture, ComponentName, ImageName};

/// Longest chain of images that extend one another.
const MAX_EXTENDS: usize = 16;

impl Catalog {
    /// The names of all images, sorted.
    pub fn image_names(&self) -> impl Iterator<Item = &ImageName> {
        self.config.images.keys()
    }

    /// An image for this version of the distribution and this architecture, with what it extends.
    ///
    /// Packages whose component says that it is not in this version, or not for this architecture, are left out.
    ///
    /// # Errors
    /// There is no such image, it extends itself, or it contradicts itself.
    pub fn image(
        &self,
        name: &ImageName,
        distro: &ResolvedDistro,
        architecture: Architecture,
    ) -> Result<ResolvedImage, Error> {
        let mut layers = Vec::new();
        let mut seen = BTreeSet::new();
        let mut next = Some(name.clone());
        while let Some(current) = next {
            let image = self.config.images.get(&current);
            let known = || self.config.images.keys().map(ImageName::as_str);
            let image = image.ok_or_else(|| self.unknown("image", current.as_str(), known()))?;
            if !seen.insert(current.clone()) || seen.len() > MAX_EXTENDS {
                let fault = Fault::new(format!("image `{current}` extends itself")).at(&["extends"]);
                return Err(self.refuse("images", current.as_str(), vec![fault]));
            }
            layers.push(image.clone());
            next = image.extends.clone();
        }
        layers.reverse();
        let mut image = resolve_image(name, self.file_of("images", name.as_str()), layers)
            .map_err(|faults| self.refuse("images", name.as_str(), faults))?;
        image.packages.retain(|package| {
            let component = self.config.components.get(&ComponentName::from(package));
            component.is_none_or(|component| is_in(component, &distro.version, architecture))
        });
        Ok(image)
    }
}
