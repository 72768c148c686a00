//! `lazuli image …`: build, boot, verify.

use crate::cli::{Format as CliFormat, ImageCommand};
use crate::failure::{Failure, Kind, OrFail, Result};
use crate::import::Reach;
use crate::terminal::Stages;
use crate::workspace::Workspace;
use lazuli_catalog::{
    Architecture, ComponentScope, DiskLayout, FileSystem, ImageCapabilities, ImageFormat, ImageName,
    ResolvedImage, RootSize,
};
use lazuli_disk::Tree;
use lazuli_durable::WorkFolder;
use lazuli_image::finalise::Growth;
use lazuli_image::manifest::{Made, Manifest};
use lazuli_image::{Built, Format, ImageSpec};
use std::path::{Path, PathBuf};

mod boot;
mod customise;
mod from_source;
mod root;

use from_source::{Preference, Share};
use root::{Root, Staging};

/// Runs a command on images.
pub fn run(workspace: &Workspace, command: &ImageCommand) -> Result<()> {
    match command {
        ImageCommand::List => list(workspace),
        ImageCommand::Build {
            name,
            formats,
            update_vanished,
            keep_root,
            from_source,
            timings,
        } => {
            let image = resolve(workspace, name, formats)?;
            let request = Request {
                update_vanished: *update_vanished,
                keep_root: *keep_root,
                preference: match from_source {
                    true => Preference::Built,
                    false => Preference::Imported,
                },
                out: workspace.image(name),
            };
            let mut stages = Stages::default();
            let (built, share) = build(workspace, &image, &request, &mut stages)?;
            report(workspace, &built, share)?;
            if *timings {
                workspace.terminal.table(&stages.table());
            }
            Ok(())
        }
        ImageCommand::Boot(arguments) => boot::run(workspace, arguments),
        ImageCommand::Verify { name, files } => match files.as_slice() {
            [left, right] => compare(workspace, left, right),
            _ => verify(workspace, name),
        },
    }
}

/// Whether a command gives files to other owners, for which the program must be root of a namespace.
pub fn needs_namespace(command: &ImageCommand) -> bool {
    match command {
        ImageCommand::Build { .. } => true,
        ImageCommand::Verify { files, .. } => files.is_empty(),
        ImageCommand::List | ImageCommand::Boot(_) => false,
    }
}

/// What a build is asked for, beside the image.
struct Request {
    update_vanished: bool,
    keep_root: bool,
    preference: Preference,
    out: PathBuf,
}

fn resolve(workspace: &Workspace, name: &str, formats: &[CliFormat]) -> Result<ResolvedImage> {
    let name = ImageName::new(name).or_fail(Kind::Project)?;
    let mut image = workspace
        .catalog
        .image(&name, &workspace.distro, workspace.architecture)
        .map_err(|error| Failure::new(Kind::Project, error).hint("`lazuli image list` lists them"))?;
    // What another tool builds has no formats of its own; naming some does not make it ours.
    if !formats.is_empty() && (!image.formats.is_empty() || image.definition.is_none()) {
        image.formats = formats
            .iter()
            .map(|format| match format {
                CliFormat::Raw => ImageFormat::Raw,
                CliFormat::Qcow2 => ImageFormat::Qcow2,
                CliFormat::Vhd => ImageFormat::Vhd,
            })
            .collect();
    }
    check_buildable(&image, workspace.architecture)?;
    Ok(image)
}

/// Refuses an image that cannot be built by its own definition.
fn check_buildable(image: &ResolvedImage, architecture: Architecture) -> Result<()> {
    let refuse = |message: String, hint: &str| Err(Failure::message(Kind::Project, message).hint(hint));
    let name = &image.name;
    if image.formats.is_empty() {
        return match &image.definition {
            Some(definition) => {
                let kind = definition.kind.as_deref().unwrap_or("another tool");
                let message =
                    format!("the image `{name}` is defined in a file of {kind}, which Lazuli does not read");
                refuse(
                    message,
                    "describe it with Lazuli's own keys: `formats`, `packages`, `kernel`",
                )
            }
            None => refuse(
                format!("the image `{name}` has no `formats`: it only serves `extends`"),
                "add `formats = [\"raw\"]` to it, or name them with `--formats`",
            ),
        };
    }
    if !image.architectures.contains(&architecture) {
        let made: Vec<String> = image.architectures.iter().map(ToString::to_string).collect();
        let message = format!(
            "the image `{name}` is not made for {architecture}, but for {}",
            made.join(", ")
        );
        return refuse(message, "add the architecture to its `architectures`");
    }
    Ok(())
}

