#![allow(clippy::unwrap_used)]
use super::*;
use lazuli_catalog::Catalog;

fn image(keys: &str) -> ResolvedImage {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[project]\ndefault-distro = {{ name = \"x\", version = \"1\" }}\n[distros.x.versions.1]\nrelease-ver = \"1\"\n\
         [images.vm]\n{keys}\n"
    );
    std::fs::write(folder.path().join("lazuli.toml"), text).unwrap();
    let catalog = Catalog::load(folder.path()).unwrap();
    let distro = catalog.distro(None).unwrap();
    let name = ImageName::new("vm").unwrap();
    catalog.image(&name, &distro, Architecture::X86_64).unwrap()
}

#[test]
fn an_image_is_built_as_it_is_defined() {
    let check = |keys: &str, expected: &str| {
        let error = check_buildable(&image(keys), Architecture::X86_64).unwrap_err();
        let said = error.to_string();
        let first = said.lines().next().unwrap();
        assert_eq!(first.strip_prefix("error: "), Some(expected), "{keys}");
    };
    check("", "the image `vm` has no `formats`: it only serves `extends`");
    check(
        "definition = { type = \"kiwi\", path = \"vm.kiwi\" }",
        "the image `vm` is defined in a file of kiwi, which Lazuli does not read",
    );
    check(
        "formats = [\"raw\"]\narchitectures = [\"aarch64\"]",
        "the image `vm` is not made for x86_64, but for aarch64",
    );
    check_buildable(&image("formats = [\"raw\"]"), Architecture::X86_64).unwrap();
}

#[test]
fn every_key_of_disk_and_manifest_reaches_the_engine() {
    let image = image(
        "system = { hostname = \"box\" }
         capabilities = { systemd = true, container = true, runtime-package-management = false }
         publish = { channels = [\"beta\"] }
         labels = { vendor = \"us\" }
         [images.vm.disk]
         size = \"3G\"
         esp = { size = \"64M\", label = \"BOOT\" }
         root = { free = \"5M\", label = \"system\", grow = false, mount-points = [\"/srv/data\"] }",
    );
    let mut spec = ImageSpec::new("vm", "1", 0);
    describe(&image, &mut spec);
    assert_eq!(spec.hostname.as_deref(), Some("box"));
    assert_eq!((spec.disk_size, spec.esp_size), (Some(3 << 30), 64 << 20));
    assert_eq!((spec.root_size, spec.root_free), (None, 5 << 20));
    assert_eq!(
        (spec.esp_label.as_str(), spec.root_label.as_str()),
        ("BOOT", "system")
    );
    assert_eq!(
        (spec.root_growth, spec.mount_points),
        (Growth::Never, vec!["/srv/data".to_owned()])
    );
    assert_eq!(spec.capabilities, ["container", "systemd"]);
    assert_eq!(spec.channels, ["beta"]);
    assert_eq!(spec.labels["vendor"], "us");

    let plain = self::image("disk = { root = { size = \"1G\" } }");
    let mut spec = ImageSpec::new("vm", "1", 0);
    describe(&plain, &mut spec);
    assert_eq!(
        (spec.hostname, spec.root_size, spec.root_growth),
        (None, Some(1 << 30), Growth::AtBoot)
    );
}