/// The names of what an image can do.
fn capabilities(image: &ResolvedImage) -> Vec<String> {
    let ImageCapabilities {
        machine_bootable,
        container,
        systemd,
        runtime_package_management,
    } = image.capabilities;
    let all = [
        ("machine-bootable", machine_bootable),
        ("container", container),
        ("systemd", systemd),
        ("runtime-package-management", runtime_package_management),
    ];
    let has = all.into_iter().filter(|(_, has)| *has == Some(true));
    has.map(|(name, _)| name.to_owned()).collect()
}

/// The whole way: lock, packages, repository, root, disk, formats, records.
fn build(
    workspace: &Workspace,
    image: &ResolvedImage,
    request: &Request,
    stages: &mut Stages,
) -> Result<(Built, Share)> {
    let lock = crate::import::ensure_fetched(workspace, Reach::Distribution, request.update_vanished)?;
    stages.done("fetch");
    crate::import::repository(workspace, &lock, ComponentScope::Distribution)?;
    stages.done("import");
    let time = workspace.time(&lock);
    crate::repo::create(workspace, &workspace.repository(), time)?;
    stages.done("repository");

    let staging = if request.keep_root {
        Staging::Disk
    } else {
        Staging::Memory
    };
    let root = Root::install(workspace, image, time, request.preference, staging, stages)?;
    let share = root.share;
    let tree = customise::tree(&root.path, image, time)?;
    stages.done("scan");
    let spec = spec(workspace, image, &root, &tree, time)?;
    let spinner = workspace.terminal.spinner("writing the image");
    let built = lazuli_image::build::build(&spec, tree, &request.out, &|stage| {
        spinner.set_message(format!("writing the image: {}", stage.name()));
    })?;
    spinner.finish_and_clear();
    stages.add(
        built
            .times
            .iter()
            .map(|(stage, time)| (stage.name().to_owned(), *time)),
    );
    if request.keep_root {
        workspace
            .terminal
            .note(format!("the root tree is kept: {}", root.keep()?.display()));
    } else {
        root.remove()?;
        stages.done("clean up");
    }
    Ok((built, share))
}

fn spec(
    workspace: &Workspace,
    image: &ResolvedImage,
    root: &Root,
    tree: &Tree,
    time: u64,
) -> Result<ImageSpec> {
    let distro = &workspace.distro;
    let epoch = u32::try_from(time).or_fail(Kind::Project)?;
    let mut spec = ImageSpec::new(image.name.as_str(), &distro.release_version, epoch);
    spec.id.clone_from(&distro.release.id);
    spec.distribution.clone_from(&distro.release.name);
    spec.arch = workspace.architecture.to_string();
    if let Some(kernel) = &image.kernel {
        let arguments: Vec<&str> = kernel
            .command_line
            .iter()
            .map(|argument| argument.as_str())
            .collect();
        spec.command_line = arguments.join(" ");
    }
    spec.initrd = customise::initrd::settings(image, &root.files, tree, time)?;
    describe(image, &mut spec);
    spec.formats = image
        .formats
        .iter()
        .map(|format| match format {
            ImageFormat::Raw => Format::Raw,
            ImageFormat::Qcow2 => Format::Qcow2,
            ImageFormat::Vhd => Format::Vhd,
        })
        .collect();
    spec.packages.clone_from(&root.packages);
    Ok(spec)
}

/// The parts of a definition that need nothing else: host name, disk, and what the manifest says.
fn describe(image: &ResolvedImage, spec: &mut ImageSpec) {
    spec.hostname.clone_from(&image.system.hostname);
    let DiskLayout { size, esp, root } = &image.disk;
    spec.disk_size = *size;
    spec.esp_size = esp.size;
    spec.esp_label.clone_from(&esp.label);
    // The one that there is; another one must be chosen here.
    match root.filesystem {
        FileSystem::Ext4 => {}
    }
    match root.size {
        RootSize::Free(free) => spec.root_free = free,
        RootSize::Fixed(size) => spec.root_size = Some(size),
    }
    spec.root_label.clone_from(&root.label);
    spec.root_growth = if root.grow { Growth::AtBoot } else { Growth::Never };
    spec.mount_points = root.mount_points.iter().map(ToString::to_string).collect();
    spec.labels.clone_from(&image.labels);
    spec.capabilities = capabilities(image);
    spec.channels.clone_from(&image.channels);
}

fn report(workspace: &Workspace, built: &Built, share: Share) -> Result<()> {
    let files: Vec<&PathBuf> = built.images.iter().map(|(_, path)| path).collect();
    let facts = serde_json::json!({
        "images": files, "manifest": built.manifest_path, "sboms": built.sboms,
        "packages": built.manifest.packages.len(), "from-source": share,
    });
    workspace.terminal.facts(&facts, || {
        let mut text = String::new();
        for path in files
            .iter()
            .copied()
            .chain([&built.manifest_path])
            .chain(&built.sboms)
        {
            text += &format!("{}\n", path.display());
        }
        text
    })?;
    if let Some(line) = share.line() {
        workspace.terminal.note(line);
    }
    Ok(())
}

/// The manifest of what was built of an image, if anything was.
fn manifest(workspace: &Workspace, name: &str) -> Result<Option<(PathBuf, Manifest)>> {
    let folder = workspace.image(name);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        return Ok(None);
    };
    let version = format!("-{}.manifest.json", workspace.distro.release_version);
    for entry in entries {
        let path = entry?.path();
        if path
            .file_name()
            .is_some_and(|file| file.to_string_lossy().ends_with(&version))
        {
            return Ok(Some((
                path.clone(),
                serde_json::from_slice(&std::fs::read(&path)?)?,
            )));
        }
    }
    Ok(None)
}

fn list(workspace: &Workspace) -> Result<()> {
    let mut rows = Vec::new();
    for name in workspace.catalog.image_names() {
        let image = workspace
            .catalog
            .image(name, &workspace.distro, workspace.architecture)
            .or_fail(Kind::Project)?;
        let built = manifest(workspace, name.as_str())?.map(|(path, _)| path);
        rows.push((image, built));
    }
    let facts: Vec<_> = rows
        .iter()
        .map(|(image, built)| {
            serde_json::json!({
                "name": image.name, "description": image.description, "manifest": built,
                "formats": image.formats, "architectures": image.architectures, "definition": image.definition,
                "capabilities": capabilities(image), "tests": image.tests, "channels": image.channels,
            })
        })
        .collect();
    workspace.terminal.facts(&facts, || {
        rows.iter()
            .map(|(image, built)| {
                let state = if built.is_some() { "built" } else { "not built" };
                format!("{:<20} {state:<10} {}\n", image.name.as_str(), image.description)
            })
            .collect()
    })?;
    Ok(())
}

/// Builds again elsewhere and compares every format.
fn verify(workspace: &Workspace, name: &str) -> Result<()> {
    let Some((path, manifest)) = manifest(workspace, name)? else {
        return Err(
            Failure::message(Kind::Failed, format!("the image `{name}` is not built yet"))
                .hint(format!("run `lazuli image build {name}`")),
        );
    };
    let image = resolve(workspace, name, &[])?;
    let again = WorkFolder::create(&workspace.out.join("work"), "verify-")?;
    let request = Request {
        update_vanished: false,
        keep_root: false,
        // As it was made.
        preference: match manifest
            .packages
            .iter()
            .any(|package| package.made == Made::Built)
        {
            true => Preference::Built,
            false => Preference::Imported,
        },
        out: again.path().to_owned(),
    };
    build(workspace, &image, &request, &mut Stages::default())?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let found = lazuli_image::verify::compare(folder, &request.out)?;
    let differences: Vec<String> = found.iter().map(ToString::to_string).collect();
    workspace.terminal.facts(
        &serde_json::json!({ "image": name, "differences": differences }),
        || differences.iter().map(|line| format!("{line}\n")).collect(),
    )?;
    match differences.len() {
        0 => {
            workspace.terminal.note(format!(
                "{name}: {} files are the same to the bit",
                manifest.artefacts.len()
            ));
            Ok(())
        }
        count => Err(Failure::message(
            Kind::Failed,
            format!("{name}: two builds differ in {count} places"),
        )),
    }
}

fn compare(workspace: &Workspace, left: &Path, right: &Path) -> Result<()> {
    let differences: Vec<String> = lazuli_disk::compare::disks(left, right)?
        .iter()
        .map(ToString::to_string)
        .collect();
    workspace.terminal.facts(&differences, || {
        differences.iter().map(|line| format!("{line}\n")).collect()
    })?;
    match differences.len() {
        0 => Ok(()),
        count => Err(Failure::message(Kind::Failed, format!("{count} differences"))),
    }
}

#[cfg(test)]
mod tests;
